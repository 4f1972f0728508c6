//! `dirty`: which pages were written since I looked. Slide "Illegal Memory Access"; after Appel and
//! Li (1991).

mod round;

use std::fmt::Write as _;
use std::io::Write;
use std::ops::Range;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use ipc_common::Error;
use ipc_common::PageSize;
use ipc_common::cli::style::{FAINT, WRITER};
use ipc_common::cli::{Failure, Narrator, out, watching};
use segv_guard::uses::{Backend, WriteTracker};
use serde_json::{Map, Value, json};

use round::{PAGES, Round, round, story};

/// Which pages were written since I looked, round by round, drawn
///
/// 64 pages are written to in a few rounds; after each one the tracker is asked. There are two
/// trackers, and both get the same writes: one makes the pages read-only and notes the page at each
/// fault, the other has the kernel note it (userfaultfd with asynchronous write protection, Linux
/// 6.7). Where the kernel cannot do that, or this user may not, the command says so and goes on with
/// the first alone.
///
/// In the drawing, W is a page written since the last look, w one written earlier, and a dot one
/// that was never written.
#[derive(Args)]
#[command(after_help = "\
Examples:
  segv-guard dirty
  segv-guard dirty --round 3,8-11 --round 3 --round 63    three rounds of your own
  segv-guard dirty --backend faults
  segv-guard dirty --json

Exit codes: 0 done; 1 failed, also if only the kernel was asked for and it cannot; 2 wrong usage;
128+n ended by signal n.")]
pub struct Dirty {
    /// Write to these pages, counted from 0; may be given several times [default: a few rounds]
    #[arg(long, value_name = "PAGES", value_parser = round)]
    round: Vec<Round>,
    /// Who shall notice the writes
    #[arg(long, value_enum, default_value_t = Who::Both)]
    backend: Who,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Who {
    Both,
    Faults,
    Kernel,
}

/// A tracker, and what it has seen.
struct Watcher {
    name: &'static str,
    tracker: WriteTracker,
    ever: [bool; PAGES],
}

/// An answer of it.
struct Look {
    written: Vec<Range<usize>>,
    deed_took: Duration,
    look_took: Duration,
}

impl Dirty {
    pub fn run(mut self) -> Result<(), Failure> {
        if self.round.is_empty() {
            self.round = story();
        }
        let (watchers, missing) = self.watchers()?;
        if self.json { self.print_json(watchers, missing) } else { self.tell(watchers, missing) }
    }

    /// The trackers asked for, and why there is no other.
    fn watchers(&self) -> Result<(Vec<Watcher>, Option<Error>), Error> {
        let mut watchers = Vec::new();
        if self.backend != Who::Kernel {
            watchers.push(Watcher::new("faults", Backend::Faults)?);
        }
        match Watcher::new("kernel", Backend::Kernel) {
            _ if self.backend == Who::Faults => Ok((watchers, None)),
            Ok(kernel) => {
                watchers.push(kernel);
                Ok((watchers, None))
            }
            Err(error) if self.backend == Who::Both => Ok((watchers, Some(error))),
            Err(error) => Err(error),
        }
    }

    fn tell(&self, mut watchers: Vec<Watcher>, missing: Option<Error>) -> Result<(), Failure> {
        watching(|quit| {
            let tell = Narrator::new(quit);
            tell.act(&format!("{PAGES} pages, and who notices the writes"))?;
            for watcher in &watchers {
                tell.say(format_args!("{:<8} {}", watcher.name, watcher.how()))?;
            }
            if let Some(error) = missing {
                tell.say(format_args!("{:<8} not here: {error}", "kernel"))?;
            }
            for (number, round) in self.round.iter().enumerate() {
                tell.act(&format!("Round {}: {}", number + 1, round.what))?;
                tell.say(format_args!("{:<8} {FAINT}{}{FAINT:#}", "", ruler()))?;
                for watcher in &mut watchers {
                    let look = watcher.play(round)?;
                    let drawing = watcher.draw(&look);
                    tell.say(format_args!("{:<8} {drawing}", watcher.name))?;
                    let numbers = look.written.iter().map(pages);
                    let numbers = numbers.collect::<Vec<_>>().join(", ");
                    let written = if numbers.is_empty() { "none".into() } else { numbers };
                    let [deed, ask] = [look.deed_took, look.look_took].map(micros);
                    tell.say(format_args!(
                        "{:<8} written: {written} {FAINT}(the round took {deed}, the look {ask}){FAINT:#}", ""
                    ))?;
                }
            }
            Ok(())
        })
    }

