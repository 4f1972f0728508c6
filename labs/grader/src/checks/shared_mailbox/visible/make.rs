//! A mailbox that is made is the one in the drawing.

use crate::check::{Check, Stop, Verdict, require};
use crate::evidence::file;
use crate::stage::Stage;

use super::super::mailbox::{HEADER, Place};

pub(in super::super) const CHECK: Check = Check { id: "make", run };

fn run(stage: &mut Stage) -> Verdict {
    // The umask must not decide: one that takes nothing, and one that takes all but the owner's.
    for umask in [0, 0o077] {
        let place = Place::new(stage);
        let mut driver = stage.start()?;
        driver.ask(&["umask", &umask.to_string()]).ok()?;
        place.open_writer(&mut driver).ok()?;
        let found = stage
            .file_stat(&place.path)?
            .ok_or_else(|| Stop::failed("a file with the mailbox's name", "there is none"))?;
        require(found.len == place.len() as u64, &format!("{} bytes", place.len()), || {
            format!("the file has {}", found.len)
        })
        .map_err(|stop| stop.because("length"))?;
        require(found.mode == 0o600, &format!("mode 600 under umask {umask:03o}"), || {
            format!("mode {:03o}", found.mode)
        })
        .map_err(|stop| stop.because("mode"))?;
        let bytes = place.found(stage)?.read(0, HEADER)?;
        require(bytes == place.bytes(0, b"")[..HEADER], "magic, capacity, and zeros", || {
            format!("the header is {:02x?}", &bytes[..bytes.len().min(20)])
        })
        .map_err(|stop| stop.because("header"))?;
        let left = file::below(stage.folder())?;
        let others: Vec<String> = left
            .iter()
            .filter(|path| **path != place.path)
            .map(|path| path.file_name().unwrap_or_default().to_string_lossy().into_owned())
            .collect();
        require(others.is_empty(), "nothing but the mailbox in its folder", || others.join(", "))?;
        driver.finish_cleanly()?;
        let removed = std::fs::remove_file(&place.path);
        removed.map_err(|error| Stop::failed("the file stays", error.to_string()))?;
    }
    Ok(())
}
