//! The verdict, the table of who wins, and why, as plain Markdown.

use std::fmt::Write;

use super::cell::Cell;
use super::escape::{code, markdown};
use super::figures::Figure;
use super::gather::Material;
use super::page::sizes;
use super::rule;
use super::show;
use super::verdict::{Speed, Verdict};
use super::why;

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
         > mmap “eliminates intermediary buffering”\n\n**{buffering}**\n\nThe rule:\n\n",
        verdict.tally()
    );
    for rule in rule::in_words() {
        let _ = writeln!(text, "- {}", markdown(&rule));
    }
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
    let mut text = String::new();
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

/// All in one file.
pub fn whole(material: &Material, figures: &[Figure]) -> String {
    let verdict = Verdict::of(material);
    format!(
        "# read and write against mmap\n\n{}\n## Is the lecture right?\n\n{}\n\
         ## Who wins, at which size, by how much\n\n{}\n## Why\n\n{}",
        ground(material),
        self::verdict(&verdict),
        table(&verdict),
        scenes(material, &verdict, figures, "")
    )
}

fn in_table(cell: &Cell) -> String {
    let ratio = &cell.record.measured.ratio;
    format!("{} ({})", show::signed(cell.outcome(), ratio.median), show::range(ratio))
}
