//! `lab grade`: names, zips and texts of people who mean harm.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;

use testkit::{Case, Program, need};
use zip::write::SimpleFileOptions;

use crate::course::{self, Course, right};

pub fn cases() -> Vec<Case> {
    let case = |name, run: fn()| Case { name, run, needs: &[course::rustc] };
    vec![
        case("names_drive_neither_terminal_nor_spreadsheet_nor_paths", names),
        case("a_zip_may_hold_what_it_likes", zips),
        case("what_a_program_prints_drives_no_terminal", texts),
        Case {
            name: "what_may_not_be_read_is_no_zero",
            run: unreadable,
            needs: &[course::rustc, need::ordinary_user],
        },
    ]
}

fn names() {
    let course = Course::new();
    let names: [&[u8]; 8] = [
        b"=HYPERLINK(\"http:x\")",
        b"+1+cmd|' -C calc'!A0",
        b"esc\x1b[31m\x1b]0;title\x07",
        b"two\nlines",
        b"not-utf8-\xff",
        "\u{202e}txet".as_bytes(),
        b"-rf",
        b"<b>&amp;",
    ];
    for name in names {
        course.hand_in(OsStr::from_bytes(name), &right());
    }
    let done = Program::run(&mut course.grade());
    assert_eq!(done.code(), Some(0), "{done:?}");
    let csv = fs::read_to_string(course.path("report/grades.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + names.len(), "{csv}");
    for text in [&done.stdout, &done.stderr, &csv] {
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
    }
    for line in csv.lines() {
        for cell in line.split(',') {
            assert!(!cell.trim_matches(['"', ' ']).starts_with(['=', '+', '-', '@']), "{line}");
        }
    }
    assert!(csv.contains("two\\nlines,100,"), "{csv}");
    let folders: Vec<_> = fs::read_dir(course.path("report/submissions")).unwrap().collect();
    assert_eq!(folders.len(), names.len());
    for folder in folders {
        let junit = fs::read_to_string(folder.unwrap().path().join("junit.xml")).unwrap();
        assert!(!junit.contains("<b>") && !junit.contains('\u{1b}'), "{junit}");
    }
}

fn zips() {
    let course = Course::new();
    let right = right();
    let zip = |name: &str, make: &dyn Fn(&mut zip::ZipWriter<fs::File>)| {
        let file = fs::File::create(course.path("in").join(name)).unwrap();
        let mut zip = zip::ZipWriter::new(file);
        make(&mut zip);
        zip.finish().unwrap();
    };
    let plain = SimpleFileOptions::default;
    zip("slip.zip", &|zip| {
        for name in ["../../../slipped", "/tmp/ipc-course-slipped", "src/../../slipped"] {
            zip.start_file(name, plain()).unwrap();
            zip.write_all(b"out").unwrap();
        }
        zip.start_file("src/lib.rs", plain()).unwrap();
        zip.write_all(right.as_bytes()).unwrap();
    });
    zip("link.zip", &|zip| {
        let solution = course::tiny("course/labs/tiny/solution/right.rs");
        zip.add_symlink("src/lib.rs", solution.to_str().unwrap(), plain()).unwrap();
    });
    zip("folder-link.zip", &|zip| {
        let solution = course::tiny("course/labs/tiny/solution");
        zip.add_symlink("src", solution.to_str().unwrap(), plain()).unwrap();
    });
    zip("bomb.zip", &|zip| {
        zip.start_file("src/lib.rs", plain()).unwrap();
        let block = vec![b' '; 1 << 20];
        (0..60).for_each(|_| zip.write_all(&block).unwrap());
    });
    zip("bomb-beside.zip", &|zip| {
        zip.start_file("src/lib.rs", plain()).unwrap();
        zip.write_all(right.as_bytes()).unwrap();
        zip.start_file("src/large.rs", plain()).unwrap();
        let block = vec![b' '; 1 << 20];
        (0..60).for_each(|_| zip.write_all(&block).unwrap());
    });
    zip("latin-1.zip", &|zip| {
        zip.start_file("src/lib.rs", plain()).unwrap();
        zip.write_all(b"// caf\xe9").unwrap();
    });
    zip("empty.zip", &|_| {});
    let whole = fs::read(course.path("in/slip.zip")).unwrap();
    fs::write(course.path("in/half.zip"), &whole[..whole.len() / 2]).unwrap();
    fs::write(course.path("in/garbage.zip"), b"PK\x03\x04 and no more").unwrap();
    fs::write(course.path("in/nothing.zip"), b"").unwrap();
    let huge = fs::File::create(course.path("in/huge.zip")).unwrap();
    huge.set_len(1 << 30).unwrap();
    // The size of the entry, said to be small where it is written down.
    let mut lies = fs::read(course.path("in/bomb.zip")).unwrap();
    let size = (60u32 << 20).to_le_bytes();
    let places: Vec<usize> =
        (0..lies.len() - 4).filter(|place| lies[*place..*place + 4] == size).collect();
    assert!(!places.is_empty());
    places.iter().for_each(|place| lies[*place..*place + 4].copy_from_slice(&[9, 0, 0, 0]));
    fs::write(course.path("in/lies.zip"), lies).unwrap();

    let done = Program::run(&mut course.grade());
    assert_eq!(done.code(), Some(0), "{done:?}");
    for name in ["slip", "bomb-beside"] {
        assert_eq!(course.line(name)[1], "100");
    }
    for name in [
        "link",
        "folder-link",
        "bomb",
        "latin-1",
        "empty",
        "half",
        "garbage",
        "nothing",
        "huge",
        "lies",
    ] {
        assert_eq!(course.line(name)[1..], ["0", "100", "graded"], "{name}");
    }
    let csv = fs::read_to_string(course.path("report/grades.csv")).unwrap();
    for words in ["a link, perhaps", "larger than 262144 bytes", "hand in the sources", "no UTF-8"]
    {
        assert!(csv.contains(words), "{words}: {csv}");
    }
    // Nothing is unpacked anywhere.
    for place in ["slipped", "in/slipped", "report/slipped", "course/slipped"] {
        assert!(!course.path(place).exists(), "{place}");
    }
    assert!(!std::path::Path::new("/tmp/ipc-course-slipped").exists());
}

fn texts() {
    let course = Course::new();
    let escapes = "\u{1b}[2J\u{1b}]0;owned\u{7}";
    course.hand_in("macro", &format!("compile_error!(\"{escapes}]]>&<x>\");"));
    let loud = right().replace(
        "fs::write(path, text)",
        "Err(io::Error::other(\"\\x1b[2J\\x1b]0;owned\\x07]]><x>\"))",
    );
    course.hand_in("loud", &loud);
    let done = Program::run(&mut course.grade());
    assert_eq!(done.code(), Some(0), "{done:?}");
    for folder in ["macro", "loud"] {
        for file in ["report.json", "results.json", "junit.xml"] {
            let path = course.path("report/submissions").join(folder).join(file);
            let text = fs::read_to_string(path).unwrap();
            assert!(!text.contains(['\u{1b}', '\u{7}']) && !text.contains("u001b"), "{text}");
            assert!(file != "junit.xml" || !text.contains("<x>"), "{text}");
        }
    }
}

fn unreadable() {
    use std::os::unix::fs::PermissionsExt;
    let course = Course::new();
    course.hand_in("folder", &right());
    course.hand_in("file", &right());
    course.hand_in_zip("zip.zip", &[("src/lib.rs", &right())]);
    let lock = |files, folder| {
        for (path, mode) in
            [("in/folder", folder), ("in/file/src/lib.rs", files), ("in/zip.zip", files)]
        {
            fs::set_permissions(course.path(path), fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    lock(0, 0);
    let done = Program::run(&mut course.grade());
    assert_eq!(done.code(), Some(3), "{done:?}");
    for name in ["folder", "file", "zip"] {
        assert_eq!(course.line(name)[1..], ["", "100", "needs rerun"]);
        assert!(done.stdout.contains(&format!("  {name}\n")), "{done:?}");
    }
    lock(0o600, 0o700);
    let done = Program::run(&mut course.grade());
    assert_eq!(done.code(), Some(0), "{done:?}");
    assert_eq!(course.line("folder")[1], "100");
}
