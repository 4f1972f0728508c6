//! For slides: an SVG of 1280 points' width that reads the same printed in black and white.
//!
//! Each state has a pattern and a letter beside its colour, and each text is given the width that
//! it was laid out for (`textLength`), so that it stays in its box whatever font the viewer has.

mod file;
mod ink;
mod words;

use std::fmt::Write;

use super::{Cell, Cells, Face, Look, Subject, Survey};
use crate::inspect::Answer;

pub use file::save;
use ink::{escaped, paint, patterns};
use words::{ADVANCE, width};

/// How wide the picture is, in points.
const WIDTH: f64 = 1280.0;
/// What is kept free around it.
const MARGIN: f64 = 40.0;
/// How wide the cells of a row are together.
const GRID: f64 = 768.0;
/// How many cells there are at most: 16 rows of 32.
const CELLS: u64 = 512;
/// With at most so many cells, they are twice as large.
const FEW: usize = 64;

/// The picture as a document of its own.
pub fn render(subject: &Subject, survey: &Survey) -> String {
    let cells = Cells::fold(&survey.picture(), CELLS);
    let name = subject.path().to_string_lossy();
    let mut page = Document { body: String::new(), y: MARGIN - 6.0 };
    page.title(&name, survey, &cells);
    let top = page.y;
    let below_legend = page.legend(&cells, top);
    page.grid(&cells);
    page.y = page.y.max(below_legend) + 14.0;
    page.sources(survey);
    page.whole(&name)
}

struct Document {
    body: String,
    /// How far down it has come.
    y: f64,
}

impl Document {
    fn title(&mut self, name: &str, survey: &Survey, cells: &Cells) {
        self.line(MARGIN, 24.0, WIDTH - 2.0 * MARGIN, true, name);
        let page = survey.page_size.bytes();
        let mut about = format!("{} bytes = {} pages of {page} bytes", survey.bytes, survey.pages);
        if let Answer::Known(file_system) = &survey.file_system {
            let _ = write!(about, ", on {file_system}");
        }
        let _ = match cells.pages_per_cell() {
            1 => write!(about, "; a square is one page"),
            folded => write!(about, "; a square is {folded} pages and shows the most urgent"),
        };
        self.y += 12.0;
        self.line(MARGIN, 16.0, WIDTH - 2.0 * MARGIN, false, &about);
        self.y += 16.0;
    }

    fn grid(&mut self, cells: &Cells) {
        let (per_row, side) =
            if cells.cells().len() <= FEW { (16, GRID / 16.0) } else { (32, GRID / 32.0) };
        // Wide enough for the number of the last row's first page, if that is not too long.
        let label = 110.0;
        for row in cells.cells().chunks(per_row) {
            let number = row[0].pages.start.to_string();
            let size = 14.0_f64.min((label - 10.0) / (number.len() as f64 * ADVANCE));
            let right = MARGIN + label - 10.0 - width(&number, size);
            self.text(right, self.y + side / 2.0 + size / 3.0, size, false, &number);
            for (at, cell) in row.iter().enumerate() {
                self.cell(cell, MARGIN + label + at as f64 * side, side);
            }
            self.y += side;
        }
    }

    fn cell(&mut self, cell: &Cell, x: f64, side: f64) {
        let look = cell.look();
        let _ = write!(self.body, "<g><title>{}</title>", tooltip(cell));
        self.square(look, x, self.y, side);
        self.body.push_str("</g>\n");
    }

