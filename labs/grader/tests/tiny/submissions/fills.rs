//! Fills the disk on which it runs.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// Puts as much there as there is room for.
pub fn put(_path: &Path, _text: &[u8]) -> io::Result<()> {
    let mut file = File::create("full")?;
    // The limit of a file's size comes first, perhaps.
    let mut more = File::create("fuller")?;
    for block in [1 << 20, 1] {
        let block = vec![1; block];
        while file.metadata()?.len() < 60 << 20 && file.write_all(&block).is_ok() {}
        while more.metadata()?.len() < 60 << 20 && more.write_all(&block).is_ok() {}
    }
    Ok(())
}
