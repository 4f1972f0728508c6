//! Whoever starts first makes it, and who starts second harms nothing.

use crate::check::{Check, Stop, Verdict, require};
use crate::stage::Stage;

use super::super::mailbox::{self, Place};

pub(in super::super) const CHECK: Check = Check { id: "either-first", run };

fn run(stage: &mut Stage) -> Verdict {
    reader_first(stage)?;
    writer_first(stage)
}

fn reader_first(stage: &mut Stage) -> Verdict {
    let place = Place::new(stage);
    let (mut reader, mut writer) = (stage.start()?, stage.start()?);
    let because = |stop: Stop| stop.because("reader-needs-writer");
    place.open_reader(&mut reader).ok().map_err(because)?;
    let made = place.found(stage).map_err(because)?;
    let length = made.len()?;
    require(
        length == place.len() as u64,
        &format!("the reader made {} bytes", place.len()),
        || format!("{length} bytes"),
    )
    .map_err(because)?;
    let found = mailbox::read(&mut reader)?;
    require(found.is_none(), "no message yet", || mailbox::shown(&found))?;

    place.open_writer(&mut writer).ok()?;
    let text = stage.random().bytes(40);
    let sequence = mailbox::send(&mut writer, &text)?;
    mailbox::reads(&mut reader, sequence, &text)?;
    let same = place.found(stage)?.inode()? == made.inode()?;
    require(same, "the writer uses the file that the reader made", || "another file".into())
        .map_err(|stop| stop.because("second-erased-it"))
}

fn writer_first(stage: &mut Stage) -> Verdict {
    let place = Place::new(stage);
    let (mut writer, mut reader, mut again) = (stage.start()?, stage.start()?, stage.start()?);
    place.open_writer(&mut writer).ok()?;
    let text = stage.random().bytes(40);
    let sequence = mailbox::send(&mut writer, &text)?;
    let made = place.found(stage)?;
    let erased = |who: &str| -> Verdict {
        let found = place.contents(&made)?;
        let kept = found.sequence == sequence && found.text() == Some(&text);
        require(kept, &format!("the message is there when {who} has opened the mailbox"), || {
            format!("sequence {}, length {}", found.sequence, found.length)
        })
        .map_err(|stop| stop.because("second-erased-it"))
    };
    place.open_reader(&mut reader).ok()?;
    erased("a reader")?;
    place.open_writer(&mut again).ok()?;
    erased("a second writer")?;
    mailbox::reads(&mut reader, sequence, &text)
}
