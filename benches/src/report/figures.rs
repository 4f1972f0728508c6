//! The plots' data: which cells are drawn, and what is said about a plot.

use super::cell::Cell;
use super::gather::Material;
use super::plot::{Lines, Point, Room, Row, Rows, Series};
use super::scene::{SCENES, Scene};
use super::show;
use crate::turns::Spread;

/// A plot, ready to be drawn.
#[derive(Clone, Debug)]
pub struct Figure {
    /// For file names and links.
    pub key: String,
    /// As a heading.
    pub title: String,
    /// What is measured, in a sentence or two.
    pub what: String,
    /// Criterion's group, or how the names of its groups begin.
    pub group: String,
    plot: Plot,
}

#[derive(Clone, Debug)]
enum Plot {
    Lines(Lines),
    Rows(Rows),
}

const PASSES: &str = "read_vs_mmap many passes, ";
const TOUCH: &str = "page_faults first touch";
const ACROSS: &str = "message_round_trip across two cores";
const ON_ONE: &str = "message_round_trip on one core";

impl Figure {
    /// As SVG.
    pub fn draw(&self, room: Room) -> String {
        match &self.plot {
            Plot::Lines(lines) => lines.draw(room),
            Plot::Rows(rows) => rows.draw(room),
        }
    }
}

/// The plot of a scene, if it was measured.
pub fn of_scene(material: &Material, scene: &Scene) -> Option<Figure> {
    let cells = material.group(scene.group);
    let against = cells.first()?.record.measured.reference.clone();
    let series = |function: &&str| {
        let mine = cells.iter().filter(|cell| cell.record.id.function == **function);
        let points: Vec<_> = mine.map(|cell| times_as_fast(cell)).collect();
        let mmap = function.starts_with("mmap");
        (!points.is_empty()).then(|| Series { name: (*function).into(), mmap, points })
    };
    let series: Vec<_> = scene.plotted.iter().filter_map(series).collect();
    let described =
        format!("{}: how many times as fast as {against}, by the size of the file", scene.title);
    let varies = "size of the file".into();
    let plot = Lines { against, varies, value: show::short_size, series, described };
    let Scene { key, group, title, what, .. } = *scene;
    Heading { key, title, what, group }.lines(plot)
}

/// How often a mapping must be used.
pub fn passes(material: &Material) -> Option<Figure> {
    let mut groups: Vec<(u64, &str)> = Vec::new();
    for cell in &material.cells {
        let id = &cell.record.id;
        let size =
            cell.record.work.labels.get("bytes in the file").and_then(|size| size.parse().ok());
        if let Some(size) = size
            && id.group.starts_with(PASSES)
            && !groups.contains(&(size, &id.group))
        {
            groups.push((size, &id.group));
        }
    }
    groups.sort_unstable();
    let series = |(size, group): &(u64, &str)| {
        let cells = material.group(group);
        let mine = cells.iter().filter(|cell| cell.record.id.function == "mmap, fresh");
        let points: Vec<_> = mine.map(|cell| times_as_fast(cell)).collect();
        let name = format!("a file of {}", crate::settings::show_size(*size));
        (!points.is_empty()).then_some(Series { name, mmap: true, points })
    };
    let any = material.cells.iter().find(|cell| cell.record.id.group.starts_with(PASSES))?;
    let plot = Lines {
        against: any.record.measured.reference.clone(),
        varies: "passes over the file".into(),
        value: |passes| passes.to_string(),
        series: groups.iter().filter_map(series).collect(),
        described: "Passes: how many times as fast as read, by the number of passes".into(),
    };
    let what = "The file is mapped once and summed so many times; read does all of its calls each \
                time. The faults are paid once, the copies every time.";
    Heading { key: "passes", title: "Read many times", what, group: PASSES }.lines(plot)
}

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
    Heading { key: "first-touch", title, what: &what, group: TOUCH }.rows(
        "for a page",
        Vec::new(),
        rows,
    )
}

/// A note to another process and back.
pub fn round_trips(material: &Material) -> Vec<Figure> {
    let one = |(key, group, title, what): (&str, &str, &str, &str)| {
        let cells = material.group(group);
        let mut sizes: Vec<u64> = cells.iter().map(|cell| cell.value()).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let mut rows: Vec<Row> = Vec::new();
        for cell in cells {
            let series = sizes.iter().position(|size| *size == cell.value()).unwrap_or(0);
            let point = (series, nanoseconds(cell, 1.0));
            let name = &cell.record.id.function;
            match rows.iter_mut().find(|row| row.name == *name) {
                Some(row) => row.points.push(point),
                None => rows.push(Row {
                    name: name.clone(),
                    mmap: is_shared(name),
                    points: vec![point],
                }),
            }
        }
        rows.sort_by(|a, b| a.points[0].1.mid.total_cmp(&b.points[0].1.mid));
        let names = sizes.iter().map(|size| crate::settings::show_size(*size)).collect();
        Heading { key, title, what, group }.rows("for a round trip", names, rows)
    };
    [
        (
            "round-trip-two",
            ACROSS,
            "A note to another process and back, a processor each",
            "Both copy the whole note in and out. Two cache lines to and fro is what nothing that \
             shares memory can beat; whoever sleeps has to be woken, on another processor.",
        ),
        (
            "round-trip-one",
            ON_ONE,
            "A note to another process and back, on one processor",
            "Whoever waits has to let the other run.",
        ),
    ]
    .into_iter()
    .filter_map(one)
    .collect()
}

/// All of them, in the order of the page.
pub fn all(material: &Material) -> Vec<Figure> {
    let scenes = SCENES.iter().filter_map(|scene| of_scene(material, scene));
    let rest =
        passes(material).into_iter().chain(first_touch(material)).chain(round_trips(material));
    scenes.chain(rest).collect()
}

/// What is said about a figure.
struct Heading<'a> {
    key: &'a str,
    title: &'a str,
    what: &'a str,
    group: &'a str,
}

impl Heading<'_> {
    /// With a plot that shows something.
    fn lines(self, plot: Lines) -> Option<Figure> {
        (!plot.series.is_empty()).then(|| self.with(Plot::Lines(plot)))
    }

    fn rows(self, what: &str, series: Vec<String>, rows: Vec<Row>) -> Option<Figure> {
        let described = format!("{}: time {what}, for each kind", self.title);
        let plot = Rows { what: format!("time {what}"), series, rows, described };
        (!plot.rows.is_empty()).then(|| self.with(Plot::Rows(plot)))
    }

    fn with(self, plot: Plot) -> Figure {
        let Heading { key, title, what, group } = self;
        let [key, title, what, group] = [key, title, what, group].map(str::to_owned);
        Figure { key, title, what, group, plot }
    }
}

fn is_shared(name: &str) -> bool {
    ["pipe", "FIFO", "unix socket"].iter().all(|stream| !name.starts_with(stream))
}

/// Reference time over time: more is better.
fn times_as_fast(cell: &Cell) -> Point {
    let Spread { lower, median, upper, .. } = cell.record.measured.ratio;
    let counted = cell.doubt.is_none();
    Point { at: cell.value(), low: 1.0 / upper, mid: 1.0 / median, high: 1.0 / lower, counted }
}

fn nanoseconds(cell: &Cell, per: f64) -> Point {
    let Spread { lower, median, upper, .. } = cell.record.measured.time;
    let counted = cell.doubt.is_none();
    Point { at: cell.value(), low: lower / per, mid: median / per, high: upper / per, counted }
}
