//! The second argument of `ftok`: one byte, passed as an int.

use std::fmt;
use std::str::FromStr;

use nix::errno::Errno;

use crate::error::{Error, Result};

/// The project number given to `ftok`, of which only the low 8 bits are used.
///
/// ```
/// use ipc_common::Project;
/// assert_eq!("R".parse::<Project>()?.byte(), 0x52);
/// let wide = Project::new(0x1aa)?;
/// assert_eq!((wide.byte(), wide.thrown_away()), (0xaa, 0x100));
/// assert!(Project::new(0).is_err());
/// # Ok::<(), ipc_common::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Project(i32);

impl Project {
    /// The lecture's own: `ftok("shmdemo.c", 'R')`.
    pub const LECTURE: Project = Project(b'R' as i32);

    /// The project with this number.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the low 8 bits are 0: POSIX leaves the key unspecified then, and on Linux
    /// such keys can even become `IPC_PRIVATE`.
    pub fn new(number: i32) -> Result<Project> {
        if number & 0xff != 0 {
            return Ok(Project(number));
        }
        Err(Error::refused("ftok", Errno::EINVAL, format!("project {number:#x}")))
    }

    /// The number as it was given.
    pub fn number(self) -> i32 {
        self.0
    }

    /// The 8 bits that go into the key.
    pub fn byte(self) -> u8 {
        self.0.to_le_bytes()[0]
    }

    /// The bits that `ftok` throws away: projects `0x1aa` and `0xaa` give the same key.
    pub fn thrown_away(self) -> i32 {
        self.0 & !0xff
    }
}

impl fmt::Display for Project {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            letter @ 0x21..=0x7e => write!(f, "'{}' ({letter:#x})", char::from(self.byte())),
            number => write!(f, "{number:#x}"),
        }
    }
}

/// One letter or sign (`R`), a number (`170`, `0xaa`), or a quoted character (`'7'`).
impl FromStr for Project {
    type Err = Error;

    fn from_str(text: &str) -> Result<Project> {
        let number = match text.as_bytes() {
            [b'\'', quoted, b'\''] => Some(i32::from(*quoted)),
            [sign] if !sign.is_ascii_digit() => Some(i32::from(*sign)),
            _ => match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
                Some(digits) if digits.starts_with(['+', '-']) => None,
                Some(digits) => u32::from_str_radix(digits, 16).ok().map(u32::cast_signed),
                None => text.parse().ok(),
            },
        };
        match number {
            Some(number) => Project::new(number),
            None => Err(Error::refused("ftok", Errno::EINVAL, format!("project {text:?}"))
                .with_remedy("a project is a letter such as R, or a number such as 170 or 0xaa")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_numbers_are_told_apart() {
        let byte = |text: &str| text.parse::<Project>().unwrap().byte();
        assert_eq!(
            [byte("R"), byte("5"), byte("'5'"), byte("0xaa"), byte("170")],
            [0x52, 5, 0x35, 0xaa, 0xaa]
        );
    }

    #[test]
    fn projects_with_no_bits_left_are_refused() {
        for text in ["0", "0x100", "256", "-256", "", "RR", "0x-1"] {
            assert_eq!(text.parse::<Project>().unwrap_err().errno(), Errno::EINVAL, "{text:?}");
        }
    }

    #[test]
    fn it_prints_as_a_programmer_would_write_it() {
        assert_eq!(Project::LECTURE.to_string(), "'R' (0x52)");
        assert_eq!(Project(0x1aa).to_string(), "0x1aa");
    }
}
