//! A file cut under a mapping: each case would end by SIGBUS without what the library does.

mod common;

use std::fs::{self, File};
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use common::{Child, SECOND, writer};
use ipc_common::note::Reading;
use ipc_common::view::WriteView;
use ipc_common::{Errno, Error, PageSize};
use mmap_file::integer::four_bytes;
use mmap_file::mapping::truncation::{Shrunk, still_reaches};
use mmap_file::note::{Adopt, NoteReader, NoteWriter};
use mmap_file::{Access, Advice, MapOptions, MappedFile, Mapping, Protection, open_file};
use testkit::{Folder, Peer, peer};

testkit::cases! {
    a_copy_past_the_end_tells_the_good_bytes_and_spoils_nothing;
    an_atomic_past_the_end_spoils_the_mapping_and_every_call_says_so;
    what_was_stored_after_the_cut_is_never_in_the_file;
    a_mapping_made_anew_works_and_so_does_growing_a_mapped_file;
    private_and_read_only_mappings_are_guarded_too;
    unguarded_leaves_the_signals_alone;
    a_note_that_is_cut_anywhere_is_refused_renewed_and_read_again;
    what_is_left_of_a_note_is_shown_to_nobody;
    a_file_with_something_else_in_it_is_not_renewed;
    a_storm_kills_no_copy_no_atomic_and_no_call_of_a_mapping;
    the_same_storm_kills_a_plain_access;
    a_storm_tears_no_note;
}

fn page() -> usize {
    PageSize::system().bytes()
}

/// A file of `pages` pages of `x`.
fn file_of(pages: usize) -> (Folder, File) {
    let folder = testkit::folder();
    let path = folder.file("file");
    fs::write(&path, vec![b'x'; pages * page()]).unwrap();
    (folder, open_file(&path, Access::ReadWrite).unwrap())
}

fn mapped(file: &File) -> Mapping {
    MapOptions::new().read_write().map(file).unwrap()
}

fn cut(file: &File, pages: usize) {
    file.set_len((pages * page()) as u64).unwrap();
}

/// The error of a file that was cut, after so many good bytes.
fn shrunk<T: std::fmt::Debug>(found: Result<T, Error>) -> usize {
    let error = found.unwrap_err();
    Shrunk::of(&error).unwrap_or_else(|| panic!("{error}")).good
}

fn a_copy_past_the_end_tells_the_good_bytes_and_spoils_nothing() {
    let (_folder, file) = file_of(4);
    let mapping = mapped(&file);
    let view = mapping.write_view().unwrap();
    cut(&file, 2);
    let mut bytes = vec![0; 4 * page()];
    assert_eq!(shrunk(view.read(0, &mut bytes)), 2 * page());
    assert!(bytes[..2 * page()].iter().all(|byte| *byte == b'x'));
    assert_eq!(shrunk(view.read(page(), &mut bytes[..2 * page()])), page());
    assert_eq!(shrunk(view.write(3 * page(), b"lost")), 0);
    assert_eq!(shrunk(view.write(page(), &bytes[page()..])), page());
    assert_eq!(shrunk(view.fill(0, 3 * page(), b'f')), 2 * page());
    assert_eq!(shrunk(view.text()), 2 * page());
    assert_eq!(shrunk(view.read_vec(2 * page(), 1)), 0);
    assert!(still_reaches(&file, 2 * page() as u64 + 1).is_err());
    mapping.check().unwrap();
    // The file grows again, and the mapping with it.
    cut(&file, 4);
    assert_eq!(view.read_vec(2 * page(), 3).unwrap(), [0; 3]);
    view.write(2 * page(), b"yes").unwrap();
    assert_eq!(view.read_vec(0, 1).unwrap(), b"f");
}

