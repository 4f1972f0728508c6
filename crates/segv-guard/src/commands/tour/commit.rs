//! The child's part: arrange a deed, commit it, and bear the consequences.

use std::io::{BufRead, Write, stdin};

use clap::{Args, ValueEnum};
use ipc_common::cli::{Failure, out};
use nix::sys::resource::Resource;
use segv_guard::{Fault, Guard};

use super::deed::{self, Act, Arranged};
use super::instruction;
use super::report::{Line, tell_and_die};
use crate::commands::sys;

/// What most systems allow a stack: where `ulimit -s` is unlimited, an overflow would take all
/// memory first.
const STACK: u64 = 8 << 20;

/// Commit one illegal access, here and now
#[derive(Args)]
pub struct Commit {
    name: String,
    #[arg(long, value_enum, default_value_t = Net::None)]
    net: Net,
}

/// What is there to catch it.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Net {
    /// Nothing: the process dies.
    None,
    /// `segv_guard::install`, which passes a genuine crash on: the process dies as it would have.
    Guard,
    /// First a probe, which returns; then a handler that tells the parent, after which the process
    /// dies.
    Report,
}

impl Commit {
    pub fn run(self) -> Result<(), Failure> {
        let deed = deed::named(&self.name).ok_or_else(|| super::unknown(&self.name))?;
        sys::limit(Resource::RLIMIT_CORE, 0)?;
        sys::limit(Resource::RLIMIT_STACK, STACK)?;
        match (deed.arrange)() {
            Ok(arranged) => arranged.commit(self.net),
            Err(reason) => say(&format!("skip {reason}")),
        }
    }
}

impl Arranged {
    fn commit(&self, net: Net) -> Result<(), Failure> {
        if net == Net::Report {
            match &self.object {
                None => say("ready")?,
                Some((range, what)) => {
                    say(&format!("ready {:x} {:x} {what}", range.start, range.end))?
                }
            }
            // The end of the input is no reason to stay: the parent has gone, and so shall we.
            let _ = stdin().lock().read_line(&mut String::new());
        }
        self.spoil.map_or(Ok(()), |spoil| spoil(self.at))?;
        if net != Net::None {
            let guard = segv_guard::install()?;
            if net == Net::Report {
                self.probe(guard);
                // SAFETY: the handler does what a handler may.
                unsafe { sys::handle_faults(tell_and_die) }?;
            }
        }
        self.act();
        say("unharmed")
    }

    /// The same access by a probe, where there is one for it.
    fn probe(&self, guard: Guard) {
        let at = std::ptr::with_exposed_provenance_mut::<u8>(self.at);
        // SAFETY: where a deed is committed, nothing is that anybody would miss; and no Rust value
        // is both there and writable.
        let tried: Result<(), Fault> = unsafe {
            match self.act {
                Act::Read => guard.read_byte(at).map(drop),
                Act::ReadWord => guard.read_word(at.cast()).map(drop),
                Act::Write => guard.write_byte(at, 1),
                Act::Call | Act::Other(_) => return,
            }
        };
        match tried {
            Ok(()) => drop(say("probe ok")),
            Err(fault) => Line::new("probe").fault(&fault).send(),
        }
    }

    fn act(&self) {
        // SAFETY: this process is made for the deed, and the access is refused or harms nobody.
        unsafe {
            match self.act {
                Act::Read => instruction::load(self.at),
                Act::ReadWord => instruction::load_word(self.at),
                Act::Write => instruction::store(self.at),
                Act::Call => instruction::call(self.at),
                Act::Other(act) => act(self.at),
            }
        }
    }
}

fn say(line: &str) -> Result<(), Failure> {
    let mut out = out();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
