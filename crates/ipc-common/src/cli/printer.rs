//! Notes on standard output: each change once, a line each, or a JSON object a line.

use std::fmt::{self, Display};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde_json::{Value, json};

use super::{Failure, out, warn};
use crate::note::Reading;
use crate::shown::{is_misleading, on_one_line};
use crate::view::Text;

/// Prints a note when it is another one than before.
#[derive(Debug)]
pub struct Printer {
    json: bool,
    last: Option<Reading>,
    printed: u64,
}

impl Printer {
    /// Prints plain lines, or JSON.
    pub fn new(json: bool) -> Printer {
        Printer { json, last: None, printed: 0 }
    }

    /// How many notes it has printed.
    pub fn printed(&self) -> u64 {
        self.printed
    }

    /// Prints what was found if it differs from what was found last. An empty note before any
    /// other means that there is none yet, and [`Reading::Busy`] says nothing new.
    ///
    /// # Errors
    ///
    /// [`Failure::Output`].
    pub fn show_change(&mut self, found: Reading) -> Result<(), Failure> {
        let none_yet = self.last.is_none() && found.text().is_some_and(|text| text.is_empty());
        if found == Reading::Busy || none_yet || self.last.as_ref() == Some(&found) {
            return Ok(());
        }
        self.show(&found)?;
        self.last = Some(found);
        Ok(())
    }

    /// Prints what was found, even if it is the same again. A note whose writer died is not
    /// printed; that it was abandoned is said instead.
    ///
    /// # Errors
    ///
    /// [`Failure::Output`].
    pub fn show(&mut self, found: &Reading) -> Result<(), Failure> {
        let mut out = out();
        match found {
            Reading::Whole { text, sequence } if self.json => {
                let mut line = note_json(text);
                line["sequence"] = json!(sequence);
                writeln!(out, "{}", json_line(&line))?;
            }
            Reading::Whole { text, .. } => {
                writeln!(out, "{text}")?;
                if !text.is_terminated() {
                    warn(
                        &"there is no NUL behind this text: it fills the whole memory, and whoever wrote it forgot the end",
                    );
                }
            }
            Reading::Abandoned if self.json => writeln!(out, "{}", json!({ "abandoned": true }))?,
            Reading::Abandoned => warn(
                &"a writer died in the middle of its note, so the note is not shown; the next one will be whole",
            ),
            Reading::Busy => return Ok(()),
        }
        if matches!(found, Reading::Whole { .. }) {
            self.printed += 1;
        }
        out.flush()?;
        Ok(())
    }
}

/// A text as JSON: `note` is the text itself. If it is no UTF-8, `note` has a replacement character
/// for what is not, and `hex` all the bytes.
pub fn note_json(text: &Text) -> Value {
    let mut object = json!({
        "note": String::from_utf8_lossy(text.as_bytes()),
        "bytes": text.len(),
        "utf8": text.to_str().is_some(),
        "terminated": text.is_terminated(),
    });
    if text.to_str().is_none() {
        let hex: String = text.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        object["hex"] = json!(hex);
    }
    object
}

/// A path on one line of a terminal, whatever its name holds.
pub fn shown(path: &Path) -> impl Display {
    struct Shown<'a>(&'a Path);
    impl Display for Shown<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            on_one_line(f, self.0.as_os_str().as_bytes())
        }
    }
    Shown(path)
}

/// JSON on one line, with nothing in it that drives a terminal: JSON itself asks only for the
/// escape of U+0000 to U+001F, and a stranger's text may hold others.
pub fn json_line(value: &Value) -> String {
    let mut line = String::new();
    for character in value.to_string().chars() {
        // Only within strings can there be such a character, and there `\u` means the same.
        if character.is_control() || is_misleading(character) {
            line.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            line.push(character);
        }
    }
    line
}
