//! `lazy`: pages filled when they are first touched. Slide "Illegal Memory Access"; after Appel
//! and Li (1991).

mod range;

use std::io::Write;
use std::time::Duration;

use clap::Args;
use ipc_common::cli::style::{KERNEL, READER, STRONG};
use ipc_common::cli::{Failure, Narrator, Quit, out, watching};
use ipc_common::{Error, PageSize};
use serde_json::json;

use range::{Lazily, Memory};

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
        say_memory(&range, &tell)?;
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
        say_memory(&range, &tell)
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

fn say_memory(range: &Lazily, tell: &Narrator<'_>) -> Result<(), Failure> {
    let Memory { of_range, of_process } = range.memory()?;
    let [range, process] = [of_range, of_process].map(|bytes| format!("{} KiB", bytes / 1024));
    tell.say(format_args!("smaps        {KERNEL}{range}{KERNEL:#} of the range in memory"))?;
    tell.say(format_args!("statm        {KERNEL}{process}{KERNEL:#} of the whole process, which has each page mapped twice"))
}

fn micros(duration: Duration) -> String {
    format!("{:.1} µs", duration.as_secs_f64() * 1e6)
}
