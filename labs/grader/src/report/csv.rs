//! The gradebook: a line a submission, for spreadsheets and learning platforms.

use crate::gradebook::{Row, Status};
use crate::rubric::Rubric;
use crate::verdict::{Outcome, Report};

/// The table, as RFC 4180 has it, with a line of names. The points of one that has to be graded again
/// are an empty cell: it is not known what it earns, and it is not 0.
pub fn csv(rubric: &Rubric, rows: &[Row]) -> String {
    let total = rubric.total();
    let mut head = vec!["submission", "score", "total", "status", "mode", "official"];
    head.extend(rubric.checks.iter().map(|check| check.id.as_str()));
    head.extend(["remark", "seed", "folder"]);
    let mut text = line(head.into_iter().map(str::to_owned));
    for row in rows {
        let status = match row.status {
            Status::Graded => "graded",
            Status::NeedsRerun => "needs rerun",
            Status::NotGraded => "not graded",
            Status::NotTaken => "not taken",
        };
        let report = row.report.as_ref();
        let of = |value: Option<String>| value.unwrap_or_default();
        let mut cells = vec![
            row.name.clone(),
            of(row.score().map(|score| score.to_string())),
            total.to_string(),
            status.to_owned(),
            of(report.map(|report| report.mode.to_string())),
            of(report.map(|report| if report.official { "yes" } else { "no" }.to_owned())),
        ];
        for check in &rubric.checks {
            let result = report.and_then(|report| report.check(&check.id));
            let known = result.filter(|result| {
                let waits = row.status != Status::Graded && !result.outcome.is_passed();
                !waits && !result.outcome.is_graders()
            });
            let points = known.map(|result| match result.outcome.is_passed() {
                true => result.points.to_string(),
                false => "0".to_owned(),
            });
            cells.push(of(points));
        }
        cells.push(of(row.why.clone().or_else(|| report.and_then(remark))));
        cells.push(of(report.map(|report| report.seed.clone())));
        cells.push(row.folder.clone());
        text.push_str(&line(cells));
    }
    text
}

/// Why a submission has no points at all, or none yet.
fn remark(report: &Report) -> Option<String> {
    if report.needs_rerun {
        let mut causes = report.notes.iter().filter(|note| !note.starts_with("not official"));
        return causes.next().cloned();
    }
    // If not even the first check was run, it was not built.
    match &report.checks.first()?.outcome {
        Outcome::NotRun { why } => Some(why.clone()),
        _ => None,
    }
}

fn line(cells: impl IntoIterator<Item = String>) -> String {
    let cells: Vec<String> = cells.into_iter().map(|text| cell(&text)).collect();
    cells.join(",") + "\r\n"
}

/// A cell that is text and stays text. A spreadsheet takes one that begins with `=`, `+`, `-` or `@`
/// for a formula, quoted or not, and a formula can start programs: the apostrophe in front says that
/// it is none.
fn cell(text: &str) -> String {
    let formula = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    let is_one = text.trim_start().starts_with(formula) || text.starts_with(['\t', '\r', '\n']);
    let text = if is_one { format!("'{text}") } else { text.to_owned() };
    match text.contains([',', '"', '\r', '\n', ';', '\'']) || text != text.trim() {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_is_none_any_more() {
        for (text, expected) in [
            ("anna", "anna"),
            ("=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\""),
            ("@SUM(1)", "\"'@SUM(1)\""),
            ("-1", "\"'-1\""),
            (" =1", "\"' =1\""),
            ("a,\"b\"", "\"a,\"\"b\"\"\""),
            ("Müller; Ann", "\"Müller; Ann\""),
        ] {
            assert_eq!(cell(text), expected);
        }
    }
}
