//! `dirty`: what it prints against what was written, and against what strace says of it.

use segv_guard::install;
use segv_guard::uses::{Backend, WriteTracker};

use super::*;

pub fn kernel_marks() -> Result<(), String> {
    let tracker = WriteTracker::with(install().unwrap(), 1, Backend::Kernel);
    tracker.map(drop).map_err(|error| error.to_string())
}

fn numbers(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect()
}

pub fn dirty_finds_the_pages_that_were_written_and_no_others() {
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

pub fn by_faults_each_page_costs_one_signal_a_round() {
    let words =
        ["dirty", "--json", "--backend", "faults", "--round", "1,1,2", "--round", "2,40-49"];
    let (_, signals) = under_strace(&words);
    assert_eq!(signals.len(), 2 + 11, "{signals:?}");
    assert!(signals.iter().all(|line| line.contains("SEGV_ACCERR")), "{signals:?}");
}

pub fn the_kernel_finds_the_same_pages_without_a_signal() {
    let words = ["dirty", "--json", "--backend", "kernel", "--round", "1,1,2"];
    let (printed, signals) = under_strace(&words);
    assert_eq!(numbers(&json(&printed)["rounds"][0]["kernel"]["written"]), [1, 2]);
    assert!(signals.is_empty(), "{signals:?}");
}

pub fn where_the_kernel_has_no_marks_it_is_said() {
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

pub fn the_drawing_is_what_the_numbers_say() {
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
