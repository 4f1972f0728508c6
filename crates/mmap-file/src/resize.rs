//! A file and its mapping, growing and shrinking together.
//!
//! A mapping does not follow its file: bytes appended later are not in it, and bytes cut off are
//! still addresses, where a touch is SIGBUS ([`truncation`](crate::mapping::truncation)).

use std::fs::File;
use std::os::fd::AsFd;

use ipc_common::view::{ReadView, WriteView};
use ipc_common::{Errno, Error, Result};
use nix::fcntl::{FallocateFlags, fallocate, posix_fallocate};
use nix::unistd::ftruncate;

use crate::mapping::{MapOptions, Mapping};
use crate::open::regular;
use crate::sys;

/// A file, open for reading and writing, with all of it mapped shared.
///
/// ```
/// use mmap_file::MappedFile;
/// # let folder = std::env::temp_dir().join(format!("mmap-resize-{}", std::process::id()));
/// # std::fs::create_dir(&folder)?;
/// # let path = folder.join("file");
/// let mut mapped = MappedFile::new(mmap_file::create_new(&path, 100, 0o600, |_| Ok(()))?)?;
/// mapped.grow(10_000)?;
/// mapped.write_view()?.write(9_990, b"at the end")?;
/// mapped.shrink(50)?;
/// assert_eq!(mapped.len(), 50);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct MappedFile {
    file: File,
    mapping: Mapping,
}

impl MappedFile {
    /// Maps all of `file`.
    ///
    /// # Errors
    ///
    /// Those of [`MapOptions::map`]: `EACCES` if it is not open for reading and writing, `EINVAL`
    /// if it is empty.
    pub fn new(file: File) -> Result<MappedFile> {
        let mapping = MapOptions::new().read_write().map(&file)?;
        Ok(MappedFile { file, mapping })
    }

    /// How many bytes are mapped. The file has as many, unless someone else changed it.
    #[expect(clippy::len_without_is_empty, reason = "a mapping has at least one byte")]
    pub fn len(&self) -> usize {
        self.mapping.len()
    }

    /// The file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The mapping, for advice, flushing and the address.
    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// The bytes, for looking.
    ///
    /// # Errors
    ///
    /// `EIO` as for [`Mapping::check`]; [`grow`](MappedFile::grow) to the present length mends that.
    pub fn view(&self) -> Result<ReadView<'_>> {
        self.mapping.view()
    }

    /// The bytes, for looking and changing.
    ///
    /// # Errors
    ///
    /// `EIO` as for [`Mapping::check`]; [`grow`](MappedFile::grow) to the present length mends that.
    pub fn write_view(&self) -> Result<WriteView<'_>> {
        self.mapping.write_view()
    }

    /// Makes the file `len` bytes long, with room for every one of them set aside, and maps it
    /// anew: the address changes. If the file has grown beyond `len` by another hand it keeps its
    /// length, and `len` bytes are mapped. If somebody else has cut it, `grow` to the present length
    /// makes it whole again, with zeros where it was cut.
    ///
    /// # Errors
    ///
    /// `EINVAL` if it has more bytes now; `ENOSPC` if there is no room, `EFBIG` beyond the limit of a
    /// file (`ulimit -f`; by default the kernel sends SIGXFSZ as well, which kills: a program that
    /// would rather have the error ignores that signal): then the file has its old length and the
    /// mapping is as it was. `ENOMEM` if the longer mapping cannot be had: then
    /// the file has grown and the mapping has not.
    pub fn grow(&mut self, len: usize) -> Result<()> {
        if len < self.len() {
            return Err(self.wrong_way("grow", len, "fewer", "shrink"));
        }
        grow_file(&self.file, len as u64)?;
        self.mapping = MapOptions::new().read_write().len(len).map(&self.file)?;
        Ok(())
    }

    /// Cuts the file to `len` bytes. What lies behind them is unmapped first, so that this process
    /// cannot touch what is gone. Other processes that map the file can, and get SIGBUS, or the errors
    /// of [`truncation`](crate::mapping::truncation).
    ///
    /// # Errors
    ///
    /// `EINVAL` if it has fewer bytes now, or if `len` is 0; `EPERM` if the file is sealed or
    /// append-only: then all is as it was.
    pub fn shrink(&mut self, len: usize) -> Result<()> {
        if len > self.len() {
            return Err(self.wrong_way("shrink", len, "more", "grow"));
        }
        let whole = self.len();
        self.mapping = MapOptions::new().read_write().len(len).map(&self.file)?;
        let Err(errno) = ftruncate(&self.file, len as i64) else { return Ok(()) };
        let error = Error::new("ftruncate", errno, format!("{}, {len} bytes", self.name()));
        self.mapping = MapOptions::new().read_write().len(whole).map(&self.file)?;
        Err(error)
    }

    fn name(&self) -> String {
        sys::name_of(&self.file)
    }

    fn wrong_way(&self, call: &'static str, len: usize, than: &str, other: &str) -> Error {
        let about = format!("{}, {len} bytes", self.name());
        Error::refused(call, Errno::EINVAL, about).with_remedy(format!(
            "that is {than} than the {} bytes there are; use `{other}`",
            self.len()
        ))
    }
}

/// Makes a file at least `len` bytes long, every one of them backed by the file system.
///
/// `ftruncate` would succeed on a full disk too, and the first touch of a page without room would
/// be SIGBUS. First room is set aside without a change of length (so that a failure changes
/// nothing that anyone can see), then the length follows.
///
/// # Errors
///
/// `ENOSPC`, `EDQUOT`, `EFBIG` and others of fallocate(2): the length is as it was.
pub fn grow_file(file: &File, len: u64) -> Result<()> {
    let failed = |errno| {
        Error::new("posix_fallocate", errno, format!("{}, {len} bytes", sys::name_of(file)))
    };
    let old = regular("fstat", file.as_fd())?;
    let size = i64::try_from(len).map_err(|_| failed(Errno::EFBIG))?;
    match fallocate(file, FallocateFlags::FALLOC_FL_KEEP_SIZE, 0, size) {
        Ok(()) | Err(Errno::EOPNOTSUPP) => {}
        Err(errno) => return Err(failed(errno)),
    }
    if old >= len {
        return Ok(());
    }
    // Only what is new: where the C library has to emulate this call it reads and writes bytes,
    // and would race with those who store into the old ones.
    posix_fallocate(file, old as i64, size - old as i64).map_err(failed)
}
