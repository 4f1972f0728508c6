//! Every command as a student would run it; every deed of the tour against what others say of it.

mod support;

use std::collections::HashMap;
use std::fs;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::Value;
use support::PART;
use testkit::{Finished, Folder, Program, need};

testkit::cases! {
    all needs testkit::need::native;
    every_deed_is_reported_as_strace_sees_it needs need::strace;
    every_deed_kills_by_the_same_signal_without_any_net;
    every_deed_is_refused_for_the_reason_in_the_table;
    every_probe_returns_the_fault_of_the_plain_access;
    the_mistake_behind_a_deed_is_found;
    what_is_not_possible_here_is_named_with_a_reason;
    only_commits_what_was_asked_for;
    list_names_everything_and_commits_nothing;
    the_tour_reads_as_well_as_it_parses;
    raw_mends_a_page_once needs need::strace;
    truncate_kills_the_plain_reader_and_not_ours;
    an_interrupted_command_leaves_nothing;
    explain_tells_what_is_at_an_address;
    explain_is_about_the_process_that_was_named;
    a_process_that_is_not_there_has_a_clear_error;
    another_users_process_says_so needs need::ordinary_user;
    the_demo_tells_the_whole_story_and_leaves_nothing;
    a_closed_pipe_is_no_error;
    wrong_usage_is_exit_code_2;
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

/// The tour's own report, by name; what was not possible here is left out.
fn tour() -> HashMap<String, Value> {
    let all = json(&run(&["tour", "--json"]).ok());
    let deeds = all["deeds"].as_array().unwrap().iter();
    let committed = deeds.filter(|deed| deed["skipped"].is_null());
    committed.map(|deed| (deed["name"].as_str().unwrap().to_owned(), deed.clone())).collect()
}

/// Ended with 1 and one line of complaint that holds these words.
fn complains(finished: Finished, words: &[&str]) {
    assert_eq!(finished.code(), Some(1), "{finished:?}");
    assert!(finished.stderr.starts_with("error: ") && finished.stderr.lines().count() == 1);
    for word in words {
        assert!(finished.stderr.contains(word), "{word:?} is not in {:?}", finished.stderr);
    }
}

fn is_empty(folder: &Folder) {
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "something is left over");
}

/// Signal, code and address of each fault, in strace's words.
fn seen_by_strace(name: &str) -> (Vec<[String; 3]>, Value) {
    let folder = testkit::folder();
    let log = folder.file("log");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", "trace=none", "-e", "signal=SIGSEGV,SIGBUS", "-o"]).arg(&log);
    strace.args([env!("CARGO_BIN_EXE_segv-guard"), "tour", "--json", "--only", name]);
    let report = json(&Program::run(&mut strace).ok())["deeds"][0].clone();
    let log = fs::read_to_string(log).unwrap();
    let faults = log.lines().filter_map(|line| {
        let fields = line.split_once("{si_signo=")?.1.split_once('}')?.0;
        let mut values = fields.split(", ");
        let signal = values.next()?.to_owned();
        let code = values.next()?.strip_prefix("si_code=")?.to_owned();
        let address = values.next()?.strip_prefix("si_addr=")?.replace("NULL", "0x0");
        Some([signal, code, address])
    });
    (faults.collect(), report)
}

fn every_deed_is_reported_as_strace_sees_it() {
    for (name, deed) in tour() {
        let (seen, report) = seen_by_strace(&name);
        let word = |value: &Value| value.as_str().map(str::to_owned);
        let said = |fault: &Value| {
            let address = word(&fault["address"]).unwrap_or("0x0".into());
            [word(&fault["signal"]).unwrap(), word(&fault["code"]).unwrap(), address]
        };
        let last = said(&report["fault"]);
        // The probe, if there is one; the plain access; the same once more, which was deadly.
        let probe = &report["probe"]["fault"];
        let mut expected: Vec<_> = (!probe.is_null()).then(|| said(probe)).into_iter().collect();
        expected.extend([last.clone(), last]);
        assert_eq!(seen, expected, "{name}");
        assert_eq!(report["end"]["signal"], deed["fault"]["signal"], "{name}");
    }
}

