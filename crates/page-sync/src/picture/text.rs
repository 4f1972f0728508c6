//! For terminals: letters, with colours behind them where there are colours. Without them nothing
//! is lost.

use std::fmt::{self, Write};

use anstyle::{AnsiColor, Style};
use ipc_common::cli::shown;
use ipc_common::cli::style::{FAINT, STRONG, WARNING};

use super::sources::{FAULTS, SMAPS};
use super::{Cells, Face, Look, Process, Subject, Survey, Whereabouts};
use crate::inspect::Answer;

/// How many rows of cells there are at most.
const ROWS: u64 = 16;
/// Where letters of one row are set apart, to be counted.
pub const GROUP: u64 = 16;
/// Words are told in lines of at most so many characters: longer ones are hard to read.
const LONGEST: usize = 100;

/// The style of a cell. A whole cell has a background; one of which only some pages are so has its
/// letter in the colour.
pub fn style(look: Look) -> Style {
    let colour = match look.face {
        Face::Dirty => AnsiColor::Red,
        Face::Writeback => AnsiColor::Magenta,
        Face::Private => AnsiColor::Yellow,
        Face::Clean => AnsiColor::Green,
        Face::Cached => AnsiColor::Cyan,
        Face::Evicted | Face::Absent | Face::Unknown => return FAINT,
    };
    let style = match look.all {
        true => Style::new().fg_color(Some(AnsiColor::Black.into())).bg_color(Some(colour.into())),
        false => Style::new().fg_color(Some(colour.into())),
    };
    if look.mapped { style.bold() } else { style }
}

/// How many cells stand in a row of a terminal of so many columns: behind the number of the row's
/// first page, and set apart in groups of [`GROUP`].
pub fn per_row(pages: u64, columns: usize) -> u64 {
    let label = pages.max(1).ilog10() as usize + 1;
    let room = columns.saturating_sub(label + 3);
    // A power of two, so that rows begin at round numbers, and room for the blanks in between.
    (0..=7).rev().map(|n| 1 << n).find(|cells| cells + cells / GROUP as usize <= room).unwrap_or(1)
        as u64
}

/// The whole picture: what file, its cells, what they mean, who maps it, and what each source said
/// and is true for. `columns` is the width of the terminal.
pub fn render(subject: &Subject, survey: &Survey, columns: usize) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut text, subject, survey, columns);
    text
}

fn write(out: &mut String, subject: &Subject, survey: &Survey, columns: usize) -> fmt::Result {
    let per_row = per_row(survey.pages, columns);
    let cells = Cells::fold(&survey.picture(), per_row * ROWS);
    head(out, subject, survey, &cells)?;
    grid(out, &cells, per_row)?;
    legend(out, &cells)?;
    let width = columns.clamp(40, LONGEST);
    processes(out, survey, width)?;
    sources(out, survey, width)
}

fn head(out: &mut String, subject: &Subject, survey: &Survey, cells: &Cells) -> fmt::Result {
    let (bytes, pages, page) = (survey.bytes, survey.pages, survey.page_size);
    write!(out, "{STRONG}{}{STRONG:#}: {bytes} bytes", shown(subject.path()))?;
    match pages {
        0 => write!(out, ", so it has no pages")?,
        _ => write!(out, " = {} of {page}", count(pages, "page"))?,
    }
    match &survey.file_system {
        Answer::Known(file_system) => writeln!(out, ", on {file_system}")?,
        Answer::Unknown(reason) => writeln!(out, "; file system {reason}")?,
    }
    match cells.pages_per_cell() {
        _ if pages == 0 => {}
        1 => writeln!(out, "{FAINT}a letter is one page{FAINT:#}")?,
        folded => writeln!(
            out,
            "{FAINT}a letter is {folded} pages ({}), and shows the most urgent of them{FAINT:#}",
            size(folded.saturating_mul(page.bytes() as u64)),
        )?,
    }
    for warning in warnings(survey) {
        writeln!(out, "{WARNING}meanwhile:{WARNING:#} {warning}")?;
    }
    writeln!(out)
}

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

fn grid(out: &mut String, cells: &Cells, per_row: u64) -> fmt::Result {
    let label = cells.total().pages.max(1).ilog10() as usize + 1;
    for row in cells.cells().chunks(per_row as usize) {
        write!(out, "{FAINT}{:>label$}{FAINT:#} ", row[0].pages.start)?;
        for group in row.chunks(GROUP as usize) {
            out.push(' ');
            for same in group.chunk_by(|one, next| style(one.look()) == style(next.look())) {
                let style = style(same[0].look());
                let letters: String = same.iter().map(|cell| cell.look().letter()).collect();
                write!(out, "{style}{letters}{style:#}")?;
            }
        }
        writeln!(out)?;
    }
    if cells.cells().is_empty() { Ok(()) } else { writeln!(out) }
}

