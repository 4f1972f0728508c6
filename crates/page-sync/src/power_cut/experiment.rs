//! Many trials, and whether they can be believed.

use std::io;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use ipc_common::{Errno, Error, Result};

use super::action::{Action, Barriers};
use super::disk::{self, Disk};
use super::trial::{self, Task, Trial};
use super::verdict::Report;

/// How often whoever watches is asked whether to stop.
const NAP: Duration = Duration::from_millis(100);

/// A trial takes a fraction of a second. One that takes so long waits for a disk that does not
/// answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a trial may take to clean up once it is to stop, before its disk is taken away.
const GRACE: Duration = Duration::from_secs(5);

/// Whoever watches an experiment.
pub trait Watcher {
    /// Whether to stop, and clean up. Asked several times a second.
    fn stop(&mut self) -> bool;

    /// The next trial, `done` of `all` being over.
    fn next(&mut self, done: usize, all: usize, action: Action, barriers: Barriers);
}

/// The experiment: which actions, how often, and how the process that is the disk is started.
///
/// ```no_run
/// use std::process::Command;
/// use page_sync::power_cut::{Action, Barriers, Experiment, Watcher};
///
/// struct Silent;
/// impl Watcher for Silent {
///     fn stop(&mut self) -> bool {
///         false
///     }
///     fn next(&mut self, _: usize, _: usize, _: Action, _: Barriers) {}
/// }
///
/// // A program that calls `serve_disk`.
/// let disk = || Command::new("/usr/libexec/page-sync-disk");
/// let report = Experiment::new(disk).actions(&[Action::Fsync]).trials(10).run(&mut Silent)?;
/// assert_eq!(report.objections(), []);
/// # Ok::<(), ipc_common::Error>(())
/// ```
#[derive(Debug)]
pub struct Experiment {
    actions: Vec<Action>,
    trials: usize,
    disk: fn() -> Command,
}

impl Experiment {
    /// All actions, three trials each. `disk` makes the command of a process that calls
    /// [`serve_disk`](super::serve_disk) with its last argument.
    pub fn new(disk: fn() -> Command) -> Experiment {
        Experiment { actions: Action::ALL.to_vec(), trials: 3, disk }
    }

    /// Only these actions. The two controls are done in any case.
    #[must_use]
    pub fn actions(mut self, actions: &[Action]) -> Experiment {
        self.actions = Action::ALL.into_iter().filter(|action| actions.contains(action)).collect();
        self
    }

    /// So many trials of each action, and of the controls; at least one.
    #[must_use]
    pub fn trials(mut self, trials: usize) -> Experiment {
        self.trials = trials.max(1);
        self
    }

    /// What is done, in this order: the actions; MS_SYNC, if it is not among them, which has to
    /// keep the pages; and everything that promises something once more without barriers, which
    /// then must not keep anything.
    fn plan(&self) -> Vec<(Action, Barriers)> {
        let with_control =
            |action: &Action| *action == Action::MsSync || self.actions.contains(action);
        let actions: Vec<Action> = Action::ALL.into_iter().filter(with_control).collect();
        let promising = actions.iter().filter(|action| !action.promises().is_empty());
        let controls = promising.map(|action| (*action, Barriers::Off));
        actions.iter().map(|action| (*action, Barriers::On)).chain(controls).collect()
    }

    /// Does it. Everything that it makes has gone when it returns, and also if it does not: mounts
    /// and loop devices end with the process.
    ///
    /// # Errors
    ///
    /// `EINTR` if the watcher says stop; those of mount(2), unshare(2), open(2) and ioctl(2), of
    /// mkfs.ext4, and of the disk's process. [`missing`](super::missing()) knows most of them before.
    pub fn run(&self, watcher: &mut dyn Watcher) -> Result<Report> {
        let plan = self.plan();
        let all = plan.len() * self.trials;
        let mut trials = Vec::with_capacity(all);
        for (action, barriers) in plan {
            for _ in 0..self.trials {
                watcher.next(trials.len(), all, action, barriers);
                trials.push(self.one(action, barriers, watcher)?);
            }
        }
        Ok(Report::new(trials))
    }