fn an_atomic_past_the_end_spoils_the_mapping_and_every_call_says_so() {
    for touch in 0..2 {
        let (_folder, file) = file_of(4);
        let mut mapping = mapped(&file);
        let view = mapping.write_view().unwrap();
        let word = view.atomic_u32(3 * page()).unwrap();
        cut(&file, 2);
        // The call during which it happens says so, or he who holds the atomic asks.
        match touch {
            0 => assert_eq!(shrunk(view.load_u32(2 * page(), Ordering::Relaxed)), 0),
            _ => assert_eq!(word.fetch_add(1, Ordering::Relaxed), 0),
        }
        shrunk(view.check());
        shrunk(mapping.check());
        // Good pages, too: one answer for the whole mapping.
        shrunk(view.read(0, &mut [0]));
        shrunk(view.write(0, &[0]));
        shrunk(view.fill(0, 1, 0));
        shrunk(view.text());
        shrunk(view.put_text(b"lost"));
        shrunk(view.read_vec(0, 1));
        shrunk(view.load_u32(0, Ordering::Relaxed));
        shrunk(view.atomic_u32(0));
        shrunk(view.part(0, 10).unwrap().as_read().read(0, &mut [0]));
        shrunk(view.wait_while(0, 0, SECOND));
        shrunk(view.wake_all(0));
        shrunk(mapping.view());
        shrunk(mapping.write_view());
        shrunk(mapping.flush(0..1));
        shrunk(mapping.flush_async(0..1));
        shrunk(mapping.advise(0..1, Advice::Normal));
        shrunk(mapping.protect(Protection::Read));
        mapping.unmap().unwrap();
    }
}

fn what_was_stored_after_the_cut_is_never_in_the_file() {
    let (_folder, file) = file_of(3);
    let mapping = mapped(&file);
    let word = mapping.write_view().unwrap().atomic_u32(2 * page()).unwrap();
    cut(&file, 1);
    word.store(u32::MAX, Ordering::SeqCst);
    cut(&file, 3);
    word.store(u32::MAX, Ordering::SeqCst);
    let mut bytes = vec![1; 3 * page()];
    file.read_exact_at(&mut bytes, 0).unwrap();
    assert!(bytes[..page()].iter().all(|byte| *byte == b'x'));
    assert!(bytes[page()..].iter().all(|byte| *byte == 0));
    shrunk(mapping.flush(0..mapping.len()));
}

fn a_mapping_made_anew_works_and_so_does_growing_a_mapped_file() {
    let (_folder, file) = file_of(3);
    let old = mapped(&file);
    cut(&file, 1);
    shrunk(old.view().unwrap().load_u32(page(), Ordering::Relaxed));
    let new = mapped(&file);
    assert_eq!(new.len(), page());
    new.write_view().unwrap().write(0, b"new").unwrap();
    assert!(old.view().is_err(), "spoilt for ever");

    cut(&file, 3);
    let mut whole = MappedFile::new(file).unwrap();
    cut(whole.file(), 1);
    shrunk(whole.view().unwrap().load_u32(page(), Ordering::Relaxed));
    whole.grow(whole.len()).unwrap();
    assert_eq!(whole.file().metadata().unwrap().len(), 3 * page() as u64);
    whole.write_view().unwrap().write(2 * page(), b"again").unwrap();
    assert_eq!(whole.view().unwrap().read_vec(0, 3).unwrap(), b"new");
}

fn private_and_read_only_mappings_are_guarded_too() {
    let (folder, file) = file_of(3);
    let read_only = open_file(folder.file("file"), Access::Read).unwrap();
    let shared = MapOptions::new().offset(page() as u64 + 5).map(&read_only).unwrap();
    let private = MapOptions::new().private().read_write().map(&read_only).unwrap();
    private.write_view().unwrap().write(2 * page(), b"mine").unwrap();
    cut(&file, 0);
    shrunk(shared.view().unwrap().text());
    shrunk(shared.view().unwrap().load_u32(page() - 5, Ordering::Relaxed));
    shrunk(private.view().unwrap().read_vec(2 * page(), 4));
    shrunk(private.view().unwrap().load_u32(0, Ordering::Relaxed));
    shrunk(private.write_view());
}

fn unguarded_leaves_the_signals_alone() {
    let (_folder, file) = file_of(1);
    let mapping = MapOptions::new().unguarded().map(&file).unwrap();
    cut(&file, 0);
    let child = Child::start(|| drop(black_box(mapping.view().unwrap().text())));
    assert_eq!(child.signal(), libc::SIGBUS);
}

