//! Folding against counting page by page.

use super::*;
use crate::inspect::cache::PageState;
use crate::picture::Memory;
use proptest::prelude::*;

const STATES: [PageState; 7] = [
    PageState::Absent,
    PageState::Evicted,
    PageState::Clean,
    PageState::Dirty,
    PageState::Writeback,
    PageState::WritebackDirty,
    PageState::Cached,
];

fn any_page() -> impl Strategy<Value = Page> {
    (0..8usize, 0..3u32, 0..2u32).prop_map(|(state, by, copies)| {
        let memory = STATES.get(state).map_or(Memory::Unknown, |state| Memory::Is(*state));
        Page::of(memory, Mapped { by, copies, exclusive: false })
    })
}

fn any_runs() -> impl Strategy<Value = Vec<(u64, Page)>> {
    proptest::collection::vec((1..400u64, any_page()), 0..20)
}

fn runs_of(parts: &[(u64, Page)]) -> Runs<Page> {
    let mut runs = Runs::from(0);
    parts.iter().for_each(|(count, page)| runs.push(*count, *page));
    runs
}

proptest! {
    #[test]
    fn folding_counts_each_page_once(parts in any_runs(), at_most in 1..100u64) {
        let runs = runs_of(&parts);
        let cells = Cells::fold(&runs, at_most);
        prop_assert!(cells.cells().len() as u64 <= at_most);
        prop_assert!(cells.pages_per_cell().is_power_of_two());
        let mut next = 0;
        for cell in cells.cells() {
            prop_assert_eq!(cell.pages.start, next);
            prop_assert_eq!(cell.tally.pages, cell.pages.end - cell.pages.start);
            next = cell.pages.end;
            // Page by page, as slowly and as surely as can be.
            let mut expected = Tally::default();
            cell.pages.clone().for_each(|page| expected.add(runs.get(page).unwrap(), 1));
            prop_assert_eq!(cell.tally, expected);
            let clean = |page: Page| page.memory == Memory::Is(PageState::Clean);
            let clean = cell.pages.clone().filter(|page| clean(runs.get(*page).unwrap())).count();
            prop_assert_eq!(Face::Clean.count(&cell.tally), clean as u64);
        }
        prop_assert_eq!(next, runs.pages());
    }

    #[test]
    fn no_urgent_page_is_folded_away(
        clean in 1..1_000_000_000_000u64, before in 0..1_000_000u64, at_most in 1..2000u64,
    ) {
        let page = |state| Page { memory: Memory::Is(state), mapped: Mapped::default() };
        for (state, face) in [
            (PageState::Dirty, Face::Dirty),
            (PageState::Writeback, Face::Writeback),
            (PageState::WritebackDirty, Face::Dirty),
        ] {
            let parts =
                [(before, page(PageState::Clean)), (1, page(state)), (clean, page(PageState::Absent))];
            let cells = Cells::fold(&runs_of(&parts), at_most);
            let shown = cells.cells().iter().filter(|cell| cell.look().face == face);
            prop_assert_eq!(shown.count(), 1);
        }
    }

    #[test]
    fn asking_cell_by_cell_shows_the_same_faces(parts in any_runs(), at_most in 1..100u64) {
        // Without what one call cannot count: unknown pages, and dirt that is not shown.
        let parts: Vec<_> = parts
            .into_iter()
            .filter(|(_, page)| !matches!(page.memory, Memory::Unknown | Memory::Is(PageState::Cached)))
            .collect();
        let runs = runs_of(&parts);
        let folded = Cells::fold(&runs, at_most);
        let count = |is: &dyn Fn(PageState) -> bool, pages: &Range<u64>| {
            pages.clone().filter(|page| match runs.get(*page).unwrap().memory {
                Memory::Is(state) => is(state),
                Memory::Unknown => false,
            }).count() as u64
        };
        let mut asked = Cells::ask(runs.pages(), at_most, |pages| Answer::Known(Counts {
            pages: pages.end - pages.start,
            cached: count(&PageState::is_cached, &pages),
            dirty: Answer::Known(count(&|state| state.is_dirty() == Some(true), &pages)),
            writeback: Answer::Known(count(&|state| state.is_writeback() == Some(true), &pages)),
            evicted: count(&|state| state == PageState::Evicted, &pages),
            recently_evicted: 0,
        }));
        asked.add_mapped(&runs.map(|page| page.mapped));
        for (asked, folded) in asked.cells.iter_mut().zip(&folded.cells) {
            // What a count of each cannot tell; and it says so.
            let (least, more) = (asked.tally.both, asked.tally.perhaps_both);
            prop_assert!((least..=least + more).contains(&folded.tally.both));
            let [clean, exactly] = [asked.tally, folded.tally].map(|tally| Face::Clean.count(&tally));
            prop_assert!(clean == exactly || (clean < exactly && Face::Clean.is_at_least(&asked.tally)));
            asked.tally = Tally { both: folded.tally.both, perhaps_both: 0, ..asked.tally };
        }
        prop_assert_eq!(asked, folded);
    }
}

#[test]
fn an_empty_file_has_no_cells_and_the_largest_has_some() {
    assert!(Cells::fold(&Runs::from(0), 64).cells().is_empty());
    let absent = Page { memory: Memory::Is(PageState::Absent), mapped: Mapped::default() };
    let largest = Cells::fold(&Runs::of(0..u64::MAX, absent), 64);
    assert_eq!(largest.total().pages, u64::MAX);
    assert_eq!(Cells::fold(&Runs::of(0..1, absent), 64).cells().len(), 1);
}
