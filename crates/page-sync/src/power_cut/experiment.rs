//! Many trials, and whether they can be believed.

use std::fs::File;
use std::process::{self, Command};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ipc_common::{Errno, Error, Result};

use super::action::{Action, Barriers};
use super::disk::{self, Disk, DiskKind};
use super::image;
use super::loop_device;
use super::machine::{Machine, Said};
use super::trial::{Task, Trial};
use super::verdict::Report;

/// How often whoever watches is asked whether to stop.
const NAP: Duration = Duration::from_millis(100);

/// A trial takes a fraction of a second. One that takes so long waits for a disk that does not
/// answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a machine that was killed may take to unmount before its disk is taken away.
const GRACE: Duration = Duration::from_secs(5);

/// Whoever watches an experiment.
pub trait Watcher {
    /// Whether to stop, and clean up. Asked several times a second.
    fn stop(&mut self) -> bool;

    /// The next trial, `done` of `all` being over.
    fn next(&mut self, done: usize, all: usize, action: Action, barriers: Barriers);
}

/// The experiment: which actions, how often, and how the processes that it needs are started.
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
/// // A program that calls `helper` with its arguments.
/// let helper = || Command::new("/usr/libexec/page-sync-helper");
/// let report = Experiment::new(helper).actions(&[Action::Fsync]).trials(10).run(&mut Silent)?;
/// assert_eq!(report.objections(), []);
/// # Ok::<(), ipc_common::Error>(())
/// ```
#[derive(Debug)]
pub struct Experiment {
    actions: Vec<Action>,
    trials: usize,
    disk: DiskKind,
    helper: fn() -> Command,
}

/// What is said when the disk has gone: by FUSE, by the loop device, and by an ext4 that finds its
/// bitmaps unreadable (no room), its journal aborted (read-only), or nonsense in a block.
const IT_MAY_HAVE_DIED: [Errno; 7] = [
    Errno::EIO,
    Errno::ENOTCONN,
    Errno::ECONNABORTED,
    Errno::ENOSPC,
    Errno::EROFS,
    Errno::EUCLEAN,
    Errno::EBADMSG,
];

impl Experiment {
    /// All actions, three trials each, on an honest disk. `helper` makes the command of a process
    /// that calls [`helper`](super::helper()) with the arguments that are added to it.
    pub fn new(helper: fn() -> Command) -> Experiment {
        Experiment { actions: Action::ALL.to_vec(), trials: 3, disk: DiskKind::Honest, helper }
    }

    /// On another kind of disk: to see that the experiment would notice.
    #[must_use]
    pub fn disk(self, disk: DiskKind) -> Experiment {
        Experiment { disk, ..self }
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
        let mut go_on = || if watcher.stop() { Err(stopped()) } else { Ok(()) };
        let image = image::formatted(disk::BYTES as u64, &mut go_on)?;
        for (action, barriers) in plan {
            for _ in 0..self.trials {
                watcher.next(trials.len(), all, action, barriers);
                trials.push(self.one(action, barriers, &image, watcher)?);
            }
        }
        Ok(Report::new(trials))
    }

    fn one(
        &self,
        action: Action,
        barriers: Barriers,
        image: &File,
        watcher: &mut dyn Watcher,
    ) -> Result<Trial> {
        /// Two trials of one process have different names.
        static STARTED: AtomicU64 = AtomicU64::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let task = Task { action, barriers, name: format!("page-sync-{}-{number}", process::id()) };
        let device = disk::open_device()?;
        let mut machine = Machine::start((self.helper)(), &task, &device)?;
        let mut disk = None;
        let start = |device| Disk::start((self.helper)(), self.disk, &task.name, image, device);
        let result = trial(&mut machine, &task, watcher, &mut disk, device, &start);
        let ended = machine.end(GRACE);
        if let Some(disk) = disk.as_mut().filter(|_| ended.is_none()) {
            // The machine waits for it, in the kernel, and now gets EIO.
            disk.kill();
        }
        result.map_err(|error| {
            let died = IT_MAY_HAVE_DIED.contains(&error.errno());
            let blamed = disk.as_mut().filter(|_| died).and_then(|disk| {
                // Unmounted, it ends by itself, and with success: then it was there all the time.
                let status = disk.ended().filter(|status| !status.success())?;
                Some(format!("{}, ended in the middle of it ({status})", disk.about()))
            });
            // Waits until it is unmounted.
            drop(machine);
            loop_device::wait_until_none_shows(&task.name);
            match blamed {
                Some(blamed) => Error::refused("power_cut", Errno::EIO, "a trial")
                    .with_remedy(format!("{blamed}, and so: {}", error.remedy())),
                None => error,
            }
        })
    }
}

/// Listens to the machine, and gives it its disk when it has mounted it.
fn trial(
    machine: &mut Machine,
    task: &Task,
    watcher: &mut dyn Watcher,
    disk: &mut Option<Disk>,
    device: File,
    start: &dyn Fn(File) -> Result<Disk>,
) -> Result<Trial> {
    let (mut device, until) = (Some(device), Instant::now() + PATIENCE);
    loop {
        let said = machine.says(NAP, task)?;
        if let Said::Done(result) = said {
            return result;
        }
        if watcher.stop() {
            return Err(stopped());
        }
        let wrong = match said {
            Said::Mounted => {
                *disk = device.take().map(start).transpose()?;
                continue;
            }
            Said::Gone => match machine.end(GRACE) {
                Some(status) => format!("it ended in the middle of a trial ({status})"),
                None => "it ended in the middle of a trial".to_owned(),
            },
            _ if Instant::now() > until => {
                format!("its disk did not answer for {} s", PATIENCE.as_secs())
            }
            _ => continue,
        };
        return Err(
            Error::refused("power_cut", Errno::ETIMEDOUT, machine.about()).with_remedy(wrong)
        );
    }
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
