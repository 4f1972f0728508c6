//! Many at once: one board, and a slot for each note.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ipc_common::PageSize;

use crate::check::{Check, Stop, Verdict, require};
use crate::driver::{Answer, Asked, Driver, hex};
use crate::stage::Stage;

use super::super::super::hidden::holding::{self, Touch};
use super::super::super::hidden::moments::Moments;
use super::super::asking;
use super::super::board::{self, POSTED, Place, Shape, Slot};
use super::super::memory::Memory;
use super::long::{self, Long};

pub(in super::super) const CHECK: Check = Check { id: "races", run };

const DRIVERS: usize = 2;
/// Notes of each driver in each round.
const NOTES: usize = 100;
const ROUNDS: usize = 2;
/// How often a poster has to have been stopped in the middle of a text.
const HALVES: u32 = 2;
/// All drivers post at the same moments, this many nanoseconds apart: a note takes less than that.
const BEAT: u64 = 60_000;
/// The first moment: until then all drivers have been told.
const LEAD: Duration = Duration::from_millis(2);

fn run(stage: &mut Stage) -> Verdict {
    let mut drivers = Vec::new();
    for _ in 0..DRIVERS {
        drivers.push(stage.start()?);
    }
    for _ in 0..ROUNDS {
        // Room for all, and a few more.
        let slots = DRIVERS * NOTES + stage.random().between(1, 9);
        let place = Place::new(stage, Shape { slots, room: 40 })?;
        open(stage, &mut drivers, &place)?;
        post(stage, &mut drivers, &place)?;
    }
    for skip in 0..=Touch::MOST {
        stopped(stage, 0, skip)?;
    }
    stopped(stage, PageSize::system().bytes(), 0)?;
    in_the_middle(stage)
}

/// All open it at once, and it is not there yet.
fn open(stage: &mut Stage, drivers: &mut [Driver], place: &Place) -> Verdict {
    let words = place.open_words();
    let words = words.each_ref().map(String::as_str);
    let asked: Vec<_> = drivers.iter_mut().map(|driver| driver.send(&words)).collect();
    for (driver, asked) in drivers.iter_mut().zip(asked) {
        let answer = asking::named("Poster::open", driver.wait(asked));
        answer.ok().map_err(|stop| stop.because("two-boards"))?;
    }
    let segment = place.found(stage)?;
    for driver in drivers.iter() {
        let attached = board::attachment(driver, &segment)?;
        require(attached == Some(true), "all who open it at once have the same board", || {
            "one of them has another segment attached".into()
        })
        .map_err(|stop| stop.because("two-boards"))?;
    }
    Ok(())
}

/// All post at once.
fn post(stage: &mut Stage, drivers: &mut [Driver], place: &Place) -> Verdict {
    let prefixes: Vec<String> = drivers.iter().map(|_| stage.random().text(12) + "-").collect();
    let start = (SystemTime::now() + LEAD).duration_since(UNIX_EPOCH).unwrap_or_default();
    let start = start.as_nanos().to_string();
    let asked: Vec<_> = drivers
        .iter_mut()
        .zip(&prefixes)
        .map(|(driver, prefix)| {
            let (count, prefix) = (NOTES.to_string(), hex(prefix.as_bytes()));
            driver.send(&["post-beat", &count, &prefix, &start, &BEAT.to_string()])
        })
        .collect();
    let mut claimed = Vec::new();
    for ((driver, asked), prefix) in drivers.iter_mut().zip(asked).zip(&prefixes) {
        let answer = asking::named("Poster::post", driver.wait(asked));
        let unexpected = answer.instead_of("a slot for each note");
        let slots = Some(asking::slots(answer)?);
        let slots = slots.filter(|slots| slots.len() == NOTES).ok_or(unexpected)?;
        let texts = (0..NOTES).map(|nth| format!("{prefix}{nth}").into_bytes());
        claimed.extend(slots.into_iter().zip(texts));
    }
    let hangs: HashMap<usize, Vec<u8>> =
        board::notes(&place.found(stage)?.copy()?, place.shape).into_iter().collect();
    for (slot, text) in claimed {
        if hangs.get(&slot) != Some(&text) {
            let shown = match hangs.get(&slot) {
                Some(other) => format!("{}: somebody else's", board::quoted(other)),
                None => "no note".into(),
            };
            let expected = format!("in slot {slot} the note {}", board::quoted(&text));
            return Err(Stop::failed(expected, shown).because("same-slot"));
        }
    }
    Ok(())
}

