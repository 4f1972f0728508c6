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

pub fn difference(what: &str, pairs: &Pairs) {
    line(what, pairs, &format!("{:.1}", pairs.difference()));
}

fn line(what: &str, pairs: &Pairs, figure: &str) {
    let (a, b) = (pairs.a().median, pairs.b().median);
    println!("{what:<40}{a:>12.1}{b:>12.1}   {figure}");
}

pub fn note(what: &str) {
    println!("{what}");
}
