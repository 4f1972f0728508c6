//! JUnit XML: what every continuous integration shows.

use std::fmt::Write;

use super::words::feedback;
use crate::rubric::Rubric;
use crate::verdict::{Outcome, Report};

/// One test suite. A check that was not run counts as failed and not as skipped: a skipped test is
/// green in many places. A failure of the grader is an `error`.
pub fn junit(report: &Report, rubric: &Rubric) -> String {
    let (mut failures, mut errors, mut millis, mut cases) = (0, 0, 0, String::new());
    for check in &report.checks {
        millis += check.millis;
        let (id, title) = (text(&check.id), text(&check.title));
        let seconds = check.millis as f64 / 1000.0;
        let lab = text(&report.lab);
        let open =
            format!("<testcase classname=\"{lab}\" name=\"{id}: {title}\" time=\"{seconds:.3}\"");
        let (kind, message) = match &check.outcome {
            Outcome::Passed => {
                let _ = writeln!(cases, "    {open}/>");
                continue;
            }
            Outcome::Failed { .. } => ("failure", "not passed"),
            Outcome::NotRun { .. } => ("failure", "not run"),
            Outcome::GraderFailed { .. } => ("error", "the grader failed"),
        };
        if kind == "error" {
            errors += 1;
        } else {
            failures += 1;
        }
        let words = text(&feedback(rubric, check));
        let _ = writeln!(
            cases,
            "    {open}>\n      <{kind} message=\"{message}\">{words}</{kind}>\n    </testcase>"
        );
    }
    // Between the checks, or before them: a case of its own, or it would be seen nowhere.
    let elsewhere = report.needs_rerun && errors == 0;
    if elsewhere {
        errors = 1;
        let lab = text(&report.lab);
        let _ = writeln!(
            cases,
            "    <testcase classname=\"{lab}\" name=\"grader\">\n      \
             <error message=\"the grader failed\">It has to be graded again.</error>\n    \
             </testcase>"
        );
    }
    let build = report.build.as_ref().map_or("", |build| build.messages.as_str());
    let tests = report.checks.len() + usize::from(elsewhere);
    let seconds = millis as f64 / 1000.0;
    let counts = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\"");
    let mut properties = String::new();
    for (name, value) in [
        ("submission", report.submission.clone()),
        ("score", if report.needs_rerun { String::new() } else { report.score.to_string() }),
        ("total", report.total.to_string()),
        ("mode", report.mode.to_string()),
        ("official", report.official.to_string()),
        ("grader", report.grader.clone()),
        ("compiler", report.compiler.clone()),
    ] {
        let value = text(&value);
        let _ = writeln!(properties, "      <property name=\"{name}\" value=\"{value}\"/>");
    }
    let (lab, build) = (text(&report.lab), text(build));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts} time=\"{seconds:.3}\">\n  \
         <testsuite name=\"{lab}\" {counts} time=\"{seconds:.3}\">\n    <properties>\n{properties}    \
         </properties>\n{cases}    <system-out>{build}</system-out>\n  </testsuite>\n</testsuites>\n"
    )
}

/// Text in XML, in an attribute or between tags. What XML 1.0 cannot hold in any way is left out.
fn text(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&apos;"),
            '\n' | '\t' => safe.push(character),
            '\u{fffe}' | '\u{ffff}' => {}
            control if control.is_control() => {}
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_controls_do_not_get_through() {
        assert_eq!(text("a<b>&\"'\u{1b}[2J\u{0}\u{ffff}\n"), "a&lt;b&gt;&amp;&quot;&apos;[2J\n");
    }
}
