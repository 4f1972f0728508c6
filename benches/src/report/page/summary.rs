//! Who wins, at which size, by how much: the table to project.

use crate::report::cell::Cell;
use crate::report::escape::markup;
use crate::report::show;
use crate::report::verdict::Verdict;

/// All sizes that any use was measured at.
pub fn sizes(verdict: &Verdict<'_>) -> Vec<u64> {
    let mut sizes: Vec<u64> =
        verdict.uses.iter().flat_map(|one| one.cells.iter().map(|cell| cell.value())).collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

pub fn section(verdict: &Verdict<'_>) -> String {
    let sizes = sizes(verdict);
    let heads: String = sizes
        .iter()
        .map(|size| format!("<th scope=\"col\">{}</th>", show::short_size(*size)))
        .collect();
    let mut rows = String::new();
    for one in &verdict.uses {
        let cells: String = sizes
            .iter()
            .map(|size| cell(one.cells.iter().find(|cell| cell.value() == *size).copied()))
            .collect();
        rows.push_str(&format!(
            "<tr><th scope=\"row\">{}<br><small>{}, against {}</small></th>{cells}</tr>\n",
            markup(one.scene.title),
            markup(one.who),
            markup(&one.cells[0].record.measured.reference),
        ));
    }
    format!(
        "<section id=\"summary\">\n<h2>Who wins, at which size, by how much</h2>\n\
         <p>▲ mmap is faster · ▽ mmap is slower · ≈ no difference · ? undecided · ✕ not counted. \
         Small: the middle half of all pairs.</p>\n\
         <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Who wins\">\n<table class=\"summary\">\n\
         <thead><tr><th scope=\"col\">file of</th>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>\n\
         </table>\n</div>\n</section>\n"
    )
}

fn cell(cell: Option<&Cell>) -> String {
    let Some(cell) = cell else { return "<td class=\"none\">–</td>".into() };
    let ratio = &cell.record.measured.ratio;
    let (class, title) = match (cell.outcome(), &cell.doubt) {
        (Some(outcome), _) => (format!("{outcome:?}").to_lowercase(), String::new()),
        (None, doubt) => {
            let why = doubt.as_ref().map(ToString::to_string).unwrap_or_default();
            ("doubt".into(), format!(" title=\"{}\"", markup(&why)))
        }
    };
    format!(
        "<td class=\"{class}\"{title}><b>{}</b><br><small>{}</small></td>",
        show::signed(cell.outcome(), ratio.median),
        show::range(ratio),
    )
}
