//! Files to measure with: where they go, how they are written, and how they are made cold.

mod cold;
mod make;
mod place;
mod source;

pub use cold::{Temperature, chill, resident_pages};
pub use make::{Pieces, Plan, reopen};
pub use place::Place;
pub use source::{Source, can_be_cold};
