//! Do the counts count, and nothing else?

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;

use benches::counts::{SystemCalls, system_calls};
use benches::raw::Map;
use benches::watch::faults;
use benches::{Watch, Work};
use ipc_common::PageSize;

fn counted(calls: &[(&str, u64)]) -> SystemCalls {
    SystemCalls::Counted(calls.iter().map(|(name, count)| ((*name).into(), *count)).collect())
}

/// So many reads, in two parts, among other calls that are not to be counted.
fn reads(file: &File, first: u64, second: u64) -> impl FnMut(&mut Watch, u64) {
    let read = |file: &File| file.read_exact_at(&mut [0; 8], 0).expect("it can be read");
    move |watch, rounds| {
        for _ in 0..rounds {
            read(file);
            watch.on(|| (0..first).for_each(|_| read(file)));
            nix::unistd::getppid();
            watch.on(|| {
                (0..second).for_each(|_| read(file));
                nix::unistd::getppid();
            });
            read(file);
        }
    }
}

pub fn exactly_the_calls_between_the_marks_are_counted() {
    let file = File::open("/proc/self/exe").expect("/proc is mounted");
    for (first, second) in [(0, 0), (3, 4), (100, 1)] {
        let expected: &[(&str, u64)] = match first + second {
            0 => &[("getppid", 1)],
            reads => &[("getppid", 1), ("pread64", reads)],
        };
        let work: &mut Work<'_> = &mut reads(&file, first, second);
        assert_eq!(system_calls(work), counted(expected));
    }
    // The wrong twin: one read more is another number.
    assert_ne!(system_calls(&mut reads(&file, 3, 5)), counted(&[("getppid", 1), ("pread64", 7)]));
}

pub fn faults_are_those_of_the_part_that_counts() {
    let page = PageSize::system().bytes();
    let touch = |map: &Map, pages: usize| {
        // SAFETY: all of it is ours and writable.
        unsafe { benches::raw::store_each(map.start(), pages * page, page) };
    };
    let mut work = |watch: &mut Watch, _: u64| {
        let map = Map::anonymous(64 * page, libc::MAP_PRIVATE).expect("there is memory");
        map.advise(libc::MADV_NOHUGEPAGE).unwrap_or_default();
        touch(&map, 10);
        watch.on(|| touch(&map, 30));
        touch(&map, 64);
    };
    // The code itself is in a file, too, and comes in by faults the first time.
    faults(&mut work);
    let counted = faults(&mut work);
    assert_eq!((counted.minor, counted.major), (20, 0), "30 pages, 10 of them there already");
}

pub fn a_signal_that_the_work_handles_reaches_it() {
    let guard = segv_guard::install().expect("nothing forbids sigaction here");
    let mut work = |watch: &mut Watch, _: u64| {
        // SAFETY: no Rust value is at null.
        let read = watch.on(|| unsafe { guard.read_byte(std::ptr::null()) });
        assert!(read.is_err());
    };
    assert_eq!(system_calls(&mut work), counted(&[("rt_sigreturn", 1)]));
}

pub fn work_that_fails_in_the_child_makes_the_number_unknown() {
    let fails: [fn(); 3] = [
        || panic!("to be seen"),
        // SAFETY: it never returns.
        || unsafe { libc::_exit(3) },
        || nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL).unwrap_or_default(),
    ];
    for fail in fails {
        let counted = system_calls(&mut |watch: &mut Watch, _: u64| watch.on(fail));
        let SystemCalls::Unknown(why) = counted else { panic!("{counted}") };
        assert!(why.contains("the traced child failed"), "{why}");
    }
}

pub fn where_ptrace_is_refused_the_number_is_unknown_and_the_reason_told() {
    let file = File::open("/proc/self/exe").expect("/proc is mounted");
    forbid_ptrace();
    let counted = system_calls(&mut reads(&file, 1, 1));
    assert!(counted.to_string().starts_with("unknown, because ptrace is refused"), "{counted}");
    assert_eq!(counted.total(), None);
    let json = serde_json::to_value(&counted).expect("it is plain data");
    let map: BTreeMap<String, String> = serde_json::from_value(json).expect("one name and a text");
    assert!(map.contains_key("unknown"));
}

/// From now on ptrace(2) is EPERM for this process and its children, as some sandboxes have it.
fn forbid_ptrace() {
    let instruction =
        |code: u32, k: u32, jt: u8, jf: u8| libc::sock_filter { code: code as u16, jt, jf, k };
    let ptrace = u32::try_from(libc::SYS_ptrace).expect("it is small");
    let mut filter = [
        // The number of the call is the first thing that a filter is given.
        instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, ptrace, 0, 1),
        instruction(
            libc::BPF_RET | libc::BPF_K,
            libc::SECCOMP_RET_ERRNO | libc::EPERM as u32,
            0,
            0,
        ),
        instruction(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW, 0, 0),
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: numbers, and a program that lives until the calls return.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        let mode = libc::SECCOMP_MODE_FILTER;
        assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const program), 0);
    }
}
