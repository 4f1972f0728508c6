//! What is the same for many pages, said once: a list of runs. A file of 2⁴⁰ bytes of which three
//! pages are in memory is five runs or so, and not 268 million answers.

use std::ops::Range;

/// A value for each page of a range, kept as runs of equal values.
///
/// ```
/// use page_sync::inspect::Runs;
///
/// let mut dirty = Runs::from(0);
/// dirty.push(2, false);
/// dirty.push(1, true);
/// dirty.push(1 << 28, false);
/// assert_eq!(dirty.get(2), Some(true));
/// assert_eq!(dirty.get(1 << 27), Some(false));
/// assert_eq!(dirty.iter().map(|(pages, _)| pages).collect::<Vec<_>>(), [0..2, 2..3, 3..(1 << 28) + 3]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runs<T> {
    start: u64,
    /// One past the last page of each run, ascending, and what it is; no two neighbours are equal.
    runs: Vec<(u64, T)>,
}

impl<T: Copy + PartialEq> Runs<T> {
    /// No pages yet; the first will have this number.
    pub fn from(start: u64) -> Runs<T> {
        Runs { start, runs: Vec::new() }
    }

    /// `pages` pages that are all the same.
    pub fn of(pages: Range<u64>, value: T) -> Runs<T> {
        let mut runs = Runs::from(pages.start);
        runs.push(pages.end.saturating_sub(pages.start), value);
        runs
    }

    /// Adds so many pages behind the others. Numbers end at 2⁶⁴ - 1: what would be past that is
    /// left out.
    pub fn push(&mut self, pages: u64, value: T) {
        let (before, end) = (self.end(), self.end().saturating_add(pages));
        match self.runs.last_mut() {
            _ if end == before => {}
            Some((last, same)) if *same == value => *last = end,
            _ => self.runs.push((end, value)),
        }
    }

    /// The first page's number.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// One past the last page's number.
    pub fn end(&self) -> u64 {
        self.runs.last().map_or(self.start, |(end, _)| *end)
    }

    /// How many pages there are.
    pub fn pages(&self) -> u64 {
        self.end() - self.start
    }

    /// How many runs they are.
    pub fn count(&self) -> usize {
        self.runs.len()
    }

    /// The runs, in order: none is empty, and no two neighbours have the same value.
    pub fn iter(&self) -> impl Iterator<Item = (Range<u64>, T)> + '_ {
        let starts = std::iter::once(self.start).chain(self.runs.iter().map(|(end, _)| *end));
        starts.zip(&self.runs).map(|(start, (end, value))| (start..*end, *value))
    }

    /// What it is for this page.
    pub fn get(&self, page: u64) -> Option<T> {
        if page < self.start {
            return None;
        }
        let at = self.runs.partition_point(|(end, _)| *end <= page);
        self.runs.get(at).map(|(_, value)| *value)
    }

    /// How many pages have a value that is so.
    pub fn count_pages(&self, is: impl Fn(T) -> bool) -> u64 {
        self.iter().filter(|(_, value)| is(*value)).map(|(pages, _)| pages.end - pages.start).sum()
    }

    /// The numbers of the pages that have a value that is so, one by one.
    pub fn pages_that(&self, is: impl Fn(T) -> bool) -> impl Iterator<Item = u64> {
        self.iter().filter(move |(_, value)| is(*value)).flat_map(|(pages, _)| pages)
    }

    /// Another value in place of each.
    pub fn map<U: Copy + PartialEq>(&self, to: impl Fn(T) -> U) -> Runs<U> {
        let mut runs = Runs::from(self.start);
        for (pages, value) in self.iter() {
            runs.push(pages.end - pages.start, to(value));
        }
        runs
    }

    /// Both values for each page. Where the other has none, `otherwise` stands for it; its pages
    /// outside of these are left out.
    pub fn with<U: Copy + PartialEq, V: Copy + PartialEq>(
        &self,
        other: &Runs<U>,
        otherwise: U,
        both: impl Fn(T, U) -> V,
    ) -> Runs<V> {
        let mut result = Runs::from(self.start);
        let mut others = other.iter().peekable();
        for (pages, value) in self.iter() {
            let mut at = pages.start;
            while at < pages.end {
                while others.next_if(|(theirs, _)| theirs.end <= at).is_some() {}
                let (until, theirs) = match others.peek() {
                    Some((theirs, value)) if theirs.start <= at => (theirs.end, *value),
                    Some((theirs, _)) => (theirs.start, otherwise),
                    None => (pages.end, otherwise),
                };
                let until = until.min(pages.end);
                result.push(until - at, both(value, theirs));
                at = until;
            }
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = (u64, Vec<u8>)> {
        (0..20u64, proptest::collection::vec(0..3u8, 0..60))
    }

    fn runs_of(start: u64, values: &[u8]) -> Runs<u8> {
        let mut runs = Runs::from(start);
        values.iter().for_each(|value| runs.push(1, *value));
        runs
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_said_twice((start, values) in values()) {
            let runs = runs_of(start, &values);
            prop_assert_eq!(runs.pages(), values.len() as u64);
            for (page, value) in values.iter().enumerate() {
                prop_assert_eq!(runs.get(start + page as u64), Some(*value));
            }
            prop_assert_eq!(runs.get(start + values.len() as u64), None);
            prop_assert_eq!(start.checked_sub(1).and_then(|before| runs.get(before)), None);
            let each: Vec<_> = runs.iter().collect();
            for pair in each.windows(2) {
                prop_assert_eq!(pair[0].0.end, pair[1].0.start);
                prop_assert_ne!(pair[0].1, pair[1].1);
            }
            prop_assert!(each.iter().all(|(pages, _)| !pages.is_empty()));
        }

        #[test]
        fn two_lists_are_joined_page_by_page(
            (start, values) in values(), (other_start, others) in values(),
        ) {
            let (runs, other) = (runs_of(start, &values), runs_of(other_start, &others));
            let both = runs.with(&other, 9, |a, b| (a, b));
            prop_assert_eq!((both.start(), both.pages()), (start, values.len() as u64));
            for page in start..runs.end() {
                let expected = (runs.get(page).unwrap(), other.get(page).unwrap_or(9));
                prop_assert_eq!(both.get(page), Some(expected));
            }
        }
    }

    #[test]
    fn numbers_end_where_u64_ends() {
        let mut runs = Runs::from(u64::MAX - 1);
        runs.push(5, 'a');
        runs.push(5, 'b');
        assert_eq!((runs.end(), runs.count()), (u64::MAX, 1));
    }
}
