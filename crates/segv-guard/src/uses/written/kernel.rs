//! Write tracking by the kernel: userfaultfd(2) with `UFFD_FEATURE_WP_ASYNC`, and the `PAGEMAP_SCAN`
//! ioctl (ioctl_pagemap_scan(2)), both in Linux 6.7.

use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};
use std::{iter, mem};

use ipc_common::{Error, Result};
use nix::errno::Errno;

use crate::region::Region;
use crate::sys::{
    self,
    userfault::{self, PageRegion},
};

/// How many ranges are asked for in one call.
const AT_ONCE: usize = 256;

pub(super) struct Kernel {
    region: Region,
    /// As long as it is open, the kernel keeps the marks.
    _userfault: OwnedFd,
    pagemap: OwnedFd,
    /// The marks are those of its memory, and a child made by fork(2) has the descriptor only.
    process: i32,
    /// What a call has found and could not report. Whoever holds it is the one collector.
    unreported: Mutex<Vec<Range<usize>>>,
}

impl Kernel {
    pub(super) fn new(region: Region) -> Result<Kernel> {
        let failed = |call| {
            let about = format!("write marks for {} pages", region.pages());
            move |errno| {
                Error::new(call, errno, about.clone()).with_remedy(match errno {
                    Errno::EPERM => "userfaultfd is not allowed here; use Backend::Faults",
                    _ => "this kernel cannot mark written pages (Linux 6.7); use Backend::Faults",
                })
            }
        };
        let (start, len) = (region.start(), region.len());
        let userfault = userfault::open().map_err(failed("userfaultfd"))?;
        // SAFETY: our own region, seen by views only: that its pages are marked harms nobody.
        unsafe { userfault::mark_writes(&userfault, start.cast(), len) }
            .map_err(failed("UFFDIO_WRITEPROTECT"))?;
        let pagemap = userfault::pagemap().map_err(failed("open"))?;
        let (process, unreported) = (sys::process_id(), Mutex::default());
        let kernel = Kernel { region, _userfault: userfault, pagemap, process, unreported };
        // A kernel that has the one but not the other says so now.
        kernel.take()?;
        Ok(kernel)
    }

    pub(super) fn region(&self) -> &Region {
        &self.region
    }

    pub(super) fn take(&self) -> Result<Vec<Range<usize>>> {
        // The descriptor still asks about the parent's memory, and would take the parent's marks.
        // The child's own pages have none: any of them may have been written.
        if sys::process_id() != self.process {
            return Ok(iter::once(0..self.region.pages()).collect());
        }
        let mut found = self.unreported.lock().unwrap_or_else(PoisonError::into_inner);
        let (start, page) = (self.region.address(), self.region.page_size().bytes());
        let scan =
            |rest, room: &mut [PageRegion]| userfault::take_written(&self.pagemap, rest, room);
        walk(start..start + self.region.len(), &mut found, scan).map_err(|errno| {
            Error::new("PAGEMAP_SCAN", errno, format!("{} pages", self.region.pages()))
        })?;
        let mut pages = mem::take(&mut *found);
        pages.iter_mut().for_each(|range| {
            *range = (range.start - start) / page..(range.end - start) / page;
        });
        Ok(merged(pages))
    }
}

/// Scans all of `rest`, and adds to `found` what each scan has found: its marks are gone, so it
/// has to stay there if a later scan fails.
fn walk(
    mut rest: Range<usize>,
    found: &mut Vec<Range<usize>>,
    mut scan: impl FnMut(Range<usize>, &mut [PageRegion]) -> nix::Result<(usize, usize)>,
) -> nix::Result<()> {
    let mut room = [PageRegion::default(); AT_ONCE];
    while !rest.is_empty() {
        // Looked at and marked anew in one step, page by page: no write falls in between.
        let (count, walked) = scan(rest.clone(), &mut room)?;
        found.extend(room[..count].iter().map(|region| region.start as usize..region.end as usize));
        rest.start = walked;
    }
    Ok(())
}

/// The same numbers in ranges that ascend and do not touch.
fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| range.start);
    ranges.dedup_by(|next, last| {
        let touches = next.start <= last.end;
        if touches {
            last.end = last.end.max(next.end);
        }
        touches
    });
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Marks as the kernel has them: what a scan reports, it takes away.
    struct Marked(Vec<usize>);

    impl Marked {
        fn scan(&mut self, range: Range<usize>, room: &mut [PageRegion]) -> (usize, usize) {
            let (mut count, mut walked) = (0, range.end);
            self.0.retain(|page| {
                if !range.contains(page) {
                    return true;
                }
                if count == room.len() {
                    walked = walked.min(*page);
                    return true;
                }
                room[count] = PageRegion::of(*page as u64..*page as u64 + 1);
                count += 1;
                false
            });
            (count, walked)
        }
    }

    #[test]
    fn what_was_found_before_a_scan_failed_is_reported_by_the_next_call() {
        let written: Vec<usize> = (0..3 * AT_ONCE).map(|n| 2 * n).collect();
        let (mut marked, mut found) = (Marked(written.clone()), Vec::new());
        let mut scans = 0;
        let failing = |range, room: &mut [PageRegion]| {
            scans += 1;
            if scans == 3 { Err(Errno::ENOMEM) } else { Ok(marked.scan(range, room)) }
        };
        assert_eq!(walk(0..2_000, &mut found, failing), Err(Errno::ENOMEM));
        assert_eq!((found.len(), marked.0.len()), (2 * AT_ONCE, AT_ONCE));
        // Written again in the meantime: not twice in one answer.
        marked.0.insert(0, 4);
        let next = |range, room: &mut [PageRegion]| Ok(marked.scan(range, room));
        walk(0..2_000, &mut found, next).unwrap();
        let reported = merged(found);
        assert!(reported.is_sorted_by(|one, next| one.end < next.start), "{reported:?}");
        assert_eq!(reported.into_iter().flatten().collect::<Vec<_>>(), written);
    }

    #[test]
    fn ranges_that_touch_become_one() {
        assert_eq!(merged(vec![4..6, 0..1, 6..7, 1..3, 5..6]), [0..3, 4..7]);
        assert!(merged(Vec::new()).is_empty());
    }
}
