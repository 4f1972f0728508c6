//! Results in the forms in which they are read: at a terminal, in a gradebook, on a platform.

#[cfg(feature = "class")]
mod csv;
#[cfg(feature = "class")]
mod gradescope;
#[cfg(feature = "class")]
mod junit;
mod markdown;
mod terminal;
#[cfg(feature = "class")]
mod words;

#[cfg(feature = "class")]
pub use csv::csv;
#[cfg(feature = "class")]
pub use gradescope::gradescope;
#[cfg(feature = "class")]
pub use junit::junit;
pub use markdown::markdown;
pub use terminal::{explain, line, paragraph, summary};
