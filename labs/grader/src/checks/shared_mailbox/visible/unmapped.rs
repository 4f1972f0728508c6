//! What is dropped is unmapped and closed.

use crate::check::{Check, Stop, Verdict, require};
use crate::stage::Stage;

use super::super::mailbox::{self, Place};

pub(in super::super) const CHECK: Check = Check { id: "unmapped", run };

fn run(stage: &mut Stage) -> Verdict {
    let place = Place::new(stage);
    let file = place.plant(stage, 0, b"")?;
    let (mut writer, mut reader) = (stage.start()?, stage.start()?);
    place.open_writer(&mut writer).ok()?;
    place.open_reader(&mut reader).ok()?;
    let text = stage.random().bytes(20);
    mailbox::send(&mut writer, &text)?;
    require(place.contents(&file)?.text() == Some(&text), "the message in the file", || {
        "it is not there".into()
    })?;
    let inode = file.inode()?;
    for (driver, request) in [(&mut writer, "close-writer"), (&mut reader, "close-reader")] {
        if place.mapping(driver)?.is_none() {
            return Err(Stop::failed(
                "an open mailbox is mapped",
                "/proc/PID/maps does not show it",
            ));
        }
        driver.ask(&[request]).ok()?;
        require(place.mapping(driver)?.is_none(), "the mapping has gone with the drop", || {
            "/proc/PID/maps still shows the file".into()
        })
        .map_err(|stop| stop.because("still-mapped"))?;
        require(
            !driver.open_files()?.contains(&inode),
            "the file was closed with the drop",
            || "/proc/PID/fd still shows it".into(),
        )
        .map_err(|stop| stop.because("still-open"))?;
    }
    Ok(())
}
