//! What the machine says, a line each.

use std::time::Duration;

use ipc_common::{Errno, Error, Result};

use crate::power_cut::action::WRITTEN;
use crate::power_cut::pattern::Outcome;
use crate::power_cut::trial::{Task, Trial};

/// The disk is mounted: now there has to be one.
pub(super) const MOUNTED: &str = "mounted";

/// `found old new 83000 8192 1 1`, or `failed 5 mount: …`. No `kernel_flushes` is a `-`.
pub(super) fn of(result: &Result<Trial>) -> String {
    match result {
        Ok(trial) => {
            let [first, second] = trial.pages.map(|(_, found)| found.to_word());
            let nanos = trial.took.as_nanos();
            let kernel = trial.kernel_flushes.map_or("-".to_owned(), |count| count.to_string());
            let (sent, flushes) = (trial.sent, trial.flushes);
            format!("found {first} {second} {nanos} {sent} {flushes} {kernel}")
        }
        // On one line, whatever it is about.
        Err(error) => format!("failed {} {error}", error.errno() as i32),
    }
}

/// What was meant, `None` if nobody can mean that.
pub(super) fn parse(line: &str, task: &Task) -> Option<Result<Trial>> {
    if let Some(failure) = line.strip_prefix("failed ") {
        let (errno, what) = failure.split_once(' ')?;
        let errno = Errno::from_raw(errno.parse().ok()?);
        let error = Error::refused("power_cut", errno, "a trial").with_remedy(what.to_owned());
        return Some(Err(error));
    }
    let mut words = line.strip_prefix("found ")?.split(' ');
    let pages = [Outcome::of_word(words.next()?)?, Outcome::of_word(words.next()?)?];
    let took = Duration::from_nanos(words.next()?.parse().ok()?);
    let (sent, flushes) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let kernel_flushes = match words.next()? {
        "-" => None,
        count => Some(count.parse().ok()?),
    };
    Some(Ok(Trial {
        action: task.action,
        barriers: task.barriers,
        pages: [(WRITTEN[0], pages[0]), (WRITTEN[1], pages[1])],
        took,
        sent,
        flushes,
        kernel_flushes,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::power_cut::action::{Action, Barriers};

    fn task() -> Task {
        Task { action: Action::Fsync, barriers: Barriers::Off, name: "disk".into() }
    }

    #[test]
    fn what_was_found_arrives_as_it_was_sent() {
        for kernel_flushes in [None, Some(7)] {
            for found in [Outcome::Old, Outcome::New, Outcome::Torn { new: 3 }, Outcome::Foreign] {
                let trial = Trial {
                    action: Action::Fsync,
                    barriers: Barriers::Off,
                    pages: [(2, found), (5, Outcome::Old)],
                    took: Duration::from_nanos(12_345),
                    sent: 20_480,
                    flushes: 2,
                    kernel_flushes,
                };
                let there = parse(&of(&Ok(trial.clone())), &task()).unwrap().unwrap();
                assert_eq!(format!("{there:?}"), format!("{trial:?}"));
            }
        }
    }

    #[test]
    fn an_error_keeps_its_errno_and_its_words() {
        let error = Error::new("mount", Errno::ENODEV, "ext4 on /mnt");
        let there = parse(&of(&Err(error.clone())), &task()).unwrap().unwrap_err();
        assert_eq!(there.errno(), Errno::ENODEV);
        assert!(there.to_string().contains(&error.to_string()), "{there}");
    }

    #[test]
    fn anything_else_is_no_message() {
        for line in ["", "found", "found old new", "found old new 1 2 3", "failed", "failed x y"] {
            assert!(parse(line, &task()).is_none(), "{line}");
        }
    }
}
