//! Errors that say what to type.

use super::*;

pub fn the_way_to_remove_a_segment_names_its_key() {
    let note = Note::new();
    note.run(&["write", "--mode", "640", "hi"]).ok();
    let long = "x".repeat(2000);
    for arguments in [
        &["write", "--size", "2048", "hi"][..],
        &["write", "--mode", "600", "hi"],
        &["write", &long],
    ] {
        let said = complaint(note.run(arguments));
        assert!(said.contains(&note.remove_command()), "{said}");
        assert!(!said.contains("`sysv-shm"), "{said}");
    }
    let mut by_cargo = note.command(&["write", "--size", "2048", "hi"]);
    let said = complaint(Program::run(by_cargo.env("CARGO_PKG_NAME", "sysv-shm")));
    assert!(said.contains(&format!("cargo run -p sysv-shm -- remove --key {}", note.0)), "{said}");
}

pub fn the_largest_size_is_given_in_full() {
    let note = Note::new();
    let largest = fs::read_to_string("/proc/sys/kernel/shmmax").unwrap();
    let largest: u64 = largest.trim().parse().unwrap();
    if largest < u64::MAX {
        let said = complaint(note.run(&["write", "--size", &u64::MAX.to_string(), "x"]));
        assert!(said.contains(&format!(" {largest} bytes (SHMMAX")), "{said}");
    }
    // What SHMMAX allows, the kernel still may not.
    let beyond_a_file = (isize::MAX as u64 + 1).to_string();
    complaint(note.run(&["write", "--size", &beyond_a_file, "x"]));
    note.expect_nothing();
}

pub fn a_page_too_many_is_one_page() {
    testkit::enter_namespaces();
    fs::write("/proc/sys/kernel/shmall", "0").unwrap();
    let said = complaint(Note::new().run(&["write", "x"]));
    assert!(said.contains("SHMALL") && said.contains("takes 1 page,"), "{said}");
}

pub fn who_is_shut_out_learns_by_whom() {
    let nobody = user_name(Uid::from_raw(65534));
    let whose = "belongs to root, and its mode";
    // The binary may lie where nobody else gets in.
    let folder = testkit::folder();
    let ours = folder.file("sysv-shm");
    fs::copy(OURS, &ours).unwrap();
    fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .unwrap();
    let run = |note: &Note, arguments: &[&str]| {
        let mut command = Command::new(&ours);
        command.args(arguments).args(["--key", &note.0.to_string()]);
        // As root, std leaves root's groups behind as well.
        complaint(Program::run(command.uid(65534).gid(65534)))
    };
    let private = Note::new();
    private.run(&["write", "secret"]).ok();
    let (key, whose_private) = (private.0.to_string(), format!("{whose} 0600"));
    for arguments in
        [&["read"][..], &["write", "x"], &["write", "--size", "1024", "x"], &["status"]]
    {
        let said = run(&private, arguments);
        assert!(said.contains("EACCES") && said.contains(&key), "{said}");
        assert!(said.contains(&whose_private) && !said.contains("read-only"), "{said}");
    }
    let readable = Note::new();
    readable.run(&["write", "--mode", "644", "public"]).ok();
    for arguments in [&["write", "x"][..], &["write", "--size", "1024", "x"]] {
        let said = run(&readable, arguments);
        assert!(said.contains("EACCES") && said.contains(&format!("{whose} 0644")), "{said}");
    }
    // Names, not numbers; and who asked as well as who owns.
    let open = Note::new();
    open.run(&["write", "--mode", "666", "x"]).ok();
    let said = run(&open, &["write", "x"]);
    assert!(said.contains("EEXIST") && said.contains("belongs to root"), "{said}");
    assert!(said.contains(&format!("wanted by {nobody}")), "{said}");
    let said = run(&open, &["write", "--size", "7", "x"]);
    assert!(said.contains("ask for 1024, or use another key"), "not theirs to remove: {said}");
    // A lock that a stranger has put there.
    let trap = Note::new();
    child(|| {
        nix::unistd::setgid(Gid::from_raw(65534)).unwrap();
        nix::unistd::setuid(Uid::from_raw(65534)).unwrap();
        Lock::beside(trap.0, Mode::new(0o666).unwrap()).unwrap();
    })
    .succeed();
    let said = complaint(trap.run(&["write", "x"]));
    assert!(said.contains("EPERM") && said.contains(&format!("belongs to {nobody}")), "{said}");
    assert!(Segment::open(trap.0).is_err(), "the segment was in vain");
    common::remove_set(trap.0);
}

pub fn removing_and_looking_where_nothing_is_advise_no_creation() {
    let note = Note::new();
    let said = complaint(note.run(&["remove"]));
    assert!(said.contains("nothing to remove") && !said.contains("create"), "{said}");
    let said = complaint(note.run(&["status"]));
    assert!(said.contains(&format!("{OURS} write --key {} hello", note.0)), "{said}");
}

pub fn semaphores_without_a_segment_are_reported() {
    let note = Note::new();
    note.run(&["write", "hi"]).ok();
    Segment::open(note.0).unwrap().mark_for_removal().unwrap();
    let set = Lock::open(note.0).unwrap().semaphores().id();
    let said = complaint(note.run(&["status"]));
    assert!(
        said.contains(&format!("set {set}")) && said.contains(&note.remove_command()),
        "{said}"
    );
    note.run(&["remove"]).ok();
    note.expect_nothing();
}
