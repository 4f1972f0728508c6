//! What has to be done besides, so that a file is there after a power cut.
//!
//! A sync makes a file's *bytes* durable. The name under which they are found is a line in a
//! folder, and a folder is a file of its own, with a sync of its own: fsync(2) says outright that
//! syncing the file need not have put its name on the disk. (ext4 and some others do more than
//! they have to; who relies on that relies on one file system.) Of a new file whose bytes are safe
//! and whose name is not, nothing is found after a power cut but perhaps a number in `lost+found`.
//!
//! # A whole file, replaced
//!
//! To write a file in place is to have, at some moment, half of the old and half of the new; a
//! crash just then keeps it that way. So the new content becomes a file of its own, and takes over
//! the name when it is complete and on the disk:
//!
//! ```text
//!   open(folder, O_TMPFILE)    no name yet: killed here, nothing is left
//!   write, owner, mode         as the old file's
//!   linkat(…, ".NAME.….replacement")
//!   fsync(file)                before the name: else the name may be on the disk, and the bytes not
//!   rename(…, NAME)            one step: whoever opens NAME has all of the old or all of the new
//!   fsync(folder)              and so has whoever opens it after a power cut
//! ```
//!
//! [`replace`] does that, and its error ([`NotReplaced`]) says which content is in place.
//!
//! # Layout
//!
//! `place` is a folder that is held open, and a name in it; `name` makes a name durable; `replace`
//! is the sequence above; `temporary` the file that has no name yet, and what is left of one after
//! `kill -9`; `attributes` what the new file takes over from the old.

mod attributes;
mod name;
mod place;
mod replace;
mod temporary;

pub use name::{persist, persist_name};
pub use replace::{Content, NotReplaced, Replaced, replace, replace_with};
pub use temporary::leftovers;
