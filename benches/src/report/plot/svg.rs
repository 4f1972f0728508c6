//! Lines and texts, as SVG.

use std::fmt::Write;

use super::text;
use crate::report::escape::markup;

/// The size of all text, in the drawing's units.
pub const FONT: f64 = 14.0;
/// The height of a line of text.
pub const LINE: f64 = 19.0;
const FONTS: &str =
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', Arial, sans-serif";

/// What every drawing's style sheet has to say.
pub const STYLE: &str = "svg text{fill:currentColor;stroke:none}svg path{stroke:currentColor}";

/// Around a drawing that is a file of its own.
const AIR: f64 = 14.0;

/// Which end of a text is fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// A drawing under way.
pub struct Svg {
    width: f64,
    body: String,
}

impl Svg {
    pub fn new(width: f64) -> Svg {
        Svg { width, body: String::new() }
    }

    /// A line in the colour of the text around it.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), thick: f64, dash: &str, faint: bool) {
        let ((x1, y1), (x2, y2)) = (from, to);
        let dash =
            if dash.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dash}\"") };
        let faint = if faint { " opacity=\"0.25\"" } else { "" };
        self.put(format_args!(
            "<path d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}\" stroke-width=\"{thick}\"{dash}{faint}/>"
        ));
    }

    /// Through all these points.
    pub fn path(&mut self, points: &[(f64, f64)], dash: &str) {
        let dash =
            if dash.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dash}\"") };
        let place = |(at, (x, y)): (usize, &(f64, f64))| {
            format!("{}{x:.1} {y:.1}", if at == 0 { 'M' } else { 'L' })
        };
        let d: String = points.iter().enumerate().map(place).collect();
        self.put(format_args!("<path d=\"{d}\" stroke-width=\"2\"{dash}/>"));
    }

    /// A closed shape; filled, or open with the page showing through.
    pub fn shape(&mut self, d: &str, filled: bool) {
        let fill = if filled { "currentColor" } else { "var(--paper, #fff)" };
        self.put(format_args!("<path d=\"{d}\" stroke-width=\"2\" style=\"fill:{fill}\"/>"));
    }

    /// A faint area behind everything.
    pub fn area(&mut self, from: (f64, f64), to: (f64, f64)) {
        let ((x, y), (right, bottom)) = (from, to);
        let (width, height) = (right - x, bottom - y);
        self.put(format_args!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
             style=\"fill:currentColor;stroke:none\" opacity=\"0.1\"/>"
        ));
    }

    /// A text on one line, at the vertical middle `y`, cut to `room`.
    pub fn text(&mut self, at: (f64, f64), anchor: Anchor, room: f64, text: &str) {
        let (x, y) = at;
        let text = text::fit(text, FONT, room);
        let (name, left) = match anchor {
            Anchor::Start => ("start", x),
            Anchor::Middle => ("middle", x - room / 2.0),
            Anchor::End => ("end", x - room),
        };
        let top = y - LINE / 2.0;
        let base = y + FONT * 0.36;
        self.put(format_args!(
            "<text x=\"{x:.1}\" y=\"{base:.1}\" text-anchor=\"{name}\" \
             data-box=\"{left:.1} {top:.1} {room:.1} {LINE:.1}\">{}</text>",
            markup(&text)
        ));
    }

    /// What follows, until [`Svg::end`], is in the colour of mmap, or of the others.
    pub fn begin(&mut self, mmap: bool) {
        let colour = if mmap { "var(--mmap, #00538f)" } else { "var(--other, #333)" };
        self.put(format_args!("<g style=\"color:{colour}\">"));
    }

    pub fn end(&mut self) {
        self.body.push_str("</g>\n");
    }

    /// The whole drawing, with a sentence for those who cannot see it.
    pub fn finish(self, height: f64, described: &str, alone: bool) -> String {
        let Svg { width, body } = self;
        let described = markup(described);
        // A file of its own brings its paper along: who shows it may be dark.
        let (space, colour, style, air) = match alone {
            true => (
                " xmlns=\"http://www.w3.org/2000/svg\"",
                "color:#000;background:#fff;",
                format!("<style>{STYLE}</style>\n"),
                AIR,
            ),
            false => ("", "", String::new(), 0.0),
        };
        let [left, right, bottom] = [-air, width + 2.0 * air, height + 2.0 * air];
        format!(
            "<svg{space} viewBox=\"{left:.0} {left:.0} {right:.0} {bottom:.0}\" role=\"img\" \
             aria-label=\"{described}\" font-size=\"{FONT}\" \
             style=\"{colour}fill:none;stroke:currentColor\" font-family=\"{FONTS}\">\n\
             {style}<g>\n{body}</g>\n</svg>\n"
        )
    }

    fn put(&mut self, what: std::fmt::Arguments<'_>) {
        // Writing to a String does not fail.
        let _ = writeln!(self.body, "{what}");
    }
}
