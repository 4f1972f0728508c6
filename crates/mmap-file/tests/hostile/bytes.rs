//! A stranger who stores into the file, holds its lock, and makes it longer.

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use ipc_common::Errno;
use ipc_common::note::Reading;
use mmap_file::integer::four_bytes;
use mmap_file::lock::{is_locked, lock_within, try_lock};
use mmap_file::note::{Adopt, LONGEST_FILE, NoteReader, NoteWriter, TRAILER};
use mmap_file::{Access, Advice, MapOptions, MappedFile, maps, open_file};
use nix::fcntl::{FcntlArg, fcntl};
use testkit::{Peer, Random, peer};

const MOMENT: Duration = Duration::from_millis(1);
/// Where the sequence lies, counted from the end of the file.
const SEQUENCE: usize = TRAILER - 12;

fn any_text(random: &mut Random, longest: usize) -> Vec<u8> {
    let mut text = vec![(random.any() as u8).max(1); random.below(longest + 1)];
    if random.below(8) == 0 && !text.is_empty() {
        let at = random.below(text.len());
        text[at] = 0;
    }
    text
}

fn scribbler(path: &std::path::Path) -> Peer {
    let file = open_file(path, Access::ReadWrite).unwrap();
    let mapping = MapOptions::new().read_write().map(&file).unwrap();
    let trailer = mapping.view().unwrap().read_vec(mapping.len() - TRAILER, TRAILER).unwrap();
    peer(move |random| {
        let view = mapping.write_view().unwrap();
        for _ in 0..64 {
            view.write(random.below(view.len()), &[random.any() as u8]).unwrap();
        }
        match random.below(4) {
            0 => view.fill(0, view.len(), b'#').unwrap(),
            // A note again, or victims would give up at the magic each time.
            1 => {}
            _ => view.write(view.len() - TRAILER, &trailer[..12]).unwrap(),
        }
        std::thread::sleep(Duration::from_micros(random.below(100) as u64));
    })
}

fn every_look(path: &std::path::Path, reader: &mut NoteReader, len: usize) -> bool {
    let found = reader.read().unwrap();
    reader.wait(Duration::from_micros(10)).unwrap();
    let (is_note, _) = (reader.is_note().unwrap(), reader.whereabouts().unwrap());
    assert!(!reader.is_locked().unwrap() || is_note);
    four_bytes(path, len as u64 - 4).unwrap();
    assert!(four_bytes(path, len as u64 - 3).is_err());
    if let Some(text) = found.text() {
        assert!(text.len() <= len && !text.as_bytes().contains(&0));
    }
    is_note
}

pub fn a_scribbler_on_every_byte_makes_wrong_notes_and_errors_and_nothing_else() {
    let folder = testkit::folder();
    let mut random = Random::new();
    for len in [128, 4096, 64 * 1021] {
        let path = folder.file(&format!("note-{len}"));
        let mut writer = NoteWriter::create(&path, len).unwrap();
        let mut reader = NoteReader::open(&path).unwrap();
        let whole = MappedFile::new(open_file(&path, Access::ReadWrite).unwrap()).unwrap();
        let mut looks = [0, 0];
        let scribbler = scribbler(&path);
        let mut rounds = scribbler.rounds_until(150, 10_000);
        while rounds.next(looks.iter().all(|count| *count > 0)).is_some() {
            let text = any_text(&mut random, len);
            match writer.write(&text, MOMENT) {
                Ok(_) => assert!(text.len() < len - TRAILER && !text.contains(&0)),
                Err(error) => assert!(
                    [Errno::EMSGSIZE, Errno::EINVAL, Errno::EBADMSG].contains(&error.errno())
                ),
            }
            looks[usize::from(every_look(&path, &mut reader, len))] += 1;
            match NoteWriter::open(&path, Adopt::Lecture, MOMENT) {
                Ok((again, _)) => assert_eq!(again.capacity(), len - TRAILER - 1),
                Err(error) => assert_eq!(error.errno(), Errno::EEXIST, "{error}"),
            }
            let range = random.below(len)..len;
            whole.mapping().advise(range.clone(), Advice::Random).unwrap();
            whole.mapping().flush_async(range).unwrap();
            assert!(whole.view().unwrap().text().unwrap().len() <= len);
            whole.write_view().unwrap().fill(0, random.below(9), 1).unwrap();
        }
        assert!(looks.iter().all(|count| *count > 0), "a note, and none: {looks:?}");
        drop(scribbler);
        assert_eq!(File::open(&path).unwrap().metadata().unwrap().len(), len as u64);
    }
}

