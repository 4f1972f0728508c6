//! Write tracking by the kernel: userfaultfd(2) with `UFFD_FEATURE_WP_ASYNC`, and the `PAGEMAP_SCAN`
//! ioctl (ioctl_pagemap_scan(2)), both in Linux 6.7.

use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};

use ipc_common::{Error, Result};
use nix::errno::Errno;

use crate::region::Region;
use crate::sys::userfault::{self, PageRegion};

/// How many ranges are asked for in one call.
const AT_ONCE: usize = 256;

pub(super) struct Kernel {
    region: Region,
    /// As long as it is open, the kernel keeps the marks.
    _userfault: OwnedFd,
    pagemap: OwnedFd,
    /// One collector at a time.
    collecting: Mutex<()>,
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
        let kernel = Kernel { region, _userfault: userfault, pagemap, collecting: Mutex::new(()) };
        // A kernel that has the one but not the other says so now.
        kernel.take()?;
        Ok(kernel)
    }

    pub(super) fn region(&self) -> &Region {
        &self.region
    }

    pub(super) fn take(&self) -> Result<Vec<Range<usize>>> {
        let _one_at_a_time = self.collecting.lock().unwrap_or_else(PoisonError::into_inner);
        let (start, page) = (self.region.address(), self.region.page_size().bytes());
        let end = start + self.region.len();
        let mut ranges: Vec<Range<usize>> = Vec::new();
        let mut buffer = [PageRegion::default(); AT_ONCE];
        let mut next = start;
        while next < end {
            // Looked at and marked anew in one step, page by page: no write falls in between.
            let (found, walked) = userfault::take_written(&self.pagemap, next..end, &mut buffer)
                .map_err(|errno| {
                    Error::new("PAGEMAP_SCAN", errno, format!("{} pages", self.region.pages()))
                })?;
            for region in &buffer[..found] {
                let pages =
                    (region.start as usize - start) / page..(region.end as usize - start) / page;
                match ranges.last_mut() {
                    Some(last) if last.end == pages.start => last.end = pages.end,
                    _ => ranges.push(pages),
                }
            }
            next = walked;
        }
        Ok(ranges)
    }
}
