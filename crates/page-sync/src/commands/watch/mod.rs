//! `watch`: the picture live. Slide "Memory mapped files and virtual memory".
//!
//! # Layout
//!
//! `sample` asks the kernel; `model` is what is shown, and what has changed since; `draw` is a pure
//! function from that to letters on a grid; `screen` takes the terminal and gives it back, whatever
//! happens; `keys` listens, in a thread of its own; `signals` notes signals.

mod draw;
mod keys;
mod model;
mod sample;
mod screen;
mod signals;

use std::env;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use ipc_common::cli::{Failure, typed_path};
use ipc_common::{Errno, Error};
use page_sync::picture::{Subject, Whom};

use draw::Palette;
use keys::{Key, Keys};
use model::Model;
use sample::Sampler;
use screen::Screen;
use signals::Signals;

use super::own;

/// How long it waits for a key before it looks for signals.
const NAP: Duration = Duration::from_millis(50);

/// Show a file's pages live, while another terminal writes.
#[derive(Args)]
#[command(
    long_about = "Show a file's pages live, while another terminal writes: pages turn dirty when \
they are stored to, and clean when they are synced or the kernel gets round to it. Below the picture \
stands how many are dirty, with the last looks as a curve, and how often the processes that map the \
file fault.\n\nIt looks at the page cache and at page tables; not a byte of the file is read.",
    after_help = "Keys: q, Esc or Ctrl-C quit; r looks at the file that now has the name, if it was \
replaced; Ctrl-Z suspends.\n\nExamples:\n  page-sync watch notes.txt\n  \
page-sync watch notes.txt --every 1s      over a slow line\n\n\
Exit codes: 0 done; 1 failed, also without a terminal: there `page-sync map FILE` shows the picture \
once; 2 wrong usage; 128+n ended by signal n (130: Ctrl-C)."
)]
pub struct Watch {
    /// The file
    file: PathBuf,
    /// Look into this process only [default: all that map the file and may be looked into]
    #[arg(long)]
    pid: Option<u32>,
    /// How often to look
    #[arg(long, value_name = "TIME", default_value = "200ms", value_parser = period)]
    every: Duration,
}

fn period(text: &str) -> Result<Duration, String> {
    let every: Duration = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    match every < Duration::from_millis(20) || every > Duration::from_secs(3600) {
        true => Err("from 20ms to 1h".into()),
        false => Ok(every),
    }
}

impl Watch {
    pub fn run(self) -> Result<(), Failure> {
        let subject = Subject::open(&self.file)?;
        let whom = self.pid.map_or(Whom::Everyone, Whom::Process);
        if let Whom::Process(pid) = whom {
            // Said now, where it can be read, rather than on a screen that vanishes.
            subject.process(pid, 0)?;
        }
        a_terminal(&self)?;
        let signals = Signals::watch()?;
        let mut screen = Screen::enter().map_err(|error| no_screen(&self, &error))?;
        let keys = Keys::listen()?;
        let mut model = Model::new(&self.file);
        let mut sampler = Sampler::new(subject, whom);
        let palette = Palette::of_environment();
        let mut next = Instant::now();
        loop {
            if let Some(signal) = signals.quit() {
                return Err(Failure::Signal(signal));
            }
            if signals.stop() {
                screen.suspend()?;
            }
            if signals.continued() {
                screen.take_again()?;
            }
            if Instant::now() >= next {
                let begun = Instant::now();
                sampler.sample(&mut model, screen.size()?)?;
                screen.draw(|area, buffer| draw::draw(&model, palette, area, buffer))?;
                // A file so large that looking takes long is looked at less often.
                next = begun + self.every.max(begun.elapsed() * 3);
            }
            let wait = next.saturating_duration_since(Instant::now()).min(NAP);
            match keys.next(wait)? {
                Some(Key::Quit) => return Ok(()),
                Some(Key::Interrupt) => return Err(Failure::Signal(libc::SIGINT)),
                Some(Key::Suspend) => screen.suspend()?,
                Some(Key::Reopen) => sampler.reopen(&mut model),
                Some(Key::Resize) => next = Instant::now(),
                None => {}
            }
        }
    }
}

/// Without a terminal there is nothing to draw on, and nobody to press q.
fn a_terminal(watch: &Watch) -> Result<(), Failure> {
    let dumb = env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    match std::io::stdout().is_terminal() && !dumb {
        true => Ok(()),
        false => Err(no_screen(watch, &std::io::Error::from_raw_os_error(libc::ENOTTY))),
    }
}

fn no_screen(watch: &Watch, error: &std::io::Error) -> Failure {
    let errno = error.raw_os_error().map_or(Errno::ENOTTY, Errno::from_raw);
    let map = own(&format!("map {}", typed_path(&watch.file)));
    Failure::Error(Error::refused("watch", errno, "standard output").with_remedy(format!(
        "a live picture needs a terminal that can move its cursor; `{map}` shows it once, anywhere"
    )))
}
