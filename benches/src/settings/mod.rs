//! What can be set from outside: by the environment, because the command line is criterion's.

mod help;
mod mode;
mod size;

pub use help::text as help;
pub use mode::Mode;
pub use size::{parse_size, show_roughly, show_size};

use std::path::PathBuf;

/// All of them start so; one that is none of ours is a mistake, and is told.
const PREFIX: &str = "BENCH_";

/// What the environment says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `BENCH_DIR`: where files are made.
    pub folder: Option<PathBuf>,
    /// `BENCH_SIZES`: these sizes instead of a bench's own, from small to large.
    pub sizes: Option<Vec<u64>>,
    /// `BENCH_MAX`: no size above this.
    pub max: Option<u64>,
    /// `BENCH_QUICK`: as if `--quick` had been said.
    pub quick: bool,
}

impl Settings {
    /// Those of this process.
    ///
    /// # Errors
    ///
    /// A sentence that names the variable, what is wrong, and what would be right.
    pub fn from_environment() -> Result<Settings, String> {
        let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        Settings::parse(std::env::vars_os().map(|(name, value)| (lossy(name), lossy(value))))
    }

    /// The same for any variables.
    ///
    /// # Errors
    ///
    /// As for [`Settings::from_environment`].
    pub fn parse(
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Settings, String> {
        let mut settings = Settings::default();
        for (name, value) in variables {
            let Some(which) = name.strip_prefix(PREFIX) else { continue };
            let wrong = |why: String| format!("{name}={value}: {why}");
            match which {
                // Empty counts as not set, so that a script can unset one.
                "DIR" | "SIZES" | "MAX" | "QUICK" if value.is_empty() => {}
                "DIR" => settings.folder = Some(PathBuf::from(&value)),
                "SIZES" => settings.sizes = Some(sizes(&value).map_err(wrong)?),
                "MAX" => settings.max = Some(parse_size(&value).map_err(wrong)?),
                "QUICK" => {
                    settings.quick = match value.as_str() {
                        "0" => false,
                        "1" => true,
                        _ => return Err(wrong("it is 1 or 0".into())),
                    };
                }
                _ => {
                    return Err(wrong(
                        "there is no such setting; there are BENCH_DIR, BENCH_SIZES, BENCH_MAX \
                         and BENCH_QUICK"
                            .into(),
                    ));
                }
            }
        }
        Ok(settings)
    }

    /// The sizes to measure, of those that a bench has: in this mode at most so many bytes, unless
    /// the environment says otherwise.
    pub fn choose(&self, own: &[u64], quick: &[u64], mode: Mode) -> Vec<u64> {
        if mode == Mode::Test {
            // Whether it runs, that is all; and in seconds.
            return own.iter().copied().take(1).collect();
        }
        let of_mode = if self.is_quick(mode) { quick } else { own };
        let chosen = self.sizes.as_deref().unwrap_or(of_mode);
        chosen.iter().copied().filter(|size| self.max.is_none_or(|max| *size <= max)).collect()
    }

    /// Sizes that nobody sets, as they are no file's: all of them, or the first for a test.
    pub fn choose_of(&self, own: &[u64], mode: Mode) -> Vec<u64> {
        Settings { sizes: None, quick: false, ..self.clone() }.choose(own, own, mode)
    }

    /// Whether it has to be done in a minute.
    pub fn is_quick(&self, mode: Mode) -> bool {
        self.quick || mode == Mode::Quick
    }
}

fn sizes(list: &str) -> Result<Vec<u64>, String> {
    let mut sizes = list
        .split([',', ' '])
        .filter(|part| !part.is_empty())
        .map(parse_size)
        .collect::<Result<Vec<_>, _>>()?;
    sizes.sort_unstable();
    sizes.dedup();
    if sizes.is_empty() {
        return Err("it is a list of sizes, such as 64K,1M,1G".into());
    }
    Ok(sizes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(variables: &[(&str, &str)]) -> Result<Settings, String> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Settings::parse(variables.iter().map(owned))
    }

    #[test]
    fn what_is_set_is_heeded_and_others_variables_are_not() {
        let settings = parse(&[
            ("BENCH_DIR", "/somewhere"),
            ("BENCH_SIZES", "1M, 64K,1M"),
            ("BENCH_MAX", "256MiB"),
            ("BENCH_QUICK", "1"),
            ("BENCHMARK", "nonsense"),
            ("HOME", "BENCH_MAX"),
        ]);
        let expected = Settings {
            folder: Some("/somewhere".into()),
            sizes: Some(vec![1 << 16, 1 << 20]),
            max: Some(256 << 20),
            quick: true,
        };
        assert_eq!(settings, Ok(expected));
        assert_eq!(parse(&[("BENCH_MAX", ""), ("BENCH_DIR", "")]), Ok(Settings::default()));
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for (name, value) in [
            ("BENCH_MAX", "much"),
            ("BENCH_MAX", "0"),
            ("BENCH_SIZES", ","),
            ("BENCH_SIZES", "1M,x"),
            ("BENCH_QUICK", "yes"),
            ("BENCH_SIZE", "1M"),
        ] {
            let error = parse(&[(name, value)]).unwrap_err();
            assert!(error.starts_with(&format!("{name}={value}: ")), "{error}");
        }
    }

    #[test]
    fn sizes_are_the_bench_s_own_unless_set_and_never_above_the_maximum() {
        let (own, quick) = ([1, 2, 3, 4], [1, 3]);
        let choose = |settings: &Settings, mode| settings.choose(&own, &quick, mode);
        let default = Settings::default();
        assert_eq!(choose(&default, Mode::Full), own);
        assert_eq!(choose(&default, Mode::Quick), quick);
        assert_eq!(choose(&default, Mode::Test), [1]);
        assert_eq!(choose(&Settings { quick: true, ..default.clone() }, Mode::Full), quick);
        let at_most = Settings { max: Some(2), ..default.clone() };
        assert_eq!(choose(&at_most, Mode::Full), [1, 2]);
        let set = Settings { sizes: Some(vec![7, 9]), max: Some(8), ..default };
        assert_eq!(choose(&set, Mode::Quick), [7]);
        assert_eq!(set.choose_of(&own, Mode::Quick), own, "a note is no file");
        assert_eq!(set.choose_of(&own, Mode::Test), [1]);
    }
}
