//! Help in stages: a first nudge, then the whole hint, then what people who fail often believe.

use crate::rubric::RubricCheck;

/// The stages of a check, from less to more. There is one at least.
pub fn hints(check: &RubricCheck) -> Vec<String> {
    let (first, rest) = sentence(&check.hint);
    let mut stages = vec![first.to_owned()];
    if !rest.is_empty() {
        stages.push(rest.to_owned());
    }
    stages.extend(check.misconceptions.iter().map(|one| format!("Who fails it: {}", one.words)));
    stages
}

/// A text's first sentence, and the rest.
fn sentence(text: &str) -> (&str, &str) {
    let text = text.trim();
    let ends = text.match_indices(['.', ':', '?']).map(|(at, end)| at + end.len());
    let whole = ends.filter(|at| text[*at..].starts_with(char::is_whitespace));
    // One or two words are no help, and `i.e.` is no end.
    match whole.into_iter().find(|at| *at >= 25) {
        Some(at) => (&text[..at], text[at..].trim_start()),
        None => (text, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_stage_is_a_sentence() {
        assert_eq!(sentence("a.b in one. Then more."), ("a.b in one. Then more.", ""));
        assert_eq!(
            sentence("The state is the gate: store it last. Load it first."),
            ("The state is the gate: store it last.", "Load it first.")
        );
    }
}
