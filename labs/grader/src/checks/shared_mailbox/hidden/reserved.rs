//! The space on the disk is reserved when the mailbox is made.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::check::{Check, Stop, Verdict, require};
use crate::stage::Stage;

use super::super::mailbox::{self, Place};

pub(in super::super) const CHECK: Check = Check { id: "reserved", run };

fn run(stage: &mut Stage) -> Verdict {
    let capacity = stage.random().between(100_000, 200_000);
    let place = Place::of(stage, capacity);
    // What this file system says of a file whose bytes were all written. (Some write nothing until
    // later, some keep no count of blocks: then there is nothing to go by.)
    let twin = stage.fresh_path();
    stage.make_file(&twin, &vec![0; place.len()], 0o600)?;
    let expected = blocks(&twin)?.unwrap_or(0);

    let mut driver = stage.start()?;
    place.open_writer(&mut driver).ok()?;
    let found = blocks(&place.path)?
        .ok_or_else(|| Stop::failed("a file with the mailbox's name", "there is none"))?;
    if expected >= place.len() as u64 {
        require(
            found >= place.len() as u64,
            &format!("{} bytes have their blocks", place.len()),
            || format!("st_blocks stands for {found} bytes"),
        )
        .map_err(|stop| stop.because("sparse"))?;
    }
    let text = stage.random().bytes(90);
    mailbox::send(&mut driver, &text)?;
    let file = place.found(stage)?;
    require(place.contents(&file)?.text() == Some(&text), "the message in the file", || {
        "it is not there".into()
    })
}

/// For how many bytes there are blocks; `None` if there is no file.
fn blocks(path: &Path) -> Result<Option<u64>, Stop> {
    match fs::symlink_metadata(path) {
        // stat(2): in units of 512 bytes, whatever the block size.
        Ok(found) => Ok(Some(found.blocks() * 512)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Stop::grader(error.to_string())),
    }
}
