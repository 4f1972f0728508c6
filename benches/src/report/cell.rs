//! A case, and whether it counts.

use super::rule::{Doubt, Outcome};
use crate::machine::Machine;
use crate::results::Record;
use crate::turns::Spread;

/// A case, and whether it counts.
#[derive(Clone, Debug)]
pub struct Cell {
    /// All about it.
    pub record: Record,
    /// Why it does not count.
    pub doubt: Option<Doubt>,
}

impl Cell {
    /// Its value as a number: all of the benches' are.
    pub fn value(&self) -> u64 {
        self.record.id.value.parse().unwrap_or(0)
    }

    /// What it says, if it counts.
    pub fn outcome(&self) -> Option<Outcome> {
        self.doubt.is_none().then(|| Outcome::of(&self.record.measured.ratio))
    }
}

/// Whether figures of the two may stand side by side.
pub fn is_same(a: &Machine, b: &Machine) -> bool {
    let key = |machine: &Machine| {
        let Machine { architecture, processor, processors, kernel, page_bytes, .. } = machine;
        (architecture.clone(), processor.clone(), *processors, kernel.clone(), *page_bytes)
    };
    key(a) == key(b)
}

/// A file may say anything; a plot can show only times.
pub(super) fn makes_sense(record: &Record) -> bool {
    let sense = |spread: &Spread| {
        let Spread { min, lower, median, upper, max } = *spread;
        let all = [min, lower, median, upper, max];
        all.iter().all(|figure| (1e-6..1e18).contains(figure)) && all.is_sorted()
    };
    let measured = &record.measured;
    sense(&measured.ratio) && sense(&measured.time) && sense(&measured.reference_time)
}
