//! One process, and what it sees of a file.

use std::fs;
use std::ops::Range;

use ipc_common::{Errno, Error, PageSize, Result};
use mmap_file::maps::{self, Listed};

use crate::inspect::pagemap::{Entry, Pagemap};
use crate::inspect::{Answer, Faults, Reason, Runs, Totals, faults, totals};
use crate::picture::InProcess;

/// A process, and what it sees of a file.
#[derive(Clone, Debug)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// The name of its program, as the kernel keeps it: at most 15 bytes.
    pub name: String,
    /// What each page of the file is to it. [`Reason::NotMapped`] if it does not map the file.
    pub pages: Answer<Runs<InProcess>>,
    /// How many entries of its page table for this file are marked so that writing there will be
    /// noticed by a userfaultfd(2).
    pub write_protected: Answer<u64>,
    /// The sums over those of its mappings that are of this file.
    pub totals: Answer<Totals>,
    /// All its faults so far, not only those on this file.
    pub faults: Answer<Faults>,
}

pub(super) fn look(listed: Answer<&Listed>, pid: u32, pages: u64) -> Result<Process> {
    let (seen, totals) = match listed {
        Answer::Unknown(reason) => (Answer::Unknown(reason), Answer::Unknown(reason)),
        Answer::Known(listed) => match maps::of(pid) {
            Ok(maps) => {
                let ours: Vec<Listed> =
                    maps.into_iter().filter(|mapping| mapping.same_file(listed)).collect();
                let addresses: Vec<Range<u64>> =
                    ours.iter().map(|mapping| mapping.start..mapping.end).collect();
                (seen(pid, &ours, pages), totals::of(pid, &addresses))
            }
            Err(error) if error.errno() == Errno::ESRCH => return Err(error),
            Err(error) => {
                let reason = unreadable(&error, pid);
                (Answer::Unknown(reason), Answer::Unknown(reason))
            }
        },
    };
    let faults = faults::of(pid);
    if faults.reason() == Some(Reason::Gone { pid }) {
        return Err(Error::refused("open", Errno::ESRCH, format!("process {pid}"))
            .with_remedy("there is no process with this id (any more); see `ps -e`"));
    }
    let write_protected = seen.as_ref().map(|seen| seen.write_protected);
    let pages = seen.map(|seen| seen.pages);
    Ok(Process { pid, name: name_of(pid), pages, write_protected, totals, faults })
}

/// What its page table says.
struct Seen {
    pages: Runs<InProcess>,
    write_protected: u64,
}

/// What each page of the file is to a process that maps it so.
fn seen(pid: u32, mappings: &[Listed], pages: u64) -> Answer<Seen> {
    if mappings.is_empty() {
        return Answer::Unknown(Reason::NotMapped { pid });
    }
    Pagemap::of(pid).and_then(|pagemap| {
        let page = PageSize::system().bytes() as u64;
        let mut seen = Seen { pages: Runs::of(0..pages, InProcess::No), write_protected: 0 };
        for mapping in mappings {
            let first = mapping.offset / page;
            // What is mapped behind the end of the file is nobody's question.
            let count = ((mapping.end - mapping.start) / page).min(pages.saturating_sub(first));
            let entries = match pagemap.entries(mapping.start..mapping.start + count * page).ok() {
                Ok(entries) => entries,
                Err(reason) => return Answer::Unknown(reason),
            };
            let mut here = Runs::from(first);
            for (numbers, entry) in entries.iter() {
                here.push(numbers.end - numbers.start, InProcess::of(entry));
            }
            seen.pages = seen.pages.with(&here, InProcess::No, InProcess::or);
            seen.write_protected += entries.count_pages(Entry::write_protected);
        }
        Answer::Known(seen)
    })
}

fn unreadable(error: &Error, pid: u32) -> Reason {
    match error.errno() {
        Errno::EACCES | Errno::EPERM => Reason::Closed { pid },
        errno => Reason::Failed { call: error.call(), errno },
    }
}

fn name_of(pid: u32) -> String {
    let name = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    String::from_utf8_lossy(name.strip_suffix(b"\n").unwrap_or(&name)).into_owned()
}
