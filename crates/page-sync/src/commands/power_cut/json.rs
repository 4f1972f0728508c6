//! The outcomes for programs.

use ipc_common::PageSize;
use page_sync::power_cut::{Barriers, Report, Trial};
use serde_json::{Value, json};

pub fn of(report: &Report) -> Value {
    let results: Vec<Value> = report
        .groups()
        .iter()
        .map(|(action, barriers, trials)| {
            json!({
                "action": action.name(),
                "barriers": *barriers == Barriers::On,
                "promises": action.promises(),
                "trials": trials.iter().map(|trial| of_trial(trial)).collect::<Vec<_>>(),
            })
        })
        .collect();
    let objections: Vec<String> = report.objections().iter().map(ToString::to_string).collect();
    json!({
        "experiment": "power-cut",
        "page_size": PageSize::system().bytes(),
        "results": results,
        "sound": objections.is_empty(),
        "objections": objections,
    })
}

fn of_trial(trial: &Trial) -> Value {
    let pages: Vec<Value> = trial
        .pages
        .iter()
        .map(|(page, found)| json!({ "page": page, "found": found.to_string() }))
        .collect();
    json!({
        "pages": pages,
        "microseconds": trial.took.as_secs_f64() * 1e6,
        "sent_bytes": trial.sent,
        "flushes": trial.flushes,
        "kernel_flushes": trial.kernel_flushes,
        "disturbed": trial.is_disturbed(),
    })
}
