//! What can be seen without root, named for what it is.

use std::env;
use std::io::Write;
use std::path::PathBuf;

use anstyle::Style;
use ipc_common::cli::style::{FAINT, KERNEL, STRONG, WARNING};
use ipc_common::cli::{Failure, json_line, out, shown};
use ipc_common::{Errno, Error};
use page_sync::inspect::Answer;
use page_sync::power_cut::{Action, Seen, WRITTEN, page_cache, page_cache_tells};
use serde_json::{Value, json};

/// Does the actions on a file of the user's, and shows which pages were dirty.
pub fn show(actions: &[Action], json: bool) -> Result<(), Failure> {
    let folder = folder()?;
    let all = page_cache(&folder, actions)?;
    let mut out = out();
    if json {
        let results: Vec<Value> = all.iter().map(as_json).collect();
        let object = json!({
            "experiment": "page-cache",
            "durability": false,
            "folder": folder.to_string_lossy(),
            "results": results,
        });
        writeln!(out, "{}", json_line(&object))?;
        return Ok(());
    }
    let [first, second] = WRITTEN;
    writeln!(
        out,
        "{STRONG}The page cache: not durability.{STRONG:#} Pages {first} and {second} of a file in \
         {}\nwritten through a shared mapping, then one thing. Which pages were dirty then:\n",
        shown(&folder)
    )?;
    writeln!(
        out,
        "{STRONG}{:<22}{:<10}{:<10}{:>7}{STRONG:#}",
        "then",
        format!("page {first}"),
        format!("page {second}"),
        "µs"
    )?;
    for seen in &all {
        write!(out, "{:<22}", seen.action.calls())?;
        for (_, _, after) in seen.dirty {
            let (style, word) = word(after);
            write!(out, "{style}{word:<10}{style:#}")?;
        }
        writeln!(out, "{:>7}", seen.took.as_micros())?;
    }
    writeln!(
        out,
        "\n{FAINT}dirty: lost at a power cut. clean: handed to the disk, which may have it in a\n\
         cache of its own; whether it is on the platter cannot be seen from here. Above\n\
         all, sync_file_range leaves clean pages, and the power cut takes them.{FAINT:#}"
    )?;
    Ok(())
}

fn word(dirty: Answer<bool>) -> (Style, &'static str) {
    match dirty {
        Answer::Known(true) => (WARNING, "dirty"),
        Answer::Known(false) => (KERNEL, "clean"),
        Answer::Unknown(_) => (FAINT, "unknown"),
    }
}

/// The first of the user's folders whose files the page cache tells about: `/tmp` is often in
/// memory only.
fn folder() -> Result<PathBuf, Failure> {
    let folders = [Ok(env::temp_dir()), ipc_common::state::folder(), Ok(PathBuf::from("."))];
    let mut reasons = Vec::new();
    for folder in folders.into_iter().flatten() {
        match page_cache_tells(&folder) {
            Ok(Answer::Known(())) => return Ok(folder),
            Ok(Answer::Unknown(reason)) => reasons.push(format!("{}: {reason}", folder.display())),
            Err(error) => reasons.push(error.to_string()),
        }
    }
    Err(Failure::Error(Error::refused("page_cache", Errno::EOPNOTSUPP, "").with_remedy(format!(
        "no folder tells which pages are dirty; go to one on a disk, and try again. {}",
        reasons.join("; ")
    ))))
}

fn as_json(seen: &Seen) -> Value {
    let word = |answer: Answer<bool>| match answer {
        Answer::Known(dirty) => json!(dirty),
        Answer::Unknown(_) => Value::Null,
    };
    let pages: Vec<Value> = seen
        .dirty
        .iter()
        .map(|(page, stored, after)| {
            let reason = after.reason().map(|reason| reason.to_string());
            json!({
                "page": page,
                "dirty_after_the_stores": word(*stored),
                "dirty": word(*after),
                "unknown": reason,
            })
        })
        .collect();
    json!({
        "action": seen.action.name(),
        "pages": pages,
        "microseconds": seen.took.as_secs_f64() * 1e6,
    })
}
