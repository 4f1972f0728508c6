//! The demo, closed pipes, wrong usage, and terminals.

use super::*;

pub fn the_demo_tells_the_whole_story_and_leaves_nothing() {
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

pub fn a_closed_pipe_is_no_error() {
    for arguments in [
        &["tour"][..],
        &["tour", "--list"],
        &["tour", "--json"],
        &["raw"],
        &["truncate"],
        &["explain", "8"],
        &["overflow"],
        &["overflow", "--json"],
        &["lazy"],
        &["lazy", "--json"],
        &["dirty"],
        &["dirty", "--json"],
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

pub fn wrong_usage_is_exit_code_2() {
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
        &["overflow", "16"],
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
    for command in ["demo", "raw", "tour", "truncate", "overflow", "lazy", "dirty", "explain"] {
        assert!(help.contains(&format!("\n  {command} ")), "{help}");
        assert!(run(&[command, "--help"]).ok().contains("Exit codes: 0"), "{command}");
    }
    for command in ["overflow", "lazy", "dirty"] {
        assert!(help.contains(&format!("segv-guard {command} ")), "{help}");
        assert!(run(&[command, "--help"]).ok().contains("Examples:"), "{command}");
    }
    for ours in ["commit ", "truncate-reader", "overflow-writer"] {
        assert!(!help.contains(ours), "{help}");
    }
}

pub fn colours_are_for_terminals() {
    let shown = |arguments: &str, environment: &[(&str, &str)]| {
        let line = format!("{} {arguments}", env!("CARGO_BIN_EXE_segv-guard"));
        let mut script = Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).env("TERM", "xterm").env_remove("NO_COLOR");
        Program::run(script.envs(environment.iter().copied())).stdout
    };
    for arguments in ["tour --only null-read", "dirty --round 3"] {
        let words: Vec<_> = arguments.split(' ').collect();
        assert!(!run(&words).ok().contains('\x1b'));
        assert!(shown(arguments, &[]).contains('\x1b'));
        assert!(!shown(arguments, &[("NO_COLOR", "1")]).contains('\x1b'));
        assert!(!shown(arguments, &[("TERM", "dumb")]).contains('\x1b'));
    }
}
