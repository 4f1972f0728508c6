//! A time, or a multiple of one, for each of many things: a row each, a mark and a whisker for each series.

use super::axis::Log;
use super::svg::{Anchor, FONT, LINE, Svg};
use super::text::width;
use super::{Point, Room, legend, marks};

/// One of the things.
#[derive(Clone, Debug)]
pub struct Row {
    /// What it is called.
    pub name: String,
    /// Whether it is a mapping.
    pub mmap: bool,
    /// Figures, by the number of the series.
    pub points: Vec<(usize, Point)>,
}

/// A plot of this kind.
#[derive(Clone, Debug)]
pub struct Rows {
    /// What the figures are: `time for a round trip`.
    pub what: String,
    /// How they are written at the axis.
    pub value: fn(f64) -> String,
    /// The series' names; a single one is not shown.
    pub series: Vec<String>,
    /// Top to bottom.
    pub rows: Vec<Row>,
    /// All of it in a sentence.
    pub described: String,
}

/// The least height of a row, and what each series needs: they lie below each other.
const ROW: f64 = 28.0;
const EACH: f64 = 10.0;
const TICK: f64 = 6.0;

impl Rows {
    /// As SVG.
    pub fn draw(&self, room: Room) -> String {
        let total = room.width();
        let mut svg = Svg::new(total);
        let widest = self.rows.iter().map(|row| width(&row.name, FONT)).fold(0.0, f64::max);
        // On a phone a name stands above its row.
        let above = room == Room::Narrow;
        let names = if above { total } else { widest.min(total * 0.5) };
        let left = if above { 8.0 } else { names + 14.0 };
        let right = total - 8.0;
        let top = LINE + 6.0;
        let lanes = self.series.len().max(1);
        let row = ROW.max(EACH * (lanes + 1) as f64);
        let height = if above { row + LINE } else { row };
        let bottom = top + height * self.rows.len() as f64;
        svg.text((0.0, LINE / 2.0), Anchor::Start, total, &self.what);
        let all = self.rows.iter().flat_map(|row| row.points.iter().map(|(_, point)| point));
        let scale = Log::new(all.clone().flat_map(|point| [point.low, point.high]), left, right);
        self.axis(&mut svg, &scale, (top, bottom), total);
        for (number, Row { name, mmap, points }) in self.rows.iter().enumerate() {
            let start = top + height * number as f64;
            let y = start + height - row / 2.0;
            svg.line((left, y), (right, y), 1.0, "1 4", true);
            if above {
                svg.text((0.0, start + LINE * 0.75), Anchor::Start, names, name);
            } else {
                svg.text((names, y), Anchor::End, names, name);
            }
            svg.begin(*mmap);
            for (series, point) in points {
                let y = y + EACH * (*series as f64 - (lanes - 1) as f64 / 2.0);
                marks::whisker(&mut svg, (scale.place(point.low), y), (scale.place(point.high), y));
                marks::mark(&mut svg, *series, (scale.place(point.mid), y), point.counted);
            }
            svg.end();
        }
        let below = bottom + TICK + LINE + 8.0;
        let crosses = all.clone().any(|point| !point.counted);
        let series: &[String] = if self.series.len() > 1 { &self.series } else { &[] };
        let names: Vec<_> = series.iter().map(|name| (name.as_str(), false)).collect();
        let legend = match names.is_empty() && !crosses {
            true => 0.0,
            false => legend::draw(&mut svg, &names, below, total, false, crosses),
        };
        svg.finish(below + legend + 4.0, &self.described, room == Room::Alone)
    }

    fn axis(&self, svg: &mut Svg, scale: &Log, (top, bottom): (f64, f64), total: f64) {
        svg.line((0.0, bottom), (total, bottom), 1.0, "", false);
        // At the edge a name is moved inwards: it might come to lie over the one before.
        let mut free = 0.0;
        for (figure, x) in scale.ticks(width("100 µs", FONT) + 4.0) {
            svg.line((x, top), (x, bottom + TICK), 1.0, "", true);
            let name = (self.value)(figure).replace(".00", "").replace(".0 ", " ");
            let own = width(&name, FONT);
            let x = x.clamp(own / 2.0, total - own / 2.0);
            if x - own / 2.0 >= free {
                svg.text((x, bottom + TICK + LINE / 2.0), Anchor::Middle, own, &name);
                free = x + own / 2.0;
            }
        }
    }
}