pub fn a_scribbler_on_the_sequence_holds_up_neither_reader_nor_writer() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let mut writer = NoteWriter::create(&path, 4096).unwrap();
    let mut reader = NoteReader::open(&path).unwrap();
    let file = open_file(&path, Access::ReadWrite).unwrap();
    let mapping = MapOptions::new().read_write().map(&file).unwrap();
    let stranger = peer(move |random| {
        let (view, at) = (mapping.write_view().unwrap(), 4096 - SEQUENCE);
        // Odd, even, and the last before it begins again; and always a call that wakes.
        let next = [random.any() as u32, u32::MAX, u32::MAX - 1, 0, 1][random.below(5)];
        view.atomic_u32(at).unwrap().store(next, std::sync::atomic::Ordering::SeqCst);
        view.wake_all(at).unwrap();
        // With the lock or without it: a write that goes on for ever, or a writer that died.
        let _held = if random.below(2) == 0 { try_lock(&file).unwrap() } else { None };
        std::thread::sleep(Duration::from_micros(random.below(300) as u64));
    });
    let (mut found, mut written) = ([0; 3], 0);
    let mut rounds = stranger.rounds_until(300, 10_000);
    while rounds.next(found[0] > 0 && found[1] > 0 && written > 0).is_some() {
        written += usize::from(writer.write(b"note", MOMENT).is_ok());
        match reader.read().unwrap() {
            Reading::Whole { text, .. } => {
                assert!(["", "note"].contains(&text.to_str().unwrap()));
                found[0] += 1;
            }
            Reading::Abandoned => found[1] += 1,
            Reading::Busy => found[2] += 1,
        }
        // Anyone who waits for a change is woken by the next one.
        reader.wait(Duration::from_secs(40)).unwrap();
    }
    assert!(found[0] > 0 && found[1] > 0 && written > 0, "{found:?}, {written} written");
}

pub fn a_lock_that_is_held_for_ever_holds_up_nobody_for_longer_than_he_said() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let mut writer = NoteWriter::create(&path, 4096).unwrap();
    writer.write(b"before", MOMENT).unwrap();
    let mine = open_file(&path, Access::ReadWrite).unwrap();
    let read_only = open_file(&path, Access::Read).unwrap();
    let adopted = folder.file("to-be-adopted");
    std::fs::write(&adopted, "").unwrap();
    let kinds = [(libc::F_WRLCK, Access::ReadWrite), (libc::F_RDLCK, Access::Read)];
    for (kind, access) in kinds {
        let theirs = [&path, &adopted].map(|path| open_file(path, access).unwrap());
        let stranger = peer(move |_| {
            for file in &theirs {
                let whole = libc::flock {
                    l_type: kind as libc::c_short,
                    l_whence: libc::SEEK_SET as libc::c_short,
                    l_start: 0,
                    l_len: 0,
                    l_pid: 0,
                };
                fcntl(file.as_fd(), FcntlArg::F_OFD_SETLK(&whole)).unwrap();
            }
            std::thread::sleep(MOMENT);
        });
        let began = Instant::now();
        for _ in stranger.soak(20, 500) {
            assert!(try_lock(&mine).unwrap().is_none());
            assert_eq!(lock_within(&mine, MOMENT).unwrap_err().errno(), Errno::EAGAIN);
            assert_eq!(writer.write(b"after", MOMENT).unwrap_err().errno(), Errno::EAGAIN);
            let adopt = NoteWriter::open(&adopted, Adopt::Lecture, MOMENT);
            assert_eq!(adopt.unwrap_err().errno(), Errno::EAGAIN);
            // Whoever only reads is not held up: the note is whole.
            let mut reader = NoteReader::open(&path).unwrap();
            assert_eq!(reader.read().unwrap().text().unwrap().as_bytes(), b"before");
            assert_eq!(is_locked(&read_only).unwrap(), kind == libc::F_WRLCK);
        }
        assert!(began.elapsed() > Duration::from_millis(40), "they did wait");
        if kind == libc::F_WRLCK {
            // A write that goes on for ever.
            mine.write_all_at(&7_u32.to_ne_bytes(), (4096 - SEQUENCE) as u64).unwrap();
            let mut reader = NoteReader::open(&path).unwrap();
            assert_eq!(reader.read().unwrap(), Reading::Busy);
            reader.wait(MOMENT).unwrap();
            mine.write_all_at(&8_u32.to_ne_bytes(), (4096 - SEQUENCE) as u64).unwrap();
        }
        drop(stranger);
    }
    writer.write(b"after", Duration::from_secs(40)).unwrap();
}

