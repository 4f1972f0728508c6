//! Whether anything is left of what was run: looked for from outside, not by what the grader says of
//! its own sweep.

use std::fs;
use std::time::{Duration, Instant};

use crate::evidence::census::{self, Object};
use crate::evidence::process;
use crate::sandbox::{Mode, sweep};
use crate::supervisor::is_of_a_run_user;

/// What there was before.
#[derive(Debug)]
pub struct Leftovers {
    mode: Mode,
    objects: Vec<Object>,
    mounts: usize,
    files: Vec<String>,
}

/// Where every user may write.
const PUBLIC: [&str; 4] = ["/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue"];

impl Leftovers {
    /// Looks at what there is, before programs are run in a mode.
    ///
    /// # Errors
    ///
    /// If the kernel has no System V IPC.
    pub fn before(mode: Mode) -> ipc_common::Result<Leftovers> {
        // Programs whose keeper has gone would become our children, and be seen.
        nix::sys::prctl::set_child_subreaper(true)
            .map_err(|errno| ipc_common::Error::new("prctl", errno, "a subreaper"))?;
        Ok(Leftovers { mode, objects: census::all()?, mounts: mounts(), files: files() })
    }

    /// What has come since and belongs to the programs that were run, in words. None of them may be
    /// running any more.
    ///
    /// Other programs come and go on this machine meanwhile. Counted is what belongs to a run's user;
    /// and, in modes where the programs are this user's and in no namespace, those System V objects
    /// whose maker is dead, and which nobody removes for a while.
    ///
    /// # Errors
    ///
    /// If the kernel has no System V IPC.
    pub fn since(&self) -> ipc_common::Result<Vec<String>> {
        const PATIENCE: Duration = Duration::from_secs(10);
        let until = Instant::now() + PATIENCE;
        let mut left = self.now()?;
        // What somebody else's run has just now is gone soon, though others may follow.
        while !left.is_empty() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(100));
            let now = self.now()?;
            left.retain(|what| now.contains(what));
        }
        Ok(left)
    }

    fn now(&self) -> ipc_common::Result<Vec<String>> {
        let below = sweep::below(std::process::id().cast_signed());
        // One that has ended, and that nobody has waited for yet, holds nothing.
        let runs = |pid: &i32| process::state(*pid).is_some_and(|state| state != 'Z');
        let running = below.into_iter().filter(runs);
        let mut left: Vec<String> = running.map(|pid| format!("process {pid}")).collect();
        let me = self.mode.is_alone().then(|| nix::unistd::geteuid().as_raw());
        for object in census::all()? {
            let known = self.objects.iter().any(|o| (o.kind, o.id) == (object.kind, object.id));
            let of_mine =
                Some(object.creator) == me && object.maker != 0 && !sweep::maker_lives(&object);
            if !known && (of_mine || is_of_a_run_user(object.creator)) {
                left.push(object.to_string());
            }
        }
        if mounts() > self.mounts {
            left.push(format!("{} mounts more", mounts() - self.mounts));
        }
        left.extend(files().into_iter().filter(|file| !self.files.contains(file)));
        Ok(left)
    }
}

fn mounts() -> usize {
    fs::read_to_string("/proc/self/mountinfo").unwrap_or_default().lines().count()
}

/// Files of a run's user where everybody may write, and folders of runs of this process.
fn files() -> Vec<String> {
    use std::os::unix::fs::MetadataExt;
    let own = format!("ipc-course-run-{}-", std::process::id());
    let mut places: Vec<std::path::PathBuf> = PUBLIC.iter().map(Into::into).collect();
    places.push(std::env::temp_dir());
    let entries =
        places.iter().flat_map(|place| fs::read_dir(place).into_iter().flatten().flatten());
    let suspicious = entries.filter(|entry| {
        let owner = fs::symlink_metadata(entry.path()).map_or(0, |found| found.uid());
        is_of_a_run_user(owner) || entry.file_name().to_string_lossy().starts_with(&own)
    });
    suspicious.map(|entry| format!("file {}", entry.path().display())).collect()
}
