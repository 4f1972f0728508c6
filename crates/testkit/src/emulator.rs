//! qemu's user mode, which runs the programs of another processor on this kernel.
//!
//! It passes system calls on, and signals as it thinks they would have come. To the kernel, and to
//! whoever traces it, there is only qemu; and a program that it runs can start another one of that
//! processor only by way of qemu, or if the kernel knows of it (binfmt_misc).

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::process::Command;

/// The command that this program was started by, as far as it is the emulator's; `None` if there is
/// none.
fn emulator() -> Option<Vec<OsString>> {
    // qemu shows its guests what they expect in /proc/self, but forgets this way to it.
    let really = fs::read_link("/proc/thread-self/exe").ok()?;
    if !really.file_name()?.as_encoded_bytes().starts_with(b"qemu-") {
        return None;
    }
    let line = fs::read("/proc/thread-self/cmdline").ok()?;
    let words = line.strip_suffix(b"\0")?.split(|byte| *byte == 0);
    let mut words: Vec<_> = words.map(|word| OsString::from_vec(word.to_vec())).collect();
    words.truncate(words.len().checked_sub(env::args_os().count())?);
    words[0] = really.into_os_string();
    Some(words)
}

/// Whether this program runs under an emulator.
pub(crate) fn is_emulated() -> bool {
    emulator().is_some()
}

/// To start a program that was built for the same processor as this one.
pub fn command(program: impl AsRef<Path>) -> Command {
    match emulator() {
        None => Command::new(program.as_ref()),
        Some(words) => {
            let mut command = Command::new(&words[0]);
            command.args(&words[1..]).arg(program.as_ref());
            command
        }
    }
}
