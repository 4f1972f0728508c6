//! rustc and the linker, in the sandbox: a compiler reads what a source tells it to, and takes as long
//! as it is told to.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use ipc_common::{Errno, Error, Result};

use super::Tools;
use crate::cell::Places;
use crate::driver::Listener;
use crate::evidence::process::cpu_time;
use crate::sandbox::{Ended, Identity, Launch, Limits, Mode, Process};
use crate::shown;

/// How long rustc may take, the machine being busy with others.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// How much CPU time it has had by then if it was the submission that kept it busy, and not others
/// who kept it from working. (An honest lab takes a tenth of that.)
const BUSY: Duration = Duration::from_secs(5);

/// rustc, and all around it.
pub(super) struct Rustc<'a> {
    pub(super) mode: Mode,
    pub(super) identity: Identity,
    pub(super) tools: &'a Tools,
    pub(super) places: &'a Places,
}

/// A library and a program that uses it, below the cell's folder of sources.
pub(super) struct Sources<'a> {
    pub(super) crate_name: &'a str,
    pub(super) library: &'a str,
    pub(super) driver: &'a str,
}

/// What came of it, with what the compiler said.
pub(super) enum Made {
    /// A program.
    Program(String),
    /// An error of the source's, or more time than it may have.
    Refused(String),
    /// No program, and no word of rustc's why: a crash of its own, a signal from outside, or a
    /// machine that had no thread to spare.
    Unclear(String),
}

impl Rustc<'_> {
    /// The library, and then the driver with it.
    ///
    /// # Errors
    ///
    /// If rustc could not be run, or did not get to run.
    pub(super) fn both(&self, sources: &Sources<'_>) -> Result<Made> {
        let Sources { crate_name, library, driver } = sources;
        let said = match self.run(&["--crate-type=rlib", "--crate-name", crate_name, library])? {
            Made::Program(said) => said,
            other => return Ok(other),
        };
        let own = self.places.build.join(format!("lib{crate_name}.rlib"));
        let own = format!("--extern={crate_name}={}", own.display());
        let linker = format!("-Clinker={}", self.tools.linker.display());
        let made = self.run(&["--crate-type=bin", "--crate-name=driver", &own, &linker, driver])?;
        Ok(match made {
            Made::Program(more) => Made::Program(said + &more),
            Made::Refused(more) => Made::Refused(said + &more),
            Made::Unclear(more) => Made::Unclear(said + &more),
        })
    }

    fn run(&self, arguments: &[&str]) -> Result<Made> {
        let mut process = Process::start(&self.launch(arguments)?)?;
        let mut listener = process.take_pipes().map(Listener::new);
        let ended = process.wait(Instant::now() + PATIENCE, &mut || {
            listener.iter_mut().for_each(Listener::drain);
        });
        listener.iter_mut().for_each(Listener::drain);
        let said = listener.map_or_else(String::new, |listener| listener.text());
        let with = |end: &str| shown::harmless(said.as_bytes()) + end;
        let failed = |errno, why: String| Error::refused("rustc", errno, why);
        match ended {
            Some(Ended::Exited(0)) => Ok(Made::Program(with(""))),
            // rustc has said why.
            Some(Ended::Exited(1)) if !said.is_empty() => Ok(Made::Refused(with(""))),
            Some(Ended::Killed(libc::SIGXCPU)) => {
                let end = "error: the compiler needed more time than it may have\n";
                Ok(Made::Refused(with(end)))
            }
            Some(Ended::Lost) => Err(failed(Errno::ECHILD, Ended::Lost.to_string())),
            Some(how) => Ok(Made::Unclear(with(&format!("error: the compiler failed: {how}\n")))),
            None if cpu_time(process.pid()) >= BUSY => {
                let end = format!("error: not compiled after {} s\n", PATIENCE.as_secs());
                Ok(Made::Refused(with(&end)))
            }
            None => Err(failed(
                Errno::ETIMEDOUT,
                format!("{} s, of which it hardly ran: the machine is busy", PATIENCE.as_secs()),
            )),
        }
    }

    fn launch(&self, arguments: &[&str]) -> Result<Launch> {
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
        Ok(launch)
    }
}

/// Writes a source, for the compiler to read.
pub(super) fn put(path: &Path, text: &str) -> Result<()> {
    let failed = |error| Error::from_io("open", &error, path.display().to_string());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
        fs::set_permissions(folder, Permissions::from_mode(0o755)).map_err(failed)?;
    }
    fs::write(path, text).map_err(failed)?;
    fs::set_permissions(path, Permissions::from_mode(0o644)).map_err(failed)
}
