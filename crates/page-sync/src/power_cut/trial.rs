//! One trial: a disk, a file system, two stores, one action, the cut, and what is left.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipc_common::{Errno, Error, PageSize, Result};
use nix::mount::MsFlags;
use nix::unistd::syncfs;

use super::action::{Action, Barriers, PAGES, WRITTEN};
use super::disk;
use super::loop_device::{LoopDevice, Number};
use super::pattern::{Age, Outcome, Pattern};
use super::perform::perform;
use super::stage::{Mounted, Stage};
use crate::file::PageFile;

/// What one trial found.
#[derive(Clone, Debug)]
pub struct Trial {
    /// What was done after the stores.
    pub action: Action,
    /// Whether the file system flushed the disk's cache.
    pub barriers: Barriers,
    /// The pages that were stored to, and what was found in them after the cut.
    pub pages: [(usize, Outcome); WRITTEN.len()],
    /// How long the action took, on this disk, which is memory: for comparison, not for planning.
    pub took: Duration,
    /// How many bytes the action sent to the disk. They are in its cache then.
    pub sent: u64,
    /// How often the disk emptied its cache before the cut, by its own count.
    pub flushes: u64,
    /// How many flushes the kernel completed on the loop device by its own count
    /// (`/sys/block/loopN/stat`), which is read a moment after the cut. `None` where it does not
    /// say.
    pub kernel_flushes: Option<u64>,
}

impl Trial {
    /// Whether somebody else had the disk flushed between the stores and the cut: sync(2) of any
    /// process is about all file systems, this one too. What nobody here asked to keep is then kept.
    pub fn is_disturbed(&self) -> bool {
        let promised = self.action.promises();
        let kept = |(page, found)| found != Outcome::Old && !promised.contains(&page);
        self.barriers == Barriers::On
            && self.flushes > 0
            && (promised.is_empty() || self.pages.into_iter().any(kept))
    }
}

/// What is to be done, and on which disk.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub action: Action,
    pub barriers: Barriers,
    /// What the disk's file is called, also in `losetup --list`.
    pub name: String,
}

/// Does the trial, in a mount namespace of its own, in which the disk's three files are mounted as
/// `files`.
pub(super) fn run(task: &Task, stage: &Stage, files: Mounted) -> Result<Trial> {
    let disk = Attachable { file: files.path().join(&task.name), name: &task.name };
    let pattern = Pattern::fresh(PageSize::system().bytes());
    prepare(stage, &disk, pattern)?;
    let live = disk.mount(stage, MsFlags::empty(), task.barriers)?;
    let (measured, platter) = act(task, &live, files.path(), pattern)?;
    // What the file system writes from here on, it writes in vain.
    live.unmount()?;

    let name = format!("{}-copy", task.name);
    let copy = Attachable { file: stage.file(&name), name: &name };
    copy_platter(platter, &copy.file)?;
    files.unmount()?;
    let pages = look(stage, &copy, pattern)?;
    Ok(Trial { pages, ..measured })
}

/// A file that can be made a disk.
struct Attachable<'a> {
    file: PathBuf,
    name: &'a str,
}

/// An ext4 file system on a loop device.
struct Live<'a> {
    ext4: Mounted,
    device: Number,
    name: &'a str,
}

impl<'a> Attachable<'a> {
    fn mount(&self, stage: &Stage, flags: MsFlags, barriers: Barriers) -> Result<Live<'a>> {
        let backing = open(&self.file, OpenOptions::new().read(true).write(true))?;
        let device = LoopDevice::attach(&backing, self.name, stage.path())?;
        // The journal is to be committed when the action asks for it, not because five seconds are
        // over: the interval is 5 minutes, and a trial a fraction of a second.
        let options = format!("{},commit=300,errors=continue", barriers.option());
        let flags = flags | MsFlags::MS_NOATIME;
        let ext4 = stage.mount(device.path(), self.name_of_mount(), "ext4", flags, &options)?;
        Ok(Live { ext4, device: device.mounted(), name: self.name })
    }

    /// Distinct, so that a copy that was not mounted is not mistaken for the disk.
    fn name_of_mount(&self) -> &'static str {
        if self.name.ends_with("-copy") { "after-the-cut" } else { "before-the-cut" }
    }
}

