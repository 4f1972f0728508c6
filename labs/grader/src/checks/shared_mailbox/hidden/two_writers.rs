//! Writers keep each other out: one is stopped, before its first store and in the middle, and
//! another sends meanwhile, or waits.

use crate::check::{Check, Verdict, require};
use crate::driver::hex;
use crate::stage::Stage;

use super::super::super::hidden::holding::{self, GLANCE, Touch};
use super::super::mailbox::{self, Place};
use super::long::{self, Long};

pub(in super::super) const CHECK: Check = Check { id: "two-writers", run };

fn run(stage: &mut Stage) -> Verdict {
    for from in [0, long::in_the_middle()] {
        stopped(stage, from)?;
    }
    Ok(())
}

fn stopped(stage: &mut Stage, from: usize) -> Verdict {
    let long = Long::new(stage);
    let place = Place::of(stage, Long::capacity());
    let file = place.plant(stage, 0, b"")?;
    let (mut one, mut other) = (stage.start()?, stage.start()?);
    place.open_writer(&mut one).ok()?;
    place.open_writer(&mut other).ok()?;
    long::hold(&mut one, &place, from, Touch::Store)?;
    let asked = long.send(&mut one);
    let asked = holding::stopped(&mut one, asked)?;
    let small = stage.random().bytes(100);
    let also = other.send(&["send", &hex(&small)]);
    let also = other.wait_within(also, GLANCE);
    one.resume()?;
    let first: u32 = one.wait(asked).number()?;
    let second: u32 = also.unwrap_or_else(|also| other.wait(also)).number()?;

    let found = place.contents(&file)?;
    let both = (first, second) == (2, 4) || (first, second) == (4, 2);
    require(both && found.sequence == 4, "two messages, sequences 2 and 4", || {
        format!("{first} and {second} returned, {} in the file", found.sequence)
    })
    .map_err(|stop| stop.because("lost-message"))?;
    let last = if first == 4 { &long.text } else { &small };
    require(found.text() == Some(last), "the whole message of whoever was the last", || {
        format!("length {}, and {}", found.length, mailbox::quoted(&found.room))
    })
    .map_err(|stop| stop.because("lost-message"))
}
