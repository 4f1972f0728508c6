//! The range that is filled, touched and measured.

use std::fs;
use std::ops::Range;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use ipc_common::{Error, PageSize};
use segv_guard::uses::Pager;
use serde_json::{Value, json};

/// How many bytes of a page are looked at: enough for what `fill` writes there.
const GLANCE: usize = 32;

/// A call of the function that fills pages.
pub struct Filling {
    pub page: usize,
    pub thread: String,
    /// Since the start.
    pub at: Duration,
}

/// A page was touched.
pub struct Touch {
    pub page: usize,
    /// Since the start.
    pub at: Duration,
    pub took: Duration,
    pub found: String,
    pub fillings: Vec<Filling>,
}

/// The range, and what its `fill` has to tell.
pub struct Lazily {
    pub pager: Pager,
    pub fillings: Receiver<Filling>,
    start: Instant,
}

impl Lazily {
    pub fn start(bytes: usize) -> Result<Lazily, Error> {
        let (send, fillings) = mpsc::channel();
        let start = Instant::now();
        let pager = Pager::new(segv_guard::install()?, bytes, move |page, bytes| {
            let at = start.elapsed();
            let text = format!("this is page {page}");
            bytes[..text.len()].copy_from_slice(text.as_bytes());
            let thread = thread::current().name().unwrap_or("?").to_owned();
            // Nobody listens any more when the command is about to end.
            let _ = send.send(Filling { page, thread, at });
            Ok(())
        })?;
        Ok(Lazily { pager, fillings, start })
    }

    /// Reads the beginning of a page, as any code would.
    pub fn touch(&self, page: usize) -> Result<Touch, Error> {
        let mut bytes = [0; GLANCE];
        let at = self.start.elapsed();
        self.pager.read(page * self.pager.page_size().bytes(), &mut bytes)?;
        let took = self.start.elapsed().saturating_sub(at);
        let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        let found = text.escape_ascii().to_string();
        // Sent before the page was opened, and so before the read was over.
        let fillings = self.fillings.try_iter().collect();
        Ok(Touch { page, at, took, found, fillings })
    }

    pub fn addresses(&self) -> Range<usize> {
        let start = self.pager.view().as_ptr().addr();
        start..start + self.pager.view().len()
    }

    pub fn memory(&self) -> Result<Memory, Error> {
        let read = |path: &str| {
            fs::read_to_string(path).map_err(|error| Error::from_io("open", &error, path))
        };
        let statm = read("/proc/self/statm")?;
        let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
        Ok(Memory {
            of_range: resident(&read("/proc/self/smaps")?, &self.addresses()),
            of_process: PageSize::system().bytes() * pages,
        })
    }
}

/// What is in memory, in bytes.
pub struct Memory {
    pub of_range: usize,
    /// Here the pages of the range count twice: the pager has them mapped a second time, to fill
    /// them before anybody sees them.
    pub of_process: usize,
}

/// The sum of `Rss` over the mappings in a range (proc_pid_smaps(5)).
fn resident(smaps: &str, range: &Range<usize>) -> usize {
    let (mut inside, mut sum) = (false, 0);
    for line in smaps.lines() {
        let first = line.split(' ').next().unwrap_or_default();
        let start = first.split_once('-').map(|(start, _)| usize::from_str_radix(start, 16));
        if let Some(Ok(start)) = start {
            inside = range.contains(&start);
        } else if let (true, Some(kib)) = (inside, line.strip_prefix("Rss:")) {
            let kib = kib.trim().trim_end_matches(" kB").parse().unwrap_or(0);
            sum += 1024 * kib;
        }
    }
    sum
}

impl Touch {
    pub fn as_json(&self) -> Value {
        let fillings: Vec<_> = self
            .fillings
            .iter()
            .map(|filling| {
                let at = filling.at.as_nanos() as u64;
                json!({ "page": filling.page, "thread": filling.thread, "at_ns": at })
            })
            .collect();
        json!({
            "page": self.page,
            "at_ns": self.at.as_nanos() as u64,
            "took_ns": self.took.as_nanos() as u64,
            "found": self.found,
            "fillings": fillings,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::resident;

    #[test]
    fn only_the_mappings_in_the_range_are_counted() {
        let smaps = "1000-2000 ---p 0 00:00 0\nRss:  4 kB\n2000-3000 rw-s 0 00:00 0\nRss:   8 kB\n\
                     Pss: 4 kB\n3000-4000 rw-s 0 00:00 0 /f\nRss: 16 kB\n4000-5000 r--p 0 0:0 0\nRss: 1 kB\n";
        assert_eq!(resident(smaps, &(0x2000..0x4000)), 24 * 1024);
        assert_eq!(resident("", &(0..1)), 0);
    }
}
