//! Writers keep each other out: one is stopped, before its first store and in the middle, and
//! another sends meanwhile, or waits.

use crate::check::{Check, Stop, Verdict, require};
use crate::driver::{Answer, Asked, Driver, hex};
use crate::stage::Stage;

use super::super::super::hidden::holding::{self, Touch};
use super::super::super::hidden::moments::Moments;
use super::super::mailbox::{self, Contents, Place};
use super::long::{self, Long, Pair};

pub(in super::super) const CHECK: Check = Check { id: "two-writers", run };

/// How often a writer has to have been stopped in the middle of a text.
const HALVES: u32 = 2;

fn run(stage: &mut Stage) -> Verdict {
    for skip in 0..=Touch::MOST {
        stopped(stage, 0, skip)?;
    }
    stopped(stage, long::in_the_middle(), 0)?;
    in_the_middle(stage)
}

/// One is stopped at a store.
fn stopped(stage: &mut Stage, from: usize, skip: u32) -> Verdict {
    let long = Long::new(stage);
    let place = Place::of(stage, Long::capacity());
    let file = place.plant(stage, 0, b"")?;
    let (mut one, mut other) = (stage.start()?, stage.start()?);
    place.open_writer(&mut one).ok()?;
    place.open_writer(&mut other).ok()?;
    let held = long::hold(&mut one, &place, from, Touch::Store(skip))?;
    let asked = long.send(&mut one);
    let asked = holding::stopped(&mut one, held, asked)?;
    let also = Also::sends(stage, &mut one, &mut other)?;
    let first: u32 = one.wait(asked).number()?;
    let (second, small) = also.message(&mut other)?;

    let both = (first, second) == (2, 4) || (first, second) == (4, 2);
    let last = if first == 4 { &long.text } else { &small };
    kept_apart(&place.contents(&file)?, both, 4, last, &[first, second])
}

/// One is in the middle of a text.
fn in_the_middle(stage: &mut Stage) -> Verdict {
    let pair = Pair::new(stage);
    let (mut one, mut other) = (stage.start()?, stage.start()?);
    let mut moments = Moments::new(Pair::MOST);
    let mut halves = 0;
    while halves < HALVES {
        let (place, file) = pair.plant(stage)?;
        place.open_writer(&mut one).ok()?;
        place.open_writer(&mut other).ok()?;
        pair.begin(&place, &file)?;
        pair.prepare(&mut one)?;
        let asked = moments.ask(stage, &mut one, &["send-prepared", &moments.count()])?;
        one.pause()?;
        let found = place.contents(&file)?;
        let also = match pair.is_half(&found, &mut moments) {
            true => Some(Also::sends(stage, &mut one, &mut other)?),
            false => None,
        };
        halves += u32::from(also.is_some());
        one.resume()?;
        let answer = one.wait(asked);
        let unexpected = answer.instead_of("the sequences of the messages");
        let firsts: Option<Vec<u32>> = answer.ok()?.iter().map(|word| word.parse().ok()).collect();
        let firsts = firsts.ok_or(unexpected)?;
        let also = also.map(|also| also.message(&mut other)).transpose()?;

        let mut all = firsts.clone();
        all.extend(also.as_ref().map(|(sequence, _)| *sequence));
        all.sort_unstable();
        let end = 2 + 2 * all.len() as u32;
        let expected: Vec<u32> = (4..=end).step_by(2).collect();
        // The first text, the other, the first again: whatever the sequences are.
        let long = pair.of_sequence(2 + 2 * firsts.len() as u32);
        let last = also.as_ref().filter(|(sequence, _)| *sequence == end);
        let last = last.map_or(long, |(_, text)| text);
        kept_apart(&place.contents(&file)?, all == expected, end, last, &all)?;
        stage.remove_file(&place.path)?;
    }
    Ok(())
}

/// What another was asked to send while one was stopped.
struct Also {
    text: Vec<u8>,
    answer: Result<Answer, Asked>,
}

impl Also {
    /// While one is stopped, another sends, or waits for the one; who goes on then.
    fn sends(stage: &mut Stage, one: &mut Driver, other: &mut Driver) -> Result<Also, Stop> {
        let text = stage.random().bytes(100);
        let asked = other.send(&["send", &hex(&text)]);
        let answer = holding::answered_or_waiting(other, asked)?;
        one.resume()?;
        Ok(Also { text, answer })
    }

    /// Its sequence and text. To be asked for when the one is done: it may have waited for that.
    fn message(self, other: &mut Driver) -> Result<(u32, Vec<u8>), Stop> {
        let answer = self.answer.unwrap_or_else(|asked| other.wait(asked));
        Ok((mailbox::named("Writer::send", answer).number()?, self.text))
    }
}

fn kept_apart(found: &Contents, all: bool, end: u32, last: &[u8], returned: &[u32]) -> Verdict {
    let words = "one writer was stopped, and another sent: a sequence for each message";
    require(all && found.sequence == end, words, || {
        format!("{returned:?} were returned, {} is in the file", found.sequence)
    })
    .map_err(|stop| stop.because("lost-message"))?;
    require(found.text() == Some(last), "the whole message of whoever was the last", || {
        format!("length {}, and {}", found.length, mailbox::quoted(&found.room))
    })
    .map_err(|stop| stop.because("lost-message"))
}
