//! Files out of a stranger's zip. Nothing is unpacked: the files that the rubric names are read from
//! it, each up to its limit, and the rest is not touched. So it does not matter how large the rest
//! would become, where its names lead to, or what its links point to.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use super::root::{self, Root};
use crate::build::{LARGEST, Refused};
use crate::rubric::Rubric;

/// The largest zip that is opened: its table of contents is read into memory.
const LARGEST_ZIP: u64 = 32 << 20;

/// The file type in a Unix mode, and what it says.
const TYPE: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;

/// Takes the rubric's files.
pub(super) fn take(path: &Path, rubric: &Rubric) -> Result<Vec<(String, String)>, Refused> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let refused = |error: ZipError| match error {
        // One that ends too early is no failure of the disk's.
        ZipError::Io(error) if error.raw_os_error().is_some() => Refused::by_error(&name, &error),
        error => Refused::of(&name, format!("it cannot be read as a zip: {error}")),
    };
    let file = open(path).map_err(|error| Refused::by_error(&name, &error))?;
    let found = file.metadata().map_err(|error| Refused::by_error(&name, &error))?;
    if !found.is_file() {
        return Err(Refused::of(&name, "it is no regular file"));
    }
    if found.len() > LARGEST_ZIP {
        let why = format!(
            "it has {} bytes; {LARGEST_ZIP} at most are opened: hand in the sources, not `target`",
            found.len()
        );
        return Err(Refused::of(&name, why));
    }
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(refused)?;
    let contents = contents(&archive);
    let mut tops: Vec<String> = contents
        .keys()
        .filter_map(|file| file.split_once('/').map(|(top, _)| top.to_owned()))
        .collect();
    tops.dedup();
    let first = rubric.files.first().map_or("", String::as_str);
    let root = root::find(first, &rubric.id, &tops, &|file| contents.contains_key(file));
    let mut taken = Vec::new();
    for file in &rubric.files {
        let inside = match &root {
            Some(Root::Below(folder)) => format!("{folder}{file}"),
            Some(Root::File(one)) if file == first => one.clone(),
            _ => file.clone(),
        };
        let Some(&place) = contents.get(&inside) else {
            return Err(Refused::of(file, "it is missing in the zip"));
        };
        taken.push((file.clone(), text(&mut archive, place, file, &refused)?));
    }
    Ok(taken)
}

fn open(path: &Path) -> io::Result<File> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

/// The names in it, as paths with slashes, and where they are. Of two alike the last one counts, as
/// it does for whoever unpacks it.
fn contents(archive: &ZipArchive<BufReader<File>>) -> BTreeMap<String, usize> {
    let tidy = |name: &str| {
        let name = name.replace('\\', "/");
        name.strip_prefix("./").map_or_else(|| name.clone(), str::to_owned)
    };
    (0..archive.len())
        .filter_map(|place| Some((tidy(&archive.name_for_index(place)?.ok()?), place)))
        .collect()
}

fn text(
    archive: &mut ZipArchive<BufReader<File>>,
    place: usize,
    file: &str,
    refused: &dyn Fn(ZipError) -> Refused,
) -> Result<String, Refused> {
    let entry = archive.by_index(place).map_err(refused)?;
    // Zips made elsewhere have no type: 0.
    let kind = entry.unix_mode().unwrap_or_default() & TYPE;
    if entry.is_dir() || (kind != 0 && kind != REGULAR) {
        return Err(Refused::of(file, "it is no regular file, but a link, perhaps"));
    }
    let mut bytes = Vec::new();
    // Not by the size that the zip claims: by what comes out.
    let read = entry.take(LARGEST + 1).read_to_end(&mut bytes);
    let read = read.map_err(|error| refused(ZipError::Io(error)))?;
    if read as u64 > LARGEST {
        return Err(Refused::of(file, format!("it is larger than {LARGEST} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        Refused::of(file, format!("it is no UTF-8: byte {place} is wrong"))
    })
}
