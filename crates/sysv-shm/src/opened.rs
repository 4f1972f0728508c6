//! "Open it, or create it if it is missing", answered with which of the two it was.

/// What came of it. `IPC_CREAT` alone does not tell, and so adopts a stranger's segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "one that was there before may hold something already"]
pub enum Opened<T> {
    /// It was missing, and this process created it.
    Created(T),
    /// It was there.
    Existing(T),
}

impl<T> Opened<T> {
    /// The thing, wherever it came from.
    pub fn into_inner(self) -> T {
        match self {
            Opened::Created(thing) | Opened::Existing(thing) => thing,
        }
    }

    /// Whether this process created it.
    pub fn is_created(&self) -> bool {
        matches!(self, Opened::Created(_))
    }

    /// The same answer about something made from the thing.
    pub fn try_map<U, E>(self, make: impl FnOnce(T) -> Result<U, E>) -> Result<Opened<U>, E> {
        Ok(match self {
            Opened::Created(thing) => Opened::Created(make(thing)?),
            Opened::Existing(thing) => Opened::Existing(make(thing)?),
        })
    }
}
