//! What was seen, in a table and a few sentences, or as JSON.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use ipc_common::cli::style::{FAINT, KERNEL, STRONG, WARNING};
use ipc_common::cli::{Failure, json_line, out, shown, typed_path};
use page_sync::file::Pages;
use page_sync::inspect::cache::PageState;
use page_sync::inspect::{Answer, FileSystem, FileSystemKind};
use page_sync::picture::text;
use page_sync::sync::Msync;
use serde_json::json;

use super::look::{Look, Page, Step};
use crate::commands::own;

/// How long a line is that an ordinary terminal shows whole.
const WIDE: usize = 78;

/// All that is to be told.
pub struct Report<'a> {
    pub path: &'a Path,
    pub text: &'a [u8],
    pub created: bool,
    pub pages: Pages,
    pub file_system: Answer<FileSystem>,
    pub how: Option<Msync>,
    pub looks: Vec<Look>,
    /// How long msync took.
    pub took: Option<Duration>,
    pub name: Name,
}

/// What was done about the file's name.
#[derive(Clone, Copy, PartialEq)]
pub enum Name {
    /// Nothing, as nothing else was synced.
    Untouched,
    /// Its folder was synced.
    Synced,
    /// Its folder may not be read, and so not synced.
    OutOfReach,
}

impl Report<'_> {
    pub fn and(mut self, step: Step, page: Page) -> Self {
        self.looks.push(Look { step, page });
        self
    }

    pub fn print(&self) -> Result<(), Failure> {
        let mut out = out();
        let new = if self.created { "new: " } else { "" };
        writeln!(out, "file    {}", shown(self.path))?;
        writeln!(out, "        {new}{}, on {}", self.pages, self.file_system)?;
        let bytes = self.text.len();
        writeln!(out, "stored  {bytes} bytes and a NUL at its start, through the mapping")?;
        writeln!(out)?;
        writeln!(out, "{STRONG}page 0{STRONG:#}, as cachestat(2) tells:")?;
        for Look { step, page } in &self.looks {
            let style = if page.dirty == Answer::Known(true) { WARNING } else { KERNEL };
            let took = match (step, self.took) {
                (Step::Synced(_), Some(took)) => {
                    format!("   {FAINT}{:.3} ms{FAINT:#}", took.as_secs_f64() * 1e3)
                }
                _ => String::new(),
            };
            writeln!(out, "  {:<31} {style}{}{style:#}{took}", step.words(), page.words())?;
        }
        writeln!(out)?;
        for sentence in self.sentences() {
            for line in text::lines(&sentence, WIDE) {
                writeln!(out, "{line}")?;
            }
        }
        if let Some(remark) = self.remark() {
            for line in text::lines(remark, WIDE) {
                writeln!(out, "{FAINT}{line}{FAINT:#}")?;
            }
        }
        let map = own(&format!("map {}", typed_path(self.path)));
        writeln!(out, "{FAINT}all its pages:{FAINT:#} {STRONG}{map}{STRONG:#}")?;
        Ok(out.flush()?)
    }

    fn page_after(&self, wanted: impl Fn(Step) -> bool) -> Option<Page> {
        self.looks.iter().find(|look| wanted(look.step)).map(|look| look.page)
    }

    /// What it means, as far as it was seen.
    fn sentences(&self) -> Vec<String> {
        let mut say = Vec::new();
        let last = self.page_after(|step| step == Step::Closed);
        if let Some(reason) = last.and_then(Page::unknown) {
            say.push(format!("Whether the page is dirty: {reason}."));
        }
        let dirty = last.and_then(|page| page.dirty.known());
        match (self.how, dirty) {
            (Some(how), Some(false)) if how.waits() => say.push(
                "MS_SYNC has waited for the device to take the page. It survives a power cut, if the \
                 device keeps its word."
                    .into(),
            ),
            (Some(how), Some(true)) if how.waits() => say.push(
                "MS_SYNC has written the page, and it is dirty again: somebody else stores into it."
                    .into(),
            ),
            (how, Some(true)) => {
                if how.is_some() {
                    say.push(
                        "MS_ASYNC has done nothing: so it is on Linux since 2.6.19, and msync(2) \
                         says so."
                            .into(),
                    );
                }
                say.push(format!(
                    "Every process sees the text by now, and kill -9 takes nothing of it. The disk \
                     does not have it: {}",
                    by_itself()
                ));
            }
            (_, Some(false)) => {
                let is = match last.and_then(|page| page.state.known()) {
                    Some(PageState::Writeback) => "is just being written",
                    Some(PageState::Absent | PageState::Evicted) => {
                        "has been written, and dropped from memory,"
                    }
                    _ => "is clean",
                };
                say.push(format!(
                    "The page {is} though nobody here has waited for it: the kernel's own write-back, \
                     or somebody's sync, has come in between."
                ));
            }
            (_, None) => {}
        }
        if self.how.is_some_and(Msync::invalidates) {
            say.push(
                "MS_INVALIDATE: on Linux every mapping is the page cache itself, so there was nothing \
                 to invalidate."
                    .into(),
            );
        }
        say.extend(self.about_the_name().map(str::to_owned));
        say
    }

    fn about_the_name(&self) -> Option<&'static str> {
        // No name survives where no file does.
        if self.is_in_memory_only() {
            return None;
        }
        match (self.name, self.created) {
            (Name::Untouched, true) => {
                Some("The file is new, and its name is not on the disk yet.")
            }
            (Name::Untouched, false) => None,
            (Name::Synced, true) => Some(
                "The file is new, so its folder was synced as well (fsync): its name survives, too.",
            ),
            (Name::Synced, false) => Some(
                "Its folder was synced as well (fsync): the file was there before, but that does not \
                 say that its name was on the disk.",
            ),
            (Name::OutOfReach, _) => Some(
                "Whether its name survives as well is unknown: its folder may not be read by you, and \
                 so it could not be synced.",
            ),
        }
    }

    fn is_in_memory_only(&self) -> bool {
        let kind = self.file_system.as_ref().map(FileSystem::kind);
        kind == Answer::Known(FileSystemKind::Memory)
    }

    /// What "clean" means there, where something was called so.
    fn remark(&self) -> Option<&'static str> {
        let clean =
            self.looks.iter().any(|look| look.page.state == Answer::Known(PageState::Clean));
        let means = self.file_system.as_ref().map(FileSystem::clean_means).known();
        means.filter(|_| clean || self.is_in_memory_only())
    }

    pub fn print_json(&self) -> Result<(), Failure> {
        let looks: serde_json::Map<_, _> = self
            .looks
            .iter()
            .map(|look| (look.step.key().to_owned(), look.page.to_json()))
            .collect();
        let file_system = match &self.file_system {
            Answer::Known(found) => json!(found.name()),
            Answer::Unknown(_) => json!(null),
        };
        let object = json!({
            "file": self.path.to_string_lossy(),
            "created": self.created,
            "pages": self.pages.count(),
            "page_size": self.pages.page_size().bytes(),
            "file_system": file_system,
            "stored_bytes": self.text.len(),
            "msync": self.how.map(|how| how.to_string()),
            "msync_microseconds": self.took.map(|took| took.as_micros() as u64),
            "name_synced": self.name == Name::Synced,
            "page": looks,
        });
        let mut out = out();
        writeln!(out, "{}", json_line(&object))?;
        Ok(out.flush()?)
    }
}

/// When the kernel writes a page by itself, in its own numbers.
fn by_itself() -> String {
    let seconds = |name: &str| {
        let text = fs::read_to_string(format!("/proc/sys/vm/{name}")).ok()?;
        Some(text.trim().parse::<f64>().ok()? / 100.0)
    };
    match (seconds("dirty_expire_centisecs"), seconds("dirty_writeback_centisecs")) {
        (Some(_), Some(0.0)) => {
            "and the kernel does not write by itself here (vm.dirty_writeback_centisecs is 0)."
                .into()
        }
        (Some(old), Some(every)) => format!(
            "the kernel looks every {every} s for pages that have been dirty for {old} s, and writes \
             those by itself."
        ),
        _ => "the kernel writes it by itself after a while.".into(),
    }
}
