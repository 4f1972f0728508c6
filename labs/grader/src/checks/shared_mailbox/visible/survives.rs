//! The message is there when everyone has gone and come again.

use crate::check::{Check, Stop, Verdict, require};
use crate::evidence::file::Opened;
use crate::stage::Stage;

use super::super::mailbox::{self, Place};

pub(in super::super) const CHECK: Check = Check { id: "survives", run };

fn run(stage: &mut Stage) -> Verdict {
    let place = Place::new(stage);
    let file = place.plant(stage, 0, b"")?;
    let text = stage.random().bytes(50);
    let (mut writer, mut reader) = (stage.start()?, stage.start()?);
    place.open_writer(&mut writer).ok()?;
    place.open_reader(&mut reader).ok()?;
    let sequence = mailbox::send(&mut writer, &text)?;
    writer.finish_cleanly()?;
    reader.finish_cleanly()?;

    kept(stage, "when everyone has gone", &place, &file, &text)?;
    let (mut writer, mut reader) = (stage.start()?, stage.start()?);
    place.open_writer(&mut writer).ok()?;
    kept(stage, "when a writer has come again", &place, &file, &text)?;
    place.open_reader(&mut reader).ok()?;
    kept(stage, "when a reader has come again", &place, &file, &text)?;
    mailbox::reads(&mut reader, sequence, &text)?;
    // And it goes on from there.
    let next = stage.random().bytes(30);
    let after = mailbox::send(&mut writer, &next)?;
    require(after == sequence + 2, &format!("sequence {}", sequence + 2), || format!("{after}"))?;
    mailbox::reads(&mut reader, after, &next)
}

/// The same file, and the same message in it.
fn kept(stage: &Stage, when: &str, place: &Place, file: &Opened, text: &[u8]) -> Verdict {
    let now = stage.file_stat(&place.path)?;
    let inode = file.inode()?;
    require(now.is_some_and(|now| now.inode == inode), &format!("the same file {when}"), || {
        match now {
            Some(_) => "another file has its name".into(),
            None => "the file is gone".into(),
        }
    })
    .map_err(|stop| stop.because("removed"))?;
    let found = place.contents(file).map_err(|stop: Stop| stop.because("emptied"))?;
    require(
        found.sequence == 2 && found.text() == Some(text),
        &format!("the message {when}"),
        || format!("sequence {}, length {}", found.sequence, found.length),
    )
    .map_err(|stop| stop.because("emptied"))
}
