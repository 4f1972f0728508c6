//! Below the picture: who maps the file, and how often they fault.

use ipc_common::cli::shown;
use page_sync::inspect::{Answer, Reason};
use ratatui::style::Style;

use super::{PROCESSES, Page};
use crate::commands::watch::model::{Model, Row};

pub(super) fn processes(model: &Model, page: &mut Page<'_>) {
    let Some(look) = &model.look else { return };
    match look.tables.reason() {
        None => {}
        Some(Reason::Gone { pid }) => {
            let gone = format!("process {pid} has gone, and no other is looked into");
            return page.line(&gone, Style::new().dim());
        }
        Some(_) => return page.line("who maps it: not looked into", Style::new().dim()),
    }
    let room = usize::from(PROCESSES) - 2;
    if model.rows.is_empty() {
        page.line("no process that may be looked into maps it", Style::new().dim());
    } else {
        let head = format!(
            "{:>7} {:<15} {:>8} {:>7} {:>9} {:>9}",
            "PID", "PROGRAM", "MAPPED", "COPIES", "MINOR/s", "MAJOR/s"
        );
        page.line(&head, Style::new().dim());
    }
    for row in model.rows.iter().take(room) {
        page.line(&process(row), Style::new());
    }
    let left = model.rows.len().saturating_sub(room);
    let left = (left > 0).then(|| format!("{left} more map it"));
    let closed = match look.closed {
        0 => None,
        1 => Some("1 other may not be looked into".into()),
        closed => Some(format!("{closed} others may not be looked into")),
    };
    let more: Vec<String> = left.into_iter().chain(closed).collect();
    page.line(&more.join("; "), Style::new().dim());
}

fn process(Row { seen, minor_rate, major_rate }: &Row) -> String {
    let number = |answer: &Answer<u64>| answer.known().map_or("?".into(), |n| n.to_string());
    let rate = |rate: &Option<f64>| rate.map_or("-".into(), |rate| format!("{rate:.0}"));
    let name: String = shown(seen.name.as_ref()).to_string().chars().take(15).collect();
    format!(
        "{:>7} {name:<15} {:>8} {:>7} {:>9} {:>9}",
        seen.pid,
        number(&seen.mapped),
        number(&seen.copies),
        rate(minor_rate),
        rate(major_rate)
    )
}
