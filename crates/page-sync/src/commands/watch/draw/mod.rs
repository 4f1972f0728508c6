//! From the model to letters on a grid: a pure function, so that it can be looked at in a test.
//!
//! ```text
//!   notes.txt  ext4, 64 pages of 4 KiB, a letter is 1 page        title
//!   the path leads to another file now                            remark, if there is one
//!   the file was cut shorter, from 262144 to 4096 bytes           what just happened
//!    0 cccccccccccccccc ccDDcccccccccccc …                        cells
//!   d dirty 2   c clean 62   A mapped 2                           legend
//!   dirty: 2, +1.0 a second, at most 4                            curve
//!   ▁▂▂▄▄▄▄▂▁
//!   PID     PROGRAM   MAPPED  COPIES   MINOR/s   MAJOR/s          processes
//!   q quit                                                        keys
//! ```

mod palette;
mod processes;

use std::time::Instant;

use ipc_common::cli::shown;
use page_sync::picture::{Face, Look as CellLook, text};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::style::Style;
use ratatui::widgets::{RenderDirection, Sparkline, Widget};

use super::model::Model;

pub use palette::Palette;
use processes::processes;

/// What stands above and below the cells: title, remark, event; legend, curve of two rows,
/// processes with their head, keys.
const ABOVE: u16 = 3;
const CURVE: u16 = 2;

/// How many rows the processes get, their head included: always, so that the cells do not jump when
/// one comes or goes.
const PROCESSES: u16 = 5;
/// Below so many rows the processes are left out, and below so many the legend and the curve.
const ROOM_FOR_PROCESSES: u16 = 18;
const ROOM_FOR_LEGEND: u16 = 12;

/// How many rows the cells get at most.
fn grid_rows(height: u16) -> u16 {
    const KEYS: u16 = 1;
    const LEGEND: u16 = 1 + 1 + 1 + CURVE;
    let below = match height {
        0..ROOM_FOR_LEGEND => KEYS,
        ROOM_FOR_LEGEND..ROOM_FOR_PROCESSES => LEGEND + KEYS,
        _ => LEGEND + 1 + PROCESSES + KEYS,
    };
    height.saturating_sub(ABOVE + below).max(1)
}

/// How many cells there is room for, of a file of so many pages.
pub fn cells(screen: Size, pages: u64) -> u64 {
    text::per_row(pages, usize::from(screen.width)) * u64::from(grid_rows(screen.height))
}

/// Draws everything that there is room for.
pub fn draw(model: &Model, palette: Palette, area: Rect, buffer: &mut Buffer) {
    let mut page = Page { buffer, area, y: area.y };
    title(model, &mut page);
    page.line(&model.remark().unwrap_or_default(), palette.warning());
    page.line(model.event(Instant::now()).unwrap_or_default(), palette.warning());
    grid(model, palette, &mut page);
    if area.height >= ROOM_FOR_LEGEND {
        legend(model, palette, &mut page);
        curve(model, palette, &mut page);
    }
    if area.height >= ROOM_FOR_PROCESSES {
        page.skip(1);
        processes(model, &mut page);
    }
    page.y = page.y.max(area.bottom().saturating_sub(1));
    page.line(
        "q quit   r look at the file that has the name now   Ctrl-Z suspend",
        Style::new().dim(),
    );
}

/// The area, filled from above.
struct Page<'a> {
    buffer: &'a mut Buffer,
    area: Rect,
    y: u16,
}

impl Page<'_> {
    /// Writes into the next row, from the given column on, and returns the column behind it. What is
    /// outside is not there.
    fn put(&mut self, x: u16, what: &str, style: Style) -> u16 {
        if self.y >= self.area.bottom() || x >= self.area.right() {
            return x;
        }
        let room = usize::from(self.area.right() - x);
        self.buffer.set_stringn(x, self.y, what, room, style).0
    }

    fn skip(&mut self, rows: u16) {
        self.y = self.y.saturating_add(rows);
    }

    fn line(&mut self, what: &str, style: Style) {
        self.put(self.area.x, what, style);
        self.skip(1);
    }
}

