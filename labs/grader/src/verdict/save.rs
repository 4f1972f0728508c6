//! A file that is whole at every moment, whoever is killed when.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use ipc_common::{Error, Result};

/// Writes a file under another name beside it, and renames it: readers find the old one or the new
/// one, and never half of one.
///
/// # Errors
///
/// Those of open(2), write(2) and rename(2). The old file is then still there.
pub fn save_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = Path::new(&name);
    let failed = |call, error| Error::from_io(call, &error, path.display().to_string());
    let written = File::create(beside).and_then(|mut file| file.write_all(bytes));
    written.map_err(|error| failed("write", error))?;
    fs::rename(beside, path).map_err(|error| failed("rename", error))
}
