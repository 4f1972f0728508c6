//! What the course's binaries have in common at the terminal, so that each of them is only
//! "parse, call, print".
//!
//! # Layout
//!
//! [`run`] and [`Failure`]: from arguments to an exit code; [`Quit`]: Ctrl-C and SIGTERM as a
//! question that loops ask; [`Lines`]: standard input, line by line, without missing a signal;
//! [`Printer`]: notes on standard output; [`Actor`]: a child process that plays a part in a
//! demo; [`outlive_parent`]: for the one that cleans up after it; [`Narrator`]: how its story is
//! told; [`own`] and [`typed_path`]: what to type to run another of these commands; [`style`]: the
//! few colours.

mod actor;
mod aftermath;
mod exit;
mod lines;
mod narrator;
mod own;
mod printer;
mod quit;
pub mod style;

pub use actor::Actor;
pub use aftermath::outlive_parent;
pub use exit::{Failure, out, run, warn};
pub use lines::{Line, Lines};
pub use narrator::{Narrator, ending, watching};
pub use own::{own, typed_path};
pub use printer::{Printer, json_line, note_json, shown};
pub use quit::Quit;
