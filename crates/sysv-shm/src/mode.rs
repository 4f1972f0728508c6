//! Who may do what with a segment: nine permission bits, as files have them.

use std::fmt;
use std::str::FromStr;

use ipc_common::{Errno, Error, Result};

/// The permission bits of a segment or a semaphore set. The default is `0600`: nobody but the
/// owner.
///
/// Read permission lets a process attach read-only and look at the state. To attach read-write
/// takes both read and write permission (shmop(2)), so the lecture's `0644` lets others read, but
/// its reader, which attaches read-write, fails for them with `EACCES`. The execute bits mean
/// nothing here.
///
/// ```
/// use sysv_shm::Mode;
/// let mode: Mode = "644".parse()?;
/// assert_eq!((mode.to_string(), mode.bits()), ("0644".to_string(), 0o644));
/// assert!("1777".parse::<Mode>().is_err());
/// # Ok::<(), ipc_common::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mode(u16);

impl Mode {
    /// `0600`: nobody but the owner.
    pub const PRIVATE: Mode = Mode(0o600);

    /// The mode with these bits.
    ///
    /// # Errors
    ///
    /// `EINVAL` for more than nine bits.
    pub fn new(bits: u16) -> Result<Mode> {
        if bits <= 0o777 { Ok(Mode(bits)) } else { Err(refused(&format!("{bits:o}"))) }
    }

    /// The permission bits of what the kernel calls a mode; its other bits are flags.
    pub(crate) fn from_kernel(mode: u32) -> Mode {
        Mode((mode & 0o777) as u16)
    }

    /// The nine bits.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Whether the owner may both read and write.
    pub(crate) fn is_open_to_owner(self) -> bool {
        self.0 & 0o600 == 0o600
    }

    /// As an argument of shmget(2) and semget(2).
    pub(crate) fn flags(self) -> i32 {
        self.0.into()
    }
}

impl Default for Mode {
    fn default() -> Mode {
        Mode::PRIVATE
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

/// Octal digits: `600`, `0600` or `0o600`. Errors: `EINVAL` for anything else.
impl FromStr for Mode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Mode> {
        let digits = text.strip_prefix("0o").unwrap_or(text);
        if digits.starts_with('+') {
            return Err(refused(text));
        }
        u16::from_str_radix(digits, 8).map_err(|_| refused(text)).and_then(Mode::new)
    }
}

fn refused(text: &str) -> Error {
    Error::refused("mode", Errno::EINVAL, format!("{text:?}")).with_remedy(
        "a mode is three octal digits, for owner, group and others: 600, or 644 to let others read",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_mode_is_refused() {
        for text in ["", "8", "rw-", "1000", "-600", "+600", "0x600", "99999999"] {
            assert_eq!(text.parse::<Mode>().unwrap_err().errno(), Errno::EINVAL, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_mode_reads_back_as_printed(bits in 0u16..=0o777) {
            let mode = Mode::new(bits).unwrap();
            prop_assert_eq!(mode.to_string().parse::<Mode>().unwrap(), mode);
        }
    }
}
