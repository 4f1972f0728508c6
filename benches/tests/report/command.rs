//! The command, on folders of results.

use std::fs;
use std::path::Path;
use std::process::Command;

use benches::results::{read_all, write_costs};
use testkit::{Finished, Folder, Program};

use crate::costs::costs;
use crate::synthetic::{MIXED, records, runs, write, write_one};

fn report(arguments: &[&str]) -> Finished {
    let mut command = Command::new(env!("CARGO_BIN_EXE_benches"));
    Program::run(command.arg("report").args(arguments).env_remove("CRITERION_HOME"))
}

fn show(results: &Path, out: &Path) -> Finished {
    let [results, out] = [results, out].map(|path| path.to_str().unwrap());
    report(&["--no-run", "--results", results, "--out", out])
}

fn results() -> Folder {
    let folder = testkit::folder();
    let mut all = records(MIXED);
    let mut runs = runs(&all);
    // Today, or they would be told to be old.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    all.iter_mut().for_each(|record| record.run.started = now);
    runs.iter_mut().for_each(|run| run.run.started = now);
    write(folder.path(), &all, &runs);
    write_costs(folder.path(), &costs()).unwrap();
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

pub fn a_page_from_a_folder() {
    let (results, out) = (results(), testkit::folder());
    let said = show(results.path(), &out.file("page")).ok();
    assert!(said.contains("It depends.\n"), "{said}");
    assert!(said.contains("Half of it:"), "{said}");
    assert!(said.contains("What our own crates cost: limits 4 met, 4 missed"), "{said}");
    let page = out.file("page/index.html");
    assert!(said.contains(page.to_str().unwrap()), "{said}");
    let html = fs::read_to_string(page).unwrap();
    // Nothing that a browser would have to ask anybody for, and nothing that runs.
    for word in ["http:", "https:", "src=", "url(", "@import", "@font-face", "<script", "<iframe"] {
        assert!(!html.contains(word), "{word}");
    }
    let all = names(&out.file("page"));
    assert!(all.contains(&"report.md".into()) && all.contains(&"read-once.svg".into()), "{all:?}");
    assert!(all.iter().all(|name| !name.contains("unfinished")), "{all:?}");
    for svg in all.iter().filter(|name| name.ends_with(".svg")) {
        let text = fs::read_to_string(out.file("page").join(svg)).unwrap();
        assert!(text.starts_with("<svg xmlns=") && text.ends_with("</svg>\n"), "{svg}");
        assert!(!text.contains("NaN"), "{svg}");
    }
    let json = report(&[
        "--no-run",
        "--json",
        "--results",
        results.path().to_str().unwrap(),
        "--out",
        out.path().to_str().unwrap(),
    ]);
    let json: serde_json::Value = serde_json::from_str(&json.ok()).unwrap();
    assert_eq!(json["own cost"]["missed"], 4);
    assert_eq!((&json["performance"], &json["buffering"]), (&"Depends".into(), &"Half".into()));
}

pub fn nothing_is_a_message_and_a_failure() {
    let (results, out) = (testkit::folder(), testkit::folder());
    let ended = show(&results.file("nowhere"), out.path());
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    let told = "read_vs_mmap: there are no results; measure with `cargo bench -p benches --bench read_vs_mmap`";
    assert!(ended.stderr.contains(told), "{ended:?}");
    // An old page would be taken for the new one.
    let page = fs::read_to_string(out.file("index.html")).unwrap();
    assert!(page.contains(told) && page.contains("Not measured."));
}

pub fn half_a_file_and_another_schema_are_told() {
    let (results, out) = (results(), testkit::folder());
    let mut all = records(MIXED);
    let started = read_all(results.path()).0[0].record.run.started;
    all.iter_mut().for_each(|record| record.run.started = started);
    let half = write_one(results.path(), &all[1]);
    let text = fs::read_to_string(&half).unwrap();
    fs::write(&half, &text[..text.len() / 2]).unwrap();
    let other = write_one(results.path(), &all[2]);
    let text = fs::read_to_string(&other).unwrap();
    fs::write(&other, text.replace("\"schema\": 1", "\"schema\": 0")).unwrap();
    let theirs = write_one(results.path(), &all[3]);
    fs::remove_file(theirs.with_file_name("estimates.json")).unwrap();
    fs::write(results.file("page_faults.run.json"), "{").unwrap();

    let ended = show(results.path(), out.path());
    assert_eq!(ended.code(), Some(0), "the rest is shown: {ended:?}");
    let page = fs::read_to_string(out.file("index.html")).unwrap();
    for told in [
        "case.json is not whole",
        "case.json has format 0, and this program reads 1",
        "estimates.json is missing",
        "page_faults.run.json is not whole",
        "read_vs_mmap: of the ",
    ] {
        assert!(ended.stderr.contains(told), "{told}: {ended:?}");
        assert!(page.contains(told), "{told}");
    }
    assert_eq!(ended.stderr.matches("warning:").count(), ended.stderr.lines().count(), "{ended:?}");
}

pub fn what_cannot_be_written_is_told_by_its_name() {
    let (results, out) = (results(), testkit::folder());
    let blocked = out.file("blocked");
    fs::write(&blocked, "").unwrap();
    let ended = show(results.path(), &blocked.join("page"));
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    assert!(ended.stderr.contains("ENOTDIR") && ended.stderr.contains("blocked"), "{ended:?}");
}

pub fn wrong_usage_is_told() {
    for wrong in [&["--quick", "--no-run"][..], &["--nonsense"], &["page.html"]] {
        let ended = report(wrong);
        assert_eq!(ended.code(), Some(2), "{ended:?}");
    }
}

pub fn the_notes_change_between_their_marks_only() {
    let (results, out, notes) = (results(), testkit::folder(), testkit::folder());
    let parts: String = ["ground", "verdict", "table", "plots", "costs"]
        .map(|part| {
            format!("Before {part}.\n<!-- report: {part} -->\nOUTDATED\n<!-- /report -->\nAfter.\n")
        })
        .concat();
    let chapter = notes.file("read-write-against-mmap.md");
    let run = || {
        let [results, out, notes] =
            [results.path(), out.path(), notes.path()].map(|path| path.to_str().unwrap());
        report(&["--no-run", "--results", results, "--out", out, "--notes", notes])
    };
    fs::write(&chapter, &parts).unwrap();
    run().ok();
    let once = fs::read_to_string(&chapter).unwrap();
    assert!(
        !once.contains("OUTDATED")
            && once.contains("**It depends.**")
            && once.contains("| file of |")
            && once.contains("0.994 | at most 1: met |")
    );
    for link in once.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
        assert!(notes.file(link).exists(), "{link}");
    }
    run().ok();
    assert_eq!(fs::read_to_string(&chapter).unwrap(), once, "again changes nothing");

    let unmarked = parts.replace("<!-- report: table -->", "");
    fs::write(&chapter, &unmarked).unwrap();
    let ended = run();
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    assert!(ended.stderr.contains("<!-- report: table -->"), "{ended:?}");
    assert_eq!(fs::read_to_string(&chapter).unwrap(), unmarked, "it is left alone");
}
