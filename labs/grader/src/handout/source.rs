//! Rust code without what belongs to a feature: item, attributes and comments, and the files of a
//! module that is not declared any more.
//!
//! No parser: rustfmt decides what an item looks like. Its last line is the first one that is indented
//! like its first and ends it. Whatever is not understood is refused, not given away.

use super::FEATURES;

/// Code that is given away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Source {
    /// Its text.
    pub(super) text: String,
    /// Modules that it does not declare any more.
    pub(super) gone: Vec<String>,
}

/// Takes the features out of code.
pub(super) fn without_features(code: &str) -> Result<Source, String> {
    let mut kept: Vec<&str> = Vec::new();
    let mut gone = Vec::new();
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        if !is_attribute(line) {
            kept.push(line);
            continue;
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        let belongs = |line: &str| {
            let line = line.trim_start();
            line.starts_with("///") || line.starts_with("#[")
        };
        while kept.last().is_some_and(|last| belongs(last)) {
            kept.pop();
        }
        let first = lines.by_ref().find(|line| !belongs(line)).unwrap_or_default();
        if let Some(module) = module(first) {
            gone.push(module.to_owned());
        }
        let ends = |line: &str| line.trim_end().ends_with([';', ',']);
        if !first.starts_with(indent) || first.trim().is_empty() {
            return Err(format!("nothing follows {:?}", line.trim()));
        }
        if !ends(first) {
            let close = format!("{indent}}}");
            let last = lines.by_ref().find(|line| {
                let same = line.starts_with(indent) && !line[indent.len()..].starts_with(' ');
                line.starts_with(&close) || same && ends(line)
            });
            last.ok_or_else(|| format!("{:?} does not end", first.trim()))?;
        }
        // One empty line is enough between what is left.
        if kept.last().is_none_or(|last| last.is_empty() || last.ends_with('{')) {
            let mut ahead = lines.clone();
            if ahead.next().is_some_and(str::is_empty) {
                lines = ahead;
            }
        }
    }
    let mut text = kept.join("\n");
    text.push('\n');
    // What asks for a feature at run time asks whether all is there; and all that there is, is.
    for feature in FEATURES {
        text = text.replace(&format!("cfg!(feature = \"{feature}\")"), "true");
        if text.contains(&format!("feature = \"{feature}\"")) {
            return Err(format!("it still speaks of the feature {feature}"));
        }
    }
    Ok(Source { text, gone })
}

fn is_attribute(line: &str) -> bool {
    FEATURES.iter().any(|feature| line.trim() == format!("#[cfg(feature = \"{feature}\")]"))
}

/// The name in `mod name;`, whoever may use it.
fn module(line: &str) -> Option<&str> {
    let line = line.trim().strip_suffix(';')?;
    let (before, name) = line.rsplit_once(' ')?;
    (before == "mod" || before.ends_with(" mod")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_go_with_their_comments_and_the_rest_stays() {
        let code = r#"//! Doc.

mod a;
#[cfg(feature = "hidden")]
pub(super) mod secret;
mod b;

/// Given.
fn given() {
    if cfg!(feature = "class") {
        list(&[
            one,
            #[cfg(feature = "class")]
            two,
        ]);
    }
}

/// Not given.
#[inline]
#[cfg(feature = "hidden")]
#[must_use]
fn kept_back(
    long: u32,
) -> u32 {
    match long {
        0 => {}
    }
}

impl Given {
    #[cfg(feature = "hidden")]
    fn kept_back(&self) {
        nothing();
    }

    fn last(&self) {}
}
"#;
        let expected = r"//! Doc.

mod a;
mod b;

/// Given.
fn given() {
    if true {
        list(&[
            one,
        ]);
    }
}

impl Given {
    fn last(&self) {}
}
";
        let source = without_features(code).unwrap();
        assert_eq!(source.text, expected);
        assert_eq!(source.gone, ["secret"]);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for code in [
            "#[cfg(all(unix, feature = \"hidden\"))]\nfn f() {}\n",
            "#[cfg(feature = \"hidden\")]\n",
            "#[cfg(feature = \"hidden\")]\nfn f() {\n",
            "#![cfg(feature = \"class\")]\n",
        ] {
            assert!(without_features(code).is_err(), "{code}");
        }
    }
}
