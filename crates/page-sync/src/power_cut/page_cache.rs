//! What can be seen without root: the page cache. **Not durability.**
//!
//! The same stores and the same actions, on a file of the user's own, and then the question which of
//! the two pages are dirty. A clean page was handed to the disk; whether the disk has put it onto
//! the platter cannot be seen from here. sync_file_range(2) shows the difference: clean afterwards,
//! and lost by the power cut.

use std::path::Path;
use std::time::Duration;

use ipc_common::Result;

use super::action::{Action, PAGES, WRITTEN};
use super::pattern::{Age, Pattern};
use super::perform::perform;
use crate::file::PageFile;
use crate::inspect::{Answer, Cache};

/// What the page cache held after an action.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What was done after the stores.
    pub action: Action,
    /// For each page that was stored to: whether it was dirty after the stores, and after the
    /// action.
    pub dirty: [(usize, Answer<bool>, Answer<bool>); WRITTEN.len()],
    /// How long the action took, on this disk, with whatever else it was doing.
    pub took: Duration,
}

/// Does all of `actions` in `folder`, each on a file of its own, which has no name.
///
/// # Errors
///
/// Those of [`PageFile::create_new`] and of the syncs.
pub fn page_cache(folder: &Path, actions: &[Action]) -> Result<Vec<Seen>> {
    actions.iter().map(|action| seen(folder, *action)).collect()
}

/// Whether the page cache of files in `folder` can be asked which pages are dirty.
///
/// # Errors
///
/// Those of [`PageFile::create_new`].
pub fn page_cache_tells(folder: &Path) -> Result<Answer<()>> {
    let file = PageFile::create_unnamed(folder, PAGES)?.reopen()?;
    Ok(Cache::of(&file).and_then(|cache| cache.shows_dirty()))
}

fn seen(folder: &Path, action: Action) -> Result<Seen> {
    let file = PageFile::create_unnamed(folder, PAGES)?;
    let pattern = Pattern::fresh(file.pages().page_size().bytes());
    for page in 0..PAGES {
        file.page_mut(page)?.write(0, &pattern.page(page, Age::Old))?;
    }
    file.fsync()?;
    // An opening of its own for looking: it stays when the action closes the file.
    let eye = file.reopen()?;
    let dirty = |page: usize| {
        let page = page as u64;
        Cache::of(&eye).and_then(|cache| cache.count(page..page + 1).and_then(|count| count.dirty))
    };
    for page in WRITTEN {
        file.page_mut(page)?.write(0, &pattern.page(page, Age::New))?;
    }
    let stored = WRITTEN.map(dirty);
    let done = perform(action, file)?;
    let left = WRITTEN.map(dirty);
    let both = |place: usize| {
        let known = |answer: Answer<u64>| answer.map(|pages| pages > 0);
        (WRITTEN[place], known(stored[place]), known(left[place]))
    };
    Ok(Seen { action, dirty: [both(0), both(1)], took: done.took })
}
