//! In the cell: rustc, twice. First the student's library, then the lab's driver with it. Both in
//! the sandbox: a compiler reads what a source tells it to, and takes as long as it is told to.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use ipc_common::{Error, Result};

use super::Tools;
use crate::cell::{Grading, Places};
use crate::driver::Listener;
use crate::sandbox::{Ended, Identity, Launch, Limits, Mode, Process, namespace};
use crate::shown;
use crate::verdict::Build;

/// How long rustc may take, the machine being busy with others.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Compiles a submission and the driver. That it does not compile is no error.
pub(crate) fn compile(
    mode: Mode,
    identity: Identity,
    grading: &Grading,
    places: &Places,
) -> Result<Build> {
    if mode == Mode::Full {
        namespace::for_my_programs()?;
    }
    for (name, text) in grading.sources.iter().chain([&(DRIVER.into(), grading.driver.clone())]) {
        put(&places.sources.join(name), text)?;
    }
    let tools = &grading.tools;
    let rustc = Rustc { mode, identity, tools, places };
    let root = grading.sources.first().map_or("", |(name, _)| name.as_str());
    let mut library = rustc.run(&["--crate-type=rlib", "--crate-name", &tools.crate_name, root])?;
    if !library.succeeded {
        return Ok(library);
    }
    let own = places.build.join(format!("lib{}.rlib", tools.crate_name));
    let own = format!("--extern={}={}", tools.crate_name, own.display());
    let linker = format!("-Clinker={}", tools.linker.display());
    let driver = rustc.run(&["--crate-type=bin", "--crate-name=driver", &own, &linker, DRIVER])?;
    library.messages.push_str(&driver.messages);
    library.succeeded = driver.succeeded;
    if driver.succeeded {
        take(&places.build.join("driver"), &places.driver)?;
    }
    Ok(library)
}

/// The lab's driver among the sources. No submission has a file of that name: the rubric names its
/// files.
const DRIVER: &str = "driver.rs";

struct Rustc<'a> {
    mode: Mode,
    identity: Identity,
    tools: &'a Tools,
    places: &'a Places,
}

impl Rustc<'_> {
    fn run(&self, arguments: &[&str]) -> Result<Build> {
        let places = self.places;
        let program = places.toolchain.join("bin/rustc");
        let mut launch = Launch::new(self.mode, self.identity, &program, &places.sources)?
            .may_read(&places.toolchain)
            .may_read(&places.dependencies)
            .may_read(&places.sources)
            .may_write(&places.build)
            .limits(Limits::COMPILER)
            .in_own_root(self.mode == Mode::Full)
            // The linker's own helpers are looked for there.
            .variable("PATH=/usr/bin:/bin")?
            .variable(format!("TMPDIR={}", places.build.display()))?
            .argument(format!("--edition={}", self.tools.edition))?
            .argument("--color=never")?
            .argument(format!("--out-dir={}", places.build.display()))?
            .argument(format!("-Ldependency={}", places.dependencies.display()))?;
        // As `cargo run` would have it, but for debug information, which costs time.
        for flag in ["-Cdebuginfo=0", "-Cdebug-assertions=on", "-Coverflow-checks=on"] {
            launch = launch.argument(flag)?;
        }
        for (name, file) in &self.tools.externs {
            let file = places.dependencies.join(file);
            launch = launch.argument(format!("--extern={name}={}", file.display()))?;
        }
        for argument in arguments {
            launch = launch.argument(argument)?;
        }
        let mut process = Process::start(&launch)?;
        let mut listener = process.take_pipes().map(Listener::new);
        let ended = process.wait(Instant::now() + PATIENCE, &mut || {
            listener.iter_mut().for_each(Listener::drain);
        });
        listener.iter_mut().for_each(Listener::drain);
        let messages = listener.map_or_else(String::new, |listener| listener.text());
        let (succeeded, end) = match ended {
            Some(Ended::Exited(0)) => (true, String::new()),
            // rustc has said why.
            Some(Ended::Exited(1)) if !messages.is_empty() => (false, String::new()),
            Some(Ended::Killed(libc::SIGXCPU | libc::SIGKILL)) => {
                (false, "error: the compiler needed more time or memory than it may have\n".into())
            }
            Some(how) => (false, format!("error: the compiler failed: {how}\n")),
            None => (false, format!("error: not compiled after {} s\n", PATIENCE.as_secs())),
        };
        let messages = shown::harmless(messages.as_bytes()) + &end;
        Ok(Build { succeeded, messages, millis: 0 })
    }
}

fn put(path: &Path, text: &str) -> Result<()> {
    let failed = |error| Error::from_io("open", &error, path.display().to_string());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
        fs::set_permissions(folder, Permissions::from_mode(0o755)).map_err(failed)?;
    }
    fs::write(path, text).map_err(failed)?;
    fs::set_permissions(path, Permissions::from_mode(0o644)).map_err(failed)
}

/// Copies the finished program to where the student's programs cannot write. It lay in a folder of
/// the student's user's, so it is looked at twice.
fn take(from: &Path, to: &Path) -> Result<()> {
    let failed = |error| Error::from_io("open", &error, from.display().to_string());
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let program = OpenOptions::new().read(true).custom_flags(flags).open(from).map_err(failed)?;
    let found = program.metadata().map_err(failed)?;
    if !found.is_file() || found.len() > Limits::COMPILER.file_size {
        return Err(failed(io::Error::from_raw_os_error(libc::EINVAL)));
    }
    let mut copy = File::create(to).map_err(failed)?;
    io::copy(&mut program.take(found.len()), &mut copy).map_err(failed)?;
    copy.set_permissions(Permissions::from_mode(0o755)).map_err(failed)
}
