//! The pager's own thread.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Relaxed;

use ipc_common::{Errno, Error, Result};

use super::about;
use super::state::{FILLED, State};
use crate::region::Protection;
use crate::sys;

/// Fills what is wanted until it is told to stop.
pub(super) fn serve(state: &State, mut fill: impl FnMut(usize, &mut [u8]) -> Result<()>) {
    state.server.store(sys::thread_id(), Relaxed);
    let mut bytes = vec![0; state.window.page_size().bytes()];
    loop {
        let wanted = state.wanted();
        if wanted.is_empty() {
            return;
        }
        for page in wanted {
            // It may have been filled along with another.
            if state.is_filled(page) {
                continue;
            }
            let mut supply = |page| supply(state, page, &mut fill, &mut bytes);
            if let Err(error) = supply(page).and_then(|()| open(state, page, &mut supply)) {
                state.fail(page, error);
            }
        }
    }
}

/// Puts a page's bytes in place. Nobody sees them yet.
fn supply(
    state: &State,
    page: usize,
    fill: &mut impl FnMut(usize, &mut [u8]) -> Result<()>,
    bytes: &mut [u8],
) -> Result<()> {
    bytes.fill(0);
    // What a panic leaves half done is `bytes`, which are filled anew, and what `fill` has
    // captured, which is its own.
    catch_unwind(AssertUnwindSafe(|| fill(page, bytes))).unwrap_or_else(|_| {
        Err(Error::refused("Pager", Errno::EIO, about(page))
            .with_remedy("the function that fills pages has panicked; see what it printed"))
    })?;
    state.back.view().write(page * bytes.len(), bytes)
}

/// Opens a page that has its bytes. If the process has no mapping left for that, it opens a whole
/// run of pages that reaches to one that is open, or to both ends: the open mapping beside it then
/// grows, and none is added.
fn open(state: &State, page: usize, supply: &mut impl FnMut(usize) -> Result<()>) -> Result<()> {
    let mut run = page..page + 1;
    if let Err(errno) = state.window.try_protect(run.clone(), Protection::Open) {
        if errno != Errno::ENOMEM {
            return Err(Error::new("mprotect", errno, about(page)));
        }
        run = run_without_a_mapping(state, page);
        run.clone().filter(|other| *other != page).try_for_each(supply)?;
        state
            .window
            .try_protect(run.clone(), Protection::Open)
            .map_err(|errno| Error::new("mprotect", errno, about(page)))?;
    }
    run.for_each(|page| state.settle(page, FILLED));
    Ok(())
}

fn run_without_a_mapping(state: &State, page: usize) -> Range<usize> {
    let pages = state.window.pages();
    let before = (0..page).rev().find(|page| state.is_filled(*page));
    let after = (page + 1..pages).find(|page| state.is_filled(*page));
    match (before, after) {
        (Some(open), Some(other)) if page - open > other - page => page..other,
        (Some(open), _) => open + 1..page + 1,
        (None, Some(other)) => page..other,
        (None, None) => 0..pages,
    }
}
