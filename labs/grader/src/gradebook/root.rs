//! Where in a hand-in the lab's files are: people hand in the lab's folder, the whole course, one of
//! them in a folder of its own, or the one file.

/// Where the files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Root {
    /// The rubric's files are below this folder, which is empty or ends with a slash.
    Below(String),
    /// This file stands for the rubric's first one.
    File(String),
}

/// Looks for the rubric's first file. `tops` are the folders at the top of the hand-in, `exists` says
/// whether a file is there.
pub(super) fn find(
    first: &str,
    lab: &str,
    tops: &[String],
    exists: &dyn Fn(&str) -> bool,
) -> Option<Root> {
    let mut above = vec![String::new()];
    // What a Mac adds to every zip is nobody's work.
    let tops: Vec<&String> =
        tops.iter().filter(|top| !top.starts_with('.') && *top != "__MACOSX").collect();
    // In several folders side by side it would be a guess.
    if let [only] = tops[..] {
        above.push(format!("{only}/"));
    }
    let bare = first.rsplit('/').next().unwrap_or(first);
    for above in &above {
        let below = [above.clone(), format!("{above}labs/{lab}/"), format!("{above}{lab}/")];
        if let Some(below) = below.into_iter().find(|below| exists(&format!("{below}{first}"))) {
            return Some(Root::Below(below));
        }
    }
    let bare = above.iter().map(|above| format!("{above}{bare}"));
    bare.into_iter().find(|file| exists(file)).map(Root::File)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[&str]) -> Option<Root> {
        let mut tops: Vec<String> = files
            .iter()
            .filter_map(|file| file.split_once('/').map(|(top, _)| top.to_owned()))
            .collect();
        tops.dedup();
        find("src/lib.rs", "tiny", &tops, &|file| files.contains(&file))
    }

    #[test]
    fn the_lab_the_course_or_the_file_with_or_without_a_folder_around_it() {
        let below = |folder: &str| Some(Root::Below(folder.into()));
        assert_eq!(found(&["src/lib.rs", "lib.rs"]), below(""));
        assert_eq!(found(&["x y/src/lib.rs", "__MACOSX/._lib.rs"]), below("x y/"));
        assert_eq!(found(&["labs/tiny/src/lib.rs", "labs/other/src/lib.rs"]), below("labs/tiny/"));
        assert_eq!(found(&["c/labs/tiny/src/lib.rs"]), below("c/labs/tiny/"));
        assert_eq!(found(&["tiny/src/lib.rs"]), below("tiny/"));
        assert_eq!(found(&["lib.rs"]), Some(Root::File("lib.rs".into())));
        assert_eq!(found(&["x/lib.rs"]), Some(Root::File("x/lib.rs".into())));
    }

    #[test]
    fn no_guess_between_two() {
        assert_eq!(found(&["a/src/lib.rs", "b/src/lib.rs"]), None);
        assert_eq!(found(&["labs/other/src/lib.rs"]), None);
    }
}
