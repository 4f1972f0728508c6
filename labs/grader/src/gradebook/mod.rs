//! A class: a folder with everybody's hand-ins, graded side by side, and what is kept of each.
//!
//! ```text
//!   DIR/                      REPORT/
//!     anna/src/lib.rs           grades.csv           a line each, for the gradebook
//!     ben.zip                   grades.json          everything
//!     cleo.rs                   submissions/
//!                                 anna/              report.json, junit.xml, results.json
//!                                 …                  identity.json: what was graded, and by what
//! ```
//!
//! What has been graded to the end is not graded again, unless it is another text by now, or the
//! rubric, the grader, the mode or the seed is another. What a Ctrl-C, a crash or a failure of the
//! grader left half done is.
//!
//! `listing` finds what was handed in; `handin` takes one; `root` where in it the files are; `archive` reads them out of
//! a zip; `identity` tells whether a result still stands; `book` is the folder REPORT; `run` grades;
//! `grades` writes the tables.

mod archive;
mod book;
mod grades;
mod handin;
mod identity;
mod listing;
mod root;
mod run;

pub use book::Book;
pub use grades::{Row, Status, Summary};
pub use handin::HandIn;
pub use identity::{Identity, grader};
pub use listing::{Ignored, Listing, list};
pub use run::{Class, Step, grade};
