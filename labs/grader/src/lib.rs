//! The grader of the course's labs. It runs a student's code in a process that may do what it likes,
//! and decides by what the kernel shows from outside: segments, files, maps, exit status.
//!
//! ```text
//!   supervisor (`lab`: rubric, results)
//!      │ one a submission: its own IPC, network, mount and pid namespace, where they are allowed
//!      ▼
//!   cell: trusted checks ───── looks at ────►  segments, files, /proc/PID/maps, exit status
//!      │ asks by lines; every answer is a claim           ▲
//!      ▼                                                  │ makes
//!   driver: the lab's driver.rs + the student's lib.rs ───┘   own pid namespace, uid, limits
//! ```
//!
//! # Layout
//!
//! | module | what it is |
//! |---|---|
//! | [`student`] | progress, hints, the starter again |
//! | [`doctor`] | what works on this machine |
//! | [`check`] | what a check is, and how it says that something is wrong |
//! | [`stage`] | what a check works with: a fresh folder, keys, random payloads, drivers |
//! | [`driver`] | talking to a student's program: start, ask, answer, time-out |
//! | [`evidence`] | what the kernel shows: segments, semaphores, files, maps |
//! | [`rubric`] | `lab.toml`: points, hints, misconceptions |
//! | [`build`] | a submission's files, taken with care, and compiled in the sandbox |
//! | [`cell`] | the processes in which one submission is built and checked |
//! | [`report`] | results in words, for gradebooks and for platforms |
//! | `handout` | what a class gets (feature `class`) |
//! | `gradebook` | a class: many submissions, and what is kept of each (feature `class`) |
//! | [`supervisor`] | rubric and results: starts cells, and believes only them |
//! | [`verdict`] | results, which fail closed |
//! | [`sandbox`] | running programs that nobody trusts |
//! | [`shown`] | a student's text on an instructor's terminal |
//! | [`random`] | the numbers of a run, from a recorded seed |
//! | `verify` | the grader, put to the test itself (feature `class`) |
//! | [`checks`] | the checks of the labs, trusted code |
//!
//! # A check
//!
//! ```
//! use grader::check::{Check, Stop, Verdict};
//! use grader::stage::Stage;
//!
//! /// A note that was posted lies in the segment.
//! const POSTS: Check = Check { id: "posts", run: posts };
//!
//! fn posts(stage: &mut Stage) -> Verdict {
//!     let path = stage.key_file()?;
//!     let text = stage.random().text(40);
//!     let mut driver = stage.start()?;
//!     driver.ask(&["create", &grader::driver::hex_path(&path)]).ok()?;
//!     driver.ask(&["post", &grader::driver::hex(text.as_bytes())]).ok()?;
//!     // The claim is nothing without what the kernel shows.
//!     let Some(segment) = stage.segment_of_file(&path, 1)? else {
//!         return Err(Stop::failed("a segment with the key of the file", "none"));
//!     };
//!     let bytes = segment.copy()?;
//!     if bytes.windows(text.len()).any(|part| part == text.as_bytes()) {
//!         Ok(())
//!     } else {
//!         Err(Stop::failed("the note in the segment", "it is not there").because("kept-private"))
//!     }
//! }
//! ```

pub mod build;
pub mod cell;
pub mod check;
pub mod checks;
pub mod doctor;
pub mod driver;
pub mod evidence;
#[cfg(feature = "class")]
pub mod gradebook;
#[cfg(feature = "class")]
pub mod handout;
pub mod random;
pub mod report;
pub mod rubric;
pub mod sandbox;
pub mod shown;
pub mod stage;
pub mod student;
pub mod supervisor;
pub mod verdict;
#[cfg(feature = "class")]
pub mod verify;
