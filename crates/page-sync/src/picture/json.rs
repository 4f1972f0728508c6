//! For programs: one JSON object. The runs come last and are written one by one, since there may be
//! millions of them.

use std::io::{self, Write};

use ipc_common::cli::json_line;
use serde_json::{Value, json};

use super::text::warnings;
use super::{InProcess, Page, Process, Subject, Survey};
use crate::inspect::{Answer, Totals};

/// Writes all that is known, and why the rest is not: one line.
///
/// Of a run, `mapped_by` and `copies` are numbers of processes of those that were looked into.
///
/// # Errors
///
/// Those of writing.
pub fn write(out: &mut dyn Write, subject: &Subject, survey: &Survey) -> io::Result<()> {
    let mut head = json_line(&head(subject, survey));
    // The object is left open for one more field.
    head.truncate(head.len() - 1);
    write!(out, "{head},\"runs\":[")?;
    let mut comma = "";
    for (pages, page) in survey.picture().iter() {
        write!(out, "{comma}{}", run(pages.start, pages.end - pages.start, page))?;
        comma = ",";
    }
    writeln!(out, "]}}")
}

fn run(first: u64, pages: u64, Page { memory, mapped }: Page) -> Value {
    json!({
        "first": first,
        "pages": pages,
        "memory": memory.code(),
        "mapped_by": mapped.by,
        "copies": mapped.copies,
        "exclusive": mapped.exclusive,
    })
}

fn head(subject: &Subject, survey: &Survey) -> Value {
    let sources: Vec<Value> = survey
        .sources()
        .into_iter()
        .map(|source| {
            json!({
                "name": source.name,
                "true_for": source.true_for,
                "says": source.says.known().map(|said| said.to_string()),
                "unknown": unknown(&source.says),
            })
        })
        .collect();
    json!({
        "file": subject.path().to_string_lossy(),
        "file_system": known_or_null(&survey.file_system, |found| json!(found.name())),
        "bytes": survey.bytes,
        "bytes_after": survey.bytes_after,
        "page_size": survey.page_size.bytes(),
        "pages": survey.pages,
        "meanwhile": warnings(survey),
        "processes": survey.processes.iter().map(process).collect::<Vec<_>>(),
        "not_looked_into": known_or_null(&survey.closed, |number| json!(number)),
        "sources": sources,
        "notes": survey.notes,
    })
}

fn process(process: &Process) -> Value {
    let count = |what: fn(InProcess) -> bool| {
        known_or_null(&process.pages, |pages| json!(pages.count_pages(what)))
    };
    json!({
        "pid": process.pid,
        "name": process.name,
        "mapped": count(|page| matches!(page, InProcess::Page { .. })),
        "mapped_alone": count(|page| page == InProcess::Page { exclusive: true }),
        "copies": count(|page| matches!(page, InProcess::Copy { .. })),
        "copies_alone": count(|page| page == InProcess::Copy { exclusive: true }),
        "moving": count(|page| page == InProcess::Moving),
        "swapped": count(|page| page == InProcess::Swapped),
        "guards": count(|page| page == InProcess::Guard),
        "write_protected": known_or_null(&process.write_protected, |number| json!(number)),
        "unknown": unknown(&process.pages),
        "totals": known_or_null(&process.totals, totals),
        "faults": known_or_null(&process.faults, |faults| {
            json!({ "minor": faults.minor, "major": faults.major })
        }),
    })
}

fn totals(totals: &Totals) -> Value {
    json!({
        "resident": totals.resident,
        "proportional": totals.proportional,
        "shared_clean": totals.shared_clean,
        "shared_dirty": totals.shared_dirty,
        "private_clean": totals.private_clean,
        "private_dirty": totals.private_dirty,
        "anonymous": totals.anonymous,
        "swapped": totals.swapped,
    })
}

fn known_or_null<T>(answer: &Answer<T>, value: impl FnOnce(&T) -> Value) -> Value {
    answer.as_ref().known().map_or(Value::Null, value)
}

/// Why something is not known: a word for programs, and the sentence.
fn unknown<T>(answer: &Answer<T>) -> Value {
    answer.reason().map_or(
        Value::Null,
        |reason| json!({ "code": reason.code(), "because": reason.to_string() }),
    )
}