fn every_deed_kills_by_the_same_signal_without_any_net() {
    // With another limit than usual, Rust does not know where the main thread's stack ends.
    let stack = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_STACK);
    let rust_tells = stack.is_ok_and(|(soft, _)| soft <= 8 << 20);
    for (name, deed) in tour() {
        for net in ["none", "guard"] {
            let alone = run(&["commit", &name, "--net", net]);
            let signal = alone.status.signal().and_then(|number| Signal::try_from(number).ok());
            let expected = deed["fault"]["signal"].as_str();
            // Rust's own handler is there without ours, and says more than a signal does.
            if name == "thread-stack-overflow" || name == "stack-overflow" && rust_tells {
                assert_eq!(signal, Some(Signal::SIGABRT), "{net}: {alone:?}");
                assert!(alone.stderr.contains("has overflowed its stack"), "{net}: {alone:?}");
            } else {
                assert_eq!(signal.map(Signal::as_str), expected, "{name}, {net}: {alone:?}");
                assert!(alone.stdout.is_empty() && alone.stderr.is_empty(), "{alone:?}");
            }
        }
    }
}

/// Names, or their beginnings; signal and code; the access if the name does not end with it.
#[rustfmt::skip]
const TABLE: &[(&str, &str, &str, &str)] = &[
    ("null-read",        "SIGSEGV", "SEGV_MAPERR", "read"),
    ("null-field",       "SIGSEGV", "SEGV_MAPERR", "write"),
    ("null-call",        "SIGSEGV", "SEGV_MAPERR", "execute"),
    ("failed-mmap",      "SIGSEGV", "SEGV_MAPERR", "read"),
    ("text-pointer",     "SIGSEGV", "SEGV_MAPERR", "read"),
    ("wild-",            "SIGSEGV", "SEGV_MAPERR", ""),
    ("kernel-",          "SIGSEGV", "SEGV_MAPERR", ""),
    ("freed-",           "SIGSEGV", "SEGV_MAPERR", ""),
    ("none-",            "SIGSEGV", "SEGV_ACCERR", ""),
    ("read-only-",       "SIGSEGV", "SEGV_ACCERR", ""),
    ("constant-write",   "SIGSEGV", "SEGV_ACCERR", ""),
    ("code-write",       "SIGSEGV", "SEGV_ACCERR", ""),
    ("data-call",        "SIGSEGV", "SEGV_ACCERR", ""),
    ("stack-call",       "SIGSEGV", "SEGV_ACCERR", ""),
    ("overrun",          "SIGSEGV", "SEGV_ACCERR", "write"),
    ("straddle",         "SIGSEGV", "SEGV_ACCERR", "read"),
    ("guard-",           "SIGSEGV", "SEGV_MAPERR", ""),
    ("key-read",         "SIGSEGV", "SEGV_PKUERR", ""),
    ("past-end-",        "SIGBUS",  "BUS_ADRERR",  ""),
    ("truncated-",       "SIGBUS",  "BUS_ADRERR",  ""),
    ("no-huge-page",     "SIGBUS",  "BUS_ADRERR",  "write"),
    ("stack-overflow",   "SIGSEGV", "SEGV_MAPERR", "write"),
];
/// What depends on the processor; or, for the thread's stack, on the C library.
#[rustfmt::skip]
const TABLE_X86_64: &[(&str, &str, &str, &str)] = &[
    ("non-canonical-",     "SIGSEGV", "SI_KERNEL",   "unknown"),
    ("execute-only-read",  "SIGSEGV", "SEGV_PKUERR", ""),
    ("misaligned-vector",  "SIGSEGV", "SI_KERNEL",   "unknown"),
    ("misaligned-checked", "SIGBUS",  "BUS_ADRALN",  "unknown"),
];
#[rustfmt::skip]
const TABLE_AARCH64: &[(&str, &str, &str, &str)] = &[
    ("non-canonical-",       "SIGSEGV", "SEGV_MAPERR", ""),
    ("execute-only-read",    "SIGSEGV", "SEGV_ACCERR", ""),
    ("misaligned-exclusive", "SIGBUS",  "BUS_ADRALN",  "read"),
    ("misaligned-call",      "SIGBUS",  "BUS_ADRALN",  "execute"),
];

fn every_deed_is_refused_for_the_reason_in_the_table() {
    let of_machine = if cfg!(target_arch = "x86_64") { TABLE_X86_64 } else { TABLE_AARCH64 };
    let deeds = tour();
    assert!(deeds.len() > 30, "{}", deeds.len());
    for (name, deed) in &deeds {
        let fault = &deed["fault"];
        if name == "thread-stack-overflow" {
            let codes = ["SEGV_ACCERR", "SEGV_MAPERR"].map(Value::from);
            assert!(codes.contains(&fault["code"]), "{fault}");
            continue;
        }
        let row = TABLE
            .iter()
            .chain(of_machine)
            .find(|(of, ..)| name == of || of.ends_with('-') && name.starts_with(of));
        let (_, signal, code, access) = row.unwrap_or_else(|| panic!("{name} is in no table"));
        let access = match (*access, name.rsplit('-').next()) {
            ("", Some("call")) => "execute",
            ("", Some(of_name)) => of_name,
            (access, _) => access,
        };
        let expected = [*signal, *code, access].map(Value::from);
        let seen = ["signal", "code", "access"].map(|field| fault[field].clone());
        // A kernel may leave out the syndrome, as qemu 7 does.
        let untold = cfg!(target_arch = "aarch64") && seen[2] == "unknown";
        assert!(seen == expected || untold && seen[..2] == expected[..2], "{name}: {fault}");
    }
}

