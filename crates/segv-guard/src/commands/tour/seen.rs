//! The parent's part: watch a child commit a deed, and put together what was seen.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use ipc_common::cli::style::{FAINT, KERNEL, STRONG};
use ipc_common::cli::{Actor, Failure, Quit, ending};
use ipc_common::{Errno, Error};
use nix::sys::signal::Signal;
use segv_guard::explain::Scene;
use segv_guard::{Access, Fault};
use serde_json::{Value, json};

use super::deed::Deed;
use super::report::Report;

/// A deed, and what came of it.
pub struct Seen {
    pub deed: &'static Deed,
    pub outcome: Outcome,
}

/// What came of it.
pub enum Outcome {
    /// It was not committed, for this reason.
    Skipped(String),
    /// It was not refused.
    Unharmed,
    /// It was refused.
    Refused {
        /// The child.
        pid: u32,
        fault: Fault,
        /// The fault in a sentence, and what lies at the address.
        sentence: String,
        place: Option<String>,
        /// What the probe returned, if one was made.
        probe: Option<Result<(), Fault>>,
        /// How the child ended after it.
        end: ExitStatus,
    },
}

impl Seen {
    /// Starts the child, and listens until it is gone.
    pub fn watch(deed: &'static Deed, quit: &Quit) -> Result<Seen, Failure> {
        let mut child = Actor::start(deed.name, ["commit", deed.name, "--net", "report"])?;
        let (mut before, mut object, mut probe) = (None, None, None);
        loop {
            let line = child.line(quit)?;
            match Report::parse(&line) {
                Some(Report::Skip(reason)) => {
                    child.finish()?;
                    return Ok(Seen { deed, outcome: Outcome::Skipped(reason) });
                }
                Some(Report::Ready(found)) => {
                    before = Some(Scene::of(child.pid())?);
                    object = found;
                    child.tell("", quit)?;
                }
                Some(Report::Probe(result)) => probe = Some(result.map_or(Ok(()), Err)),
                Some(Report::Unharmed) => {
                    child.finish()?;
                    return Ok(Seen { deed, outcome: Outcome::Unharmed });
                }
                Some(Report::Fault { fault, stack_pointer }) => {
                    // The child stands in its handler, and waits for us.
                    let mut scene = Scene::of(child.pid())?.stack_pointer(stack_pointer);
                    if let Some(before) = &before {
                        scene = scene.since(before);
                    }
                    if let Some((range, what)) = object {
                        scene = scene.object(range, what);
                    }
                    let sentence = scene.explain(&fault).to_string();
                    let place = fault.address().map(|address| scene.place(address).to_string());
                    child.tell("", quit)?;
                    let end = child.finish()?;
                    let pid = child.pid();
                    let outcome = Outcome::Refused { pid, fault, sentence, place, probe, end };
                    return Ok(Seen { deed, outcome });
                }
                None => return Err(strange(deed, &line)),
            }
        }
    }

    pub fn is_skipped(&self) -> bool {
        matches!(self.outcome, Outcome::Skipped(_))
    }

    pub fn as_json(&self) -> Value {
        let mut object = json!({ "name": self.deed.name, "done": self.deed.done });
        match &self.outcome {
            Outcome::Skipped(reason) => object["skipped"] = json!(reason),
            Outcome::Unharmed => object["refused"] = json!(false),
            Outcome::Refused { pid, fault, sentence, place, probe, end } => {
                object["refused"] = json!(true);
                object["pid"] = json!(pid);
                object["fault"] = fault_as_json(fault);
                object["place"] = json!(place);
                object["sentence"] = json!(sentence);
                object["probe"] = match probe {
                    None => Value::Null,
                    Some(Ok(())) => json!({ "refused": false }),
                    Some(Err(fault)) => json!({ "refused": true, "fault": fault_as_json(fault) }),
                };
                let signal = end.signal().and_then(|number| Signal::try_from(number).ok());
                object["end"] =
                    json!({ "signal": signal.map(Signal::as_str), "exit_code": end.code() });
            }
        }
        object
    }
}

fn fault_as_json(fault: &Fault) -> Value {
    json!({
        "signal": fault.signal().as_str(),
        "code": fault.cause().name(),
        "si_code": fault.code(),
        "address": fault.address().map(|address| format!("{address:#x}")),
        "access": access(fault),
    })
}

fn access(fault: &Fault) -> &'static str {
    match fault.access() {
        Access::Read => "read",
        Access::Write => "write",
        Access::Execute => "execute",
        Access::Unknown => "unknown",
    }
}

/// A few lines, with an empty one at the end.
impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Seen { deed, outcome } = self;
        writeln!(f, "{STRONG}{:<24}{STRONG:#}{}", deed.name, deed.done)?;
        match outcome {
            Outcome::Skipped(reason) => writeln!(f, "  not committed: {reason}"),
            Outcome::Unharmed => writeln!(f, "  not refused: the child went on, unharmed"),
            Outcome::Refused { fault, sentence, probe, end, .. } => {
                let code = fault.cause().name().unwrap_or("?");
                let address = match fault.address() {
                    Some(address) => format!("at {address:#x}"),
                    None => "address not told".into(),
                };
                let told = format!("{}, {code} ({})", fault.signal(), fault.code());
                writeln!(
                    f,
                    "  {FAINT}kernel{FAINT:#}     {KERNEL}{told:<28}{:<8} {address}{KERNEL:#}",
                    access(fault)
                )?;
                writeln!(f, "  {FAINT}means{FAINT:#}      {sentence}")?;
                match probe {
                    Some(Err(_)) => {
                        writeln!(f, "  {FAINT}probed{FAINT:#}     Err, and it went on")?
                    }
                    Some(Ok(())) => writeln!(f, "  {FAINT}probed{FAINT:#}     it succeeded")?,
                    None => {}
                }
                writeln!(f, "  {FAINT}uncaught{FAINT:#}   {}", ending(*end))
            }
        }
    }
}

fn strange(deed: &Deed, line: &str) -> Failure {
    Failure::Error(
        Error::refused("tour", Errno::EPROTO, format!("{}: {line:?}", deed.name))
            .with_remedy("the child said something else than it should; run its command by hand"),
    )
}
