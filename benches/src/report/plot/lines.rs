//! How many times as fast, over what varies: a line for each contender, a whisker at each point.

use super::axis::Log;
use super::svg::{Anchor, FONT, LINE, Svg};
use super::text::width;
use super::{Point, Room, legend, marks};
use crate::report::rule::MARGIN;
use crate::report::show::factor;

/// A contender.
#[derive(Clone, Debug)]
pub struct Series {
    /// In the legend.
    pub name: String,
    /// Whether it is one of mmap's.
    pub mmap: bool,
    /// Of reference time over time: above 1 is faster.
    pub points: Vec<Point>,
}

/// A plot of this kind.
#[derive(Clone, Debug)]
pub struct Lines {
    /// What is at 1: `read, 64 KiB`.
    pub against: String,
    /// What varies: `bytes in the file`.
    pub varies: String,
    /// How its values are written.
    pub value: fn(u64) -> String,
    /// The contenders.
    pub series: Vec<Series>,
    /// All of it in a sentence.
    pub described: String,
}

/// Series at the same place stand so far beside each other.
const BESIDE: f64 = 8.0;
const TICK: f64 = 6.0;
const HEIGHT: f64 = 300.0;

impl Lines {
    /// As SVG.
    pub fn draw(&self, room: Room) -> String {
        let total = room.width();
        let mut svg = Svg::new(total);
        let top = self.head(&mut svg, total);
        let bottom = top + HEIGHT;
        let points = || self.series.iter().flat_map(|series| &series.points);
        let figures = points().flat_map(|point| [point.low, point.high]);
        let scale = Log::new(figures.chain([1.0 / MARGIN, MARGIN]), bottom, top);
        let left = self.up_axis(&mut svg, &scale, total);
        let mut values: Vec<u64> = points().map(|point| point.at).collect();
        values.sort_unstable();
        values.dedup();
        // Half a column on either side.
        let column = (total - left) / values.len().max(1) as f64;
        let place = |at: u64| {
            let nth = values.iter().position(|value| *value == at).unwrap_or(0);
            left + column * (nth as f64 + 0.5)
        };
        self.across_axis(&mut svg, &values, place, bottom, (left, total));
        for (number, series) in self.series.iter().enumerate() {
            let aside = BESIDE.min(column / (self.series.len() + 1) as f64)
                * (number as f64 - (self.series.len() - 1) as f64 / 2.0);
            draw_series(&mut svg, number, series, |at| place(at) + aside, &scale);
        }
        let names: Vec<_> = self.series.iter().map(|one| (one.name.as_str(), one.mmap)).collect();
        let below = bottom + TICK + 2.0 * LINE + 12.0;
        let crosses = points().any(|point| !point.counted);
        let legend = legend::draw(&mut svg, &names, below, total, true, crosses);
        svg.finish(below + legend + 4.0, &self.described, room == Room::Alone)
    }

    /// What the figures are. Below it the plot begins.
    fn head(&self, svg: &mut Svg, total: f64) -> f64 {
        let text = format!("times as fast as “{}”", self.against);
        svg.text((0.0, LINE / 2.0), Anchor::Start, total, &text);
        LINE + 10.0
    }

    /// Faster is up. Where it ends, and the plot begins.
    fn up_axis(&self, svg: &mut Svg, scale: &Log, total: f64) -> f64 {
        let ticks = scale.ticks(LINE);
        let names: Vec<String> = ticks.iter().map(|(figure, _)| tick(*figure)).collect();
        let widest = names.iter().map(|name| width(name, FONT)).fold(0.0, f64::max);
        let left = widest + TICK + 4.0;
        svg.area((left, scale.place(MARGIN)), (total, scale.place(1.0 / MARGIN)));
        for ((figure, y), name) in ticks.iter().zip(&names) {
            let even = (*figure - 1.0).abs() < 1e-9;
            svg.line((left, *y), (total, *y), if even { 1.5 } else { 1.0 }, "", !even);
            svg.text((widest, *y), Anchor::End, widest, name);
        }
        left
    }

    fn across_axis(
        &self,
        svg: &mut Svg,
        values: &[u64],
        place: impl Fn(u64) -> f64,
        bottom: f64,
        (left, right): (f64, f64),
    ) {
        svg.line((left, bottom), (right, bottom), 1.0, "", false);
        let column = (right - left) / values.len().max(1) as f64;
        let names: Vec<String> = values.iter().map(|value| (self.value)(*value)).collect();
        let widest = names.iter().map(|name| width(name, FONT)).fold(1.0, f64::max);
        // Each, or every second, third, … until they do not touch.
        let every = ((widest + 6.0) / column).ceil().max(1.0) as usize;
        for (at, (value, name)) in values.iter().zip(&names).enumerate() {
            let x = place(*value);
            svg.line((x, bottom), (x, bottom + TICK), 1.0, "", false);
            let own = width(name, FONT);
            if at % every == 0 && x - own / 2.0 >= 0.0 && x + own / 2.0 <= right {
                svg.text((x, bottom + TICK + LINE / 2.0), Anchor::Middle, own, name);
            }
        }
        let middle = ((left + right) / 2.0, bottom + TICK + 1.5 * LINE);
        svg.text(middle, Anchor::Middle, right - left, &self.varies);
    }
}

fn draw_series(svg: &mut Svg, number: usize, series: &Series, x: impl Fn(u64) -> f64, scale: &Log) {
    svg.begin(series.mmap);
    let place = |point: &Point| (x(point.at), scale.place(point.mid));
    let places: Vec<_> = series.points.iter().map(place).collect();
    svg.path(&places, marks::dash(number));
    for (point, (x, y)) in series.points.iter().zip(places) {
        marks::whisker(svg, (x, scale.place(point.low)), (x, scale.place(point.high)));
        marks::mark(svg, number, (x, y), point.counted);
    }
    svg.end();
}

/// `5× faster`, `the same`, `2× slower`.
fn tick(figure: f64) -> String {
    let short = |times: f64| factor(times).replace(".00", "").replace(".0", "");
    if (figure - 1.0).abs() < 1e-9 {
        "the same".into()
    } else if figure > 1.0 {
        format!("{} faster", short(figure))
    } else {
        format!("{} slower", short(1.0 / figure))
    }
}
