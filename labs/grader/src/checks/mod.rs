//! The checks of the labs: trusted code, which runs in the cell and never in a student's process.
//!
//! A folder a lab, a file a check. `visible/` is what students have, too; `hidden/` is left out of
//! the handout together with the feature of that name.
//!
//! No check is content with a refusal, a silence or an exit status alone: each of them sees
//! something that only a program could have done that does what the lab asks for.

#[cfg(feature = "hidden")]
mod hidden;
pub mod pass_a_note;
mod payload;
pub mod shared_mailbox;

use crate::check::LabChecks;

/// The checks of every lab that this grader knows.
pub fn all() -> &'static [LabChecks] {
    &[pass_a_note::CHECKS, shared_mailbox::CHECKS]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::rubric::{Rubric, Visibility};

    /// The words after `because(` in a check's source.
    fn named(source: &str) -> BTreeSet<&str> {
        let after = source.split("because(").skip(1);
        after.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next()).collect()
    }

    #[test]
    fn rubrics_and_checks_name_the_same_checks_and_misconceptions() {
        let grader = Path::new(env!("CARGO_MANIFEST_DIR"));
        for lab in all() {
            let rubric = grader.join("..").join(lab.lab).join("lab.toml");
            let rubric = Rubric::load(&rubric).unwrap();
            if cfg!(feature = "hidden") {
                rubric.matches(lab).unwrap();
            }
            let folder = grader.join("src/checks").join(lab.lab.replace('-', "_"));
            for check in &rubric.checks {
                let visibility = match check.visibility {
                    Visibility::Visible => "visible",
                    Visibility::Hidden => "hidden",
                };
                let file = folder.join(visibility).join(check.id.replace('-', "_") + ".rs");
                let source = fs::read_to_string(&file).expect("a file for each check");
                for words in named(&source) {
                    assert!(check.words(words).is_some(), "{}: no words for {words:?}", check.id);
                }
                for misconception in &check.misconceptions {
                    let quoted = format!("\"{}\"", misconception.id);
                    assert!(source.contains(&quoted), "{}: {quoted} is never found", check.id);
                }
            }
        }
    }
}
