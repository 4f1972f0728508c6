//! A file's pages as a picture.
//!
//! ```text
//!   the file ──► Subject: asks the sources ──► Survey ──► Runs<Page> ──► Cells ──► a picture
//!                (what `inspect` is for)       answers    page by page   folded
//!
//!        0  cccC dD.. .... ....      c clean   d dirty   . not in memory
//!       16  .... .... ..w. ....      w being written     CAPITALS: mapped by a process
//! ```
//!
//! A file of millions of pages is folded into cells. A cell counts its pages by state and shows the
//! most urgent one, so that one dirty page among ten thousand clean ones is seen.
//!
//! # Layout
//!
//! | module | what it is |
//! |---|---|
//! | [`Subject`], [`Survey`] | an open file, and what all the sources say about it |
//! | [`Page`] | what is known about one page |
//! | [`Cells`], [`Tally`] | folding |
//! | [`Face`] | what a cell shows: letter, name, meaning |
//! | [`svg`] | for slides |
//! | `text`, `json` | for terminals and for programs (feature `cli`) |

mod cells;
mod face;
#[cfg(feature = "cli")]
pub mod json;
mod page;
mod sources;
mod subject;
mod survey;
pub mod svg;
mod tally;
#[cfg(feature = "cli")]
pub mod text;

pub use cells::{Cell, Cells};
pub use face::{Face, Look};
pub use page::{InProcess, Mapped, Memory, Page};
pub use sources::{FAULTS, SMAPS, Said, Source};
pub use subject::{Process, Subject, Whereabouts};
pub use survey::{Survey, Whom, mapped};
pub use tally::Tally;
