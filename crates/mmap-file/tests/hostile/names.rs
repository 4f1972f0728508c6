//! A stranger who renames, removes, recreates and swaps what stands behind a path.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipc_common::Errno;
use ipc_common::note::Reading;
use mmap_file::integer::four_bytes;
use mmap_file::note::{Adopt, NoteReader, NoteWriter, Whereabouts};
use mmap_file::{Access, MapOptions, create_new, open_file, open_or_create};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use testkit::{Random, peer};

const MOMENT: Duration = Duration::from_millis(1);

/// Puts something at `path` in place of what is there.
fn swap(path: &Path, random: &mut Random) {
    let new = path.with_extension("new");
    let _ = fs::remove_file(&new).or_else(|_| fs::remove_dir(&new));
    // Given when it is made. chmod(2) afterwards would follow the link that another stranger may have
    // put there meanwhile, and root would close /dev/zero to everybody else.
    let mode = if random.below(8) == 0 { [0o000, 0o200, 0o400][random.below(3)] } else { 0o600 };
    let put = |bytes: &[u8]| {
        let made = File::options().write(true).create_new(true).mode(mode).open(&new);
        made.and_then(|mut file| file.write_all(bytes))
    };
    let _ = match random.below(10) {
        9 => symlink(path.with_extension("precious"), &new),
        0 => fs::create_dir(&new),
        1 => mkfifo(&new, Mode::from_bits_truncate(mode)).map_err(Into::into),
        2 => symlink("/dev/zero", &new),
        3 => symlink(path, &new),
        4 => put(b""),
        5 => put(&vec![b't'; random.below(9_000)]),
        6 => put(&[b"lecture\0".as_slice(), &vec![0; random.below(4_000)]].concat()),
        _ => put(&note(random)),
    };
    // A folder gives way to a file only when it is removed.
    let _ = fs::remove_dir(path);
    if random.below(3) == 0 {
        let _ = fs::remove_file(path);
    }
    let _ = fs::rename(&new, path);
    std::thread::sleep(Duration::from_micros(random.below(300) as u64));
}

/// A note file, made without the library.
fn note(random: &mut Random) -> Vec<u8> {
    let mut bytes = vec![0; 64 * (2 + random.below(200))];
    let trailer = bytes.len() - 64;
    bytes[..5].copy_from_slice(b"whole");
    bytes[trailer..trailer + 8].copy_from_slice(b"ipc-note");
    bytes[trailer + 8..trailer + 12].copy_from_slice(&1_u32.to_ne_bytes());
    bytes
}

fn every_call_on(path: &Path, random: &mut Random) -> [usize; 3] {
    let (mut read, mut written, mut moved) = (0, 0, 0);
    if let Ok(mut reader) = NoteReader::open(path) {
        for _ in 0..3 {
            if let Reading::Whole { text, .. } = reader.read().unwrap() {
                read += usize::from(text.as_bytes() == b"whole");
            }
            reader.wait(Duration::from_micros(50)).unwrap();
            let _ = (reader.is_note().unwrap(), reader.is_locked().unwrap());
            moved += usize::from(reader.whereabouts().is_ok_and(|at| at != Whereabouts::Here));
        }
    }
    let adopt = [Adopt::Lecture, Adopt::Anything][random.below(2)];
    if let Ok((mut writer, _)) = NoteWriter::open(path, adopt, MOMENT) {
        // Whoever has the file open keeps it, wherever its name has gone.
        written += usize::from(writer.write(b"whole", MOMENT).is_ok());
        let _ = (writer.whereabouts(), writer.flush());
    }
    for access in [Access::Read, Access::ReadWrite] {
        let Ok(file) = open_file(path, access) else { continue };
        assert!(file.metadata().unwrap().is_file());
        let len = file.metadata().unwrap().len();
        let mapping = MapOptions::new().protection(mmap_file::Protection::Read).map(&file);
        assert!(mapping.is_ok() || len < 2 || access == Access::Read, "{len}, {mapping:?}");
    }
    let _ = four_bytes(path, random.below(9_000) as u64);
    let _ = open_or_create(path, 4096, 0o600, |_| Ok(()));
    [read, written, moved]
}

pub fn whatever_becomes_of_the_name_every_call_comes_back() {
    let folder = testkit::folder();
    let path = folder.file("note");
    // A stranger's link may lead to it, and it looks as if it could be adopted.
    let precious = path.with_extension("precious");
    fs::write(&precious, "lecture\0").unwrap();
    let theirs = path.clone();
    let stranger = peer(move |random| swap(&theirs, random));
    let (mut random, mut sums) = (Random::new(), [0; 3]);
    let mut rounds = stranger.rounds_until(1_000, 30_000);
    while rounds.next(sums.iter().all(|sum| *sum > 9)).is_some() {
        let counts = every_call_on(&path, &mut random);
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    assert!(sums.iter().all(|sum| *sum > 9), "read, written, moved: {sums:?}");
    drop(stranger);
    // Its mode is the stranger's own doing.
    fs::set_permissions(&precious, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(fs::read(precious).unwrap(), b"lecture\0", "written through a link");
    assert_eq!(hidden(folder.path()), Vec::<PathBuf>::new());
}

fn hidden(folder: &Path) -> Vec<PathBuf> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    names.filter(|path| path.file_name().unwrap().as_encoded_bytes().starts_with(b".")).collect()
}

/// Two who create at once: each file that is returned as created is the one that the name got, and
/// it had its contents from the first moment on.
pub fn what_is_created_is_never_a_strangers_file_nor_left_behind() {
    let folder = testkit::folder();
    let path = folder.file("new");
    let theirs = path.clone();
    let stranger = peer(move |random| {
        let _ = match random.below(3) {
            // Never into a file that is there: ours would be cut short.
            0 => File::create_new(&theirs).and_then(|mut file| file.write_all(b"stranger")),
            1 => symlink("elsewhere", &theirs),
            _ => fs::create_dir(&theirs),
        };
        std::thread::sleep(Duration::from_micros(random.below(100) as u64));
        let _ = fs::remove_file(&theirs).or_else(|_| fs::remove_dir(&theirs));
    });
    let mut created = 0;
    let mut rounds = stranger.rounds_until(2_000, 60_000);
    while rounds.next(created > 9).is_some() {
        match create_new(&path, 4096, 0o600, |_| Ok(())) {
            Ok(file) => {
                created += 1;
                let mapping = MapOptions::new().map(&file).unwrap();
                assert_eq!(mapping.len(), 4096);
                assert_eq!(mapping.view().unwrap().text().unwrap().len(), 0, "ours is all zero");
                let _ = fs::remove_file(&path);
            }
            Err(error) => assert_eq!(error.errno(), Errno::EEXIST, "{error}"),
        }
        assert!(!folder.file("elsewhere").exists(), "a dangling link was followed");
    }
    assert!(created > 9, "{created}");
    drop(stranger);
    assert_eq!(hidden(folder.path()), Vec::<PathBuf>::new());
}
