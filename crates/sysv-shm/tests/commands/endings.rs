//! Signals, closed pipes, terminals, the demo, and a full system.

use super::*;

pub fn signals_end_every_waiting_command_and_show_in_the_exit_status() {
    let note = Note::new();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let waiting = note.start(&["read", "--follow"]);
        let mut writer = note.start(&["write"]);
        writer.line_with("attached");
        until("both are attached", || note.attached() == 2);
        for program in [waiting, writer] {
            program.signal(signal);
            assert_eq!(program.finish().status.signal(), Some(signal as i32));
        }
        assert_eq!(note.attached(), 0);
        assert!(!sysv_shm::Lock::open(note.0).unwrap().state().unwrap().held);
    }
}

pub fn a_closed_pipe_ends_a_command_in_silence() {
    let note = Note::new();
    note.run(&["write", "--size", "100000", &"x".repeat(99_000)]).ok();
    let key = note.0.to_string();
    for arguments in
        [&["list"][..], &["limits"], &["read", "--key", &key], &["status", "--key", &key]]
    {
        let mut command = Command::new(OURS);
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut started = command.spawn().unwrap();
        drop(started.stdout.take());
        let ended = started.wait_with_output().unwrap();
        assert!(ended.status.success() && ended.stderr.is_empty(), "{arguments:?}: {ended:?}");
    }
}

pub fn wrong_usage_is_exit_code_2() {
    for arguments in [
        &[][..],
        &["nothing"],
        &["read", "--key", "0"],
        &["read", "--key", "7", "--path", "/"],
        &["read", "--count", "1"],
        &["read", "--follow", "--count", "0"],
        &["write", "--mode", "888", "x"],
        &["write", "--size", "many", "x"],
        &["key", "/", "0"],
    ] {
        let finished = Program::run(Command::new(OURS).args(arguments));
        assert_eq!(finished.code(), Some(2), "{arguments:?}: {finished:?}");
        assert!(!finished.stderr.is_empty() && finished.stdout.is_empty());
    }
    for arguments in [&["--help"][..], &["--version"], &["write", "--help"], &["help", "read"]] {
        let help = Program::run(Command::new(OURS).args(arguments)).ok();
        assert!(!help.is_empty());
    }
}

pub fn colours_are_only_for_terminals_that_want_them() {
    let note = Note::new();
    note.run(&["write", "hello"]).ok();
    let line = format!("{OURS} status --key {}", note.0);
    let at_a_terminal = |no_color: Option<&str>| {
        let mut command = Command::new("script");
        command.args(["-qec", &line, "/dev/null"]).env("TERM", "xterm").env_remove("NO_COLOR");
        if let Some(value) = no_color {
            command.env("NO_COLOR", value);
        }
        Program::run(&mut command).stdout
    };
    assert!(at_a_terminal(None).contains('\x1b'));
    assert!(!at_a_terminal(Some("1")).contains('\x1b'));
    assert!(!note.run(&["status"]).ok().contains('\x1b'));
}

/// The ids of the segments that this process and the programs it started did not make.
fn nattch_in(told: &str) -> Vec<&str> {
    told.lines()
        .filter_map(|line| line.split("nattch ").nth(1))
        .filter_map(|rest| rest.split(|sign: char| !sign.is_ascii_digit()).next())
        .collect()
}

pub fn the_demo_shows_what_the_kernel_holds_and_leaves_nothing() {
    let demo = Program::start(Command::new(OURS).arg("demo"));
    let narrator = demo.pid();
    let told = demo.finish().ok();
    assert_eq!(nattch_in(&told), ["0", "1", "2", "1", "0", "1", "1"], "{told}");
    for part in ["key 0x00000000", "SHM_DEST", "ENOENT", "reads \"you will find this one"] {
        assert!(told.contains(part), "{told} lacks {part}");
    }
    assert!(told.contains("EINVAL") || told.contains("EIDRM"), "{told}");
    assert_eq!(told.matches(" starts: ").count(), 5, "five processes besides the narrator");
    assert!(list().unwrap().iter().all(|stat| stat.creator_pid.cast_unsigned() != narrator));
    assert_nothing_is_left(&told);
}

/// Nothing under the key that the demo named.
fn assert_nothing_is_left(told: &str) {
    let Some(key) = told.split("key ").find_map(|rest| rest.get(..10)?.parse::<Key>().ok()) else {
        return;
    };
    until("nothing is left under the demo's key", || {
        Segment::open(key).is_err() && sysv_shm::Lock::open(key).is_err()
    });
}

pub fn a_demo_that_is_interrupted_leaves_nothing() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        for moment in ["narrator", "hello", "reads", "SHM_DEST"] {
            let mut demo = Program::start(Command::new(OURS).arg("demo"));
            let last = demo.line_with(moment);
            demo.signal(signal);
            let finished = demo.finish();
            // It may have come to its end before the signal came.
            let by = finished.status.signal();
            assert!(by == Some(signal as i32) || finished.code() == Some(0), "{finished:?}");
            assert_nothing_is_left(&format!("{}{last}", finished.stdout));
        }
    }
}

pub fn a_demo_that_is_killed_leaves_nothing() {
    for moment in ["narrator", "starts", "hello", "reads", "SHM_DEST"] {
        let mut demo = Program::start(Command::new(OURS).arg("demo"));
        demo.line_with(moment);
        let finished = demo.kill_9();
        assert_nothing_is_left(&finished.stdout);
        // Its actors, and who cleans up behind it, are ours now (testkit makes us a subreaper).
        until("everyone it started has ended", || {
            loop {
                match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                    Ok(WaitStatus::StillAlive) => return false,
                    Ok(_) => {}
                    Err(_) => return true,
                }
            }
        });
    }
}

pub fn a_full_system_is_named() {
    testkit::enter_namespaces();
    fs::write("/proc/sys/kernel/shmmni", "1").unwrap();
    let (one, two) = (Note::new(), Note::new());
    one.run(&["write", "x"]).ok();
    two.fails(&["write", "x"], &["ENOSPC", "SHMMNI"]);
}
