//! Text, which has no width of its own in an SVG: whoever draws it has to say.

use std::fmt::Write;

use super::ink::{self, escaped};
use super::{Document, MARGIN, WIDTH};

/// How wide a character of a monospaced font is, in parts of its size.
pub(super) const ADVANCE: f64 = 0.6;

impl Document {
    /// Words in as many lines as it takes.
    pub(super) fn paragraph(&mut self, size: f64, text: &str) {
        let room = ((WIDTH - 2.0 * MARGIN) / (size * ADVANCE)) as usize;
        let mut line = String::new();
        for word in text.split(' ') {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
                self.line(MARGIN, size, WIDTH - 2.0 * MARGIN, false, &line);
                self.y += 4.0;
                line = "    ".into();
            } else if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.line(MARGIN, size, WIDTH - 2.0 * MARGIN, false, &line);
        self.y += 6.0;
    }

    /// A line of text, and the next one goes below it.
    pub(super) fn line(&mut self, x: f64, size: f64, room: f64, bold: bool, text: &str) {
        self.y += size;
        self.fitted(x, self.y, size, room, bold, text);
    }

    /// A text that is cut at its start if it is too long: the end of a path says most.
    pub(super) fn fitted(&mut self, x: f64, y: f64, size: f64, room: f64, bold: bool, text: &str) {
        let most = (room / (size * ADVANCE)) as usize;
        let text: String = ink::visible(text);
        let len = text.chars().count();
        let cut: String = match len > most {
            true => std::iter::once('…').chain(text.chars().skip(len + 1 - most)).collect(),
            false => text,
        };
        self.text(x, y, size, bold, &cut);
    }

    pub(super) fn text(&mut self, x: f64, y: f64, size: f64, bold: bool, text: &str) {
        if text.is_empty() {
            return;
        }
        let (length, text) = (width(text, size), escaped(text));
        let weight = if bold { r#" font-weight="bold""# } else { "" };
        let _ = writeln!(
            self.body,
            r#"<text x="{x:.1}" y="{y:.1}" font-size="{size:.1}"{weight} textLength="{length:.1}" lengthAdjust="spacingAndGlyphs" xml:space="preserve">{text}</text>"#
        );
    }
}

pub(super) fn width(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * size * ADVANCE
}
