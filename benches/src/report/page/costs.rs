//! What our own crates cost: a table for each room.

use crate::report::costs::{self, Row};
use crate::report::escape::markup;
use crate::results::{Costs, Met, Room};

pub fn section(costs: &Costs) -> String {
    let rooms: String = costs.rooms.iter().map(room).collect();
    format!(
        "<section id=\"own-cost\">\n<h2>{}</h2>\n<p>{}</p>\n{rooms}</section>\n",
        costs::TITLE,
        markup(&costs::introduction(costs))
    )
}

fn room(room: &Room) -> String {
    let title = markup(&room.title);
    let rows: String = costs::rows(room).iter().map(row).collect();
    let [ours, theirs] = [0, 1].map(|column| markup(&room.columns[column]));
    let table = match rows.is_empty() {
        true => String::new(),
        false => format!(
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{title}\">\n\
             <table class=\"costs\">\n<thead><tr><th scope=\"col\"></th><th scope=\"col\">{ours}</th>\
             <th scope=\"col\">{theirs}</th><th scope=\"col\">ratio</th>\
             <th scope=\"col\">limit</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n"
        ),
    };
    let remarks: String = costs::remarks(room)
        .iter()
        .map(|remark| format!("<p class=\"below\">{}</p>\n", markup(remark)))
        .collect();
    format!("<h3>{title}</h3>\n{table}{remarks}")
}

fn row(row: &Row) -> String {
    let Row { what, beside, figures, limit, verdict } = row;
    let beside = if *beside { " class=\"beside\"" } else { "" };
    let [ours, theirs, ratio] = [0, 1, 2].map(|column| markup(&figures[column]));
    let verdict = match verdict {
        None => String::new(),
        Some(Met::Met) => format!("{limit}: met"),
        Some(other) => format!("{limit}: <b>{other}</b>"),
    };
    format!(
        "<tr{beside}><th scope=\"row\">{}</th><td>{ours}</td><td>{theirs}</td><td>{ratio}</td>\
         <td>{verdict}</td></tr>\n",
        markup(what)
    )
}
