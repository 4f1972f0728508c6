//! Where the demo happens: a folder on a disk, removed with all that is in it.

use std::env;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Args;
use ipc_common::cli::{Actor, Failure, Quit, outlive_parent};
use ipc_common::{Errno, Error};
use nix::unistd::mkdtemp;
use page_sync::durable::leftovers;
use page_sync::inspect::{Answer, FileSystem, FileSystemKind};

/// How long the cleaner waits for a disk, and how often it looks. Nobody waits for the cleaner.
const PATIENCE: Duration = Duration::from_secs(600);
const NAP: Duration = Duration::from_millis(50);

/// The files that a demo makes.
pub const LECTURE: &str = "lecture";
pub const PAGE: &str = "page";
pub const WHOLE: &str = "whole";

/// Removed by `Drop`, also after Ctrl-C and every failure; after kill -9, by a child that waits for
/// our end.
pub struct Stage {
    pub folder: PathBuf,
    _clean_up: Actor,
}

impl Stage {
    pub fn build(quit: &Quit) -> Result<Stage, Failure> {
        let folder = fresh_folder()?;
        let clean_up = Actor::start("cleaner", [Path::new("demo-clean-up"), &folder])
            .and_then(|mut actor| actor.line(quit).map(|_ready| actor));
        match clean_up {
            Ok(_clean_up) => Ok(Stage { folder, _clean_up }),
            Err(failure) => {
                let _ = fs::remove_dir(&folder);
                Err(failure)
            }
        }
    }

    /// The file system.
    pub fn on(&self) -> Answer<FileSystem> {
        file_system(&self.folder)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// On a disk if there is one to be had: only there a page can be dirty. /tmp often is none.
fn fresh_folder() -> Result<PathBuf, Error> {
    let places = [env::temp_dir(), PathBuf::from("/var/tmp")];
    let (disks, others): (Vec<_>, Vec<_>) = places.into_iter().partition(|place| {
        file_system(place).map(|found| found.kind()) == Answer::Known(FileSystemKind::Disk)
    });
    let mut refused = None;
    for place in disks.into_iter().chain(others) {
        let template = place.join("page-sync-demo-XXXXXX");
        match mkdtemp(&template) {
            Ok(folder) => return Ok(folder),
            Err(errno) => {
                refused = Some(Error::new("mkdtemp", errno, template.display().to_string()));
            }
        }
    }
    Err(refused.unwrap_or_else(|| Error::refused("mkdtemp", Errno::ENOENT, "")))
}

fn file_system(folder: &Path) -> Answer<FileSystem> {
    match File::open(folder) {
        Ok(folder) => FileSystem::of(folder),
        // mkdtemp(3) will say it better.
        Err(_) => Answer::Unknown(page_sync::inspect::Reason::NotRegular),
    }
}

/// Waits for the demo to end, then removes what it has left
#[derive(Args)]
pub struct CleanUp {
    folder: PathBuf,
}

impl CleanUp {
    pub fn run(self) -> Result<(), Failure> {
        outlive_parent()?;
        // A replacement that is under way ends when its disk does, and makes a file until then.
        let until = Instant::now() + PATIENCE;
        while !self.has_gone() && Instant::now() < until {
            sleep(NAP);
        }
        Ok(())
    }

    /// Removes what can be removed by now. Just what a demo makes, should somebody call this by hand;
    /// and the folder if it is then empty.
    fn has_gone(&self) -> bool {
        for leftover in leftovers(self.folder.join(WHOLE)).unwrap_or_default() {
            let _ = fs::remove_file(leftover);
        }
        for name in [LECTURE, PAGE, WHOLE] {
            let _ = fs::remove_file(self.folder.join(name));
        }
        match fs::remove_dir(&self.folder) {
            Ok(()) => true,
            Err(error) => error.kind() == ErrorKind::NotFound,
        }
    }
}