/// One poster is stopped at a store, and another posts meanwhile, or waits: both notes are to hang on
/// the board in the end, each in a slot of its own.
fn stopped(stage: &mut Stage, from: usize, skip: u32) -> Verdict {
    let (mut one, mut other) = (stage.start()?, stage.start()?);
    let long = Long::of_two_pages(stage);
    let place = long.place(stage, 4)?;
    let first = board::text(stage, 25);
    let segment = place.plant(stage, &[])?;
    place.open(&mut one).ok()?;
    place.open(&mut other).ok()?;
    // Slot 0 is taken, so that whatever is stored for a note is stored beyond the first page.
    let taken =
        Slot { state: POSTED, length: first.len() as u32, room: [&first[..], &[0]].concat() };
    segment.write(place.shape.slot(0), &taken.bytes())?;
    long.prepare(&mut one)?;
    let held = long::hold(&mut one, &segment, from, skip)?;
    let asked = one.send(&["post-prepared", "1"]);
    let asked = holding::stopped(&mut one, held, asked)?;
    let also = Also::posts(stage, &mut one, &mut other)?;
    let slots = asking::slots(asking::named("Poster::post", one.wait(asked)))?;
    let mut notes = vec![(0, first), also.note(&mut other)?];
    notes.extend(slots.into_iter().map(|slot| (slot, long.text.clone())));
    hang(&segment, &place, notes)
}

/// The same, while one is in the middle of a text.
fn in_the_middle(stage: &mut Stage) -> Verdict {
    let long = Long::new(stage);
    let (mut one, mut other) = (stage.start()?, stage.start()?);
    long.prepare(&mut one)?;
    let mut moments = Moments::new(Long::SLOTS - 1);
    let mut halves = 0;
    while halves < HALVES {
        let place = long.place(stage, Long::SLOTS)?;
        place.open(&mut one).ok()?;
        place.open(&mut other).ok()?;
        let segment = place.found(stage)?;
        let asked = moments.ask(stage, &mut one, &["post-prepared", &moments.count()])?;
        one.pause()?;
        let found = long.on(&segment, place.shape)?;
        let also = match found.half_at(&mut moments) {
            Some(_) => Some(Also::posts(stage, &mut one, &mut other)?),
            None => None,
        };
        halves += u32::from(also.is_some());
        one.resume()?;
        let slots = asking::slots(asking::named("Poster::post", one.wait(asked)))?;
        let mut notes: Vec<_> = slots.into_iter().map(|slot| (slot, long.text.clone())).collect();
        if let Some(also) = also {
            notes.push(also.note(&mut other)?);
        }
        hang(&segment, &place, notes)?;
        segment.remove()?;
    }
    Ok(())
}

/// What another was asked to post while one was stopped.
struct Also {
    text: Vec<u8>,
    answer: Result<Answer, Asked>,
}

impl Also {
    /// While one is stopped, another posts, or waits for the one; who goes on then.
    fn posts(stage: &mut Stage, one: &mut Driver, other: &mut Driver) -> Result<Also, Stop> {
        let text = board::text(stage, 30);
        let asked = other.send(&["post", &hex(&text)]);
        let answer = holding::answered_or_waiting(other, asked)?;
        one.resume()?;
        Ok(Also { text, answer })
    }

    /// Its note. To be asked for when the one is done: it may have waited for that.
    fn note(self, other: &mut Driver) -> Result<(usize, Vec<u8>), Stop> {
        let answer = self.answer.unwrap_or_else(|asked| other.wait(asked));
        Ok((asking::named("Poster::post", answer).number()?, self.text))
    }
}

fn hang(segment: &Memory, place: &Place, notes: Vec<(usize, Vec<u8>)>) -> Verdict {
    let hangs = board::notes(&segment.copy()?, place.shape);
    let words = "one poster was stopped, and another posted: the notes of both, each in a slot of its \
                 own";
    long::hang(&hangs, notes, words).map_err(|stop| stop.because("same-slot"))
}
