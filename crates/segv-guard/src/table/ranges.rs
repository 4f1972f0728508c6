//! Address ranges, sorted: what a table holds.

use ipc_common::{Errno, Error, PageSize, Result};

/// `start..end`, and what belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot<E> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) entry: E,
}

/// Slots in the order of their addresses; no two overlap. It never changes: a change makes
/// another.
#[derive(Debug)]
pub(super) struct Ranges<E>(Box<[Slot<E>]>);

impl<E: Copy> Ranges<E> {
    pub(super) fn none() -> Ranges<E> {
        Ranges(Box::new([]))
    }

    /// What belongs to the range that `address` lies in: a binary search.
    ///
    /// Async-signal-safe: it allocates nothing, and there is no index that could be wrong.
    pub(super) fn find(&self, address: usize) -> Option<E> {
        let after = self.0.partition_point(|slot| slot.start <= address);
        let slot = self.0.get(after.checked_sub(1)?)?;
        (address < slot.end).then_some(slot.entry)
    }

    /// A range that has an address in `start..end`.
    pub(super) fn overlapping(&self, start: usize, end: usize) -> Option<(usize, usize)> {
        let before_end = self.0.partition_point(|slot| slot.start < end);
        // No two overlap, so of those that begin before the end, the last one also ends last.
        let last = self.0.get(before_end.checked_sub(1)?)?;
        (start < last.end).then_some((last.start, last.end))
    }

    /// These and one more, which overlaps none.
    pub(super) fn with(&self, slot: Slot<E>) -> Ranges<E> {
        let at = self.0.partition_point(|other| other.start < slot.start);
        let (before, after) = self.0.split_at(at);
        Ranges([before, &[slot], after].concat().into_boxed_slice())
    }

    /// These without the one that begins at `start`.
    pub(super) fn without(&self, start: usize) -> Ranges<E> {
        Ranges(self.0.iter().filter(|slot| slot.start != start).copied().collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The end of a range that can be registered: `len` bytes from `start` on.
#[inline]
pub(super) fn checked_end(start: usize, len: usize, page: PageSize) -> Result<usize> {
    match start.checked_add(len) {
        Some(end) if len != 0 && page.is_aligned(start) && page.is_aligned(end) => Ok(end),
        end => Err(no_range(start, len, end, page)),
    }
}

#[cold]
fn no_range(start: usize, len: usize, end: Option<usize>, page: PageSize) -> Error {
    let why = match end {
        _ if len == 0 => "the range is empty, so no fault can be in it".to_owned(),
        None => "the range runs past the end of the address space".to_owned(),
        Some(_) => format!(
            "the kernel protects whole pages, so a range begins and ends at a multiple of {} bytes",
            page.bytes()
        ),
    };
    refused(Errno::EINVAL, start, len, why)
}

/// `other` has an address in `start..end`.
#[cold]
pub(super) fn taken(start: usize, end: usize, other: (usize, usize)) -> Error {
    let why = format!(
        "{:#x}..{:#x} has a handler already, and a fault gets one answer; remove that first, or \
         choose a range that does not overlap",
        other.0, other.1
    );
    refused(Errno::EEXIST, start, end - start, why)
}

#[cold]
fn refused(errno: Errno, start: usize, len: usize, why: String) -> Error {
    Error::refused("Guard::register", errno, format!("{len} bytes at {start:#x}")).with_remedy(why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 64 places, each free or belonging to the range that begins at the number in it.
    type Model = [Option<usize>; 64];

    proptest! {
        #[test]
        fn ranges_behave_as_a_map_of_every_address(
            asks in prop::collection::vec((0..60_usize, 1..8_usize, any::<bool>()), 1..80),
        ) {
            let mut model: Model = [None; 64];
            let mut ranges = Ranges::none();
            for (start, len, add) in asks {
                let end = (start + len).min(64);
                if add {
                    let overlaps = model[start..end].iter().any(Option::is_some);
                    match ranges.overlapping(start, end) {
                        None => {
                            prop_assert!(!overlaps);
                            model[start..end].fill(Some(start));
                            ranges = ranges.with(Slot { start, end, entry: start });
                        }
                        Some(other) => {
                            prop_assert!(overlaps);
                            let owner = model[start..end].iter().flatten().last();
                            prop_assert_eq!(owner, Some(&other.0));
                            prop_assert_eq!(taken(start, end, other).errno(), Errno::EEXIST);
                        }
                    }
                } else {
                    ranges = ranges.without(start);
                    model.iter_mut().filter(|owner| **owner == Some(start)).for_each(|o| *o = None);
                }
                for (address, owner) in model.iter().enumerate() {
                    prop_assert_eq!(ranges.find(address), *owner);
                }
                prop_assert_eq!(ranges.find(usize::MAX), None);
                prop_assert_eq!(ranges.is_empty(), model.iter().all(Option::is_none));
            }
        }
    }

    #[test]
    fn empty_wrapping_and_unaligned_ranges_are_refused() {
        let page = PageSize::new(4096).unwrap();
        assert_eq!(checked_end(8192, 4096, page).unwrap(), 12288);
        let last = usize::MAX - 4095;
        for (start, len, why) in [
            (4096, 0, "empty"),
            (last, 4096, "past the end of the address space"),
            (4096, usize::MAX - 4095, "past the end of the address space"),
            (4097, 4095, "multiple of 4096"),
            (4096, 4095, "multiple of 4096"),
        ] {
            let error = checked_end(start, len, page).unwrap_err();
            assert_eq!(error.errno(), Errno::EINVAL);
            assert!(error.remedy().contains(why), "{error}");
        }
    }
}
