//! Which pages of a file are in memory: mincore(2), in every kernel there is.
//!
//! True for: "in the page cache", so that reading it needs no disk. Not for "mapped by me": a page
//! that another process read counts, and one that this process has mapped and never touched may
//! not. Since Linux 5.2 the truth is for those who own the file or may write it; to others **every
//! page is called resident**. That is found out here, and then the answer is unknown.

use std::ops::{ControlFlow, Range};
use std::os::fd::{AsFd, BorrowedFd};

use ipc_common::{Errno, PageSize};
use mmap_file::{MapOptions, Mapping, Protection};
use nix::sys::stat::{SFlag, fstat};

use super::filesystem::Kind;
use super::{Answer, FileSystem, Reason, Runs};
use crate::sys::page_cache::mincore;

/// How much of the file is mapped at a time. Mapping reads nothing, but takes addresses, of which
/// `ulimit -v` may leave few.
const WINDOW: u64 = 256 << 20;

/// How far behind the end of a file the kernel is asked about a page that cannot be there. Not just
/// behind it: the last pages may be kept as one folio that reaches further. Some file systems have
/// no room for the first.
const FAR: [u64; 3] = [4 << 30, 1 << 30, 1 << 26];

/// Whether each page of this range is in memory. The range is in pages, and should end where the
/// file does.
///
/// ```
/// use page_sync::inspect::residency;
///
/// let this = std::fs::File::open("/proc/self/exe")?;
/// // Running it has read it. But if it is not ours, we are not told.
/// if let Some(resident) = residency::pages(&this, 0..1).known() {
///     assert_eq!(resident.get(0), Some(true));
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn pages(file: impl AsFd, pages: Range<u64>) -> Answer<Runs<bool>> {
    pages_while(file, pages, |_| ControlFlow::Continue(()))
}

/// [`pages()`], asking now and then whether to go on: a TiB takes some seconds, since the kernel
/// looks at each page. What it is given is the number of the page that it has come to.
pub fn pages_while(
    file: impl AsFd,
    pages: Range<u64>,
    mut go_on: impl FnMut(u64) -> ControlFlow<()>,
) -> Answer<Runs<bool>> {
    ask(file.as_fd(), pages, &mut go_on).into()
}

fn ask(
    fd: BorrowedFd<'_>,
    pages: Range<u64>,
    go_on: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<Runs<bool>, Reason> {
    can_be_asked(fd)?;
    let page = PageSize::system();
    let at_once = (WINDOW / page.bytes() as u64).max(1);
    let mut resident = Vec::new();
    let mut runs = Runs::from(pages.start);
    while runs.end() < pages.end {
        let start = runs.end();
        let count = at_once.min(pages.end - start);
        resident.clear();
        resident.resize(count as usize, 0);
        let window = map(fd, start, count, page).map_err(not_mappable)?;
        mincore(window.address(), page.bytes(), &mut resident)
            .map_err(|errno| Reason::Failed { call: "mincore(2)", errno })?;
        // The other bits are reserved.
        for same in resident.chunk_by(|one, next| one & 1 == next & 1) {
            runs.push(same.len() as u64, same[0] & 1 == 1);
        }
        if go_on(runs.end()).is_break() {
            return Err(Reason::Stopped);
        }
    }
    Ok(runs)
}

/// Whether the kernel tells us the truth about this file. It has not said so; but it can be asked
/// about a page that cannot be in memory, far behind the end, and if it calls even that resident, it
/// does not.
fn can_be_asked(fd: BorrowedFd<'_>) -> Result<(), Reason> {
    let found = fstat(fd).map_err(|errno| Reason::Failed { call: "fstat", errno })?;
    if SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT != SFlag::S_IFREG {
        return Err(Reason::NotRegular);
    }
    match FileSystem::of(fd).ok()?.kind() {
        Kind::Pseudo => return Err(Reason::Pseudo),
        Kind::HugePages => return Err(Reason::HugePages),
        _ if crate::sys::dax::is_dax(fd).unwrap_or(false) => return Err(Reason::Dax),
        _ => {}
    }
    let page = PageSize::system();
    let end = u64::try_from(found.st_size).unwrap_or(0);
    let mut refused = Errno::EOVERFLOW;
    for far in FAR {
        let behind = end.saturating_add(far) / page.bytes() as u64;
        match map(fd, behind, 1, page) {
            Ok(nothing) => {
                let mut resident = [0];
                mincore(nothing.address(), page.bytes(), &mut resident)
                    .map_err(|errno| Reason::Failed { call: "mincore(2)", errno })?;
                return match resident[0] & 1 {
                    0 => Ok(()),
                    _ => Err(Reason::NotYours { call: "mincore(2)" }),
                };
            }
            Err(errno) => refused = errno,
        }
    }
    Err(not_mappable(refused))
}

/// Pages that are mapped in order to be asked about, and never touched. So nothing of them can
/// fault, and no handler is needed.
fn map(fd: BorrowedFd<'_>, first: u64, count: u64, page: PageSize) -> Result<Mapping, Errno> {
    let bytes = page.bytes() as u64;
    let offset = first.checked_mul(bytes).ok_or(Errno::EOVERFLOW)?;
    let len = count.checked_mul(bytes).and_then(|len| usize::try_from(len).ok());
    MapOptions::new()
        .protection(Protection::None)
        .offset(offset)
        .len(len.ok_or(Errno::EOVERFLOW)?)
        .allow_past_end()
        .unguarded()
        .map(fd)
        .map_err(|error| error.errno())
}

fn not_mappable(errno: Errno) -> Reason {
    match errno {
        Errno::ENOMEM => Reason::Failed { call: "mmap", errno },
        errno => Reason::NotMappable(errno),
    }
}
