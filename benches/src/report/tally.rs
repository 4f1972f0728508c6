//! How many cells say what, and what they say together.

use super::cell::Cell;
use super::rule::{NEARLY_ALL, Outcome};

/// How many cells say what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Faster than the reference.
    pub faster: usize,
    /// Slower.
    pub slower: usize,
    /// No difference.
    pub same: usize,
    /// The spread reaches over the margin.
    pub unsure: usize,
    /// Not counted.
    pub not_counted: usize,
}

/// "Significantly improves performance": is that so?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speed {
    /// Nearly all decided cells are faster.
    Right,
    /// Nearly all are slower.
    Wrong,
    /// Nearly all show no difference.
    NoDifference,
    /// None of these.
    Depends,
    /// Fewer than half of the cells can be decided.
    TooNoisy,
    /// There is nothing to judge by.
    NoResults,
}

impl Tally {
    /// Of these cells.
    pub fn of<'a>(cells: impl IntoIterator<Item = &'a Cell>) -> Tally {
        let mut tally = Tally::default();
        for cell in cells {
            *match cell.outcome() {
                Some(Outcome::Faster) => &mut tally.faster,
                Some(Outcome::Slower) => &mut tally.slower,
                Some(Outcome::Same) => &mut tally.same,
                Some(Outcome::Unsure) => &mut tally.unsure,
                None => &mut tally.not_counted,
            } += 1;
        }
        tally
    }

    /// Those that say something.
    pub fn decided(&self) -> usize {
        self.faster + self.slower + self.same
    }

    /// All.
    pub fn cells(&self) -> usize {
        self.decided() + self.unsure + self.not_counted
    }

    /// What they say together.
    pub fn speed(&self) -> Speed {
        let decided = self.decided();
        let nearly_all = |some: usize| some as f64 >= decided as f64 * NEARLY_ALL;
        match self {
            _ if self.cells() == 0 => Speed::NoResults,
            _ if decided * 2 < self.cells() => Speed::TooNoisy,
            Tally { faster, .. } if nearly_all(*faster) => Speed::Right,
            Tally { slower, .. } if nearly_all(*slower) => Speed::Wrong,
            Tally { same, .. } if nearly_all(*same) => Speed::NoDifference,
            _ => Speed::Depends,
        }
    }
}

/// `faster in 12 of 40 cells, slower in 20, no difference in 3, undecided in 4, and 1 are not counted`
impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Tally { faster, slower, same, unsure, not_counted } = self;
        write!(f, "faster in {faster} of {} cells, slower in {slower}, ", self.cells())?;
        write!(
            f,
            "no difference in {same}, undecided in {unsure}, and {not_counted} are not counted"
        )
    }
}

impl Speed {
    /// In one line, of the sentence "significantly improves performance".
    pub fn headline(self) -> &'static str {
        match self {
            Speed::Right => "Right, on this machine.",
            Speed::Wrong => "Wrong, on this machine: it is slower.",
            Speed::NoDifference => "Wrong, on this machine: it makes no difference.",
            Speed::Depends => "It depends.",
            Speed::TooNoisy => "Not to be told from these figures: too few are certain.",
            Speed::NoResults => "Not measured.",
        }
    }
}
