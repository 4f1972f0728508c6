//! Cases that are compared with one another.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, SamplingMode, Throughput};

use super::measure::Turns;
use super::{Context, Tally, output};
use crate::counts::{faults_wherever_it_lies, system_calls};
use crate::floor::Steady;
use crate::results::{self, Counts, Id, Record, SCHEMA, Where};
use crate::settings::Mode;
use crate::watch;
use crate::watch::Work;

/// Whose counts they are, if there is only one.
pub(super) const ONE_PROCESS: &str = "the process";

/// What the cases of a group have in common.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// What a case's value is: `bytes in the file`.
    pub varies: &'static str,
    /// The function that all are compared with.
    pub reference: &'static str,
    /// More that a report may sort by.
    pub labels: Vec<(&'static str, String)>,
    /// Whether the cases use files.
    pub uses_files: bool,
    /// Whether a round takes so long that ten samples have to do, unless `--sample-size` is given.
    pub long: bool,
    /// Whose faults and system calls are counted, if there is more than one process.
    pub counts_of: Option<&'static str>,
}

/// A contender at a size.
#[derive(Clone, Debug, Default)]
pub struct Case<'a> {
    /// Who: `mmap, fresh`.
    pub function: &'a str,
    /// At which size, or whatever else varies.
    pub value: String,
    /// Bytes that a round handles.
    pub bytes: u64,
    /// Labels of its own.
    pub labels: &'a [(&'static str, &'a str)],
}

/// See [`super::Bench::group`].
pub struct Group<'a> {
    name: String,
    about: About,
    criterion: BenchmarkGroup<'a, WallTime>,
    floor: &'a mut Steady,
    context: &'a Context,
    tally: &'a mut Tally,
}

impl<'a> Group<'a> {
    pub(super) fn new(
        name: String,
        about: About,
        mut criterion: BenchmarkGroup<'a, WallTime>,
        floor: &'a mut Steady,
        context: &'a Context,
        tally: &'a mut Tally,
    ) -> Group<'a> {
        // Every sample the same number of rounds: a round may take a second.
        criterion.sampling_mode(SamplingMode::Flat);
        if about.long && !context.samples_given {
            criterion.sample_size(10);
        }
        Group { name, about, criterion, floor, context, tally }
    }

    /// Measures a case, in turns with what it is compared with; then counts its faults and system
    /// calls; then writes it all down.
    ///
    /// Nothing is done for a case that criterion's filter leaves out: so whatever is expensive should
    /// happen in the work's first round, which is never timed.
    pub fn case(&mut self, case: &Case<'_>, work: &mut Work<'_>, reference: &mut Work<'_>) {
        self.tally.asked += 1;
        let mut turns = Turns::new(self.floor, work, reference, self.context.mode == Mode::Quick);
        let measures = self.context.mode.measures();
        let id = BenchmarkId::new(case.function, &case.value);
        self.criterion.throughput(Throughput::Bytes(case.bytes));
        self.criterion.bench_function(id, |bencher| {
            bencher.iter_custom(|rounds| match measures {
                true => turns.rounds(rounds),
                false => turns.try_out(rounds),
            });
        });
        let Some(measured) = turns.measured(self.about.reference) else {
            if turns.tried() {
                // Whether counting works is worth a try, too.
                let _ = (watch::faults(work), system_calls(work));
            }
            return;
        };
        // Faults first: the fork for the other leaves every page of ours to be copied when written,
        // and that is a fault. (The next case's first round, which is not timed, takes those.)
        let faults = faults_wherever_it_lies(work, case.bytes);
        let counts = Counts {
            faults: faults.usual,
            faults_range: Some(faults.range),
            system_calls: system_calls(work),
            of: self.about.counts_of.unwrap_or(ONE_PROCESS).into(),
        };
        let record = Record {
            schema: SCHEMA,
            id: Id {
                group: self.name.clone(),
                function: case.function.into(),
                value: case.value.clone(),
            },
            work: self.work(case),
            measured,
            counts,
            place: self.about.uses_files.then(|| self.place()),
            run: self.context.run.clone(),
            machine: self.context.machine.clone(),
        };
        output::case(&record);
        if self.context.keeps
            && let Err(error) = results::write_case(&self.context.home, &record)
        {
            output::stop(&format!("{}: {error}", self.context.home.display()));
        }
        self.tally.measured += 1;
    }

    /// Says aloud that something of the group is not measured, and writes it down.
    pub fn skip(&mut self, what: &str, because: impl Into<String>) {
        self.tally.skip(format!("{}, {what}", self.name), because.into());
    }

    /// Criterion's end of the group.
    pub fn finish(self) {
        self.criterion.finish();
    }

    fn work(&self, case: &Case<'_>) -> results::Work {
        let group = self.about.labels.iter().map(|(name, value)| (*name, value.as_str()));
        let labels = group.chain(case.labels.iter().copied());
        results::Work {
            bytes: case.bytes,
            varies: self.about.varies.into(),
            labels: labels.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        }
    }

    fn place(&self) -> Where {
        let place = &self.context.place;
        Where {
            folder: place.folder().display().to_string(),
            file_system: place.file_system().into(),
        }
    }
}
