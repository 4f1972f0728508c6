//! Running programs that nobody trusts.

mod ended;
mod identity;
mod plain;
mod sys;

pub use ended::Ended;
pub use identity::Identity;
pub use plain::Process;