    fn print_json(
        &self,
        mut watchers: Vec<Watcher>,
        missing: Option<Error>,
    ) -> Result<(), Failure> {
        let mut rounds = Vec::new();
        for round in &self.round {
            let mut object = json!({ "what": round.what });
            for watcher in &mut watchers {
                object[watcher.name] = watcher.play(round)?.as_json();
            }
            rounds.push(object);
        }
        let backends: Map<String, Value> =
            watchers.iter().map(|watcher| (watcher.name.into(), json!(watcher.how()))).collect();
        let object = json!({
            "pages": PAGES,
            "page_size": PageSize::system().bytes(),
            "backends": backends,
            "kernel_missing": missing.map(|error| error.to_string()),
            "rounds": rounds,
        });
        Ok(writeln!(out(), "{object}")?)
    }
}

impl Watcher {
    fn new(name: &'static str, backend: Backend) -> Result<Watcher, Error> {
        let bytes = PAGES * PageSize::system().bytes();
        let tracker = WriteTracker::with(segv_guard::install()?, bytes, backend)?;
        Ok(Watcher { name, tracker, ever: [false; PAGES] })
    }

    fn how(&self) -> &'static str {
        match self.tracker.backend() {
            Backend::Faults => "read-only pages, and a SIGSEGV for the first write to each",
            Backend::Kernel => "userfaultfd write protection, read by PAGEMAP_SCAN",
        }
    }

    fn play(&mut self, round: &Round) -> Result<Look, Error> {
        let start = Instant::now();
        round.deed.commit(&self.tracker)?;
        let deed_took = start.elapsed();
        let written = self.tracker.take()?;
        let look_took = start.elapsed() - deed_took;
        Ok(Look { written, deed_took, look_took })
    }

    /// The pages in a line; from now on, these count as written earlier.
    fn draw(&mut self, look: &Look) -> String {
        let mut line = String::new();
        for page in 0..PAGES {
            // A String takes whatever is written to it.
            let _ = if look.written.iter().any(|range| range.contains(&page)) {
                self.ever[page] = true;
                write!(line, "{WRITER}W{WRITER:#}")
            } else if self.ever[page] {
                write!(line, "w")
            } else {
                write!(line, "{FAINT}.{FAINT:#}")
            };
        }
        line
    }
}

impl Look {
    fn as_json(&self) -> Value {
        let written: Vec<usize> = self.written.iter().cloned().flatten().collect();
        json!({
            "written": written,
            "round_ns": self.deed_took.as_nanos() as u64,
            "look_ns": self.look_took.as_nanos() as u64,
        })
    }
}

/// Every eighth page's number, above it.
fn ruler() -> String {
    (0..PAGES).step_by(8).map(|page| format!("{page:<8}")).collect::<String>().trim_end().into()
}

fn pages(range: &Range<usize>) -> String {
    let last = range.end - 1;
    if range.start == last { format!("{last}") } else { format!("{}-{last}", range.start) }
}

fn micros(duration: Duration) -> String {
    format!("{:.1} µs", duration.as_secs_f64() * 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ruler_stands_above_its_pages() {
        for page in (0..PAGES).step_by(8) {
            assert!(ruler()[page..].starts_with(&page.to_string()));
        }
    }
}
