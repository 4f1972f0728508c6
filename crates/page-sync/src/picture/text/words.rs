//! What is said in words rather than letters.

use std::fmt::{self, Write};
use std::path::Path;

use ipc_common::cli::shown;

use crate::inspect::{Answer, Reason};
use crate::picture::{InProcess, Process, Survey, Whereabouts};

/// What happened while the sources were asked.
pub fn warnings(survey: &Survey) -> Vec<String> {
    let mut warnings = Vec::new();
    let (before, after) = (survey.bytes, survey.bytes_after);
    if before != after {
        let how = if after < before { "cut shorter" } else { "grown" };
        warnings.push(format!("the file was {how}, from {before} bytes to {after}"));
    }
    warnings.extend(whereabouts(survey.whereabouts));
    warnings
}

/// What to say if a file is not where it was.
pub fn whereabouts(found: Whereabouts) -> Option<String> {
    Some(match found {
        Whereabouts::There => return None,
        Whereabouts::Replaced => {
            "the path leads to another file now; this is about the one before".into()
        }
        Whereabouts::Moved => "the file was moved away; this is about it all the same".into(),
        Whereabouts::Unlinked => {
            "the file was removed; it lives on as long as a process has it open or mapped".into()
        }
        Whereabouts::Unknown(errno) => {
            format!("whether the path still leads to this file is unknown, because of {errno:?}")
        }
    })
}

/// What one process sees of the file, in a sentence.
pub(super) fn one_process(process: &Process) -> String {
    let mut line = format!("process {}", process.pid);
    if !process.name.is_empty() {
        let name = Path::new(&process.name);
        let _ = write!(line, " ({})", shown(name));
    }
    match &process.pages {
        Answer::Unknown(Reason::NotMapped { .. }) => line.push_str(": does not map it"),
        Answer::Unknown(reason) => {
            let _ = write!(line, ": {reason}");
        }
        Answer::Known(pages) => {
            let is = |what: fn(InProcess) -> bool| pages.count_pages(what);
            let mapped = is(|page| matches!(page, InProcess::Page { .. }));
            let alone = is(|page| page == InProcess::Page { exclusive: true });
            let _ = write!(line, ": has {} mapped, {alone} of them alone", count(mapped, "page"));
            let copies = is(|page| matches!(page, InProcess::Copy { .. }));
            let own = is(|page| page == InProcess::Copy { exclusive: true });
            if copies > 0 {
                let number = if copies == 1 {
                    "1 private copy".into()
                } else {
                    format!("{copies} private copies")
                };
                let shared = copies - own;
                let _ = write!(line, "; {number}, {shared} of them shared since a fork");
            }
            for (what, name) in [
                (InProcess::Moving, "being moved in memory"),
                (InProcess::Swapped, "swapped out"),
                (InProcess::Guard, "guards"),
            ] {
                let number = pages.count_pages(|page| page == what);
                if number > 0 {
                    let _ = write!(line, "; {} {name}", count(number, "page"));
                }
            }
        }
    }
    if let Answer::Known(marked @ 1..) = process.write_protected {
        let _ = write!(line, "; {} write-protected by userfaultfd(2)", count(marked, "page"));
    }
    if let Answer::Known(totals) = process.totals {
        let _ = write!(
            line,
            "; in all {} resident, {} of it private and dirty, {} shared and dirty",
            size(totals.resident),
            size(totals.private_dirty),
            size(totals.shared_dirty)
        );
    }
    if let Answer::Known(faults) = process.faults {
        let _ = write!(line, "; {} minor and {} major faults so far", faults.minor, faults.major);
    }
    line
}

/// Words in lines of at most `width` characters, all but the first one indented further; the whole
/// stands two blanks in.
pub(super) fn wrapped(out: &mut String, width: usize, indent: usize, text: &str) -> fmt::Result {
    for (at, line) in broken(text, width - 2, width - indent).iter().enumerate() {
        let indent = if at == 0 { 2 } else { indent };
        writeln!(out, "{:indent$}{line}", "")?;
    }
    Ok(())
}

/// Words in lines of at most `width` characters; a word that is longer has a line of its own.
pub fn lines(text: &str, width: usize) -> Vec<String> {
    broken(text, width, width)
}

/// The first line and the others may have different widths.
fn broken(text: &str, first: usize, others: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let width = if lines.len() == 1 { first } else { others };
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// `1 page`, `2 pages`.
pub(super) fn count(number: u64, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// A number of bytes as people say it: exact where it is short.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let exponent = (bytes.ilog2() / 10) as usize;
    let unit = UNITS[exponent - 1];
    let whole = bytes >> (10 * exponent);
    let tenth = (bytes >> (10 * (exponent - 1))) % 1024 * 10 / 1024;
    if tenth == 0 { format!("{whole} {unit}") } else { format!("{whole}.{tenth} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_people_say_them() {
        let said = [0, 1023, 1024, 4096, 1536, 1 << 20, (1 << 40) + (1 << 39), u64::MAX].map(size);
        let expected =
            ["0 bytes", "1023 bytes", "1 KiB", "4 KiB", "1.5 KiB", "1 MiB", "1.5 TiB", "15.9 EiB"];
        assert_eq!(said, expected);
    }

    #[test]
    fn lines_are_no_longer_than_they_may_be() {
        let mut text = String::new();
        wrapped(&mut text, 40, 4, &"word ".repeat(40)).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
    }
}
