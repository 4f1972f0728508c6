//! From a path to a mapping in one step.

use std::os::fd::AsFd;
use std::path::Path;

use ipc_common::Result;

use super::{MapOptions, Mapping, Protection, Sharing};
use crate::open::{self, Access};

impl MapOptions {
    /// Opens the file, maps it and closes it: the mapping keeps the file alive. For whoever needs no
    /// descriptor afterwards; it takes the system calls of mapping by hand, one fewer than
    /// [`open_file`](crate::open_file) and [`map`](MapOptions::map), each of which looks at what
    /// kind of file it is.
    ///
    /// It is opened for writing, too, if what is stored is to reach it: shared, read and write. Only
    /// then is a symbolic link refused ([`Access`]).
    ///
    /// # Errors
    ///
    /// Those of [`open_file`](crate::open_file) and of [`map`](MapOptions::map).
    ///
    /// ```
    /// use mmap_file::MapOptions;
    /// # let folder = std::env::temp_dir().join(format!("mmap-open-{}", std::process::id()));
    /// # std::fs::create_dir(&folder)?;
    /// # let path = folder.join("file");
    /// std::fs::write(&path, b"0123456789")?;
    /// let mapping = MapOptions::new().open(&path)?;
    /// std::fs::remove_file(&path)?;
    /// assert_eq!(mapping.view()?.read_vec(0, 4)?, b"0123");
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Mapping> {
        let stores_reach_it =
            self.sharing == Sharing::Shared && self.protection == Protection::ReadWrite;
        let access = if stores_reach_it { Access::ReadWrite } else { Access::Read };
        self.map_fd(open::unchecked(path.as_ref(), access)?.as_fd())
    }
}
