//! `benches report`

use std::io::Write;
use std::path::PathBuf;

use benches::machine::Machine;
use benches::report::{self, Material, Verdict, cell, scene::BENCHES};
use benches::results::{self, OWN_COST, PROGRAM, Run, Score};
use clap::Args;
use ipc_common::cli::style::{FAINT, STRONG};
use ipc_common::cli::{self, Failure, Quit, shown, warn};
use serde_json::json;

use super::{measure, output};

/// A page that shows who wins, at which size, by how much, and why; with a verdict on the lecture's
/// sentence.
///
/// Reads what the benches have written below criterion's folder, runs those benches of which there is
/// no whole run of this machine, and writes index.html (one file: it needs no network), the plots as
/// SVG, and report.md.
#[derive(Args)]
pub struct Report {
    /// Where files are missing, run quick benches: about a minute each, fewer sizes, less certainty.
    /// Without it a bench of which there is only a quick run is run in full, which takes several
    /// minutes each.
    #[arg(long, conflicts_with = "no_run")]
    quick: bool,
    /// Run nothing: show what there is.
    #[arg(long)]
    no_run: bool,
    /// Where the page goes [default: `report` in the target folder].
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Where the results are [default: $CRITERION_HOME, or `criterion` in the target folder].
    #[arg(long, value_name = "FOLDER")]
    results: Option<PathBuf>,
    /// Also write the plots and the table into the notes' chapter: below slides-notes, or FOLDER.
    #[arg(long, value_name = "FOLDER", num_args = 0..=1)]
    notes: Option<Option<PathBuf>>,
    /// Print the verdict and what to know first as JSON.
    #[arg(long)]
    json: bool,
}

impl Report {
    pub fn run(self) -> Result<(), Failure> {
        let quit = Quit::watch()?;
        let home = self.results.clone().unwrap_or_else(results::home);
        if !self.no_run {
            let missing = wanting(&Material::read(&home), self.quick);
            measure::run(&missing, &home, self.quick, &quit)?;
        }
        quit.check()?;
        let material = Material::read(&home);
        for notice in &material.notices {
            warn(notice);
        }
        let out = self.out.clone().unwrap_or_else(|| results::target().join("report"));
        let figures = report::figures::all(&material);
        let page = output::page(&material, &figures, &out)?;
        match &self.notes {
            Some(_) if material.cells.is_empty() => {
                warn(&"the notes are left as they are: there is nothing to put into them");
            }
            Some(folder) => output::notes(&material, &figures, folder.as_deref())?,
            None => {}
        }
        self.say(&material, &page)?;
        match material.cells.is_empty() {
            // The page says so, too: an old one there would be taken for the new.
            true => Err(Failure::Said),
            false => Ok(()),
        }
    }

    fn say(&self, material: &Material, page: &std::path::Path) -> Result<(), Failure> {
        let verdict = Verdict::of(material);
        let (speed, buffering, tally) = (verdict.speed(), verdict.buffering(), verdict.tally());
        let mut out = cli::out();
        if self.json {
            let line = json!({
                "performance": format!("{speed:?}"),
                "buffering": format!("{buffering:?}"),
                "cells": {
                    "faster": tally.faster,
                    "slower": tally.slower,
                    "no difference": tally.same,
                    "undecided": tally.unsure,
                    "not counted": tally.not_counted,
                },
                "own cost": material.costs.as_ref().map(|costs| {
                    let Score { met, missed, unsure, skipped } = costs.score();
                    json!({ "met": met, "missed": missed, "unsure": unsure, "skipped": skipped })
                }),
                "notices": material.notices,
                "page": page.display().to_string(),
            });
            writeln!(out, "{}", cli::json_line(&line))?;
            return Ok(());
        }
        writeln!(out, "mmap \u{201c}significantly improves performance\u{201d}")?;
        writeln!(out, "  {STRONG}{}{STRONG:#}", speed.headline())?;
        writeln!(out, "  {tally}")?;
        writeln!(out, "mmap \u{201c}eliminates intermediary buffering\u{201d}")?;
        writeln!(out, "  {STRONG}{}{STRONG:#}", buffering.headline())?;
        for one in &verdict.uses {
            let (title, who) = (one.scene.title, one.who);
            writeln!(out, "{FAINT}{title}, {who}:{FAINT:#} {}", one.where_what())?;
        }
        if let Some(costs) = &material.costs {
            writeln!(out, "{}: limits {}", report::costs::TITLE, costs.score())?;
        }
        writeln!(out, "{}", shown(page))?;
        Ok(())
    }
}

/// The benches of which there is no whole run, of this machine, by this program, as thorough as is
/// wanted.
fn wanting(material: &Material, quick: bool) -> Vec<&'static str> {
    let this = Machine::this();
    // Results of another program are of other work, perhaps.
    let is_ours = |run: &Run| run.program == PROGRAM;
    let is_there = |bench: &&str| {
        let run = material.runs.iter().find(|run| run.run.bench == **bench);
        run.is_some_and(|run| {
            let cases = material.cells.iter().filter(|cell| cell.record.run == run.run).count();
            let thorough = quick || !run.run.quick;
            let whole = !run.filtered && cases == run.cases;
            thorough && whole && is_ours(&run.run) && cell::is_same(&run.machine, &this)
        })
    };
    let own_cost = material.costs.as_ref().is_some_and(|costs| {
        let thorough = |room: &results::Room| quick || !room.run.quick;
        let whole = !costs.partial && is_ours(&costs.run);
        whole && costs.rooms.iter().all(thorough) && cell::is_same(&costs.machine, &this)
    });
    let wanting = BENCHES.into_iter().filter(|bench| !is_there(bench));
    wanting.chain((!own_cost).then_some(OWN_COST)).collect()
}
