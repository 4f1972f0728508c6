//! What a case may need and a machine may lack. Each says why, in words for the test report.

use std::fs;
use std::process::{Command, Stdio};

use crate::emulator;

/// To be root: for other users, mounts without a user namespace, and owners.
pub fn root() -> Result<(), String> {
    if is_root() {
        Ok(())
    } else {
        Err("only root can do this, and this is an ordinary user".into())
    }
}

/// To be an ordinary user: root is refused nothing by file modes.
pub fn ordinary_user() -> Result<(), String> {
    if is_root() { Err("root may do everything, so this shows nothing".into()) } else { Ok(()) }
}

/// Mount and IPC namespaces of one's own, as root or by a user namespace.
pub fn namespaces() -> Result<(), String> {
    let flags: &[&str] = if is_root() { &["-m", "-i"] } else { &["-U", "-r", "-m", "-i"] };
    works("unshare", &[flags, &["true"]].concat(), "namespaces of one's own are refused here")
}

/// A C compiler named `cc`.
pub fn c_compiler() -> Result<(), String> {
    works("cc", &["--version"], "there is no C compiler named cc")
}

/// This kernel's own processor. Under qemu's user mode, signals are qemu's, not all that the kernel
/// tells of a fault reaches the program, and who traces it sees qemu.
pub fn native() -> Result<(), String> {
    if emulator::is_emulated() {
        Err("under qemu's user mode, and this is about what the kernel itself does".into())
    } else {
        Ok(())
    }
}

/// strace, and the permission to trace a child.
pub fn strace() -> Result<(), String> {
    native()?;
    works("strace", &["-o", "/dev/null", "true"], "strace is missing, or may not trace")
}

/// Chromium, to look at pages with.
pub fn chromium() -> Result<(), String> {
    works("chromium", &["--version"], "chromium is missing")
}

/// Perl with IPC::SysV, which Debian ships apart from perl-base.
pub fn perl_ipc_sysv() -> Result<(), String> {
    works("perl", &["-MIPC::SysV", "-e", "1"], "Perl's IPC::SysV is not installed")
}

/// System V shared memory compiled into the kernel.
pub fn sysv() -> Result<(), String> {
    fs::metadata("/proc/sysvipc/shm")
        .map(|_| ())
        .map_err(|_| "this kernel has no System V IPC".into())
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

fn works(program: &str, arguments: &[&str], otherwise: &str) -> Result<(), String> {
    let silent = || Stdio::null();
    let status = Command::new(program)
        .args(arguments)
        .stdin(silent())
        .stdout(silent())
        .stderr(silent())
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{otherwise} (`{program}` ended with {status})")),
        Err(error) => Err(format!("{otherwise} (`{program}`: {error})")),
    }
}
