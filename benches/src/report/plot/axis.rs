//! A logarithmic axis, and where to write on it.

/// From the least to the greatest figure, with some air.
#[derive(Clone, Copy, Debug)]
pub struct Log {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Log {
    /// All figures have a place between `from` and `to`, which are places in the drawing.
    pub fn new(figures: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Log {
        let sound = figures.into_iter().filter(|figure| figure.is_finite() && *figure > 0.0);
        let (low, high) = sound.fold((f64::INFINITY, 0.0_f64), |(low, high), figure| {
            (low.min(figure), high.max(figure))
        });
        let (low, high) = if low <= high { (low, high) } else { (0.5, 2.0) };
        Log { low: (low / 1.12).ln(), high: (high * 1.12).ln(), from, to }
    }

    /// Where a figure is.
    pub fn place(&self, figure: f64) -> f64 {
        let share = (figure.ln() - self.low) / (self.high - self.low);
        self.from + share * (self.to - self.from)
    }

    /// Round figures with their places: 1, 2, 5, 10, … as far as they are `apart` in the drawing,
    /// or powers of ten, or of a thousand. Those below 1 as well: 1/2, 1/5, …
    pub fn ticks(&self, apart: f64) -> Vec<(f64, f64)> {
        let decades =
            [(&[1.0, 2.0, 5.0][..], 1), (&[1.0, 3.0], 1), (&[1.0], 1), (&[1.0], 2), (&[1.0], 3)];
        for (digits, step) in decades {
            let power = |exponent: i32| 10_f64.powi(exponent * step);
            let above = (0..=18)
                .flat_map(|exponent| digits.iter().map(move |digit| digit * power(exponent)));
            let mut all: Vec<f64> = above.flat_map(|figure| [figure, 1.0 / figure]).collect();
            all.sort_by(f64::total_cmp);
            all.dedup();
            let seen = |figure: &f64| (self.low..=self.high).contains(&figure.ln());
            let ticks: Vec<_> =
                all.into_iter().filter(seen).map(|figure| (figure, self.place(figure))).collect();
            if ticks.windows(2).all(|two| (two[0].1 - two[1].1).abs() >= apart) {
                return ticks;
            }
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_not_too_close() {
        let figures =
            |ticks: Vec<(f64, f64)>| ticks.into_iter().map(|tick| tick.0).collect::<Vec<_>>();
        let ticks = Log::new([0.5, 4.0], 300.0, 0.0).ticks(18.0);
        assert_eq!(figures(ticks), [0.5, 1.0, 2.0]);
        let ticks = Log::new([1e-6, 1e12], 300.0, 0.0).ticks(18.0);
        assert!(ticks.len() > 5 && ticks.len() < 20, "{ticks:?}");
        assert!(!Log::new([1.0, 1.0], 0.0, 100.0).place(1.0).is_nan());
        assert!(!Log::new([], 0.0, 100.0).place(1.0).is_nan());
    }
}
