//! `map`: a file's pages as a picture. Slide "Memory mapped files and virtual memory".

use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use ipc_common::cli::{Failure, Quit, out, shown};
use page_sync::picture::{Subject, Survey, Whom, json, svg, text};

/// How long a survey takes before it is worth a word.
const WHILE: Duration = Duration::from_millis(700);

/// Show which pages of a file are in memory, dirty, and mapped by whom.
#[derive(Args)]
#[command(
    long_about = "Show which pages of a file are in memory, dirty, and mapped by whom. A letter is \
a page, or as many as it takes for the picture to fit; then it shows the most urgent of them. A \
capital is a page that a process has mapped. Below the picture stands who said so: each source is \
true for something else, and where one is silent or would lie, that is said.\n\nLooking changes \
nothing: not a byte of the file is read.",
    after_help = "Examples:\n  page-sync map notes.txt\n  \
page-sync map /proc/$$/exe --pid $$        what your shell has mapped of its own program\n  \
page-sync map notes.txt --svg pages.svg    for a slide\n  \
page-sync map notes.txt --json | jq '.runs[] | select(.memory == \"dirty\")'\n\n\
Try it: in one terminal `page-sync watch FILE`, in another one that writes to it.\n\n\
Exit codes: 0 done, also if something is unknown; 1 failed; 2 wrong usage."
)]
pub struct Map {
    /// The file
    file: PathBuf,
    /// Look into this process only [default: all that map the file and may be looked into]
    #[arg(long)]
    pid: Option<u32>,
    /// Save the picture for a slide; `-` is standard output
    #[arg(long, value_name = "OUT", conflicts_with = "json")]
    svg: Option<PathBuf>,
    /// Replace OUT if it is there
    #[arg(long, requires = "svg")]
    force: bool,
    /// One JSON object: runs of pages that are the same, sources, and what is unknown
    #[arg(long)]
    json: bool,
}

impl Map {
    pub fn run(self) -> Result<(), Failure> {
        let quit = Quit::watch()?;
        let subject = Subject::open(&self.file)?;
        let whom = self.pid.map_or(Whom::Everyone, Whom::Process);
        let mut progress = Progress::new();
        let survey = Survey::take_while(&subject, whom, |done, of| {
            progress.show(done, of);
            if quit.asked().is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        progress.clear();
        quit.check()?;
        let survey = survey?;
        let mut out = out();
        match &self.svg {
            Some(path) if path == Path::new("-") => {
                out.write_all(svg::render(&subject, &survey).as_bytes())?;
            }
            Some(path) => {
                svg::save(&subject, &svg::render(&subject, &survey), path, self.force)?;
                writeln!(out, "{} shows {}.", shown(path), shown(&self.file))?;
            }
            None if self.json => json::write(&mut out, &subject, &survey)?,
            None => write!(out, "{}", text::render(&subject, &survey, columns()))?,
        }
        Ok(())
    }
}

/// How wide the terminal is; 80 where there is none.
fn columns() -> usize {
    if !std::io::stdout().is_terminal() {
        return 80;
    }
    ratatui::crossterm::terminal::size().map_or(80, |(columns, _)| usize::from(columns))
}

/// How far a long survey has come, for whoever waits for it at a terminal.
struct Progress {
    begun: Instant,
    said: Option<u64>,
    heard: bool,
}

impl Progress {
    fn new() -> Progress {
        let heard = std::io::stderr().is_terminal();
        Progress { begun: Instant::now(), said: None, heard }
    }

    fn show(&mut self, done: u64, of: u64) {
        let percent = u64::try_from(u128::from(done) * 100 / u128::from(of.max(1))).unwrap_or(100);
        if self.heard && self.said != Some(percent) && self.begun.elapsed() > WHILE {
            // Nobody is left to tell if standard error is closed.
            let _ = write!(anstream::stderr(), "\rlooking at {of} pages: {percent:3} %");
            self.said = Some(percent);
        }
    }

    fn clear(&mut self) {
        if self.said.take().is_some() {
            let _ = write!(anstream::stderr(), "\r{:60}\r", "");
        }
    }
}
