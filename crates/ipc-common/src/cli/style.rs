//! The few colours of the course. `anstream` drops them where there is no terminal, where
//! `NO_COLOR` is set, and where `TERM=dumb`.
//!
//! ```
//! use ipc_common::cli::style::WRITER;
//! let line = format!("{WRITER}writer{WRITER:#} says hello");
//! ```

use anstyle::{AnsiColor, Style};

/// The process that writes.
pub const WRITER: Style = AnsiColor::Yellow.on_default().bold();
/// The process that reads.
pub const READER: Style = AnsiColor::Cyan.on_default().bold();
/// What was read from the kernel just then.
pub const KERNEL: Style = AnsiColor::Green.on_default();
/// What matters in a line.
pub const STRONG: Style = Style::new().bold();
/// What can be skipped.
pub const FAINT: Style = Style::new().dimmed();
/// What went wrong.
pub const ERROR: Style = AnsiColor::Red.on_default().bold();
/// What looks wrong, though the command goes on.
pub const WARNING: Style = AnsiColor::Magenta.on_default().bold();