pub fn a_file_that_grows_without_end_is_neither_believed_nor_copied() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let mut writer = NoteWriter::create(&path, 4096).unwrap();
    let mut reader = NoteReader::open(&path).unwrap();
    let mapped = MappedFile::new(open_file(&path, Access::ReadWrite).unwrap()).unwrap();
    let theirs = open_file(&path, Access::ReadWrite).unwrap();
    let mut len = 4096;
    let stranger = peer(move |random| {
        // Sparse, and never shorter. A trailer at the end makes a note of it again, at times.
        len = (len + 64 * (1 + random.below(40)) as u64).min(1 << 40);
        let _ = theirs.set_len(len);
        if random.below(3) == 0 {
            let mut trailer = [0; 12];
            trailer[..8].copy_from_slice(b"ipc-note");
            trailer[8..].copy_from_slice(&1_u32.to_ne_bytes());
            let _ = theirs.write_all_at(&trailer, len - TRAILER as u64);
            // At last, further than any note and any memory goes.
            if len > 8 << 20 {
                len += 1 << 38;
            }
        }
        let _ = theirs.write_all_at(&[b'x'; 5000], 0);
    });
    for _ in stranger.soak(300, 5_000) {
        // Whoever adopts it below makes it longer still; then the stranger does cut it.
        match reader.read() {
            Ok(found) => assert!(found.text().is_none_or(|text| text.len() <= LONGEST_FILE)),
            Err(error) => assert_eq!(error.errno(), Errno::EBADMSG, "{error}"),
        }
        reader.wait(Duration::from_micros(10)).unwrap();
        // It has another length, so the place of the trailer is another one.
        assert_eq!(writer.write(b"text", MOMENT).unwrap_err().errno(), Errno::EBADMSG);
        let _ = NoteWriter::open(&path, Adopt::Anything, MOMENT);
        assert_eq!(mapped.len(), 4096);
        assert!(mapped.view().unwrap().text().unwrap().len() <= 4096);
        let (file, rest) = (mapped.file(), MapOptions::new().offset(5_001).map(mapped.file()));
        let word =
            rest.and_then(|rest| rest.view()?.load_u32(3, std::sync::atomic::Ordering::Relaxed));
        // Cut just now, or before it was mapped.
        let cut = |error: ipc_common::Error| {
            assert!([Errno::EIO, Errno::ERANGE].contains(&error.errno()), "{error}");
        };
        word.map(drop).unwrap_or_else(cut);
        maps::listing_of(mapped.mapping()).unwrap();
        let len = file.metadata().unwrap().len();
        four_bytes(&path, len - 4).map(drop).unwrap_or_else(cut);
    }
    drop(stranger);
    // Nothing but text, further than any note goes.
    mapped.file().write_all_at(&vec![b'x'; LONGEST_FILE + 4096], 0).unwrap();
    let found = reader.read().unwrap();
    assert_eq!(found.text().map(|text| text.len()), Some(LONGEST_FILE));

    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: usize = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(peak < 256 * 1024, "{peak} KiB for notes of 16 MiB at most");
}
