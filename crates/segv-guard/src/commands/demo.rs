//! `demo`: the story in one go. Slide "Illegal Memory Access".

use std::ptr;

use clap::Args;
use ipc_common::Errno;
use ipc_common::cli::style::{FAINT, KERNEL, STRONG};
use ipc_common::cli::{Actor, Failure, Narrator, Quit, ending, watching};
use segv_guard::explain::Scene;

use super::own;
use super::truncate::Truncate;

/// The deed of the genuine crash.
const CRASH: &str = "null-field";

/// The story in a few seconds: mended, caught, survived, and a crash that stays a crash
///
/// First the lecture's own idea: a handler allows what was refused, and the instruction runs again.
/// Then an access that cannot be mended returns an error and a sentence. Then a file is cut under
/// two readers. At last a program with the handler installed has a genuine bug, and dies of it as
/// it should. Everything is done by real processes, and read from the kernel just then.
#[derive(Args)]
#[command(after_help = "Exit codes: 0 done, 1 failed, 128+n ended by signal n.")]
pub struct Demo {}

impl Demo {
    pub fn run(self) -> Result<(), Failure> {
        watching(story)
    }
}

fn story(quit: &Quit) -> Result<(), Failure> {
    let tell = Narrator::new(quit);

    heading(&tell, 1, "Mended: the page is made writable, and the instruction runs again")?;
    let mut raw = Actor::start("raw", ["raw"])?;
    tell.say(format_args!("{FAINT}segv-guard raw, process {}{FAINT:#}", raw.pid()))?;
    relay(&tell, &mut raw, quit)?;

    heading(&tell, 2, "Caught: an error instead of a dead process")?;
    let guard = segv_guard::install()?;
    tell.say("segv_guard::install(), then guard.read_byte(8)")?;
    // SAFETY: no Rust value lies in the first page of an address space.
    match unsafe { guard.read_byte(ptr::without_provenance(8)) } {
        Ok(byte) => tell.say(format_args!("Ok({byte}): something is mapped at NULL here"))?,
        Err(fault) => {
            tell.say(format_args!("{KERNEL}Err: {fault}{KERNEL:#}"))?;
            tell.say(Scene::of_this_process()?.explain(&fault))?;
            tell.say(format_args!("process {} goes on", std::process::id()))?;
        }
    }

    heading(&tell, 3, "Survived: a file is cut under two readers")?;
    Truncate {}.tell(quit, &tell)?;

    heading(&tell, 4, "A genuine crash stays one")?;
    let mut crash = Actor::start("crash", ["commit", CRASH, "--net", "guard"])?;
    let pid = crash.pid();
    tell.say(format_args!(
        "process {pid} installs the handler too, and then: p->field = 1, with p NULL"
    ))?;
    let end = ending(crash.finish()?);
    tell.say(format_args!("process {pid}: {KERNEL}{end}{KERNEL:#}"))?;
    tell.say("no probe was under way, so the signal went on to whoever had it before")?;

    tell.blank()?;
    tell.say(format_args!("Now you: {STRONG}{}{STRONG:#}", own("tour")))
}

fn heading(tell: &Narrator<'_>, number: u32, title: &str) -> Result<(), Failure> {
    if number > 1 {
        tell.blank()?;
    }
    tell.act(&format!("{number}. {title}"))
}

/// Passes on what an actor says, until it ends.
fn relay(tell: &Narrator<'_>, actor: &mut Actor, quit: &Quit) -> Result<(), Failure> {
    loop {
        match actor.line(quit) {
            Ok(line) => tell.say(line)?,
            Err(Failure::Error(error)) if error.errno() == Errno::EPIPE => break,
            Err(failure) => return Err(failure),
        }
    }
    let end = actor.finish()?;
    if end.success() {
        return Ok(());
    }
    tell.say(format_args!("{KERNEL}{}{KERNEL:#}", ending(end)))
}
