//! Files replaced, adopted, refused, or of another length.

use super::*;

pub fn a_file_replaced_or_removed_is_noticed() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let writer_ = writer(&path);
    let reader = NoteReader::open(&path).unwrap();
    let both = || [writer_.whereabouts().unwrap(), reader.whereabouts().unwrap()];
    assert_eq!(both(), [Whereabouts::Here; 2]);
    fs::rename(&path, folder.file("elsewhere")).unwrap();
    assert_eq!(both(), [Whereabouts::Removed; 2]);
    let _other = writer(&path);
    assert_eq!(both(), [Whereabouts::Replaced; 2]);
    fs::rename(folder.file("elsewhere"), &path).unwrap();
    assert_eq!(both(), [Whereabouts::Here; 2]);
}

pub fn a_lecture_file_is_adopted_with_its_text() {
    let page = PageSize::system().bytes();
    for (bytes, says) in
        [(vec![], ""), (b"\0".to_vec(), ""), (b"from C\0\0\0\0".to_vec(), "from C")]
    {
        let folder = testkit::folder();
        let path = folder.file("lecture");
        fs::write(&path, &bytes).unwrap();
        let mut writer = writer(&path);
        assert_eq!(text(&path), says);
        assert_eq!(fs::metadata(&path).unwrap().len(), page as u64);
        writer.write(b"ours now", SECOND).unwrap();
        assert_eq!(text(&path), "ours now");
    }
}

pub fn a_reader_follows_a_file_that_is_adopted_under_it() {
    let folder = testkit::folder();
    let path = folder.file("lecture");
    fs::write(&path, "").unwrap();
    let mut reader = NoteReader::open(&path).unwrap();
    assert!(!reader.is_note().unwrap() && reader.read().unwrap().text().unwrap().is_empty());
    fs::write(&path, "by hand\0").unwrap();
    assert_eq!(reader.read().unwrap().text().unwrap().to_string(), "by hand");
    writer(&path).write(b"a note", SECOND).unwrap();
    assert_eq!(reader.read().unwrap().text().unwrap().to_string(), "a note");
    assert!(reader.is_note().unwrap());
}

pub fn somebodys_work_is_refused_and_left_as_it_is() {
    let page = PageSize::system().bytes();
    let full_page = [b"text\0".to_vec(), vec![b'x'; page - 5]].concat();
    for bytes in
        [b"no NUL at all\n".to_vec(), b"Hi".to_vec(), b"a\0list\0of\0names\0".to_vec(), full_page]
    {
        let folder = testkit::folder();
        let path = folder.file("work");
        fs::write(&path, &bytes).unwrap();
        let refused = NoteWriter::open(&path, Adopt::Lecture, SECOND).unwrap_err();
        assert_eq!(refused.errno(), Errno::EEXIST);
        assert!(refused.remedy().contains("--adopt"), "{refused}");
        assert_eq!(fs::read(&path).unwrap(), bytes);
        let mut by_force = NoteWriter::open(&path, Adopt::Anything, SECOND).unwrap().0;
        by_force.write(b"taken", SECOND).unwrap();
        assert_eq!(text(&path), "taken");
    }
}

pub fn a_note_of_another_page_size_is_a_note() {
    let folder = testkit::folder();
    for len in [128, 4096, 16384, 65536, LONGEST_FILE] {
        let path = folder.file(&format!("{len}"));
        let mut created = NoteWriter::create(&path, len).unwrap();
        created.write(b"far away", SECOND).unwrap();
        assert_eq!((text(&path).as_str(), writer(&path).capacity()), ("far away", len - 65));
    }
    for len in [0, 64, 100, 4097, LONGEST_FILE + 64] {
        let refused = NoteWriter::create(folder.file("odd"), len).unwrap_err();
        assert_eq!(refused.errno(), Errno::EINVAL, "{len}");
    }
}

pub fn a_note_whose_length_was_changed_is_not_written() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let mut writer = writer(&path);
    writer.write(b"before", SECOND).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    file.set_len(100).unwrap();
    assert_eq!(writer.write(b"after", SECOND).unwrap_err().errno(), Errno::EBADMSG);
    file.set_len(8192).unwrap();
    assert_eq!(writer.write(b"after", SECOND).unwrap_err().errno(), Errno::EBADMSG);
    assert_eq!(text(&path), "before");
}

pub fn absurd_lengths_do_not_fill_the_memory() {
    let folder = testkit::folder();
    let path = folder.file("sparse");
    let file = File::create(&path).unwrap();
    file.set_len(1 << 40).unwrap();
    assert!(read(&path).text().unwrap().is_empty());
    let refused = NoteWriter::open(&path, Adopt::Anything, SECOND).unwrap_err();
    assert!(refused.remedy().contains("too long"), "{refused}");
    assert_eq!(file.metadata().unwrap().len(), 1 << 40);
}
