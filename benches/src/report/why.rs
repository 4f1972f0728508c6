//! Why a contender wins or loses: what its round was spent on, beside the reference's.

use super::cell::Cell;
use super::gather::Material;
use super::rule::Outcome;
use super::show;
use super::verdict::{Use, copies};
use crate::results::Record;

/// A sentence at the smallest and at the largest size at which both sides were measured.
pub fn sentences(material: &Material, one: &Use<'_>) -> Vec<String> {
    let told = |cell: &&Cell| {
        let record = &cell.record;
        let reference =
            material.cell(&record.id.group, &record.measured.reference, &record.id.value)?;
        Some(sentence(record, &reference.record))
    };
    let known: Vec<_> = one.cells.iter().copied().filter(|cell| told(cell).is_some()).collect();
    let mut ends: Vec<&Cell> = known.first().into_iter().copied().collect();
    if known.len() > 1 {
        ends.extend(known.last());
    }
    ends.iter().filter_map(told).collect()
}

/// `At 64K, mapped anew …`
fn sentence(this: &Record, reference: &Record) -> String {
    let size = show::short_size(this.id.value.parse().unwrap_or(0));
    let measured = &this.measured;
    let [time, reference_time] = measured.median_pair();
    format!(
        "{size}: {} ({}), {} instead of {}. “{}”: {}. “{}”: {}.",
        show::compared(measured.ratio.median),
        show::range(&measured.ratio),
        show::time(time),
        show::time(reference_time),
        this.id.function,
        spent(this),
        reference.id.function,
        spent(reference),
    )
}

/// `1 page fault, 2 system calls, nothing copied by the kernel`
pub fn spent(record: &Record) -> String {
    let faults = record.counts.faults;
    let mut all = match record.counts.faults_vary() {
        Some([fewest, most]) => format!(
            "{} to {} page faults, as the mapping lies",
            show::number(fewest),
            show::number(most)
        ),
        None => show::count(faults.all(), "page fault"),
    };
    if faults.major > 0 {
        all.push_str(&format!(" ({} major)", show::number(faults.major)));
    }
    let calls = match record.counts.system_calls.total() {
        Some(total) => show::count(total, "system call"),
        None => "system calls unknown".into(),
    };
    let copied = match copies(&record.counts.system_calls) {
        Some(true) => {
            format!(", {} copied by the kernel", crate::settings::show_size(record.work.bytes))
        }
        Some(false) => ", nothing copied by the kernel".into(),
        None => String::new(),
    };
    format!("{all}, {calls}{copied}")
}

/// Of the passes over a file: from how many on the mapping is faster than reading, by the rule and at
/// each number that counts, if there is one.
pub fn break_even(cells: &[&Cell]) -> Option<u64> {
    let fresh = cells.iter().filter(|cell| cell.record.id.function == "mmap, fresh");
    let mut counted: Vec<_> = fresh.filter(|cell| cell.doubt.is_none()).collect();
    counted.sort_by_key(|cell| cell.value());
    // From there on, not just there: a lucky cell among slow ones is none.
    let not_yet = counted.iter().rposition(|cell| cell.outcome() != Some(Outcome::Faster));
    counted.get(not_yet.map_or(0, |at| at + 1)).map(|cell| cell.value())
}
