//! What was done is what is shown.

use std::os::unix::fs::FileExt;

use mmap_file::{Advice, MapOptions};
use page_sync::inspect::cache::PageState;
use page_sync::inspect::pagemap;
use page_sync::inspect::{Cache, residency};

use crate::support::{at_some_time, dirty, mapped, numbers, page, sparse, states, store};

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
