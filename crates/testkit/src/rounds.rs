//! Rounds of a case that depends on luck: two processes have to meet.

use crate::Peer;

/// How many times as many rounds as were meant a case does at most until it has seen what it is
/// about. So that a case that never sees it ends, and says so, before the watchdog says less.
const PATIENCE: usize = 30;

/// As many rounds as [`crate::soak`] says, and more until enough has been seen.
///
/// On a busy machine the other process may hardly run; a case that then fails for want of
/// meetings tells about the machine, and one that does not ask for any proves nothing.
///
/// ```
/// let (mut heads, mut tails) = (0, 0);
/// let mut rounds = testkit::rounds(3, 1_000);
/// while let Some(_round) = rounds.next(heads > 0 && tails > 0) {
///     *if testkit::random_u64() % 2 == 0 { &mut heads } else { &mut tails } += 1;
/// }
/// assert!(heads > 0 && tails > 0);
/// ```
pub struct Rounds<'a> {
    peer: Option<(&'a Peer, u64)>,
    wanted: usize,
    done: usize,
}

/// Rounds without a [`Peer`]: the case has its own.
pub fn rounds(small: usize, full: usize) -> Rounds<'static> {
    Rounds { peer: None, wanted: crate::soak(small, full), done: 0 }
}

impl Peer {
    /// As [`Peer::soak`], and more until enough has been seen.
    pub fn rounds_until(&self, small: usize, full: usize) -> Rounds<'_> {
        Rounds { peer: Some((self, self.rounds())), wanted: crate::soak(small, full), done: 0 }
    }
}

impl Rounds<'_> {
    /// The number of the next round, from 0, if there is one. What `enough` stands for has to be
    /// asserted after the last one: patience has an end.
    pub fn next(&mut self, enough: bool) -> Option<usize> {
        let slow = self.peer.is_some_and(|(peer, begun)| peer.is_slow_since(begun));
        let luckless = !enough && self.done < self.wanted * PATIENCE;
        let round = self.done;
        (round < self.wanted || slow || luckless).then(|| {
            self.done += 1;
            round
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_go_on_until_enough_was_seen_and_have_an_end() {
        let count = |enough_after: usize| {
            let mut rounds = rounds(3, 3);
            let mut seen = 0;
            while let Some(round) = rounds.next(seen >= enough_after) {
                assert_eq!(round, seen);
                seen += 1;
            }
            seen
        };
        assert_eq!((count(0), count(2)), (3, 3), "never fewer than were meant");
        assert_eq!(count(7), 7, "more, while there is something to wait for");
        assert_eq!(count(usize::MAX), 3 * PATIENCE, "and an end, if it never comes");
    }
}
