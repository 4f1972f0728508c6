//! A segment as the checks look at it. A student's program can remove it at any moment: then the
//! student's program is wrong, and not the grader.

use ipc_common::{Errno, Error, Key};

use crate::check::Stop;
use crate::evidence::segment::{Segment, SegmentStat};
use crate::stage::Stage;

/// A segment that was found, or planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Memory(pub(super) Segment);

impl Memory {
    /// Makes a segment as a stranger would. The key is one that nobody was told of yet, and there is
    /// memory for it, unless the student's program takes what it is not asked to take.
    pub(super) fn create(stage: &Stage, key: Key, size: usize, mode: u32) -> Result<Memory, Stop> {
        let made = Segment::create(key, size, mode, stage.identity());
        made.map(Memory).map_err(|error| match error.errno() {
            Errno::EEXIST | Errno::ENOSPC | Errno::ENOMEM => {
                Stop::failed("room for another segment, under a key of its own", error.to_string())
            }
            _ => error.into(),
        })
    }

    pub(super) fn id(&self) -> i32 {
        self.0.id()
    }

    pub(super) fn size(&self) -> usize {
        self.0.size()
    }

    /// What IPC_STAT says; `None` if it has gone.
    pub(super) fn stat(&self) -> Result<Option<SegmentStat>, Stop> {
        Ok(self.0.stat()?)
    }

    /// What IPC_STAT says, which has to say something.
    pub(super) fn stat_now(&self) -> Result<SegmentStat, Stop> {
        self.stat()?.ok_or_else(removed)
    }

    pub(super) fn copy(&self) -> Result<Vec<u8>, Stop> {
        self.0.copy().map_err(lost)
    }

    #[cfg(feature = "hidden")]
    pub(super) fn copy_of(&self, offset: usize, len: usize) -> Result<Vec<u8>, Stop> {
        self.0.copy_of(offset, len).map_err(lost)
    }

    /// Marks it for removal, so that many of them do not add up.
    #[cfg(feature = "hidden")]
    pub(super) fn remove(self) -> Result<(), Stop> {
        self.0.remove().map_err(lost)
    }

    pub(super) fn write(&self, offset: usize, bytes: &[u8]) -> Result<(), Stop> {
        self.0.write(offset, bytes).map_err(lost)
    }
}

fn removed() -> Stop {
    Stop::failed("the segment is still there", "it was removed")
}

fn lost(error: Error) -> Stop {
    match error.errno() {
        Errno::EINVAL | Errno::EIDRM => removed(),
        Errno::EACCES => Stop::failed("a segment that its owner may use", error.to_string()),
        _ => error.into(),
    }
}
