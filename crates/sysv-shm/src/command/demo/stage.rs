//! The segment that the demo is about. However the demo ends, it goes.

use clap::Args;
use ipc_common::cli::{Actor, Failure, Quit, outlive_parent};
use ipc_common::{Errno, Key};
use nix::unistd::geteuid;
use sysv_shm::note::{self, LECTURE_SIZE};
use sysv_shm::segment::fresh_key;
use sysv_shm::{Mode, Segment, Stat};

/// A segment of the demo's own, under a fresh key; dropping it removes segment and semaphores.
///
/// `Drop` runs after Ctrl-C, SIGTERM and every failure. It does not after kill -9, nor could the
/// segment be marked for removal beforehand: then the actors would not find it by its key. So a
/// child is started before the segment is created, which waits until this process has gone.
pub struct Stage {
    key: Key,
    segment: Segment,
    _clean_up: Actor,
}

impl Stage {
    pub fn build(quit: &Quit) -> Result<Stage, Failure> {
        loop {
            let key = fresh_key();
            let mut clean_up = Actor::start("cleaner", ["demo-clean-up", &key.to_string()])?;
            // Only once it is deaf to signals: the one that tells of our death would kill it.
            clean_up.line(quit)?;
            match Segment::create(key, LECTURE_SIZE, Mode::PRIVATE) {
                // Somebody has this key after all.
                Err(error) if error.errno() == Errno::EEXIST => {}
                created => return Ok(Stage { key, segment: created?, _clean_up: clean_up }),
            }
        }
    }

    pub fn key(&self) -> Key {
        self.key
    }

    pub fn segment(&self) -> Segment {
        self.segment
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Most likely the play has removed it by now.
        if note::remove(self.key).is_err() {
            let _ = self.segment.mark_for_removal();
        }
    }
}

/// Waits for the demo to end, then removes what it has left
#[derive(Args)]
pub struct CleanUp {
    key: Key,
}

impl CleanUp {
    pub fn run(self) -> Result<(), Failure> {
        outlive_parent()?;
        // The key was drawn at random; still, nothing of another user's is ours to remove.
        let ours = |stat: Stat| stat.creator == geteuid();
        if Segment::open(self.key).and_then(Segment::stat).map_or(true, ours) {
            // There is nothing left if the demo could clean up itself.
            let _ = note::remove(self.key);
        }
        Ok(())
    }
}
