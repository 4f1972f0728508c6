//! What was done to the pages is what is drawn.

use std::os::unix::process::CommandExt;

use mmap_file::MapOptions;
use nix::unistd::ftruncate;
use testkit::Program;

use crate::support::{Still, Userfault, at_some_time, mapped, page, refuse, sparse, store};
use crate::{at, drawn, json, letters, map, pages_in, unwrapped};

const TOUCHED: [usize; 4] = [3, 17, 18, 40];

pub fn pages_written_by_another_process_are_those_drawn() {
    let (folder, file) = sparse(64);
    let path = folder.file("pages");
    let other = Still::after(|| {
        let mapping = mapped(&file);
        store(&mapping, &TOUCHED);
        mapping
    });
    // The device may have been given them meanwhile; mapped they stay.
    let shown = letters(&drawn(&path));
    assert_eq!(shown.len(), 64);
    assert_eq!(at(&shown, &['D', 'W', 'C']), TOUCHED);
    let shown = json(&path);
    assert_eq!(pages_in(&shown, |run| run["mapped_by"] == 1), TOUCHED);
    assert_eq!(pages_in(&shown, |run| run["memory"] != "absent"), TOUCHED);
    let process = &shown["processes"][0];
    assert_eq!((&process["pid"], &process["mapped"]), (&other.pid().into(), &4.into()));
    assert_eq!(process["totals"]["resident"], 4 * page());
    drop(other);
    assert!(json(&path)["processes"].as_array().unwrap().is_empty());
    // In memory still, unless somebody calls sync(2) and drops caches just then.
    assert!(at_some_time(|| {
        store(&mapped(&file), &TOUCHED);
        at(&letters(&drawn(&path)), &['d', 'w', 'c']) == TOUCHED
    }));
}

pub fn letters_svg_and_json_show_the_same() {
    let (folder, file) = sparse(64);
    let path = folder.file("pages");
    let mapping = mapped(&file);
    assert!(at_some_time(|| {
        store(&mapping, &TOUCHED);
        let svg = Program::run(&mut map(&path, ["--svg", "-"])).ok();
        let svg = roxmltree::Document::parse(&svg).unwrap();
        let squares = svg.descendants().filter(|node| node.has_tag_name("g"));
        let in_svg: String = squares
            .map(|square| square.children().find(|node| node.has_tag_name("text")).unwrap())
            .map(|letter| letter.text().unwrap())
            .collect();
        let in_json = pages_in(&json(&path), |run| run["memory"] == "dirty");
        let in_text = letters(&drawn(&path));
        assert_eq!(in_svg.len(), 64);
        // Mapped by this process, which the program is not.
        at(&in_text, &['D']) == TOUCHED && in_svg == in_text && in_json == TOUCHED
    }));
}

pub fn ms_sync_turns_the_picture_clean() {
    let (folder, file) = sparse(16);
    let path = folder.file("pages");
    let mapping = mapped(&file);
    let dirty = || pages_in(&json(&path), |run| run["memory"] == "dirty");
    assert!(at_some_time(|| {
        store(&mapping, &[2, 5]);
        mapping.flush_async(0..mapping.len()).unwrap();
        dirty() == [2, 5]
    }));
    mapping.flush(2 * page()..3 * page()).unwrap();
    assert!(!dirty().contains(&2));
    mapping.flush(0..mapping.len()).unwrap();
    assert_eq!(letters(&drawn(&path)), "..C..C..........");
}

pub fn copy_on_write_after_a_fork_is_drawn() {
    let (folder, file) = sparse(4);
    let path = folder.file("pages");
    let mapping = MapOptions::new().private().read_write().map(&file).unwrap();
    store(&mapping, &[1, 2]);
    let _child = Still::after(|| store(&mapping, &[2]));
    let shown = json(&path);
    assert_eq!(pages_in(&shown, |run| run["copies"] == 2), [1, 2]);
    for process in shown["processes"].as_array().unwrap() {
        let numbers = (&process["copies"], &process["copies_alone"]);
        assert_eq!(numbers, (&2.into(), &1.into()), "page 1 is both's, page 2 each one's own");
    }
    let shown = drawn(&path);
    assert_eq!(at(&letters(&shown), &['P']), [1, 2]);
    let said = unwrapped(&shown);
    assert!(said.contains("2 private copies, 1 of them shared since a fork"), "{shown}");
}

