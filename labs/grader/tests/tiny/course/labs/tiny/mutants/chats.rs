//! Fails: puts
//! Prints its own results first.

use std::fs;
use std::io;
use std::path::Path;

/// Puts the text there, and talks about it.
pub fn put(path: &Path, text: &[u8]) -> io::Result<()> {
    println!("ok");
    fs::write(path, text)
}
