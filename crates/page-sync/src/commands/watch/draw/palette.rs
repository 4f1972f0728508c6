//! Colours, or none; bars, or ASCII.

use std::env;

use page_sync::picture::{Face, Look as CellLook};
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::bar;

/// Whether there are colours, and whether there are letters beyond ASCII.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    pub colours: bool,
    pub blocks: bool,
}

impl Palette {
    /// As the user wants it: NO_COLOR (no-color.org), and the locale's character set.
    pub fn of_environment() -> Palette {
        let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
        let utf8 = |locale: String| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        };
        Palette { colours: set("NO_COLOR").is_none(), blocks: locale.is_some_and(utf8) }
    }

    /// A whole cell has a background; one of which only some pages are so has its letter in the
    /// colour.
    pub(super) fn cell(self, look: CellLook) -> Style {
        let style = if look.mapped { Style::new().bold() } else { Style::new() };
        let colour = match look.face {
            _ if !self.colours => return style,
            Face::Dirty => Color::Red,
            Face::Writeback => Color::Magenta,
            Face::Private => Color::Yellow,
            Face::Clean => Color::Green,
            Face::Cached => Color::Cyan,
            Face::Evicted | Face::Absent | Face::Unknown => return style.dim(),
        };
        if look.all { style.fg(Color::Black).bg(colour) } else { style.fg(colour) }
    }

    /// What stands out as a remark.
    pub(super) fn warning(self) -> Style {
        let style = Style::new().add_modifier(Modifier::BOLD);
        if self.colours { style.fg(Color::Magenta) } else { style }
    }

    /// The colour of a curve.
    pub(super) fn curve(self) -> Style {
        if self.colours { Style::new().fg(Color::Red) } else { Style::new() }
    }

    /// What a curve is made of.
    pub(super) fn bars(self) -> bar::Set<'static> {
        if self.blocks { bar::NINE_LEVELS } else { ASCII }
    }
}

/// Bars of ASCII, for terminals that know no others.
const ASCII: bar::Set<'static> = bar::Set {
    full: "#",
    seven_eighths: "#",
    three_quarters: "*",
    five_eighths: "+",
    half: "=",
    three_eighths: "-",
    one_quarter: ":",
    one_eighth: ".",
    empty: " ",
};
