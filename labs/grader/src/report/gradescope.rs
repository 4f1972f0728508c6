//! Gradescope's `results.json`.

use serde_json::{Value, json};

use super::words::feedback;
use crate::rubric::{Rubric, Visibility};
use crate::verdict::Report;

/// The file. If it has to be graded again, it has no points, neither in all nor in a test: Gradescope
/// takes that for a failure of the autograder, and gives nobody a 0.
pub fn gradescope(report: &Report, rubric: &Rubric) -> Value {
    let seconds = report.checks.iter().map(|check| check.millis).sum::<u64>()
        + report.build.as_ref().map_or(0, |build| build.millis);
    let mut output = Vec::new();
    if let Some(build) = report.build.as_ref().filter(|build| !build.messages.is_empty()) {
        output.push(build.messages.clone());
    }
    if !report.mode.is_official() {
        output.push(format!("Not official: mode {} can be outwitted.", report.mode));
    } else if !report.official {
        // Not the reason itself, which names files of who grades.
        output.push("Not official: who grades finds the reason in report.json.".into());
    }
    if !report.is_whole && !report.needs_rerun {
        output.push(
            "The run was stopped before its end: what is here holds, and no more is known.".into(),
        );
    }
    let extra = json!({
        "lab": report.lab,
        "mode": report.mode,
        "official": report.official,
        "seed": report.seed,
        "grader": report.grader,
        "compiler": report.compiler,
        "needs_rerun": report.needs_rerun,
    });
    if report.needs_rerun {
        output.push("The grader failed. That is not your fault: it will be graded again.".into());
        return json!({
            "output": output.join("\n"),
            "output_format": "text",
            "visibility": "visible",
            "stdout_visibility": "hidden",
            "extra_data": extra,
        });
    }
    let tests = report.checks.iter().enumerate().map(|(place, check)| {
        let passed = check.outcome.is_passed();
        let visibility = match check.visibility {
            Visibility::Visible => "visible",
            Visibility::Hidden => "after_published",
        };
        json!({
            "name": check.title,
            "number": (place + 1).to_string(),
            "score": if passed { check.points } else { 0 },
            "max_score": check.points,
            "status": if passed { "passed" } else { "failed" },
            "output": feedback(rubric, check),
            "output_format": "text",
            "tags": [check.id],
            "visibility": visibility,
        })
    });
    json!({
        "score": report.score,
        "execution_time": seconds as f64 / 1000.0,
        "output": output.join("\n"),
        "output_format": "text",
        "test_output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests.collect::<Vec<_>>(),
        "extra_data": extra,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::Mode;

    #[test]
    fn what_is_not_official_says_why_and_names_nobodys_files() {
        let rubric = Rubric::parse(
            "id = \"l\"\ntitle = \"L\"\nslide = \"S\"\nhours = 1\nfiles = [\"a\"]\ndependencies = []\n\
             [[check]]\nid = \"a\"\ntitle = \"T\"\npoints = 100\nvisibility = \"hidden\"\nhint = \"H\"\n",
        )
        .unwrap();
        let said = |mode, doubt: bool| {
            let mut report = Report::new(&rubric, "s", mode, "0", "rustc");
            report.is_whole = true;
            if doubt {
                report.official = false;
                report.notes.push("not official: everybody may read /labs/solution".into());
            }
            gradescope(&report, &rubric)["output"].as_str().unwrap().to_owned()
        };
        assert_eq!(said(Mode::RunUid, false), "");
        assert!(said(Mode::Tree, false).contains("mode tree can be outwitted"));
        let doubted = said(Mode::RunUid, true);
        assert!(doubted.contains("report.json") && !doubted.contains("outwitted"), "{doubted}");
        assert!(!doubted.contains("solution"), "{doubted}");
    }
}
