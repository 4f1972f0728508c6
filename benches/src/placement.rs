//! Which processors a bench and its peer run on.

use ipc_common::{Error, Result};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// Two processors, if there are two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Processors {
    /// Where the bench runs.
    pub here: usize,
    /// Another one, and not merely another thread of the same core if that can be had.
    pub there: Option<usize>,
    /// Whether the two are threads of one core: what goes between them never leaves it.
    pub siblings: bool,
}

impl Processors {
    /// Of those that this process may run on.
    pub fn choose() -> Processors {
        let allowed = allowed();
        let here = allowed.first().copied().unwrap_or(0);
        let siblings = siblings(here);
        let mut others = allowed.iter().copied().filter(|other| *other != here);
        match others.clone().find(|other| !siblings.contains(other)) {
            Some(there) => Processors { here, there: Some(there), siblings: false },
            None => {
                let there = others.next();
                Processors { here, there, siblings: there.is_some() }
            }
        }
    }
}

/// Keeps this process on one processor.
///
/// # Errors
///
/// Those of sched_setaffinity(2): `EINVAL` for one that is not there, or not ours.
pub fn pin(processor: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(processor)
        .and_then(|()| sched_setaffinity(Pid::from_raw(0), &set))
        .map_err(|errno| Error::new("sched_setaffinity", errno, format!("processor {processor}")))
}

fn allowed() -> Vec<usize> {
    let Ok(set) = sched_getaffinity(Pid::from_raw(0)) else { return vec![0] };
    (0..CpuSet::count()).filter(|at| set.is_set(*at) == Ok(true)).collect()
}

/// The threads of the core that this one is a thread of: `0,64`, `2-3`.
fn siblings(processor: usize) -> Vec<usize> {
    let path = format!("/sys/devices/system/cpu/cpu{processor}/topology/thread_siblings_list");
    list(&std::fs::read_to_string(path).unwrap_or_default())
}

fn list(text: &str) -> Vec<usize> {
    let range = |part: &str| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        Some(from.parse::<usize>().ok()?..=to.parse().ok()?)
    };
    text.trim().split(',').filter_map(range).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_processors_is_read() {
        assert_eq!(list("0\n"), [0]);
        assert_eq!(list("0,64"), [0, 64]);
        assert_eq!(list("2-4,9"), [2, 3, 4, 9]);
        assert!(list("").is_empty());
    }

    #[test]
    fn here_is_allowed_and_there_is_another() {
        let chosen = Processors::choose();
        assert!(allowed().contains(&chosen.here));
        assert_ne!(chosen.there, Some(chosen.here));
        assert_eq!(chosen.there.is_some(), allowed().len() > 1);
    }
}
