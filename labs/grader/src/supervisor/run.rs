//! What is known of a run so far: events in, reports out, and a copy on disk after each.

use std::path::PathBuf;

use super::Progress;
use crate::cell::Event;
use crate::verdict::{Report, save_atomically};

/// What is known so far.
pub(super) struct Run {
    pub(super) reports: Vec<Report>,
    pub(super) save: Option<PathBuf>,
    /// How many results there have to be.
    pub(super) expected: usize,
}

impl Run {
    pub(super) fn heard(&mut self, event: Event, progress: &mut dyn FnMut(Progress<'_>)) {
        match event {
            Event::Waiting => progress(Progress::Waiting),
            Event::Built(build) => {
                progress(Progress::Built(&build));
                for report in &mut self.reports {
                    if !build.succeeded {
                        report.nothing_runs("it does not compile");
                    }
                    report.build = Some(build.clone());
                }
                if !build.succeeded {
                    self.expected = 0;
                }
            }
            Event::Checked { id, round, outcome, millis } => {
                self.expected = self.expected.saturating_sub(1);
                match self.reports.get_mut(round as usize) {
                    Some(report) => {
                        report.put(&id, outcome, millis);
                        report.check(&id).into_iter().for_each(|c| progress(Progress::Checked(c)));
                    }
                    None => self.grader_failed("a result of a round that was not asked for"),
                }
            }
            // `lab doctor` tells it; it is the same for everybody.
            Event::Remark { .. } => {}
            Event::Swept { what } => self.reports[0].swept.extend(what),
            Event::Broken { what } => self.grader_failed(&what),
            // Not by its word alone: every result has to be there.
            Event::Done if self.expected == 0 => {
                self.reports.iter_mut().for_each(|report| report.is_whole = true);
            }
            Event::Done => self.grader_failed("results are missing"),
        }
        self.save();
        progress(Progress::SoFar(&self.reports[0]));
    }

    pub(super) fn grader_failed(&mut self, what: &str) {
        self.reports.iter_mut().for_each(|report| report.grader_failed(what.to_owned()));
    }

    pub(super) fn save(&mut self) {
        let Some(path) = &self.save else { return };
        let bytes = serde_json::to_vec_pretty(&self.reports[0]).unwrap_or_default();
        if let Err(error) = save_atomically(path, &bytes) {
            self.save = None;
            self.grader_failed(&error.to_string());
        }
    }
}
