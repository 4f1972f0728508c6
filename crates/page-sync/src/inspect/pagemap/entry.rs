//! One entry: 64 bits, some of which mean something only if others are clear.

/// What a process's page table says about one page. The frame's number is left out, so that equal
/// entries are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    bits: u64,
}

/// What a page is, to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// No entry: the next touch faults.
    Absent,
    /// Mapped: a touch goes right through, unless the protection forbids it.
    Present,
    /// A guard (`MADV_GUARD_INSTALL`, Linux 6.13): a touch is SIGSEGV.
    Guard,
    /// Not mapped, and marked so that writing it will be noticed (userfaultfd(2)).
    Marked,
    /// A page of a file that is not mapped just now and will be again: it is being moved to another
    /// place in memory (compaction, NUMA). Or its memory has failed, and a touch is SIGBUS. The
    /// kernel says the same of both.
    Moving,
    /// A private page that is in the swap area, or just being moved. On Linux 6.13 and 6.14, which
    /// had guards before they had a bit for them here, perhaps a guard.
    Swapped,
}

const PRESENT: u64 = 1 << 63;
const SWAPPED: u64 = 1 << 62;
const FILE: u64 = 1 << 61;
const GUARD: u64 = 1 << 58;
const WRITE_PROTECTED: u64 = 1 << 57;
const EXCLUSIVE: u64 = 1 << 56;

impl Entry {
    /// From the kernel's 64 bits.
    pub fn decode(bits: u64) -> Entry {
        // Without bit 55, soft-dirty: no kernel says whether it keeps it.
        Entry { bits: bits & (PRESENT | SWAPPED | FILE | GUARD | WRITE_PROTECTED | EXCLUSIVE) }
    }

    /// What the page is. Guards and marks come first: both set the swap bit as well.
    pub fn state(self) -> State {
        match self.bits {
            bits if bits & PRESENT != 0 => State::Present,
            bits if bits & GUARD != 0 => State::Guard,
            bits if bits & WRITE_PROTECTED != 0 => State::Marked,
            // A file's page goes back to its file, never to the swap area: this says "an entry of
            // the kind that swap has, for a page of a file".
            bits if bits & SWAPPED != 0 && bits & FILE != 0 => State::Moving,
            bits if bits & SWAPPED != 0 => State::Swapped,
            _ => State::Absent,
        }
    }

    /// Whether it is mapped (bit 63).
    pub fn is_present(self) -> bool {
        self.state() == State::Present
    }

    /// Whether no other page table has the same page (bit 56). After a fork it is not so, and when
    /// one of the two has written a private page, it is so again for both.
    pub fn exclusive(self) -> bool {
        self.is_present() && self.bits & EXCLUSIVE != 0
    }

    /// Whether it is a page of a file, or of memory that is shared without a file (bit 61). A
    /// private copy of a file's page is not.
    pub fn is_file_page(self) -> bool {
        self.is_present() && self.bits & FILE != 0
    }

    /// Whether writing it will be noticed by a userfaultfd(2) (bit 57). Not whether the protection
    /// allows writing: that is in /proc/PID/maps.
    pub fn write_protected(self) -> bool {
        self.bits & WRITE_PROTECTED != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_guard_and_a_mark_are_not_taken_for_swap() {
        assert_eq!(Entry::decode(SWAPPED).state(), State::Swapped);
        assert_eq!(Entry::decode(SWAPPED | GUARD).state(), State::Guard);
        assert_eq!(Entry::decode(SWAPPED | WRITE_PROTECTED).state(), State::Marked);
        assert_eq!(Entry::decode(0).state(), State::Absent);
    }

    #[test]
    fn a_files_page_that_is_being_moved_is_not_taken_for_a_copy_in_the_swap_area() {
        assert_eq!(Entry::decode(SWAPPED | FILE).state(), State::Moving);
        assert!(!Entry::decode(SWAPPED | FILE).is_present());
        assert!(!Entry::decode(SWAPPED | FILE).is_file_page(), "just now it is not mapped");
    }

    proptest! {
        #[test]
        fn frame_number_and_soft_dirty_never_matter(bits: u64, frame in 0..1u64 << 55) {
            const SOFT_DIRTY: u64 = 1 << 55;
            let entry = Entry::decode(bits);
            prop_assert_eq!(entry, Entry::decode(bits ^ frame));
            prop_assert_eq!(entry, Entry::decode(bits ^ SOFT_DIRTY));
            prop_assert_eq!(entry.is_present(), bits & PRESENT != 0);
            prop_assert!(entry.is_present() || !(entry.exclusive() || entry.is_file_page()));
        }
    }
}
