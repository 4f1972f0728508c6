//! How many segments and semaphores this system allows, and how many there are: `ipcs -lm -ls -u`.

use std::fs;

use ipc_common::{Errno, Error, PageSize, Result};

use super::list;

/// The limits of System V shared memory, and what is in use of them. All per IPC namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// SHMMNI: how many segments there can be (`kernel.shmmni`).
    pub most_segments: u64,
    /// SHMMAX: the size of the largest segment in bytes (`kernel.shmmax`).
    pub largest_segment: u64,
    /// SHMMIN: the size of the smallest segment in bytes. 1, built into the kernel.
    pub smallest_segment: u64,
    /// SHMALL: how many pages all segments together can have (`kernel.shmall`).
    pub most_pages: u64,
    /// How many segments there are.
    pub segments: u64,
    /// How many pages all segments have together, touched or not.
    pub pages: u64,
    /// The limits of semaphores.
    pub semaphores: SemaphoreLimits,
}

/// The limits of System V semaphores, and what is in use of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SemaphoreLimits {
    /// SEMMSL: how many semaphores a set can have (`kernel.sem`, first number).
    pub most_in_a_set: u64,
    /// SEMMNS: how many semaphores there can be in all sets (second number).
    pub most: u64,
    /// SEMOPM: how many operations one semop can do (third number).
    pub most_operations: u64,
    /// SEMMNI: how many sets there can be (fourth number).
    pub most_sets: u64,
    /// SEMVMX: the largest value. 32767, built into the kernel.
    pub largest_value: u64,
    /// How many sets there are.
    pub sets: u64,
    /// How many semaphores there are in all sets.
    pub semaphores: u64,
}

/// The limits, and what is in use, now.
///
/// # Errors
///
/// `ENOENT` if the kernel has no System V IPC, or `/proc` is not mounted.
pub fn limits() -> Result<Limits> {
    let segments = list()?;
    let page = PageSize::system();
    let pages_of = |size| page.round_up(size).unwrap_or(usize::MAX) / page.bytes();
    Ok(Limits {
        most_segments: number("/proc/sys/kernel/shmmni")?,
        largest_segment: number("/proc/sys/kernel/shmmax")?,
        smallest_segment: 1,
        most_pages: number("/proc/sys/kernel/shmall")?,
        segments: segments.len() as u64,
        pages: segments.iter().map(|segment| pages_of(segment.size) as u64).sum(),
        semaphores: semaphore_limits()?,
    })
}

fn semaphore_limits() -> Result<SemaphoreLimits> {
    const LIMITS: &str = "/proc/sys/kernel/sem";
    let [most_in_a_set, most, most_operations, most_sets] =
        numbers(&read(LIMITS)?).try_into().map_err(|_| unexpected(LIMITS))?;
    // `key semid perms nsems …` (proc_sysvipc(5))
    let table = read("/proc/sysvipc/sem")?;
    let sizes: Vec<u64> = table
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().nth(3)?.parse().ok())
        .collect();
    Ok(SemaphoreLimits {
        most_in_a_set,
        most,
        most_operations,
        most_sets,
        largest_value: 32767,
        sets: sizes.len() as u64,
        semaphores: sizes.iter().sum(),
    })
}

fn number(path: &str) -> Result<u64> {
    match numbers(&read(path)?)[..] {
        [number] => Ok(number),
        _ => Err(unexpected(path)),
    }
}

fn numbers(text: &str) -> Vec<u64> {
    text.split_whitespace().map_while(|word| word.parse().ok()).collect()
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(path).map_err(|error| {
        Error::from_io("open", &error, path)
            .with_remedy("this kernel was built without System V IPC, or /proc is not mounted")
    })
}

fn unexpected(path: &str) -> Error {
    Error::refused("limits", Errno::EIO, path).with_remedy(
        "the file does not hold the numbers that proc(5) describes; compare with `ipcs -l`",
    )
}
