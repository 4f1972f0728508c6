//! No reader gets a mixture: neither of a writer in the middle, nor when a message comes while it
//! reads.

use crate::check::{Check, Stop, Verdict, require};
use crate::stage::Stage;

use super::super::super::hidden::holding::{self, GLANCE, Touch};
use super::super::super::payload;
use super::super::mailbox::{self, Place};
use super::long::{self, Long};

pub(in super::super) const CHECK: Check = Check { id: "torn", run };

fn run(stage: &mut Stage) -> Verdict {
    writer_in_the_middle(stage)?;
    reader_in_the_middle(stage)?;
    both_at_full_speed(stage)
}

/// The writer is stopped in the middle, and the grader looks at the file.
fn writer_in_the_middle(stage: &mut Stage) -> Verdict {
    let (old, new) = (Long::new(stage), Long::new(stage));
    let place = Place::of(stage, Long::capacity());
    let file = place.plant(stage, 0, b"")?;
    let mut writer = stage.start()?;
    place.open_writer(&mut writer).ok()?;
    file.write(0, &place.bytes(2, &old.text))?;
    long::hold(&mut writer, &place, long::in_the_middle(), Touch::Store)?;
    let asked = new.send(&mut writer);
    let asked = holding::stopped(&mut writer, asked)?;
    let found = place.contents(&file)?;
    let begun = found.room != old.text && found.room != new.text;
    require(found.sequence % 2 == 1, "in the middle of a message the sequence is odd", || {
        let what = if begun { "half of the text is new" } else { "the text is being written" };
        format!("it is {}, and {what}", found.sequence)
    })
    .map_err(|stop| stop.because("never-odd"))?;
    writer.resume()?;
    let sequence: u32 = writer.wait(asked).number()?;
    let found = place.contents(&file)?;
    let whole = found.sequence == sequence && sequence == 4 && found.room == new.text;
    require(whole, "the whole message, with sequence 4", || {
        format!("sequence {}, length {}", found.sequence, found.length)
    })
}

/// The reader is stopped in the middle of its copy, and the student's writer sends meanwhile, or
/// waits for the reader.
fn reader_in_the_middle(stage: &mut Stage) -> Verdict {
    let (old, new) = (Long::new(stage), Long::new(stage));
    let place = Place::of(stage, Long::capacity());
    let file = place.plant(stage, 0, b"")?;
    let (mut writer, mut reader) = (stage.start()?, stage.start()?);
    place.open_writer(&mut writer).ok()?;
    place.open_reader(&mut reader).ok()?;
    file.write(0, &place.bytes(2, &old.text))?;
    long::hold(&mut reader, &place, long::in_the_middle(), Touch::Load)?;
    let reading = reader.send(&["read"]);
    let reading = holding::stopped(&mut reader, reading)?;
    let sending = new.send(&mut writer);
    let sending = writer.wait_within(sending, GLANCE);
    reader.resume()?;
    let told = mailbox::told(reader.wait(reading))?;
    let sequence: u32 = sending.unwrap_or_else(|sending| writer.wait(sending)).number()?;
    require(sequence == 4, "sequence 4 for the second message", || format!("{sequence}"))?;
    let whole = told == Some((2, old.text.clone())) || told == Some((4, new.text.clone()));
    require(whole, "one message or the other, whole", || match &told {
        Some((sequence, text)) => {
            let same = |other: &Long| {
                text.iter().zip(&other.text).filter(|(one, other)| one == other).count()
            };
            format!(
                "message {sequence}, of which {} bytes are the old one's and {} the new one's",
                same(&old),
                same(&new)
            )
        }
        None => "the reader says that there is none".into(),
    })
    .map_err(|stop| stop.because("mixture"))?;
    mailbox::reads(&mut reader, 4, &new.text)
}

/// Nobody is stopped: message after message, and a reader that never rests.
fn both_at_full_speed(stage: &mut Stage) -> Verdict {
    const MESSAGES: u32 = 40;
    const LENGTH: usize = 30_000;
    let place = Place::of(stage, LENGTH + 10);
    place.plant(stage, 0, b"")?;
    let (mut writer, mut reader) = (stage.start()?, stage.start()?);
    place.open_writer(&mut writer).ok()?;
    place.open_reader(&mut reader).ok()?;
    let seed = stage.random().u64() >> 8;
    let last = 2 * MESSAGES;
    let reading = reader.send(&["read-until", &last.to_string(), "6000"]);
    let sending =
        writer.send(&["send-many", &MESSAGES.to_string(), &LENGTH.to_string(), &seed.to_string()]);
    let sent = writer.wait(sending).ok()?;
    let reached = sent.last().and_then(|word| word.parse::<u32>().ok());
    require(reached == Some(last), &format!("sequence {last} after {MESSAGES} messages"), || {
        format!("{reached:?}")
    })?;
    let answer = reader.wait(reading);
    let unexpected = answer.instead_of("messages, the last one among them");
    let words = answer.ok()?;
    let mut had_last = false;
    for word in &words {
        let parts: Vec<&str> = word.split(':').collect();
        let [sequence, length, hash] = parts[..] else { return Err(unexpected) };
        let sequence: Option<u32> = sequence.parse().ok().filter(|it| (2..=last).contains(it));
        let Some(sequence) = sequence else { return Err(unexpected) };
        let text = payload::made(LENGTH, seed + u64::from(sequence / 2 - 1) * 2);
        let same = length == LENGTH.to_string() && hash == format!("{:x}", payload::hash(&text));
        if !same {
            let expected = format!("message {sequence} as it was sent");
            return Err(Stop::failed(expected, "a text that nobody sent").because("mixture"));
        }
        had_last |= sequence == last;
    }
    if had_last { Ok(()) } else { Err(unexpected) }
}
