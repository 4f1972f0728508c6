//! Bad files, wrong usage, and terminals.

use super::*;

pub fn bad_files_have_clear_errors() {
    let folder = testkit::folder();
    let (fifo, link, text) = (folder.file("fifo"), folder.file("link"), folder.file("text"));
    nix::unistd::mkfifo(&fifo, Mode::S_IRWXU).unwrap();
    fs::write(&text, "somebody's work\n").unwrap();
    symlink(&text, &link).unwrap();
    let missing = folder.file("missing");
    for command in ["reader", "writer", "int", "info", "private"] {
        let run = |path: &Path| Program::run(&mut on(command, path));
        complains(run(folder.path()), &["EISDIR", "folder"]);
        complains(run(&fifo), &["ENODEV", "FIFO"]);
        complains(run(Path::new("/dev/zero")), &["ENODEV", "device"]);
        if !["reader", "writer"].contains(&command) {
            complains(run(&missing), &["ENOENT", "missing"]);
        }
    }
    complains(Program::run(&mut on("writer", &link)), &["ELOOP", "symbolic link"]);
    complains(Program::run(&mut on("writer", &text)), &["EEXIST", "--adopt"]);
    complains(Program::run(&mut on("writer", &folder.file("no/note"))), &["ENOENT"]);
    assert_eq!(fs::read(&text).unwrap(), b"somebody's work\n");
    only(&folder, &["fifo", "link", "text"]);
    let mut adopting = Program::start(mmap_file(["writer", "--adopt"]).arg(&text));
    adopting.tell("taken\n");
    adopting.finish().ok();
    assert_eq!(common::text(&text), "taken");
}

pub fn an_unreadable_file_says_so() {
    let folder = testkit::folder();
    let path = folder.file("closed");
    fs::write(&path, "x").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    for command in ["reader", "writer", "int", "info", "private"] {
        complains(Program::run(&mut on(command, &path)), &["EACCES", "ls -l"]);
    }
}

pub fn another_users_process_says_so() {
    complains(Program::run(&mut mmap_file(["maps", "1"])), &["EACCES", "another user"]);
}

pub fn wrong_usage_is_exit_code_2() {
    for arguments in [
        &[][..],
        &["reader", "--every", "0s"],
        &["reader", "--every", "soon"],
        &["reader", "--count", "0"],
        &["int"],
        &["int", "file", "--offset", "-1"],
        &["nonsense"],
    ] {
        let finished = Program::run(&mut mmap_file(arguments));
        assert_eq!(finished.code(), Some(2), "{arguments:?}: {finished:?}");
        assert!(finished.stdout.is_empty() && !finished.stderr.is_empty());
    }
    let help = Program::run(&mut mmap_file(["--help"])).ok();
    assert!(help.contains("Exit codes") && help.contains("Examples"));
}

/// What it shows under a terminal of its own.
fn on_a_terminal(arguments: &str, environment: &[(&str, &str)]) -> Command {
    let line = format!("{} {arguments}", env!("CARGO_BIN_EXE_mmap-file"));
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]).env("TERM", "xterm").env_remove("NO_COLOR");
    script.envs(environment.iter().copied());
    script
}

pub fn colours_are_for_terminals() {
    let shown = |environment: &[_]| Program::run(&mut on_a_terminal("maps", environment)).stdout;
    assert!(!Program::run(&mut mmap_file(["maps"])).ok().contains('\x1b'));
    assert!(shown(&[]).contains('\x1b'));
    assert!(!shown(&[("NO_COLOR", "1")]).contains('\x1b'));
    assert!(!shown(&[("TERM", "dumb")]).contains('\x1b'));
}

pub fn on_a_terminal_the_hint_can_be_typed() {
    let folder = testkit::folder();
    let path = folder.file("a note");
    let arguments = format!("reader --count 1 '{}'", path.display());
    let mut reader = Program::start(&mut on_a_terminal(&arguments, &[("NO_COLOR", "1")]));
    let hint = reader.line_with("No note yet");
    let typed = hint.split("terminal:").nth(1).unwrap().trim();
    // What the hint says is typed into a shell in another folder, and the two meet.
    let mut shell = Command::new("sh");
    shell.args([
        "-c",
        &format!(
            "echo met | {}",
            typed.replace("cargo run -p mmap-file --", env!("CARGO_BIN_EXE_mmap-file"))
        ),
    ]);
    Program::run(shell.current_dir("/")).ok();
    assert_eq!(reader.line().trim(), "met");
    reader.finish();
}
