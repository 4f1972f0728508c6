//! The verdict, the table of who wins, and why, as plain Markdown.

use std::fmt::Write;

use super::cell::Cell;
use super::costs as own;
use super::escape::{code, markdown};
use super::figures::Figure;
use super::gather::Material;
use super::page::sizes;
use super::rule;
use super::show;
use super::verdict::{Speed, Verdict};
use super::why;
use crate::counts::MAJOR;
use crate::results::{Met, OWN_COST};

/// What the results were measured on, and what to know first.
pub fn ground(material: &Material) -> String {
    let mut text = String::new();
    if let Some(machine) = &material.machine {
        let _ = writeln!(text, "- machine: {}", markdown(&machine.to_string()));
    }
    for run in &material.runs {
        let how = if run.run.quick { "quick" } else { "full" };
        let when = show::date(run.run.started);
        let bench = code(&run.run.bench);
        let _ = writeln!(text, "- {bench}: {how}, {} cases, {when} UTC", run.cases);
    }
    if let Some(costs) = &material.costs {
        let how = if costs.run.quick { "quick" } else { "full" };
        let when = show::date(costs.run.started);
        let _ = writeln!(text, "- {}: {how}, {when} UTC", code(OWN_COST));
    }
    for notice in &material.notices {
        let _ = writeln!(text, "\n> **Know first:** {}", markdown(notice));
    }
    text
}

/// Both sentences and what became of them.
pub fn verdict(verdict: &Verdict<'_>) -> String {
    let (speed, buffering) = (verdict.speed().headline(), verdict.buffering().headline());
    let mut text = format!(
        "> mmap “significantly improves performance”\n\n**{speed}** mmap is {}.\n\n\
         > mmap “eliminates intermediary buffering”\n\n**{buffering}**\n\nThe rule of the first verdict:\n\n",
        verdict.tally()
    );
    for rule in rule::in_words() {
        let _ = writeln!(text, "- {}", markdown(&rule));
    }
    let _ = write!(text, "\nAnd of the second:\n\n- {}\n", markdown(rule::of_buffering()));
    text
}

/// Who wins, at which size, by how much.
pub fn table(verdict: &Verdict<'_>) -> String {
    if verdict.speed() == Speed::NoResults {
        return "Nothing has been measured.\n".into();
    }
    let sizes = sizes(verdict);
    let heads: String =
        sizes.iter().map(|size| format!(" {} |", show::short_size(*size))).collect();
    let mut text = format!("| file of |{heads}\n|---|{}\n", "---|".repeat(sizes.len()));
    for one in &verdict.uses {
        let against = code(&one.cells[0].record.measured.reference);
        let _ = write!(text, "| {}, {} (against {against}) |", one.scene.title, one.who);
        for size in &sizes {
            let cell = one.cells.iter().find(|cell| cell.value() == *size);
            let _ = write!(text, " {} |", cell.map_or("–".into(), |cell| in_table(cell)));
        }
        text.push('\n');
    }
    text.push_str(
        "\n▲ mmap is faster, ▽ slower, ≈ no difference, ? undecided, ✕ not counted; in brackets the \
         middle half of all pairs.\n",
    );
    text
}

/// Each scene with its plot, below `folder`, and what its time was spent on.
pub fn scenes(
    material: &Material,
    verdict: &Verdict<'_>,
    figures: &[Figure],
    folder: &str,
) -> String {
    let mut text = format!("{}\n\n", markdown(MAJOR));
    for figure in figures {
        let Figure { key, title, what, below, .. } = figure;
        let _ =
            write!(text, "### {title}\n\n{}\n\n![{title}]({folder}{key}.svg)\n", markdown(what));
        if !below.is_empty() {
            let _ = writeln!(text, "\n{}", markdown(below));
        }
        for one in verdict.uses.iter().filter(|one| one.scene.key == key) {
            let _ = write!(text, "\n**{}**: {}.\n\n", one.who, one.where_what());
            for sentence in why::sentences(material, one) {
                let _ = writeln!(text, "- {}", markdown(&sentence));
            }
        }
        text.push('\n');
    }
    text
}

/// What our own crates cost: a table for each room.
pub fn costs(material: &Material) -> String {
    let Some(costs) = &material.costs else {
        return format!("Not measured: `cargo bench -p benches --bench {OWN_COST}` does it.\n");
    };
    let mut text = format!("{}\n", markdown(&own::introduction(costs)));
    for room in &costs.rooms {
        let _ = write!(text, "\n**{}**\n\n", markdown(&room.title));
        let rows = own::rows(room);
        if !rows.is_empty() {
            let [ours, theirs] = [0, 1].map(|column| markdown(&room.columns[column]));
            let _ =
                write!(text, "| | {ours} | {theirs} | ratio | limit |\n|---|---|---|---|---|\n");
        }
        for own::Row { what, beside, figures, limit, verdict } in rows {
            let [ours, theirs, ratio] = figures.map(|figure| markdown(&figure));
            let beside = if beside { "… " } else { "" };
            let verdict = match verdict {
                None => String::new(),
                Some(Met::Met) => format!("{limit}: met"),
                Some(other) => format!("{limit}: **{other}**"),
            };
            let what = markdown(&what);
            let _ = writeln!(text, "| {beside}{what} | {ours} | {theirs} | {ratio} | {verdict} |");
        }
        for remark in own::remarks(room) {
            let _ = write!(text, "\n{}\n", markdown(&remark));
        }
    }
    text
}

/// All in one file.
pub fn whole(material: &Material, figures: &[Figure]) -> String {
    let verdict = Verdict::of(material);
    format!(
        "# read and write against mmap\n\n{}\n## Is the lecture right?\n\n{}\n\
         ## Who wins, at which size, by how much\n\n{}\n## Why\n\n{}\n## {}\n\n{}",
        ground(material),
        self::verdict(&verdict),
        table(&verdict),
        scenes(material, &verdict, figures, ""),
        own::TITLE,
        costs(material)
    )
}

fn in_table(cell: &Cell) -> String {
    let ratio = &cell.record.measured.ratio;
    format!("{} ({})", show::signed(cell.outcome(), ratio.median), show::range(ratio))
}
