//! Cuts, growths and replacements without end.

use super::*;

/// Cuts the file at random and makes it as long as it was, all the time.
pub fn cutter(path: &Path, pages: usize, pause: u64) -> Peer {
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
pub struct Outcomes {
    pub done: usize,
    pub shrunk: usize,
}

impl Outcomes {
    pub fn count<T>(&mut self, found: Result<T, Error>) {
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

pub fn a_storm_kills_no_copy_no_atomic_and_no_call_of_a_mapping() {
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
                    let mut rounds = storm.rounds_until(1_000, 60_000);
                    while let Some(round) =
                        rounds.next(outcomes.done > 0 && outcomes.shrunk > 0 && renewed > 0)
                    {
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
                        outcomes.count(mapping.flush(at..at + 1));
                        // Zeros that come in between have the one protection or the other.
                        outcomes.count(mapping.protect(Protection::Read));
                        outcomes.count(
                            mapping.view().and_then(|view| view.load_u32(at, Ordering::Relaxed)),
                        );
                        outcomes.count(mapping.protect(Protection::ReadWrite));
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

pub fn the_same_storm_kills_a_plain_access() {
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

pub fn a_storm_tears_no_note() {
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
            let mut rounds = storm.rounds_until(4_000, 200_000);
            while rounds.next(found[0] > 0 && found[3] > 0).is_some() {
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
                reader.is_note().unwrap();
                reader.is_locked().unwrap();
                assert_eq!(reader.whereabouts().unwrap(), Whereabouts::Here);
            }
            found
        });
        let mut number = 0;
        while !reading.is_finished() {
            number += 1;
            assert_eq!(writer.whereabouts().unwrap(), Whereabouts::Here);
            // Spoilt, if the last call was.
            if let Err(error) = writer.flush() {
                assert_eq!(error.errno(), Errno::EIO, "{error}");
            }
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
