//! Notes on standard output: each change once, a line each, or a JSON object a line.

use std::io::Write;

use serde_json::json;

use super::{Failure, out, warn};
use crate::note::Reading;

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
                let line = json!({
                    "note": text.to_string(),
                    "bytes": text.len(),
                    "utf8": text.to_str().is_some(),
                    "terminated": text.is_terminated(),
                    "sequence": sequence,
                });
                writeln!(out, "{line}")?;
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
