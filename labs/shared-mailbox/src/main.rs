//! Given: the mailbox by hand, in two terminals. All it knows is the library beside it.

use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use ipc_common::{Errno, Error, Result, state};
use shared_mailbox::{Message, Reader, Writer};

/// Bytes of text that the mailbox of this program holds.
const CAPACITY: u32 = 1000;

const HELP: &str = "\
A mailbox in a mapped file, as far as you have written it.

  cargo run -p shared-mailbox -- send TEXT   put a message in the place of the last one
  cargo run -p shared-mailbox -- write       send each line that you type, until Ctrl-D
  cargo run -p shared-mailbox -- read        read the message that is there
  cargo run -p shared-mailbox -- follow      print each new message, until Ctrl-C

`--file FILE` before them names another file. `xxd FILE` or `od -A d -t x1z FILE` shows what is in
it. Exit codes: 0 done, 1 failed, 2 wrong usage.
";

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(friendly));
    std::panic::catch_unwind(run).unwrap_or(ExitCode::FAILURE)
}

fn run() -> ExitCode {
    let mut args: Vec<String> =
        env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let file = match args.first().map(String::as_str) {
        Some("--file") if args.len() > 1 => {
            let file = PathBuf::from(args.remove(1));
            args.remove(0);
            Ok(file)
        }
        _ => state::folder().map(|folder| folder.join("shared-mailbox")),
    };
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["help" | "--help" | "-h"] => print(HELP),
        ["send", text] => file.and_then(|file| send(&file, text)),
        ["write"] => file.and_then(|file| write(&file)),
        ["read"] => file.and_then(|file| read(&file)),
        ["follow"] => file.and_then(|file| follow(&file)),
        _ => {
            let _ = std::io::stderr().write_all(HELP.as_bytes());
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn send(file: &Path, text: &str) -> Result<()> {
    let sequence = Writer::open(file, CAPACITY)?.send(text.as_bytes())?;
    print(&format!("sent, sequence {sequence}\n"))
}

fn write(file: &Path) -> Result<()> {
    let writer = Writer::open(file, CAPACITY)?;
    for line in std::io::stdin().lines() {
        let line = line.map_err(|error| Error::from_io("read", &error, "standard input"))?;
        writer.send(line.as_bytes())?;
    }
    Ok(())
}

fn read(file: &Path) -> Result<()> {
    match Reader::open(file, CAPACITY)?.read()? {
        Some(message) => show(&message),
        None => print("no message yet\n"),
    }
}

fn follow(file: &Path) -> Result<()> {
    let reader = Reader::open(file, CAPACITY)?;
    let mut last = 0;
    loop {
        match reader.read() {
            Ok(Some(message)) if message.sequence != last => {
                show(&message)?;
                last = message.sequence;
            }
            // In the middle of a message: look again.
            Err(error) if error.errno() == Errno::EAGAIN => {}
            other => drop(other?),
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A message is a stranger's text: it must not drive the terminal.
fn show(message: &Message) -> Result<()> {
    let text = String::from_utf8_lossy(&message.text);
    let tame: String = text
        .chars()
        .map(|letter| if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter })
        .collect();
    print(&format!("{}: {tame}\n", message.sequence))
}

fn print(text: &str) -> Result<()> {
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| Error::from_io("write", &error, "standard output"))
}

/// A `todo!` is no crash: it says what is to be written, and where.
fn friendly(panic: &std::panic::PanicHookInfo<'_>) {
    let said = panic
        .payload()
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.payload().downcast_ref::<&str>().copied())
        .unwrap_or("a panic");
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let _ = match said.strip_prefix("not yet implemented: ") {
        Some(task) => writeln!(
            std::io::stderr(),
            "Not written yet: {task}.\nIt is yours to write, at {place}."
        ),
        None => writeln!(std::io::stderr(), "{said}\n  at {place}"),
    };
}
