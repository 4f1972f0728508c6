//! How the course tests. Not for users: for its own `tests/` folders.
//!
//! What the kernel keeps (segments, locks, signal handlers, limits, namespaces) belongs to a
//! process or to the whole machine, so a test that shares its process with others proves little.
//! Here every case runs in a process of its own:
//!
//! ```text
//!   cargo test ── test binary (libtest-mimic: lists, filters, counts)
//!                     │  one child a case, in its own process group, with a watchdog
//!                     ▼
//!                 the case ── the programs it starts
//!                     │  afterwards: no child, segment, semaphore set or folder may be left
//!                     ▼
//!                 passed / failed / skipped aloud, with the reason, and counted as "ignored"
//! ```
//!
//! A test file has `harness = false` in Cargo.toml and looks like this:
//!
//! ```no_run
//! testkit::cases! {
//!     addition_still_works;
//!     a_full_disk_is_refused needs testkit::need::namespaces;
//! }
//!
//! fn addition_still_works() {
//!     assert_eq!(1 + 1, 2);
//! }
//! fn a_full_disk_is_refused() {
//!     let disk = testkit::small_tmpfs(64 * 1024);
//!     assert!(std::fs::write(disk.path().join("large"), vec![1; 100_000]).is_err());
//! }
//! ```
//!
//! # Layout
//!
//! `case` runs the cases; `emulator` starts programs also under qemu; [`need`] says what this machine lacks; `fresh` gives keys and folders
//! that nobody else has; `program` starts programs and listens to them; `peer` is a hostile
//! neighbour; `rounds` counts how often to try; `namespace` gives a case its own mounts and System V objects; `sweep` looks for what
//! was left behind.

mod case;
mod emulator;
mod fresh;
mod namespace;
pub mod need;
mod peer;
mod program;
mod rounds;
mod sweep;

pub use case::{Case, main};
pub use emulator::command;
pub use fresh::{Folder, folder, key, random_u64};
pub use namespace::{Tmpfs, enter_namespaces, small_tmpfs};
pub use peer::{Peer, Random, peer};
pub use program::{Finished, Program};
pub use rounds::{Rounds, rounds};
pub use sweep::left_behind;

/// How many rounds a soak test does: `small` in `cargo test`; `full` with `IPC_SOAK=full`; with
/// `IPC_SOAK=25`, that many per cent of `full` (never fewer than `small`).
pub fn soak(small: usize, full: usize) -> usize {
    match std::env::var("IPC_SOAK").ok().as_deref() {
        None | Some("") => small,
        Some("full") => full,
        Some(percent) => {
            let percent: usize = percent.parse().expect("IPC_SOAK is `full` or a percentage");
            (full * percent / 100).max(small)
        }
    }
}

/// Declares a test file's cases and its `main`. After `needs`, functions that return `Err` with
/// the reason when this machine cannot run the case. `all needs …;` in front is for every case.
#[macro_export]
macro_rules! cases {
    (all needs $every:path; $($name:ident $(needs $($need:path),+)?;)+) => {
        fn main() -> std::process::ExitCode {
            $crate::main(vec![$($crate::Case {
                name: stringify!($name),
                run: $name,
                needs: &[$every, $($($need),+)?],
            }),+])
        }
    };
    ($($name:ident $(needs $($need:path),+)?;)+) => {
        fn main() -> std::process::ExitCode {
            $crate::main(vec![$($crate::Case {
                name: stringify!($name),
                run: $name,
                needs: &[$($($need),+)?],
            }),+])
        }
    };
}