pub fn one_process_can_be_asked_for() {
    let (folder, file) = sparse(8);
    let path = folder.file("pages");
    let touching = |pages: &'static [usize]| {
        Still::after(|| {
            let mapping = mapped(&file);
            store(&mapping, pages);
            mapping
        })
    };
    let (one, other) = (touching(&[1]), touching(&[6]));
    let mapped_in = |pid: Option<u32>| {
        let mut command = map(&path, ["--json"]);
        if let Some(pid) = pid {
            command.args(["--pid", &pid.to_string()]);
        }
        let shown = serde_json::from_str(&Program::run(&mut command).ok()).unwrap();
        pages_in(&shown, |run| run["mapped_by"] == 1)
    };
    assert_eq!(mapped_in(None), [1, 6]);
    assert_eq!(mapped_in(Some(one.pid())), [1]);
    assert_eq!(mapped_in(Some(other.pid())), [6]);
    let stranger = Still::after(|| ());
    let arguments = ["--pid".to_owned(), stranger.pid().to_string()];
    let shown = Program::run(&mut map(&path, &arguments)).ok();
    let said = unwrapped(&shown);
    assert!(said.contains(": does not map it; ") && said.contains("pagemap: nothing, because"));
    assert!(!said.contains("unknown, because process"), "that much is known: {shown}");
    let arguments_of_one = ["--pid".to_owned(), one.pid().to_string()];
    let shown = unwrapped(&Program::run(&mut map(&path, &arguments_of_one)).ok());
    assert!(shown.contains("1 process looked into, and no other"), "{shown}");
    drop(stranger);
    let gone = Program::run(&mut map(&path, &arguments));
    assert_eq!(gone.code(), Some(1));
    assert!(gone.stderr.contains("ESRCH"), "{gone:?}");
}

pub fn what_userfaultfd_write_protects_is_counted() {
    let disk = testkit::small_tmpfs(16 * page());
    let path = disk.path().join("pages");
    let file = mmap_file::create_new(&path, 8 * page() as u64, 0o600, |_| Ok(())).unwrap();
    let mapping = mapped(&file);
    store(&mapping, &[0, 1, 2]);
    let userfault = Userfault::of(&mapping).unwrap();
    userfault.protect(&mapping, 1..3, true).unwrap();
    let process = &json(&path)["processes"][0];
    assert_eq!((&process["mapped"], &process["write_protected"]), (&3.into(), &2.into()));
    let said = unwrapped(&drawn(&path));
    assert!(said.contains("; 2 pages write-protected by userfaultfd(2)"), "{said}");
    userfault.protect(&mapping, 1..3, false).unwrap();
    assert_eq!(json(&path)["processes"][0]["write_protected"], 0);
    assert!(!drawn(&path).contains("write-protected"));
}

pub fn a_tebibyte_is_drawn_at_once() {
    let (folder, file) = sparse(1);
    ftruncate(&file, 1 << 40).unwrap();
    let last = MapOptions::new()
        .read_write()
        .offset((1 << 40) - page() as u64)
        .advice(mmap_file::Advice::Random)
        .map(&file)
        .unwrap();
    store(&last, &[0]);
    let shown = letters(&drawn(&folder.file("pages")));
    assert_eq!(shown.len(), 1024);
    assert_eq!(at(&shown, &['D', 'W', 'C']), [1023], "one page among 268 million");
    assert_eq!(at(&shown, &['.']).len(), 1023);
}

pub fn colours_change_no_letter() {
    let (folder, file) = sparse(64);
    let mapping = mapped(&file);
    store(&mapping, &TOUCHED);
    mapping.flush(0..mapping.len()).unwrap();
    let path = folder.file("pages");
    let with = |name: &str, value: &str| Program::run(map(&path, [""; 0]).env(name, value)).ok();
    let plain = with("NO_COLOR", "1");
    assert!(!plain.contains('\x1b'));
    let coloured = with("CLICOLOR_FORCE", "1");
    assert!(coloured.contains("\x1b[1m\x1b[30m\x1b[42mC"), "{coloured:?}");
    let mut stripped = String::new();
    let mut parts = coloured.split('\x1b');
    stripped.push_str(parts.next().unwrap());
    parts.for_each(|part| stripped.push_str(part.split_once('m').unwrap().1));
    assert_eq!(letters(&stripped), letters(&plain));
}

pub fn lines_fit_eighty_columns() {
    let (folder, file) = sparse(4000);
    let mapping = mapped(&file);
    store(&mapping, &[1, 3999]);
    let _copies = {
        let private = MapOptions::new().private().read_write().map(&file).unwrap();
        store(&private, &[7]);
        private
    };
    let shown = drawn(&folder.file("pages"));
    // The path, in the first one, is as long as it is.
    for line in shown.lines().skip(1) {
        assert!(line.chars().count() <= 80, "{} characters: {line}\n{shown}", line.chars().count());
    }
    let said = unwrapped(&shown);
    assert!(said.contains("mapped by a process that was looked into"), "nothing is cut: {shown}");
}

pub fn a_kernel_without_cachestat_gets_a_picture_all_the_same() {
    let (folder, file) = sparse(16);
    let mapping = mapped(&file);
    store(&mapping, &[2, 5]);
    let path = folder.file("pages");
    let mut command = map(&path, ["--pid", "1"]);
    // SAFETY: between fork and exec only two system calls are made.
    unsafe {
        command.pre_exec(|| {
            refuse(451, libc::ENOSYS);
            Ok(())
        });
    }
    let finished = Program::run(&mut command);
    let shown = finished.ok();
    assert_eq!(letters(&shown), "..r..r..........");
    let said = unwrapped(&shown);
    assert!(said.contains("cachestat(2): unknown, because"), "{shown}");
    assert!(said.contains("mincore(2): 2 pages in memory"), "{shown}");
}
