//! The results as something to show: a page, plots, a table, and a verdict.
//!
//! ```text
//!   records, runs, troubles ──► Material: what counts, what does not, and what to say about it
//!                                  │
//!                 rule ──► Verdict ├──► page       one HTML file, no script, no request
//!                                  ├──► markdown   the table for the notes
//!                                  └──► figures ──► plot   SVG
//! ```
//!
//! All of it is functions from data to text: whoever calls them writes the files.
//!
//! # Layout
//!
//! | module | what it is |
//! |---|---|
//! | [`gather`] | which results belong together, and what is missing, partial or old |
//! | [`notices`] | what whoever looks at it should know first |
//! | [`rule`] | when a cell counts, and when it is a win; printed on the page |
//! | [`scene`] | what is compared |
//! | [`tally`] | how many cells say what, and what they say together |
//! | [`verdict`] | the lecture's sentences, by the rule |
//! | [`cell`] | a case, and whether it counts |
//! | [`why`] | faults, system calls and copies, in words |
//! | [`figures`] | the plots' data |
//! | [`plot`] | SVG |
//! | [`costs`] | what our own crates cost, as rows of text |
//! | [`page`], [`markdown`] | what is shown |
//! | [`notes`] | the chapter's part between its marks |
//! | [`show`], [`escape`] | figures as people say them; text that is only text |

pub mod cell;
pub mod costs;
pub mod escape;
pub mod figures;
pub mod gather;
pub mod markdown;
pub mod notes;
pub mod notices;
pub mod page;
pub mod plot;
pub mod rule;
pub mod scene;
pub mod show;
pub mod tally;
pub mod verdict;
pub mod why;

pub use cell::Cell;
pub use gather::Material;
pub use verdict::Verdict;
