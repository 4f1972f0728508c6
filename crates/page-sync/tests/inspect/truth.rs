//! What was done is what is shown.

use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

use mmap_file::{Advice, MapOptions, Mapping, maps};
use nix::errno::Errno;
use page_sync::inspect::cache::PageState;
use page_sync::inspect::pagemap::{self, Pagemap, State};
use page_sync::inspect::{Cache, faults, residency, totals};

use crate::support::{
    Still, Userfault, at_some_time, dirty, in_memory, mapped, numbers, page, sparse, states, store,
};

const PAGES: usize = 64;
const TOUCHED: [usize; 4] = [3, 17, 18, 40];

pub fn pages_stored_to_are_exactly_those_shown() {
    let (_folder, file) = sparse(PAGES);
    let mapping = mapped(&file);
    assert_eq!(states(&file, PAGES).count(), 1, "nothing is in memory before");
    assert!(at_some_time(|| {
        store(&mapping, &TOUCHED);
        dirty(&file, PAGES) == TOUCHED
    }));
    let cached = states(&file, PAGES);
    assert_eq!(numbers(cached.pages_that(PageState::is_cached)), TOUCHED);
    let resident = residency::pages(&file, 0..PAGES as u64).known().unwrap();
    assert_eq!(numbers(resident.pages_that(|is| is)), TOUCHED);
    let entries = pagemap::of_mapping(&mapping).known().unwrap();
    assert_eq!(numbers(entries.pages_that(|entry| entry.is_present())), TOUCHED);
    assert!(entries.get(17).is_some_and(|entry| entry.is_file_page() && entry.exclusive()));
}

pub fn pages_read_are_clean_and_a_file_page_to_its_reader() {
    let (_folder, file) = sparse(PAGES);
    let mapping = MapOptions::new().advice(Advice::Random).map(&file).unwrap();
    for number in TOUCHED {
        mapping.view().unwrap().read(number * page(), &mut [0; 1]).unwrap();
    }
    let clean = states(&file, PAGES);
    assert_eq!(numbers(clean.pages_that(|state| state == PageState::Clean)), TOUCHED);
    let entries = pagemap::of_mapping(&mapping).known().unwrap();
    assert_eq!(numbers(entries.pages_that(|entry| entry.is_file_page())), TOUCHED);
}

pub fn ms_async_leaves_dirty_and_ms_sync_cleans() {
    let (_folder, file) = sparse(PAGES);
    let mapping = mapped(&file);
    assert!(
        at_some_time(|| {
            store(&mapping, &TOUCHED);
            mapping.flush_async(0..mapping.len()).unwrap();
            dirty(&file, PAGES) == TOUCHED
        }),
        "MS_ASYNC writes nothing"
    );
    store(&mapping, &TOUCHED);
    mapping.flush(17 * page()..18 * page()).unwrap();
    assert!(!dirty(&file, PAGES).contains(&17), "MS_SYNC of one page cleans that one");
    mapping.flush(0..mapping.len()).unwrap();
    assert_eq!(dirty(&file, PAGES), [0_usize; 0]);
    let clean = states(&file, PAGES);
    assert_eq!(numbers(clean.pages_that(|state| state == PageState::Clean)), TOUCHED);
}

/// Where the kernel keeps several pages as one folio, it cannot tell which of them was stored to: all
/// of the folio is dirty, and nothing else is. On a kernel or file system without large folios that
/// is the two.
pub fn one_large_write_makes_neighbours_dirty_together() {
    let (_folder, file) = sparse(8);
    file.write_all_at(&vec![1; 8 * page()], 0).unwrap();
    file.sync_all().unwrap();
    let mapping = mapped(&file);
    assert!(at_some_time(|| {
        store(&mapping, &[2, 5]);
        made_of_folios(&dirty(&file, 8), [2, 5])
    }));
    let notes = Cache::of(&file).known().unwrap().notes().join("; ");
    assert!(notes.contains("folio"), "{notes}");
}

/// Whether these pages are just the folios of those two: blocks of a power of two, at multiples of
/// their size.
fn made_of_folios(dirty: &[usize], stored: [usize; 2]) -> bool {
    let folio = |page: usize, order: u32| {
        let size = 1 << order;
        (page / size * size)..(page / size * size + size)
    };
    let orders = (0..4).flat_map(|one| (0..4).map(move |other| [one, other]));
    orders.into_iter().any(|[one, other]| {
        let (one, other) = (folio(stored[0], one), folio(stored[1], other));
        (0..8).filter(|page| one.contains(page) || other.contains(page)).eq(dirty.iter().copied())
    })
}

pub fn a_tebibyte_of_nothing_is_a_few_runs() {
    let (_folder, file) = sparse(1);
    let bytes: u64 = 1 << 40;
    nix::unistd::ftruncate(&file, bytes as i64).unwrap();
    let pages = bytes / page() as u64;
    let last = MapOptions::new()
        .read_write()
        .offset(bytes - page() as u64)
        .advice(Advice::Random)
        .map(&file)
        .unwrap();
    assert!(at_some_time(|| {
        store(&last, &[0]);
        let states = Cache::of(&file).known().unwrap().pages(0..pages).known().unwrap();
        let shown: Vec<_> = states.iter().collect();
        shown == [(0..pages - 1, PageState::Absent), (pages - 1..pages, PageState::Dirty)]
    }));
}

/// The same pages by one call over all of them, and by halving.
pub fn counts_and_states_agree() {
    let (_folder, file) = sparse(PAGES);
    let mapping = mapped(&file);
    assert!(at_some_time(|| {
        store(&mapping, &TOUCHED);
        let cache = Cache::of(&file).known().unwrap();
        let counts = cache.count(0..PAGES as u64).known().unwrap();
        let states = cache.pages(0..PAGES as u64).known().unwrap();
        let dirty = states.count_pages(|state| state.is_dirty() == Some(true));
        (counts.pages, counts.cached) == (64, 4)
            && counts.dirty.known() == Some(4)
            && (dirty, states.pages()) == (4, 64)
    }));
}

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
fn guard(mapping: &Mapping, number: usize) -> nix::Result<()> {
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
