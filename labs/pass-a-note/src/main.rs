//! Given: the board by hand, in two terminals. All it knows is the library beside it.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use ipc_common::{Error, Result, state};
use pass_a_note::{Note, Poster, Reader, Shape, take_down};

/// Of the board that this program makes.
const SHAPE: Shape = Shape { slots: 8, room: 256 };
const PROJECT: i32 = b'N' as i32;

const HELP: &str = "\
A bulletin board in shared memory, as far as you have written it.

  cargo run -p pass-a-note -- post TEXT   hang a note
  cargo run -p pass-a-note -- list        read all notes
  cargo run -p pass-a-note -- read SLOT   read one
  cargo run -p pass-a-note -- watch       stay attached and print each new note, until Ctrl-C
  cargo run -p pass-a-note -- remove      take the board down

`--file FILE` before them names another file to make the key of. Look at the kernel's side with
`ipcs -m`. Exit codes: 0 done, 1 failed, 2 wrong usage.
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
            // The library takes no relative path; a person at a terminal may.
            let file = std::path::absolute(args.remove(1));
            args.remove(0);
            file.map_err(|error| Error::from_io("getcwd", &error, ""))
        }
        _ => own_file(),
    };
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["help" | "--help" | "-h"] => print(HELP),
        ["post", text] => file.and_then(|file| post(&file, text)),
        ["list"] => file.and_then(|file| list(&file)),
        ["read", slot] if slot.parse::<u32>().is_ok() => {
            file.and_then(|file| read(&file, slot.parse().unwrap_or_default()))
        }
        ["watch"] => file.and_then(|file| watch(&file)),
        ["remove"] => file.and_then(|file| take_down(&file, PROJECT)),
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

fn post(file: &Path, text: &str) -> Result<()> {
    let slot = Poster::open(file, PROJECT, SHAPE)?.post(text.as_bytes())?;
    print(&format!("posted in slot {slot}\n"))
}

fn list(file: &Path) -> Result<()> {
    Reader::open(file, PROJECT)?.list()?.iter().try_for_each(show)
}

fn read(file: &Path, slot: u32) -> Result<()> {
    match Reader::open(file, PROJECT)?.read(slot)? {
        Some(text) => show(&Note { slot, text }),
        None => print(&format!("{slot}: no note\n")),
    }
}

fn watch(file: &Path) -> Result<()> {
    let reader = Reader::open(file, PROJECT)?;
    let mut shown = Vec::new();
    loop {
        for note in reader.list()? {
            if !shown.contains(&note.slot) {
                show(&note)?;
                shown.push(note.slot);
            }
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// A note is a stranger's text: it must not drive the terminal.
fn show(note: &Note) -> Result<()> {
    let text = String::from_utf8_lossy(&note.text);
    let tame: String = text
        .chars()
        .map(|letter| if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter })
        .collect();
    print(&format!("{}: {tame}\n", note.slot))
}

fn print(text: &str) -> Result<()> {
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| Error::from_io("write", &error, "standard output"))
}

/// A file of the user's own to make the key of, the same whatever folder we stand in.
fn own_file() -> Result<PathBuf> {
    let file = state::folder()?.join("pass-a-note");
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&file)
        .map_err(|error| Error::from_io("open", &error, file.display().to_string()))?;
    Ok(file)
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
