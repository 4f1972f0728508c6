//! Page faults: what they cost, how far they reach, and what a handler makes of them.

use super::{Figure, Heading, nanoseconds};
use crate::report::cell::Cell;
use crate::report::gather::Material;
use crate::report::plot::Row;

const TOUCH: &str = "page_faults first touch";

/// What the first touch of a page costs.
pub fn first_touch(material: &Material) -> Option<Figure> {
    let cells = material.group(TOUCH);
    let largest = cells.iter().map(|cell| cell.value()).max()?;
    let row = |cell: &&&Cell| {
        let work = &cell.record.work;
        let page: u64 =
            work.labels.get("bytes in a page")?.parse().ok().filter(|page| *page > 0)?;
        let pages = (work.bytes / page).max(1) as f64;
        let point = nanoseconds(cell, pages);
        let name = cell.record.id.function.clone();
        Some(Row { mmap: name.starts_with("file"), name, points: vec![(0, point)] })
    };
    let mut rows: Vec<_> =
        cells.iter().filter(|cell| cell.value() == largest).filter_map(|cell| row(&cell)).collect();
    rows.sort_by(|a, b| a.points[0].1.mid.total_cmp(&b.points[0].1.mid));
    let size = crate::settings::show_size(largest);
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
