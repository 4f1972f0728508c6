//! No reader gets a mixture: neither of a writer in the middle, nor when a message comes while it
//! reads.

use std::time::Duration;

use crate::check::{Check, Stop, Verdict, require};
use crate::driver::{Answer, Asked, Driver};
use crate::stage::Stage;

use super::super::super::hidden::holding::{self, Touch};
use super::super::super::hidden::moments::Moments;
use super::super::mailbox;
use super::long::{self, Pair};

pub(in super::super) const CHECK: Check = Check { id: "torn", run };

/// How often a writer has to have been stopped in the middle of a text.
const HALVES: u32 = 2;
/// How often a reader is stopped while it reads.
const READS: u32 = 24;

fn run(stage: &mut Stage) -> Verdict {
    writer_in_the_middle(stage)?;
    reader_in_the_middle(stage)?;
    both_at_full_speed(stage)
}

/// The writer is stopped in the middle, and the grader looks at the file.
fn writer_in_the_middle(stage: &mut Stage) -> Verdict {
    let pair = Pair::new(stage);
    let mut writer = stage.start()?;
    let mut moments = Moments::new(Pair::MOST);
    let mut halves = 0;
    while halves < HALVES {
        let (place, file) = pair.plant(stage)?;
        place.open_writer(&mut writer).ok()?;
        pair.begin(&place, &file)?;
        pair.prepare(&mut writer)?;
        let asked = moments.ask(stage, &mut writer, &["send-prepared", &moments.count()])?;
        writer.pause()?;
        let found = place.contents(&file)?;
        if pair.is_half(&found, &mut moments) {
            halves += 1;
            require(
                found.sequence % 2 == 1,
                "in the middle of a message the sequence is odd",
                || format!("it is {}, and half of the text is new", found.sequence),
            )
            .map_err(|stop| stop.because("never-odd"))?;
        }
        writer.resume()?;
        let last = last_of(writer.wait(asked))?;
        let found = place.contents(&file)?;
        let whole = found.sequence == last && found.text() == Some(pair.of_sequence(last));
        require(whole, &format!("the whole message, with sequence {last}"), || {
            format!("sequence {}, length {}", found.sequence, found.length)
        })?;
        stage.remove_file(&place.path)?;
    }
    Ok(())
}

/// The reader is stopped at a load, and at moments that nobody chose while it does hardly anything
/// but copy; and the student's writer sends meanwhile, or waits for the reader. Of what a reader has
/// copied nothing can be seen from outside, so it is done a good many times.
fn reader_in_the_middle(stage: &mut Stage) -> Verdict {
    let pair = Pair::of(stage, 64 * 1024);
    let (place, file) = pair.plant(stage)?;
    let (mut writer, mut reader) = (stage.start()?, stage.start()?);
    place.open_writer(&mut writer).ok()?;
    place.open_reader(&mut reader).ok()?;
    pair.begin(&place, &file)?;
    pair.prepare(&mut writer)?;
    let held = long::hold(&mut reader, &place, long::in_the_middle(), Touch::Load)?;
    let reading = reader.send(&["read-many", "1"]);
    let reading = holding::stopped(&mut reader, held, reading)?;
    meanwhile(&mut writer, &mut reader, reading, &pair, 4)?;
    let mut moments = Moments::new(Pair::MOST);
    let (mut caught, mut sequence) = (0, 4);
    while caught < READS {
        let reading = moments.ask(stage, &mut reader, &["read-many", &moments.count()])?;
        reader.pause()?;
        match reader.wait_within(reading, Duration::ZERO) {
            Ok(answer) => {
                moments.too_late();
                reader.resume()?;
                all_whole(answer, &pair, sequence)?;
            }
            Err(reading) => {
                caught += 1;
                sequence += 2;
                meanwhile(&mut writer, &mut reader, reading, &pair, sequence)?;
            }
        }
    }
    mailbox::reads(&mut reader, sequence, pair.of_sequence(sequence))
}

/// While the reader is stopped, the writer sends one message, or waits for it.
fn meanwhile(
    writer: &mut Driver,
    reader: &mut Driver,
    reading: Asked,
    pair: &Pair,
    sequence: u32,
) -> Verdict {
    let sending = writer.send(&["send-prepared", "1"]);
    let sending = holding::answered_or_waiting(writer, sending)?;
    reader.resume()?;
    all_whole(reader.wait(reading), pair, sequence)?;
    let sent = last_of(sending.unwrap_or_else(|sending| writer.wait(sending)))?;
    require(sent == sequence, &format!("sequence {sequence} for the next message"), || {
        sent.to_string()
    })
}

/// The last of the sequences that a writer claims.
fn last_of(answer: Answer) -> Result<u32, Stop> {
    let unexpected = answer.instead_of("the sequences of the messages");
    answer.ok()?.last().and_then(|word| word.parse().ok()).ok_or(unexpected)
}

/// Each message that a reader tells of, by its sequence, length and hash, is one that was sent.
fn all_whole(answer: Answer, pair: &Pair, last: u32) -> Verdict {
    let unexpected = answer.instead_of("it tells of messages");
    for word in answer.ok()? {
        let parts: Vec<&str> = word.split(':').collect();
        let [sequence, length, hash] = parts[..] else { return Err(unexpected) };
        let sequence: Option<u32> = sequence.parse().ok().filter(|it| (2..=last).contains(it));
        let Some(sequence) = sequence else { return Err(unexpected) };
        let text = pair.of_sequence(sequence);
        let same = length == text.len().to_string() && hash == pair.hash_of(sequence);
        require(same, &format!("message {sequence} as it was sent"), || {
            "a text that nobody sent".into()
        })
        .map_err(|stop| stop.because("mixture"))?;
    }
    Ok(())
}

/// Nobody is stopped: message after message, and a reader that never rests.
fn both_at_full_speed(stage: &mut Stage) -> Verdict {
    const ROUNDS: u32 = 6;
    const MESSAGES: u32 = 8;
    const READS: u32 = 16;
    let pair = Pair::of(stage, 32 * 1024);
    let (place, file) = pair.plant(stage)?;
    let (mut writer, mut reader) = (stage.start()?, stage.start()?);
    place.open_writer(&mut writer).ok()?;
    place.open_reader(&mut reader).ok()?;
    pair.begin(&place, &file)?;
    pair.prepare(&mut writer)?;
    for round in 1..=ROUNDS {
        let reading = reader.send(&["read-many", &READS.to_string()]);
        let sending = writer.send(&["send-prepared", &MESSAGES.to_string()]);
        let told = reader.wait(reading);
        let last = last_of(writer.wait(sending))?;
        let expected = 2 + 2 * MESSAGES * round;
        let words = format!("sequence {expected} after {} messages", MESSAGES * round);
        require(last == expected, &words, || last.to_string())?;
        all_whole(told, &pair, last)?;
        mailbox::reads(&mut reader, last, pair.of_sequence(last))?;
    }
    Ok(())
}
