//! Files that change while they are looked at.

use std::fs;
use std::ops::ControlFlow;

use nix::unistd::ftruncate;
use page_sync::picture::{Subject, Survey, Whereabouts, Whom, text};

use crate::support::{page, sparse};

/// In the middle of the survey, where it asks whether to go on.
pub fn a_file_that_changes_meanwhile_is_said() {
    for (after, word) in [(1, "cut shorter"), (9, "grown")] {
        let (folder, file) = sparse(4);
        let subject = Subject::open(folder.file("pages")).unwrap();
        let survey = Survey::take_while(&subject, Whom::Nobody, |_, _| {
            ftruncate(&file, after * page() as i64).unwrap();
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!((survey.pages, survey.bytes_after), (4, after as u64 * page() as u64));
        assert_eq!(survey.picture().pages(), 4);
        let shown = text::render(&subject, &survey, 80);
        assert!(shown.contains("meanwhile") && shown.contains(word), "{shown}");
    }
}

pub fn a_name_that_changes_meanwhile_is_said() {
    let (folder, _file) = sparse(4);
    let (path, other) = (folder.file("pages"), folder.file("other"));
    let subject = Subject::open(&path).unwrap();
    let found = || Survey::take(&subject, Whom::Nobody).unwrap().whereabouts;
    assert_eq!(found(), Whereabouts::There);
    fs::rename(&path, &other).unwrap();
    assert_eq!(found(), Whereabouts::Moved);
    fs::write(&path, "another").unwrap();
    assert_eq!(found(), Whereabouts::Replaced);
    fs::remove_file(&other).unwrap();
    assert_eq!(found(), Whereabouts::Unlinked);
    let shown = text::render(&subject, &Survey::take(&subject, Whom::Nobody).unwrap(), 80);
    assert!(shown.contains("16384 bytes") || page() != 4096, "about the file that was opened");
    assert!(shown.contains("removed"), "{shown}");
}
