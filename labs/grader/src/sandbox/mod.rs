//! Running programs that nobody trusts.
//!
//! Each is kept by a process of ours, its keeper, which starts it, tells how it ended, and ends all
//! that came of it. How much stands around them is the [`Mode`]:
//!
//! | mode | when | how everything dies | System V clean-up |
//! |---|---|---|---|
//! | full | namespaces are allowed | PID 1 exits | the IPC namespace dies |
//! | run-uid | root, without namespaces (containers) | `kill(-1)` as the run's user | by owner |
//! | landlock | a user, without namespaces | `kill(-1)` in a signal-scoped domain | what came meanwhile |
//! | tree | nothing else | a walk through /proc; can be outrun | what came meanwhile |
//!
//! In all of them: Landlock and seccomp as far as the kernel has them, resource limits, no
//! descriptor but three pipes, an empty environment.
//!
//! # Layout
//!
//! `mode` names and order; `launch` what to start; `process` a handle on it; `keeper` the process
//! in between; `program` the last steps before exec(2); `fence` Landlock; `denied` seccomp;
//! `limits` resource limits; `namespace` user, process and other namespaces; `root` a file system with nothing in it but what is needed; `sweep`
//! and `files` end and remove what is left; `floods` watches memory and disk; `identity` whose the programs
//! are; `sys` the calls that Rust cannot check.

mod denied;
mod ended;
pub(crate) mod fence;
pub(crate) mod files;
pub(crate) mod floods;
mod identity;
mod keeper;
mod launch;
mod limits;
mod mode;
pub(crate) mod namespace;
mod process;
mod program;
pub(crate) mod root;
pub(crate) mod sweep;
pub(crate) mod sys;

pub use ended::Ended;
pub use identity::Identity;
pub use launch::Launch;
pub use limits::Limits;
pub use mode::Mode;
pub use process::Process;
