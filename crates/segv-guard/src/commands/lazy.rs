//! `lazy`: pages filled when they are first touched. Slide "Illegal Memory Access"; after Appel
//! and Li (1991).

use std::fs;
use std::io::Write;
use std::ops::Range;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use ipc_common::cli::style::{KERNEL, READER, STRONG};
use ipc_common::cli::{Failure, Narrator, Quit, out, watching};
use ipc_common::{Error, PageSize};
use segv_guard::uses::Pager;
use serde_json::{Value, json};

/// How many bytes of a page are looked at: enough for what `fill` writes there.
const GLANCE: usize = 32;

/// A gigabyte of memory that is made page by page, when a page is first touched
///
/// A range is mapped without any access. Whoever touches a page of it gets SIGSEGV; the handler
/// asks a thread of the pager's to fill that page, waits for it, and the instruction runs again. So
/// a page costs nothing until it is wanted: which pages were filled, when and by which thread is
/// noted by the function that fills them, and how much memory the range has is read from
/// /proc/self/smaps.
#[derive(Args)]
#[command(after_help = "\
Examples:
  segv-guard lazy
  segv-guard lazy --touch 5 --touch 6 --touch 5     the third touch finds page 5 filled
  segv-guard lazy --mib 8192                        8 GiB, perhaps more than you have
  segv-guard lazy --json

Exit codes: 0 done, 1 failed, 2 wrong usage, 128+n ended by signal n.")]
pub struct Lazy {
    /// How large the range is
    #[arg(long, value_name = "MIB", default_value_t = 1024,
          value_parser = clap::value_parser!(u32).range(1..=65536))]
    mib: u32,
    /// Touch this page, counted from 0; may be given several times [default: a few of them]
    #[arg(long, value_name = "PAGE")]
    touch: Vec<usize>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// A call of the function that fills pages.
struct Filling {
    page: usize,
    thread: String,
    /// Since the start.
    at: Duration,
}

/// A page was touched.
struct Touch {
    page: usize,
    /// Since the start.
    at: Duration,
    took: Duration,
    found: String,
    fillings: Vec<Filling>,
}

impl Lazy {
    pub fn run(self) -> Result<(), Failure> {
        let bytes = self.mib as usize * (1 << 20);
        let pages = bytes / PageSize::system().bytes();
        if let Some(page) = self.touch.iter().find(|page| **page >= pages) {
            return Err(Failure::Usage(format!(
                "there is no page {page}: {} MiB are {pages} pages, counted from 0",
                self.mib
            )));
        }
        watching(|quit| if self.json { self.print_json(bytes) } else { self.tell(bytes, quit) })
    }

    /// By default both ends, the middle, and one of them a second time.
    fn touches(&self, pages: usize) -> Vec<usize> {
        let some = 77.min(pages - 1);
        if self.touch.is_empty() {
            vec![0, some, pages / 2, pages - 1, some]
        } else {
            self.touch.clone()
        }
    }

    fn tell(&self, bytes: usize, quit: &Quit) -> Result<(), Failure> {
        let tell = Narrator::new(quit);
        tell.act("A large range of which nothing is there")?;
        let range = Lazily::start(bytes)?;
        let (pages, size) = (range.pager.pages(), range.pager.page_size().bytes());
        let at = range.addresses().start;
        tell.say(format_args!("mapped       {pages} pages of {size} bytes at {at:#x}"))?;
        range.say_memory(&tell)?;
        for page in self.touches(pages) {
            tell.act(&format!("Page {page} is touched"))?;
            let touch = range.touch(page)?;
            for filling in &touch.fillings {
                let after = micros(filling.at.saturating_sub(touch.at));
                tell.say(format_args!(
                    "filled       by fill({}) on thread \"{}\", {after} after the touch began",
                    filling.page, filling.thread
                ))?;
            }
            if touch.fillings.is_empty() {
                tell.say("no fill      it was there already")?;
            }
            tell.say(format_args!("found        {READER}{:?}{READER:#}", touch.found))?;
            tell.say(format_args!("took         {}", micros(touch.took)))?;
        }
        tell.act("What it came to")?;
        let filled = range.pager.filled();
        tell.say(format_args!("filled       {STRONG}{filled}{STRONG:#} of {pages} pages"))?;
        range.say_memory(&tell)
    }

    fn print_json(&self, bytes: usize) -> Result<(), Failure> {
        let range = Lazily::start(bytes)?;
        let (pages, before) = (range.pager.pages(), range.memory()?);
        let touches = self.touches(pages).into_iter().map(|page| Ok(range.touch(page)?.as_json()));
        let touches = touches.collect::<Result<Vec<_>, Error>>()?;
        let after = range.memory()?;
        let memory = |memory: Memory| json!({ "range_rss_bytes": memory.of_range, "process_rss_bytes": memory.of_process });
        let object = json!({
            "pages": pages,
            "page_size": range.pager.page_size().bytes(),
            "before": memory(before),
            "touches": touches,
            "filled": range.pager.filled(),
            "after": memory(after),
        });
        Ok(writeln!(out(), "{object}")?)
    }
}

/// The range, and what its `fill` has to tell.
struct Lazily {
    pager: Pager,
    fillings: Receiver<Filling>,
    start: Instant,
}

impl Lazily {
    fn start(bytes: usize) -> Result<Lazily, Error> {
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
    fn touch(&self, page: usize) -> Result<Touch, Error> {
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

    fn addresses(&self) -> Range<usize> {
        let start = self.pager.view().as_ptr().addr();
        start..start + self.pager.view().len()
    }

    fn say_memory(&self, tell: &Narrator<'_>) -> Result<(), Failure> {
        let Memory { of_range, of_process } = self.memory()?;
        let [range, process] = [of_range, of_process].map(|bytes| format!("{} KiB", bytes / 1024));
        tell.say(format_args!("smaps        {KERNEL}{range}{KERNEL:#} of the range in memory"))?;
        tell.say(format_args!("statm        {KERNEL}{process}{KERNEL:#} of the whole process, which has each page mapped twice"))
    }

    fn memory(&self) -> Result<Memory, Error> {
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
struct Memory {
    of_range: usize,
    /// Here the pages of the range count twice: the pager has them mapped a second time, to fill
    /// them before anybody sees them.
    of_process: usize,
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
    fn as_json(&self) -> Value {
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

fn micros(duration: Duration) -> String {
    format!("{:.1} µs", duration.as_secs_f64() * 1e6)
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
