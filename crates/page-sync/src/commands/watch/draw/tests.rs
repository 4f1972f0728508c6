//! What is drawn, looked at as letters and styles.

use super::super::model::{Look, Seen};
use super::*;
use page_sync::inspect::cache::{Counts, PageState};
use page_sync::inspect::{Answer, Faults, Reason, Runs};
use page_sync::picture::{Cells, Mapped, Memory, Whereabouts};
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;
use std::path::Path;
use std::time::Duration;

const COLOURS: Palette = Palette { colours: true, blocks: true };
const PLAIN: Palette = Palette { colours: false, blocks: false };

/// A file of so many pages, all in memory, of which these are dirty.
fn look(pages: u64, dirty: &[u64], at_most: u64) -> Look {
    let cells = Cells::ask(pages, at_most, |cell| {
        let count = dirty.iter().filter(|page| cell.contains(page)).count() as u64;
        let pages = cell.end - cell.start;
        Answer::Known(Counts {
            pages,
            cached: pages,
            dirty: Answer::Known(count),
            writeback: Answer::Known(0),
            evicted: 0,
            recently_evicted: 0,
        })
    });
    Look {
        bytes: pages * 4096,
        page_size: 4096,
        file_system: Some("ext4".into()),
        cells,
        cache: Answer::Known(()),
        dirt: Answer::Known(()),
        tables: Answer::Known(()),
        closed: 0,
        processes: Vec::new(),
        whereabouts: Whereabouts::There,
    }
}

fn seen(pid: u32, minor: u64) -> Seen {
    Seen {
        pid,
        name: "writer".into(),
        mapped: Answer::Known(3),
        copies: Answer::Known(0),
        faults: Answer::Known(Faults { minor, major: 0 }),
    }
}

fn drawn(model: &Model, palette: Palette, width: u16, height: u16) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(model, palette, frame.area(), frame.buffer_mut())).unwrap();
    terminal
}

fn rows(terminal: &Terminal<TestBackend>) -> Vec<String> {
    let buffer = terminal.backend().buffer();
    let width = usize::from(buffer.area.width).max(1);
    let row = |cells: &[ratatui::buffer::Cell]| cells.iter().map(|cell| cell.symbol()).collect();
    buffer.content.chunks(width).map(row).collect()
}

#[test]
fn at_eighty_by_twenty_four_everything_is_there() {
    let mut model = Model::new(Path::new("a/long/path/to/notes.txt"));
    let then = Instant::now();
    let screen = Size { width: 80, height: 24 };
    for (second, minor) in [(0, 10), (1, 16)] {
        let mut look = look(500, &[2, 70], cells(screen, 500));
        look.processes = vec![seen(1234, minor)];
        look.closed = 7;
        model.update(then + Duration::from_secs(second), look);
    }
    let shown = rows(&drawn(&model, PLAIN, 80, 24));
    let row = |start: &str| shown.iter().find(|row| row.trim_start().starts_with(start));
    assert!(
        shown[0].contains("notes.txt  ext4, 500 pages of 4 KiB; a letter is one"),
        "{shown:#?}"
    );
    assert!(row("0 ").unwrap().contains(" ccdccccccccccccc "), "{shown:#?}");
    assert!(row("64 ").unwrap().contains(" ccccccdccccccccc "), "{shown:#?}");
    assert!(row("448 ").unwrap().trim_end().ends_with(" cccc"), "{shown:#?}");
    assert!(row("d dirty 2").unwrap().contains("c clean 498"), "{shown:#?}");
    assert!(row("dirty pages: 2, +0 a second").is_some(), "{shown:#?}");
    let process: Vec<&str> = row("1234").unwrap().split_whitespace().collect();
    assert_eq!(process, ["1234", "writer", "3", "0", "6", "0"]);
    assert!(row("7 others may not be looked into").is_some());
    assert!(shown[23].starts_with("q quit"));
}

#[test]
fn one_dirty_page_of_a_million_is_seen_on_any_screen() {
    for (width, height) in [(80, 24), (40, 12), (200, 60), (20, 5)] {
        let screen = Size { width, height };
        let mut model = Model::new(Path::new("f"));
        model.update(Instant::now(), look(1_000_000, &[999_999], cells(screen, 1_000_000)));
        let shown = drawn(&model, PLAIN, width, height);
        let cells = rows(&shown);
        let cells =
            cells[3..].iter().take_while(|row| row.trim_start().starts_with(char::is_numeric));
        let letters: String = cells.flat_map(|row| row.split_whitespace().skip(1)).collect();
        assert_eq!(letters.matches('d').count(), 1, "{width}x{height}: {letters}");
    }
}

