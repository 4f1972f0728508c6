//! The cell: where one submission is built and checked. Processes of ours, one below the other; each
//! ends when the one above it has gone.
//!
//! ```text
//!   supervisor            rubric, results; many cells at once
//!      │ control pipe: its end ends everything      ▲ events, a line each
//!      ▼                                            │
//!   warden                enters namespaces; sweeps what is left, whoever was killed
//!      │
//!   cell                  PID 1 of the run's namespaces; builds; watches time, memory and disk
//!      │ one a check
//!   check                 trusted code; a panic in it is a failure of the grader
//!      │ one a program
//!   keeper ── program     see `sandbox`
//! ```
//!
//! The warden is this very program, started again (`lab cell`), since only a process with a single
//! thread can enter a user namespace or fork safely.

mod check;
mod child;
mod event;
mod inside;
mod job;
mod lock;
mod places;
mod shares;
mod warden;

pub use event::Event;
pub use job::{CheckOrder, Grading, Job, Task};
pub(crate) use places::Places;
pub use warden::main;
