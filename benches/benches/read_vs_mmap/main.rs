//! Reading a file by read(2) and through a mapping: is it right that mmap "eliminates intermediary
//! buffering" and "significantly improves performance"?
//!
//! Both sides begin with an open descriptor and end with the sum of the bytes, by the same loop. What
//! a side needs in between is its own: the calls, the copy, the mapping, its faults, the unmapping.
//!
//! | room | question |
//! |---|---|
//! | `one_pass` | the whole file once, in memory already: who wins at which size, and does it matter how the file was written? |
//! | `many_passes` | how often must a mapping be used to be worth its faults? |
//! | `random` | 64 bytes here, 4 KiB there |
//! | `cold` | the file is not in memory |
//! | `ways` | the contenders for whole passes |
//! | `picks` | the contenders for random pieces |
//!
//! Where the traps are dealt with: a buffer's first touch and its place, `benches::raw::Buffer`; a
//! map that is faulted in already, `ways::Way::Reused` and no other; a page cache that is warm or
//! cold by accident, and readahead's memory, `benches::files`; large folios, one group for each way
//! of writing; MAP_POPULATE, inside of what is timed; a summing loop that differs, `benches::sum`.

mod cold;
mod many_passes;
mod one_pass;
mod picks;
mod random;
mod ways;

use std::process::ExitCode;

use benches::Bench;
use benches::bench::stop;
use benches::floor;
use benches::raw::Buffer;

/// All that are measured, from small to large: what a first cache holds, and what none does.
const SIZES: [u64; 8] =
    [64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20, 256 << 20, 1 << 30];
/// Three in a minute: small, middle, larger than the caches.
const QUICK: [u64; 3] = [64 << 10, 1 << 20, 64 << 20];

/// Whether to read it takes a good part of a second.
fn is_long(size: u64) -> bool {
    size >= 256 << 20
}

fn main() -> ExitCode {
    let mut bench = match Bench::start("read_vs_mmap") {
        Ok(bench) => bench,
        Err(code) => return code,
    };
    let mut floor = floor::alone();
    let buffer = Buffer::new(ways::LARGEST_BUFFER).unwrap_or_else(|error| stop(&error));
    one_pass::bench(&mut bench, &mut floor, &buffer);
    many_passes::bench(&mut bench, &mut floor, &buffer);
    random::bench(&mut bench, &mut floor, &buffer);
    cold::bench(&mut bench, &mut floor, &buffer);
    bench.finish()
}
