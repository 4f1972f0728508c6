//! The commands that put faults to use: what they print against what others say of it.

use std::fs;
use std::process::{Command, Stdio};

use segv_guard::install;
use segv_guard::uses::{Backend, WriteTracker};
use serde_json::Value;
use testkit::{Finished, Program, need};

testkit::cases! {
    all needs testkit::need::native;
    an_overflow_is_reported_at_its_byte_and_changes_a_plain_neighbour;
    the_fault_of_an_overflow_is_the_one_that_strace_sees needs need::strace;
    a_guarded_writer_dies_alone_as_it_does_before_an_audience;
    the_overflow_reads_as_well_as_it_parses;
    pages_are_filled_when_they_are_touched_and_only_then;
    lazy_faults_once_for_each_page_it_fills needs need::strace;
    lazy_says_which_pages_there_are;
    dirty_finds_the_pages_that_were_written_and_no_others;
    by_faults_each_page_costs_one_signal_a_round needs need::strace;
    the_kernel_finds_the_same_pages_without_a_signal needs need::strace, kernel_marks;
    where_the_kernel_has_no_marks_it_is_said;
    the_drawing_is_what_the_numbers_say;
    wrong_usage_is_exit_code_2;
    a_closed_pipe_is_no_error;
    colours_are_for_terminals needs script;
}

fn segv_guard(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_segv-guard"));
    command.args(arguments);
    command
}