    /// A square of which only some pages are so is filled only in part. A thick border: mapped.
    fn square(&mut self, look: Look, x: f64, y: f64, side: f64) {
        let inset = if look.all { 0.0 } else { side * 0.2 };
        let (fill, ink) = paint(look.face);
        let _ = write!(
            self.body,
            r##"<rect x="{x:.1}" y="{y:.1}" width="{side:.1}" height="{side:.1}" fill="#fff" stroke="#666" stroke-width="0.5"/>"##
        );
        let inner = side - 2.0 * inset;
        let (left, top) = (x + inset, y + inset);
        let _ = write!(
            self.body,
            r#"<rect x="{left:.1}" y="{top:.1}" width="{inner:.1}" height="{inner:.1}" fill="{fill}"/>"#
        );
        if look.mapped {
            let (left, top, inner) = (x + 2.0, y + 2.0, side - 4.0);
            let _ = write!(
                self.body,
                r##"<rect x="{left:.1}" y="{top:.1}" width="{inner:.1}" height="{inner:.1}" fill="none" stroke="#000" stroke-width="2.5"/>"##
            );
        }
        let size = side * 0.55;
        let (middle, base) = (x + side / 2.0, y + side / 2.0 + size * 0.35);
        let letter = look.letter();
        let _ = write!(
            self.body,
            r##"<text x="{middle:.1}" y="{base:.1}" font-size="{size:.1}" font-weight="bold" text-anchor="middle" fill="{ink}" stroke="#fff" stroke-width="{:.1}" paint-order="stroke">{letter}</text>"##,
            size / 5.0
        );
    }

    /// To the right of the grid. Returns how far down it comes.
    fn legend(&mut self, cells: &Cells, top: f64) -> f64 {
        let x = MARGIN + 110.0 + GRID + 30.0;
        let room = WIDTH - MARGIN - x - 38.0;
        let mut y = top;
        let mut entry = |document: &mut Document, look: Look, name: &str, number: u64| {
            document.square(look, x, y, 26.0);
            document.fitted(x + 38.0, y + 12.0, 15.0, room, true, name);
            document.fitted(x + 38.0, y + 26.0, 12.0, room, false, &pages(number));
            y += 38.0;
        };
        for (face, number) in cells.looks() {
            let look = Look { face, all: true, mapped: face == Face::Private };
            entry(self, look, face.name(), number);
        }
        let total = cells.total();
        if total.mapped > 0 {
            let face = if total.dirt_unknown > 0 { Face::Cached } else { Face::Clean };
            let look = Look { face, all: true, mapped: true };
            entry(self, look, "framed, capital: mapped", total.mapped);
        }
        if cells.pages_per_cell() > 1 {
            let look = Look { face: Face::Dirty, all: false, mapped: false };
            document_note(self, look, x, y, room);
            y += 38.0;
        }
        y
    }

    fn sources(&mut self, survey: &Survey) {
        let mut lines: Vec<String> = survey
            .sources()
            .iter()
            .map(|source| {
                format!("{}: {}. True for {}.", source.name, source.says, source.true_for)
            })
            .collect();
        lines.extend(survey.notes.first().map(|note| format!("{note}.")));
        for line in lines {
            self.paragraph(13.0, &line);
        }
    }

    fn whole(self, name: &str) -> String {
        let height = (self.y + MARGIN).ceil();
        let name = escaped(&ink::visible(name));
        format!(
            r##"<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img" font-family="DejaVu Sans Mono, Menlo, Consolas, monospace">
<title>The pages of {name}</title>
{}
<rect width="100%" height="100%" fill="#fff"/>
{}</svg>
"##,
            patterns(),
            self.body
        )
    }
}

fn document_note(document: &mut Document, look: Look, x: f64, y: f64, room: f64) {
    document.square(look, x, y, 26.0);
    document.fitted(x + 38.0, y + 12.0, 15.0, room, true, "filled in part");
    document.fitted(x + 38.0, y + 26.0, 12.0, room, false, "only some of its pages are so");
}

/// What a viewer shows when the mouse rests on a square.
fn tooltip(cell: &Cell) -> String {
    let (first, last) = (cell.pages.start, cell.pages.end - 1);
    let mut tip =
        if first == last { format!("page {first}") } else { format!("pages {first}–{last}") };
    for face in Face::ALL {
        let number = face.count(&cell.tally);
        if number > 0 {
            let _ = write!(tip, ", {number} {}", face.name());
        }
    }
    if cell.tally.mapped > 0 {
        let _ = write!(tip, ", {} mapped", cell.tally.mapped);
    }
    tip
}

fn pages(number: u64) -> String {
    if number == 1 { "1 page".into() } else { format!("{number} pages") }
}
