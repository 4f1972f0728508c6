//! `explain`: what is at an address of a process, and what would happen there.

use std::fmt::Display;
use std::io::Write;

use clap::Args;
use ipc_common::cli::style::{FAINT, KERNEL, STRONG};
use ipc_common::cli::{Failure, out};
use segv_guard::Access;
use segv_guard::explain::{Backing, Listed, Place, Scene, text_in};
use serde_json::{Value, json};

/// What lies at an address, and what a read, a write and a call there would do
///
/// Looks the address up in /proc/PID/maps: which mapping, with which protection, which page of
/// which file, or how far it is to the nearest one. Then says what each kind of access would do
/// now: go through, or end with which signal and code. Nothing is tried.
///
/// The addresses of a process that has crashed are gone with it. Those of one that is running are
/// in /proc/PID/maps; a debugger, a log (`dmesg`: "segfault at …") or printf("%p") shows more.
#[derive(Args)]
#[command(after_help = "\
Examples:
  segv-guard explain 8                          NULL plus 8
  segv-guard explain 0x7ffd3c5e1f00 --pid $$    in your shell
  head -1 /proc/$$/maps                         an address of your shell to begin with

Exit codes: 0 done; 1 failed, also if there is no such process or it is another user's; 2 wrong
usage.")]
pub struct Explain {
    /// In hexadecimal, with or without 0x
    #[arg(value_parser = address)]
    address: usize,
    /// The process [default: this program itself]
    #[arg(long)]
    pid: Option<u32>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

const ACCESSES: [(&str, Access); 3] =
    [("read", Access::Read), ("write", Access::Write), ("execute", Access::Execute)];

fn address(text: &str) -> Result<usize, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    match usize::from_str_radix(digits, 16) {
        Ok(address) if hexadecimal => Ok(address),
        _ => Err("an address is up to 16 hexadecimal digits, such as 0x7ffd3c5e1f00".into()),
    }
}

impl Explain {
    pub fn run(self) -> Result<(), Failure> {
        let pid = self.pid.unwrap_or(std::process::id());
        let scene = Scene::of(pid)?;
        if self.json {
            writeln!(out(), "{}", self.as_json(pid, &scene))?;
            return Ok(());
        }
        let address = self.address;
        let whose = if self.pid.is_none() { ", which is this program itself" } else { "" };
        writeln!(out(), "{STRONG}{address:#x}{STRONG:#} in process {pid}{whose}")?;
        row("there", scene.place(address))?;
        match scene.place(address) {
            Place::Mapped(listed) => mapping(listed, address)?,
            Place::Gap { below, above } => {
                if let Some(above) = above {
                    let distance = above.start - address;
                    row("above", format_args!("{distance:#x} bytes on: {}", one_line(above)))?;
                }
                if let Some(below) = below {
                    let distance = address - below.end;
                    row("below", format_args!("{distance:#x} bytes past: {}", one_line(below)))?;
                }
            }
            _ => {}
        }
        if let Some(text) = text_in(address) {
            row("as text", format_args!("{text:?}: a string was written over a pointer?"))?;
        }
        for (word, access) in ACCESSES {
            let outcome = scene.outcome(address, access);
            row(word, format_args!("{KERNEL}{outcome}{KERNEL:#}"))?;
            // Of an address that no page can have, the processor tells nothing that could be
            // explained.
            let fault = outcome.fault(address, access).filter(|fault| fault.address().is_some());
            if let Some(fault) = fault {
                let means = scene.explain(&fault);
                writeln!(out(), "             {FAINT}{means}{FAINT:#}")?;
            }
        }
        Ok(())
    }

    fn as_json(&self, pid: u32, scene: &Scene) -> Value {
        let place = scene.place(self.address);
        let mut object = json!({
            "address": format!("{:#x}", self.address),
            "pid": pid,
            "place": place.to_string(),
            "text": text_in(self.address),
        });
        if let Place::Mapped(listed) = place {
            object["mapping"] = listed_as_json(listed);
            object["offset"] = json!(listed.offset_of(self.address));
            object["page"] = json!(listed.page_of(self.address));
        }
        if let Place::Gap { below, above } = place {
            object["below"] = json!(below.map(listed_as_json));
            object["above"] = json!(above.map(listed_as_json));
        }
        for (word, access) in ACCESSES {
            let outcome = scene.outcome(self.address, access);
            let fault = outcome.fault(self.address, access);
            object[word] = json!({
                "succeeds": outcome.is_allowed(),
                "outcome": outcome.to_string(),
                "signal": fault.map(|fault| fault.signal().as_str()),
                "code": fault.and_then(|fault| fault.cause().name()),
                "sentence": fault.map(|fault| scene.explain(&fault).to_string()),
            });
        }
        object
    }
}

fn mapping(listed: &Listed, address: usize) -> Result<(), Failure> {
    row("mapping", one_line(listed))?;
    if let Backing::File(path) | Backing::Memfd(path) = listed.backing() {
        // A path may hold anything, and this goes to a terminal.
        let path = path.to_string_lossy();
        row("file", path.escape_debug())?;
        let (page, offset) = (listed.page_of(address), listed.offset_of(address));
        match listed.file_len {
            Some(len) => row("in it", format_args!("page {page}, byte {offset} of {len}")),
            None => row(
                "in it",
                format_args!("page {page}, byte {offset}; how long it is, is not known"),
            ),
        }
    } else {
        row("in it", format_args!("byte {}", address - listed.start))
    }
}

fn one_line(listed: &Listed) -> String {
    let sharing = if listed.shared { "shared" } else { "private" };
    let (start, end, protection) = (listed.start, listed.end, listed.protection());
    format!("{start:#x}-{end:#x}  {protection}, {sharing}  {}", listed.what())
}

fn row(what: &str, value: impl Display) -> Result<(), Failure> {
    Ok(writeln!(out(), "  {what:<10} {value}")?)
}

fn listed_as_json(listed: &Listed) -> Value {
    json!({
        "start": format!("{:#x}", listed.start),
        "end": format!("{:#x}", listed.end),
        "read": listed.read,
        "write": listed.write,
        "exec": listed.exec,
        "shared": listed.shared,
        "offset": listed.offset,
        "inode": listed.inode,
        "name": listed.name.to_string_lossy(),
        "file_length": listed.file_len,
    })
}
