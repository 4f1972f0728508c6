//! The rule: when a cell counts, and when it is a win. The page prints it ([`in_words`]), and the
//! verdict knows nothing else.

use crate::floor;
use crate::results::Record;
use crate::turns::Spread;

/// Less than a tenth is not "significant".
pub const MARGIN: f64 = 1.1;
/// Of fewer pairs nobody can say how far they are to be believed.
pub const LEAST_PAIRS: usize = 3;
/// At most such a share of the pairs may be those whose floor never came to rest.
pub const MOST_UNSETTLED: f64 = 0.25;
/// In at most such a share of the pairs may somebody else have had the processor, if it shows.
pub const MOST_INTERRUPTED: f64 = 0.5;
/// It shows if the middle half of the ratios is wider than this.
pub const WIDE: f64 = 1.2;
/// So large a share of the decided cells carries a verdict by itself.
pub const NEARLY_ALL: f64 = 0.9;

/// What a cell says about its contender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Faster than the reference by more than the margin.
    Faster,
    /// Slower by more than the margin.
    Slower,
    /// Neither: all within the margin.
    Same,
    /// The spread reaches over the margin.
    Unsure,
}

impl Outcome {
    /// Of time over the reference's time.
    pub fn of(ratio: &Spread) -> Outcome {
        let Spread { lower, upper, .. } = *ratio;
        if upper < 1.0 / MARGIN {
            Outcome::Faster
        } else if lower > MARGIN {
            Outcome::Slower
        } else if lower >= 1.0 / MARGIN && upper <= MARGIN {
            Outcome::Same
        } else {
            Outcome::Unsure
        }
    }

    /// A sign that needs no colour.
    pub fn sign(self) -> &'static str {
        match self {
            Outcome::Faster => "▲",
            Outcome::Slower => "▽",
            Outcome::Same => "≈",
            Outcome::Unsure => "?",
        }
    }
}

/// Why a cell is shown, and not counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// So many pairs only.
    FewPairs(usize),
    /// The floor kept moving around so many of so many pairs.
    Unsettled(u32, usize),
    /// The floor around the pairs was here so high and there so high, in nanoseconds: the machine was
    /// in two states, and the case is of both.
    TwoStates(u64, u64),
    /// Somebody else had the processor in so many of so many pairs, and the ratios are far apart.
    Interrupted(u32, usize),
    /// It belongs to a run before the bench's last one.
    Earlier,
}

impl Doubt {
    /// Of what the record says by itself.
    pub fn of(record: &Record) -> Option<Doubt> {
        let measured = &record.measured;
        let share = |of: u32| f64::from(of) / measured.pairs as f64;
        // Of two processes on one processor, each takes it from the other by design.
        let by_design =
            record.work.labels.get("processors").is_some_and(|which| which == "one core");
        if measured.pairs < LEAST_PAIRS {
            Some(Doubt::FewPairs(measured.pairs))
        } else if share(measured.unsettled) > MOST_UNSETTLED {
            Some(Doubt::Unsettled(measured.unsettled, measured.pairs))
        } else if measured.floor.upper / measured.floor.lower > floor::LIMIT {
            let [low, high] = [measured.floor.lower, measured.floor.upper];
            Some(Doubt::TwoStates(low.round() as u64, high.round() as u64))
        } else if !by_design
            && share(measured.interrupted) > MOST_INTERRUPTED
            && measured.ratio.upper / measured.ratio.lower > WIDE
        {
            Some(Doubt::Interrupted(measured.interrupted, measured.pairs))
        } else {
            None
        }
    }
}

/// For a table's cell.
impl std::fmt::Display for Doubt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Doubt::FewPairs(pairs) => write!(f, "only {pairs} pairs"),
            Doubt::Unsettled(some, of) => write!(f, "the floor moved around {some} of {of} pairs"),
            Doubt::TwoStates(low, high) => {
                write!(f, "the floor was {low} ns at one time and {high} ns at another")
            }
            Doubt::Interrupted(some, of) => {
                write!(f, "somebody else had the processor in {some} of {of} pairs")
            }
            Doubt::Earlier => f.write_str("of an earlier run"),
        }
    }
}

/// In short: what stands beside the verdict.
pub fn in_short() -> String {
    format!(
        "A cell is a win if the whole middle half of its pairs is more than {MARGIN} times as fast, a \
         loss if it is more than {MARGIN} times as slow."
    )
}

/// All of it, a sentence each.
pub fn in_words() -> Vec<String> {
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    let limit = floor::LIMIT;
    vec![
        "A figure is the time over that of what it is compared with, measured in turns, pair by pair: \
         the median, and in brackets the middle half of all pairs."
            .into(),
        format!(
            "A cell counts as faster if that whole middle half is more than {MARGIN} times as fast, \
             as slower if all of it is more than {MARGIN} times as slow, and as no difference if all \
             of it lies between. Anything else is undecided."
        ),
        format!(
            "A cell is not counted (✕) if it has fewer than {LEAST_PAIRS} pairs; if the floor moved \
             by more than {limit} around more than {} of its pairs, each time; if it moved between \
             the pairs, so that the middle half of all looks at it is wider than a factor of {limit}; \
             if somebody else had the processor in more than {} of its pairs and it \
             shows, the middle half of the ratios being wider than a factor of {WIDE}; or if it \
             belongs to an earlier run than the bench's last.",
            percent(MOST_UNSETTLED),
            percent(MOST_INTERRUPTED),
        ),
        format!(
            "If fewer than half of the cells can be decided, nothing is said. If at least {} of the \
             decided ones are faster, the sentence is right; if as many are slower, wrong; if as many \
             show no difference, that is the verdict. In every other case it depends.",
            percent(NEARLY_ALL)
        ),
    ]
}

/// The rule for the other sentence, which no time decides.
pub fn of_buffering() -> &'static str {
    "No time decides it, but what was counted in one round of each cell. If no system call copies the \
     file's bytes (read, write and their like) in any cell, the copy has gone: this is half of the \
     sentence. The other half is that nothing is paid instead: one page fault in any cell, and it is \
     only half of it. If the calls of any cell were not counted, or copy, nothing is said."
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(lower: f64, upper: f64) -> Outcome {
        Outcome::of(&Spread { min: 0.01, lower, median: lower, upper, max: 100.0 })
    }

    #[test]
    fn the_whole_middle_half_has_to_be_on_one_side() {
        assert_eq!(outcome(0.5, 0.9), Outcome::Faster);
        assert_eq!(outcome(0.5, 0.91), Outcome::Unsure);
        assert_eq!(outcome(1.11, 9.0), Outcome::Slower);
        assert_eq!(outcome(1.09, 9.0), Outcome::Unsure);
        assert_eq!(outcome(0.92, 1.09), Outcome::Same);
        assert_eq!(outcome(0.5, 2.0), Outcome::Unsure);
    }
}
