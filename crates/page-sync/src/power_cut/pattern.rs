//! What is in the pages, so that each can be told after the cut: old, new, or torn.

use std::fmt;
use std::hash::{BuildHasher, RandomState};

/// What a disk writes whole. (ext4 writes blocks of 4096 bytes, but what tears, tears here.)
const SECTOR: usize = 512;

/// What was found in a page after the power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// What was there before the stores: they are lost.
    Old,
    /// What was stored: it survived.
    New,
    /// Some of both: this many sectors of 512 bytes of the page are new.
    Torn {
        /// Sectors that survived.
        new: usize,
    },
    /// Bytes that nobody wrote there. This is no power cut, but a broken experiment.
    Foreign,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outcome::Old => "old",
            Outcome::New => "new",
            Outcome::Torn { .. } => "torn",
            Outcome::Foreign => "foreign",
        })
    }
}

impl Outcome {
    /// As one word, for another process.
    pub(super) fn to_word(self) -> String {
        match self {
            Outcome::Torn { new } => new.to_string(),
            other => other.to_string(),
        }
    }

    pub(super) fn of_word(word: &str) -> Option<Outcome> {
        Some(match word {
            "old" => Outcome::Old,
            "new" => Outcome::New,
            "foreign" => Outcome::Foreign,
            number => Outcome::Torn { new: number.parse().ok()? },
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    Old,
    New,
}

/// The contents of one trial's pages. No two trials have the same, so that none finds what another
/// left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pattern {
    seed: u64,
    page_bytes: usize,
}

impl Pattern {
    pub fn fresh(page_bytes: usize) -> Pattern {
        // std's hash maps are seeded by the kernel's random numbers.
        Pattern { seed: RandomState::new().hash_one(0), page_bytes }
    }

    /// One page's bytes. Each word knows its page, its place and its age.
    pub fn page(self, page: usize, age: Age) -> Vec<u8> {
        let words = self.page_bytes / 8;
        let start = (page * words) as u64 * 2 + u64::from(age == Age::New) * words as u64;
        (0..words as u64).flat_map(|word| mixed(self.seed ^ (start + word)).to_le_bytes()).collect()
    }

    /// What a page turned out to hold.
    pub fn judge(self, page: usize, found: &[u8]) -> Outcome {
        let (old, new) = (self.page(page, Age::Old), self.page(page, Age::New));
        if found.len() != old.len() {
            return Outcome::Foreign;
        }
        let (mut olds, mut news) = (0, 0);
        let sectors = old.chunks(SECTOR).zip(new.chunks(SECTOR)).zip(found.chunks(SECTOR));
        for ((old, new), found) in sectors {
            olds += usize::from(found == old);
            news += usize::from(found == new);
        }
        match (olds, news) {
            (_, 0) if found == old => Outcome::Old,
            (0, _) if found == new => Outcome::New,
            (olds, new) if (olds + new) * SECTOR == self.page_bytes => Outcome::Torn { new },
            _ => Outcome::Foreign,
        }
    }
}

/// Steele, Lea and Flood's SplitMix64: neighbouring numbers become strangers.
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE_SIZES: [usize; 3] = [4096, 16384, 65536];

    #[test]
    fn each_page_is_known_again_and_taken_for_no_other() {
        for page_bytes in PAGE_SIZES {
            let pattern = Pattern::fresh(page_bytes);
            for page in 0..8 {
                let (old, new) = (pattern.page(page, Age::Old), pattern.page(page, Age::New));
                assert_eq!(pattern.judge(page, &old), Outcome::Old);
                assert_eq!(pattern.judge(page, &new), Outcome::New);
                assert_eq!(pattern.judge(page + 1, &new), Outcome::Foreign);
                assert_eq!(Pattern::fresh(page_bytes).judge(page, &new), Outcome::Foreign);
            }
        }
    }

    #[test]
    fn a_page_of_both_is_torn() {
        for page_bytes in PAGE_SIZES {
            let pattern = Pattern::fresh(page_bytes);
            let mut page = pattern.page(2, Age::Old);
            page[512..1024].copy_from_slice(&pattern.page(2, Age::New)[512..1024]);
            assert_eq!(pattern.judge(2, &page), Outcome::Torn { new: 1 });
        }
    }

    #[test]
    fn what_nobody_wrote_is_foreign() {
        let pattern = Pattern::fresh(4096);
        let mut page = pattern.page(2, Age::New);
        page[4095] ^= 1;
        assert_eq!(pattern.judge(2, &page), Outcome::Foreign);
        assert_eq!(pattern.judge(2, &[0; 4096]), Outcome::Foreign);
        assert_eq!(pattern.judge(2, &[]), Outcome::Foreign);
    }
}