fn legend(out: &mut String, cells: &Cells) -> fmt::Result {
    let looks = cells.looks();
    let width = looks.iter().map(|(_, n)| count(*n, "page").len()).max().unwrap_or(0);
    for (face, number) in looks {
        let style = style(Look { face, all: true, mapped: false });
        let (letter, name) = (face.letter(face == Face::Private), face.name());
        let (number, meaning) = (count(number, "page"), face.meaning());
        writeln!(
            out,
            "  {style}{letter}{style:#}  {name:<14} {number:<width$}  {FAINT}{meaning}{FAINT:#}"
        )?;
    }
    let mapped = cells.total().mapped;
    if mapped > 0 {
        writeln!(
            out,
            "  {STRONG}A{STRONG:#}  {:<14} {:<width$}  {FAINT}a capital letter: mapped by a process \
             that was looked into{FAINT:#}",
            "mapped",
            count(mapped, "page")
        )?;
    }
    if cells.cells().is_empty() { Ok(()) } else { writeln!(out) }
}

fn processes(out: &mut String, survey: &Survey, width: usize) -> fmt::Result {
    for process in &survey.processes {
        wrapped(out, width, 2, &one_process(process))?;
    }
    if survey.processes.is_empty() && survey.closed.is_known() {
        writeln!(out, "No process that may be looked into maps it.")?;
    }
    writeln!(out)
}

fn one_process(process: &Process) -> String {
    use super::InProcess;
    let mut line = format!("process {}", process.pid);
    if !process.name.is_empty() {
        let name = std::path::Path::new(&process.name);
        let _ = write!(line, " ({})", shown(name));
    }
    match &process.pages {
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
            for (what, name) in [(InProcess::Swapped, "swapped out"), (InProcess::Guard, "guards")]
            {
                let number = pages.count_pages(|page| page == what);
                if number > 0 {
                    let _ = write!(line, "; {} {name}", count(number, "page"));
                }
            }
        }
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

fn sources(out: &mut String, survey: &Survey, width: usize) -> fmt::Result {
    writeln!(out, "{STRONG}Who says so, and what it is true for{STRONG:#}")?;
    for source in survey.sources() {
        wrapped(out, width, 4, &format!("{}: {}", source.name, source.says))?;
        faint(out, width, &format!("true for {}", source.true_for))?;
    }
    if survey.processes.iter().any(|process| process.totals.is_known()) {
        wrapped(out, width, 4, "/proc/PID/smaps: what is resident in all")?;
        faint(out, width, &format!("true for {SMAPS}"))?;
    }
    if survey.processes.iter().any(|process| process.faults.is_known()) {
        wrapped(out, width, 4, "/proc/PID/stat: faults so far")?;
        faint(out, width, &format!("true for {FAULTS}"))?;
    }
    for note in &survey.notes {
        faint(out, width, note)?;
    }
    Ok(())
}

fn faint(out: &mut String, width: usize, text: &str) -> fmt::Result {
    write!(out, "{FAINT}  ")?;
    wrapped(out, width - 2, 4, text)?;
    write!(out, "{FAINT:#}")
}

/// Words in lines of at most `width` characters, all but the first one indented further; the whole
/// stands two blanks in.
fn wrapped(out: &mut String, width: usize, indent: usize, text: &str) -> fmt::Result {
    let mut column = 0;
    for word in text.split(' ') {
        let len = word.chars().count();
        if column == 0 {
            write!(out, "  {word}")?;
            column = 2 + len;
        } else if column + 1 + len <= width {
            write!(out, " {word}")?;
            column += 1 + len;
        } else {
            write!(out, "\n{:indent$}{word}", "")?;
            column = indent + len;
        }
    }
    writeln!(out)
}

/// `1 page`, `2 pages`.
fn count(number: u64, one: &str) -> String {
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
    fn rows_fit_into_their_terminal() {
        for columns in [0, 1, 10, 20, 40, 79, 80, 120, 500] {
            for pages in [0, 1, 64, 1 << 28, u64::MAX] {
                let cells = per_row(pages, columns);
                assert!(cells.is_power_of_two() && cells <= 128);
                let label = pages.max(1).ilog10() as usize + 1;
                let needed = label + 1 + (cells + cells.div_ceil(GROUP)) as usize;
                assert!(needed <= columns || cells == 1, "{cells} cells in {columns} columns");
            }
        }
        assert_eq!(per_row(1000, 80), 64);
    }

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