fn every_probe_returns_the_fault_of_the_plain_access() {
    let mut probed = 0;
    for (name, deed) in tour() {
        let by_probe = ["-read", "-write", "-field", "-mmap", "-pointer", "overrun", "straddle"]
            .iter()
            .any(|end| name.ends_with(end));
        assert_eq!(!deed["probe"].is_null(), by_probe || name == "no-huge-page", "{name}");
        if by_probe {
            assert_eq!(deed["probe"]["fault"], deed["fault"], "{name}");
            probed += 1;
        }
    }
    assert!(probed > 15);
}

fn the_mistake_behind_a_deed_is_found() {
    let deeds = tour();
    for (name, words) in [
        ("null-read", "a null pointer was followed"),
        ("null-field", "writing 0x8: NULL plus 8: a field of a null pointer"),
        ("null-call", "a null function pointer was called"),
        ("failed-mmap", "(void *) -1: mmap or shmat failed"),
        ("text-pointer", "are the text \"hello\""),
        ("wild-read", "nothing is mapped here ("),
        ("kernel-write", "the kernel's half"),
        ("freed-write", "freed: nothing is mapped here any more; it was anonymous memory"),
        ("none-read", "mapped with no access at all (PROT_NONE)"),
        ("read-only-write", "anonymous memory is mapped read: it was made read-only"),
        ("constant-write", "of segv-guard is mapped read: writing to a constant"),
        ("code-write", "of segv-guard is mapped for execution: writing to text that is read-only"),
        ("data-call", "anonymous memory is mapped read write: this is data"),
        ("stack-call", "the stack is mapped read write: this is data"),
        ("overrun", "4 bytes past the end of a 16-byte buffer"),
        ("straddle", "just past the end of anonymous memory, in a guard page"),
        ("guard-read", "this page is guarded (MADV_GUARD_INSTALL)"),
        ("past-end-read", "as before: more was mapped than there is"),
        ("truncated-read", "page 3 lies past the end of notes.dat, which has"),
        ("truncated-write", ": someone truncated it"),
        ("read-only-file-write", "page 0 of notes.dat is mapped read: the file was mapped for"),
        ("no-huge-page", "no huge page is left"),
        ("stack-overflow", "below the end of the stack, which has overflowed"),
        ("thread-stack-overflow", "below the end of the stack, which has overflowed"),
        ("misaligned-checked", "it is no multiple of the operand's size"),
        ("misaligned-exclusive", "it is no multiple of the operand's size"),
    ] {
        // Some are for the other processor, or a newer kernel.
        let Some(deed) = deeds.get(name) else { continue };
        let sentence = deed["sentence"].as_str().unwrap();
        assert!(sentence.contains(words), "{name}: {sentence}");
    }
    let overrun = &deeds["overrun"]["fault"]["address"];
    let address = usize::from_str_radix(&overrun.as_str().unwrap()[2..], 16).unwrap();
    assert_eq!(address % 4096, 4, "buffer[20] of a buffer that ends with its page");
}

fn what_is_not_possible_here_is_named_with_a_reason() {
    let all = json(&run(&["tour", "--json"]).ok());
    let printed = run(&["tour"]).ok();
    for deed in all["deeds"].as_array().unwrap() {
        if let Some(reason) = deed["skipped"].as_str() {
            let line = format!("not committed: {} {reason}", deed["name"].as_str().unwrap());
            assert!(printed.lines().any(|found| found == line), "{line:?} in {printed}");
            assert!(deed["refused"].is_null() && deed["fault"].is_null());
        }
    }
}

fn only_commits_what_was_asked_for() {
    let two = ["tour", "--json", "--only", "null-call", "--only", "null-read"];
    let found = json(&run(&two).ok());
    let names: Vec<_> = found["deeds"].as_array().unwrap().iter().map(|d| &d["name"]).collect();
    assert_eq!(names, ["null-call", "null-read"]);
    for command in [&["tour", "--only", "nonsense"][..], &["commit", "nonsense"]] {
        let refused = run(command);
        assert_eq!(refused.code(), Some(2), "{refused:?}");
        assert!(refused.stderr.contains("\"nonsense\"") && refused.stderr.contains("--list"));
        assert!(refused.stdout.is_empty());
    }
}

