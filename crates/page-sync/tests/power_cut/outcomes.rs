//! What survives, and whether the experiment would notice that it shows nothing.

use std::process::Command;

use ipc_common::Errno;
use page_sync::power_cut::{
    Action, Barriers, DiskKind, Experiment, Objection, Outcome, Report, Trial, WRITTEN, Watcher,
};
use testkit::Program;

use crate::support::{assert_no_traces, json, page_sync, run, undisturbed};

struct Patient;

impl Watcher for Patient {
    fn stop(&mut self) -> bool {
        false
    }
    fn next(&mut self, done: usize, all: usize, _: Action, _: Barriers) {
        assert!(done < all);
    }
}

fn helper() -> Command {
    page_sync(&["power-cut-helper"])
}

fn report(trials: usize) -> Report {
    undisturbed(|| {
        let report = Experiment::new(helper).trials(trials).run(&mut Patient).unwrap();
        assert_no_traces(std::process::id());
        match report.trials().iter().find(|trial| trial.is_disturbed()) {
            None => Ok(report),
            Some(disturbed) => Err(format!("{disturbed:?}")),
        }
    })
}

fn of(report: &Report, action: Action, barriers: Barriers) -> Vec<&Trial> {
    let groups = report.groups();
    let (.., trials) =
        groups.into_iter().find(|group| (group.0, group.1) == (action, barriers)).unwrap();
    trials
}

fn found(trial: &Trial) -> [Outcome; 2] {
    assert_eq!(trial.pages.map(|(page, _)| page), WRITTEN);
    trial.pages.map(|(_, found)| found)
}

pub fn each_action_has_its_outcome_every_time() {
    let report = report(3);
    for action in Action::ALL {
        let expected = match action {
            Action::Nothing | Action::Munmap | Action::MsAsync | Action::SyncFileRange => {
                [Outcome::Old, Outcome::Old]
            }
            Action::MsSyncPage => [Outcome::New, Outcome::Old],
            Action::MsSync | Action::Fdatasync | Action::Fsync => [Outcome::New, Outcome::New],
        };
        let trials = of(&report, action, Barriers::On);
        assert_eq!(trials.len(), 3);
        assert!(trials.iter().all(|trial| found(trial) == expected), "{action:?}: {trials:#?}");
    }
    assert_eq!(report.objections(), []);
}

pub fn a_flush_is_counted_where_one_was_promised_and_nowhere_else() {
    // Beyond what is called disturbed: the kernel may have sent pages by itself, and flushed nothing.
    let silent =
        |trial: &Trial| matches!(trial.action, Action::Nothing | Action::Munmap | Action::MsAsync);
    let report = undisturbed(|| {
        let report = report(1);
        match report.trials().iter().find(|trial| silent(trial) && trial.sent > 0) {
            None => Ok(report),
            Some(disturbed) => Err(format!("{disturbed:?}")),
        }
    });
    for trial in report.trials() {
        let flushed = trial.barriers == Barriers::On && !trial.action.promises().is_empty();
        assert_eq!(trial.flushes > 0, flushed, "{trial:?}");
        // The disk and the kernel count the same thing at two ends of the wire, the kernel a moment
        // longer.
        assert!(trial.kernel_flushes.is_none_or(|count| count >= trial.flushes), "{trial:?}");
        let page = ipc_common::PageSize::system().bytes() as u64;
        let pages = match trial.action {
            Action::Nothing | Action::Munmap | Action::MsAsync => 0..=0,
            Action::SyncFileRange => 2..=2,
            // And the journal, if the clock has ticked since the file was opened; for fsync(2)
            // always, for the others if somebody else asks for it.
            Action::MsSyncPage => 1..=16,
            Action::MsSync | Action::Fdatasync | Action::Fsync => 2..=16,
        };
        assert!(pages.contains(&(trial.sent / page)), "{trial:?}");
    }
}

pub fn without_barriers_nothing_survives() {
    let report = report(3);
    let controls: Vec<&Trial> =
        report.trials().iter().filter(|trial| trial.barriers == Barriers::Off).collect();
    // Four actions promise something, and each is done three times.
    assert_eq!(controls.len(), 4 * 3);
    for trial in controls {
        assert_eq!(found(trial), [Outcome::Old, Outcome::Old], "{trial:?}");
        // It was not spared the pages: they were sent, and forgotten.
        assert!(trial.sent > 0 && trial.flushes == 0, "{trial:?}");
    }
}

