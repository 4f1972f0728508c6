//! The floor of a case that runs by itself: some arithmetic in the nearest cache, some system calls.

use std::hint::black_box;
use std::time::Instant;

use super::Steady;
use crate::sum;

/// Summed in one go: it stays in the first cache of any processor.
const BYTES: usize = 16 << 10;
/// Long enough for the clock, short beside any pair.
const GOES: usize = 16;
/// The shortest of so many counts: a tick of the timer or a neighbour's slice is not the floor.
const TRIES: usize = 5;

/// Nanoseconds for a sum of 16 KiB and a system call that does nothing, on this processor.
pub fn alone() -> Steady {
    let bytes = vec![1_u8; BYTES];
    let floor = move || {
        let once = || {
            let before = Instant::now();
            for _ in 0..GOES {
                black_box(sum::of(black_box(&bytes)));
                // glibc answers nothing from memory here; getpid(2) it did, once.
                black_box(nix::unistd::getppid());
            }
            before.elapsed().as_secs_f64() * 1e9 / GOES as f64
        };
        (0..TRIES).map(|_| once()).fold(f64::INFINITY, f64::min)
    };
    Steady::new("a sum of 16 KiB and a system call, on one processor", Box::new(floor))
}
