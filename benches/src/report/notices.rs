//! What whoever looks at the results should know first: how they were measured, and when.

use std::collections::BTreeSet;

use super::cell::Cell;
use super::gather::Material;
use super::rule::Doubt;
use super::show::date;
use crate::results::{Record, Run};

/// Runs this far apart, in seconds, may not be of the same program or the same day.
const FAR_APART: u64 = 24 * 3600;

impl Material {
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
