//! One HTML file that needs nothing but a browser: no script, no font, no picture from anywhere. Its
//! own policy forbids every request.

mod costs;
mod details;
mod style;
mod summary;

use std::fmt::Write;

use super::escape::markup;
use super::figures::{self, Figure};
use super::gather::Material;
use super::plot::Room;
use super::rule;
use super::scene::SCENES;
use super::show;
use super::verdict::{Speed, Verdict};
use super::why;
use crate::counts::MAJOR;
use crate::results::Run;
pub use summary::sizes;

use style::STYLE;

/// What the page forbids itself: everything but the style sheet inside of it.
pub const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/// The page.
pub fn of(material: &Material) -> String {
    let verdict = Verdict::of(material);
    let mut page = String::new();
    let mut put = |what: &str| page.push_str(what);
    put(&head());
    put(&header(material));
    put(&notices(&material.notices));
    put(&verdict_section(&verdict));
    if verdict.speed() != Speed::NoResults {
        put(&summary::section(&verdict));
    }
    put(&scenes(material, &verdict));
    if let Some(costs) = &material.costs {
        put(&costs::section(costs));
    }
    put(&ground(material));
    put("</main>\n</body>\n</html>\n");
    page
}

fn head() -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <title>read and write against mmap</title>\n<style>\n{STYLE}{}\n</style>\n</head>\n\
         <body>\n<main>\n",
        super::plot::STYLE
    )
}

fn header(material: &Material) -> String {
    let machine = match &material.machine {
        Some(machine) => markup(&machine.to_string()),
        None => "nothing has been measured".into(),
    };
    format!("<header>\n<h1>read and write against mmap</h1>\n<p>{machine}</p>\n</header>\n")
}

fn notices(notices: &[String]) -> String {
    if notices.is_empty() {
        return String::new();
    }
    let items: String =
        notices.iter().map(|notice| format!("<li>{}</li>\n", markup(notice))).collect();
    format!("<aside class=\"notices\">\n<h2>Know first</h2>\n<ul>\n{items}</ul>\n</aside>\n")
}

fn verdict_section(verdict: &Verdict<'_>) -> String {
    let tally = verdict.tally();
    let (major, warm) = verdict.major_though_warm();
    let cache = match (warm, major) {
        (0, _) => String::new(),
        (warm, 0) => format!(
            " The buffer in between is still there, and it is what is mapped: of the {warm} cells whose \
             file was in the page cache, none had a major fault."
        ),
        (warm, major) => format!(
            " {major} of the {warm} cells whose file was to be in the page cache had major faults: it \
             was not all there."
        ),
    };
    let rules: String =
        rule::in_words().iter().map(|rule| format!("<p>{}</p>\n", markup(rule))).collect();
    format!(
        "<section id=\"verdict\">\n<h2>Is the lecture right?</h2>\n\
         <div class=\"sentence\"><blockquote>mmap “significantly improves performance”</blockquote>\n\
         <p class=\"verdict\" id=\"speed\">{}</p>\n<p>mmap is {tally}. {}</p></div>\n\
         <div class=\"sentence\"><blockquote>mmap “eliminates intermediary buffering”</blockquote>\n\
         <p class=\"verdict\" id=\"buffering\">{}</p>\n<p>By the system calls and page faults that \
         were counted.{cache} {MAJOR}</p></div>\n\
         <details>\n<summary>The whole rule</summary>\n<h3>“Improves performance”</h3>\n{rules}\
         <h3>“Eliminates buffering”</h3>\n<p>{}</p>\n</details>\n</section>\n",
        verdict.speed().headline(),
        markup(&rule::in_short()),
        verdict.buffering().headline(),
        markup(rule::of_buffering()),
    )
}

fn scenes(material: &Material, verdict: &Verdict<'_>) -> String {
    let mut html = String::new();
    for scene in &SCENES {
        let Some(figure) = figures::of_scene(material, scene) else { continue };
        let uses = verdict.uses.iter().filter(|one| one.scene.key == scene.key);
        let whys: String = uses
            .map(|one| {
                let sentences: String = why::sentences(material, one)
                    .iter()
                    .map(|sentence| format!("<li>{}</li>\n", markup(sentence)))
                    .collect();
                let (who, at) = (markup(one.who), markup(&one.where_what()));
                format!("<p class=\"why\"><b>{who}</b>: {at}.</p>\n<ul>\n{sentences}</ul>\n")
            })
            .collect();
        section(&mut html, &figure, &whys, &details::table(&material.group(scene.group)));
    }
    if let Some(figure) = figures::passes(material) {
        let groups = details::groups(material, figures::PASSES);
        let tables: String = groups.iter().map(|(_, cells)| details::table(cells)).collect();
        section(&mut html, &figure, "", &tables);
    }
    for figure in figures::others(material) {
        let mut cells = material.group(&figure.group);
        cells.retain(|cell| figure.shows(&cell.record.id.function));
        section(&mut html, &figure, "", &details::table(&cells));
    }
    html
}

fn section(html: &mut String, figure: &Figure, why: &str, details: &str) {
    let Figure { key, title, what, below, .. } = figure;
    let below = match below.as_str() {
        "" => String::new(),
        below => format!("<p class=\"below\">{}</p>\n", markup(below)),
    };
    // Writing to a String does not fail.
    let _ = write!(
        html,
        "<section id=\"{key}\">\n<h2>{}</h2>\n<p>{}</p>\n\
         <figure>\n<div class=\"wide\">{}</div>\n<div class=\"narrow\">{}</div>\n</figure>\n{below}{why}\
         <details>\n<summary>All figures</summary>\n{details}</details>\n</section>\n",
        markup(title),
        markup(what),
        figure.draw(Room::Wide),
        figure.draw(Room::Narrow),
    );
}

/// What all of it stands on: the machine, the runs, what was left out.
fn ground(material: &Material) -> String {
    let mut html =
        String::from("<section id=\"ground\">\n<h2>What it was measured on</h2>\n<dl>\n");
    let mut item = |name: &str, value: &str| {
        let _ = writeln!(html, "<dt>{name}</dt><dd>{}</dd>", markup(value));
    };
    if let Some(machine) = &material.machine {
        item("machine", &machine.to_string());
        item(
            "huge pages",
            &format!("{}; set aside: {}", machine.huge_pages, machine.hugetlb_pages),
        );
    }
    for place in material.places() {
        item("files", &place);
    }
    for run in &material.runs {
        let how = if run.run.quick { "quick" } else { "full" };
        let some = if run.filtered { ", some of the" } else { "," };
        let when = show::date(run.run.started);
        item(
            &markup(&run.run.bench),
            &format!("{how}{some} {} cases in {:.0} s, {when} UTC", run.cases, run.seconds),
        );
    }
    if let Some(costs) = &material.costs {
        let Run { bench, quick, started, .. } = &costs.run;
        let how = if *quick { "quick" } else { "full" };
        item(&markup(bench), &format!("{how}, {} UTC", show::date(*started)));
    }
    for skip in material.skipped() {
        item("skipped", &format!("{}: {}", skip.what, skip.because));
    }
    html.push_str("</dl>\n</section>\n");
    html
}
