//! Can what is written be read again, and is what cannot be read told by name?

use std::fs;
use std::path::{Path, PathBuf};

use benches::results::{Trouble, read_all, read_runs};
use testkit::Folder;

use crate::process::{self, BYTES, GROUP};

/// A quick run; its results.
fn run(files: &Folder, results: &Folder, arguments: &[&str]) -> String {
    process::said(&mut process::command(files.path(), results.path(), arguments))
}

pub fn what_a_run_writes_can_be_read_again_and_joined() {
    let (files, results) = (testkit::folder(), testkit::folder());
    let said = run(&files, &results, &["--quick"]);
    assert!(said.contains("system calls 16 (pread64 16)"), "{said}");
    let (cases, troubles) = read_all(results.path());
    assert!(troubles.is_empty(), "{troubles:?}");
    let functions: Vec<_> = cases.iter().map(|case| case.record.id.function.as_str()).collect();
    assert_eq!(
        functions,
        ["read", "read: again?"],
        "names that are no file's names come back, too"
    );
    for case in &cases {
        let record = &case.record;
        assert_eq!((record.id.group.as_str(), record.id.value.as_str()), (GROUP, "1048576"));
        assert_eq!((record.work.bytes, record.work.labels["page cache"].as_str()), (BYTES, "warm"));
        assert_eq!(record.counts.system_calls.total(), Some(16), "16 pieces of 64 KiB");
        let measured = &record.measured;
        assert!(measured.pairs >= 3 && measured.each.len() == measured.pairs);
        assert!(measured.ratio.min <= measured.ratio.median);
        assert!(measured.ratio.median <= measured.ratio.max && measured.floor.min > 0.0);
        // Two ways of telling the same time; not the same pairs, so not the same figure.
        let ratio = case.estimates.median.point_estimate / measured.time.median;
        assert!((0.01..100.0).contains(&ratio), "{ratio}");
        assert_eq!(
            record.place.as_ref().expect("it has files").folder,
            files.path().to_str().unwrap()
        );
        assert!(record.run.quick && record.machine.processors > 0);
    }
    let (runs, troubles) = read_runs(results.path());
    assert!(troubles.is_empty(), "{troubles:?}");
    let [run] = runs.as_slice() else { panic!("{runs:?}") };
    assert_eq!((run.cases, run.filtered, run.skipped.len()), (2, false, 1));
    assert_eq!(run.run, cases[0].record.run, "the cases can be told to be of this run");
    assert_eq!(fs::read_dir(files.path()).unwrap().count(), 0, "a file has been left");
}

pub fn what_is_broken_is_told_by_name() {
    let (files, results) = (testkit::folder(), testkit::folder());
    run(&files, &results, &["--quick"]);
    let folder = |function: &str| {
        results.path().join("a bench_ of its own").join(function).join("1048576/new")
    };
    let (first, second) = (folder("read"), folder("read_ again_"));
    let only_trouble = |part: &str| {
        let (cases, troubles) = read_all(results.path());
        assert_eq!((cases.len(), troubles.len()), (1, 1), "{troubles:?}");
        assert!(troubles[0].why.contains(part), "{troubles:?}, not {part}");
    };
    let change = |file: &Path, how: &dyn Fn(&str) -> String, part: &str| {
        let before = fs::read_to_string(file).unwrap();
        fs::write(file, how(&before)).unwrap();
        only_trouble(part);
        fs::write(file, before).unwrap();
    };
    let ours = first.join("case.json");
    change(&ours, &|text| text[..text.len() / 2].into(), "case.json is not whole");
    change(&ours, &|text| text.replace("\"schema\": 1", "\"schema\": 99"), "has format 99");
    change(&ours, &|text| text.replace("\"schema\"", "\"other\""), "case.json is not whole");
    change(&first.join("estimates.json"), &|_| String::new(), "estimates.json is not whole");
    fs::rename(first.join("benchmark.json"), first.join("away")).unwrap();
    only_trouble("benchmark.json is missing");
    fs::rename(first.join("away"), first.join("benchmark.json")).unwrap();
    let theirs = fs::read_to_string(second.join("case.json")).unwrap();
    change(&ours, &|_| theirs.clone(), "it is about a bench: of its own/read: again?/1048576");
    let (cases, troubles) = read_all(results.path());
    assert_eq!((cases.len(), troubles), (2, Vec::<Trouble>::new()), "all is whole again");
}

pub fn what_is_filtered_out_costs_nothing() {
    let (files, results) = (testkit::folder(), testkit::folder());
    let said = run(&files, &results, &["--quick", "nothing of that name"]);
    assert!(said.contains("0 cases"), "{said}");
    let (runs, _) = read_runs(results.path());
    assert_eq!((runs[0].cases, runs[0].filtered), (0, true));
    assert!(read_all(results.path()).0.is_empty());
}

pub fn trying_out_writes_nothing() {
    let (files, results) = (testkit::folder(), testkit::folder());
    run(&files, &results, &["--test"]);
    let left = |folder: &Folder| -> Vec<PathBuf> {
        fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.path()).collect()
    };
    assert!(left(&files).is_empty() && left(&results).is_empty(), "{:?}", left(&results));
}
