//! What to start, and what it may touch.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use ipc_common::{Errno, Error, Result};

use super::{Identity, Limits, Mode};

/// What to start, and what it may touch.
#[derive(Clone, Debug)]
pub struct Launch {
    pub(super) mode: Mode,
    pub(super) identity: Identity,
    pub(super) program: CString,
    pub(super) arguments: Vec<CString>,
    pub(super) environment: Vec<CString>,
    pub(super) folder: PathBuf,
    pub(super) read: Vec<PathBuf>,
    pub(super) write: Vec<PathBuf>,
    pub(super) limits: Limits,
    pub(super) own_root: bool,
}

impl Launch {
    /// A program to be started in a folder, with nothing in its environment, which may read what
    /// every program needs (libraries, a few devices) and write nothing.
    ///
    /// # Errors
    ///
    /// `EINVAL` for a path with a NUL.
    pub fn new(mode: Mode, identity: Identity, program: &Path, folder: &Path) -> Result<Launch> {
        let program = word(program.as_os_str().as_bytes())?;
        Ok(Launch {
            mode,
            identity,
            arguments: vec![program.clone()],
            program,
            environment: Vec::new(),
            folder: folder.to_owned(),
            read: Vec::new(),
            write: Vec::new(),
            limits: Limits::DRIVER,
            own_root: false,
        })
    }

    /// With an argument more.
    ///
    /// # Errors
    ///
    /// `EINVAL` for one with a NUL.
    pub fn argument(mut self, argument: impl AsRef<[u8]>) -> Result<Launch> {
        self.arguments.push(word(argument.as_ref())?);
        Ok(self)
    }

    /// With a variable in its environment: `NAME=value`.
    ///
    /// # Errors
    ///
    /// `EINVAL` for one with a NUL.
    pub fn variable(mut self, variable: impl AsRef<[u8]>) -> Result<Launch> {
        self.environment.push(word(variable.as_ref())?);
        Ok(self)
    }

    /// It may read, and execute, what is at or below `path`.
    #[must_use]
    pub fn may_read(mut self, path: &Path) -> Launch {
        self.read.push(path.to_owned());
        self
    }

    /// It may read and write below `path`, but execute nothing there.
    #[must_use]
    pub fn may_write(mut self, path: &Path) -> Launch {
        self.write.push(path.to_owned());
        self
    }

    /// With other limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Launch {
        self.limits = limits;
        self
    }

    /// This process has a file system of its own (mode full): its root is made read-only for the
    /// program, and what it may write has to be another mount.
    #[must_use]
    pub fn in_own_root(mut self, own: bool) -> Launch {
        self.own_root = own;
        self
    }
}

fn word(bytes: &[u8]) -> Result<CString> {
    CString::new(bytes)
        .map_err(|_| Error::refused("execve", Errno::EINVAL, String::from_utf8_lossy(bytes)))
}
