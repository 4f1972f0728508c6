//! What is on the disk at first: mkfs.ext4(8), done once for all trials.

use std::env;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use ipc_common::{Errno, Error, Result};
use nix::sys::memfd::{MFdFlags, memfd_create};

use crate::sys;

/// Where it is: in the PATH, or where administrators have it.
pub(super) fn mkfs() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join("mkfs.ext4"))
        .find(|program| program.is_file())
}

/// A new ext4 file system with a journal, in memory: a file without a name, which is gone when it is
/// closed. `go_on` fails when it is to be stopped.
pub(super) fn formatted(bytes: u64, go_on: &mut dyn FnMut() -> Result<()>) -> Result<File> {
    let program = mkfs().ok_or_else(|| {
        Error::refused("mkfs.ext4", Errno::ENOENT, "").with_remedy("install e2fsprogs")
    })?;
    let image = memfd_create("page-sync", MFdFlags::MFD_CLOEXEC)
        .map(File::from)
        .map_err(|errno| Error::new("memfd_create", errno, "the image"))?;
    let failed = |call| move |error| Error::from_io(call, &error, "the image");
    image.set_len(bytes).map_err(failed("ftruncate"))?;
    let mut command = Command::new(&program);
    command
        // All at once: nothing is left for a thread of the kernel to write later.
        .args(["-q", "-F", "-b", "4096", "-m", "0", "-J", "size=4"])
        .args(["-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0"])
        // Its standard input, which is the image.
        .arg("/proc/self/fd/0")
        .stdin(image.try_clone().map_err(failed("dup"))?)
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    sys::die_with_parent(&mut command);
    let mut child = command
        .spawn()
        .map(Running)
        .map_err(|error| Error::from_io("execve", &error, program.display().to_string()))?;
    let status = loop {
        match child.0.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) => go_on()?,
            Err(error) => return Err(Error::from_io("wait", &error, "mkfs.ext4")),
        }
        thread::sleep(Duration::from_millis(1));
    };
    if status.success() {
        return Ok(image);
    }
    let mut said = String::new();
    if let Some(mut pipe) = child.0.stderr.take() {
        // What it said before an error is all there is to show.
        let _ = pipe.read_to_string(&mut said);
    }
    let said: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    Err(Error::refused("mkfs.ext4", Errno::EIO, program.display().to_string())
        .with_remedy(format!("it ended with {status}: {}", said.join("; "))))
}

/// A child that does not outlive our interest in it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
