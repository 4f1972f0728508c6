//! Needs a thread.

use std::io;
use std::path::Path;

/// Puts nothing anywhere, in a thread.
pub fn put(_path: &Path, _text: &[u8]) -> io::Result<()> {
    std::thread::Builder::new().spawn(|| ())?.join().map_err(|_| io::Error::other("a panic"))
}
