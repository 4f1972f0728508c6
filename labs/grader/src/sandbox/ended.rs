//! How a program ended.

use std::fmt;

use nix::sys::signal::Signal;

/// How a program ended. That it was ended by a signal does not prove a fault: a program can send
/// itself any signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It returned, or called exit(2), with this code.
    Exited(i32),
    /// This signal ended it.
    Killed(i32),
    /// It is gone, and nobody knows how: its keeper was killed, and took it along. That is no doing
    /// of the program's.
    Lost,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Ended::Exited(101) => f.write_str("the program ended with exit code 101, a panic"),
            Ended::Exited(code) => write!(f, "the program ended with exit code {code}"),
            Ended::Killed(signal) => match Signal::try_from(signal) {
                Ok(name) => write!(f, "the program was ended by {name}"),
                Err(_) => write!(f, "the program was ended by signal {signal}"),
            },
            Ended::Lost => f.write_str("the program's keeper was killed, and the program with it"),
        }
    }
}

impl Ended {
    /// How long it is as a message of a keeper's.
    pub(super) const BYTES: usize = 5;

    pub(super) fn to_bytes(self) -> [u8; Ended::BYTES] {
        let (kind, number) = match self {
            Ended::Exited(code) => (0, code),
            Ended::Killed(signal) => (1, signal),
            Ended::Lost => (2, 0),
        };
        let number = number.to_ne_bytes();
        [kind, number[0], number[1], number[2], number[3]]
    }

    pub(super) fn from_bytes(bytes: [u8; Ended::BYTES]) -> Ended {
        let number = i32::from_ne_bytes([bytes[1], bytes[2], bytes[3], bytes[4]]);
        match bytes[0] {
            0 => Ended::Exited(number),
            1 => Ended::Killed(number),
            _ => Ended::Lost,
        }
    }
}
