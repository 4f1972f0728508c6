//! An integer out of a mapped file. Slide "mmap Example: map first 4kb of file and read an integer".
//!
//! The slide casts the address and dereferences: `*((int *) region)`. That takes four bytes on
//! trust (the file may have fewer: SIGBUS), at an address that suits an `int` (offset 0 only), in
//! the byte order of whoever wrote them. Here the bytes are copied out, then put together.

use std::os::fd::AsFd;
use std::path::Path;
use std::str::FromStr;

use ipc_common::{Errno, Error, Result};

use crate::mapping::{MapOptions, truncation};
use crate::open::{Access, open_file, regular};
use crate::sys;

/// In which order the bytes of a number lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Endian {
    /// As this machine keeps its own numbers.
    #[default]
    Native,
    /// The lowest byte first: x86-64, and aarch64 as Linux runs it.
    Little,
    /// The highest byte first: network protocols, many file formats.
    Big,
}

impl Endian {
    /// The number that these bytes make.
    pub fn integer(self, bytes: [u8; 4]) -> i32 {
        match self {
            Endian::Native => i32::from_ne_bytes(bytes),
            Endian::Little => i32::from_le_bytes(bytes),
            Endian::Big => i32::from_be_bytes(bytes),
        }
    }

    /// `little` or `big`; native says which of the two it is here.
    pub fn name(self) -> &'static str {
        match self {
            Endian::Little => "little",
            Endian::Big => "big",
            Endian::Native if cfg!(target_endian = "little") => "little",
            Endian::Native => "big",
        }
    }
}

/// `native`, `little` or `big`.
impl FromStr for Endian {
    type Err = Error;

    fn from_str(text: &str) -> Result<Endian> {
        match text {
            "native" => Ok(Endian::Native),
            "little" => Ok(Endian::Little),
            "big" => Ok(Endian::Big),
            _ => Err(Error::refused("endian", Errno::EINVAL, format!("{text:?}"))
                .with_remedy("a byte order is native, little or big")),
        }
    }
}

/// The four bytes at `offset` of the file at `path`, by way of a mapping. The offset need not be
/// a multiple of anything. Of a file that is cut during the call *and* grows again, they may be the
/// zeros of the hole.
///
/// # Errors
///
/// Those of [`open_file`]; `EINVAL` for an empty file; `ERANGE` if the file ends before the fourth
/// byte, `EIO` if it was cut there just then.
///
/// ```
/// # let folder = std::env::temp_dir().join(format!("mmap-integer-{}", std::process::id()));
/// # std::fs::create_dir(&folder)?;
/// # let path = folder.join("file");
/// use mmap_file::integer::{Endian, four_bytes};
/// std::fs::write(&path, [9, 0, 0, 1, 2])?;
/// assert_eq!(Endian::Big.integer(four_bytes(&path, 1)?), 0x0102);
/// assert!(four_bytes(&path, 2).is_err(), "the file has five bytes");
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn four_bytes(path: impl AsRef<Path>, offset: u64) -> Result<[u8; 4]> {
    let file = open_file(path, Access::Read)?;
    let size = regular("fstat", file.as_fd())?;
    let end = offset.saturating_add(4);
    if size > 0 && end > size {
        return Err(truncation::past_end("mmap", sys::name_of(&file), end, size));
    }
    let mapping = MapOptions::new().offset(offset).len(4).map(&file)?;
    let mut bytes = [0; 4];
    mapping.view()?.read(0, &mut bytes)?;
    // Afterwards: past the end of the file, its last page reads as zeros without a fault. (If it was
    // cut and has grown again, they are zeros of the file's own by now.)
    truncation::still_reaches(&file, end)?;
    Ok(bytes)
}
