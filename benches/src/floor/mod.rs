//! The floor: work that only the machine can make slower, measured around each pair.
//!
//! A virtual processor is moved to a busier core, its clock drops, a neighbour takes the cache: the
//! pair that was measured meanwhile compares two machines. Two cache lines bouncing between two
//! processors were once seen to take 129 ns, and 590 ns a moment later. So the floor is measured
//! before and after; if it moved by more than [`LIMIT`], the pair is measured again.

mod alone;
mod bounce;
mod steady;

pub use alone::alone;
pub use bounce::{Lines, bounce, wait_for};
pub use steady::{Around, Floor, LIMIT, Steady};
