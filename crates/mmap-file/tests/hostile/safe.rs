//! Hostile, but safe, Rust in this very process: odd ranges and addresses, leaks, forks, threads.

use std::fs::File;
use std::mem;
use std::num::NonZeroUsize;
use std::time::Duration;

use ipc_common::note::Reading;
use ipc_common::{Errno, PageSize};
use mmap_file::note::{Adopt, NoteReader, NoteWriter};
use mmap_file::{
    Access, Advice, Anonymous, MapOptions, MappedFile, Mapping, Protection, create_new, maps,
    open_file,
};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use testkit::{Random, peer, soak};

const ADVICE: [Advice; 8] = [
    Advice::Normal,
    Advice::Random,
    Advice::Sequential,
    Advice::WillNeed,
    Advice::PopulateRead,
    Advice::PopulateWrite,
    Advice::DontDump,
    Advice::DoDump,
];

fn file_of(folder: &testkit::Folder, pages: usize) -> File {
    let len = (pages * PageSize::system().bytes()) as u64;
    create_new(folder.file(&format!("pages-{pages}")), len, 0o600, |_| Ok(())).unwrap()
}

/// Three mappings side by side: what is done to the middle one must not show on the others.
fn side_by_side(file: &File, options: &MapOptions) -> Option<[Mapping; 3]> {
    let page = PageSize::system().bytes();
    let room = Anonymous::new(3 * page).unwrap();
    let start = room.view().as_ptr().addr();
    drop(room);
    let at = |number: usize| {
        let address = NonZeroUsize::new(start + number * page).unwrap();
        options.clone().offset((number * page) as u64).len(page).at(address).map(file).ok()
    };
    Some([at(0)?, at(1)?, at(2)?])
}

pub fn no_range_reaches_a_neighbour() {
    let (folder, page) = (testkit::folder(), PageSize::system().bytes());
    let (file, mut random) = (file_of(&folder, 3), Random::new());
    for round in 0..soak(100, 5_000) {
        let options = MapOptions::new().read_write();
        let options = if round % 2 == 0 { options } else { options.private() };
        let [before, mut middle, after] = side_by_side(&file, &options).expect("room for three");
        let neighbours = [&before, &after];
        let state = || neighbours.map(|mapping| maps::flags(mapping).unwrap());
        neighbours
            .iter()
            .for_each(|mapping| mapping.write_view().unwrap().fill(0, page, 7).unwrap());
        let was = state();
        for _ in 0..20 {
            let (start, end) = (random.wild(page), random.wild(page));
            let fits = start <= end && end <= page;
            let advice = ADVICE[random.below(ADVICE.len())];
            assert_eq!(middle.advise(start..end, advice).is_ok(), fits, "{start}..{end}");
            assert_eq!(middle.flush(start..end).is_ok(), fits, "{start}..{end}");
            assert_eq!(middle.flush_async(start..end).is_ok(), fits, "{start}..{end}");
        }
        middle.protect(Protection::None).unwrap();
        assert!(middle.view().is_err() && middle.write_view().is_err());
        let fresh = [Protection::Read, Protection::ReadWrite][round % 2];
        middle.protect(fresh).unwrap();
        assert_eq!(middle.write_view().is_ok(), fresh.can_write());
        assert_eq!(state(), was);
        if round % 3 == 0 {
            middle.unmap().unwrap()
        } else {
            drop(middle)
        }
        for mapping in neighbours {
            let view = mapping.write_view().unwrap();
            assert!(view.read_vec(0, page).unwrap().iter().all(|byte| *byte == 7));
            view.fill(0, page, 0).unwrap();
        }
    }
}

pub fn nothing_that_is_mapped_is_ever_mapped_over() {
    let (folder, page) = (testkit::folder(), PageSize::system().bytes());
    let file = file_of(&folder, 3);
    let text = std::fs::read_to_string("/proc/self/maps").unwrap();
    let mut tried = 0;
    for line in text.lines().filter(|line| !line.ends_with("[vsyscall]")) {
        let (start, end) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
        let [start, end] = [start, end].map(|hex| usize::from_str_radix(hex, 16).unwrap());
        for address in [start, end - page] {
            for options in [MapOptions::new(), MapOptions::new().private().read_write()] {
                let at = options.at(NonZeroUsize::new(address).unwrap()).map(&file);
                assert_eq!(at.unwrap_err().errno(), Errno::EEXIST, "{line}");
                tried += 1;
            }
        }
    }
    assert!(tried > 40, "a process has more than ten mappings");
    let odd = [1, 4095, usize::MAX, usize::MAX - 4095, isize::MAX as usize, 1 << 47, 1 << 63];
    for address in odd {
        assert!(MapOptions::new().at(NonZeroUsize::new(address).unwrap()).map(&file).is_err());
    }
    for (offset, len) in [(u64::MAX, 4), (1 << 63, 1), (4096, usize::MAX), (0, usize::MAX)] {
        for options in [MapOptions::new(), MapOptions::new().allow_past_end()] {
            assert!(options.offset(offset).len(len).map(&file).is_err(), "{offset}, {len}");
        }
    }
}

