//! The cell itself: builds, and then runs one check after the other, each in a process of its own,
//! watched from here.

use std::fs::File;
use std::time::{Duration, Instant};

use ipc_common::{Errno, Error, Result};
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::child::{self, Stopped};
use super::places::Places;
use super::{Event, Grading, Job, Task, check, lock, places};
use crate::build::{self, Tools};
use crate::check::LabChecks;
use crate::evidence::census;
use crate::random::{Random, Seed};
use crate::sandbox::{Ended, Identity, Launch, Mode, Process, floods, namespace, sweep};
use crate::verdict::{Build, Outcome};

/// All that a cell's parts need to know.
pub(super) struct Cell<'a> {
    pub(super) job: &'a Job,
    pub(super) identity: Identity,
    pub(super) places: Places,
}

/// The cell's life, in a child of the warden. Its exit code.
pub(super) fn run(job: &Job, identity: Identity, lock: Option<File>, labs: &[LabChecks]) -> i32 {
    match work(job, identity, lock, labs) {
        Ok(()) => {
            Event::Done.tell();
            0
        }
        Err(error) => {
            Event::Broken { what: error.to_string() }.tell();
            1
        }
    }
}

fn work(job: &Job, identity: Identity, lock: Option<File>, labs: &[LabChecks]) -> Result<()> {
    let failed = |call: &'static str| move |errno: Errno| Error::new(call, errno, "the cell");
    // If the warden is killed, nobody else is left to kill us.
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(failed("prctl"))?;
    prctl::set_child_subreaper(true).map_err(failed("prctl"))?;
    SigSet::empty().thread_set_mask().map_err(failed("sigprocmask"))?;
    let tools = match &job.task {
        Task::Probe | Task::Sweep { .. } => None,
        Task::Prove(tools) => Some(&**tools),
        Task::Grade(grading) => Some(&grading.tools),
    };
    let places = Places::make(job, identity, tools)?;
    if job.mode == Mode::Full && !namespace::bound_sysv()? {
        let what = "this kernel does not let a user bound System V memory in a namespace of his \
                    own: it is watched instead";
        Event::Remark { what: what.into() }.tell();
    }
    let cell = Cell { job, identity, places };
    match &job.task {
        Task::Sweep { .. } => Ok(()),
        Task::Probe => cell.probe(),
        Task::Prove(tools) => cell.prove(tools),
        Task::Grade(grading) => cell.grade(grading, lock, labs),
    }
}

impl Cell<'_> {
    /// A harmless program, with all around it that a student's would have.
    fn probe(&self) -> Result<()> {
        if self.job.mode == Mode::Full {
            namespace::for_my_programs()?;
        }
        let folder = self.places.for_a_check("probe", self.identity)?;
        let launch = Launch::new(self.job.mode, self.identity, "/bin/true".as_ref(), &folder)?
            .may_write(&folder)
            .in_own_root(self.job.mode == Mode::Full);
        let mut process = Process::start(&launch)?;
        match process.wait(Instant::now() + Duration::from_secs(20), &mut || {}) {
            Some(Ended::Exited(0)) => Ok(()),
            Some(how) => Err(Error::refused("probe", Errno::ECHILD, how.to_string())),
            None => Err(Error::refused("probe", Errno::ETIMEDOUT, "/bin/true")),
        }
    }

    /// Compiles, in a child: rustc gets a process namespace of its own.
    fn build(&self, grading: &Grading) -> Result<Build> {
        let built = self.with_compiler(|| {
            build::compile(self.job.mode, self.identity, grading, &self.places)
        })?;
        Ok(built.unwrap_or_else(|flood| Build {
            succeeded: false,
            messages: format!("error: the compiler had {flood}\n"),
            millis: 0,
        }))
    }

    /// Compiles something that is right.
    fn prove(&self, tools: &Tools) -> Result<()> {
        let proved =
            self.with_compiler(|| build::prove(self.job.mode, self.identity, tools, &self.places))?;
        proved.map_err(|flood| Error::refused("rustc", Errno::ENOMEM, flood))
    }

    /// Does something with the compiler, in a child; or what flowed over.
    fn with_compiler<T: Serialize + DeserializeOwned>(
        &self,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<std::result::Result<T, String>> {
        let folders = [self.places.build.as_path()];
        // Programs that could make System V objects do not run yet.
        let before = census::all()?;
        let watch = || floods::look(self.job.mode, self.identity, &before, &folders);
        let done =
            child::run(build::PATIENCE * 3, watch, || work().map_err(|error| error.to_string()));
        sweep::run(self.job.mode, self.identity);
        let broken = |what| Err(Error::refused("build", Errno::ECHILD, "rustc").with_remedy(what));
        match done {
            Ok(Ok(done)) => Ok(Ok(done)),
            Err(Stopped::Flood(what)) => Ok(Err(what)),
            Ok(Err(what)) | Err(Stopped::Broken(what)) => broken(what),
            // Each of its steps has a limit of its own, which is lower.
            Err(Stopped::TimeOut) => broken("the compiler did not get to work".into()),
        }
    }

    fn grade(&self, grading: &Grading, lock: Option<File>, labs: &[LabChecks]) -> Result<()> {
        let Some(lab) = labs.iter().find(|lab| lab.lab == grading.lab) else {
            return Err(Error::refused("grade", Errno::ENOENT, format!("lab {}", grading.lab)));
        };
        let begun = Instant::now();
        let built = self.build(grading)?;
        let millis = millis(begun);
        Event::Built(Build { millis, ..built.clone() }).tell();
        // What the compiler left is of no use to anybody, and in the way of the memory limit.
        places::empty(&self.places.build)?;
        if !built.succeeded {
            return Ok(());
        }
        let _alone = lock.map(lock::wait).transpose()?;
        let before = if self.job.mode == Mode::Full { Vec::new() } else { census::all()? };
        let mut rounds = Random::new(grading.seed, "rounds");
        for round in 0..grading.rounds {
            // The first round's seed is the one that is recorded.
            let seed = if round == 0 { grading.seed } else { Seed::of(&mut rounds) };
            let mut passed: Vec<&str> = Vec::new();
            for order in &grading.checks {
                let (outcome, millis) = match lab.checks.iter().find(|check| check.id == order.id) {
                    None => (Outcome::GraderFailed { what: "there is no code for it".into() }, 0),
                    Some(check) => {
                        match order.depends.iter().find(|id| !passed.contains(&id.as_str())) {
                            // It could only repeat, at length, what has been said already.
                            Some(id) => (Outcome::NotRun { why: format!("it needs {id}") }, 0),
                            None => check::run(self, check, order, seed, round, &before),
                        }
                    }
                };
                if outcome.is_passed() {
                    passed.push(&order.id);
                }
                Event::Checked { id: order.id.clone(), round, outcome, millis }.tell();
            }
        }
        Ok(())
    }
}

pub(super) fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
