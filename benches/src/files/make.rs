//! A file with something in it, written in small or in large pieces.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use ipc_common::{Error, Result};
use serde::{Deserialize, Serialize};

use super::Place;
use crate::sum;

/// How a file is written. It matters more than how it is read: file systems that know large folios
/// keep what one write(2) brought in one piece of memory, and a fault or a read then handles much of
/// it at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pieces {
    /// 4 KiB a write: as a program writes that has little at a time.
    Small,
    /// 1 MiB a write: as `cp` does.
    Large,
}

impl Pieces {
    /// Bytes in a write.
    pub fn bytes(self) -> usize {
        match self {
            Pieces::Small => 4 << 10,
            Pieces::Large => 1 << 20,
        }
    }

    /// `small pieces`, `large pieces`.
    pub fn name(self) -> &'static str {
        match self {
            Pieces::Small => "small pieces",
            Pieces::Large => "large pieces",
        }
    }
}

/// A file to be made when somebody first needs it: a case that is filtered out needs none.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Its length.
    pub bytes: u64,
    /// How it is written.
    pub pieces: Pieces,
}

impl Plan {
    /// Makes the file, and waits until it is on the disk: a page that is still to be written would
    /// disturb whatever is measured next. Returns the sum of its bytes, too.
    ///
    /// # Errors
    ///
    /// Those of open(2), write(2) and fsync(2): `ENOSPC` if others were faster.
    pub fn make(self, place: &Place) -> Result<(File, u64)> {
        let about = || format!("a file of {} bytes in {}", self.bytes, place.folder().display());
        let mut file = place.unnamed()?;
        let noise = noise(1 << 20);
        let (mut written, mut total) = (0, 0);
        while written < self.bytes {
            let left = usize::try_from(self.bytes - written).unwrap_or(usize::MAX);
            // Each megabyte begins elsewhere in the noise: no file system can find two blocks alike.
            let from = (written as usize / self.pieces.bytes() * 64) % (noise.len() / 2);
            let len = self.pieces.bytes().min(left).min(noise.len());
            let piece = (from + len <= noise.len()).then(|| &noise[from..from + len]);
            let piece = piece.unwrap_or(&noise[..len]);
            file.write_all(piece).map_err(|error| Error::from_io("write", &error, about()))?;
            total += sum::of(piece);
            written += len as u64;
        }
        file.sync_all().map_err(|error| Error::from_io("fsync", &error, about()))?;
        Ok((file, total))
    }
}

/// Bytes that no file system can compress.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_ne_bytes()
    };
    (0..len.div_ceil(8)).flat_map(|_| next()).take(len).collect()
}

/// The same file, opened once more, without its name: with a position and a readahead state of its
/// own, so that no contender finds the window that another has opened.
///
/// # Errors
///
/// Those of open(2); `ENOENT` if /proc is not mounted.
pub fn reopen(file: &File, write: bool) -> Result<File> {
    let fd: BorrowedFd<'_> = file.as_fd();
    let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    File::options()
        .read(true)
        .write(write)
        .open(&path)
        .map_err(|error| Error::from_io("open", &error, path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn the_sum_that_is_told_is_that_of_what_is_read() {
        let folder = testkit::folder();
        let place = Place::at(folder.path()).unwrap();
        for pieces in [Pieces::Small, Pieces::Large] {
            for bytes in [1, 4096, 10_000, (3 << 20) + 5] {
                let (file, total) = Plan { bytes, pieces }.make(&place).unwrap();
                let mut all = Vec::new();
                reopen(&file, false).unwrap().read_to_end(&mut all).unwrap();
                assert_eq!(all.len() as u64, bytes);
                assert_eq!(sum::of(&all), total, "{pieces:?}, {bytes} bytes");
            }
        }
    }
}