fn run(arguments: &[&str]) -> Finished {
    Program::run(&mut segv_guard(arguments))
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn numbers(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect()
}

/// The output, and the lines of strace about SIGSEGV in it and its children.
fn under_strace(arguments: &[&str]) -> (String, Vec<String>) {
    let folder = testkit::folder();
    let log = folder.file("log");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", "trace=none", "-e", "signal=SIGSEGV", "-o"]).arg(&log);
    strace.arg(env!("CARGO_BIN_EXE_segv-guard")).args(arguments);
    let printed = Program::run(&mut strace).ok();
    let log = fs::read_to_string(log).unwrap();
    let signals = log.lines().filter(|line| line.contains("{si_signo=SIGSEGV"));
    (printed, signals.map(str::to_owned).collect())
}

fn kernel_marks() -> Result<(), String> {
    let tracker = WriteTracker::with(install().unwrap(), 1, Backend::Kernel);
    tracker.map(drop).map_err(|error| error.to_string())
}

fn script() -> Result<(), String> {
    match Command::new("script").arg("--version").output() {
        Ok(output) if output.status.success() => Ok(()),
        _ => Err("there is no script(1) to make a terminal with".into()),
    }
}

/// What a deed should do, by C's own rules: the first byte past the end, the neighbour behind.
const DEEDS: [(&str, Option<u64>, &str, &str); 4] = [
    ("fits", None, "balance 00000042", "pay 100 crowns"),
    ("one-too-many", Some(16), "balance 00000042", r"\x00ay 100 crowns"),
    ("index", Some(20), "balance 00000042", "pay 900 crowns"),
    ("in-front", None, "balance 00000049", "pay 100 crowns"),
];

fn an_overflow_is_reported_at_its_byte_and_changes_a_plain_neighbour() {
    let seen = json(&run(&["overflow", "--json"]).ok());
    let writes = seen["writes"].as_array().unwrap();
    assert_eq!(writes.len(), DEEDS.len());
    for (write, (name, byte, in_front, behind)) in writes.iter().zip(DEEDS) {
        assert_eq!(write["name"], name);
        let told = &write["plain"]["told"];
        assert_eq!(
            (&told["in_front"]["after"], &told["behind"]["after"]),
            (&in_front.into(), &behind.into())
        );
        assert_eq!(told["behind"]["before"], "pay 100 crowns");
        assert_eq!(write["plain"]["end"]["exit_code"], 0);
        let (fatal, noted) = (&write["fatal"], &write["noted"]);
        assert_eq!(noted["end"]["exit_code"], 0, "{noted}");
        let Some(byte) = byte else {
            assert!(fatal["fault"].is_null() && fatal["end"]["exit_code"] == 0, "{fatal}");
            assert!(noted["told"]["overflow"].is_null(), "{noted}");
            continue;
        };
        assert_eq!(fatal["end"]["signal"], "SIGSEGV", "{fatal}");
        assert_eq!(noted["told"]["overflow"]["offset"], byte, "{noted}");
        // The buffer ends where a page ends: so far past it is the address in its page.
        let address = fatal["fault"]["address"].as_str().unwrap().trim_start_matches("0x");
        let address = u64::from_str_radix(address, 16).unwrap();
        assert_eq!(address % 4096, byte - 16, "{fatal}");
        let sentence = fatal["fault"]["sentence"].as_str().unwrap();
        let words = if byte == 16 { "just past the end" } else { "4 bytes past the end" };
        assert!(sentence.contains(&format!("{words} of a 16-byte buffer")), "{sentence}");
    }
}

fn the_fault_of_an_overflow_is_the_one_that_strace_sees() {
    let (printed, signals) = under_strace(&["overflow", "--json"]);
    for write in json(&printed)["writes"].as_array().unwrap() {
        let fault = &write["fatal"]["fault"];
        if let (Some(address), Some(code)) = (fault["address"].as_str(), fault["code"].as_str()) {
            let told = format!("si_code={code}, si_addr={address}}}");
            // Once for the handler, and once more with nobody to catch it.
            assert_eq!(
                signals.iter().filter(|line| line.contains(&told)).count(),
                2,
                "{signals:?}"
            );
        }
    }
    // Two fatal ones, twice each, and two that were noted.
    assert_eq!(signals.len(), 6, "{signals:?}");
}

fn a_guarded_writer_dies_alone_as_it_does_before_an_audience() {
    use std::os::unix::process::ExitStatusExt;
    for (name, byte, ..) in DEEDS {
        let alone = run(&["overflow-writer", name, "--buffer", "fatal"]);
        assert_eq!(alone.status.signal(), byte.map(|_| 11), "{name}: {alone:?}");
        assert!(alone.stderr.is_empty(), "{alone:?}");
        run(&["overflow-writer", name, "--buffer", "noted"]).ok();
        run(&["overflow-writer", name]).ok();
    }
}

fn the_overflow_reads_as_well_as_it_parses() {
    let printed = run(&["overflow"]).ok();
    let mut rest = &printed[..];
    for words in [
        "A plain buffer",
        r#"behind: "pay 100 crowns" became "\x00ay 100 crowns", and nothing was said"#,
        r#"became "pay 900 crowns""#,
        "may not be touched",
        "just past the end of a 16-byte buffer",
        "killed by SIGSEGV",
        "4 bytes past the end of a 16-byte buffer",
        "killed by SIGSEGV",
        "is noted",
        "byte 16 of a 16-byte buffer was written: just past its end",
        "ended with exit code 0",
        "byte 20 of a 16-byte buffer was written: 4 bytes past its end",
        "it cannot see",
    ] {
        let at = rest.find(words).unwrap_or_else(|| panic!("{words:?} is not in order: {printed}"));
        rest = &rest[at + words.len()..];
    }
}

fn pages_are_filled_when_they_are_touched_and_only_then() {
    let touched = [5, 6, 5, 300];
    let words = ["lazy", "--json", "--mib", "64", "--touch", "5", "--touch", "6", "--touch", "5"];
    let seen = json(&run(&[&words[..], &["--touch", "300"]].concat()).ok());
    let size = seen["page_size"].as_u64().unwrap();
    assert_eq!(seen["pages"].as_u64().unwrap() * size, 64 << 20);
    assert_eq!(seen["filled"], 3);
    let mut filled = Vec::new();
    let mut last = 0;
    for (touch, page) in seen["touches"].as_array().unwrap().iter().zip(touched) {
        assert_eq!(
            (&touch["page"], &touch["found"]),
            (&page.into(), &format!("this is page {page}").into())
        );
        let fillings = touch["fillings"].as_array().unwrap();
        let first = !filled.contains(&page);
        assert_eq!(fillings.len(), usize::from(first), "{touch}");
        let (at, took) = (touch["at_ns"].as_u64().unwrap(), touch["took_ns"].as_u64().unwrap());
        assert!(at >= last);
        last = at + took;
        for filling in fillings {
            assert_eq!((&filling["page"], &filling["thread"]), (&page.into(), &"pager".into()));
            let when = filling["at_ns"].as_u64().unwrap();
            assert!((at..=last).contains(&when), "during the touch: {touch}");
        }
        filled.push(page);
    }
    assert_eq!(seen["before"]["range_rss_bytes"], 0);
    let after = seen["after"]["range_rss_bytes"].as_u64().unwrap();
    // Where shared memory comes in huge pages, more is in memory than was asked for.
    let huge = fs::read_to_string("/sys/kernel/mm/transparent_hugepage/shmem_enabled");
    let small = huge.is_ok_and(|text| text.contains("[never]") || text.contains("[advise]"));
    assert!(if small { after == 3 * size } else { after >= 3 * size }, "{after}");
}

fn lazy_faults_once_for_each_page_it_fills() {
    let (printed, signals) = under_strace(&["lazy", "--json", "--mib", "8"]);
    assert_eq!(json(&printed)["filled"], signals.len(), "{signals:?}");
    assert_eq!(signals.len(), 4);
}

fn lazy_says_which_pages_there_are() {
    let printed = run(&["lazy"]).ok();
    let size = ipc_common::PageSize::system().bytes();
    let pages = (1 << 30) / size;
    assert!(printed.contains(&format!("{pages} pages of {size} bytes")), "{printed}");
    assert!(printed.contains("0 KiB of the range in memory"), "{printed}");
    assert!(printed.contains(&format!("filled       4 of {pages} pages")), "{printed}");
    assert_eq!(printed.matches("no fill").count(), 1, "{printed}");
    assert_eq!(
        run(&["lazy", "--mib", "1", "--touch", &((1 << 20) / size - 1).to_string()]).code(),
        Some(0)
    );
    assert_eq!(
        run(&["lazy", "--mib", "1", "--touch", &((1 << 20) / size).to_string()]).code(),
        Some(2)
    );
}

fn dirty_finds_the_pages_that_were_written_and_no_others() {
    let rounds = ["--round", "3,8-11", "--round", "3", "--round", "0,63,0"];
    let expected = [&[3, 8, 9, 10, 11][..], &[3], &[0, 63]];
    let seen = json(&run(&[&["dirty", "--json"][..], &rounds].concat()).ok());
    let backends = seen["backends"].as_object().unwrap();
    assert_eq!(backends.contains_key("kernel"), kernel_marks().is_ok());
    assert_eq!(seen["kernel_missing"].is_null(), kernel_marks().is_ok());
    let rounds = seen["rounds"].as_array().unwrap();
    assert_eq!(rounds.len(), expected.len());
    for (round, expected) in rounds.iter().zip(expected) {
        assert!(backends.contains_key("faults"));
        for name in backends.keys() {
            assert_eq!(numbers(&round[name]["written"]), expected, "{name}: {round}");
        }
    }
}

fn by_faults_each_page_costs_one_signal_a_round() {
    let words =
        ["dirty", "--json", "--backend", "faults", "--round", "1,1,2", "--round", "2,40-49"];
    let (_, signals) = under_strace(&words);
    assert_eq!(signals.len(), 2 + 11, "{signals:?}");
    assert!(signals.iter().all(|line| line.contains("SEGV_ACCERR")), "{signals:?}");
}

fn the_kernel_finds_the_same_pages_without_a_signal() {
    let words = ["dirty", "--json", "--backend", "kernel", "--round", "1,1,2"];
    let (printed, signals) = under_strace(&words);
    assert_eq!(numbers(&json(&printed)["rounds"][0]["kernel"]["written"]), [1, 2]);
    assert!(signals.is_empty(), "{signals:?}");
}

fn where_the_kernel_has_no_marks_it_is_said() {
    // One descriptor is enough for the libraries, and too few for userfaultfd and its pagemap.
    let short = |arguments: &str| {
        let line = format!("ulimit -n 4; exec {} {arguments}", env!("CARGO_BIN_EXE_segv-guard"));
        Program::run(Command::new("sh").args(["-c", &line]))
    };
    let printed = short("dirty --round 7").ok();
    assert!(printed.contains("kernel   not here: "), "{printed}");
    assert!(printed.contains("written: 7 "), "{printed}");
    let seen = json(&short("dirty --json --round 7").ok());
    assert!(seen["kernel_missing"].is_string() && seen["rounds"][0]["kernel"].is_null(), "{seen}");
    let alone = short("dirty --backend kernel");
    assert_eq!((alone.code(), alone.stdout.as_str()), (Some(1), ""), "{alone:?}");
    assert!(alone.stderr.starts_with("error: ") && alone.stderr.lines().count() == 1);
}

fn the_drawing_is_what_the_numbers_say() {
    let printed = run(&["dirty", "--backend", "faults"]).ok();
    let drawings: Vec<_> =
        printed.lines().filter_map(|line| line.strip_prefix("  faults   ")).skip(1).collect();
    let line = |now: &[usize], earlier: &[usize]| -> String {
        let letter = |page| match page {
            page if now.contains(&page) => 'W',
            page if earlier.contains(&page) => 'w',
            _ => '.',
        };
        (0..64).map(letter).collect()
    };
    let threads: Vec<_> = (32..48).collect();
    assert_eq!(
        drawings,
        [
            line(&[3, 63], &[]),
            line(&[3], &[63]),
            line(&[20, 21], &[3, 63]),
            line(&[], &[3, 63, 20, 21]),
            line(&threads, &[3, 63, 20, 21]),
        ],
        "{printed}"
    );
    for words in ["written: 3, 63 ", "written: 20-21 ", "written: none ", "written: 32-47 "] {
        assert!(printed.contains(words), "{words}: {printed}");
    }
}

fn wrong_usage_is_exit_code_2() {
    for arguments in [
        &["overflow", "16"][..],
        &["overflow-writer", "nonsense"],
        &["lazy", "--mib", "0"],
        &["lazy", "--mib", "65537"],
        &["lazy", "--touch", "-1"],
        &["lazy", "--touch", "999999999999"],
        &["dirty", "--round", "64"],
        &["dirty", "--round", "9-8"],
        &["dirty", "--round", ""],
        &["dirty", "--backend", "nobody"],
    ] {
        let finished = run(arguments);
        assert_eq!(finished.code(), Some(2), "{arguments:?}: {finished:?}");
        assert!(finished.stdout.is_empty() && !finished.stderr.is_empty());
    }
    let help = run(&["--help"]).ok();
    for command in ["overflow", "lazy", "dirty"] {
        assert!(help.contains(&format!("segv-guard {command} ")), "{help}");
        let of_command = run(&[command, "--help"]).ok();
        assert!(of_command.contains("Examples:") && of_command.contains("Exit codes: 0"));
    }
    assert!(!help.contains("overflow-writer"), "{help}");
}

fn a_closed_pipe_is_no_error() {
    for command in ["overflow", "lazy", "dirty"] {
        for flags in [&[][..], &["--json"]] {
            let (read, write) = std::io::pipe().unwrap();
            drop(read);
            let mut command = segv_guard(&[&[command], flags].concat());
            let output = command.stdout(write).stderr(Stdio::piped()).output().unwrap();
            assert_eq!((output.status.code(), output.stderr), (Some(0), vec![]), "{command:?}");
        }
    }
}

fn colours_are_for_terminals() {
    let shown = |environment: &[(&str, &str)]| {
        let line = format!("{} dirty --round 3", env!("CARGO_BIN_EXE_segv-guard"));
        let mut script = Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).env("TERM", "xterm").env_remove("NO_COLOR");
        Program::run(script.envs(environment.iter().copied())).stdout
    };
    assert!(!run(&["dirty"]).ok().contains('\x1b'));
    assert!(shown(&[]).contains('\x1b'));
    assert!(!shown(&[("NO_COLOR", "1")]).contains('\x1b'));
}
