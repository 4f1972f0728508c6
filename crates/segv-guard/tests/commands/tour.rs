//! `tour`: each deed against strace, a table and the plain access.

use super::*;

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

pub fn every_deed_is_reported_as_strace_sees_it() {
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

pub fn every_deed_kills_by_the_same_signal_without_any_net() {
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

pub fn every_deed_is_refused_for_the_reason_in_the_table() {
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

pub fn every_probe_returns_the_fault_of_the_plain_access() {
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

pub fn the_mistake_behind_a_deed_is_found() {
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

pub fn what_is_not_possible_here_is_named_with_a_reason() {
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

pub fn only_commits_what_was_asked_for() {
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

pub fn list_names_everything_and_commits_nothing() {
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

pub fn the_tour_reads_as_well_as_it_parses() {
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