pub fn a_disk_without_a_cache_is_found_out() {
    let experiment = Experiment::new(helper).disk(DiskKind::WithoutCache).trials(1);
    let report = experiment.run(&mut Patient).unwrap();
    let objections = report.objections();
    let survived = |action: Action| {
        let found = Outcome::New;
        action.promises().iter().map(move |&page| Objection::ControlSurvived {
            action,
            page,
            found,
        })
    };
    let expected: Vec<Objection> = Action::ALL.into_iter().flat_map(survived).collect();
    assert_eq!(objections, expected);
    // What is lost on a real disk is kept here, and so teaches what is not so.
    let [range] = of(&report, Action::SyncFileRange, Barriers::On)[..] else { panic!() };
    assert_eq!(found(range), [Outcome::New, Outcome::New]);
    assert_no_traces(std::process::id());
}

pub fn a_disk_that_lies_is_found_out() {
    let experiment = Experiment::new(helper).disk(DiskKind::Lying).trials(1);
    let report = experiment.run(&mut Patient).unwrap();
    let broken = |action: Action| {
        let found = Outcome::Old;
        action.promises().iter().map(move |&page| Objection::PromiseBroken { action, page, found })
    };
    let expected: Vec<Objection> = Action::ALL.into_iter().flat_map(broken).collect();
    assert_eq!(report.objections(), expected);
    assert_no_traces(std::process::id());
}

pub fn a_disk_that_fails_is_an_error_of_the_very_call() {
    let experiment = Experiment::new(helper).disk(DiskKind::Failing).trials(1);
    let error = experiment.actions(&[Action::MsSync]).run(&mut Patient).unwrap_err();
    assert_eq!(error.errno(), Errno::EIO, "{error}");
    let said = error.to_string();
    assert!(said.contains("msync: ") && said.contains("may be gone"), "{said}");
    assert!(!said.contains("ended in the middle"), "it was there all the time: {said}");
    assert_no_traces(std::process::id());
}

pub fn the_command_says_what_the_library_found() {
    let table = undisturbed(|| {
        let program = Program::start(&mut page_sync(&["power-cut", "--trials", "2"]));
        let pid = program.pid();
        let table = program.finish().ok();
        assert_no_traces(pid);
        let mut rows = table.lines().filter(|line| line.starts_with("nothing  "));
        let sent = rows.any(|row| row.split_whitespace().nth(3) != Some("0"));
        if sent || table.contains("Disturbed: ") { Err(table) } else { Ok(table) }
    });
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    assert!(!table.contains('\x1b'), "colours are for terminals");
    let rows = |name: &str| -> Vec<Vec<String>> {
        let rows = table.lines().filter(|line| line.starts_with(&format!("{name:<22}")));
        rows.map(|row| row[22..].split_whitespace().map(str::to_owned).collect()).collect()
    };
    assert_eq!(rows("nothing")[0][..5], ["old", "old", "0", "KiB", "0"]);
    assert_eq!(rows("sync_file_range").len(), 1);
    let [kept, control] = &rows("msync MS_SYNC")[..] else { panic!("{table}") };
    assert_eq!((&kept[0], &kept[1]), (&"new".to_owned(), &"new".to_owned()), "{table}");
    assert_eq!((&control[0], &control[1]), (&"old".to_owned(), &"old".to_owned()), "{table}");

    let object = undisturbed(|| {
        let object = json(&run(&["power-cut", "--trials", "1", "--json"]).ok());
        let mut results = object["results"].as_array().unwrap().iter();
        match results.find(|result| result["trials"][0]["disturbed"] == true) {
            None => Ok(object),
            Some(disturbed) => Err(disturbed.to_string()),
        }
    });
    assert_eq!((&object["experiment"], &object["sound"]), (&"power-cut".into(), &true.into()));
    let results = object["results"].as_array().unwrap();
    assert_eq!(results.len(), 12);
    for result in results {
        let trial = &result["trials"][0];
        for page in trial["pages"].as_array().unwrap() {
            let promised = result["promises"].as_array().unwrap().contains(&page["page"]);
            let kept = promised && result["barriers"] == true;
            assert_eq!(page["found"], if kept { "new" } else { "old" }, "{result}");
        }
    }
}

pub fn the_controls_are_done_with_every_choice() {
    let object = json(&run(&["power-cut", "--trials=1", "--json", "--action=nothing"]).ok());
    let done: Vec<(&str, bool)> = object["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| (result["action"].as_str().unwrap(), result["barriers"].as_bool().unwrap()))
        .collect();
    assert_eq!(done, [("nothing", true), ("ms-sync", true), ("ms-sync", false)]);
}

pub fn three_experiments_at_once_do_not_meet() {
    let start = || Program::start(&mut page_sync(&["power-cut", "--trials", "2", "--json"]));
    for program in [start(), start(), start()] {
        let pid = program.pid();
        let object = json(&program.finish().ok());
        assert_eq!(object["sound"], true);
        assert_no_traces(pid);
    }
}
