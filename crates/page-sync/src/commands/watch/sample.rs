//! One look at the file: cell by cell, so that a large one takes no longer than it has to.

use std::time::{Duration, Instant};

use ipc_common::{Errno, PageSize, Result};
use page_sync::inspect::cache::PageState;
use page_sync::inspect::{Answer, Cache, Reason, Runs, residency};
use page_sync::picture::{Cells, InProcess, Mapped, Memory, Page, Process, Subject, Whom, mapped};

use ratatui::layout::Size;

use super::draw;
use super::model::{Look, Model, Seen};

/// How often it is found out who maps the file: that reads the list of mappings of every process.
const WHO: Duration = Duration::from_secs(1);
/// Up to so many pages are asked for one by one several times a second.
const MANY: u64 = 1 << 21;
const TOO_MANY: Reason = Reason::NotAsked("it takes page by page, and the file has very many");

pub struct Sampler {
    subject: Subject,
    whom: Whom,
    who: Answer<(Vec<u32>, usize)>,
    who_at: Option<Instant>,
}

impl Sampler {
    pub fn new(subject: Subject, whom: Whom) -> Sampler {
        Sampler { subject, whom, who: Answer::Known((Vec::new(), 0)), who_at: None }
    }

    /// Looks at the file that now has the name.
    pub fn reopen(&mut self, model: &mut Model) {
        match Subject::open(self.subject.path()) {
            Ok(subject) => {
                *self = Sampler::new(subject, self.whom);
                model.forget();
                model.say(Instant::now(), "this is the file that has the name now");
            }
            Err(error) => model.say(Instant::now(), error.to_string()),
        }
    }

    /// Looks once, in as many cells as there is room for on a screen of this size.
    pub fn sample(&mut self, model: &mut Model, screen: Size) -> Result<()> {
        let page_size = PageSize::system().bytes();
        let bytes = self.subject.bytes()?;
        let pages = bytes.div_ceil(page_size as u64);
        let (tables, closed, processes) = self.processes(pages)?;
        let cache = Cache::of(self.subject.file());
        let mut cells = self.cells(&cache, pages, draw::cells(screen, pages));
        cells.add_mapped(&mapped(&processes, pages));
        let look = Look {
            bytes,
            page_size,
            file_system: cache.as_ref().known().map(|cache| cache.file_system().to_string()),
            cells,
            dirt: match &cache {
                Answer::Known(cache) => cache.shows_dirty(),
                // Said once, by the next field.
                Answer::Unknown(_) => Answer::Known(()),
            },
            cache: cache.map(drop),
            tables,
            closed,
            processes: processes.into_iter().map(seen).collect(),
            whereabouts: self.subject.whereabouts(),
        };
        model.update(Instant::now(), look);
        Ok(())
    }

    fn cells(&self, cache: &Answer<Cache<'_>>, pages: u64, at_most: u64) -> Cells {
        if let Answer::Known(cache) = cache {
            return Cells::ask(pages, at_most, |cell| cache.count(cell));
        }
        let resident = match pages <= MANY {
            true => residency::pages(self.subject.file(), 0..pages),
            false => Answer::Unknown(TOO_MANY),
        };
        let page = |memory| Page { memory, mapped: Mapped::default() };
        let runs = match resident {
            Answer::Known(resident) => resident.map(|is| match is {
                true => page(Memory::Is(PageState::Cached)),
                false => page(Memory::Is(PageState::Absent)),
            }),
            Answer::Unknown(_) => Runs::of(0..pages, page(Memory::Unknown)),
        };
        Cells::fold(&runs, at_most)
    }

    fn processes(&mut self, pages: u64) -> Result<(Answer<()>, usize, Vec<Process>)> {
        if pages > MANY {
            return Ok((Answer::Unknown(TOO_MANY), 0, Vec::new()));
        }
        if self.who_at.is_none_or(|then| then.elapsed() > WHO) {
            self.who = match self.whom {
                Whom::Process(pid) => Answer::Known((vec![pid], 0)),
                _ => self.subject.mapped_by(),
            };
            self.who_at = Some(Instant::now());
        }
        let (pids, closed) = match &self.who {
            Answer::Known((pids, closed)) => (pids, *closed),
            Answer::Unknown(reason) => return Ok((Answer::Unknown(*reason), 0, Vec::new())),
        };
        let mut processes = Vec::new();
        for pid in pids {
            match self.subject.process(*pid, pages) {
                Ok(process) => processes.push(process),
                // It has ended. The next list will know, unless nobody else is to be looked into.
                Err(error) if error.errno() == Errno::ESRCH => {
                    if let Whom::Process(pid) = self.whom {
                        return Ok((Answer::Unknown(Reason::Gone { pid }), 0, Vec::new()));
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok((Answer::Known(()), closed, processes))
    }
}

fn seen(process: Process) -> Seen {
    let count = |is: fn(InProcess) -> bool| match &process.pages {
        Answer::Known(pages) => Answer::Known(pages.count_pages(is)),
        // That much is known.
        Answer::Unknown(Reason::NotMapped { .. }) => Answer::Known(0),
        Answer::Unknown(reason) => Answer::Unknown(*reason),
    };
    Seen {
        pid: process.pid,
        mapped: count(|page| matches!(page, InProcess::Page { .. })),
        copies: count(|page| matches!(page, InProcess::Copy { .. } | InProcess::Swapped)),
        name: process.name.clone(),
        faults: process.faults,
    }
}
