//! `lab watch`: checks again at every save.

use std::fs;
use std::io::{IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use grader::build::Submission;
use grader::random::Seed;
use grader::sandbox::Mode;
use grader::supervisor::{Course, Plan, Ready, Supervisor};
use ipc_common::cli::{Failure, out, style, warn};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use super::{check, seed};

/// How long a folder has to be quiet: an editor writes a file in several steps, or several files.
const QUIET: Duration = Duration::from_millis(120);
/// How often it is looked without having been told: some file systems tell nothing.
const LOOK: Duration = Duration::from_secs(1);

/// Check a lab at every save, until Ctrl-C.
#[derive(Args)]
#[command(after_help = "\
Nothing waits for cargo's lock while it watches: what is checked is compiled by rustc itself, into a
folder of its own, so rust-analyzer and cargo can work beside it.

Exit codes: 1 failed, 2 wrong usage, 130 ended by Ctrl-C.")]
pub struct Watch {
    /// The lab: see `lab list`.
    lab: String,
    /// Only this check, and what it depends on. May be given several times.
    #[arg(long)]
    only: Vec<String>,
    /// What to put around your program; the best that there is here, if it is not given.
    #[arg(long)]
    mode: Option<Mode>,
    /// The same random numbers each time: those of this seed, or of @ and a file with one.
    #[arg(long, value_name = "SEED|@FILE", value_parser = seed::given)]
    seed: Option<Seed>,
}

impl Watch {
    /// Runs it.
    ///
    /// # Errors
    ///
    /// If the lab's files cannot be looked at any more.
    pub fn run(self) -> Result<(), Failure> {
        let course = Course::find()?;
        let lab = course.lab(&self.lab)?;
        check::known(&lab.rubric, &self.only)?;
        let supervisor = Supervisor::new(course, self.mode, Path::new("/proc/self/exe"))?;
        let ready = check::prepare(&supervisor, &lab)?;
        let files: Vec<PathBuf> = lab.rubric.files.iter().map(|f| lab.folder.join(f)).collect();
        let mut watcher = Watcher::of(files);
        let plan = Plan {
            only_visible: true,
            only: self.only.clone(),
            seed: self.seed,
            ..Plan::default()
        };
        loop {
            self.once(&supervisor, &ready, &plan)?;
            watcher.until_changed();
        }
    }

    fn once(&self, supervisor: &Supervisor, ready: &Ready, plan: &Plan) -> Result<(), Failure> {
        let mut out = out();
        if std::io::stdout().is_terminal() {
            // A fresh screen; what was there before is in the scrollback.
            write!(out, "\x1b[H\x1b[2J")?;
        }
        let strong = style::STRONG;
        writeln!(out, "{strong}{}{strong:#}", self.lab)?;
        let submission = Submission::at(&ready.lab.folder);
        let report = check::aloud(supervisor, ready, &submission, plan)?;
        check::remember(&report);
        let faint = style::FAINT;
        writeln!(out, "{faint}watching; save to check again, Ctrl-C to end{faint:#}")?;
        out.flush()?;
        Ok(())
    }
}

/// Knows what the files held when they were last looked at.
struct Watcher {
    files: Vec<PathBuf>,
    contents: Vec<Option<Vec<u8>>>,
    inotify: Option<Inotify>,
}

impl Watcher {
    /// Before the first check: what is saved while it runs is a change, too.
    fn of(files: Vec<PathBuf>) -> Watcher {
        let contents = read(&files);
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK);
        let watcher = Watcher { files, contents, inotify: inotify.ok() };
        if !watcher.listen() {
            warn(&"inotify tells nothing here: the files are looked at once a second");
        }
        watcher
    }

    /// Watches the folders: editors put a new file in the place of the old one. Whether it worked; a
    /// folder that is watched already stays so.
    fn listen(&self) -> bool {
        let Some(inotify) = &self.inotify else { return false };
        let flags = AddWatchFlags::IN_CLOSE_WRITE
            | AddWatchFlags::IN_MOVED_TO
            | AddWatchFlags::IN_DELETE
            | AddWatchFlags::IN_ONLYDIR;
        let folders = self.files.iter().filter_map(|file| file.parent());
        // All of them, also after one that failed.
        folders.filter(|folder| inotify.add_watch(*folder, flags).is_err()).count() == 0
    }

    /// Waits until they hold something else, and somebody has stopped writing.
    fn until_changed(&mut self) {
        loop {
            let now = read(&self.files);
            // A file that is gone for a moment is about to be written.
            if now != self.contents && now.iter().all(Option::is_some) && !self.is_told(QUIET) {
                self.contents = now;
                return;
            }
            self.is_told(LOOK);
            // The folder may be another one by now: `git checkout`, `lab reset`.
            self.listen();
        }
    }

    /// Waits for news of the kernel's, for a while.
    fn is_told(&self, limit: Duration) -> bool {
        let Some(inotify) = &self.inotify else {
            std::thread::sleep(limit);
            return false;
        };
        let mut ready = [PollFd::new(inotify.as_fd(), PollFlags::POLLIN)];
        let limit = PollTimeout::try_from(limit).unwrap_or(PollTimeout::ZERO);
        let told = matches!(poll(&mut ready, limit), Ok(1..));
        if told {
            // Which of them it was does not matter.
            let _ = inotify.read_events();
        }
        told
    }
}

fn read(files: &[PathBuf]) -> Vec<Option<Vec<u8>>> {
    // A FIFO would be waited for; what it is, is for the check to say.
    let is_file = |file: &&PathBuf| fs::metadata(file).is_ok_and(|found| found.is_file());
    files.iter().map(|file| fs::read(Some(file).filter(is_file)?).ok()).collect()
}
