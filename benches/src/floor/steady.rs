//! Again, if the floor moved.

/// Measures the floor: nanoseconds.
pub type Floor = Box<dyn FnMut() -> f64>;

/// So much may the floor differ before and after a pair.
pub const LIMIT: f64 = 1.3;
/// So often is a pair measured at most: on a machine that never rests, the figures are taken all
/// the same, and it is said that they are unsettled.
const ATTEMPTS: u32 = 4;

/// Measures pairs between two looks at the floor.
pub struct Steady {
    is: &'static str,
    floor: Floor,
    /// The look after the last pair: the one before the next, if that follows at once.
    last: Option<f64>,
}

/// What was measured, and the floor around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Around<T> {
    /// The measurement.
    pub value: T,
    /// The floor before and after, in nanoseconds.
    pub floor: [f64; 2],
    /// How often it had to be measured again.
    pub again: u32,
}

impl<T> Around<T> {
    /// By how much the floor moved, up or down: 1 is not at all.
    pub fn moved(&self) -> f64 {
        let [before, after] = self.floor;
        before.max(after) / before.min(after)
    }

    /// Whether it moved no more than it may.
    pub fn is_settled(&self) -> bool {
        self.moved() <= LIMIT
    }
}

impl Steady {
    /// With this floor, and what it is in words.
    pub fn new(is: &'static str, floor: Floor) -> Steady {
        Steady { is, floor, last: None }
    }

    /// What the floor is.
    pub fn is(&self) -> &'static str {
        self.is
    }

    /// Something else has happened since the last pair: look at the floor anew.
    pub fn forget(&mut self) {
        self.last = None;
    }

    /// Measures until the floor before and after is the same, give or take [`LIMIT`], or until
    /// patience ends. Then the attempt is taken whose floor moved least.
    pub fn around<T>(&mut self, mut measure: impl FnMut() -> T) -> Around<T> {
        let mut best: Option<Around<T>> = None;
        for again in 0..ATTEMPTS {
            let before = self.last.take().unwrap_or_else(&mut self.floor);
            let value = measure();
            let after = (self.floor)();
            self.last = Some(after);
            let this = Around { value, floor: [before, after], again };
            if this.is_settled() {
                return this;
            }
            if best.as_ref().is_none_or(|best| this.moved() < best.moved()) {
                best = Some(this);
            }
        }
        let best = best.expect("there is at least one attempt");
        Around { again: ATTEMPTS - 1, ..best }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A floor that takes these values in turn.
    fn steady<const N: usize>(values: [f64; N]) -> Steady {
        let mut values = values.into_iter();
        Steady::new(
            "numbers",
            Box::new(move || values.next().expect("no more looks than expected")),
        )
    }

    #[test]
    fn a_floor_that_stays_is_looked_at_once_between_two_pairs() {
        let mut steady = steady([100.0, 110.0, 120.0, 90.0, 91.0]);
        assert_eq!(steady.around(|| 'a'), Around { value: 'a', floor: [100.0, 110.0], again: 0 });
        assert_eq!(steady.around(|| 'b'), Around { value: 'b', floor: [110.0, 120.0], again: 0 });
        steady.forget();
        assert_eq!(steady.around(|| 'c'), Around { value: 'c', floor: [90.0, 91.0], again: 0 });
    }

    #[test]
    fn a_pair_whose_floor_moved_is_measured_again() {
        // Up by more than the limit; down again by more; then it stays.
        let mut steady = steady([129.0, 590.0, 130.0, 131.0]);
        let mut measured = 0..;
        let around = steady.around(|| measured.next());
        assert_eq!(around, Around { value: Some(2), floor: [130.0, 131.0], again: 2 });
    }

    #[test]
    fn exactly_the_limit_is_allowed() {
        assert!(steady([100.0, 130.0]).around(|| ()).is_settled());
        assert!(steady([130.0, 100.0]).around(|| ()).is_settled());
    }

    #[test]
    fn a_machine_that_never_rests_ends_the_attempts_and_says_so() {
        let mut steady = steady([100.0, 300.0, 100.0, 150.0, 500.0]);
        let mut measured = 0..;
        let around = steady.around(|| measured.next());
        assert_eq!(around, Around { value: Some(2), floor: [100.0, 150.0], again: 3 });
        assert!(!around.is_settled());
    }
}
