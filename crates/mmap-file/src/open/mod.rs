//! Files fit to be mapped: opened without surprises, or created without a moment of weakness.

mod create;

pub use create::{Found, create_new, open_or_create};

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use ipc_common::{Errno, Error, PageSize, Result};
use nix::fcntl::{OFlag, open};
use nix::sys::stat::{Mode, SFlag, fstat};
use nix::sys::statfs::{HUGETLBFS_MAGIC, fstatfs};

use crate::sys;

/// What a file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading. A symbolic link is followed: whoever names it may read through it.
    Read,
    /// Reading and writing. A symbolic link is refused: in a folder such as `/tmp`, somebody else
    /// could have put it there to choose which of *our* files is changed. (There is no "writing"
    /// alone: even PROT_WRITE needs a readable descriptor.)
    ReadWrite,
}

/// Opens a file that exists and is regular.
///
/// `O_NONBLOCK`, so that a FIFO cannot keep us waiting for its other end; `O_CLOEXEC`, so that
/// programs we start do not inherit it.
///
/// # Errors
///
/// Those of open(2): `ENOENT`, `EACCES`, `ELOOP` for a link that is not followed, `ENXIO` for a
/// socket. `EISDIR` for a folder and `ENODEV` for what else is not a regular file.
pub fn open_file(path: impl AsRef<Path>, access: Access) -> Result<File> {
    let file = unchecked(path.as_ref(), access)?;
    regular("open", file.as_fd())?;
    Ok(File::from(file))
}

/// The same for whoever looks by himself at what kind of file it is.
pub(crate) fn unchecked(path: &Path, access: Access) -> Result<OwnedFd> {
    let how = match access {
        Access::Read => OFlag::O_RDONLY,
        Access::ReadWrite => OFlag::O_RDWR | OFlag::O_NOFOLLOW,
    };
    let flags = how | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    open(path, flags, Mode::empty())
        .map_err(|errno| Error::new("open", errno, path.display().to_string()))
}

/// The length of a regular file, in bytes.
///
/// # Errors
///
/// `EISDIR` for a folder, `ENODEV` for anything else that is not a regular file.
#[inline]
pub(crate) fn regular(call: &'static str, fd: BorrowedFd<'_>) -> Result<u64> {
    regular_and_pages(call, fd).map(|(size, _)| size)
}

/// The same, and the size of the pages that a mapping of it has: the system's, except on hugetlbfs,
/// where it is that of the huge pages.
#[inline]
pub(crate) fn regular_and_pages(call: &'static str, fd: BorrowedFd<'_>) -> Result<(u64, PageSize)> {
    let found = fstat(fd).map_err(|errno| Error::new("fstat", errno, sys::name_of(fd)))?;
    let kind = SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT;
    if kind != SFlag::S_IFREG {
        return Err(not_regular(call, fd, kind));
    }
    let (page, block) = (PageSize::system(), found.st_blksize.try_into().unwrap_or(0));
    // Others have large blocks, too: network file systems, for one.
    let huge = if block > page.bytes() { huge_pages(fd) } else { None };
    Ok((found.st_size.try_into().unwrap_or(0), huge.unwrap_or(page)))
}

#[cold]
fn huge_pages(fd: BorrowedFd<'_>) -> Option<PageSize> {
    let found = fstatfs(fd).ok().filter(|found| found.filesystem_type() == HUGETLBFS_MAGIC)?;
    PageSize::new(found.block_size().try_into().ok()?).ok()
}

#[cold]
fn not_regular(call: &'static str, fd: BorrowedFd<'_>, kind: SFlag) -> Error {
    let (errno, what) = match kind {
        SFlag::S_IFDIR => (Errno::EISDIR, "a folder"),
        SFlag::S_IFIFO => (Errno::ENODEV, "a FIFO (a pipe with a name)"),
        SFlag::S_IFCHR | SFlag::S_IFBLK => (Errno::ENODEV, "a device"),
        SFlag::S_IFSOCK => (Errno::ENODEV, "a socket"),
        _ => (Errno::ENODEV, "no regular file"),
    };
    Error::refused(call, errno, sys::name_of(fd))
        .with_remedy(format!("this is {what}, and only regular files are mapped here; name one"))
}
