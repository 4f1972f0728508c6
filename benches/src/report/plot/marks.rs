//! What tells series apart without a colour.

use super::svg::Svg;

/// Half of a mark's width.
pub const HALF: f64 = 5.0;
/// Half of a whisker's cap.
const CAP: f64 = 3.5;

/// Dashes of the lines, in the order of the series.
const DASHES: [&str; 8] = ["", "7 4", "2 4", "11 4 2 4", "14 5", "4 2", "1 3", "9 3 2 3 2 3"];

/// The dashes of the series of that number.
pub fn dash(series: usize) -> &'static str {
    DASHES[series % DASHES.len()]
}

/// The mark of the series of that number; a cross if it does not count.
pub fn mark(svg: &mut Svg, series: usize, (x, y): (f64, f64), counted: bool) {
    let h = HALF;
    if !counted {
        svg.line((x - h, y - h), (x + h, y + h), 2.0, "", false);
        svg.line((x - h, y + h), (x + h, y - h), 2.0, "", false);
        return;
    }
    let outline = match series % 8 / 2 {
        0 => format!(
            "M{:.1} {y:.1}a{h} {h} 0 1 0 {} 0a{h} {h} 0 1 0 {} 0z",
            x - h,
            2.0 * h,
            -2.0 * h
        ),
        1 => format!("M{:.1} {:.1}h{}v{}h{}z", x - h, y - h, 2.0 * h, 2.0 * h, -2.0 * h),
        2 => format!("M{x:.1} {:.1}l{h} {}h{}z", y - h, 2.0 * h, -2.0 * h),
        _ => format!(
            "M{x:.1} {:.1}l{} {}l{} {}l{} {}z",
            y - 1.3 * h,
            1.3 * h,
            1.3 * h,
            -1.3 * h,
            1.3 * h,
            -1.3 * h,
            -1.3 * h
        ),
    };
    svg.shape(&outline, series.is_multiple_of(2));
}

/// A whisker between two ends of the same place.
pub fn whisker(svg: &mut Svg, from: (f64, f64), to: (f64, f64)) {
    let upright = (from.0 - to.0).abs() < (from.1 - to.1).abs();
    let (dx, dy) = if upright { (CAP, 0.0) } else { (0.0, CAP) };
    svg.line(from, to, 1.5, "", false);
    for (x, y) in [from, to] {
        svg.line((x - dx, y - dy), (x + dx, y + dy), 1.5, "", false);
    }
}
