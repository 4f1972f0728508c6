//! What the kernel shows, from outside: nothing in here asks a student's program.
//!
//! [`segment`]: System V shared memory, by key; [`semaphores`]: System V semaphores, by key;
//! [`census`]: all System V objects there are; [`file`](mod@file): files, by `pread` and never mapped;
//! [`process`]: /proc/PID.

pub mod census;
pub mod file;
pub mod process;
pub mod segment;
pub mod semaphores;
mod sys;
