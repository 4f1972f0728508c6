//! `power-cut`: what is on the disk when the power fails. Slide "How do mmap and POSIX shared
//! memory compare?", at "Persistence".

mod json;
mod page_cache;
mod progress;
mod table;

use std::env;
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::Command;

use clap::builder::PossibleValuesParser;
use clap::{Args, value_parser};
use ipc_common::cli::style::{ERROR, STRONG};
use ipc_common::cli::{Failure, Quit, json_line, out, shown};
use nix::unistd::geteuid;
use page_sync::power_cut::{self, Action, Experiment, Missing};

use progress::Progress;

/// Cut the power of a disk after msync, fsync and others, and see what survived. As root.
#[derive(Args)]
#[command(
    long_about = "Cut the power of a disk after msync, fsync and others, and see what survived.\n\n\
Pages 2 and 5 of a file are written through a shared mapping. Then one thing is done: nothing, \
munmap, msync(MS_ASYNC), msync(MS_SYNC), fsync, ... Then the power is cut: what the disk had in \
its cache is gone, and what it had on its platter is all there is. A copy of that is mounted, as \
after a reboot, and the pages are read: old, new, or torn.\n\n\
It is safe: no disk of yours is touched. The disk is a process that holds 16 MiB of memory and \
has a write cache, as real disks do. The kernel takes it for a disk (FUSE, a loop device, ext4), \
mounted where no other process sees it. When the command ends, however it ends, all of it is gone: \
mounts, loop devices, processes.\n\n\
It checks itself: all that promises durability is done once more on ext4 with `nobarrier`, which \
never has the disk empty its cache. Then nothing may survive; if something does, the experiment is \
broken, and says so.\n\n\
It needs root, /dev/fuse, loop devices, ext4 and mkfs.ext4. Where one of them is missing, it says \
which, and shows the page cache instead: which pages are dirty. That is not durability: a page that \
sync_file_range has cleaned is in the disk's cache, and the power cut takes it.",
    after_help = "Examples:\n  sudo page-sync power-cut\n  page-sync power-cut --page-cache\n  \
sudo page-sync power-cut --trials 10 --action ms-sync --action sync-file-range\n\n\
Exit codes: 0 done; 1 failed: something is missing, or the experiment is broken, or a promise is; \
2 wrong usage; 128 + n ended by signal n."
)]
pub struct PowerCut {
    /// How often each action is tried
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = value_parser!(u16).range(1..=1000))]
    trials: u16,
    /// Only this action, and the controls; can be given more than once
    #[arg(long = "action", value_name = "NAME", value_parser = PossibleValuesParser::new(Action::ALL.map(Action::name)))]
    actions: Vec<String>,
    /// Only look which pages are dirty, on a file of your own; needs no root, and is no durability
    #[arg(long, conflicts_with = "trials")]
    page_cache: bool,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

impl PowerCut {
    pub fn run(self) -> Result<(), Failure> {
        let actions = self.actions();
        if self.page_cache {
            return page_cache::show(&actions, self.json);
        }
        let missing = power_cut::missing();
        if !missing.is_empty() {
            complain(&missing);
            // A pipe that is closed is no failure; that there was no power cut is one.
            match page_cache::show(&actions, self.json) {
                Ok(()) => return Err(Failure::Said),
                Err(failure) => return Err(failure),
            }
        }
        let quit = Quit::watch()?;
        let mut progress = Progress::new(&quit);
        let experiment = Experiment::new(helper).trials(self.trials.into()).actions(&actions);
        let report = experiment.run(&mut progress);
        progress.clear();
        quit.check()?;
        let report = report?;
        let mut out = out();
        match self.json {
            true => writeln!(out, "{}", json_line(&json::of(&report)))?,
            false => table::print(&mut out, &report)?,
        }
        out.flush()?;
        let objections = report.objections();
        for objection in &objections {
            let _ = writeln!(anstream::stderr(), "{ERROR}error:{ERROR:#} {objection}");
        }
        if objections.is_empty() { Ok(()) } else { Err(Failure::Said) }
    }

    /// Those that were named, or all.
    fn actions(&self) -> Vec<Action> {
        let named = |action: &Action| self.actions.iter().any(|name| name == action.name());
        let all = self.actions.is_empty();
        Action::ALL.into_iter().filter(|action| all || named(action)).collect()
    }
}

fn complain(missing: &[Missing]) {
    let mut errors = anstream::stderr();
    // Nobody is left to tell if standard error is closed.
    let _ = writeln!(errors, "{ERROR}error:{ERROR:#} no power cut here. What is missing:");
    for Missing { what, remedy } in missing {
        let _ = writeln!(errors, "  {STRONG}{what}{STRONG:#}: {remedy}");
    }
    if let (false, Ok(program)) = (geteuid().is_root(), env::current_exe()) {
        // `sudo cargo run` would often not find cargo, and build as root if it did.
        let _ = writeln!(errors, "  {STRONG}sudo {} power-cut{STRONG:#}", shown(&program));
    }
}

/// This very program, as the disk or the machine.
fn helper() -> Command {
    // Not `current_exe`: it would name a deleted file if cargo rebuilds meanwhile.
    let mut command = Command::new("/proc/self/exe");
    command.arg0(env::args_os().next().unwrap_or_default());
    command.arg("power-cut-helper");
    command
}

/// Is the disk, or the machine. Started by `power-cut`.
#[derive(Args)]
pub struct Helper {
    /// What an experiment adds
    #[arg(trailing_var_arg = true)]
    arguments: Vec<OsString>,
}

impl Helper {
    pub fn run(self) -> Result<(), Failure> {
        Ok(power_cut::helper(&self.arguments)?)
    }
}
