//! Page faults: what they cost, how far they reach, and what a handler makes of them.

use super::{Figure, Heading, nanoseconds};
use crate::report::cell::Cell;
use crate::report::gather::Material;
use crate::report::plot::Row;
use crate::report::show;
use crate::settings::show_size;

const TOUCH: &str = "page_faults first touch";
const AROUND: &str = "page_faults fault-around";
const CLOSED: &str = "page_faults mprotect and SIGSEGV";

/// What the first touch of a page costs.
pub fn first_touch(material: &Material) -> Option<Figure> {
    let cells = material.group(TOUCH);
    let largest = cells.iter().map(|cell| cell.value()).max()?;
    let row = |cell: &&&Cell| {
        let pages = (cell.record.work.bytes / page(cell)?).max(1);
        let point = nanoseconds(cell, pages as f64);
        let name = cell.record.id.function.clone();
        Some(Row { mmap: name.starts_with("file"), name, points: vec![(0, point)] })
    };
    let mut rows: Vec<_> =
        cells.iter().filter(|cell| cell.value() == largest).filter_map(|cell| row(&cell)).collect();
    rows.sort_by(|a, b| a.points[0].1.mid.total_cmp(&b.points[0].1.mid));
    let size = show_size(largest);
    let what = format!(
        "Every page of {size} is touched once. A fault on a file's page that is in memory brings its \
         neighbours along; new memory has to be found and zeroed."
    );
    let title = "What a page costs when it is touched first";
    Heading { key: "first-touch", title, what: &what, group: TOUCH }.times(
        "for a page",
        Vec::new(),
        rows,
    )
}

/// How far a fault reaches: looks at every page, at every second, …
pub fn fault_around(material: &Material) -> Option<Figure> {
    let cells = material.group(AROUND);
    let row = |cell: &&Cell| {
        let (looks, faults) = looks_and_faults(cell)?;
        let step = match cell.value() {
            1 => "every page".into(),
            step if step % 10 == 2 && step != 12 => format!("every {step}nd page"),
            step => format!("every {step}th page"),
        };
        let name = match looks as f64 / faults as f64 {
            looks if looks > 1.5 => format!("{step}: {looks:.0} looks a fault"),
            _ => format!("{step}: each a fault"),
        };
        Some(Row { name, mmap: true, points: vec![(0, nanoseconds(cell, looks as f64))] })
    };
    let rows = cells.iter().filter_map(row).collect();
    let heading = Heading {
        key: "fault-around",
        title: "How far a fault reaches",
        what: "A file in memory is mapped anew, and every page of it is looked at, or every second, or \
               fewer. A fault maps the neighbours, too, as far as they are in memory: the looks at \
               them share its price. Whoever looks at few pages pays for each.",
        group: AROUND,
    };
    let below = cells.iter().find(|cell| cell.value() == 1).and_then(|cell| {
        let (looks, faults) = looks_and_faults(cell)?;
        let together = looks.checked_div(faults)?;
        let [all, some] = [looks, faults].map(show::number);
        let reach = show_size(together.checked_mul(page(cell)?)?);
        Some(format!(
            "Page by page, {all} looks took {some} faults: each mapped {together} pages, {reach}."
        ))
    });
    let figure = heading.times("for a look", Vec::new(), rows)?;
    Some(figure.below(below.unwrap_or_default()))
}

/// A page that is closed, and what it costs to open it.
pub fn closed_pages(material: &Material) -> Option<Figure> {
    let cells = material.group(CLOSED);
    let mut rows: Vec<_> = cells
        .iter()
        .map(|cell| {
            let name = cell.record.id.function.clone();
            // What goes through a handler of SIGSEGV.
            let mmap = !name.starts_with("mprotect");
            Row { name, mmap, points: vec![(0, nanoseconds(cell, 1.0))] }
        })
        .collect();
    rows.sort_by(|a, b| a.points[0].1.mid.total_cmp(&b.points[0].1.mid));
    let heading = Heading {
        key: "closed-pages",
        title: "A page that is closed: mprotect and SIGSEGV",
        what: "mprotect(2) closes a page and opens it again; or it closes it, and a store meets it \
               closed: the handler of SIGSEGV opens it, and the store is done again. A load that is \
               caught is given up instead. A page that comes to be like its neighbour is merged with \
               it and split off again: whoever measures mprotect beside unknown memory measures that.",
        group: CLOSED,
    };
    heading.times("for a round", Vec::new(), rows)
}

fn page(cell: &Cell) -> Option<u64> {
    cell.record.work.labels.get("bytes in a page")?.parse().ok().filter(|page| *page > 0)
}

/// How many pages are looked at in a round, and how many faults that takes.
fn looks_and_faults(cell: &Cell) -> Option<(u64, u64)> {
    let faults = cell.record.counts.faults;
    let faults = faults.minor.checked_add(faults.major)?.max(1);
    Some(((cell.record.work.bytes / page(cell)?).max(1), faults))
}
