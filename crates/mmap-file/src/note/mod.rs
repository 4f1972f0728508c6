//! The note file: what the lecture's second mmap example wanted to be. Slide "Example 2: Shared
//! memory using mmap".
//!
//! ```text
//!   0                                                  length - 64          length
//!   | t h e   n o t e \0 ?  ?  ?  ?  …                 | trailer             |
//!   [------- text: length - 64 bytes, NUL included ----)[-------------------)
//!                                                       0   magic "ipc-note"
//!                                                       8   version (u32) 1
//!                                                       12  sequence (u32)
//!                                                       16  zeros
//! ```
//!
//! The text stands where the lecture's C programs keep theirs, so they can read and write it. The
//! trailer is ours: its sequence is odd while a write is under way and even when the note is
//! whole. Files made here are one page long; the trailer is found by the file's length, so a file
//! from a machine with other pages works, too.
//!
//! ```text
//!   writer                                         reader (never changes the file)
//!   lock the file                                  s1 = sequence; odd? then see below
//!   sequence += 1          (odd)                   copy the text
//!   copy the text in                               s2 = sequence
//!   sequence += 1          (even)                  s1 == s2? then the copy is one whole note
//!   wake the readers (futex)                       else again, a few times
//!   unlock
//! ```
//!
//! An odd sequence with nobody holding the lock means that the writer died in the middle: the note
//! is [abandoned](ipc_common::note::Reading::Abandoned), and the next writer replaces it.
//!
//! Anyone who may write the file may write the trailer. Wrong *reports* can follow from hostile
//! bytes, and nothing else: no look lasts for ever, and none believes a length that it was told.
//!
//! # Layout
//!
//! `layout` knows the bytes; `seqlock` is the protocol, proved with loom on the very source that
//! ships, `mapped` the memory that it is about; `reader` and `writer` use it; `adopt` decides which existing files a writer may take
//! over; `whereabouts` notices that a file was replaced.

mod adopt;
mod layout;
mod mapped;
mod reader;
mod seqlock;
mod whereabouts;
mod writer;

pub use adopt::Adopt;
pub use layout::{LONGEST_FILE, TRAILER};
pub use reader::NoteReader;
pub use whereabouts::{Whereabouts, whereabouts};
pub use writer::NoteWriter;
