//! Many at once: one board, and a slot for each note.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ipc_common::PageSize;

use crate::check::{Check, Stop, Verdict, require};
use crate::driver::{Driver, hex};
use crate::stage::Stage;

use super::super::super::hidden::holding::{self, GLANCE};
use super::super::asking;
use super::super::board::{self, POSTED, Place, Shape, Slot};
use super::long::{self, Long};

pub(in super::super) const CHECK: Check = Check { id: "races", run };

const DRIVERS: usize = 2;
/// Notes of each driver in each round.
const NOTES: usize = 100;
const ROUNDS: usize = 2;
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
    for from in [0, PageSize::system().bytes()] {
        let (mut one, mut other) = (stage.start()?, stage.start()?);
        stopped(stage, &mut one, &mut other, from)?;
    }
    Ok(())
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
        let unexpected = answer.instead_of("the numbers of the slots");
        let slots: Option<Vec<usize>> = answer.ok()?.iter().map(|word| word.parse().ok()).collect();
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

/// One poster is stopped before it stores anything, or anything beyond slot 0, and another posts
/// meanwhile, or waits: both notes are to hang on the board in the end, each in a slot of its own.
fn stopped(stage: &mut Stage, one: &mut Driver, other: &mut Driver, from: usize) -> Verdict {
    let place = Long::place(stage, 4)?;
    let first = board::text(stage, 25);
    let segment = place.plant(stage, &[])?;
    place.open(one).ok()?;
    place.open(other).ok()?;
    // Slot 0 is taken, so that whatever is stored for a note is stored beyond the first page.
    let taken =
        Slot { state: POSTED, length: first.len() as u32, room: [&first[..], &[0]].concat() };
    segment.write(place.shape.slot(0), &taken.bytes())?;
    let long = Long::new(stage);
    long::hold(one, &segment, from)?;
    let asked = long.send(one);
    let asked = holding::stopped(one, asked)?;
    let small = board::text(stage, 30);
    let also = other.send(&["post", &hex(&small)]);
    let also = other.wait_within(also, GLANCE);
    one.resume()?;
    let one_slot: usize = one.wait(asked).number()?;
    let other_slot: usize = also.unwrap_or_else(|also| other.wait(also)).number()?;

    let mut expected = vec![(0, first), (one_slot, long.text), (other_slot, small)];
    expected.sort_by_key(|(slot, _)| *slot);
    let hangs = board::notes(&segment.copy()?, place.shape);
    require(hangs == expected, "the notes of both posters, each in a slot of its own", || {
        let whole = hangs.iter().filter(|note| expected.contains(note)).count().saturating_sub(1);
        format!(
            "one was stopped, and posted in slot {one_slot} afterwards; the other posted in slot \
             {other_slot} meanwhile; of the two notes {whole} hang there"
        )
    })
    .map_err(|stop| stop.because("same-slot"))
}
