//! Which results belong together, and what is missing, partial or old.
//!
//! A ratio was measured in one go, so cases of several runs may stand side by side; what may not is
//! two machines. What a later run has left behind is shown, and not counted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::cell::{Cell, is_same, makes_sense};
use super::notices::called;
use super::rule::Doubt;
use super::scene::BENCHES;
use super::show::{self, date};
use crate::machine::Machine;
use crate::results::{
    Costs, OWN_COST, PROGRAM, Record, RunRecord, Skip, Trouble, read_all, read_costs, read_runs,
};

/// All results that can be shown.
#[derive(Clone, Debug, Default)]
pub struct Material {
    /// The cases.
    pub cells: Vec<Cell>,
    /// What they ran on; none if there is no case.
    pub machine: Option<Machine>,
    /// The last run of each bench, in the order of [`BENCHES`].
    pub runs: Vec<RunRecord>,
    /// What our own crates cost, if that was measured on this machine.
    pub costs: Option<Costs>,
    /// What whoever looks at it should know first.
    pub notices: Vec<String>,
}

impl Material {
    /// Of all that lies in criterion's folder.
    pub fn read(home: &Path) -> Material {
        let ((cases, mut troubles), (runs, more)) = (read_all(home), read_runs(home));
        troubles.extend(more);
        let costs = read_costs(home).unwrap_or_else(|trouble| {
            troubles.push(trouble);
            None
        });
        let records = cases.into_iter().map(|case| case.record).collect();
        Material::of(records, runs, &troubles).with_costs(costs).seen_at(now())
    }

    /// Of these.
    pub fn of(records: Vec<Record>, runs: Vec<RunRecord>, troubles: &[Trouble]) -> Material {
        let mut material = Material::default();
        let (records, nonsense): (Vec<_>, Vec<_>) = records.into_iter().partition(makes_sense);
        material.troubles(troubles, &nonsense);
        let newest = records.iter().max_by_key(|record| record.run.started);
        material.machine = newest.map(|record| record.machine.clone());
        let records = material.of_one_machine(records);
        for bench in BENCHES {
            let of_bench = records.iter().filter(|record| record.run.bench == bench).collect();
            let run = runs.iter().find(|run| run.run.bench == bench);
            material.bench(bench, of_bench, run);
        }
        material.compare_runs();
        material.programs();
        material.disturbed();
        material
    }

    /// And this of our own crates.
    #[must_use]
    pub fn with_costs(mut self, costs: Option<Costs>) -> Material {
        let again = format!("measure with `cargo bench -p benches --bench {OWN_COST}`");
        let ours = self.machine.clone().unwrap_or_else(Machine::this);
        match costs {
            None => self.notices.push(format!("{OWN_COST}: there are no results; {again}")),
            Some(costs) if !is_same(&costs.machine, &ours) => self.notices.push(format!(
                "{OWN_COST}: left out, since it was measured on another machine, or by another \
                 kernel ({}); {again}",
                costs.machine
            )),
            Some(costs) => {
                let program = &costs.run.program;
                if program != PROGRAM {
                    self.notices.push(format!(
                        "{OWN_COST}: measured by {}, and this is {PROGRAM}; {again}",
                        called(program)
                    ));
                }
                if costs.partial {
                    self.notices.push(format!("{OWN_COST}: some rooms are missing; {again}"));
                }
                self.machine.get_or_insert_with(|| costs.machine.clone());
                self.costs = Some(costs);
            }
        }
        self
    }

    /// And looked at now: seconds since 1970.
    #[must_use]
    pub fn seen_at(mut self, now: u64) -> Material {
        self.age(now);
        self
    }

    /// The cell at a group, a function and a value.
    pub fn cell(&self, group: &str, function: &str, value: &str) -> Option<&Cell> {
        self.cells.iter().find(|cell| {
            let id = &cell.record.id;
            (id.group.as_str(), id.function.as_str(), id.value.as_str()) == (group, function, value)
        })
    }

    /// The cells of a group, smallest value first.
    pub fn group(&self, group: &str) -> Vec<&Cell> {
        let mut cells: Vec<_> =
            self.cells.iter().filter(|cell| cell.record.id.group == group).collect();
        cells.sort_by_key(|cell| cell.value());
        cells
    }

    /// What was not measured, in the order of the runs.
    pub fn skipped(&self) -> impl Iterator<Item = &Skip> {
        self.runs.iter().flat_map(|run| &run.skipped)
    }

    /// Where files were.
    pub fn places(&self) -> BTreeSet<String> {
        let places = self.cells.iter().filter_map(|cell| cell.record.place.as_ref());
        places.map(|place| format!("{} ({})", place.folder, place.file_system)).collect()
    }

    fn troubles(&mut self, troubles: &[Trouble], nonsense: &[Record]) {
        for trouble in troubles {
            self.notices.push(format!("left out: {}: {}", trouble.path.display(), trouble.why));
        }
        for record in nonsense {
            self.notices.push(format!("left out: {}: its figures are no times", record.id));
        }
    }

    /// Without those of another machine than the newest.
    fn of_one_machine(&mut self, records: Vec<Record>) -> Vec<Record> {
        let Some(machine) = self.machine.clone() else { return records };
        let (same, others): (Vec<_>, Vec<_>) =
            records.into_iter().partition(|record| is_same(&record.machine, &machine));
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for record in others {
            *counts.entry(record.machine.to_string()).or_default() += 1;
        }
        for (other, count) in counts {
            self.notices.push(format!(
                "left out: {count} cases that were measured on another machine, or by another \
                 kernel ({other})"
            ));
        }
        same
    }

    fn bench(&mut self, bench: &str, records: Vec<&Record>, run: Option<&RunRecord>) {
        let again = format!("cargo bench -p benches --bench {bench}");
        let newest = records.iter().map(|record| &record.run).max_by_key(|run| run.started);
        let Some(newest) = newest else {
            self.notices.push(format!("{bench}: there are no results; measure with `{again}`"));
            self.runs.extend(run.cloned());
            return;
        };
        let ended = run.filter(|run| run.run.started >= newest.started);
        let last = ended.map_or(newest, |run| &run.run).clone();
        let of_last = records.iter().filter(|record| record.run == last).count();
        let before = records.len() - of_last;
        let filtered = ended.is_some_and(|run| run.filtered);
        match ended {
            None => self.notices.push(format!(
                "{bench}: its last run, of {}, did not come to its end, or its record is missing; \
                 {} of it can be used. Measure again with `{again}`",
                date(last.started),
                show::count(of_last as u64, "case")
            )),
            Some(run) if of_last < run.cases => self.notices.push(format!(
                "{bench}: of the {} cases of its last run, only {of_last} can be used. Measure \
                 again with `{again}`",
                run.cases
            )),
            Some(_) => {}
        }
        if before > 0 && filtered {
            self.notices.push(format!(
                "{bench}: {of_last} cases were measured again by themselves on {}; the other \
                 {before} are older",
                date(last.started)
            ));
        } else if before > 0 {
            self.notices.push(format!(
                "{bench}: {before} cases are left from runs before the last one, of {}: shown, and \
                 not counted",
                date(last.started)
            ));
        }
        for record in records {
            let earlier = (record.run != last && !filtered).then_some(Doubt::Earlier);
            let doubt = earlier.or_else(|| Doubt::of(record));
            self.cells.push(Cell { record: record.clone(), doubt });
        }
        self.runs.extend(run.cloned());
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
