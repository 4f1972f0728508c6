//! `raw` and `truncate`.

use super::*;

pub fn raw_mends_a_page_once() {
    let folder = testkit::folder();
    let log = folder.file("log");
    let mut strace = Command::new("strace");
    let calls = "trace=mprotect,rt_sigreturn";
    strace.args(["-qq", "-e", calls, "-e", "signal=SIGSEGV", "-o"]).arg(&log);
    let printed = Program::run(strace.args([env!("CARGO_BIN_EXE_segv-guard"), "raw"])).ok();
    let address = |line: &str, before: &str| {
        let rest = line.split_once(before).unwrap_or_else(|| panic!("{before:?}: {line}")).1;
        rest.chars().take_while(|c| c.is_ascii_alphanumeric()).collect::<String>()
    };
    let page = address(&printed, "mmap            ");
    assert_eq!(address(&printed, "si_code 2, si_addr "), page, "the first byte of it");
    assert!(printed.contains("no signal") && printed.ends_with("was called 1 time\n"), "{printed}");
    let protections: Vec<_> =
        printed.lines().filter_map(|l| l.trim().strip_prefix("/proc/self/maps ")).collect();
    assert_eq!(protections, ["read", "read write", "read write"]);
    // The same from outside: two calls for the page, and one signal between them.
    let log = fs::read_to_string(log).unwrap();
    let ours: Vec<_> = log.lines().filter(|line| line.contains(&page)).collect();
    assert_eq!(ours.len(), 3, "{log}");
    assert!(ours[0].starts_with("mprotect") && ours[0].contains("PROT_READ)"), "{log}");
    assert!(ours[1].contains("si_code=SEGV_ACCERR"), "{log}");
    assert!(ours[2].contains("PROT_READ|PROT_WRITE)"), "{log}");
}

pub fn truncate_kills_the_plain_reader_and_not_ours() {
    let folder = testkit::folder();
    let printed = Program::run(segv_guard(&["truncate"]).env("TMPDIR", folder.path())).ok();
    let page = ipc_common::PageSize::system().bytes();
    for words in [
        &format!("plain reader    killed by {}", Signal::SIGBUS)[..],
        &format!("guarded reader  Err: {} of {} bytes are good", 2 * page, 4 * page),
        &format!(
            "page 2 lies past the end of notes.dat, which has {} bytes and had {}: someone \
             truncated it",
            page + page / 2,
            4 * page
        ),
        "guarded reader  ended with exit code 0",
        &format!("the last {} of the good ones are zeros", page / 2),
    ] {
        assert!(printed.contains(words), "{words:?} is not in {printed}");
    }
    is_empty(&folder);
}

pub fn an_interrupted_command_leaves_nothing() {
    for (command, signal) in [
        ("truncate", Signal::SIGINT),
        ("demo", Signal::SIGTERM),
        ("tour", Signal::SIGINT),
        ("demo", Signal::SIGHUP),
    ] {
        for round in 0..testkit::soak(5, 100) {
            let folder = testkit::folder();
            let mut command = segv_guard(&[command]);
            // As a terminal would: to the whole group, the children among them.
            let mut program = Program::start(command.env("TMPDIR", folder.path()).process_group(0));
            (0..round % 5).for_each(|_| drop(program.line()));
            let group = Pid::from_raw(program.pid().cast_signed());
            // It may have come to its end before the signal.
            let _ = killpg(group, signal);
            let finished = program.finish();
            let by_signal = finished.status.signal() == Some(signal as i32);
            assert!(by_signal || finished.status.success(), "{finished:?}");
            assert!(finished.stderr.is_empty(), "{finished:?}");
            is_empty(&folder);
        }
    }
}
