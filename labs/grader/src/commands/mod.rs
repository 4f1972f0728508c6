//! A file a command: arguments in, the library called, the result printed.

pub mod attempt;
pub mod check;
pub mod verify;