fn list_names_everything_and_commits_nothing() {
    let listed = json(&run(&["tour", "--list", "--json"]).ok());
    let committed = json(&run(&["tour", "--json"]).ok());
    let names = |all: &Value| {
        let deeds = all["deeds"].as_array().unwrap().iter();
        deeds.map(|deed| deed["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&listed), names(&committed));
    let printed = run(&["tour", "--list"]).ok();
    let first: Vec<_> = printed.lines().map(|l| l.split_whitespace().next().unwrap()).collect();
    assert_eq!(first, names(&listed));
    let mut sorted = first.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), first.len(), "two deeds of the same name");
    // Nothing was committed: no child was started.
    assert!(listed["deeds"].as_array().unwrap().iter().all(|deed| deed["pid"].is_null()));
}

fn the_tour_reads_as_well_as_it_parses() {
    let printed = run(&["tour", "--only", "null-field"]).ok();
    let lines: Vec<_> = printed.lines().map(str::trim_end).collect();
    assert_eq!(
        lines,
        [
            "null-field              p->field = 1, where p is NULL",
            "  kernel     SIGSEGV, SEGV_MAPERR (1)    write    at 0x8",
            "  means      writing 0x8: NULL plus 8: a field of a null pointer",
            "  probed     Err, and it went on",
            "  uncaught   killed by SIGSEGV",
            "",
            "1 access refused",
        ]
    );
}

fn raw_mends_a_page_once() {
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

fn truncate_kills_the_plain_reader_and_not_ours() {
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

fn an_interrupted_command_leaves_nothing() {
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

/// `len` bytes of this process that a file stands behind, for others to ask about.
fn mapped_notes(folder: &Folder, len: usize) -> usize {
    use std::os::fd::AsFd;
    let path = folder.file("notes.dat");
    fs::write(&path, vec![b'x'; len]).unwrap();
    let file = fs::File::open(&path).unwrap();
    let (len, flags) =
        (std::num::NonZeroUsize::new(len).unwrap(), nix::sys::mman::MapFlags::MAP_PRIVATE);
    let read = nix::sys::mman::ProtFlags::PROT_READ;
    // SAFETY: a new mapping at an address of the kernel's choice.
    let at = unsafe { nix::sys::mman::mmap(None, len, read, flags, file.as_fd(), 0) };
    at.unwrap().as_ptr().addr()
}

fn explain_tells_what_is_at_an_address() {
    let printed = run(&["explain", "8"]).ok();
    for words in ["0x8 in process", "NULL plus 8", "SIGSEGV, SEGV_MAPERR", "of a null pointer"] {
        assert!(printed.contains(words), "{words:?} is not in {printed}");
    }
    let text = format!("{:x}", usize::from_ne_bytes(*b"hello wo"));
    assert!(run(&["explain", &text]).ok().contains("\"hello wo\""));
    let kernel = json(&run(&["explain", "--json", "0xffff800000000000"]).ok());
    assert_eq!(kernel["write"]["code"], "SEGV_MAPERR");
    assert_eq!(kernel["write"]["succeeds"], false);
    assert_eq!(kernel["mapping"], Value::Null);
}

fn explain_is_about_the_process_that_was_named() {
    let folder = testkit::folder();
    let at = mapped_notes(&folder, 2 * PART);
    let (address, pid) = (format!("{:#x}", at + PART + 5), std::process::id().to_string());
    let about = |flag: &[&str]| run(&[&["explain", &address, "--pid", &pid], flag].concat()).ok();
    let found = json(&about(&["--json"]));
    let page = ipc_common::PageSize::system().bytes();
    assert_eq!(found["place"], "notes.dat, mapped read, private");
    assert_eq!((&found["offset"], &found["page"]), (&(PART + 5).into(), &(PART / page).into()));
    assert_eq!(found["mapping"]["file_length"], 2 * PART);
    assert_eq!(found["mapping"]["start"], format!("{at:#x}"));
    assert_eq!(found["read"]["succeeds"], true);
    assert_eq!(found["write"]["code"], "SEGV_ACCERR");
    let printed = about(&[]);
    let path = folder.file("notes.dat");
    for words in [path.to_str().unwrap(), "succeeds", &format!("page {}, byte", PART / page)] {
        assert!(printed.contains(words), "{words:?} is not in {printed}");
    }
    // Somebody cuts it: the answer is another one.
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(1).unwrap();
    let cut = json(&about(&["--json"]));
    assert_eq!(
        (&cut["read"]["signal"], &cut["read"]["code"]),
        (&"SIGBUS".into(), &"BUS_ADRERR".into())
    );
    assert!(cut["read"]["sentence"].as_str().unwrap().contains("lies past the end of notes.dat"));
}

fn a_process_that_is_not_there_has_a_clear_error() {
    complains(run(&["explain", "8", "--pid", "4294967295"]), &["ESRCH", "process 4294967295"]);
}

fn another_users_process_says_so() {
    complains(run(&["explain", "8", "--pid", "1"]), &["EACCES", "process 1", "another user"]);
}

fn the_demo_tells_the_whole_story_and_leaves_nothing() {
    let folder = testkit::folder();
    let mut demo = segv_guard(&["demo"]);
    // Otherwise it would name cargo, which started this test.
    demo.env("TMPDIR", folder.path()).env_remove("CARGO_PKG_NAME");
    let printed = Program::run(&mut demo).ok();
    let mut rest = &printed[..];
    for words in [
        "1. Mended",
        "si_code 2",
        "the instruction runs again",
        "2. Caught",
        "Err: reading 0x8: nothing is mapped there (SIGSEGV, SEGV_MAPERR)",
        "goes on",
        "3. Survived",
        "plain reader    killed by SIGBUS",
        "bytes are good",
        "4. A genuine crash",
        "killed by SIGSEGV",
        "Now you: ",
    ] {
        let at = rest.find(words).unwrap_or_else(|| panic!("{words:?} is not in order: {printed}"));
        rest = &rest[at + words.len()..];
    }
    is_empty(&folder);
    // What it says can be typed, from anywhere.
    let typed = format!("{} --list", rest.trim());
    let listed = Program::run(Command::new("sh").args(["-c", &typed]).current_dir("/")).ok();
    assert!(listed.contains("null-read"), "{typed}: {listed}");
}

fn a_closed_pipe_is_no_error() {
    for arguments in [
        &["tour"][..],
        &["tour", "--list"],
        &["tour", "--json"],
        &["raw"],
        &["truncate"],
        &["explain", "8"],
        &["demo"],
    ] {
        let (read, write) = std::io::pipe().unwrap();
        drop(read);
        let folder = testkit::folder();
        let mut command = segv_guard(arguments);
        command.env("TMPDIR", folder.path()).stdout(write).stderr(Stdio::piped());
        let output = command.output().unwrap();
        assert_eq!((output.status.code(), output.stderr), (Some(0), vec![]), "{arguments:?}");
        is_empty(&folder);
    }
}

fn wrong_usage_is_exit_code_2() {
    for arguments in [
        &[][..],
        &["nonsense"],
        &["explain"],
        &["explain", "main"],
        &["explain", "-1"],
        &["explain", "+8"],
        &["explain", "0x"],
        &["explain", "12345678901234567"],
        &["explain", "8", "--pid", "me"],
        &["tour", "--only"],
    ] {
        let finished = run(arguments);
        assert_eq!(finished.code(), Some(2), "{arguments:?}: {finished:?}");
        assert!(finished.stdout.is_empty() && !finished.stderr.is_empty());
    }
    let help = run(&["--help"]).ok();
    for command in ["demo", "raw", "tour", "truncate", "explain"] {
        assert!(help.contains(command));
        assert!(run(&[command, "--help"]).ok().contains("Exit codes: 0"), "{command}");
    }
    assert!(!help.contains("commit ") && !help.contains("truncate-reader"), "{help}");
}

fn script() -> Result<(), String> {
    match Command::new("script").arg("--version").output() {
        Ok(output) if output.status.success() => Ok(()),
        _ => Err("there is no script(1) to make a terminal with".into()),
    }
}

fn colours_are_for_terminals() {
    let shown = |environment: &[(&str, &str)]| {
        let line = format!("{} tour --only null-read", env!("CARGO_BIN_EXE_segv-guard"));
        let mut script = Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).env("TERM", "xterm").env_remove("NO_COLOR");
        Program::run(script.envs(environment.iter().copied())).stdout
    };
    assert!(!run(&["tour", "--only", "null-read"]).ok().contains('\x1b'));
    assert!(shown(&[]).contains('\x1b'));
    assert!(!shown(&[("NO_COLOR", "1")]).contains('\x1b'));
    assert!(!shown(&[("TERM", "dumb")]).contains('\x1b'));
}
