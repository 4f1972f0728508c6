//! A rubric without its hidden checks. Their points stay, as a number: the total is the same.

use crate::rubric::{Rubric, Visibility};

/// Takes them out of the text, so that its comments stay.
pub(super) fn without_hidden(text: &str) -> Result<String, String> {
    let whole = Rubric::parse(text)?;
    // A block begins at a check's own head, and has its misconceptions in it.
    let mut blocks = vec![String::new()];
    for line in text.lines() {
        if line.trim() == "[[check]]" {
            blocks.push(String::new());
        }
        let block = blocks.last_mut().into_iter();
        block.for_each(|block| {
            block.push_str(line);
            block.push('\n');
        });
    }
    let is_hidden = |block: &String| {
        block.lines().any(|line| line.split_whitespace().eq(["visibility", "=", "\"hidden\""]))
    };
    let withheld: u32 = whole.checks.iter().filter(hidden).map(|check| check.points).sum();
    let mut given: Vec<String> = blocks.into_iter().filter(|block| !is_hidden(block)).collect();
    let withheld = withheld + whole.withheld;
    if let Some(head) = given.first_mut().filter(|_| withheld > 0) {
        let ours = ["withheld", "# Points of the hidden"];
        let lines = head.lines().filter(|line| !ours.iter().any(|own| line.starts_with(own)));
        let kept: Vec<&str> = lines.collect();
        *head = format!(
            "{}\n# Points of the hidden checks.\nwithheld = {withheld}\n\n",
            kept.join("\n").trim_end()
        );
    }
    let given = given.concat().trim_end().to_owned() + "\n";
    // It is what it is meant to be, or nothing.
    let expected = Rubric {
        withheld,
        checks: whole.checks.iter().filter(|check| !hidden(check)).cloned().collect(),
        ..whole
    };
    match Rubric::parse(&given)? == expected {
        true => Ok(given),
        false => Err("its hidden checks cannot be told from the others".into()),
    }
}

fn hidden(check: &&crate::rubric::RubricCheck) -> bool {
    check.visibility == Visibility::Hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# About.\nid = \"l\"\ntitle = \"L\"\nslide = \"S\"\nhours = 2\n\
        files = [\"src/lib.rs\"]\ndependencies = []\n\n\
        [[check]]\nid = \"a\"\ntitle = \"T\"\npoints = 60\nvisibility = \"visible\"\nhint = \"H\"\n\n\
        [[check]]\nid = \"b\"\ntitle = \"SECRET\"\npoints = 40\nvisibility = \"hidden\"\nhint = \"SECRET\"\n\
        [[check.misconception]]\nid = \"m\"\nwords = \"SECRET\"\n";

    #[test]
    fn hidden_checks_go_and_their_points_stay() {
        let given = without_hidden(TEXT).unwrap();
        assert!(!given.contains("SECRET") && given.starts_with("# About."), "{given}");
        let rubric = Rubric::parse(&given).unwrap();
        assert_eq!((rubric.checks.len(), rubric.withheld, rubric.total()), (1, 40, 100));
        // Once more changes nothing.
        assert_eq!(without_hidden(&given).unwrap(), given);
    }

    #[test]
    fn a_rubric_that_hides_it_well_is_refused() {
        let sly = TEXT.replace("visibility = \"hidden\"", "\"visibility\" = 'hidden'");
        assert!(without_hidden(&sly).is_err());
    }
}
