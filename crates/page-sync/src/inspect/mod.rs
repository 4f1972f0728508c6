//! What the kernel says about a page, each source labelled with what it is true for.
//!
//! ```text
//!     the file's pages  0   1   2   3   4   5   6   7      asked of
//!   in the page cache   ■   ■   ■   ·   ·   ■   ·   ·      [`residency`] mincore(2), or [`cache`]
//!               dirty   ·   ■   ·   ·   ·   ·   ·   ·      [`cache`]     cachestat(2)
//!   mapped by process   ·   ■   ■   ·   ·   ·   ·   ·      [`pagemap`]   /proc/PID/pagemap
//!   how much in all         8 KiB Rss, 4 KiB dirty         [`totals`]    /proc/PID/smaps
//!   how often it faulted    2 minor, 0 major               [`faults`]    getrusage(2)
//! ```
//!
//! No source sees all of it, and each of them has places where it says something else than it
//! seems to, or nothing. So what comes back is an [`Answer`]: known, or "unknown, because …". What
//! is known but easily misread says so in a note ([`Cache::notes`]).
//!
//! | source | true for | not for |
//! |---|---|---|
//! | mincore | "in the page cache" | "mapped by me"; a file one neither owns nor may write: the kernel then calls every page resident |
//! | cachestat | cached, dirty, under writeback, evicted, by page | the disk; overlayfs (it shows nothing); dirty on tmpfs (never shown); single pages of a large folio, which are dirty together |
//! | pagemap | present in this process's page table; exclusive; of a file or a private copy; write-protected; guard | who else maps it; written since when (soft-dirty is compiled out of many kernels, and is never looked at here) |
//! | smaps | totals of a mapping | "shared": it means that the page is in two page tables, not that the mapping is MAP_SHARED |
//! | getrusage | faults of a process | of a mapping |
//!
//! All of them look while others go on writing. Two numbers that were asked for one after the
//! other need not fit together, and what is asked page by page is no snapshot.

mod answer;
pub mod cache;
pub mod faults;
mod filesystem;
pub mod pagemap;
mod reason;
pub mod residency;
mod runs;
pub mod totals;

pub use answer::Answer;
pub use cache::Cache;
pub use faults::Faults;
pub use filesystem::{FileSystem, Kind as FileSystemKind};
pub use reason::Reason;
pub use runs::Runs;
pub use totals::Totals;
