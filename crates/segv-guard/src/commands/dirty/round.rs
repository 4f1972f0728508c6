//! What is done to the pages between two looks.

use std::ops::Range;
use std::thread;

use ipc_common::Error;
use segv_guard::uses::WriteTracker;

/// How many pages there are: a line of the drawing.
pub const PAGES: usize = 64;

/// What is done between two looks.
#[derive(Clone)]
pub struct Round {
    pub what: String,
    pub deed: Deed,
}

#[derive(Clone)]
pub enum Deed {
    /// A byte in each of these pages, one after another.
    Pages(Vec<usize>),
    /// Eight bytes across the edge between this page and the next.
    Edge(usize),
    /// Every page is read.
    Read,
    /// Every page of the range, by four threads at once.
    Threads(Range<usize>),
}

/// `3,8-11`.
pub fn round(text: &str) -> Result<Round, String> {
    let mut pages = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str| {
            // To Rust, +5 is a number, too.
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            let number = text.parse::<usize>().ok().filter(|page| digits && *page < PAGES);
            number.ok_or(format!("pages are numbers from 0 to {}, such as 3,8-11", PAGES - 1))
        };
        let (first, last) = (number(first)?, number(last)?);
        if first > last {
            return Err(format!("{part}: the first page comes first"));
        }
        pages.extend(first..=last);
    }
    let what = match &pages[..] {
        [page] => format!("a byte in page {page}"),
        _ => format!("a byte in each of the pages {text}"),
    };
    Ok(Round { what, deed: Deed::Pages(pages) })
}

pub fn story() -> Vec<Round> {
    let round = |what: &str, deed| Round { what: what.into(), deed };
    vec![
        round("a byte in page 3, and one in page 63", Deed::Pages(vec![3, 63])),
        round("page 3 again, a hundred times", Deed::Pages(vec![3; 100])),
        round("8 bytes across the edge of pages 20 and 21", Deed::Edge(20)),
        round("every page is read, none written", Deed::Read),
        round("pages 32 to 47, by four threads", Deed::Threads(32..48)),
    ]
}

impl Deed {
    pub fn commit(&self, tracker: &WriteTracker) -> Result<(), Error> {
        let (view, size) = (tracker.view(), tracker.page_size().bytes());
        match self {
            Deed::Pages(pages) => pages.iter().try_for_each(|page| view.write(page * size, b"x")),
            Deed::Edge(page) => view.write((page + 1) * size - 4, b"12345678"),
            Deed::Read => (0..PAGES).try_for_each(|page| view.read(page * size, &mut [0; 64])),
            Deed::Threads(pages) => thread::scope(|scope| {
                let writer = |first: usize| {
                    let mut mine = pages.clone().skip(first).step_by(4);
                    mine.try_for_each(|page| view.write(page * size, b"x"))
                };
                let threads = [0, 1, 2, 3].map(|first| scope.spawn(move || writer(first)));
                // A thread that panicked has said so, and its panic goes on here.
                threads.into_iter().try_for_each(|thread| match thread.join() {
                    Ok(done) => done,
                    Err(panic) => std::panic::resume_unwind(panic),
                })
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_a_list_of_pages_and_ranges() {
        let pages = |text| match round(text).map(|round| round.deed) {
            Ok(Deed::Pages(pages)) => Some(pages),
            _ => None,
        };
        assert_eq!(pages("3,8-11,63"), Some(vec![3, 8, 9, 10, 11, 63]));
        for wrong in ["", ",", "64", "9-8", "1-", "-1", "+1", "x", "1-2-3", "0-64", "1, 2"] {
            assert_eq!(pages(wrong), None, "{wrong:?}");
        }
    }
}