fn a_note_that_is_cut_anywhere_is_refused_renewed_and_read_again() {
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

fn what_is_left_of_a_note_is_shown_to_nobody() {
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

fn a_file_with_something_else_in_it_is_not_renewed() {
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

/// Cuts the file at random and makes it as long as it was, all the time.
fn cutter(path: &Path, pages: usize, pause: u64) -> Peer {
    let file = File::options().write(true).open(path).unwrap();
    peer(move |random| {
        file.set_len(random.below(pages * page()) as u64).unwrap();
        thread::sleep(Duration::from_micros(random.any() % (pause + 1)));
        file.set_len((pages * page()) as u64).unwrap();
        thread::sleep(Duration::from_micros(random.any() % (pause + 1)));
    })
}

/// Of a call in the storm: done, cut short, or another error, which should not be.
#[derive(Debug, Default)]
struct Outcomes {
    done: usize,
    shrunk: usize,
}

impl Outcomes {
    fn count<T>(&mut self, found: Result<T, Error>) {
        match found {
            Ok(_) => self.done += 1,
            Err(error) if Shrunk::of(&error).is_some() => self.shrunk += 1,
            // A system call on memory that is gone; a file too short to be mapped at that moment.
            Err(error)
                if [Errno::EFAULT, Errno::ERANGE, Errno::EINVAL].contains(&error.errno()) =>
            {
                self.shrunk += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

fn every_use_of(view: WriteView<'_>, outcomes: &mut Outcomes, at: usize) {
    let mut bytes = [0; 5000];
    outcomes.count(view.read(at, &mut bytes));
    outcomes.count(view.write(at, &bytes));
    outcomes.count(view.fill(at, 3000, 0));
    outcomes.count(view.read_vec(at, 3000));
    outcomes.count(view.part(at, 3000).and_then(|part| part.text()));
    outcomes.count(view.part(at, 3000).and_then(|part| part.put_text(b"text")));
    outcomes.count(view.load_u32(at, Ordering::Acquire));
    outcomes.count(view.wake_all(at));
    outcomes.count(view.wait_while(at, 1, Duration::from_nanos(1)));
    outcomes.count(view.atomic_u32(at).and_then(|word: &AtomicU32| {
        word.fetch_or(1, Ordering::AcqRel);
        view.check()
    }));
}

fn a_storm_kills_no_copy_no_atomic_and_no_call_of_a_mapping() {
    const PAGES: usize = 16;
    let (folder, file) = file_of(PAGES);
    let path = folder.file("file");
    let storm = cutter(&path, PAGES, 30);
    let all = thread::scope(|scope| {
        let threads: Vec<_> = (0..3_usize)
            .map(|me| {
                let (file, path, storm) = (&file, &path, &storm);
                scope.spawn(move || {
                    let mut outcomes = Outcomes::default();
                    let mut renewed = 0;
                    let options = MapOptions::new().len(PAGES * page()).allow_past_end();
                    let options = if me == 2 { options.private() } else { options }.read_write();
                    let mut mapping = options.map(file).unwrap();
                    for round in storm.soak(1_000, 60_000) {
                        if mapping.check().is_err() {
                            mapping = options.map(file).unwrap();
                            renewed += 1;
                        }
                        let at = (round * 1237 + me * 4096) % (PAGES * page() - 5000) / 4 * 4;
                        match mapping.write_view() {
                            Ok(view) => every_use_of(view, &mut outcomes, at),
                            Err(error) => outcomes.count(Err::<(), _>(error)),
                        }
                        outcomes.count(mapping.flush_async(0..mapping.len()));
                        outcomes.count(mapping.advise(at..at + 1, Advice::WillNeed));
                        outcomes.count(mapping.advise(at..at + 1, Advice::PopulateRead));
                        outcomes.count(four_bytes(path, at as u64));
                        outcomes.count(
                            MapOptions::new()
                                .populate()
                                .map(file)
                                .and_then(|whole| whole.view()?.load_u32(0, Ordering::Relaxed)),
                        );
                    }
                    (outcomes, renewed)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    for (outcomes, renewed) in &all {
        assert!(outcomes.done > 0 && outcomes.shrunk > 0 && *renewed > 0, "{all:?}");
    }
    common::told(&format!("{} cuts, {all:?}", storm.rounds()));
}

fn the_same_storm_kills_a_plain_access() {
    const PAGES: usize = 16;
    let (folder, file) = file_of(PAGES);
    let storm = cutter(&folder.file("file"), PAGES, 30);
    let options = MapOptions::new().len(PAGES * page()).allow_past_end().read_write();
    let mapping = options.unguarded().map(&file).unwrap();
    let victim = Child::start(|| {
        let view = mapping.write_view().unwrap();
        for at in (0..PAGES * page()).step_by(64).cycle() {
            black_box(view.load_u32(at, Ordering::Relaxed).unwrap());
        }
    });
    assert_eq!(victim.signal(), libc::SIGBUS);
    drop(storm);
}

/// A note that shows by itself whether it is whole: its length in front, and one letter.
fn note_of(number: usize) -> Vec<u8> {
    let len = 8 + number * 2654435761 % 9000;
    let mut note = format!("{len:08}").into_bytes();
    note.resize(len, b'a' + (number % 26) as u8);
    note
}

fn is_whole(note: &[u8]) -> bool {
    let len = note.get(..8).and_then(|len| std::str::from_utf8(len).ok()?.parse::<usize>().ok());
    len == Some(note.len()) && note[8..].windows(2).all(|pair| pair[0] == pair[1])
}

fn a_storm_tears_no_note() {
    const PAGES: usize = 3;
    let folder = testkit::folder();
    let path = folder.file("note");
    let mut writer = NoteWriter::create(&path, PAGES * page()).unwrap();
    writer.write(&note_of(0), SECOND).unwrap();
    let mut reader = NoteReader::open(&path).unwrap();
    reader.read().unwrap();
    let mut found = [0; 4];
    let (mut written, mut refused) = (0, 0);
    let storm = {
        let file = File::options().write(true).open(&path).unwrap();
        peer(move |random| {
            // Often not at all, or nothing would ever be whole.
            thread::sleep(Duration::from_micros(random.any() % 400));
            file.set_len(random.below(PAGES * page() + 1) as u64).unwrap();
            if random.below(2) == 0 {
                file.set_len((PAGES * page()) as u64).unwrap();
            }
        })
    };
    thread::scope(|scope| {
        let storm = &storm;
        let reading = scope.spawn(move || {
            for _ in storm.soak(4_000, 200_000) {
                match reader.read() {
                    Ok(Reading::Whole { text, .. }) => {
                        let (note, len) = (text.as_bytes(), text.len());
                        assert!(is_whole(note), "torn: {:?}, {len} bytes", &note[..len.min(12)]);
                        found[0] += 1;
                    }
                    Ok(Reading::Abandoned) => found[1] += 1,
                    Ok(Reading::Busy) => found[2] += 1,
                    Err(error) => {
                        assert_eq!(error.errno(), Errno::EBADMSG, "{error}");
                        found[3] += 1;
                    }
                }
                reader.wait(Duration::from_micros(20)).unwrap();
            }
            found
        });
        let mut number = 0;
        while !reading.is_finished() {
            number += 1;
            match writer.write(&note_of(number), SECOND) {
                Ok(_) => written += 1,
                Err(error) => {
                    let known = [Errno::EBADMSG, Errno::EIO, Errno::EMSGSIZE];
                    assert!(known.contains(&error.errno()), "{error}");
                    refused += 1;
                    // What is left is ours, whichever of our notes it is the beginning of.
                    if let Err(error) = writer.renew(Adopt::Anything, SECOND) {
                        assert_eq!(error.errno(), Errno::EAGAIN, "{error}");
                    }
                }
            }
        }
        found = reading.join().unwrap();
    });
    assert!(found[0] > 0 && found[3] > 0 && written > 0 && refused > 0);
    common::told(&format!(
        "{} cuts, {written} written, {refused} refused, {found:?}",
        storm.rounds()
    ));
    drop(storm);
    loop {
        if writer.write(b"calm again", SECOND).is_ok() {
            break;
        }
        writer.renew(Adopt::Anything, SECOND).unwrap();
    }
    assert_eq!(common::text(&path), "calm again");
}
