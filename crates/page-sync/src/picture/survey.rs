//! All the sources asked about one file, one after the other.

use std::ops::ControlFlow;

use ipc_common::{Errno, PageSize, Result};

use super::{Mapped, Memory, Page, Process, Subject, Whereabouts};
use crate::inspect::cache::PageState;
use crate::inspect::{Answer, Cache, FileSystem, Reason, Runs, residency};

/// Above so many pages mincore is asked only if nothing else answers: it looks at each of them.
const MANY: u64 = 1 << 22;

/// Whose page tables are looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Those of all processes that map the file, as far as they may be looked into.
    Everyone,
    /// Those of this process.
    Process(u32),
    /// Nobody's.
    Nobody,
}

/// What all the sources say about a file.
///
/// They were asked one after the other while others may have gone on writing: this is no snapshot.
///
/// ```
/// use page_sync::picture::{Cells, Subject, Survey, Whom};
///
/// let this = Subject::open("/proc/self/exe")?;
/// let survey = Survey::take(&this, Whom::Process(std::process::id()))?;
/// let cells = Cells::fold(&survey.picture(), 64);
/// assert!(cells.total().mapped > 0, "a program is a file that is mapped");
/// # Ok::<(), ipc_common::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Survey {
    /// The file's length in bytes, when it was asked for first.
    pub bytes: u64,
    /// The same when everything else had been asked.
    pub bytes_after: u64,
    /// The size of a page.
    pub page_size: PageSize,
    /// How many pages the file has.
    pub pages: u64,
    /// Which file system it is on.
    pub file_system: Answer<FileSystem>,
    /// What the page cache holds, by cachestat(2).
    pub cache: Answer<Runs<PageState>>,
    /// What is easily misread in that.
    pub notes: Vec<&'static str>,
    /// What is in memory, by mincore(2).
    pub residency: Answer<Runs<bool>>,
    /// The processes that were looked into.
    pub processes: Vec<Process>,
    /// How many processes may not be looked into, so that it is not known whether they map the file.
    pub closed: Answer<usize>,
    /// What has become of the file under its path meanwhile.
    pub whereabouts: Whereabouts,
}

impl Survey {
    /// Asks everyone.
    ///
    /// # Errors
    ///
    /// Those of [`Subject::bytes`]; `ESRCH` if there is no such process as was named.
    pub fn take(subject: &Subject, whom: Whom) -> Result<Survey> {
        Survey::take_while(subject, whom, |_, _| ControlFlow::Continue(()))
    }

    /// [`take`](Survey::take), asking now and then whether to go on: large files take seconds. What
    /// it is given is how many pages have been asked about, and how many there are. After it said
    /// no, what is missing is [`Reason::Stopped`].
    ///
    /// # Errors
    ///
    /// As for [`take`](Survey::take).
    pub fn take_while(
        subject: &Subject,
        whom: Whom,
        mut go_on: impl FnMut(u64, u64) -> ControlFlow<()>,
    ) -> Result<Survey> {
        let (bytes, page_size) = (subject.bytes()?, PageSize::system());
        let pages = bytes.div_ceil(page_size.bytes() as u64);
        let mut go_on = |at| go_on(at, pages);
        let asked = Cache::of(subject.file());
        let notes = asked.as_ref().map(Cache::notes).known().unwrap_or_default();
        let cache = asked.and_then(|cache| cache.pages_while(0..pages, &mut go_on));
        let residency = match pages > MANY && cache.is_known() {
            true => Answer::Unknown(Reason::NotAsked(
                "it looks at each page, and the file has very many: cachestat has answered",
            )),
            false => residency::pages_while(subject.file(), 0..pages, &mut go_on),
        };
        let (processes, closed) = look_into(subject, whom, pages)?;
        Ok(Survey {
            bytes,
            bytes_after: subject.bytes()?,
            page_size,
            pages,
            file_system: FileSystem::of(subject.file()),
            cache,
            notes,
            residency,
            processes,
            closed,
            whereabouts: subject.whereabouts(),
        })
    }

    /// Page by page, put together: cachestat first, mincore where that is silent; and who maps it.
    pub fn picture(&self) -> Runs<Page> {
        let memory = match (&self.cache, &self.residency) {
            (Answer::Known(cache), _) => cache.map(Memory::Is),
            (_, Answer::Known(resident)) => resident.map(|is| match is {
                true => Memory::Is(PageState::Cached),
                false => Memory::Is(PageState::Absent),
            }),
            _ => Runs::of(0..self.pages, Memory::Unknown),
        };
        memory.with(&self.mapped(), Mapped::default(), Page::of)
    }

    /// Page by page, who maps it, of those that were looked into.
    pub fn mapped(&self) -> Runs<Mapped> {
        mapped(&self.processes, self.pages)
    }
}

/// Page by page, how many of these processes map it.
pub fn mapped(processes: &[Process], pages: u64) -> Runs<Mapped> {
    let mut all = Runs::of(0..pages, Mapped::default());
    for process in processes {
        if let Answer::Known(its) = &process.pages {
            all = all.with(its, Default::default(), Mapped::and);
        }
    }
    all
}

/// The processes asked for, and how many could not be asked.
fn look_into(subject: &Subject, whom: Whom, pages: u64) -> Result<(Vec<Process>, Answer<usize>)> {
    match whom {
        Whom::Nobody => {
            Ok((Vec::new(), Answer::Unknown(Reason::NotAsked("page tables were left out"))))
        }
        Whom::Process(pid) => Ok((
            vec![subject.process(pid, pages)?],
            Answer::Unknown(Reason::NotAsked("one process was asked for")),
        )),
        Whom::Everyone => match subject.mapped_by() {
            Answer::Unknown(reason) => Ok((Vec::new(), Answer::Unknown(reason))),
            Answer::Known((pids, mut closed)) => {
                let mut processes = Vec::new();
                for pid in pids {
                    match subject.process(pid, pages) {
                        Ok(process) => {
                            // It let its maps be read, but not its page table.
                            closed += usize::from(is_closed(&process));
                            processes.push(process);
                        }
                        // It has ended since.
                        Err(error) if error.errno() == Errno::ESRCH => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok((processes, Answer::Known(closed)))
            }
        },
    }
}

fn is_closed(process: &Process) -> bool {
    matches!(process.pages, Answer::Unknown(Reason::Closed { .. }))
}
