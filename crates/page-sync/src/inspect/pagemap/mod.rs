//! What a process's page table says: /proc/PID/pagemap (proc_pid_pagemap(5)).
//!
//! True for: whether a page is mapped by *this* process just now; whether by it alone
//! ([`Entry::exclusive`], so that a copy after fork can be seen); whether what is mapped is the
//! file's page or a private copy. Not for: whether it was written. The soft-dirty bit, made for
//! that, is compiled out of many kernels, in which it is always set or never, and clearing it
//! succeeds without doing anything. So it is not looked at here. The number of the frame is shown
//! to root only, and is not looked at either.
//!
//! A page may be mapped that was never touched: at a read fault the kernel maps the neighbours that
//! are in the page cache along with it (fault-around).

mod entry;

use std::fs::File;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::os::unix::fs::FileExt;

use ipc_common::PageSize;
use mmap_file::Mapping;
use nix::errno::Errno;

use super::{Answer, Reason, Runs};

pub use entry::{Entry, State};

/// How many entries are read in one call.
const AT_ONCE: usize = 8192;

/// A process's page table, asked about addresses.
#[derive(Debug)]
pub struct Pagemap {
    file: File,
    pid: u32,
    page: PageSize,
}

impl Pagemap {
    /// That of a process. It has to be one's own, and to let itself be looked into
    /// (ptrace(2), PTRACE_MODE_READ_FSCREDS).
    pub fn of(pid: u32) -> Answer<Pagemap> {
        let page = PageSize::system();
        match File::open(format!("/proc/{pid}/pagemap")) {
            Ok(file) => Answer::Known(Pagemap { file, pid, page }),
            Err(error) => Answer::Unknown(reason(&error, pid)),
        }
    }

    /// Whose it is.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The entries of the pages that hold these addresses, which are numbered by address: the
    /// first page's number is its address divided by the page size.
    pub fn entries(&self, addresses: Range<u64>) -> Answer<Runs<Entry>> {
        self.read(addresses).into()
    }

    fn read(&self, addresses: Range<u64>) -> Result<Runs<Entry>, Reason> {
        const ENTRY: usize = size_of::<u64>();
        let page = self.page.bytes() as u64;
        let end = addresses.end.div_ceil(page);
        let mut runs = Runs::from(addresses.start / page);
        let mut bytes = vec![0; AT_ONCE * ENTRY];
        while runs.end() < end {
            let wanted = (end - runs.end()).min(AT_ONCE as u64) as usize * ENTRY;
            let read = self.file.read_at(&mut bytes[..wanted], runs.end() * ENTRY as u64);
            match read {
                // It has ended, and its page table with it; or these are no addresses.
                Ok(read) if read < ENTRY => return Err(Reason::Gone { pid: self.pid }),
                Ok(read) => {
                    for entry in bytes[..read].chunks_exact(ENTRY) {
                        let entry = entry.try_into().expect("chunks of this size");
                        runs.push(1, Entry::decode(u64::from_ne_bytes(entry)));
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(reason(&error, self.pid)),
            }
        }
        Ok(runs)
    }
}

/// The entries of a mapping of ours, numbered from 0 for the page that holds its first byte.
///
/// ```
/// use page_sync::inspect::pagemap;
/// # let folder = std::env::temp_dir().join(format!("pagemap-{}", std::process::id()));
/// # std::fs::create_dir(&folder)?;
/// # let path = folder.join("file");
/// # let page = ipc_common::PageSize::system().bytes();
///
/// let file = mmap_file::create_new(&path, 2 * page as u64, 0o600, |_| Ok(()))?;
/// let mapping = mmap_file::MapOptions::new().read_write().map(&file)?;
/// mapping.write_view()?.write(page, b"touched")?;
/// let entries = pagemap::of_mapping(&mapping).known().unwrap();
/// assert!(entries.get(1).unwrap().is_present());
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn of_mapping(mapping: &Mapping) -> Answer<Runs<Entry>> {
    let start = mapping.address() as u64;
    let addresses = start..start + mapping.len() as u64;
    Pagemap::of(std::process::id()).and_then(|pagemap| {
        pagemap.entries(addresses).map(|entries| {
            let mut runs = Runs::from(0);
            entries.iter().for_each(|(pages, entry)| runs.push(pages.end - pages.start, entry));
            runs
        })
    })
}

/// Why a file of /proc/PID cannot be read.
pub(super) fn reason(error: &io::Error, pid: u32) -> Reason {
    let errno = error.raw_os_error().map_or(Errno::EIO, Errno::from_raw);
    match errno {
        Errno::ENOENT | Errno::ESRCH => Reason::Gone { pid },
        Errno::EACCES | Errno::EPERM => Reason::Closed { pid },
        errno => Reason::Failed { call: "read", errno },
    }
}
