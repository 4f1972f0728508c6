//! What our crates cost that can be counted, and so has to be exact: system calls and page faults as
//! by hand; and that valgrind counts the same instructions each time. (How many there may be, and how
//! long anything may take, the bench `own_cost` says.)

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitCode};

use benches::counts::SystemCalls;
use benches::own::{Counted, Job, On, Segment, Valgrind, Who, Work, counted, is_worker};
use mmap_file::{Access, MapOptions, open_file};
use testkit::{Case, Folder, need};

fn main() -> ExitCode {
    // valgrind starts this program once more.
    if is_worker() {
        return ExitCode::SUCCESS;
    }
    if std::env::args().nth(1).is_some_and(|first| first == TRY_TO_TRACE) {
        return try_to_trace();
    }
    let case = |name, run, needs| Case { name, run, needs };
    testkit::main(vec![
        case(
            "mapping_takes_the_system_calls_and_faults_of_libc_by_hand",
            mapping_takes_the_system_calls_and_faults_of_libc_by_hand,
            &[ptrace],
        ),
        case(
            "attaching_takes_those_of_libc_by_hand_and_one_to_know_the_size",
            attaching_takes_those_of_libc_by_hand_and_one_to_know_the_size,
            &[ptrace, need::sysv],
        ),
        case("a_call_more_would_be_noticed", a_call_more_would_be_noticed, &[ptrace]),
        case(
            "the_guard_takes_no_call_and_no_fault",
            the_guard_takes_no_call_and_no_fault,
            &[ptrace],
        ),
        case(
            "valgrind_counts_the_same_instructions_each_time",
            valgrind_counts_the_same_instructions_each_time,
            &[valgrind],
        ),
    ])
}

fn ptrace() -> Result<(), String> {
    // In a process of one thread, as the runner is not.
    let tried = Command::new(std::env::current_exe().map_err(|error| error.to_string())?)
        .arg(TRY_TO_TRACE)
        .output()
        .map_err(|error| error.to_string())?;
    let why = || String::from_utf8_lossy(&tried.stderr).trim().to_owned();
    if tried.status.success() { Ok(()) } else { Err(why()) }
}

/// The first argument of a process that says by its exit whether system calls can be counted here.
const TRY_TO_TRACE: &str = "--try-to-trace";

fn try_to_trace() -> ExitCode {
    let mut nothing: Work = Box::new(|| ());
    match counted(&mut nothing).system_calls {
        SystemCalls::Counted(_) => ExitCode::SUCCESS,
        SystemCalls::Unknown(why) => {
            // Whoever asks hears it.
            let _ = std::io::stderr().write_all(why.as_bytes());
            ExitCode::FAILURE
        }
    }
}

fn valgrind() -> Result<(), String> {
    Valgrind::find().map(drop)
}

/// A file of so many bytes, and its folder.
fn on(bytes: usize, segment: Option<&Segment>) -> (Folder, On) {
    let folder = testkit::folder();
    let path = folder.file("file");
    std::fs::write(&path, vec![7; bytes]).unwrap();
    (folder, On { file: path, segment: segment.map_or(-1, Segment::id) })
}

fn by(job: Job, who: Who, on: &On) -> Counted {
    count(job.by(who, on).unwrap())
}

fn count(mut work: Work) -> Counted {
    let mut counted = counted(&mut work);
    // With debug assertions, the standard library looks whether what it closes is open.
    if let (true, SystemCalls::Counted(calls)) = (cfg!(debug_assertions), &mut counted.system_calls)
    {
        calls.remove("fcntl");
    }
    counted
}

fn mapping_takes_the_system_calls_and_faults_of_libc_by_hand() {
    for bytes in [1, 4 << 10, 64 << 10, (1 << 20) + 1] {
        let (_folder, on) = on(bytes, None);
        for (job, calls) in [
            (Job::Touch, 5),
            (Job::Map, 3),
            (Job::ReadFresh, 5),
            (Job::ReadReused, 0),
            (Job::Sync, 1),
        ] {
            let (ours, theirs) = (by(job, Who::Ours, &on), by(job, Who::Bare, &on));
            assert_eq!(ours, theirs, "{job:?} of {bytes} bytes");
            assert_eq!(ours.system_calls.total(), Some(calls), "{job:?} of {bytes} bytes");
        }
    }
}

fn attaching_takes_those_of_libc_by_hand_and_one_to_know_the_size() {
    let segment = Segment::new(64 << 10).unwrap();
    let (_folder, on) = on(1, Some(&segment));
    let (ours, theirs) = (by(Job::Attach, Who::Ours, &on), by(Job::Attach, Who::Bare, &on));
    assert_eq!(ours, theirs);
    // A segment's size is known to the kernel alone, and an id may come to mean another segment as
    // long as nobody is attached: without this call the view would end anywhere.
    let careless = by(Job::Attach, Who::Careless, &on).system_calls;
    assert_eq!(ours.system_calls.total(), careless.total().map(|total| total + 1));
}

/// The twin: the way of two steps, each of which looks at what kind of file it is.
fn a_call_more_would_be_noticed() {
    let (_folder, on) = on(4 << 10, None);
    let path = on.file.clone();
    let two_steps = move || {
        let file = open_file(&path, Access::Read).unwrap();
        let mapping = MapOptions::new().map(file).unwrap();
        mapping.view().unwrap().read(0, &mut [0]).unwrap();
    };
    let (more, ours) = (count(Box::new(two_steps)), by(Job::Touch, Who::Ours, &on));
    assert_eq!(more.faults, ours.faults);
    assert_ne!(more.system_calls, ours.system_calls);
    assert_eq!(more.system_calls.total(), ours.system_calls.total().map(|total| total + 1));
    // And a fault more: a page further on than the kernel maps around the first.
    let far = touch_twice(&on.file, 1 << 20);
    assert_eq!(far.faults.minor, ours.faults.minor + 1);
}

fn touch_twice(file: &Path, bytes: usize) -> Counted {
    std::fs::write(file, vec![7; bytes]).unwrap();
    let file = File::open(file).unwrap();
    count(Box::new(move || {
        let mapping = MapOptions::new().map(&file).unwrap();
        let view = mapping.view().unwrap();
        view.read(0, &mut [0]).unwrap();
        view.read(bytes - 1, &mut [0]).unwrap();
    }))
}

fn the_guard_takes_no_call_and_no_fault() {
    let (_folder, on) = on(64 << 10, None);
    for job in [Job::Touch, Job::Map, Job::ReadFresh, Job::ReadReused] {
        assert_eq!(by(job, Who::Ours, &on), by(job, Who::Unguarded, &on), "{job:?}");
    }
}

fn valgrind_counts_the_same_instructions_each_time() {
    let (_folder, on) = on(4 << 10, None);
    let valgrind = Valgrind::find().unwrap();
    let touch = |who| valgrind.count(Job::Touch, who, &on).unwrap();
    let once = touch(Who::Ours);
    // The start of a process differs by a few instructions, of which a round has its share.
    let same = |one: f64, other: f64| (one - other).abs() < 0.5;
    assert!(same(once, touch(Who::Ours)), "{once}, and then another number");
    assert!(same(0.0, valgrind.count(Job::Nothing, Who::Ours, &on).unwrap()));
    // By hand it is a handful of instructions around five calls.
    let by_hand = touch(Who::Bare);
    assert!(10.0 < by_hand && by_hand < once, "{by_hand} by hand, {once} by us");
}
