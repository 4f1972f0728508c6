//! Plots as SVG, drawn so that black and white is enough: shapes and dashes tell series apart, and
//! colour only repeats it. No script, no font, no id that could clash with another plot's.
//!
//! Every text is drawn into a box that was measured for it, and says which (`data-box`); a test asks
//! a browser whether it is inside.

mod axis;
mod legend;
mod lines;
mod marks;
mod rows;
mod svg;
mod text;

pub use lines::{Lines, Series};
pub use rows::{Row, Rows};
pub use svg::STYLE;
pub use text::width;

/// A figure with its spread, at a place of the other axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The value of the case: a size, a number of passes.
    pub at: u64,
    /// Where the middle half begins.
    pub low: f64,
    /// The median.
    pub mid: f64,
    /// Where the middle half ends.
    pub high: f64,
    /// Whether it counts.
    pub counted: bool,
}

/// For what it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// A screen, or a projector.
    Wide,
    /// A phone.
    Narrow,
    /// A file of its own: wide, on white.
    Alone,
}

impl Room {
    /// Of the drawing, in its own units.
    fn width(self) -> f64 {
        match self {
            Room::Wide | Room::Alone => 760.0,
            Room::Narrow => 340.0,
        }
    }
}
