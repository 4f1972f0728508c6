//! Writing, so that a reader finds the whole file or the one before.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Costs, Id, OWN_COST, Record, RunRecord};

/// The longest name that criterion gives a folder.
const LONGEST: usize = 64;

/// Criterion's folder for a case, below its home.
pub(super) fn folder(home: &Path, id: &Id) -> PathBuf {
    home.join(safe(&id.group)).join(safe(&id.function)).join(safe(&id.value))
}

/// As criterion makes a folder's name of an id. It cuts what is too long and then tells equal ones
/// apart by a number, which we could not guess: so no id of ours is too long.
fn safe(id: &str) -> String {
    assert!(id.len() <= LONGEST, "`{id}` is longer than {LONGEST} bytes");
    id.replace(['?', '"', '/', '\\', '*', '<', '>', ':', '|', '^'], "_")
}

/// Writes `case.json` beside what criterion has written about the case.
///
/// # Errors
///
/// Those of open(2), write(2), rename(2).
pub fn write_case(home: &Path, record: &Record) -> io::Result<PathBuf> {
    let folder = folder(home, &record.id).join("new");
    fs::create_dir_all(&folder)?;
    write(&folder.join("case.json"), record)
}

/// Writes `BENCH.run.json`.
///
/// # Errors
///
/// Those of open(2), write(2), rename(2).
pub fn write_run(home: &Path, record: &RunRecord) -> io::Result<PathBuf> {
    fs::create_dir_all(home)?;
    write(&home.join(format!("{}.run.json", record.run.bench)), record)
}

/// Writes `own_cost.json`.
///
/// # Errors
///
/// Those of open(2), write(2), rename(2).
pub fn write_costs(home: &Path, costs: &Costs) -> io::Result<PathBuf> {
    fs::create_dir_all(home)?;
    write(&home.join(format!("{OWN_COST}.json")), costs)
}

fn write(path: &Path, what: &impl Serialize) -> io::Result<PathBuf> {
    let unfinished = path.with_extension(format!("{}.unfinished", std::process::id()));
    let written = File::create(&unfinished).and_then(|mut file| {
        file.write_all(&serde_json::to_vec_pretty(what)?)?;
        fs::rename(&unfinished, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    written.map(|()| path.to_owned())
}
