//! The plots' data: which cells are drawn, and what is said about a plot.

mod faults;
mod files;
mod round_trips;

pub use faults::{closed_pages, fault_around, first_touch};
pub use files::{PASSES, of_scene, passes};
pub use round_trips::round_trips;

use super::cell::Cell;
use super::gather::Material;
use super::plot::{Lines, Point, Room, Row, Rows};
use super::scene::SCENES;
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
    /// What stands below the plot; empty if there is nothing to say.
    pub below: String,
    /// Criterion's group, or how the names of its groups begin.
    pub group: String,
    /// The contenders that are drawn, if there are others in the group.
    only: Option<Vec<String>>,
    plot: Plot,
}

#[derive(Clone, Debug)]
enum Plot {
    Lines(Lines),
    Rows(Rows),
}

impl Figure {
    /// As SVG.
    pub fn draw(&self, room: Room) -> String {
        match &self.plot {
            Plot::Lines(lines) => lines.draw(room),
            Plot::Rows(rows) => rows.draw(room),
        }
    }

    /// Whether a contender of its group is drawn.
    pub fn shows(&self, function: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.iter().any(|one| one == function))
    }

    /// With this below the plot.
    fn below(self, below: String) -> Figure {
        Figure { below, ..self }
    }

    /// Of these cells only.
    fn only(self, cells: &[&Cell]) -> Figure {
        let only = cells.iter().map(|cell| cell.record.id.function.clone()).collect();
        Figure { only: Some(only), ..self }
    }
}

/// All of them, in the order of the page.
pub fn all(material: &Material) -> Vec<Figure> {
    let scenes = SCENES.iter().filter_map(|scene| of_scene(material, scene));
    let rest = passes(material).into_iter().chain(others(material));
    scenes.chain(rest).collect()
}

/// Those that no verdict and no why belongs to.
pub fn others(material: &Material) -> Vec<Figure> {
    [first_touch(material), fault_around(material), closed_pages(material)]
        .into_iter()
        .flatten()
        .chain(round_trips(material))
        .collect()
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

    /// With a time for each row: `for a round trip`.
    fn times(self, what: &str, series: Vec<String>, rows: Vec<Row>) -> Option<Figure> {
        let what = format!("time {what}");
        self.rows(Rows { what, value: show::time, series, rows, described: String::new() })
    }

    fn rows(self, mut plot: Rows) -> Option<Figure> {
        plot.described = format!("{}: {}, for each kind", self.title, plot.what);
        (!plot.rows.is_empty()).then(|| self.with(Plot::Rows(plot)))
    }

    fn with(self, plot: Plot) -> Figure {
        let Heading { key, title, what, group } = self;
        let [key, title, what, group] = [key, title, what, group].map(str::to_owned);
        Figure { key, title, what, below: String::new(), group, only: None, plot }
    }
}

/// Reference time over time: more is better.
fn times_as_fast(cell: &Cell) -> Point {
    let Spread { lower, median, upper, .. } = cell.record.measured.ratio;
    point(cell, [1.0 / upper, 1.0 / median, 1.0 / lower])
}

/// Time over reference time: less is better.
fn times_as_long(cell: &Cell) -> Point {
    let Spread { lower, median, upper, .. } = cell.record.measured.ratio;
    point(cell, [lower, median, upper])
}

fn nanoseconds(cell: &Cell, per: f64) -> Point {
    let Spread { lower, median, upper, .. } = cell.record.measured.time;
    point(cell, [lower / per, median / per, upper / per])
}

fn point(cell: &Cell, [low, mid, high]: [f64; 3]) -> Point {
    Point { at: cell.value(), low, mid, high, counted: cell.doubt.is_none() }
}
