//! The flags of msync(2), as a type: what contradicts itself cannot be said.

use std::fmt;

use nix::sys::mman::MsFlags;

/// How to sync: MS_SYNC or MS_ASYNC, never both (which msync(2) refuses with `EINVAL`) and never
/// neither (which POSIX forbids, and Linux takes for MS_ASYNC); each with MS_INVALIDATE if wanted.
///
/// ```
/// use page_sync::sync::Msync;
/// assert_eq!(Msync::SYNC.to_string(), "MS_SYNC");
/// assert_eq!(Msync::ASYNC.invalidate().to_string(), "MS_ASYNC | MS_INVALIDATE");
/// assert!(Msync::SYNC.waits() && !Msync::ASYNC.waits());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "it says how to sync; nothing is synced by it"]
pub struct Msync {
    waits: bool,
    invalidates: bool,
}

impl Msync {
    /// Write the pages to the device now, and wait until it has them for good.
    pub const SYNC: Msync = Msync { waits: true, invalidates: false };
    /// Say that the pages may be written soon. Linux has done nothing at this call since 2.6.19.
    pub const ASYNC: Msync = Msync { waits: false, invalidates: false };

    /// Ask for other mappings of the file to show what was written. On Linux they do so anyway, and
    /// all that this adds is `EBUSY` for pages that are locked in memory.
    pub const fn invalidate(self) -> Msync {
        Msync { invalidates: true, ..self }
    }

    /// Whether the call returns only when the device has the pages.
    pub const fn waits(self) -> bool {
        self.waits
    }

    /// Whether MS_INVALIDATE is among the flags.
    pub const fn invalidates(self) -> bool {
        self.invalidates
    }

    pub(crate) fn flags(self) -> MsFlags {
        let when = if self.waits { MsFlags::MS_SYNC } else { MsFlags::MS_ASYNC };
        if self.invalidates { when | MsFlags::MS_INVALIDATE } else { when }
    }
}

/// As in C: `MS_SYNC | MS_INVALIDATE`.
impl fmt::Display for Msync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.waits { "MS_SYNC" } else { "MS_ASYNC" })?;
        f.write_str(if self.invalidates { " | MS_INVALIDATE" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_one_that_the_kernel_accepts() {
        for how in [Msync::SYNC, Msync::ASYNC, Msync::SYNC.invalidate(), Msync::ASYNC.invalidate()]
        {
            let flags = how.flags();
            let both = [MsFlags::MS_SYNC, MsFlags::MS_ASYNC].map(|flag| flags.contains(flag));
            assert_eq!(both, [how.waits(), !how.waits()], "exactly one of the two");
            assert_eq!(flags.contains(MsFlags::MS_INVALIDATE), how.invalidates());
            let named = MsFlags::all().iter_names().filter(|(_, flag)| flags.contains(*flag));
            assert_eq!(named.count(), how.to_string().split(" | ").count());
        }
    }
}
