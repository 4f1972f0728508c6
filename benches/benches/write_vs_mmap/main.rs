//! Writing a file by write(2) and through a mapping.
//!
//! The bytes come from the same buffer on both sides, in pieces of 64 KiB, by write(2) or by memcpy.
//! What differs most is not the copy but what the kernel does before the first store to a page:
//!
//! | the pages are | write(2) | a store through a mapping |
//! |---|---|---|
//! | not there yet (a new file) | allocates them | a fault for each page, which allocates it |
//! | there and clean | marks them dirty | a fault for each page, which marks it dirty: after each msync again |
//! | there and dirty | nothing more | nothing at all, if this mapping made them so |
//!
//! | room | what it is |
//! |---|---|
//! | `ways` | who writes, and how it is made durable |
//! | `contender` | a way at a file in a given state |
//!
//! Where the traps are dealt with: clean pages are made so before each round, dirty ones by a round
//! before; each contender has a file of its own, so that nobody cleans or dirties another's pages;
//! MAP_POPULATE, which dirties a shared mapping's pages, is inside of what is timed.

mod contender;
mod ways;

use std::process::ExitCode;

use benches::bench::{About, Case, stop};
use benches::floor::{self, Steady};
use benches::raw::Buffer;
use benches::settings::show_size;
use benches::{Bench, Watch};

use contender::{Contender, State};
use ways::{DURABLE, QUICKLY, Way};

const SIZES: [u64; 6] = [4 << 10, 64 << 10, 1 << 20, 16 << 20, 64 << 20, 256 << 20];
const QUICK: [u64; 2] = [64 << 10, 1 << 20];

fn main() -> ExitCode {
    let mut bench = match Bench::start("write_vs_mmap") {
        Ok(bench) => bench,
        Err(code) => return code,
    };
    let mut floor = floor::alone();
    let buffer = Buffer::new(contender::PIECE).unwrap_or_else(|error| stop(&error));
    // SAFETY: nobody else has it yet. Not all the same, so that what is written can be told.
    let bytes = unsafe { buffer.part(contender::PIECE) };
    bytes.iter_mut().enumerate().for_each(|(at, byte)| *byte = (at * 7 + at / 251) as u8);
    let in_memory = bench.place().is_memory();
    let file_system = bench.place().file_system().to_owned();
    for state in [State::New, State::Clean, State::Dirty] {
        if in_memory && state == State::Clean {
            let why = format!("{file_system} is memory: there is no disk to be the same as");
            bench.skip("write_vs_mmap, clean pages", why);
            continue;
        }
        group(&mut bench, &mut floor, &buffer, state, "until others see it", &QUICKLY);
        if in_memory {
            let why = format!("{file_system} is memory: fsync has nothing to do");
            bench.skip(format!("write_vs_mmap, {}, until it is on the disk", state.name()), why);
            continue;
        }
        group(&mut bench, &mut floor, &buffer, state, "until it is on the disk", &DURABLE);
    }
    bench.finish()
}

fn group(
    bench: &mut Bench,
    floor: &mut Steady,
    buffer: &Buffer,
    state: State,
    until: &str,
    ways: &[Way],
) {
    let name = format!("write_vs_mmap {}, {until}", state.name());
    for size in bench.sizes(&SIZES, &QUICK) {
        // A file for the case, and one for what it is compared with.
        if !bench.has_room(2 * size, &format!("{name}, {}", show_size(size))) {
            continue;
        }
        let place = bench.place().clone();
        let about = About {
            varies: "bytes in the file",
            reference: ways[0].name(),
            labels: vec![("pages", state.name().into()), ("until", until.into())],
            uses_files: true,
            long: size >= 64 << 20,
            counts_of: None,
        };
        let mut group = bench.group(&name, about, floor);
        let contender = |way| Contender::new(&place, buffer, size as usize, state, way);
        let mut reference = contender(ways[0]);
        let mut reference = |watch: &mut Watch, rounds| reference.rounds(watch, rounds);
        // A mapping of a file that is not there yet cannot be kept.
        for way in ways.iter().filter(|way| state != State::New || !way.keeps_a_mapping()) {
            let mut contender = contender(*way);
            let case = Case {
                function: way.name(),
                value: size.to_string(),
                bytes: size,
                ..Case::default()
            };
            group.case(&case, &mut |watch, rounds| contender.rounds(watch, rounds), &mut reference);
        }
        group.finish();
    }
}
