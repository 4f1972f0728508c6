//! `status`, `list`, `limits`, `key` and `remove`.

use super::*;

pub fn status_tells_all_and_its_json_the_same() {
    let note = Note::new();
    note.run(&["write", "--mode", "640", "hello"]).ok();
    let stat = Segment::open(note.0).unwrap().stat().unwrap();
    let said = note.run(&["status"]).ok();
    for part in [&note.0.to_string(), "0640", "1024 bytes", "0 times", "free", "even", "ended"] {
        assert!(said.contains(part), "{said} lacks {part}");
    }
    let json = note.json(&["status", "--json"]);
    assert_eq!(json["segment"]["id"], stat.id);
    assert_eq!(json["segment"]["key"], note.0.to_string());
    assert_eq!(json["segment"]["mode"], "0640");
    assert_eq!(json["segment"]["attached"], 0);
    assert_eq!(json["segment"]["marked_for_removal"], false);
    assert_eq!(json["lock"]["held"], false);
    assert_eq!(json["lock"]["sequence"], 2);
    assert_eq!(json["lock"]["last_pid"], stat.creator_pid);
}

pub fn removing_says_if_the_segment_lingers() {
    let note = Note::new();
    note.run(&["write", "hello"]).ok();
    let attached = Segment::open(note.0).unwrap().attach_read().unwrap();
    let said = note.run(&["remove"]).ok();
    assert!(said.contains("attached 1 time") && said.contains("0x00000000"), "{said}");
    let listed = Program::run(Command::new(OURS).arg("list")).ok();
    let id = attached.segment().id().to_string();
    let row = listed.lines().find(|line| line.split_whitespace().nth(1) == Some(&id)).unwrap();
    assert!(row.ends_with("marked") && listed.contains("marked for removal"), "{listed}");
    attached.detach().unwrap();

    note.run(&["write", "hello"]).ok();
    let said = note.run(&["remove"]).ok();
    assert!(said.starts_with("removed segment") && said.contains("removed semaphores"), "{said}");
}

pub fn list_and_limits_can_be_read_by_people_and_programs() {
    let note = Note::new();
    note.run(&["write", "hello"]).ok();
    let id = Segment::open(note.0).unwrap().id();
    let listed = Program::run(Command::new(OURS).arg("list")).ok();
    assert!(listed.contains(&note.0.to_string()), "{listed}");
    let json = Program::run(Command::new(OURS).args(["list", "--json"])).ok();
    let json: Value = serde_json::from_str(&json).unwrap();
    let found = json["segments"].as_array().unwrap().iter().find(|segment| segment["id"] == id);
    assert_eq!(found.unwrap()["size"], 1024);

    let limits = sysv_shm::limits().unwrap();
    let said = Program::run(Command::new(OURS).arg("limits")).ok();
    assert!(
        said.contains("SHMMNI") && said.contains(&limits.largest_segment.to_string()),
        "{said}"
    );
    let json = Program::run(Command::new(OURS).args(["limits", "--json"])).ok();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["shmmni"], limits.most_segments);
    assert!(json["segments"].as_u64().unwrap() >= 1 && json["semaphores"].as_u64().unwrap() >= 3);
}

pub fn the_key_is_drawn_with_its_parts() {
    let folder = folder();
    let drawn = Program::run(Command::new(OURS).arg("key").arg(folder.path()).arg("0x1aa")).ok();
    assert!(drawn.contains("0xaa") && drawn.contains("thrown away"), "{drawn}");
    let json = Command::new(OURS).args(["key", "--json"]).arg(folder.path()).arg("0xaa").output();
    let json: Value = serde_json::from_slice(&json.unwrap().stdout).unwrap();
    let key = json["key"].as_str().unwrap();
    assert!(drawn.contains(key), "project 0x1aa gives the same key as 0xaa");
    let missing = Program::run(Command::new(OURS).args(["key", "/nonexistent"]));
    assert_eq!(missing.code(), Some(1));
    assert!(missing.stderr.contains("ENOENT"), "{missing:?}");
}

pub fn the_default_key_is_the_same_from_any_folder_and_differs_by_user() {
    let (one, two) = (folder(), folder());
    let key_of = |state: &testkit::Folder, from: &str| {
        let mut command = Command::new(OURS);
        command.args(["key", "--json"]).env("XDG_STATE_HOME", state.path()).current_dir(from);
        let json: Value = serde_json::from_str(&Program::run(&mut command).ok()).unwrap();
        (json["key"].as_str().unwrap().to_owned(), json["inode"].as_u64().unwrap())
    };
    assert_eq!(key_of(&one, "/"), key_of(&one, "/proc"));
    // The keys may collide, by 16 bits of inode; the files behind them do not.
    assert_ne!(key_of(&one, "/").1, key_of(&two, "/").1);
    let file = one.path().join("ipc-course/sysv-shm.key");
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
}
