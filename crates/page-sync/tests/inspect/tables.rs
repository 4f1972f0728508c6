//! Page tables: what was done is what is shown, of this process and of others.

use std::os::fd::AsRawFd;

use mmap_file::{Advice, MapOptions, Mapping, maps};
use nix::errno::Errno;
use page_sync::inspect::pagemap::{self, Pagemap, State};
use page_sync::inspect::{faults, totals};

use crate::support::{Still, Userfault, in_memory, mapped, numbers, page, sparse, store};

const PAGES: usize = 64;
const TOUCHED: [usize; 4] = [3, 17, 18, 40];

/// Bit 56 of pagemap: alone, then shared with the child, then alone again once the child has
/// written, which has a copy of its own from then on.
pub fn copy_on_write_after_fork_shows_as_such() {
    let (_folder, file) = sparse(4);
    let mapping = MapOptions::new().private().read_write().map(&file).unwrap();
    store(&mapping, &[1, 2]);
    let mine = || pagemap::of_mapping(&mapping).known().unwrap();
    let alone = || numbers(mine().pages_that(|entry| entry.exclusive()));
    assert_eq!(alone(), [1, 2]);
    let child = Still::after(|| store(&mapping, &[2]));
    assert_eq!(alone(), [2], "page 1 is both's, and of page 2 the child has a copy");
    let addresses = mapping.address() as u64..(mapping.address() + 4 * page()) as u64;
    let its = Pagemap::of(child.pid()).known().unwrap().entries(addresses).known().unwrap();
    let first = its.start();
    let exclusive = its.pages_that(|entry| entry.exclusive()).map(|number| number - first);
    assert_eq!(numbers(exclusive), [2]);
    drop(child);
    assert_eq!(alone(), [1, 2], "alone again, with nobody left to share with");
}

pub fn a_private_copy_is_no_page_of_the_file() {
    let (_folder, file) = sparse(4);
    let options = MapOptions::new().private().read_write().advice(Advice::Random);
    let mapping = options.map(&file).unwrap();
    mapping.view().unwrap().read(0, &mut [0; 1]).unwrap();
    store(&mapping, &[1]);
    let entries = pagemap::of_mapping(&mapping).known().unwrap();
    let of_file =
        |number| entries.get(number).map(|entry| (entry.is_present(), entry.is_file_page()));
    assert_eq!(of_file(0), Some((true, true)), "read: the file's own page");
    assert_eq!(of_file(1), Some((true, false)), "written: a copy");
    assert_eq!(of_file(2), Some((false, false)));
    let totals = totals::of_mapping(&mapping).known().unwrap();
    assert_eq!((totals.resident, totals.anonymous), (2 * page() as u64, page() as u64));
}

/// `MADV_GUARD_INSTALL`, which the libc crate lacks.
pub fn guard(mapping: &Mapping, number: usize) -> nix::Result<()> {
    let start = std::ptr::without_provenance_mut(mapping.address() + number * page());
    // SAFETY: a page of a mapping of this case's, which nobody touches any more.
    Errno::result(unsafe { libc::madvise(start, page(), 102) }).map(drop)
}

/// On a mapping of a file, which came with the bit that tells them (Linux 6.15).
pub fn guard_pages() -> Result<(), String> {
    let (_folder, file) = sparse(1);
    let mapping = MapOptions::new().private().read_write().map(&file).unwrap();
    guard(&mapping, 0).map_err(|errno| format!("no guards on files here, Linux 6.15 ({errno:?})"))
}

pub fn a_guard_page_is_not_taken_for_swap() {
    let (_folder, file) = sparse(3);
    let mapping = MapOptions::new().private().read_write().map(&file).unwrap();
    store(&mapping, &[0, 1]);
    guard(&mapping, 1).unwrap();
    let entries = pagemap::of_mapping(&mapping).known().unwrap();
    let states: Vec<_> = (0..3).map(|number| entries.get(number).unwrap().state()).collect();
    assert_eq!(states, [State::Present, State::Guard, State::Absent]);
}

/// Bit 57: of a page that is mapped, and of one that is only marked. Neither is taken for swap.
pub fn what_userfaultfd_write_protects_is_said() {
    let (_file, mapping) = in_memory(4);
    store(&mapping, &[0, 1]);
    let userfault = Userfault::of(&mapping).unwrap();
    let found = || {
        let entries = pagemap::of_mapping(&mapping).known().unwrap();
        let found = |number| entries.get(number).map(|e| (e.state(), e.write_protected())).unwrap();
        [0, 1, 2, 3].map(found)
    };
    let (present, absent) = ((State::Present, false), (State::Absent, false));
    assert_eq!(found(), [present, present, absent, absent]);
    userfault.protect(&mapping, 1..3, true).unwrap();
    let marked = [(State::Present, true), (State::Marked, true)];
    assert_eq!(found(), [present, marked[0], marked[1], absent]);
    userfault.protect(&mapping, 1..3, false).unwrap();
    assert_eq!(found(), [present, present, absent, absent]);
}

pub fn totals_count_page_tables_and_not_map_shared() {
    let (_folder, file) = sparse(8);
    let mapping = mapped(&file);
    store(&mapping, &[0, 1, 2]);
    let three = 3 * page() as u64;
    // Dirty or, if somebody calls sync(2) just then, clean again.
    let found = || {
        let found = totals::of_mapping(&mapping).known().unwrap();
        let private = found.private_clean + found.private_dirty;
        (found.resident, private, found.shared_clean + found.shared_dirty)
    };
    assert_eq!(found(), (three, three, 0));
    // The same pages in another page table: MAP_SHARED as before, and now "shared".
    let other = Still::after(|| {
        let mapping = mapped(&file);
        store(&mapping, &[0, 1, 2]);
        mapping
    });
    assert_eq!(found(), (three, 0, three));
    drop(other);
}

pub fn each_first_touch_is_a_fault() {
    let (_folder, file) = sparse(PAGES);
    let mapping = mapped(&file);
    let all: Vec<usize> = (0..PAGES).collect();
    let before = faults::mine();
    store(&mapping, &all);
    let during = faults::mine() - before;
    assert!(during.minor + during.major >= PAGES as u64, "{during:?}");
    let before = faults::mine();
    store(&mapping, &all);
    let again = faults::mine() - before;
    assert!(again.minor < PAGES as u64, "pages that are mapped do not fault: {again:?}");
}

pub fn another_process_is_looked_into_by_its_id() {
    let (_folder, file) = sparse(PAGES);
    let other = Still::after(|| {
        let mapping = mapped(&file);
        store(&mapping, &TOUCHED);
        mapping
    });
    let listed = maps::of(other.pid()).unwrap();
    let path = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap();
    let listed = listed.iter().find(|listed| listed.name == path).unwrap();
    let pagemap = Pagemap::of(other.pid()).known().unwrap();
    let entries = pagemap.entries(listed.start..listed.end).known().unwrap();
    let first = entries.start();
    let present = entries.pages_that(|entry| entry.is_present()).map(|number| number - first);
    assert_eq!(numbers(present), TOUCHED);
    let range = listed.start..listed.end;
    let found = totals::of(other.pid(), std::slice::from_ref(&range)).known().unwrap();
    assert_eq!(found.resident, (TOUCHED.len() * page()) as u64);
    assert!(faults::of(other.pid()).known().unwrap().minor >= TOUCHED.len() as u64);
}
