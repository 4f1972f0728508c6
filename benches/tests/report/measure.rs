//! What is missing is measured: by a cargo and benches that are scripts here, since the real ones are
//! tried by whoever calls the command, and take minutes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use benches::machine::Machine;
use benches::results::{PROGRAM, Run, write_costs};
use nix::sys::signal::Signal;
use testkit::{Folder, Program};

use crate::costs::costs;
use crate::synthetic::{MIXED, records, runs, write};

fn script(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The results of all benches on this very machine, but those of one; and the command, which would
/// run that with `bench` as the bench's program.
fn all_but_writes(quick: bool, bench: &str) -> (Folder, Command) {
    let folder = testkit::folder();
    let mut all = records(MIXED);
    all.retain(|record| record.run.bench != "write_vs_mmap");
    let mut runs = runs(&all);
    all.iter_mut().for_each(|record| (record.machine, record.run.quick) = (Machine::this(), quick));
    runs.iter_mut().for_each(|run| (run.machine, run.run.quick) = (Machine::this(), quick));
    write(&folder.file("results"), &all, &runs);
    let mut costs = costs();
    costs.machine = Machine::this();
    costs.rooms.iter_mut().for_each(|room| room.run.quick = quick);
    write_costs(&folder.file("results"), &costs).unwrap();
    script(&folder.file("bench"), bench);
    let built = serde_json::json!({
        "target": { "name": "write_vs_mmap" }, "executable": folder.file("bench"),
    });
    let asked = folder.file("asked");
    script(&folder.file("cargo"), &format!("echo \"$@\" >> {}\necho '{built}'", asked.display()));
    let mut command = Command::new(env!("CARGO_BIN_EXE_benches"));
    command.arg("report").env("CARGO", folder.file("cargo")).env_remove("CRITERION_HOME");
    command.arg("--results").arg(folder.file("results")).arg("--out").arg(folder.file("out"));
    (folder, command)
}

const LIST: &str =
    "case \"$*\" in *--list*) echo 'a: benchmark'; echo 'b: benchmark'; exit;; esac\n";

pub fn what_is_missing_is_run_and_nothing_else() {
    let bench = format!(
        "{LIST}echo \"$@\" > \"$CRITERION_HOME/../arguments\"\n\
         echo '   faults 1, system calls 0'\necho 'SKIPPED a thing: no reason'\n\
         echo '   faults 1, system calls 0'\n"
    );
    let (folder, mut command) = all_but_writes(false, &bench);
    let ended = Program::run(&mut command);
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let read = |name| fs::read_to_string(folder.file(name)).unwrap();
    let asked = read("asked");
    assert!(asked.contains("--bench write_vs_mmap") && !asked.contains("read_vs_mmap"), "{asked}");
    assert_eq!(read("arguments"), "--bench --noplot\n");
    for told in
        ["to be measured: write_vs_mmap (full", "2 of 2 cases", "SKIPPED a thing: no reason"]
    {
        assert!(ended.stderr.contains(told), "{told}: {ended:?}");
    }
    assert!(folder.file("out/index.html").exists());
}

pub fn quick_results_are_enough_for_quick_and_for_nothing_else() {
    let asked = |quick: bool, arguments: &[&str]| {
        let (folder, mut command) = all_but_writes(quick, LIST);
        let ended = Program::run(command.args(arguments));
        // This cargo builds one bench only.
        let ended_early = ended.stderr.contains("has built no bench named");
        let asked = fs::read_to_string(folder.file("asked")).unwrap();
        assert_eq!(ended_early, asked.contains("read_vs_mmap"), "{ended:?}");
        asked.matches("--bench ").count()
    };
    assert_eq!(asked(true, &["--quick"]), 1);
    assert_eq!(asked(false, &["--quick"]), 1);
    assert_eq!(asked(true, &[]), 5);
}

pub fn results_of_an_older_program_are_measured_again() {
    let (folder, mut command) = all_but_writes(false, LIST);
    // Whole and of one run, but for the program.
    let mut all = records(MIXED);
    all.retain(|record| record.run.bench == "page_faults");
    let mut runs = runs(&all);
    let older = |run: &mut Run| run.program = "0.0.1+1".into();
    for record in &mut all {
        record.machine = Machine::this();
        older(&mut record.run);
    }
    for run in &mut runs {
        run.machine = Machine::this();
        older(&mut run.run);
    }
    write(&folder.file("results"), &all, &runs);
    let path = folder.file("results/own_cost.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace(PROGRAM, "0.0.1+1")).unwrap();
    let ended = Program::run(&mut command);
    let told = "to be measured: write_vs_mmap, page_faults, own_cost (full";
    assert!(ended.stderr.contains(told), "{ended:?}");
}

/// It has no cases, but rooms.
pub fn our_own_cost_is_run_where_it_is_missing() {
    let list = "case \"$*\" in *--list*) echo 'counts: bench'; echo 'cycles: bench'; exit;; esac\n";
    let bench = format!(
        "{list}printf 'own_cost\\n\\ncounts\\n faults a round\\n\\ncycles\\n\\n2 met\\n'\n"
    );
    let (folder, mut command) = all_but_writes(false, &bench);
    fs::remove_file(folder.file("results/own_cost.json")).unwrap();
    let all = records(MIXED);
    let mut written: Vec<_> =
        all.into_iter().filter(|record| record.run.bench == "write_vs_mmap").collect();
    let mut run = runs(&written);
    written.iter_mut().for_each(|record| record.machine = Machine::this());
    run.iter_mut().for_each(|run| run.machine = Machine::this());
    write(&folder.file("results"), &written, &run);
    let built = serde_json::json!({
        "target": { "name": "own_cost" }, "executable": folder.file("bench"),
    });
    script(&folder.file("cargo"), &format!("echo '{built}'"));
    let ended = Program::run(&mut command);
    for told in ["to be measured: own_cost (full", "own_cost: 1 of 2 rooms", "own_cost: 2 rooms in"]
    {
        assert!(ended.stderr.contains(told), "{told}: {ended:?}");
    }
}

pub fn a_bench_that_fails_is_told_with_its_last_words() {
    let bench = format!("{LIST}echo 'error: no room' >&2\nexit 1\n");
    let (folder, mut command) = all_but_writes(false, &bench);
    let ended = Program::run(&mut command);
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    assert!(ended.stderr.contains("error: no room\nwrite_vs_mmap failed"), "{ended:?}");
    assert!(!folder.file("out").exists(), "an unfinished report would be taken for one");
}

pub fn a_signal_ends_the_bench_too() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let bench = format!("{LIST}echo $$ > \"$CRITERION_HOME/../pid\"\nexec sleep 1000\n");
        let (folder, mut command) = all_but_writes(false, &bench);
        let program = Program::start(&mut command);
        let pid = loop {
            let pid = fs::read_to_string(folder.file("pid")).unwrap_or_default();
            if let Ok(pid) = pid.trim().parse::<u32>() {
                break pid;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        };
        program.signal(signal);
        let ended = program.finish();
        use std::os::unix::process::ExitStatusExt;
        assert_eq!(ended.status.signal(), Some(signal as i32), "{ended:?}");
        assert!(!Path::new(&format!("/proc/{pid}")).exists(), "the bench goes on");
    }
}
