//! Results that nobody has measured, made up for the tests: what would the report say if …?

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use benches::counts::{Faults, SystemCalls};
use benches::machine::Machine;
use benches::report::scene::{BENCHES, SCENES};
use benches::results::{
    Counts, Id, Measured, PROGRAM, Record, Run, RunRecord, SCHEMA, Where, Work, write_case,
    write_run,
};
use benches::turns::Spread;

pub const SIZES: [u64; 4] = [64 << 10, 1 << 20, 64 << 20, 1 << 30];
/// The day of all runs, unless a test says otherwise.
pub const DAY: u64 = 1_795_000_000;

/// The ratio of a contender at a size: lower, median, upper.
pub type Ratio = fn(function: &str, size: u64) -> [f64; 3];

pub const FASTER: Ratio = |_, _| [0.48, 0.5, 0.52];
pub const SLOWER: Ratio = |_, _| [3.9, 4.0, 4.2];
pub const SAME: Ratio = |_, _| [0.98, 1.0, 1.02];
pub const NOISY: Ratio = |_, _| [0.4, 1.0, 2.5];
/// As a mapping really behaves: it loses where it is small and new, and wins where it is used again.
pub const MIXED: Ratio = |function, size| match (function.contains("reused"), size < 2 << 20) {
    (true, _) => [0.24, 0.25, 0.26],
    (false, true) => [4.5, 4.7, 4.8],
    (false, false) => [0.79, 0.82, 0.84],
};

pub fn machine() -> Machine {
    Machine {
        architecture: "x86_64".into(),
        processor: "Made up, for a test".into(),
        processors: 2,
        hypervisor: true,
        memory_bytes: 24 << 30,
        kernel: "6.18.0-test".into(),
        page_bytes: 4096,
        huge_pages: "madvise".into(),
        hugetlb_pages: 0,
    }
}

pub fn run(bench: &str) -> Run {
    Run { bench: bench.into(), started: DAY, process: 1, quick: false, program: PROGRAM.into() }
}

pub fn spread([lower, median, upper]: [f64; 3]) -> Spread {
    Spread { min: lower * 0.9, lower, median, upper, max: upper * 1.1 }
}

/// A case of a scene, against the group's first contender.
pub fn record(group: &str, function: &str, size: u64, reference: &str, ratio: [f64; 3]) -> Record {
    let bench = group.split(' ').next().unwrap_or_default();
    let reference_time = spread([0.99, 1.0, 1.01].map(|share| share * size as f64 / 10.0));
    let mmap = function.starts_with("mmap");
    let cold = group.contains("cold");
    let calls: &[(&str, u64)] = match mmap {
        true => &[("mmap", 1), ("munmap", 1)],
        false => &[("read", 17)],
    };
    let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Record {
        schema: SCHEMA,
        id: Id { group: group.into(), function: function.into(), value: size.to_string() },
        work: Work {
            bytes: size,
            varies: "bytes in the file".into(),
            labels: BTreeMap::from([
                label("page cache", if cold { "cold" } else { "warm" }),
                label("bytes in a page", "4096"),
            ]),
        },
        measured: Measured {
            reference: reference.into(),
            ratio: spread(ratio),
            time: spread(ratio.map(|ratio| ratio * size as f64 / 10.0)),
            reference_time,
            floor_is: "made up".into(),
            floor: spread([300.0, 310.0, 320.0]),
            pairs: 80,
            again: 0,
            unsettled: 0,
            interrupted: 0,
            each: vec![[ratio[1] * size as f64 / 10.0, size as f64 / 10.0]; 80],
        },
        counts: Counts {
            faults: Faults { minor: if mmap { size >> 16 } else { 0 }, major: u64::from(cold) },
            faults_range: None,
            system_calls: SystemCalls::Counted(
                calls.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
            ),
            of: "the process".into(),
        },
        place: Some(Where { folder: "/made/up".into(), file_system: "ext4".into() }),
        run: run(bench),
        machine: machine(),
    }
}

/// All that the report can show, with these ratios for everybody but the references.
pub fn records(ratio: Ratio) -> Vec<Record> {
    let mut records = Vec::new();
    for scene in &SCENES {
        let reference = match (scene.group.contains("random"), scene.group.starts_with("read")) {
            (true, _) => "pread",
            (_, true) => "read, 64 KiB",
            _ => "write",
        };
        for size in SIZES {
            records.push(record(scene.group, reference, size, reference, [0.99, 1.0, 1.01]));
            let judged = scene.judged.iter().map(|(function, _)| function);
            let mut functions: Vec<_> = scene.plotted.iter().chain(judged).collect();
            functions.sort_unstable();
            functions.dedup();
            for function in functions {
                let ratio = ratio(function, size);
                records.push(record(scene.group, function, size, reference, ratio));
            }
        }
    }
    records.extend(others());
    records
}

