//! All figures of a group: for whoever wants to know exactly.

use crate::report::cell::Cell;
use crate::report::escape::markup;
use crate::report::gather::Material;
use crate::report::show;

pub fn table(cells: &[&Cell]) -> String {
    let Some(first) = cells.first() else { return String::new() };
    let work = &first.record.work;
    let varies = if work.varies.starts_with("bytes") { "size" } else { work.varies.as_str() };
    let rows: String = cells.iter().map(|cell| row(cell)).collect();
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"All figures\">\n<table>\n\
         <thead><tr><th scope=\"col\">{}</th><th scope=\"col\">contender</th><th scope=\"col\">time</th>\
         <th scope=\"col\">against {}</th><th scope=\"col\">pairs</th><th scope=\"col\">page faults</th>\
         <th scope=\"col\">system calls</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n",
        markup(varies),
        markup(&first.record.measured.reference),
    )
}

/// The groups whose names begin so, smallest file first, each with its cells.
pub fn groups<'a>(material: &'a Material, prefix: &str) -> Vec<(String, Vec<&'a Cell>)> {
    let bytes = |cell: &Cell| -> u64 {
        let labels = &cell.record.work.labels;
        labels.get("bytes in the file").and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
    };
    let mut names: Vec<(u64, &str)> = Vec::new();
    for cell in &material.cells {
        let name = (bytes(cell), cell.record.id.group.as_str());
        if name.1.starts_with(prefix) && !names.contains(&name) {
            names.push(name);
        }
    }
    names.sort_unstable();
    names.into_iter().map(|(_, name)| (name.to_owned(), material.group(name))).collect()
}

fn row(cell: &Cell) -> String {
    let record = &cell.record;
    let measured = &record.measured;
    let size = match record.work.varies.starts_with("bytes") {
        true => show::short_size(cell.value()),
        false => record.id.value.clone(),
    };
    let against = if measured.reference == record.id.function {
        "itself: ".to_owned()
    } else {
        String::new()
    };
    let doubt = match &cell.doubt {
        Some(doubt) => format!("<br><small>✕ {}</small>", markup(&doubt.to_string())),
        None => String::new(),
    };
    let faults = record.counts.faults;
    let major = match faults.major {
        0 => String::new(),
        major => format!(" ({} major)", show::number(major)),
    };
    format!(
        "<tr><td>{}</td><th scope=\"row\">{}</th><td>{}</td><td>{against}{} ({}){doubt}</td><td>{}</td>\
         <td>{}{major}</td><td>{}</td></tr>\n",
        markup(&size),
        markup(&record.id.function),
        show::time_spread(&measured.time),
        show::compared(measured.ratio.median),
        show::range(&measured.ratio),
        measured.pairs,
        match record.counts.faults_vary() {
            Some([fewest, most]) => {
                format!("{} to {}", show::number(fewest), show::number(most))
            }
            None => show::number(faults.all()),
        },
        markup(&record.counts.system_calls.to_string()),
    )
}
