//! Why something cannot be known, in words that say what would have to be different.

use std::fmt;

use nix::errno::Errno;

/// Why something cannot be known here. Prints as `unknown, because …`; and one of them, which is no
/// want of knowledge, as `nothing, because …`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// This kernel is older than the call.
    OldKernel {
        /// The call.
        call: &'static str,
        /// The first kernel that has it.
        since: &'static str,
    },
    /// The kernel is new enough, and yet says that there is no such call: a seccomp filter, as
    /// containers have them, or a tracer.
    Hidden {
        /// The call.
        call: &'static str,
        /// The first kernel that has it.
        since: &'static str,
    },
    /// A seccomp filter refuses the call. The file's owner would be answered otherwise.
    Filtered {
        /// The call.
        call: &'static str,
        /// What it answers.
        errno: Errno,
    },
    /// One neither owns the file nor may write it, and only to those the kernel tells.
    NotYours {
        /// The call.
        call: &'static str,
    },
    /// overlayfs keeps no pages: those of the file below it do, and they are not asked.
    Overlay,
    /// tmpfs (and memfd, and System V segments) has no disk, so nothing in it ever becomes clean,
    /// and the kernel does not keep count.
    NoDisk,
    /// Huge pages are not in the page cache that the call counts.
    HugePages,
    /// A file that the kernel makes up while it is read. No page of it is kept.
    Pseudo,
    /// DAX: the file is mapped right from persistent memory, past the page cache.
    Dax,
    /// This file cannot be mapped, and the call tells only about mappings.
    NotMappable(Errno),
    /// Another user's process, or one that does not let itself be looked into.
    Closed {
        /// The process.
        pid: u32,
    },
    /// There is no such process (any more).
    Gone {
        /// The process.
        pid: u32,
    },
    /// The process does not map it.
    NotMapped {
        /// The process.
        pid: u32,
    },
    /// Neither a file with pages, nor a mapping: a folder, a FIFO, a device.
    NotRegular,
    /// Whoever asked had it stopped before the end.
    Stopped,
    /// Not asked, for the reason given: it would take too long, or something else answers.
    NotAsked(&'static str),
    /// The call failed in a way that has no better name.
    Failed {
        /// The call.
        call: &'static str,
        /// Its errno.
        errno: Errno,
    },
}

impl Reason {
    /// One word for programs, that stays what it is: `old-kernel`, `not-yours`, …
    pub fn code(self) -> &'static str {
        match self {
            Reason::OldKernel { .. } => "old-kernel",
            Reason::Hidden { .. } => "hidden",
            Reason::Filtered { .. } => "filtered",
            Reason::NotYours { .. } => "not-yours",
            Reason::Overlay => "overlayfs",
            Reason::NoDisk => "no-disk",
            Reason::HugePages => "huge-pages",
            Reason::Pseudo => "pseudo-file",
            Reason::Dax => "dax",
            Reason::NotMappable(_) => "not-mappable",
            Reason::Closed { .. } => "closed-process",
            Reason::Gone { .. } => "no-process",
            Reason::NotMapped { .. } => "not-mapped",
            Reason::NotRegular => "not-regular",
            Reason::Stopped => "stopped",
            Reason::NotAsked(_) => "not-asked",
            Reason::Failed { .. } => "failed",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::NotMapped { .. } => "nothing, because ",
            _ => "unknown, because ",
        })?;
        match self {
            Reason::OldKernel { call, since } => {
                write!(f, "{call} came with Linux {since}, and this kernel is older")
            }
            Reason::Hidden { call, since } => write!(
                f,
                "{call} is hidden here (ENOSYS, though kernels have it since {since}): by a \
                 container's seccomp filter, or a tracer"
            ),
            Reason::Filtered { call, errno } => write!(
                f,
                "something refuses {call} ({errno:?}) though this file may be asked about: a \
                 container's seccomp filter, most likely"
            ),
            Reason::NotYours { call } => write!(
                f,
                "{call} tells the truth about a file only to those who own it or may write it"
            ),
            Reason::Overlay => f.write_str(
                "the file is on overlayfs, which keeps no pages: the file below it has them, and \
                 the kernel does not look there",
            ),
            Reason::NoDisk => f.write_str(
                "tmpfs has no disk to be written to, and the kernel does not count its pages as \
                 dirty",
            ),
            Reason::HugePages => f.write_str(
                "hugetlbfs has pages of its own kind, which are not counted in the page cache",
            ),
            Reason::Pseudo => f.write_str(
                "the kernel makes this file up while it is read: no page of it is kept anywhere",
            ),
            Reason::Dax => f.write_str(
                "the file lies on persistent memory that is mapped directly (DAX), past the page \
                 cache",
            ),
            Reason::NotMappable(errno) => {
                write!(
                    f,
                    "this file cannot be mapped ({errno:?}), and only mappings are told about"
                )
            }
            Reason::Closed { pid } => write!(
                f,
                "process {pid} is another user's, or does not let itself be looked into (ptrace(2))"
            ),
            Reason::Gone { pid } => write!(f, "there is no process {pid} (any more)"),
            Reason::NotMapped { pid } => write!(f, "process {pid} does not map it (any more)"),
            Reason::NotRegular => f.write_str("this is no regular file, so it has no pages"),
            Reason::Stopped => f.write_str("it was stopped before the end"),
            Reason::NotAsked(why) => write!(f, "it was not asked: {why}"),
            Reason::Failed { call, errno } => write!(f, "{call} failed: {errno:?}"),
        }
    }
}
