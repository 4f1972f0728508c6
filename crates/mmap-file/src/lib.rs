//! Memory-mapped files: part of a file that appears as memory, in as many processes as like.
//! Slides "Memory Mapped Files" to "Example 2: Shared memory using mmap".
//!
//! ```text
//!     process A                    the page cache                   process B
//!   0x7f11…000 ┌────────┐        ┌───────────────┐        ┌────────┐ 0x7fa4…000
//!              │ mapping│ ─────► │ page 0 of the │ ◄───── │ mapping│
//!              └────────┘        │ file          │        └────────┘
//!                                └───────┬───────┘
//!                                        ▼  later, or at msync
//!                                      the disk
//! ```
//!
//! One copy of the bytes, two addresses. What A stores, B sees; and since the page is the file's,
//! it stays when both have gone. It was never "a disk block in memory" (the slide): reading and
//! writing the file go through the same page.
//!
//! ```
//! use mmap_file::{MapOptions, MappedFile};
//!
//! # let folder = std::env::temp_dir().join(format!("mmap-lib-{}", std::process::id()));
//! # std::fs::create_dir(&folder)?;
//! # let path = folder.join("file");
//! let file = mmap_file::create_new(&path, 4096, 0o600, |_| Ok(()))?;
//! let writer = MapOptions::new().read_write().map(&file)?;
//! let reader = MapOptions::new().map(&file)?;
//!
//! let _ = writer.write_view()?.put_text(b"hello")?;
//! assert_eq!(reader.view()?.text()?.to_string(), "hello");
//! assert_ne!(writer.address(), reader.address());
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Layout
//!
//! | module | what it is | slide |
//! |---|---|---|
//! | [`open`] | files fit to be mapped; created without a moment at length zero | "Example 2", mended |
//! | [`mapping`] | [`MapOptions`], [`Mapping`], protection, sharing, advice, flush | "mmap options", "munmap", "msync" |
//! | [`mapping::truncation`] | the file that shrinks under a mapping | "Illegal Memory Access" |
//! | [`MappedFile`] | a file and its mapping that grow and shrink together | – |
//! | [`Anonymous`] | memory of no file, shared with children | "Shared Memory" |
//! | [`lock`] | a lock on the file, that ends with its holder | "mutual exclusion must be provided" |
//! | [`note`] | the note file: writer, reader, and never half a note | "Example 2" |
//! | [`integer`] | an integer at any offset | "mmap Example" |
//! | [`maps`] | which files a process has mapped | "Benefits: dynamic loading" |
//! | `sys` | all that is unsafe | – |
//!
//! Linux only. What other processes may do to a file, they may do at any moment, so no safe
//! function here may cause undefined behaviour whatever they do.
//!
//! A file that is *truncated* would end the process by SIGBUS. Therefore the first mapping
//! **installs a handler for SIGSEGV and SIGBUS in the whole process**, that of [`segv_guard`], which
//! makes an ordinary error of it ([`mapping::truncation`]) and passes on all other faults. Whoever
//! does not want that says [`MapOptions::unguarded`].

mod anonymous;
pub mod integer;
pub mod lock;
pub mod mapping;
pub mod maps;
pub mod note;
pub mod open;
mod resize;
mod sys;

pub use anonymous::Anonymous;
pub use mapping::{Advice, MapOptions, Mapping, Protection, Sharing};
pub use open::{Access, Found, create_new, open_file, open_or_create};
pub use resize::{MappedFile, grow_file};
