//! Known, or "unknown, because …": never a guess.

use std::fmt;

use super::Reason;

/// What a source says, or why it cannot.
///
/// ```
/// use page_sync::inspect::{Answer, Reason};
///
/// let dirty: Answer<u64> = Answer::Known(3);
/// assert_eq!(dirty.to_string(), "3");
/// let hidden: Answer<u64> = Answer::Unknown(Reason::Overlay);
/// assert!(hidden.to_string().starts_with("unknown, because "));
/// assert_eq!(hidden.known(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an answer may be that it is unknown"]
pub enum Answer<T> {
    /// The source says so, and is to be believed here.
    Known(T),
    /// The source is silent here, or would lie.
    Unknown(Reason),
}

use Answer::{Known, Unknown};

impl<T> Answer<T> {
    /// What is known, if it is.
    pub fn known(self) -> Option<T> {
        match self {
            Known(value) => Some(value),
            Unknown(_) => None,
        }
    }

    /// Why it is not known, if it is not.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Known(_) => None,
            Unknown(reason) => Some(*reason),
        }
    }

    /// Whether it is known.
    pub fn is_known(&self) -> bool {
        matches!(self, Known(_))
    }

    /// The same about a reference.
    pub fn as_ref(&self) -> Answer<&T> {
        match self {
            Known(value) => Known(value),
            Unknown(reason) => Unknown(*reason),
        }
    }

    /// What follows from it, if it is known.
    pub fn map<U>(self, then: impl FnOnce(T) -> U) -> Answer<U> {
        self.and_then(|value| Known(then(value)))
    }

    /// What another source says of it, if it is known.
    pub fn and_then<U>(self, then: impl FnOnce(T) -> Answer<U>) -> Answer<U> {
        match self {
            Known(value) => then(value),
            Unknown(reason) => Unknown(reason),
        }
    }

    /// For `?` in a function that returns a `Result`.
    ///
    /// # Errors
    ///
    /// The reason, if it is unknown.
    pub fn ok(self) -> Result<T, Reason> {
        match self {
            Known(value) => Ok(value),
            Unknown(reason) => Err(reason),
        }
    }
}

impl<T> From<Result<T, Reason>> for Answer<T> {
    fn from(result: Result<T, Reason>) -> Answer<T> {
        match result {
            Ok(value) => Known(value),
            Err(reason) => Unknown(reason),
        }
    }
}

impl<T: fmt::Display> fmt::Display for Answer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Known(value) => value.fmt(f),
            Unknown(reason) => reason.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_answer_stays_unknown_whatever_is_asked_of_it() {
        let unknown: Answer<u8> = Unknown(Reason::Overlay);
        assert_eq!(unknown.map(|value| value + 1).reason(), Some(Reason::Overlay));
        assert_eq!(unknown.and_then(|_| Known(1)), Unknown(Reason::Overlay));
        assert_eq!(unknown.ok(), Err(Reason::Overlay));
        assert_eq!(Known(1).and_then(|_| unknown), unknown);
    }
}