fn title(model: &Model, page: &mut Page<'_>) {
    let name = shown(&model.path).to_string();
    let about = match &model.look {
        None => String::new(),
        Some(look) => {
            let mut about = String::from("  ");
            if let Some(file_system) = &look.file_system {
                about += &format!("{file_system}, ");
            }
            let size = text::size(look.page_size as u64);
            about += &match look.cells.pages_per_cell() {
                _ if look.bytes == 0 => "empty, so it has no pages".into(),
                1 => format!("{} pages of {size}; a letter is one", model.pages()),
                folded => format!("{} pages of {size}; a letter is {folded}", model.pages()),
            };
            about
        }
    };
    // The end of a path says most, and what is known about the file has to fit behind it.
    let room = usize::from(page.area.width).saturating_sub(about.chars().count()).max(12);
    let len = name.chars().count();
    let name = match len > room {
        true => format!("...{}", name.chars().skip(len + 3 - room).collect::<String>()),
        false => name,
    };
    let x = page.put(page.area.x, &name, Style::new().bold());
    page.put(x, &about, Style::new());
    page.skip(1);
}

fn grid(model: &Model, palette: Palette, page: &mut Page<'_>) {
    let rows = grid_rows(page.area.height);
    let bottom = page.y.saturating_add(rows);
    let Some(look) = &model.look else {
        page.y = bottom;
        return;
    };
    let pages = model.pages();
    let per_row = text::per_row(pages, usize::from(page.area.width)) as usize;
    let label = pages.max(1).ilog10() as usize + 1;
    // Should the screen have grown smaller since the look, what has no room is left out.
    for row in look.cells.cells().chunks(per_row).take(usize::from(rows)) {
        let number = format!("{:>label$} ", row[0].pages.start);
        let mut x = page.put(page.area.x, &number, Style::new().dim());
        for group in row.chunks(text::GROUP as usize) {
            x = page.put(x, " ", Style::new());
            for cell in group {
                let look = cell.look();
                x = page.put(x, look.letter().encode_utf8(&mut [0; 4]), palette.cell(look));
            }
        }
        page.skip(1);
    }
    // What is below follows right behind a small file.
    page.y = page.y.min(bottom).saturating_add(1);
}

fn legend(model: &Model, palette: Palette, page: &mut Page<'_>) {
    let Some(look) = &model.look else { return };
    let mut x = page.area.x;
    let mut entry = |page: &mut Page<'_>, letter: char, style: Style, words: &str| {
        let width = u16::try_from(words.chars().count()).unwrap_or(u16::MAX).saturating_add(4);
        if x > page.area.x && x.saturating_add(width) > page.area.right() {
            return;
        }
        let behind = page.put(x, letter.encode_utf8(&mut [0; 4]), style);
        x = page.put(behind, &format!(" {words}  "), Style::new());
    };
    let total = model.total();
    for (face, number) in look.cells.looks() {
        let at_least = if face.is_at_least(&total) { "at least " } else { "" };
        let style = palette.cell(CellLook { face, all: true, mapped: false });
        entry(
            page,
            face.letter(face == Face::Private),
            style,
            &format!("{} {at_least}{number}", face.name()),
        );
    }
    let mapped = total.mapped;
    if mapped > 0 {
        entry(page, 'A', Style::new().bold(), &format!("capital: mapped {mapped}"));
    }
    page.skip(1);
}

fn curve(model: &Model, palette: Palette, page: &mut Page<'_>) {
    let Some(look) = &model.look else { return };
    if !look.cache.is_known() || !look.dirt.is_known() {
        page.skip(1 + CURVE);
        return;
    }
    let width = usize::from(page.area.width);
    let recent: Vec<u64> = model.dirty.iter().rev().take(width).copied().collect();
    let most = recent.iter().max().copied().unwrap_or(0);
    let mut line = format!("dirty pages: {}", recent.first().copied().unwrap_or(0));
    if let Some(rate) = model.dirty_rate {
        line += &format!(", {rate:+.0} a second");
    }
    line += &format!("; at most {most} in this curve");
    page.line(&line, Style::new());
    let room = Rect { y: page.y, height: CURVE, ..page.area }.intersection(page.area);
    Sparkline::default()
        .data(&recent)
        .max(most.max(1))
        .direction(RenderDirection::RightToLeft)
        .bar_set(palette.bars())
        .style(palette.curve())
        .render(room, page.buffer);
    page.skip(CURVE);
}

#[cfg(test)]
mod tests;
