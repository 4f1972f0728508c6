//! What is shown, and what has changed since it was looked at last. No system call in here.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use page_sync::inspect::{Answer, Faults, Reason};
use page_sync::picture::{Cells, Tally, Whereabouts, text};

/// How many looks the curve remembers.
const HISTORY: usize = 600;
/// How long something that has happened is shown.
const SHOWN: Duration = Duration::from_secs(8);
/// Rates are taken over this long: two looks in quick succession say little.
const WINDOW: Duration = Duration::from_secs(1);

/// What one look found.
pub struct Look {
    pub bytes: u64,
    pub page_size: usize,
    pub file_system: Option<String>,
    pub cells: Cells,
    /// Whether the page cache answered, and whether it shows what is dirty.
    pub cache: Answer<()>,
    pub dirt: Answer<()>,
    /// Whether page tables were looked into, and how many may not be.
    pub tables: Answer<()>,
    pub closed: usize,
    pub processes: Vec<Seen>,
    pub whereabouts: Whereabouts,
}

/// A process that maps the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub pid: u32,
    pub name: String,
    /// How many of the file's pages it has mapped, and of how many a private copy.
    pub mapped: Answer<u64>,
    pub copies: Answer<u64>,
    pub faults: Answer<Faults>,
}

/// A process and how often it faults in a second.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub seen: Seen,
    pub minor_rate: Option<f64>,
    pub major_rate: Option<f64>,
}

/// All that is drawn.
pub struct Model {
    pub path: PathBuf,
    pub look: Option<Look>,
    pub rows: Vec<Row>,
    /// The number of dirty pages at the last looks, the newest last.
    pub dirty: VecDeque<u64>,
    /// How many pages more are dirty than a second ago, for one second.
    pub dirty_rate: Option<f64>,
    event: Option<(Instant, String)>,
    /// Dirty pages, and faults by process, at the looks of the last second.
    recent: VecDeque<(Instant, u64, HashMap<u32, Faults>)>,
}

impl Model {
    pub fn new(path: &Path) -> Model {
        Model {
            path: path.to_owned(),
            look: None,
            rows: Vec::new(),
            dirty: VecDeque::new(),
            dirty_rate: None,
            event: None,
            recent: VecDeque::new(),
        }
    }

    /// All pages in numbers.
    pub fn total(&self) -> Tally {
        self.look.as_ref().map(|look| look.cells.total()).unwrap_or_default()
    }

    /// How many pages the file has, to lay the cells out.
    pub fn pages(&self) -> u64 {
        self.total().pages
    }

    /// Says something for a while.
    pub fn say(&mut self, now: Instant, what: impl Into<String>) {
        self.event = Some((now, what.into()));
    }

    /// What has just happened, if anything has.
    pub fn event(&self, now: Instant) -> Option<&str> {
        let recent = self.event.as_ref().filter(|(then, _)| now.duration_since(*then) < SHOWN);
        recent.map(|(_, what)| what.as_str())
    }

    /// What has to be known about the picture: that it is of a file that has lost its name, or what
    /// is unknown in it.
    pub fn remark(&self) -> Option<String> {
        let look = self.look.as_ref()?;
        let placed = text::whereabouts(look.whereabouts).map(|said| match look.whereabouts {
            Whereabouts::Replaced => format!("{said} (r looks at the other)"),
            _ => said,
        });
        let unknown = |what: &str, answer: &Answer<()>| {
            answer.reason().map(|reason| match reason {
                Reason::Gone { pid } => format!("process {pid} has gone"),
                reason => format!("{what}: {reason}"),
            })
        };
        placed
            .or_else(|| unknown("dirty or clean", &look.cache))
            .or_else(|| unknown("dirty", &look.dirt))
            .or_else(|| unknown("who maps it", &look.tables))
    }

    /// Takes in what was found now.
    pub fn update(&mut self, now: Instant, look: Look) {
        if let Some(before) = &self.look
            && before.bytes != look.bytes
        {
            let how = if look.bytes < before.bytes { "cut shorter" } else { "grown" };
            let what = format!("the file was {how}, from {} to {} bytes", before.bytes, look.bytes);
            self.say(now, what);
        }
        let dirty = look.cells.total().dirty;
        let faults: HashMap<u32, Faults> = look
            .processes
            .iter()
            .filter_map(|seen| Some((seen.pid, seen.faults.known()?)))
            .collect();
        // The youngest that is older than the window stays, to be compared with.
        while self.recent.get(1).is_some_and(|(then, ..)| now.duration_since(*then) >= WINDOW) {
            self.recent.pop_front();
        }
        let past = self.recent.front();
        let seconds = past.map(|(then, ..)| now.duration_since(*then).as_secs_f64());
        let seconds = seconds.filter(|seconds| *seconds > 0.0);
        self.dirty_rate = past
            .zip(seconds)
            .map(|((_, before, _), seconds)| (dirty as f64 - *before as f64) / seconds);
        self.rows = look
            .processes
            .iter()
            .map(|seen| {
                let before = past.and_then(|(_, _, faults)| faults.get(&seen.pid));
                let since =
                    seen.faults.known().zip(before).map(|(faults, before)| faults - *before);
                let rate = |count: fn(Faults) -> u64| Some(count(since?) as f64 / seconds?);
                Row {
                    seen: seen.clone(),
                    minor_rate: rate(|faults| faults.minor),
                    major_rate: rate(|faults| faults.major),
                }
            })
            .collect();
        self.recent.push_back((now, dirty, faults));
        self.dirty.push_back(dirty);
        while self.dirty.len() > HISTORY {
            self.dirty.pop_front();
        }
        self.look = Some(look);
    }

    /// Another file from now on: what was counted about the one before says nothing about it.
    pub fn forget(&mut self) {
        *self = Model { event: self.event.take(), ..Model::new(&self.path) };
    }
}
