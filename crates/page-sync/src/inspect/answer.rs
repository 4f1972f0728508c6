//! Known, or "unknown, because …": never a guess.

use std::fmt;

use nix::errno::Errno;

/// What a source says, or why it cannot.
///
/// ```
/// use page_sync::inspect::{Answer, Reason};
///
/// let dirty: Answer<u64> = Answer::Known(3);
/// assert_eq!(dirty.to_string(), "3");
/// let hidden: Answer<u64> = Answer::Unknown(Reason::Overlay);
/// assert!(hidden.to_string().starts_with("unknown, because "));
/// assert_eq!(hidden.known(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an answer may be that it is unknown"]
pub enum Answer<T> {
    /// The source says so, and is to be believed here.
    Known(T),
    /// The source is silent here, or would lie.
    Unknown(Reason),
}

use Answer::{Known, Unknown};

impl<T> Answer<T> {
    /// What is known, if it is.
    pub fn known(self) -> Option<T> {
        match self {
            Known(value) => Some(value),
            Unknown(_) => None,
        }
    }

    /// Why it is not known, if it is not.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Known(_) => None,
            Unknown(reason) => Some(*reason),
        }
    }

    /// Whether it is known.
    pub fn is_known(&self) -> bool {
        matches!(self, Known(_))
    }

    /// The same about a reference.
    pub fn as_ref(&self) -> Answer<&T> {
        match self {
            Known(value) => Known(value),
            Unknown(reason) => Unknown(*reason),
        }
    }

    /// What follows from it, if it is known.
    pub fn map<U>(self, then: impl FnOnce(T) -> U) -> Answer<U> {
        self.and_then(|value| Known(then(value)))
    }

    /// What another source says of it, if it is known.
    pub fn and_then<U>(self, then: impl FnOnce(T) -> Answer<U>) -> Answer<U> {
        match self {
            Known(value) => then(value),
            Unknown(reason) => Unknown(reason),
        }
    }

    /// For `?` in a function that returns a `Result`.
    ///
    /// # Errors
    ///
    /// The reason, if it is unknown.
    pub fn ok(self) -> Result<T, Reason> {
        match self {
            Known(value) => Ok(value),
            Unknown(reason) => Err(reason),
        }
    }
}

impl<T> From<Result<T, Reason>> for Answer<T> {
    fn from(result: Result<T, Reason>) -> Answer<T> {
        match result {
            Ok(value) => Known(value),
            Err(reason) => Unknown(reason),
        }
    }
}

impl<T: fmt::Display> fmt::Display for Answer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Known(value) => value.fmt(f),
            Unknown(reason) => reason.fmt(f),
        }
    }
}

/// Why something cannot be known here. Prints as `unknown, because …`.
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
        f.write_str("unknown, because ")?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_answer_stays_unknown_whatever_is_asked_of_it() {
        let unknown: Answer<u8> = Unknown(Reason::Overlay);
        assert_eq!(unknown.map(|value| value + 1).reason(), Some(Reason::Overlay));
        assert_eq!(unknown.and_then(|_| Known(1)), Unknown(Reason::Overlay));
        assert_eq!(unknown.ok(), Err(Reason::Overlay));
        assert_eq!(Known(1).and_then(|_| unknown), unknown);
    }
}
