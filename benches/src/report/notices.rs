//! What whoever looks at the results should know first: how they were measured, and when.

use std::collections::{BTreeMap, BTreeSet};

use super::cell::Cell;
use super::gather::Material;
use super::rule::Doubt;
use super::show::{self, date};
use crate::results::{PROGRAM, Record, Run};

const DAY: u64 = 24 * 3600;
/// Runs this far apart, in seconds, are not of the same day.
const FAR_APART: u64 = DAY;
/// Of results this old nobody knows whether they would still be the same.
const OLD: u64 = DAY;

impl Material {
    /// Results by another program than this: what it measured may have been something else.
    pub(super) fn programs(&mut self) {
        let mut others: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
        for Cell { record: Record { run, .. }, .. } in &self.cells {
            if run.program != PROGRAM {
                *others.entry(&run.program).or_default().entry(&run.bench).or_default() += 1;
            }
        }
        let told = |(program, benches): (&str, BTreeMap<&str, usize>)| {
            let of: Vec<_> = benches
                .into_iter()
                .map(|(bench, cases)| format!("{} of {bench}", show::count(cases as u64, "case")))
                .collect();
            format!(
                "measured by {}, and this is {PROGRAM}: {}. What was measured may have been something \
                 else; measure again with `cargo bench -p benches`",
                called(program),
                of.join(", ")
            )
        };
        let told: Vec<String> = others.into_iter().map(told).collect();
        self.notices.extend(told);
    }

    /// Figures of long ago.
    pub(super) fn age(&mut self, now: u64) {
        let started = self.cells.iter().map(|cell| cell.record.run.started);
        let Some(newest) = started.max() else { return };
        let age = now.saturating_sub(newest);
        if age > OLD {
            self.notices.push(format!(
                "the newest of these figures is {} old, of {}: kernel settings, disk and neighbours may \
                 have changed since. Measure again with `cargo bench -p benches`",
                show::count(age / DAY, "day"),
                date(newest)
            ));
        }
    }

    /// A machine that was not left alone.
    pub(super) fn disturbed(&mut self) {
        let by_others = |cell: &&Cell| {
            let doubt = &cell.doubt;
            matches!(
                doubt,
                Some(Doubt::Unsettled(..) | Doubt::TwoStates(..) | Doubt::Interrupted(..))
            )
        };
        let disturbed = self.cells.iter().filter(by_others).count();
        if disturbed > 0 {
            self.notices.push(format!(
                "{disturbed} of {} cases were disturbed: their floor moved, or somebody else had the \
                 processor. They are shown, and not counted. Measure when nothing else runs",
                self.cells.len()
            ));
        }
    }

    /// Quick against full, and today against last week.
    pub(super) fn compare_runs(&mut self) {
        let mut quick = BTreeSet::new();
        let mut full = BTreeSet::new();
        for Cell { record: Record { run, .. }, .. } in &self.cells {
            if run.quick { &mut quick } else { &mut full }.insert(run.bench.clone());
        }
        let list = |benches: BTreeSet<String>| benches.into_iter().collect::<Vec<_>>().join(", ");
        match (quick.is_empty(), full.is_empty()) {
            (false, true) => self.notices.push(
                "all figures are of quick runs: few sizes, few pairs. For more certainty measure \
                 without --quick"
                    .into(),
            ),
            (false, false) => self.notices.push(format!(
                "figures of quick runs ({}) stand beside those of full ones ({}): the quick ones \
                 have fewer sizes and are less certain",
                list(quick),
                list(full)
            )),
            _ => {}
        }
        let counted = self.cells.iter().filter(|cell| cell.doubt != Some(Doubt::Earlier));
        let started: Vec<&Run> = counted.map(|cell| &cell.record.run).collect();
        let oldest = started.iter().min_by_key(|run| run.started);
        let newest = started.iter().max_by_key(|run| run.started);
        if let (Some(oldest), Some(newest)) = (oldest, newest)
            && newest.started - oldest.started > FAR_APART
        {
            self.notices.push(format!(
                "not all of one day: {} was measured on {}, {} on {}",
                oldest.bench,
                date(oldest.started),
                newest.bench,
                date(newest.started)
            ));
        }
    }
}

/// Of results from before there were versions, nothing is known.
pub(super) fn called(program: &str) -> String {
    match program {
        "" => "an older program".into(),
        program => format!("version {program}"),
    }
}