/// What no verdict is about: passes, faults, messages.
fn others() -> Vec<Record> {
    let mut records = Vec::new();
    for size in ["64 KiB", "1 MiB", "64 MiB"] {
        for passes in [1, 2, 4, 8, 16, 32] {
            let group = format!("read_vs_mmap many passes, {size}");
            let ratio = 2.0 / passes as f64 + 0.3;
            let ratio = [ratio * 0.95, ratio, ratio * 1.05];
            let mut case = record(&group, "mmap, fresh", passes, "read, 64 KiB", ratio);
            case.work.varies = "passes".into();
            let bytes = benches::settings::parse_size(size).unwrap();
            case.work.labels.insert("bytes in the file".into(), bytes.to_string());
            records.push(case);
        }
    }
    let kinds = [
        "anonymous, store",
        "anonymous, MADV_HUGEPAGE, store",
        "file, load",
        "file, store to clean pages",
        "file, MAP_PRIVATE, store",
        "System V, new segment, store",
    ];
    for (at, kind) in kinds.into_iter().enumerate() {
        let ratio = 0.1 * (at + 1) as f64;
        let ratio = [ratio * 0.9, ratio, ratio * 1.2];
        records.push(record("page_faults first touch", kind, 64 << 20, kinds[0], ratio));
    }
    for step in [1, 2, 4, 8, 16, 32, 64] {
        let mut case =
            record("page_faults fault-around", "file, load", step, "file, load", [0.9, 1.0, 1.1]);
        (case.work.varies, case.work.bytes) =
            ("a look at every so manieth page".into(), (16 << 20) / step);
        case.counts.faults = Faults { minor: 256.min(4096 / step), major: 0 };
        records.push(case);
    }
    for kind in
        ["mprotect twice, no neighbour", "mprotect twice, merging", "segv-guard, store mended"]
    {
        let mprotect = "mprotect twice, no neighbour";
        records.push(record(
            "page_faults mprotect and SIGSEGV",
            kind,
            1,
            mprotect,
            [0.9, 1.0, 1.1],
        ));
    }
    let carriers =
        ["two cache lines", "mapped file, looking", "sysv-shm, semaphores", "pipe", "unix socket"];
    for group in ["message_round_trip across two cores", "message_round_trip on one core"] {
        for (at, carrier) in carriers.into_iter().enumerate() {
            for size in [64, 1024, 65_536] {
                let ratio = 10_f64.powi(at as i32);
                let ratio = [ratio * 0.8, ratio, ratio * 1.5];
                let mut case = record(group, carrier, size, carriers[0], ratio);
                case.counts.of = "the asking one of two processes".into();
                records.push(case);
            }
        }
    }
    records
}

/// The runs that these cases are of.
pub fn runs(records: &[Record]) -> Vec<RunRecord> {
    let of = |bench: &&str| records.iter().filter(|record| record.run.bench == **bench).count();
    let run = |bench: &&str| RunRecord {
        schema: SCHEMA,
        run: run(bench),
        seconds: 60.0,
        cases: of(bench),
        filtered: false,
        skipped: Vec::new(),
        machine: machine(),
    };
    BENCHES.iter().filter(|bench| of(bench) > 0).map(run).collect()
}

/// As they would lie in criterion's folder.
pub fn write(home: &Path, records: &[Record], runs: &[RunRecord]) {
    for record in records {
        write_one(home, record);
    }
    for run in runs {
        write_run(home, run).unwrap();
    }
}

/// Both halves of a case; where its `case.json` is.
pub fn write_one(home: &Path, record: &Record) -> PathBuf {
    let path = write_case(home, record).unwrap();
    let Id { group, function, value } = &record.id;
    let theirs = serde_json::json!({
        "group_id": group, "function_id": function, "value_str": value,
    });
    let Spread { lower, median, upper, .. } = record.measured.time;
    let estimate = serde_json::json!({
        "point_estimate": median,
        "confidence_interval": { "lower_bound": lower, "upper_bound": upper },
    });
    let estimates = serde_json::json!({ "median": estimate, "mean": estimate });
    fs::write(path.with_file_name("benchmark.json"), theirs.to_string()).unwrap();
    fs::write(path.with_file_name("estimates.json"), estimates.to_string()).unwrap();
    path
}