impl Live<'_> {
    fn file(&self) -> PathBuf {
        self.ext4.path().join("pages")
    }

    /// Everything that is dirty goes to the disk, and there, with barriers, onto the platter.
    fn sync(&self) -> Result<()> {
        let about = || self.ext4.path().display().to_string();
        let folder = File::open(self.ext4.path())
            .map_err(|error| Error::from_io("open", &error, about()))?;
        syncfs(&folder).map_err(|errno| Error::new("syncfs", errno, about()))
    }

    /// Unmounts, and waits until the loop device is free again.
    fn unmount(self) -> Result<()> {
        self.ext4.unmount()?;
        self.device.wait_until_free(self.name)
    }
}

/// The file with its old pages: written, synced, unmounted, and so on the platter.
fn prepare(stage: &Stage, disk: &Attachable<'_>, pattern: Pattern) -> Result<()> {
    let live = disk.mount(stage, MsFlags::empty(), Barriers::On)?;
    let file = PageFile::create_new(live.file(), PAGES)?;
    for page in 0..PAGES {
        file.page_mut(page)?.write(0, &pattern.page(page, Age::Old))?;
    }
    drop(file);
    live.sync()?;
    live.unmount()
}

/// Stores, does the action, and cuts the power. Returns the platter of that moment.
fn act(task: &Task, live: &Live<'_>, files: &Path, pattern: Pattern) -> Result<(Trial, File)> {
    let file = PageFile::open(live.file())?;
    // What mounting and opening have made dirty goes to the disk now, and is not counted.
    live.sync()?;
    let before = disk::counters(files)?;
    let kernel_before = live.device.flushes();
    let new = WRITTEN.map(|number| pattern.page(number, Age::New));
    for (number, new) in WRITTEN.into_iter().zip(&new) {
        file.page_mut(number)?.write(0, new)?;
    }

    let done = perform(task.action, file)?;
    // The stores were a moment ago. The kernel by itself writes dirty pages after 30 s, commits the
    // journal after 300 s, and would have had to do both.
    let platter = disk::cut(files)?;

    let after = disk::counters(files)?;
    let kernel_flushes = kernel_before.and_then(|before| Some(live.device.flushes()? - before));
    // Mapped and open until here, so that neither ended before the cut.
    drop(done.file);
    let trial = Trial {
        action: task.action,
        barriers: task.barriers,
        // Nobody has looked yet.
        pages: WRITTEN.map(|page| (page, Outcome::Foreign)),
        took: done.took,
        sent: after.written - before.written,
        flushes: after.flushes - before.flushes,
        kernel_flushes,
    };
    Ok((trial, platter))
}

/// What the platter held at the cut, as a file of its own.
fn copy_platter(mut platter: File, to: &Path) -> Result<()> {
    let failed = |error: io::Error| Error::from_io("write", &error, to.display().to_string());
    let mut copy = open(to, OpenOptions::new().write(true).create_new(true))?;
    let copied = io::copy(&mut platter, &mut copy).map_err(failed)?;
    if copied != disk::BYTES as u64 {
        return Err(Error::refused("read", Errno::EIO, format!("the platter, {copied} bytes")));
    }
    Ok(())
}

/// Mounts the copy, as after a reboot (which replays the journal, also for a read-only mount), and
/// looks at every page.
fn look(
    stage: &Stage,
    copy: &Attachable<'_>,
    pattern: Pattern,
) -> Result<[(usize, Outcome); WRITTEN.len()]> {
    let live = copy.mount(stage, MsFlags::MS_RDONLY, Barriers::On)?;
    let path = live.file();
    let found = fs::read(&path)
        .map_err(|error| Error::from_io("read", &error, path.display().to_string()))?;
    live.unmount()?;
    let pages: Vec<Outcome> = found
        .chunks(PageSize::system().bytes())
        .enumerate()
        .map(|(number, bytes)| pattern.judge(number, bytes))
        .collect();
    let untouched = (0..PAGES).filter(|number| !WRITTEN.contains(number));
    let strange = WRITTEN.iter().any(|&number| pages.get(number) == Some(&Outcome::Foreign));
    if pages.len() != PAGES || strange || untouched.into_iter().any(|n| pages[n] != Outcome::Old) {
        let about = format!("{} bytes after the cut, pages {pages:?}", found.len());
        return Err(Error::refused("power_cut", Errno::EIO, about).with_remedy(
            "the experiment is broken: pages that nobody wrote have changed, or hold what nobody \
             wrote",
        ));
    }
    Ok(WRITTEN.map(|number| (number, pages[number])))
}

fn open(path: &Path, how: &OpenOptions) -> Result<File> {
    how.open(path).map_err(|error| Error::from_io("open", &error, path.display().to_string()))
}
