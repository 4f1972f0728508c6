//! The names of the series, each beside its mark and dashes, in as many lines as they need.

use super::marks::{self, HALF};
use super::svg::{Anchor, FONT, LINE, Svg};
use super::text::width;

/// From a sample's left to its text.
const SAMPLE: f64 = 44.0;
/// Between two names.
const GAP: f64 = 18.0;

/// A name, and whether it is one of mmap's.
pub type Name<'a> = (&'a str, bool);

/// Draws it from `top` on; the height that it took. With `lines`, the series are lines.
pub fn draw(
    svg: &mut Svg,
    names: &[Name<'_>],
    top: f64,
    total: f64,
    lines: bool,
    crosses: bool,
) -> f64 {
    let (mut x, mut y) = (0.0, top + LINE / 2.0);
    let mut place = |wanted: f64| {
        let wanted = wanted.min(total);
        if x > 0.0 && x + wanted > total {
            (x, y) = (0.0, y + LINE + 3.0);
        }
        let at = (x, y);
        x += wanted + GAP;
        at
    };
    for (series, (name, mmap)) in names.iter().enumerate() {
        let (x, y) = place(SAMPLE + width(name, FONT));
        let middle = x + (SAMPLE - 8.0) / 2.0;
        svg.begin(*mmap);
        if lines {
            svg.path(&[(x, y), (x + SAMPLE - 8.0, y)], marks::dash(series));
        }
        marks::mark(svg, series, (middle, y), true);
        svg.end();
        svg.text((x + SAMPLE, y), Anchor::Start, width(name, FONT).min(total - x - SAMPLE), name);
    }
    if crosses {
        let name = "not counted";
        let (x, y) = place(4.0 * HALF + width(name, FONT));
        marks::mark(svg, 0, (x + HALF, y), false);
        svg.text((x + 4.0 * HALF, y), Anchor::Start, width(name, FONT), name);
    }
    y + LINE / 2.0 - top
}