#[test]
fn without_colours_there_are_none_and_no_letter_is_lost() {
    let mut model = Model::new(Path::new("f"));
    model.update(Instant::now(), look(64, &[1], 64));
    let (plain, coloured) = (drawn(&model, PLAIN, 80, 24), drawn(&model, COLOURS, 80, 24));
    let colours = |terminal: &Terminal<TestBackend>| {
        let content = &terminal.backend().buffer().content;
        content.iter().filter(|cell| (cell.fg, cell.bg) != (Color::Reset, Color::Reset)).count()
    };
    assert_eq!(colours(&plain), 0);
    assert!(colours(&coloured) >= 64);
    assert_eq!(rows(&plain)[..7], rows(&coloured)[..7]);
    assert!(rows(&plain).iter().all(|row| row.is_ascii()));
}

#[test]
fn what_happens_to_the_file_is_said() {
    let now = Instant::now();
    let mut model = Model::new(Path::new("f"));
    model.update(now, look(64, &[], 64));
    assert_eq!((model.remark(), model.event(now)), (None, None));
    model.update(now, look(2, &[], 64));
    assert!(model.event(now).unwrap().contains("cut shorter, from 262144 to 8192"));
    let later = now + Duration::from_secs(60);
    assert_eq!(model.event(later), None, "not for ever");
    let replaced = Look { whereabouts: Whereabouts::Replaced, ..look(2, &[], 64) };
    model.update(later, replaced);
    assert!(model.remark().unwrap().contains("r looks at the other"));
    let overlay = Look { cache: Answer::Unknown(Reason::Overlay), ..look(2, &[], 64) };
    model.update(later, overlay);
    let remark = model.remark().unwrap();
    assert!(remark.contains("unknown, because") && remark.contains("overlayfs"), "{remark}");
}

proptest! {
    #[test]
    fn no_screen_is_too_small(
        width in 0..130u16, height in 0..40u16,
        (other_width, other_height) in (0..130u16, 0..40u16),
        pages in prop_oneof![0..3000u64, Just(1 << 28), Just(1 << 51)],
        processes in 0..9u32,
    ) {
        // The screen may change between the look and the drawing.
        let screen = Size { width: other_width, height: other_height };
        let mut model = Model::new(Path::new("f\u{1b}[2J"));
        drawn(&model, COLOURS, width, height);
        for _ in 0..2 {
            let mut look = look(pages, &[0], cells(screen, pages));
            look.processes = (0..processes).map(|pid| seen(pid, 5)).collect();
            look.cells.add_mapped(&Runs::of(0..pages, Mapped { by: 1, ..Mapped::default() }));
            model.update(Instant::now(), look);
        }
        let shown = drawn(&model, COLOURS, width, height);
        let escape = '\u{1b}';
        prop_assert!(rows(&shown).iter().all(|row| !row.contains(escape)));
    }
}

#[test]
fn memory_that_is_unknown_is_drawn_as_such() {
    let mut model = Model::new(Path::new("f"));
    let page = |memory| page_sync::picture::Page { memory, mapped: Mapped::default() };
    let mut cells = Runs::of(0..3, page(Memory::Unknown));
    cells.push(1, page(Memory::Is(PageState::Cached)));
    let cells = Cells::fold(&cells, 64);
    model.update(Instant::now(), Look { cells, ..look(4, &[], 64) });
    assert!(rows(&drawn(&model, PLAIN, 80, 24))[3].contains("0  ???r "));
}

/// Three are dirty and two being written, by counts alone: of the other pages as many are clean as
/// are not among the five, and up to two more.
#[test]
fn what_counts_cannot_tell_is_called_at_least() {
    let mut look = look(8, &[], 8);
    look.cells = Cells::ask(8, 1, |_| {
        let (dirty, writeback) = (Answer::Known(3), Answer::Known(2));
        Answer::Known(Counts {
            pages: 8,
            cached: 8,
            dirty,
            writeback,
            evicted: 0,
            recently_evicted: 0,
        })
    });
    let mut model = Model::new(Path::new("notes.txt"));
    model.update(Instant::now(), look);
    let shown = rows(&drawn(&model, PLAIN, 80, 24)).join("\n");
    assert!(shown.contains("d dirty 3  w being written 2  c clean at least 3"), "{shown}");
}
