//! Notes that were cut.

use super::*;

pub fn a_note_that_is_cut_anywhere_is_refused_renewed_and_read_again() {
    for pages in [1, 3] {
        let len = pages * page();
        for keep in [0, 1, 3, 6, 100, len / 2, len - 65, len - 64, len - 60, len - 50, len - 1] {
            for grown in [false, true] {
                let folder = testkit::folder();
                let path = folder.file("note");
                let mut writer = NoteWriter::create(&path, len).unwrap();
                writer.write(b"before", SECOND).unwrap();
                let mut reader = NoteReader::open(&path).unwrap();
                assert_eq!(reader.read().unwrap().text().unwrap().as_bytes(), b"before");
                let file = File::options().write(true).open(&path).unwrap();
                file.set_len(keep as u64).unwrap();
                if grown {
                    file.set_len(len as u64).unwrap();
                }
                // Cut behind all that is not zero, and grown again, it is what it was.
                if !(grown && keep > len - 52) {
                    let refused = writer.write(b"lost", SECOND).unwrap_err();
                    assert_eq!(refused.errno(), Errno::EBADMSG, "{keep} of {len}: {refused}");
                    let refused = reader.read().unwrap_err();
                    assert_eq!(refused.errno(), Errno::EBADMSG, "{keep} of {len}: {refused}");
                    reader.wait(Duration::ZERO).unwrap();
                    writer.renew(Adopt::Lecture, SECOND).unwrap();
                    assert_eq!(reader.read().unwrap(), Reading::Abandoned, "{keep} of {len}");
                }
                writer.write(b"after", SECOND).unwrap();
                writer.flush().unwrap();
                assert_eq!(reader.read().unwrap().text().unwrap().as_bytes(), b"after");
            }
        }
    }
}

pub fn what_is_left_of_a_note_is_shown_to_nobody() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let mut first = writer(&path);
    first.write(b"a rather long note", SECOND).unwrap();
    let mut reader = NoteReader::open(&path).unwrap();
    reader.read().unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    file.set_len(8).unwrap();
    assert_eq!(reader.read().unwrap_err().errno(), Errno::EBADMSG);
    file.set_len(page() as u64).unwrap();
    assert_eq!(reader.read().unwrap_err().errno(), Errno::EBADMSG, "half a note and zeros");
    file.set_len(2 * page() as u64).unwrap();
    assert_eq!(reader.read().unwrap_err().errno(), Errno::EBADMSG, "longer than it was");
    // Another file of the lecture's kind that is written over it is shown as it is.
    fs::write(&path, vec![b'L'; 2 * page()]).unwrap();
    assert_eq!(reader.read().unwrap().text().unwrap().len(), 2 * page());
}

pub fn a_file_with_something_else_in_it_is_not_renewed() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let mut note = writer(&path);
    note.write(b"a note", SECOND).unwrap();
    fs::write(&path, "a list of names\n").unwrap();
    assert_eq!(note.write(b"next", SECOND).unwrap_err().errno(), Errno::EBADMSG);
    let refused = note.renew(Adopt::Lecture, SECOND).unwrap_err();
    assert_eq!(refused.errno(), Errno::EEXIST, "{refused}");
    assert_eq!(fs::read(&path).unwrap(), b"a list of names\n");
    note.renew(Adopt::Anything, SECOND).unwrap();
    note.write(b"next", SECOND).unwrap();
    assert_eq!(common::text(&path), "next");
}
