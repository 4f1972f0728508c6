//! Random keys, sizes and payloads from a recorded seed: a constant in a submission is useless, and
//! yet a run can be done again with the very same numbers, by a grader of another Rust release, too.

use std::fmt;
use std::hash::Hasher;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where a run's random numbers come from. Recorded with the results, never shown to a program
/// under test: it would know what comes next.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Seed(u128);

impl Seed {
    /// A fresh one, of the kernel's.
    ///
    /// # Errors
    ///
    /// Those of getrandom(2).
    pub fn fresh() -> ipc_common::Result<Seed> {
        use std::io::Read;
        let mut bytes = [0; 16];
        std::fs::File::open("/dev/urandom")
            .and_then(|mut urandom| urandom.read_exact(&mut bytes))
            .map_err(|error| ipc_common::Error::from_io("open", &error, "/dev/urandom"))?;
        Ok(Seed(u128::from_le_bytes(bytes)))
    }

    /// One that another row of numbers gives: for a row below it.
    pub fn of(random: &mut Random) -> Seed {
        Seed(u128::from(random.u64()) << 64 | u128::from(random.u64()))
    }
}

impl TryFrom<String> for Seed {
    type Error = String;

    fn try_from(text: String) -> Result<Seed, String> {
        text.parse()
    }
}

impl From<Seed> for String {
    fn from(seed: Seed) -> String {
        seed.to_string()
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seed({self})")
    }
}

impl FromStr for Seed {
    type Err = String;

    fn from_str(text: &str) -> Result<Seed, String> {
        u128::from_str_radix(text, 16)
            .map(Seed)
            .map_err(|_| format!("{text:?} is no seed: 32 hexadecimal digits"))
    }
}

/// The random numbers of one check. Each is a hash of its place in the row, keyed with the seed
/// (SipHash-2-4), so who sees some of them learns nothing about the others.
#[derive(Clone, Debug)]
pub struct Random {
    seed: Seed,
    purpose: String,
    drawn: u64,
}

impl Random {
    /// The numbers for `purpose` (a check's id) of a run.
    pub fn new(seed: Seed, purpose: &str) -> Random {
        Random { seed, purpose: purpose.to_owned(), drawn: 0 }
    }

    /// Any number.
    pub fn u64(&mut self) -> u64 {
        self.drawn += 1;
        let [key, other_key] = [self.seed.0 as u64, (self.seed.0 >> 64) as u64];
        #[expect(deprecated, reason = "its successor may be another function in another release")]
        let mut hasher = std::hash::SipHasher::new_with_keys(key, other_key);
        // The one of fixed length first, so that no two purposes can meet; bytes, not numbers, whose
        // order would be the machine's.
        hasher.write(&self.drawn.to_le_bytes());
        hasher.write(self.purpose.as_bytes());
        hasher.finish()
    }

    /// A number below `end`; 0 if `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        // 128 bits: the bias of so large a range is of no importance.
        ((u128::from(self.u64()) * end as u128) >> 64) as usize
    }

    /// A number of `from..=to`.
    pub fn between(&mut self, from: usize, to: usize) -> usize {
        from + self.below(to.saturating_sub(from) + 1)
    }

    /// Bytes, zeros among them.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.u64() as u8).collect()
    }

    /// A text of `len` letters and digits.
    pub fn text(&mut self, len: usize) -> String {
        const SIGNS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        (0..len).map(|_| char::from(SIGNS[self.below(SIGNS.len())])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers_and_another_check_others() {
        let seed: Seed = "00112233445566778899aabbccddeeff".parse().unwrap();
        assert_eq!(seed.to_string(), "00112233445566778899aabbccddeeff");
        let mut first = Random::new(seed, "a");
        let mut again = Random::new(seed, "a");
        let mut other = Random::new(seed, "b");
        let numbers: Vec<u64> = (0..50).map(|_| first.u64()).collect();
        assert_eq!(numbers, (0..50).map(|_| again.u64()).collect::<Vec<_>>());
        assert_ne!(numbers, (0..50).map(|_| other.u64()).collect::<Vec<_>>());
    }

    /// A report's seed has to do its run again years later. (The first vector is that of SipHash's
    /// authors: the hash of 0, 1, 2 … 14 under the key 0, 1 … 15.)
    #[test]
    fn the_numbers_of_a_seed_never_change() {
        let seed: Seed = "0f0e0d0c0b0a09080706050403020100".parse().unwrap();
        let purpose: String = (8..15_u8).map(char::from).collect();
        let drawn = 0x0706_0504_0302_0100 - 1;
        assert_eq!(Random { seed, purpose, drawn }.u64(), 0xa129_ca61_49be_45e5);
        let mut random = Random::new(seed, "post");
        assert_eq!(random.text(12), "qwavgGlXU170");
    }

    #[test]
    fn ranges_hold_their_ends_and_reach_them() {
        let mut random = Random::new(Seed(7), "");
        let drawn: Vec<usize> = (0..1000).map(|_| random.between(3, 6)).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&3), Some(&6)));
        assert_eq!(random.below(0), 0);
        assert_eq!(random.text(9).len(), 9);
    }
}
