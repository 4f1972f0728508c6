//! The figures that count: measured in turns, so that a drifting clock cancels out.
#![expect(clippy::print_stdout, reason = "a bench reports on standard output")]

use benches::Pairs;

pub fn head(what: &str, theirs: &str, figure: &str) {
    println!("\n{what}\nin turns: median (smallest to largest)");
    println!("{:<40}{:>12}{:>12}   {figure}", "", "ours, ns", format!("{theirs}, ns"));
}

pub fn ratio(what: &str, pairs: &Pairs) {
    line(what, pairs, &pairs.ratio().to_string());
}

/// A ratio that has a limit.
pub fn ratio_at_most(what: &str, pairs: &Pairs, limit: f64) {
    let ratio = pairs.ratio();
    line(what, pairs, &format!("{:<26}  {}", ratio.to_string(), verdict(ratio.median, limit)));
}

/// Nanoseconds more, which have a limit.
pub fn difference_at_most(what: &str, pairs: &Pairs, limit: f64) {
    let more = pairs.difference();
    line(what, pairs, &format!("{:<26}  {}", format!("{more:.1}"), verdict(more.median, limit)));
}

fn line(what: &str, pairs: &Pairs, figure: &str) {
    let (a, b) = (pairs.a().median, pairs.b().median);
    println!("{what:<40}{a:>12.1}{b:>12.1}   {figure}");
}

fn verdict(figure: f64, limit: f64) -> String {
    format!("at most {limit}: {}", if figure <= limit { "met" } else { "MISSED" })
}

pub fn note(what: &str) {
    println!("{what}");
}
