//! `sysv-shm demo`: the lecture's "Run demo", with what the kernel says to each step.
//!
//! # Layout
//!
//! `stage`: the segment that the play is about, and its removal whatever happens; `narrator`: how
//! it is told; here: the play.

mod narrator;
mod stage;

pub use stage::CleanUp;

use clap::Args;
use ipc_common::cli::style::{FAINT, KERNEL, READER, STRONG, WRITER};
use ipc_common::cli::{Actor, Failure, Quit};
use nix::sys::signal::Signal;
use sysv_shm::Segment;

use narrator::Narrator;
use stage::Stage;

use super::naming;

/// Watch a writer and a reader, two real processes, meet in one segment
///
/// Creates a segment under a fresh key and starts writer and reader on it: this program again, with
/// the commands that you would type. After each step the narrator asks the kernel (IPC_STAT) what
/// it holds: who is attached, what is left when both have gone, what a mark for removal does. Every
/// number is read at the moment it is printed.
///
/// The segment is removed at the end, also after Ctrl-C, SIGTERM or a failure. If the demo is killed
/// with kill -9, its writer and reader end too, and a small process that it started first removes
/// the segment within a second; only killing that one as well leaves a segment behind.
#[derive(Args)]
#[command(after_help = "Exit codes: 0 done, 1 failed, 128+n ended by signal n (130: Ctrl-C).")]
pub struct Demo {}

impl Demo {
    pub fn run(self) -> Result<(), Failure> {
        let quit = Quit::watch()?;
        let stage = Stage::build(&quit)?;
        let tell = Narrator::new(&quit);
        let segment = stage.segment();
        let key = stage.key().to_string();

        tell.act("The kernel makes a segment")?;
        tell.says("narrator", STRONG, "shmget(key, 1024, IPC_CREAT | IPC_EXCL | 0600)")?;
        tell.kernel(segment)?;

        tell.act("A writer attaches")?;
        let mut writer = Actor::start("writer", ["write", "--key", &key])?;
        tell.enter(&writer, WRITER, "sysv-shm write")?;
        writer.line(&quit)?;
        tell.kernel(segment)?;
        tell.pause()?;
        self.write(&tell, &mut writer, "hello from the writer", &quit)?;

        tell.act("A reader attaches, read-only, and finds the note")?;
        let mut reader = Actor::start("reader", ["read", "--follow", "--key", &key])?;
        tell.enter(&reader, READER, "sysv-shm read --follow")?;
        tell.hears(&mut reader, READER)?;
        tell.kernel(segment)?;
        for text in
            ["no pipe, no file: I stored this into memory", "you will find this one when I am gone"]
        {
            tell.pause()?;
            self.write(&tell, &mut writer, text, &quit)?;
            tell.hears(&mut reader, READER)?;
        }

        tell.act("Both go; the segment stays")?;
        let ended = reader.end_by(Signal::SIGKILL)?;
        tell.leaves(&reader, READER, &format!("is killed ({ended}); the kernel detaches for it"))?;
        tell.kernel(segment)?;
        tell.pause()?;
        writer.finish()?;
        tell.leaves(&writer, WRITER, "reaches the end of its input, detaches, and ends")?;
        tell.kernel(segment)?;
        tell.pause()?;
        let mut late = Actor::start("reader", ["read", "--key", &key])?;
        tell.enter(&late, READER, "sysv-shm read")?;
        tell.hears(&mut late, READER)?;
        late.finish()?;

        self.removal(&tell, segment, &key, &quit)?;
        drop(stage);
        tell.act("Now you, in two terminals")?;
        for command in ["read --follow", "write"] {
            tell.say(format_args!("{STRONG}{}{STRONG:#}", naming::on_own_note(command)))?;
        }
        Ok(())
    }

    fn removal(
        &self,
        tell: &Narrator,
        segment: Segment,
        key: &str,
        quit: &Quit,
    ) -> Result<(), Failure> {
        tell.act("Marked for removal while somebody is attached")?;
        let mut last = Actor::start("writer", ["write", "--key", key])?;
        tell.enter(&last, WRITER, "sysv-shm write")?;
        last.line(quit)?;
        tell.kernel(segment)?;
        let mut remover = Actor::start("remover", ["remove", "--key", key])?;
        tell.enter(&remover, STRONG, "sysv-shm remove")?;
        remover.line(quit)?;
        remover.finish()?;
        tell.kernel(segment)?;
        tell.by_key(key)?;
        tell.pause()?;
        last.finish()?;
        tell.leaves(&last, WRITER, "detaches: the last one")?;
        tell.kernel(segment)
    }

    fn write(
        &self,
        tell: &Narrator,
        writer: &mut Actor,
        text: &str,
        quit: &Quit,
    ) -> Result<(), Failure> {
        tell.says("writer", WRITER, &format!("\"{text}\""))?;
        writer.tell(text, quit)?;
        // "wrote N bytes": it is in the segment.
        writer.line(quit).map(drop)
    }
}

/// The answer of the kernel about a segment, in one line.
fn state(segment: Segment) -> String {
    match segment.stat() {
        Ok(stat) => {
            let marked =
                if stat.marked_for_removal { ", marked for removal (SHM_DEST)" } else { "" };
            format!(
                "{KERNEL}segment {}, key {}, nattch {}{marked}{KERNEL:#}",
                stat.id, stat.key, stat.attached
            )
        }
        Err(error) => {
            format!(
                "{KERNEL}{:?}{KERNEL:#} {FAINT}(IPC_STAT of segment {}: it is no more){FAINT:#}",
                error.errno(),
                segment.id()
            )
        }
    }
}
