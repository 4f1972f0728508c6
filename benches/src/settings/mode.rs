//! Which of its modes criterion is in: it does not tell, so the same arguments are read again.

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `cargo bench`: the figures.
    Full,
    /// `cargo bench -- --quick`: figures in about a minute a bench, with less certainty.
    Quick,
    /// `cargo test --benches`, or `--test`: only whether it runs.
    Test,
    /// `--list`: the names.
    List,
    /// `--help`: criterion's, after our settings.
    Help,
}

/// Those of criterion's options that the next argument belongs to.
const WITH_A_VALUE: [&str; 19] = [
    "-b",
    "-c",
    "-s",
    "--baseline",
    "--baseline-lenient",
    "--color",
    "--confidence-level",
    "--format",
    "--load-baseline",
    "--measurement-time",
    "--noise-threshold",
    "--nresamples",
    "--output-format",
    "--plotting-backend",
    "--profile-time",
    "--sample-size",
    "--save-baseline",
    "--significance-level",
    "--warm-up-time",
];

impl Mode {
    /// That of this process.
    pub fn of_process() -> Mode {
        Mode::of(std::env::args().skip(1))
    }

    /// That of these arguments.
    pub fn of(arguments: impl IntoIterator<Item = String>) -> Mode {
        let arguments: Vec<String> = arguments.into_iter().collect();
        let told = |wanted: &[&str]| arguments.iter().any(|told| wanted.contains(&told.as_str()));
        if told(&["--help", "-h"]) {
            Mode::Help
        } else if told(&["--list"]) {
            Mode::List
        } else if told(&["--test"]) || !told(&["--bench"]) {
            // `cargo bench` says --bench, `cargo test --benches` does not.
            Mode::Test
        } else if told(&["--quick"]) {
            Mode::Quick
        } else {
            Mode::Full
        }
    }

    /// What names a part only: everything that is neither an option nor an option's value.
    pub fn filters(arguments: impl IntoIterator<Item = String>) -> Vec<String> {
        let mut filters = Vec::new();
        let mut arguments = arguments.into_iter();
        while let Some(told) = arguments.next() {
            if WITH_A_VALUE.contains(&told.as_str()) {
                arguments.next();
            } else if !told.starts_with('-') {
                filters.push(told);
            }
        }
        filters
    }

    /// Whether criterion writes down what it measures, so that we may: not if it was told to discard
    /// it, or to look at an old one again.
    pub fn keeps_results(arguments: impl IntoIterator<Item = String>) -> bool {
        let leaves = ["--discard-baseline", "--load-baseline"];
        !arguments.into_iter().any(|told| leaves.iter().any(|leave| told.starts_with(leave)))
    }

    /// Whether something is timed and written down.
    pub fn measures(self) -> bool {
        matches!(self, Mode::Full | Mode::Quick)
    }

    /// Whether cases are run at all.
    pub fn runs(self) -> bool {
        self.measures() || self == Mode::Test
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_criterion_reads_it() {
        let of = |arguments: &str| Mode::of(arguments.split_whitespace().map(str::to_owned));
        assert_eq!(of("--bench"), Mode::Full);
        assert_eq!(of("read --quick --bench"), Mode::Quick);
        assert_eq!(of("--test --bench"), Mode::Test);
        assert_eq!(of(""), Mode::Test);
        assert_eq!(of("--quick"), Mode::Test);
        assert_eq!(of("--list --bench"), Mode::List);
        assert_eq!(of("--bench --help"), Mode::Help);
        let filters =
            |arguments: &str| Mode::filters(arguments.split_whitespace().map(str::to_owned));
        assert_eq!(filters("--bench --quick --sample-size 50 fresh --color=never"), ["fresh"]);
        assert!(filters("--bench --warm-up-time 3 -b main").is_empty());
        let keeps = |argument: &str| Mode::keeps_results(["--bench".into(), argument.into()]);
        assert!(keeps("--quick") && keeps("--save-baseline"));
        assert!(!keeps("--discard-baseline") && !keeps("--load-baseline=base"));
    }
}
