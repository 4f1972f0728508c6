//! Signals, kill -9, closed pipes, and who waits for whom.

use super::*;

pub fn the_note_survives_kill_9_of_everyone() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let mut writer = Program::start(&mut on("writer", &path));
    let mut reader = Program::start(&mut on("reader", &path));
    writer.tell("still here\n");
    assert_eq!(reader.line(), "still here");
    assert_eq!(writer.kill_9().status.signal(), Some(9));
    assert_eq!(reader.kill_9().status.signal(), Some(9));
    let again = Program::run(mmap_file(["reader", "--count", "1"]).arg(&path)).ok();
    assert_eq!(again, "still here\n");
    only(&folder, &["note"]);
}

pub fn signals_end_everything_with_their_own_number() {
    let folder = testkit::folder();
    let (path, missing) = (folder.file("note"), folder.file("missing"));
    write(&path, "x");
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        for (name, path) in [("writer", &path), ("reader", &path), ("reader", &missing)] {
            let program = Program::start(&mut on(name, path));
            // Its handlers are there once it sleeps in the loop that asks for them.
            wait_for_handlers(program.pid());
            program.signal(signal);
            // `finish` would end the writer's input; the signal alone has to do.
            let mut program = program;
            while program.is_running() {
                std::thread::sleep(Duration::from_millis(5));
            }
            assert_eq!(program.finish().status.signal(), Some(signal as i32), "{name}");
        }
    }
    only(&folder, &["note"]);
}

/// Until the kernel lists SIGINT and SIGTERM as caught.
fn wait_for_handlers(pid: u32) {
    let both = 1 << (Signal::SIGINT as u64 - 1) | 1 << (Signal::SIGTERM as u64 - 1);
    loop {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        if u64::from_str_radix(caught.trim(), 16).unwrap() & both == both {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

pub fn a_closed_pipe_is_no_error() {
    let folder = testkit::folder();
    let path = folder.file("note");
    write(&path, "x");
    for arguments in [&["info"][..], &["private"], &["reader", "--every", "1ms"]] {
        let (read, write) = std::io::pipe().unwrap();
        drop(read);
        let mut command = mmap_file(arguments);
        let output = command.arg(&path).stdout(write).stderr(Stdio::piped()).output().unwrap();
        assert_eq!((output.status.code(), output.stderr), (Some(0), vec![]), "{arguments:?}");
    }
}

pub fn a_reader_notices_that_nobody_listens() {
    let folder = testkit::folder();
    let path = folder.file("note");
    write(&path, "first and only");
    let mut reader = on("reader", &path).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut output = BufReader::new(reader.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    drop(output);
    // No further note comes; it ends all the same, or the watchdog ends us.
    assert_eq!(reader.wait().unwrap().code(), Some(0));
}

pub fn a_writer_says_what_it_waits_for() {
    let folder = testkit::folder();
    let path = folder.file("note");
    write(&path, "x");
    let file = fs::File::options().read(true).write(true).open(&path).unwrap();
    let lock = mmap_file::lock::try_lock(&file).unwrap().unwrap();
    let mut writer = Program::start(&mut on("writer", &path));
    writer.tell("patient\n");
    std::thread::sleep(Duration::from_millis(1500));
    assert!(writer.is_running());
    assert_eq!(text(&path), "x");
    drop(lock);
    let finished = writer.finish();
    assert_eq!(finished.code(), Some(0));
    assert!(finished.stderr.contains("another process holds the lock"), "{finished:?}");
    assert_eq!(text(&path), "patient");
}
