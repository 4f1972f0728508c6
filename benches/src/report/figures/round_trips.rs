//! A note to another process and back.
//!
//! How far two virtual processors are apart changes with where the hypervisor has put them: two
//! threads of one core at one moment, two cores at the next, and then two cache lines take five times
//! as long. Whoever waits by looking does little else than to wait for such lines. So these are drawn
//! as multiples of the lines that were bounced in the same pair, never as times of different moments.
//! Whoever sleeps waits for the scheduler, of which the lines say nothing: those are drawn as times.

use super::{Figure, Heading, nanoseconds, times_as_long};
use crate::floor;
use crate::report::cell::Cell;
use crate::report::gather::Material;
use crate::report::plot::{Point, Row, Rows};
use crate::report::show;
use crate::settings::show_size;

const ACROSS: &str = "message_round_trip across two cores";
const ON_ONE: &str = "message_round_trip on one core";

/// Those of both groups, as far as they were measured.
pub fn round_trips(material: &Material) -> Vec<Figure> {
    let across = material.group(ACROSS);
    let (lookers, sleepers): (Vec<&Cell>, Vec<&Cell>) =
        across.into_iter().partition(|cell| looks(cell));
    [looking(&lookers), sleeping(&sleepers), on_one(&material.group(ON_ONE))]
        .into_iter()
        .flatten()
        .collect()
}

fn looking(cells: &[&Cell]) -> Option<Figure> {
    let against = cells.first()?.record.measured.reference.clone();
    let (series, rows) = rows(cells, times_as_long);
    let heading = Heading {
        key: "round-trip-looking",
        title: "A note to another process and back, a processor each: who waits by looking",
        what: "Both copy the whole note in and out, and look until the other has answered. The \
               reference is two cache lines to and fro, bounced in the same pair: a yardstick that \
               grows and shrinks with the distance of the two processors, and no limit. A note can be \
               faster: its lines lie elsewhere, and its rhythm is another, and whoever looks at a bad \
               moment takes a line from whoever is about to store to it.",
        group: ACROSS,
    };
    let what = format!("times as long as “{against}”");
    let described = String::new();
    let plot = Rows { what, value: show::multiple, series, rows, described };
    let below = floors(cells, "Drawn are ratios within a pair, which such a change leaves alone.");
    heading.rows(plot).map(|figure| figure.below(below).only(cells))
}

fn sleeping(cells: &[&Cell]) -> Option<Figure> {
    let (series, rows) = rows(cells, |cell| nanoseconds(cell, 1.0));
    let heading = Heading {
        key: "round-trip-two",
        title: "A note to another process and back, a processor each: who sleeps",
        what: "Both copy the whole note in and out. Whoever sleeps has to be woken, on another \
               processor: for a small note, that is nearly all of it.",
        group: ACROSS,
    };
    let below = floors(
        cells,
        "A carrier that was measured in the one state is not to be compared with one that was \
         measured in the other.",
    );
    let figure = heading.times("for a round trip", series, rows)?;
    Some(figure.below(below).only(cells))
}

fn on_one(cells: &[&Cell]) -> Option<Figure> {
    let (series, rows) = rows(cells, |cell| nanoseconds(cell, 1.0));
    let heading = Heading {
        key: "round-trip-one",
        title: "A note to another process and back, on one processor",
        what: "Whoever waits has to let the other run.",
        group: ON_ONE,
    };
    let below = floors(cells, "Such figures are of different clocks.");
    heading.times("for a round trip", series, rows).map(|figure| figure.below(below))
}

/// Whether both processes wait by looking: only where they do is the floor's work what they do, too.
fn looks(cell: &Cell) -> bool {
    let function = &cell.record.id.function;
    function.ends_with("looking") || *function == cell.record.measured.reference
}

/// A row for each function, and the names of the sizes.
fn rows(cells: &[&Cell], point: impl Fn(&Cell) -> Point) -> (Vec<String>, Vec<Row>) {
    let mut sizes: Vec<u64> = cells.iter().map(|cell| cell.value()).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let mut rows: Vec<Row> = Vec::new();
    for cell in cells {
        let series = sizes.iter().position(|size| *size == cell.value()).unwrap_or(0);
        let point = (series, point(cell));
        let name = &cell.record.id.function;
        match rows.iter_mut().find(|row| row.name == *name) {
            Some(row) => row.points.push(point),
            None => {
                rows.push(Row { name: name.clone(), mmap: is_shared(name), points: vec![point] })
            }
        }
    }
    rows.sort_by(|a, b| a.points[0].1.mid.total_cmp(&b.points[0].1.mid));
    (sizes.into_iter().map(show_size).collect(), rows)
}

fn is_shared(name: &str) -> bool {
    ["pipe", "FIFO", "unix socket"].iter().all(|stream| !name.starts_with(stream))
}

/// What the floor was while these were measured; and, if that was not always the same, what follows.
fn floors(cells: &[&Cell], so: &str) -> String {
    let floors = || cells.iter().map(|cell| cell.record.measured.floor);
    let low = floors().map(|floor| floor.lower).fold(f64::INFINITY, f64::min);
    let high = floors().map(|floor| floor.upper).fold(0.0, f64::max);
    let Some(first) = cells.first() else { return String::new() };
    let is = &first.record.measured.floor_is;
    let range = format!(
        "The floor below these figures ({is}): {} to {}",
        show::time(low),
        show::time(high)
    );
    match high / low > floor::LIMIT {
        true => format!(
            "{range}, a factor of {}: the machine was not always in the same state. {so}",
            show::factor(high / low)
        ),
        false => format!("{range}."),
    }
}
