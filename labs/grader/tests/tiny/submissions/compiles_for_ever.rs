//! Keeps the compiler busy.

use std::io;
use std::path::Path;

const FOREVER: u64 = {
    let mut n = 0_u64;
    #[allow(long_running_const_eval)]
    while n < u64::MAX {
        n = n.wrapping_add(2);
    }
    n
};

/// Needs a number that is never known.
pub fn put(_path: &Path, _text: &[u8]) -> io::Result<()> {
    Err(io::Error::other(FOREVER.to_string()))
}
