//! What our own crates cost, as rows of text: for the page and for the notes.

use super::show;
use crate::results::{Costs, Figure, Limit, Line, Met, Room};

/// What stands above all of it.
pub const TITLE: &str = "What our own crates cost";

/// A line, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What was compared.
    pub what: String,
    /// Whether it is shown beside the one above, without a limit.
    pub beside: bool,
    /// Ours, theirs, and the ratio with its spread.
    pub figures: [String; 3],
    /// `at most 1.03`
    pub limit: String,
    /// What became of it.
    pub verdict: Option<Met>,
}

/// How to read it, and what came of it.
pub fn introduction(costs: &Costs) -> String {
    let partial = if costs.partial { " Some rooms have not been visited yet." } else { "" };
    format!(
        "Most figures above are of bare system calls. These compare our crates with the same work by \
         hand, by memmap2 and by C: a ratio is the median of pairs measured in turns, and in brackets \
         their middle half. Limits: {}.{partial}",
        costs.score()
    )
}

/// The lines of a room.
pub fn rows(room: &Room) -> Vec<Row> {
    room.lines.iter().map(row).collect()
}

/// What explains a room's lines, and what is missing from them.
pub fn remarks(room: &Room) -> Vec<String> {
    let skipped =
        room.skipped.iter().map(|skip| format!("skipped: {}: {}", skip.what, skip.because));
    room.notes.iter().cloned().chain(skipped).collect()
}

/// With a digit more where the limit would seem to be met exactly.
fn judged(ratio: f64, limit: Option<Limit>) -> String {
    let shown = format!("{ratio:.3}");
    match limit {
        Some(Limit::AtMost(limit) | Limit::AtLeast(limit))
            if shown == format!("{limit:.3}") && ratio != limit =>
        {
            format!("{ratio:.5}")
        }
        _ => shown,
    }
}

fn row(line: &Line) -> Row {
    let Line { what, figure, limit, verdict } = line;
    let figures = match figure {
        Figure::Time { ours, theirs, ratio, unsettled } => {
            let moved = match unsettled {
                0 => String::new(),
                pairs => format!(", the floor moved below {}", show::count(*pairs as u64, "pair")),
            };
            let [lower, median, upper] = [ratio.lower, ratio.median, ratio.upper];
            let ratio = format!("{} ({lower:.3}–{upper:.3}){moved}", judged(median, *limit));
            [show::time(*ours), show::time(*theirs), ratio]
        }
        Figure::Number { ours, theirs, ratio } => {
            let whole = |number: f64| show::number(number.round() as u64);
            let ratio = ratio.map(|ratio| judged(ratio, *limit)).unwrap_or_default();
            [whole(*ours), theirs.map(whole).unwrap_or_default(), ratio]
        }
        Figure::Counts { ours, theirs } => [ours.clone(), theirs.clone(), String::new()],
    };
    Row {
        what: what.trim().into(),
        beside: what.starts_with(' '),
        figures,
        limit: limit.map(|limit| limit.to_string()).unwrap_or_default(),
        verdict: *verdict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_is_just_missed_does_not_look_met() {
        assert_eq!(judged(1529.0 / 1456.0, Some(Limit::AtMost(1.05))), "1.05014");
        assert_eq!(judged(1.05, Some(Limit::AtMost(1.05))), "1.050");
        assert_eq!(judged(1.009, Some(Limit::AtMost(1.03))), "1.009");
        assert_eq!(judged(1.0501, None), "1.050");
    }
}
