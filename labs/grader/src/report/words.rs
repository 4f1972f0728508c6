//! What a student is told about a check, by whatever way: more than the points, and nothing of what
//! a hidden check looked at.

use crate::rubric::{Rubric, Visibility};
use crate::verdict::{CheckResult, Outcome};

/// What was expected and seen, what people then often believe, and where there is help. Of a hidden
/// check only the second: it used the submission's own words, which saw the check's inputs.
pub(super) fn feedback(rubric: &Rubric, check: &CheckResult) -> String {
    let is_visible = check.visibility == Visibility::Visible;
    match &check.outcome {
        Outcome::Passed => String::new(),
        Outcome::NotRun { why } => format!("Not run: {why}."),
        Outcome::GraderFailed { .. } => {
            "The grader could not look. That is not your program's fault: it will be graded again."
                .into()
        }
        Outcome::Failed { expected, shown, misconception } => {
            let words = misconception.as_deref();
            let words = words.and_then(|id| rubric.check(&check.id)?.words(id));
            let mut parts = Vec::new();
            if is_visible {
                parts.push(format!("Expected: {expected}"));
                parts.push(format!("Seen: {shown}"));
            }
            parts.extend(words.map(str::to_owned));
            if is_visible {
                parts.push(format!("Help: cargo lab hint {} {}", rubric.id, check.id));
            }
            if parts.is_empty() { "It is not so.".into() } else { parts.join("\n") }
        }
    }
}
