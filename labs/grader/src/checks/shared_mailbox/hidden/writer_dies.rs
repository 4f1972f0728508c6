//! A writer that is killed blocks nobody, and its half message is never read.

use crate::check::{Check, Stop, Verdict, require};
use crate::driver::{Reply, hex};
use crate::stage::Stage;

use super::super::super::hidden::holding::{self, Touch};
use super::super::mailbox::{self, Place};
use super::long::{self, Long};

pub(in super::super) const CHECK: Check = Check { id: "writer-dies", run };

fn run(stage: &mut Stage) -> Verdict {
    let (old, new) = (Long::new(stage), Long::new(stage));
    let place = Place::of(stage, Long::capacity());
    let file = place.plant(stage, 0, b"")?;
    let (mut writer, mut next, mut reader) = (stage.start()?, stage.start()?, stage.start()?);
    place.open_writer(&mut writer).ok()?;
    // Opened before the other dies: they may keep something that is out of date then.
    place.open_writer(&mut next).ok()?;
    place.open_reader(&mut reader).ok()?;
    file.write(0, &place.bytes(2, &old.text))?;
    long::hold(&mut writer, &place, long::in_the_middle(), Touch::Store)?;
    let asked = new.send(&mut writer);
    // What it was asked is never answered.
    let _ = holding::stopped(&mut writer, asked)?;
    writer.kill_9()?;
    let left = place.contents(&file)?;

    let answer = reader.ask(&["read"]);
    match &answer.reply {
        Reply::Err(errno, _) if errno == "EAGAIN" => {}
        Reply::Silence | Reply::Ended(_) => {
            let expected = "a writer was killed in the middle: the reader says EAGAIN";
            return Err(Stop::failed(expected, answer.reply.to_string()).because("reader-waits"));
        }
        other => {
            let shown = format!("{} (the sequence is {})", short(other), left.sequence);
            let expected = "a writer was killed in the middle: the reader says EAGAIN";
            return Err(Stop::failed(expected, shown).because("half-message"));
        }
    }
    let text = stage.random().bytes(70);
    let answer = next.ask(&["send", &hex(&text)]);
    if !matches!(&answer.reply, Reply::Ok(_)) {
        let expected = "a writer was killed in the middle of a message; the next one sends";
        return Err(Stop::failed(expected, answer.reply.to_string()).because("locked-for-ever"));
    }
    let sequence: u32 = answer.number()?;
    let found = place.contents(&file)?;
    let put_right = sequence == found.sequence && sequence.is_multiple_of(2) && sequence > 2;
    require(put_right, "the next message has the next even sequence", || {
        format!("{} in the file, and {sequence} returned", found.sequence)
    })
    .map_err(|stop| stop.because("stays-odd"))?;
    mailbox::reads(&mut reader, sequence, &text).map_err(|stop| stop.because("stays-odd"))
}

/// What came, without the text: it is long.
fn short(reply: &Reply) -> String {
    match reply {
        Reply::Ok(words) if words.first().is_some_and(|word| word == "some") => {
            format!("it reports message {}", words.get(1).map_or("", String::as_str))
        }
        other => other.to_string(),
    }
}
