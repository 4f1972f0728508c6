//! A reader only reads.

use crate::check::{Check, Stop, Verdict, require};
use crate::stage::Stage;

use super::super::mailbox::{self, Place};

pub(in super::super) const CHECK: Check = Check { id: "only-reads", run };

fn run(stage: &mut Stage) -> Verdict {
    let text = stage.random().bytes(60);
    let place = Place::new(stage);
    let file = place.plant(stage, 8, &text)?;
    let mut driver = stage.start()?;
    place.open_reader(&mut driver).ok()?;
    mailbox::reads(&mut driver, 8, &text)?;
    let map = place.mapping(&driver)?.ok_or_else(|| {
        Stop::failed("a reader has the file mapped", "/proc/PID/maps does not show it")
    })?;
    require(!map.write, "mapped for reading only: r--s in /proc/PID/maps", || "rw-s".into())
        .map_err(|stop| stop.because("writable"))?;
    mailbox::reads(&mut driver, 8, &text).map_err(|stop| stop.because("reader-wrote"))?;
    driver.ask(&["close-reader"]).ok()?;
    let bytes = file.read(0, place.len())?;
    require(bytes == place.bytes(8, &text), "no byte of the file changes", || {
        "bytes have changed while it was read".into()
    })
    .map_err(|stop| stop.because("reader-wrote"))?;

    // One that this user may not write. (To root a mode means nothing.)
    let locked = Place::new(stage);
    stage.make_file(&locked.path, &locked.bytes(4, &text), 0o400)?;
    locked.open_reader(&mut driver).ok().map_err(|stop| stop.because("needs-write"))?;
    mailbox::reads(&mut driver, 4, &text).map_err(|stop| stop.because("needs-write"))
}
