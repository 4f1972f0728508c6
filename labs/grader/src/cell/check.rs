//! One check, in a process of its own: it has a time-out, and a panic in it hurts nobody. What its
//! programs use together is watched, and what they leave is swept.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::child::{self, Stopped};
use super::inside::{Cell, millis};
use super::shares::Shares;
use super::{CheckOrder, Event, places};
use crate::check::{Check, Stop};
use crate::evidence::census::Object;
use crate::random::Seed;
use crate::sandbox::{Mode, floods, sweep};
use crate::stage::{Setting, Stage};
use crate::verdict::Outcome;

/// Runs a check: what it found, and how long that took. Nothing of it is left afterwards.
pub(super) fn run(
    cell: &Cell<'_>,
    check: &Check,
    order: &CheckOrder,
    seed: Seed,
    round: u32,
    before: &[Object],
) -> (Outcome, u64) {
    let begun = Instant::now();
    let folder = match cell.places.for_a_check(&format!("{}-{round}", check.id), cell.identity) {
        Ok(folder) => folder,
        Err(error) => return (Outcome::GraderFailed { what: error.to_string() }, 0),
    };
    let setting = Setting {
        mode: cell.job.mode,
        identity: cell.identity,
        program: cell.places.driver.clone(),
        folder: folder.clone(),
        own_root: cell.job.mode == Mode::Full,
    };
    let limit = Duration::from_secs(order.seconds.into());
    let folders = [cell.places.scratch.as_path()];
    let mut shares = Shares::default();
    let watch = || {
        shares.look();
        floods::look(cell.job.mode, cell.identity, before, &folders)
    };
    let outcome = child::run(limit, watch, || perform(check, setting, seed, limit));
    let outcome = outcome.unwrap_or_else(|stopped| match stopped {
        Stopped::TimeOut if shares.were_too_small(limit) => Outcome::GraderFailed {
            what: format!(
                "not over after {} s, in which its programs hardly ran: the machine is busy",
                limit.as_secs()
            ),
        },
        Stopped::TimeOut => failed(
            format!("an end within {} s", limit.as_secs()),
            "it was still going on, and was stopped".into(),
        ),
        Stopped::Flood(what) => failed("a program that uses what it needs".into(), what),
        Stopped::Broken(what) => Outcome::GraderFailed { what },
    });
    let took = millis(begun);
    sweep::run(cell.job.mode, cell.identity);
    let mut left = match sweep::objects(cell.job.mode, cell.identity, before) {
        Ok(left) => left,
        Err(error) => return (Outcome::GraderFailed { what: error.to_string() }, took),
    };
    left.extend(places::remove(&folder));
    if !left.is_empty() {
        Event::Swept { what: left }.tell();
    }
    (outcome, took)
}

fn failed(expected: String, shown: String) -> Outcome {
    Outcome::Failed { expected, shown, misconception: None }
}

/// In the child: the check, with all that can go wrong with it.
fn perform(check: &Check, setting: Setting, seed: Seed, limit: Duration) -> Outcome {
    let run = || {
        let mut stage = Stage::new(setting, seed, check.id, limit).map_err(Stop::from)?;
        (check.run)(&mut stage)
    };
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(verdict) => Outcome::from(verdict).shortened(),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("");
            Outcome::GraderFailed { what: format!("the check panicked: {text}") }
        }
    }
}
