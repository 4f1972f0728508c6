//! What the first touch of a page costs, by the kind of memory; and what it costs to be told of one.
//!
//! | room | question |
//! |---|---|
//! | `touch` | the first touch of anonymous memory, huge pages, files, private copies, segments |
//! | `memory` | these kinds of memory, untouched |
//! | `around` | one fault brings sixteen pages of a file: how far does it reach? |
//! | `closed` | mprotect, and a store that it forbids: SIGSEGV, mended by a handler |
//!
//! A handler that mends, returns errors and looks up ranges is measured further in the bench
//! `faults`, against C.
//!
//! Where the traps are dealt with: each round has fresh memory, made and given back outside of what
//! is timed, so that no round finds another's pages; the counts tell how many faults there were; a
//! neighbour that could be merged with the pages under mprotect is a case of its own in `closed`.

mod around;
mod closed;
mod memory;
mod touch;

use std::process::ExitCode;

use benches::{Bench, floor};

fn main() -> ExitCode {
    let mut bench = match Bench::start("page_faults") {
        Ok(bench) => bench,
        Err(code) => return code,
    };
    let mut floor = floor::alone();
    touch::bench(&mut bench, &mut floor);
    around::bench(&mut bench, &mut floor);
    closed::bench(&mut bench, &mut floor);
    bench.finish()
}
