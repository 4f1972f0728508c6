//! `overflow`: a guard page behind a buffer. Slide "Illegal Memory Access"; after Bruce Perens'
//! Electric Fence (1987).

mod writer;

pub use writer::OverflowWriter;

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use clap::{Args, ValueEnum};
use ipc_common::cli::style::{FAINT, KERNEL, STRONG};
use ipc_common::cli::{Actor, Failure, Narrator, Quit, ending, out, watching};
use ipc_common::{Errno, Error};
use nix::sys::signal::Signal;
use segv_guard::explain::{Explanation, Scene};
use serde_json::{Value, json};

use super::tour::report::Report;
use writer::{BEHIND, Buffer, Deed, IN_FRONT, LEN, text};

/// A buffer overflow that changes its neighbour in silence, and one that is caught at its byte
///
/// Four writes to a buffer of 16 bytes, each by a child process of its own, each to three buffers.
/// One is plain, with neighbours, and nothing stops an overflow. The other two end where a page
/// ends, and the page behind it may not be touched. The first byte too many is then a fault: it
/// kills the child at that very instruction, or, if so wished, is noted, and the child goes on.
///
/// The one write that stays unnoticed shows the limit: the guard stands behind the buffer, and not
/// in front of it.
#[derive(Args)]
#[command(after_help = "\
Examples:
  segv-guard overflow
  segv-guard overflow --json
  segv-guard overflow-writer one-too-many --buffer fatal
                                 one write alone: see what your shell says

Exit codes: 0 done, 1 failed, 2 wrong usage, 128+n ended by signal n.")]
pub struct Overflow {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What came of a deed.
struct Seen {
    fault: Option<Explanation>,
    /// What the child had to tell afterwards, if it lived.
    told: Value,
    end: ExitStatus,
}

impl Overflow {
    pub fn run(self) -> Result<(), Failure> {
        watching(|quit| if self.json { print_json(quit) } else { tell(quit) })
    }
}

fn tell(quit: &Quit) -> Result<(), Failure> {
    let tell = Narrator::new(quit);
    tell.act("A plain buffer of 16 bytes, between two neighbours")?;
    for (place, bytes) in [("in front", &IN_FRONT[..]), ("behind", BEHIND)] {
        tell.say(format_args!("{place:<22} {}", quoted(bytes)))?;
    }
    each(&tell, Buffer::Plain, quit)?;
    tell.act("The page behind the buffer may not be touched: the overflow kills")?;
    each(&tell, Buffer::Fatal, quit)?;
    tell.act("The same, but the overflow is noted, and the child goes on")?;
    each(&tell, Buffer::Noted, quit)?;
    tell.say("the guard stands behind the buffer: what is written in front of it, it cannot see")
}

fn each(tell: &Narrator<'_>, buffer: Buffer, quit: &Quit) -> Result<(), Failure> {
    for deed in Deed::value_variants() {
        let seen = Seen::watch(*deed, buffer, quit)?;
        let mut lines = seen.lines().into_iter();
        let first = lines.next().unwrap_or_default();
        tell.say(format_args!("{STRONG}{:<22}{STRONG:#} {first}", deed.to_string()))?;
        for line in lines {
            tell.say(format_args!("{:<22} {line}", ""))?;
        }
    }
    Ok(())
}

fn print_json(quit: &Quit) -> Result<(), Failure> {
    let mut writes = Vec::new();
    for deed in Deed::value_variants() {
        let mut write = json!({ "name": name(*deed), "done": deed.to_string() });
        for buffer in Buffer::value_variants() {
            write[name(*buffer)] = Seen::watch(*deed, *buffer, quit)?.as_json();
        }
        writes.push(write);
    }
    Ok(writeln!(out(), "{}", json!({ "buffer": LEN, "writes": writes }))?)
}

impl Seen {
    /// Starts the child, and listens until it is gone.
    fn watch(deed: Deed, buffer: Buffer, quit: &Quit) -> Result<Seen, Failure> {
        let words = ["overflow-writer", &name(deed), "--buffer", &name(buffer), "--report"];
        let mut child = Actor::start("writer", words)?;
        let (mut object, mut fault, mut told) = (None, None, Value::Null);
        while fault.is_none() && told.is_null() {
            let line = child.line(quit)?;
            match Report::parse(&line) {
                Some(Report::Ready(found)) => {
                    object = found;
                    child.tell("", quit)?;
                }
                Some(Report::Fault { fault: caught, .. }) => {
                    // The child stands in its handler, and waits for us.
                    let mut scene = Scene::of(child.pid())?;
                    if let Some((range, what)) = object.take() {
                        scene = scene.object(range, what);
                    }
                    fault = Some(scene.explain(&caught));
                    child.tell("", quit)?;
                }
                _ => told = serde_json::from_str(&line).map_err(|_| strange(&line))?,
            }
        }
        Ok(Seen { fault, told, end: child.finish()? })
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(fault) = &self.fault {
            lines.push(fault.to_string());
            lines.push(format!("{KERNEL}{}{KERNEL:#}", ending(self.end)));
        }
        if let Some(report) = self.told["overflow"]["report"].as_str() {
            lines.push(report.to_owned());
            lines.push(format!("{KERNEL}{}{KERNEL:#}", ending(self.end)));
        }
        for (field, place) in [("in_front", "in front"), ("behind", "behind")] {
            let [before, after] =
                ["before", "after"].map(|when| self.told[field][when].as_str().unwrap_or_default());
            if before != after {
                lines.push(format!(
                    "{place}: \"{before}\" became \"{after}\", and nothing was said"
                ));
            }
        }
        if lines.is_empty() {
            lines.push(format!("{FAINT}nothing else changed{FAINT:#}"));
        }
        lines
    }

    fn as_json(&self) -> Value {
        let signal = self.end.signal().and_then(|number| Signal::try_from(number).ok());
        json!({
            "fault": self.fault.as_ref().map(|explained| json!({
                "signal": explained.fault().signal().as_str(),
                "code": explained.fault().cause().name(),
                "address": explained.fault().address().map(|address| format!("{address:#x}")),
                "sentence": explained.to_string(),
            })),
            "told": self.told,
            "end": { "signal": signal.map(Signal::as_str), "exit_code": self.end.code() },
        })
    }
}

/// As it is called among the arguments.
fn name(value: impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

fn quoted(bytes: &[u8]) -> String {
    format!("\"{}\"", text(bytes))
}

fn strange(line: &str) -> Failure {
    Failure::Error(
        Error::refused("overflow", Errno::EPROTO, format!("the writer: {line:?}"))
            .with_remedy("it said something else than it should; run its command by hand"),
    )
}
