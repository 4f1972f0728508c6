//! What the kernel says about the page at one moment.

use std::fs::File;

use page_sync::inspect::cache::PageState;
use page_sync::inspect::{Answer, Cache, FileSystem, Reason};
use page_sync::sync::Msync;
use serde_json::{Value, json};

/// When it was looked at.
#[derive(Clone, Copy, PartialEq)]
pub enum Step {
    Before,
    Stored,
    Synced(Msync),
    Closed,
}

impl Step {
    /// What had just been done.
    pub fn words(self) -> String {
        match self {
            Step::Before => "before".into(),
            Step::Stored => "stored".into(),
            Step::Synced(how) => format!("msync({how})"),
            Step::Closed => "munmap, close".into(),
        }
    }

    pub fn key(self) -> &'static str {
        match self {
            Step::Before => "before",
            Step::Stored => "stored",
            Step::Synced(_) => "synced",
            Step::Closed => "closed",
        }
    }
}

/// A look.
#[derive(Clone, Copy)]
pub struct Look {
    pub step: Step,
    pub page: Page,
}

/// The first page of the file, to the page cache.
#[derive(Clone, Copy)]
pub struct Page {
    pub state: Answer<PageState>,
    /// Whether "dirty" can be told there.
    pub dirty: Answer<bool>,
}

pub fn at(file: &File) -> Page {
    let cache = Cache::of(file);
    let state = cache.as_ref().and_then(|cache| cache.pages(0..1));
    let state = state.map(|runs| runs.get(0).unwrap_or(PageState::Absent));
    let shown = cache.as_ref().and_then(|cache| cache.shows_dirty());
    let dirty = shown.and_then(|()| state).map(|state| state.is_dirty() == Some(true));
    Page { state, dirty }
}

pub fn file_system(file: &File) -> Answer<FileSystem> {
    FileSystem::of(file)
}

impl Page {
    pub fn words(self) -> &'static str {
        match self.state.known() {
            None => "unknown",
            Some(PageState::Absent) => "not in memory",
            Some(PageState::Evicted) => "no longer in memory",
            Some(PageState::Clean) => "clean",
            Some(PageState::Dirty) => "dirty",
            Some(PageState::Writeback) => "being written",
            Some(PageState::WritebackDirty) => "being written, and dirty again",
            Some(PageState::Cached) => "in memory",
        }
    }

    /// Why something about it is not known.
    pub fn unknown(self) -> Option<Reason> {
        self.state.reason().or(self.dirty.reason())
    }

    pub fn to_json(self) -> Value {
        let cached = self.state.map(PageState::is_cached);
        json!({ "cached": answer(cached), "dirty": answer(self.dirty), "state": self.words() })
    }
}

/// `true`, or an object that says why not.
fn answer(answer: Answer<bool>) -> Value {
    match answer {
        Answer::Known(value) => json!(value),
        Answer::Unknown(reason) => {
            json!({ "unknown": reason.code(), "because": reason.to_string() })
        }
    }
}