pub fn growing_and_shrinking_never_lets_a_mapping_outlive_its_file() {
    let folder = testkit::folder();
    let mut mapped = MappedFile::new(file_of(&folder, 1)).unwrap();
    let mut random = Random::new();
    for _ in 0..soak(300, 20_000) {
        let (len, wild) = (random.below(200_000), random.wild(100_000));
        let _ = mapped.grow(len);
        assert!(mapped.grow(usize::MAX - wild % 4096).is_err());
        let _ = mapped.shrink(random.below(200_000));
        assert!(mapped.shrink(0).is_err());
        let len = mapped.len();
        assert_eq!(mapped.file().metadata().unwrap().len(), len as u64);
        // The last byte is there, in memory and in the file.
        mapped.write_view().unwrap().write(len - 1, &[1]).unwrap();
        assert!(mapped.view().unwrap().read_vec(len, 1).is_err());
    }
}

pub fn threads_that_map_and_unmap_at_once_take_nothing_from_each_other() {
    let folder = testkit::folder();
    let file = file_of(&folder, 1);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for round in 0..soak(5_000, 200_000) {
                    let mine = Anonymous::new(100).unwrap();
                    let mapping = MapOptions::new().private().read_write().map(&file).unwrap();
                    if round % 2 == 0 {
                        mapping.unmap().unwrap()
                    } else {
                        drop(mapping)
                    }
                    MapOptions::new().map(&file).unwrap().unmap().unwrap();
                    // Not there any more, if somebody unmapped twice.
                    mine.view().fill(0, 100, 1).unwrap();
                }
            });
        }
    });
}

fn in_a_child(child: impl FnOnce() -> bool) -> bool {
    // SAFETY: the case has one thread here.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            let passed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child));
            // SAFETY: _exit takes a number.
            unsafe { libc::_exit(if passed.unwrap_or(false) { 0 } else { 1 }) }
        }
        ForkResult::Parent { child } => {
            matches!(waitpid(child, None).unwrap(), WaitStatus::Exited(_, 0))
        }
    }
}

pub fn a_forked_child_unmaps_its_own_mapping_only() {
    let folder = testkit::folder();
    let mapped = MappedFile::new(file_of(&folder, 2)).unwrap();
    let (shared, mut own) = (Anonymous::new(100).unwrap(), Some(mapped));
    for _ in 0..soak(20, 500) {
        assert!(in_a_child(|| {
            let mut inherited = own.take().unwrap();
            inherited.write_view().unwrap().fill(0, 9, b'c').unwrap();
            inherited.grow(inherited.len() + 4096).unwrap();
            shared.view().fill(0, 9, b'a').unwrap();
            mem::forget(MapOptions::new().map(inherited.file()).unwrap());
            true
        }));
        let mapped = own.as_ref().unwrap();
        assert_eq!(mapped.view().unwrap().read_vec(0, 9).unwrap(), [b'c'; 9]);
        assert_eq!(shared.view().read_vec(0, 9).unwrap(), [b'a'; 9]);
        mapped.write_view().unwrap().fill(0, 9, 0).unwrap();
    }
}

pub fn threads_and_processes_that_write_one_note_never_tear_it() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let second = Duration::from_secs(1);
    drop(NoteWriter::create(&path, 64 * 101).unwrap());
    let theirs = path.clone();
    let stranger = peer(move |random| {
        let (mut writer, _) = NoteWriter::open(&theirs, Adopt::Lecture, second).unwrap();
        for _ in 0..9 {
            let text = vec![b'A' + random.below(26) as u8; 6_000];
            let _ = writer.write(&text, second);
        }
    });
    std::thread::scope(|scope| {
        for number in 0..3 {
            let (path, stranger) = (&path, &stranger);
            scope.spawn(move || {
                let mut reader = NoteReader::open(path).unwrap();
                let file = open_file(path, Access::ReadWrite).unwrap();
                let (mut writer, _) = NoteWriter::open(path, Adopt::Lecture, second).unwrap();
                for round in stranger.soak(300, 10_000) {
                    if number == 0 {
                        let _ = writer.write(&vec![b'a' + (round % 26) as u8; 5_000], second);
                    }
                    let Reading::Whole { text, .. } = reader.read().unwrap() else { continue };
                    let bytes = text.as_bytes();
                    assert!(bytes.iter().all(|byte| *byte == bytes[0]), "torn: {text}");
                }
                drop(file);
            });
        }
    });
}
