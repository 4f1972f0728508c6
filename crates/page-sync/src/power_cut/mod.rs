//! A disk whose power is cut: what survives, and what it took. Slide "How do mmap and POSIX
//! shared memory compare?", at "Persistence".
//!
//! A disk has a cache that forgets. What the kernel has written is in the cache; only a flush puts
//! it onto the platter. Of what a program can do about its own file msync(MS_SYNC), fsync(2) and
//! fdatasync(2) ask for one (and each write(2), if it was opened with O_SYNC or O_DSYNC); of what
//! goes for everything, sync(2) and syncfs(2), and the file system itself, when it commits its
//! journal. On a real machine that shows when the power fails at the wrong moment. Here the disk is
//! a program, so that its power can be cut at any moment, as often as one likes, and nothing real is
//! in danger:
//!
//! ```text
//!   the machine                     the kernel                        the disk
//!   (a process)                                                       (a process)
//!   a store into page 2 ──► page cache of ext4, dirty
//!   msync(MS_SYNC) ───────► ext4 ──► loop device ──► FUSE ── write ──► cache     (volatile)
//!                           ext4 ──► loop device ──► FUSE ── fsync ──►   └─► platter (stable)
//!                                                                              │
//!   the cut ◄────────────────────────────── what is on the platter now ◄───────┘
//!   a copy of it ─────────► mounted, journal replayed: which pages are new?
//! ```
//!
//! Why the outcome is the same every time: between the stores and the cut lies what the action takes,
//! a millisecond or so. Left alone, the kernel writes a dirty page after 30 seconds and commits the
//! journal after 300 (a mount option), and both would have to happen in that millisecond for a page
//! to survive that nobody asked to keep. Only a sync(2) of some other process can come between, and
//! that is noticed ([`Trial::is_disturbed`]).
//!
//! Why it can be believed: the same is done once more with the mount option `nobarrier`, with which
//! ext4 asks for no flush. Then nothing may survive ([`Report::objections`]). Two wrong disks show
//! that this is noticed: one without a cache, and one that lies ([`DiskKind`]).
//!
//! Why it is safe: the disk is memory of a process; it is mounted where nobody else sees it (a
//! mount namespace of the machine's own), by a loop device that lets go by itself. A `kill -9` of any
//! of the three processes leaves nothing behind; this one, which starts both and may be killed by
//! anybody, never waits for the disk.
//!
//! # Layout
//!
//! `disk`: the disk, its cache, its process. `machine`: the process that does a `trial`, on a `stage`
//! of its own, with `loop_device`s. `helper`: how a program becomes one of them. `image`: the file
//! system that is on the disk at first; `pattern`: what is in its pages. [`Experiment`]: many trials.
//! [`Report`]: whether to believe them. [`missing()`]: what this machine lacks; [`page_cache()`]: what
//! can be seen without.

mod action;
mod disk;
mod experiment;
mod helper;
mod image;
mod loop_device;
mod machine;
mod missing;
mod page_cache;
mod pattern;
mod perform;
mod stage;
mod trial;
mod verdict;

pub use action::{Action, Barriers, PAGES, WRITTEN};
pub use disk::DiskKind;
pub use experiment::{Experiment, Watcher};
pub use helper::helper;
pub use missing::{Missing, missing};
pub use page_cache::{Seen, page_cache, page_cache_tells};
pub use pattern::Outcome;
pub use trial::Trial;
pub use verdict::{Objection, Report};