    fn one(&self, action: Action, barriers: Barriers, watcher: &mut dyn Watcher) -> Result<Trial> {
        /// Two trials of one process have different names.
        static STARTED: AtomicU64 = AtomicU64::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("page-sync-{}-{number}", std::process::id());
        let device = disk::open_device()?;
        // Here, and not on the trial's thread: the disk must not live in the namespace that has it
        // mounted. After a `kill -9` it would be the last one there, and its end would unmount the
        // file system, which would ask the disk, which is ending. (So it was, 5 times of 12: the
        // journal's thread in state D until the connection was aborted by hand.)
        let disk = Disk::start((self.disk)(), &device, &name)?;
        let stop = AtomicBool::new(false);
        let go_on = || match stop.load(Ordering::Relaxed) {
            false => Ok(()),
            true => Err(stopped()),
        };
        let task = Task { action, barriers, disk: &disk, go_on: &go_on };
        let (result, hung) = watched(watcher, &stop, &disk, || trial::run(&task, device))?;
        result.map_err(|error| {
            if stop.load(Ordering::Relaxed) {
                return stopped();
            }
            let what = match disk.ended() {
                _ if hung => {
                    format!("it did not answer for {} s and was killed", PATIENCE.as_secs())
                }
                Some(status) => format!("it ended in the middle of a trial ({status})"),
                None => return error,
            };
            Error::refused("power_cut", Errno::EIO, disk.about())
                .with_remedy(format!("{what}, and so: {error}"))
        })
    }
}

/// Runs the trial on a thread of its own, and takes its disk away if it hangs: whether it had to,
/// is the `bool`.
fn watched(
    watcher: &mut dyn Watcher,
    stop: &AtomicBool,
    disk: &Disk,
    trial: impl FnOnce() -> Result<Trial> + Send,
) -> Result<(Result<Trial>, bool)> {
    thread::scope(|scope| {
        let (done, ended) = mpsc::channel();
        let thread = thread::Builder::new()
            .spawn_scoped(scope, move || {
                // The end of the trial is the end of the channel, a panic included.
                let _done: mpsc::Sender<()> = done;
                trial()
            })
            .map_err(|error: io::Error| Error::from_io("clone", &error, "the trial's thread"))?;
        let (mut until, mut hung) = (Instant::now() + PATIENCE, false);
        while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(NAP) {
            if !stop.load(Ordering::Relaxed) && watcher.stop() {
                stop.store(true, Ordering::Relaxed);
                until = Instant::now() + GRACE;
            }
            if Instant::now() > until {
                // Whoever waits for it, in the kernel too, now gets EIO.
                disk.kill();
                hung = true;
            }
        }
        let result = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok((result, hung))
    })
}

fn stopped() -> Error {
    Error::refused("power_cut", Errno::EINTR, "").with_remedy("it was asked to stop, and has")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(actions: &[Action]) -> Vec<(Action, Barriers)> {
        Experiment::new(|| Command::new("true")).actions(actions).plan()
    }

    #[test]
    fn both_controls_are_done_whatever_was_asked_for() {
        let controls = [(Action::MsSync, Barriers::On), (Action::MsSync, Barriers::Off)];
        for action in Action::ALL {
            let plan = plan(&[action]);
            assert!(plan.contains(&(action, Barriers::On)));
            assert!(controls.iter().all(|control| plan.contains(control)), "{plan:?}");
        }
    }

    #[test]
    fn nothing_is_done_twice() {
        let plan = plan(&Action::ALL);
        let distinct: std::collections::HashSet<_> = plan.iter().collect();
        assert_eq!((plan.len(), distinct.len()), (12, 12));
    }
}
