//! Keys: the names of System V objects. Slide "POSIX Shared Memory: create identifier".
//!
//! A key is one `int`. Processes that want the same segment have to come up with the same
//! number, and there are three ways to do so:
//!
//! - [`Key::PRIVATE`]: no name at all. Each `shmget` makes a new segment, which others find only
//!   if they are told its id, or inherit it over a fork.
//! - a raw number agreed on beforehand, written as `ipcs` prints it: `0x5203a1b2`;
//! - [`ftok`]: packed from a file both sides can see, and a project number. Twenty-four bits of
//!   the file and eight of the project: not unique, as [`FtokKey`] shows.

mod ftok;
mod project;

pub use ftok::{FtokKey, ftok};
pub use project::Project;

use std::fmt;
use std::str::FromStr;

use nix::errno::Errno;

use crate::error::{Error, Result};

/// The key of a System V object (`key_t`).
///
/// ```
/// use ipc_common::Key;
/// let key: Key = "0x5203a1b2".parse()?;
/// assert_eq!(key.to_string(), "0x5203a1b2");
/// assert_eq!("private".parse::<Key>()?, Key::PRIVATE);
/// # Ok::<(), ipc_common::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(libc::key_t);

impl Key {
    /// `IPC_PRIVATE`: always a new object, and no way to find it by key. After a segment is
    /// marked for removal its key reads as this, too.
    pub const PRIVATE: Key = Key(libc::IPC_PRIVATE);

    /// The key with this number. 0 is [`Key::PRIVATE`].
    pub const fn from_raw(number: libc::key_t) -> Key {
        Key(number)
    }

    /// The number, as `shmget` takes it.
    pub const fn raw(self) -> libc::key_t {
        self.0
    }

    /// Whether this is `IPC_PRIVATE`, under which nothing can be found.
    pub const fn is_private(self) -> bool {
        self.0 == libc::IPC_PRIVATE
    }
}

/// As `ipcs` prints it: `0x` and eight hexadecimal digits.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:08x}", self.0)
    }
}

/// `private`, or a number as `ipcs` prints it (`0x5203a1b2`) or in decimal, also negative.
///
/// Errors: `EINVAL` for anything else; for numbers of more than 32 bits; and for 0, which would
/// silently mean `private`.
impl FromStr for Key {
    type Err = Error;

    fn from_str(text: &str) -> Result<Key> {
        if text.eq_ignore_ascii_case("private") {
            return Ok(Key::PRIVATE);
        }
        let refuse = |remedy: &'static str| {
            Err(Error::refused("key", Errno::EINVAL, format!("{text:?}")).with_remedy(remedy))
        };
        let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
        let number = match hex {
            // `from_str_radix` alone would also take "0x+5".
            Some(digits) if digits.starts_with(['+', '-']) => None,
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => {
                text.parse::<i32>().map(i32::cast_unsigned).or_else(|_| text.parse::<u32>()).ok()
            }
        };
        match number {
            Some(0) => refuse(
                "key 0 is IPC_PRIVATE, which nobody can find again; write `private` if that is meant",
            ),
            Some(number) => Ok(Key(number.cast_signed())),
            None => refuse(
                "a key is a 32-bit number such as 0x5203a1b2 (as `ipcs` prints it) or 1375969714, or `private`",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_key_but_private_reads_back_as_printed(number: i32) {
            prop_assume!(number != 0);
            let key = Key::from_raw(number);
            prop_assert_eq!(key.to_string().parse::<Key>().unwrap(), key);
            prop_assert_eq!(number.to_string().parse::<Key>().unwrap(), key);
            prop_assert_eq!(number.cast_unsigned().to_string().parse::<Key>().unwrap(), key);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text: String) {
            let _ = text.parse::<Key>();
        }
    }

    #[test]
    fn what_is_no_key_is_refused_with_a_reason() {
        for text in ["", "0x", "0", "0x0", "0x1ffffffff", "0x+5", "R", "12 ", "4294967296"] {
            let error = text.parse::<Key>().unwrap_err();
            assert_eq!(error.errno(), Errno::EINVAL, "{text:?}");
            assert!(!error.is_from_kernel());
        }
    }
}
