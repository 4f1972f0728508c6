//! `overflow`: a guard page behind a buffer. Slide "Illegal Memory Access"; after Bruce Perens'
//! Electric Fence (1987).

use std::fmt;
use std::io::{BufRead, Write, stdin};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use clap::{Args, ValueEnum};
use ipc_common::cli::style::{FAINT, KERNEL, STRONG};
use ipc_common::cli::{Actor, Failure, Quit, out};
use ipc_common::{Errno, Error};
use nix::sys::mman::{MapFlags, ProtFlags};
use nix::sys::resource::Resource;
use nix::sys::signal::Signal;
use segv_guard::explain::{Explanation, Scene};
use segv_guard::uses::{GuardedBuffer, OnOverflow};
use serde_json::{Value, json};

use super::narrator::{Narrator, ending, watching};
use super::sys;
use super::tour::report::{Report, tell_and_die};

/// How long the buffer is.
const LEN: usize = 16;
/// What lies in front of the plain buffer, and behind it.
const IN_FRONT: &[u8; LEN] = b"balance 00000042";
const BEHIND: &[u8; 14] = b"pay 100 crowns";

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

/// What is done to the buffer.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Deed {
    Fits,
    OneTooMany,
    Index,
    InFront,
}

/// Which buffer it is done to.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Buffer {
    /// Between two neighbours.
    Plain,
    /// Guarded; an overflow kills.
    Fatal,
    /// Guarded; an overflow is noted.
    Noted,
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

/// Writes to a buffer, too much or not
#[derive(Args)]
pub struct OverflowWriter {
    #[arg(value_enum)]
    deed: Deed,
    #[arg(long, value_enum, default_value_t = Buffer::Plain)]
    buffer: Buffer,
    /// Say where the buffer is, wait for a line, and tell of a fault before dying of it.
    #[arg(long)]
    report: bool,
}

impl OverflowWriter {
    pub fn run(self) -> Result<(), Failure> {
        sys::limit(Resource::RLIMIT_CORE, 0)?;
        if self.report {
            // Before `install`, which passes on to it what is fatal.
            // SAFETY: the handler does what a handler may.
            unsafe { sys::handle_faults(tell_and_die) }?;
        }
        let on_overflow = match self.buffer {
            Buffer::Plain => return self.between_neighbours(),
            Buffer::Fatal => OnOverflow::Die,
            Buffer::Noted => OnOverflow::GoOn,
        };
        let buffer = GuardedBuffer::new(segv_guard::install()?, LEN, on_overflow)?;
        let at = buffer.as_ptr();
        // The buffer ends where its page ends, and does not fill it: a byte of that page is in
        // front.
        let before = bytes_at(at.wrapping_sub(1), 1);
        self.write(at)?;
        let after = bytes_at(at.wrapping_sub(1), 1);
        let overflow = buffer.take_overflow()?.map(|overflow| {
            json!({ "offset": overflow.offset, "len": overflow.len, "report": overflow.to_string() })
        });
        let in_front = json!({ "before": text(&before), "after": text(&after) });
        say(&json!({ "overflow": overflow, "in_front": in_front }).to_string())
    }

    fn between_neighbours(&self) -> Result<(), Failure> {
        let open = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        let page =
            std::ptr::with_exposed_provenance_mut::<u8>(sys::map(1, open, MapFlags::empty())?);
        let (buffer, behind) = (page.wrapping_add(LEN), page.wrapping_add(2 * LEN));
        // SAFETY: all three are in a page of our own, in which there is no Rust value.
        unsafe {
            page.copy_from_nonoverlapping(IN_FRONT.as_ptr(), IN_FRONT.len());
            behind.copy_from_nonoverlapping(BEHIND.as_ptr(), BEHIND.len());
        }
        let look = || [bytes_at(page, IN_FRONT.len()), bytes_at(behind, BEHIND.len())];
        let before = look();
        self.write(buffer)?;
        let after = look();
        let [in_front, behind] =
            [0, 1].map(|n| json!({ "before": text(&before[n]), "after": text(&after[n]) }));
        say(&json!({ "in_front": in_front, "behind": behind }).to_string())
    }

    fn write(&self, buffer: *mut u8) -> Result<(), Failure> {
        if self.report {
            let start = buffer.addr();
            say(&format!("ready {start:x} {:x} a {LEN}-byte buffer", start + LEN))?;
            // The end of the input is no reason to stay.
            let _ = stdin().lock().read_line(&mut String::new());
        }
        // SAFETY: the buffer has bytes of nobody's in front of it and behind it; or a page behind
        // it that may not be touched, which is what is tried here.
        unsafe {
            match self.deed {
                Deed::Fits => drop(libc::strcpy(buffer.cast(), c"fifteen letters".as_ptr())),
                Deed::OneTooMany => drop(libc::strcpy(buffer.cast(), c"sixteen letters!".as_ptr())),
                Deed::Index => buffer.wrapping_add(20).write_volatile(b'9'),
                Deed::InFront => buffer.wrapping_sub(1).write_volatile(b'9'),
            }
        }
        Ok(())
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Deed::Fits => "strcpy of 15 letters",
            Deed::OneTooMany => "strcpy of 16 letters",
            Deed::Index => "buffer[20] = '9'",
            Deed::InFront => "buffer[-1] = '9'",
        })
    }
}

/// As it is called among the arguments.
fn name(value: impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// What is in memory just now. Only for the memory of the buffers above.
fn bytes_at(at: *const u8, len: usize) -> Vec<u8> {
    // SAFETY: the callers above pass memory of their own, which is open and stays mapped.
    (0..len).map(|n| unsafe { at.wrapping_add(n).read_volatile() }).collect()
}

fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
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

fn say(line: &str) -> Result<(), Failure> {
    let mut out = out();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
