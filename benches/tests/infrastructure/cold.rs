//! Is cold cold, and what becomes of files where there is no room or no disk?

use std::path::PathBuf;

use benches::files::{Pieces, Place, Plan, can_be_cold, chill, reopen, resident_pages};
use benches::raw::Map;
use benches::settings::Settings;
use ipc_common::{Errno, PageSize};

use crate::process;

const PLAN: Plan = Plan { bytes: (1 << 20) + 1, pieces: Pieces::Small };

/// The folders of tests are on a disk, unless somebody has set them elsewhere.
pub fn on_a_disk() -> Result<(), String> {
    let folder = testkit::folder();
    let place = Place::at(folder.path()).map_err(|error| error.to_string())?;
    match place.is_memory() {
        true => Err(format!("{} is {}: memory", folder.path().display(), place.file_system())),
        false => Ok(()),
    }
}

pub fn a_file_is_cold_when_mincore_says_so() {
    let folder = testkit::folder();
    let place = Place::at(folder.path()).expect("it can be written");
    let (file, _) = PLAN.make(&place).expect("there is room");
    let pages = PageSize::system().pages(PLAN.bytes as usize);
    assert_eq!(resident_pages(&file).expect("it can be asked"), pages);
    chill(&file).expect("nobody holds it");
    assert_eq!(resident_pages(&file).expect("it can be asked"), 0);
    // To look does not warm it up; to read does.
    assert_eq!(resident_pages(&file).expect("it can be asked"), 0);
    let mut read = reopen(&file, false).expect("it is there");
    std::io::copy(&mut read, &mut std::io::sink()).expect("it can be read");
    assert_eq!(resident_pages(&file).expect("it can be asked"), pages);
    // Dirty pages are written first: DONTNEED alone would leave them.
    std::os::unix::fs::FileExt::write_all_at(&file, &[1; 5000], 0).expect("there is room");
    chill(&file).expect("nobody holds it");
}

pub fn a_mapped_file_cannot_be_made_cold() {
    let folder = testkit::folder();
    let place = Place::at(folder.path()).expect("it can be written");
    let (file, _) = PLAN.make(&place).expect("there is room");
    let map = Map::of_file(&file, PLAN.bytes as usize, libc::PROT_READ, libc::MAP_SHARED);
    let map = map.expect("there is memory");
    map.load_each_page();
    let error = chill(&file).expect_err("its pages are mapped");
    assert_eq!(error.errno(), Errno::EBUSY);
    assert!(error.about().contains("pages stay in memory"), "{error}");
    drop(map);
    if !place.is_memory() {
        chill(&file).expect("nobody holds it any more");
    }
}

pub fn memory_cannot_be_made_cold_and_says_so() {
    let disk = testkit::small_tmpfs(8 << 20);
    let place = Place::at(disk.path()).expect("it can be written");
    assert_eq!(place.file_system(), "tmpfs");
    assert!(place.is_memory());
    let why = can_be_cold(&place).expect_err("its pages are the file");
    assert!(why.contains("tmpfs") && why.contains("page cache cannot be dropped"), "{why}");
    // A folder that is set is taken, memory or not; one that is chosen is a disk if there is one.
    let set = Settings { folder: Some(disk.path().into()), ..Settings::default() };
    let chosen = Place::choose(&set, disk.path()).expect("it can be written");
    assert!(chosen.is_memory());
    std::fs::create_dir(disk.path().join("tmp")).expect("there is room");
    let chosen = Place::choose(&Settings::default(), disk.path()).expect("somewhere is room");
    let others = [std::env::temp_dir(), "/var/tmp".into()];
    let disk_at = |folder: &PathBuf| Place::at(folder).is_ok_and(|place| !place.is_memory());
    assert_eq!(chosen.is_memory(), !others.iter().any(disk_at), "{chosen}");
}

pub fn a_file_that_does_not_fit_is_skipped_aloud() {
    let results = testkit::folder();
    let disk = testkit::small_tmpfs(1 << 20);
    let mut command = process::command(disk.path(), results.path(), &["--quick"]);
    let said = process::said(&mut command);
    let line = said.lines().find(|line| line.starts_with("SKIPPED the file: ")).expect(&said);
    for part in [
        disk.path().to_str().expect("it is text"),
        "of 1 MiB",
        "1.0 MiB are free",
        "BENCH_MAX",
        "BENCH_DIR",
    ] {
        assert!(line.contains(part), "{line}");
    }
    let (runs, troubles) = benches::results::read_runs(results.path());
    assert!(troubles.is_empty(), "{troubles:?}");
    assert_eq!((runs[0].cases, runs[0].skipped.len()), (0, 1));
}
