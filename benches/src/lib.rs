//! What the benches have in common: how to measure so that the figures do not lie.
//!
//! ```text
//!   a bench ──► Bench ──► a group ──► a case and what it is compared with
//!                                        │ criterion asks for so many rounds
//!                                        ▼
//!            floor · A · B · floor · B · A · floor · …   each pair by itself, again if the floor moved
//!                                        ▼
//!            once more, counted: page faults (getrusage), system calls (ptrace)
//!                                        ▼
//!            target/criterion/GROUP/FUNCTION/VALUE/new/{benchmark,estimates,sample}.json   criterion's
//!                                                     /case.json                           ours
//! ```
//!
//! # Layout
//!
//! | module | what it is |
//! |---|---|
//! | [`mod@turns`] | two things measured in turns, A B B A …, and the spread of their ratio |
//! | [`watch`] | the part of a round that counts: timed, or its faults and system calls counted |
//! | [`floor`] | a reference that only the machine can change, measured around each pair |
//! | [`counts`] | page faults and system calls of one round |
//! | [`files`] | where files go, how they are written, and how they are made cold |
//! | [`settings`] | what can be set from outside, and which mode criterion is in |
//! | [`machine`] | what all of it ran on |
//! | [`mod@bench`] | a bench: its groups and cases, handed to criterion and written down |
//! | [`own`] | the same work by our crates, by hand and by memmap2: what our crates cost |
//! | [`raw`] | mmap(2) and shmat(2) as C calls them, and the buffer that all contenders share |
//! | [`mend`] | pages that are closed, and opened by our handler |
//! | [`placement`], [`peer`] | two processors, and another process on one of them |
//! | [`c`] | the other side's loops, compiled now |
//! | [`results`] | the format of what is written down, and the way to read it again |
//! | [`report`] | the results as a page, plots and a table, with a verdict |
//! | [`sum`] | the one loop that all sums of bytes are made with |

pub mod bench;
pub mod c;
pub mod counts;
pub mod files;
pub mod floor;
pub mod machine;
pub mod mend;
pub mod own;
pub mod peer;
pub mod placement;
pub mod raw;
pub mod report;
pub mod results;
pub mod settings;
pub mod sum;
pub mod turns;
pub mod watch;

pub use bench::{Bench, Case, Group};
pub use turns::{Pairs, Spread, at_places, figures_wanted, in_turns, pairs, time, turns};
pub use watch::{Watch, Work};
