//! A bench: its groups and cases, handed to criterion and written down.
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use benches::bench::{About, Case};
//! use benches::{Bench, Watch, floor};
//!
//! fn main() -> ExitCode {
//!     let mut bench = match Bench::start("example") {
//!         Ok(bench) => bench,
//!         Err(code) => return code,
//!     };
//!     let mut floor = floor::alone();
//!     let about = About { varies: "bytes", reference: "copied", ..About::default() };
//!     let mut group = bench.group("example: a vector", about, &mut floor);
//!     let old = vec![1_u8; 4096];
//!     let mut copied = |watch: &mut Watch, rounds| watch.on(|| (0..rounds).for_each(|_| drop(old.clone())));
//!     let mut filled = |watch: &mut Watch, rounds| watch.on(|| (0..rounds).for_each(|_| drop(vec![1_u8; 4096])));
//!     let case = Case { function: "filled", value: "4096".into(), bytes: 4096, ..Case::default() };
//!     group.case(&case, &mut filled, &mut copied);
//!     group.finish();
//!     bench.finish()
//! }
//! ```

mod group;
mod measure;
mod output;

pub use group::{About, Case, Group};
pub use output::stop;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use criterion::Criterion;

use crate::files::Place;
use crate::floor::Steady;
use crate::machine::Machine;
use crate::results::{self, Run, RunRecord, SCHEMA, Skip};
use crate::settings::{self, Mode, Settings};

/// A bench that runs.
pub struct Bench {
    criterion: Criterion,
    context: Context,
    tally: Tally,
    started: Instant,
}

/// What is the same for all cases of a run.
struct Context {
    mode: Mode,
    settings: Settings,
    place: Place,
    machine: Machine,
    run: Run,
    home: std::path::PathBuf,
    /// Whether criterion keeps what it measures.
    keeps: bool,
    /// Whether the command line says how many samples.
    samples_given: bool,
}

/// What became of the cases so far.
#[derive(Default)]
struct Tally {
    asked: usize,
    measured: usize,
    skipped: Vec<Skip>,
}

impl Bench {
    /// Reads settings and arguments, and says where it will measure.
    ///
    /// # Errors
    ///
    /// The exit code, once what is wrong has been said: 2 for a setting, 1 for a folder.
    pub fn start(name: &'static str) -> Result<Bench, ExitCode> {
        let mode = Mode::of_process();
        output::end_with_a_broken_pipe();
        if mode == Mode::Help {
            // Criterion's own follows, and ends the process.
            output::say(&settings::help(name));
        }
        let settings = Settings::from_environment().map_err(|why| output::wrong_usage(&why))?;
        let quick = settings.is_quick(mode);
        let home = results::home();
        let criterion = configured(mode).output_directory(&home).configure_from_args();
        let place = Place::choose(&settings, &results::target())
            .map_err(|error| output::failed(&error.to_string()))?;
        let machine = Machine::this();
        if mode.measures() {
            output::say(&format!("{name}: {machine}; files in {place}\n"));
        }
        let run = Run::begins(name, quick);
        let keeps = Mode::keeps_results(std::env::args().skip(1));
        let samples_given = std::env::args().any(|told| told.starts_with("--sample-size"));
        let context = Context { mode, settings, place, machine, run, home, keeps, samples_given };
        Ok(Bench { criterion, context, tally: Tally::default(), started: Instant::now() })
    }

    /// What is asked for.
    pub fn mode(&self) -> Mode {
        self.context.mode
    }

    /// Whether it has to be done in a minute.
    pub fn is_quick(&self) -> bool {
        self.context.run.quick
    }

    /// Whether it is only tried out: one round of everything.
    pub fn is_test(&self) -> bool {
        self.context.mode == Mode::Test
    }

    /// Where files are made.
    pub fn place(&self) -> &Place {
        &self.context.place
    }

    /// The sizes to measure, of those that the bench has; see [`Settings::choose`].
    pub fn sizes(&self, own: &[u64], quick: &[u64]) -> Vec<u64> {
        self.context.settings.choose(own, quick, self.context.mode)
    }

    /// The sizes of what is no file: `BENCH_SIZES` is about files.
    pub fn sizes_of(&self, own: &[u64]) -> Vec<u64> {
        self.context.settings.choose_of(own, self.context.mode)
    }

    /// Says aloud that something is not measured, and writes it down.
    pub fn skip(&mut self, what: impl Into<String>, because: impl Into<String>) {
        self.tally.skip(what.into(), because.into());
    }

    /// Whether so much fits on the disk; if not, `what` is skipped.
    pub fn has_room(&mut self, bytes: u64, what: &str) -> bool {
        match self.context.place.has_room(bytes) {
            Ok(()) => true,
            Err(because) => {
                self.skip(what, because);
                false
            }
        }
    }

    /// A group of cases that are compared with one another. A group can be taken up again under the
    /// same name: with another size, say.
    pub fn group<'a>(
        &'a mut self,
        name: impl Into<String>,
        about: About,
        floor: &'a mut Steady,
    ) -> Group<'a> {
        let name = name.into();
        let criterion = self.criterion.benchmark_group(&name);
        Group::new(name, about, criterion, floor, &self.context, &mut self.tally)
    }

    /// Writes down what became of the run.
    pub fn finish(self) -> ExitCode {
        self.criterion.final_summary();
        let Tally { asked, measured, skipped } = self.tally;
        if !self.context.mode.measures() || !self.context.keeps {
            return ExitCode::SUCCESS;
        }
        let record = RunRecord {
            schema: SCHEMA,
            run: self.context.run,
            seconds: self.started.elapsed().as_secs_f64(),
            cases: measured,
            filtered: measured < asked,
            skipped,
            machine: self.context.machine,
        };
        let [seconds, skips] = [record.seconds.round() as usize, record.skipped.len()];
        match results::write_run(&self.context.home, &record) {
            Ok(path) => {
                output::say(&format!(
                    "{measured} cases in {seconds} s, {skips} skipped; {}",
                    path.display()
                ));
                ExitCode::SUCCESS
            }
            Err(error) => output::failed(&format!("{}: {error}", self.context.home.display())),
        }
    }
}

impl Tally {
    fn skip(&mut self, what: String, because: String) {
        output::say(&format!("SKIPPED {what}: {because}"));
        self.skipped.push(Skip { what, because });
    }
}

/// Criterion as we want it; its command line has the last word.
fn configured(mode: Mode) -> Criterion {
    let (warm_up, measurement) = match mode {
        // In its quick mode criterion has no warm-up, and the other is a limit.
        Mode::Quick => (100, 200),
        _ => (300, 1000),
    };
    Criterion::default()
        // Each sample is some pairs already.
        .sample_size(20)
        .warm_up_time(Duration::from_millis(warm_up))
        .measurement_time(Duration::from_millis(measurement))
        // Without threads to help, the default of 100,000 takes longer than the measurement.
        .nresamples(if mode == Mode::Quick { 2_000 } else { 10_000 })
}
