//! What loom has to say about the orders of loads and stores that no test on a processor can show
//! to be right. The protocols below are the shipped source, by their paths.
//!
//! In a process apart from the other unit tests: loom's coroutines catch SIGSEGV to tell when
//! their stacks overflow, and their handler does not pass on what it does not know.

#[path = "../../src/mapped/protocol.rs"]
mod mapped_protocol;
#[path = "../../src/mapped/zeros.rs"]
mod mapped_zeros;
#[path = "../../src/table/protocol.rs"]
mod protocol;
#[path = "../../src/uses/snapshot/protocol.rs"]
mod snapshot_protocol;
#[path = "../../src/uses/written/protocol.rs"]
mod written_protocol;

mod mapped;
mod snapshot;
mod table;
mod written;
mod zeros;
