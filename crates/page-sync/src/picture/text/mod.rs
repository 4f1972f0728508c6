//! For terminals: letters, with colours behind them where there are colours. Without them nothing
//! is lost.

mod words;

use std::fmt::{self, Write};

use anstyle::{AnsiColor, Style};
use ipc_common::cli::shown;
use ipc_common::cli::style::{FAINT, STRONG, WARNING};

use super::sources::{FAULTS, SMAPS};
use super::{Cells, Face, Look, Subject, Survey};
use crate::inspect::Answer;

use words::{count, one_process, wrapped};
pub use words::{lines, size, warnings, whereabouts};

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
    let width = columns.clamp(40, LONGEST);
    legend(out, &cells, width)?;
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

fn legend(out: &mut String, cells: &Cells, width: usize) -> fmt::Result {
    let mapped = cells.total().mapped;
    let mapped = (mapped > 0).then(|| {
        let meaning = "a capital letter: mapped by a process that was looked into";
        ('A', STRONG, "mapped", count(mapped, "page"), meaning)
    });
    let faces = cells.looks().into_iter().map(|(face, number)| {
        let style = style(Look { face, all: true, mapped: false });
        let letter = face.letter(face == Face::Private);
        (letter, style, face.name(), count(number, "page"), face.meaning())
    });
    let rows: Vec<_> = faces.chain(mapped).collect();
    let numbers = rows.iter().map(|(_, _, _, number, _)| number.len()).max().unwrap_or(0);
    // Letter, name and number, and the blanks around them.
    let before = 5 + 14 + 1 + numbers + 2;
    for (letter, style, name, number, meaning) in rows {
        write!(out, "  {style}{letter}{style:#}  {name:<14} {number:<numbers$}  ")?;
        for (at, line) in lines(meaning, width.saturating_sub(before)).iter().enumerate() {
            let indent = if at == 0 { 0 } else { before };
            writeln!(out, "{:indent$}{FAINT}{line}{FAINT:#}", "")?;
        }
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
}
