//! `int`, `info`, `maps`, `private` and the demo, against the kernel.

use super::*;

pub fn int_reads_integers() {
    let folder = testkit::folder();
    let path = folder.file("int");
    fs::write(&path, [0xff, 1, 0, 0, 0]).unwrap();
    let run = |arguments: &[&str]| Program::run(mmap_file(["int"]).arg(&path).args(arguments));
    assert_eq!(run(&["--offset", "0x1", "--endian", "little"]).ok(), "1\n");
    assert_eq!(run(&["--offset", "1", "--endian", "big"]).ok(), "16777216\n");
    let found = json(&run(&["--json", "--offset", "1", "--endian", "big"]).ok());
    assert_eq!((&found["integer"], &found["endian"]), (&Value::from(16777216), &"big".into()));
    complains(run(&["--offset", "2"]), &["ERANGE", "5 bytes"]);
    assert_eq!(run(&["--endian", "middle"]).code(), Some(2));
    fs::write(&path, [1, 2]).unwrap();
    complains(run(&[]), &["ERANGE", "2 bytes"]);
    fs::write(&path, []).unwrap();
    complains(run(&[]), &["EINVAL", "empty"]);
}

pub fn info_tells_what_the_kernel_tells() {
    let folder = testkit::folder();
    let path = folder.file("note");
    write(&path, "tell me");
    let mut reader = Program::start(&mut on("reader", &path));
    reader.line_with("tell me");
    let found = json(&Program::run(mmap_file(["info", "--json"]).arg(&path)).ok());
    let expect = [
        ("is_note", Value::from(true)),
        ("text", "tell me".into()),
        ("sequence", 2.into()),
        ("locked", false.into()),
        ("holes", false.into()),
        ("mode", "0600".into()),
        ("pages", 1.into()),
        ("mapped_by", vec![reader.pid()].into()),
    ];
    for (name, value) in expect {
        assert_eq!(found[name], value, "{name}");
    }
    let shown = Program::run(&mut on("info", &path)).ok();
    for part in ["tell me", "sequence 2", "0600", "free"] {
        assert!(shown.contains(part), "{part:?} is not in {shown}");
    }
    let file = fs::File::options().read(true).write(true).open(&path).unwrap();
    let lock = mmap_file::lock::try_lock(&file).unwrap().unwrap();
    assert!(Program::run(&mut on("info", &path)).ok().contains("held by a writer"));
    drop(lock);
    reader.kill_9();

    let plain = folder.file("plain");
    fs::File::create(&plain).unwrap().set_len(10_000_000).unwrap();
    let found = json(&Program::run(mmap_file(["info", "--json"]).arg(&plain)).ok());
    assert_eq!((&found["holes"], &found["is_note"]), (&true.into(), &false.into()));
    fs::write(&plain, "").unwrap();
    let found = json(&Program::run(mmap_file(["info", "--json"]).arg(&plain)).ok());
    assert_eq!((&found["length"], &found["pages"]), (&0.into(), &0.into()));
}

pub fn maps_lists_files() {
    let folder = testkit::folder();
    let path = folder.file("note");
    write(&path, "x");
    let mut reader = Program::start(&mut on("reader", &path));
    reader.line_with("x");
    let pid = reader.pid().to_string();
    let found = json(&Program::run(&mut mmap_file(["maps", "--json", &pid])).ok());
    let files = found["files"].as_array().unwrap();
    let note = files.iter().find(|file| file["path"] == path.to_str().unwrap()).unwrap();
    assert_eq!((&note["sharing"], &note["write"]), (&"shared".into(), &false.into()));
    let shown = Program::run(&mut mmap_file(["maps", &pid])).ok();
    assert!(shown.contains("note") && shown.contains("read exec") && shown.contains("libc"));
    reader.kill_9();
    let own = Program::run(&mut mmap_file(["maps"])).ok();
    assert!(own.contains("this program itself") && own.contains("mmap-file"), "{own}");
    complains(Program::run(&mut mmap_file(["maps", "4194305"])), &["ESRCH", "4194305"]);
    assert_eq!(Program::run(&mut mmap_file(["maps", "-1"])).code(), Some(2));
}

pub fn private_changes_never_reach_the_file() {
    let folder = testkit::folder();
    let path = folder.file("file");
    fs::write(&path, "!secret").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    let found = json(&Program::run(mmap_file(["private", "--json"]).arg(&path)).ok());
    assert_eq!(found["memory_before"], b'!');
    assert_ne!(found["memory_after"], b'!');
    assert_eq!(found["file_after"], b'!');
    assert_eq!(found["anonymous_before"], 0);
    assert!(found["anonymous_after"].as_u64() > Some(0));
    assert!(found["private_dirty_after"].as_u64() > Some(0));
    let shown = Program::run(&mut on("private", &path)).ok();
    assert!(shown.contains("pread") && shown.contains("Private_Dirty"));
    assert_eq!(fs::read(&path).unwrap(), b"!secret");
}

pub fn the_demo_shows_two_processes_and_cleans_up() {
    let folder = testkit::folder();
    let shown = Program::run(mmap_file(["demo"]).env("TMPDIR", folder.path())).ok();
    for part in ["read write  shared", "read        shared", "µs", "SIGKILL", "read(2) finds"] {
        assert!(shown.contains(part), "{part:?} is not in {shown}");
    }
    only(&folder, &[]);
}

pub fn a_demo_that_is_interrupted_cleans_up() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let folder = testkit::folder();
        let mut demo = Program::start(mmap_file(["demo"]).env("TMPDIR", folder.path()));
        demo.line();
        demo.signal(signal);
        let finished = demo.finish();
        // It may have come to its end before the signal did.
        assert!(finished.status.signal() == Some(signal as i32) || finished.status.success());
        only(&folder, &[]);
    }
}
