//! Missing, partial, old, and nonsense: it is told, and nothing panics.

use benches::report::plot::Room;
use benches::report::rule::Doubt;
use benches::report::{Material, Verdict, figures, markdown, page};
use benches::results::{PROGRAM, Record};
use benches::turns::Spread;

use crate::synthetic::{DAY, FASTER, MIXED, SLOWER, records, runs};
use crate::verdict::material;

fn has(material: &Material, part: &str) -> bool {
    material.notices.iter().any(|notice| notice.contains(part))
        && page::of(material).contains("Know first")
}

pub fn other_machines_and_earlier_runs_are_told() {
    assert!(material(records(MIXED)).notices.is_empty());

    let mut all = records(SLOWER);
    for record in all.iter_mut().filter(|record| record.run.bench == "write_vs_mmap") {
        record.machine.kernel = "5.15.0".into();
        record.run.started -= 1;
    }
    let others = material(all);
    assert!(has(
        &others,
        "by another kernel (Made up, for a test, 2 processors, virtual, 24 GiB, Linux 5.15.0"
    ));
    assert!(has(&others, "write_vs_mmap: there are no results; measure with `cargo bench"));
    assert!(others.cells.iter().all(|cell| cell.record.machine.kernel != "5.15.0"));

    let mut all = records(FASTER);
    let earlier =
        |record: &&mut Record| record.id.value == "65536" && record.run.bench == "read_vs_mmap";
    for record in all.iter_mut().filter(earlier) {
        record.run.started -= 3600;
    }
    let mut runs = runs(&all);
    runs[0].cases = all.iter().filter(|record| record.run == runs[0].run).count();
    let mixed = Material::of(all.clone(), runs.clone(), &[]);
    assert!(has(&mixed, "are left from runs before the last one"), "{:?}", mixed.notices);
    let old = |cell: &&benches::report::Cell| cell.doubt == Some(Doubt::Earlier);
    assert_eq!(mixed.cells.iter().filter(old).count(), all.iter_mut().filter(earlier).count());

    // Some measured again by themselves: the others are as good as before.
    runs[0].filtered = true;
    let again = Material::of(all, runs, &[]);
    assert!(has(&again, "were measured again by themselves"));
    assert_eq!(again.cells.iter().filter(old).count(), 0);
}

pub fn a_run_that_was_broken_off_is_told() {
    let all = records(MIXED);
    let mut runs = runs(&all);
    runs[1].run.started -= 1;
    let broken = Material::of(all.clone(), runs.clone(), &[]);
    assert!(has(
        &broken,
        "write_vs_mmap: its last run, of 2026-11-18 11:06, did not come to its end"
    ));
    runs[1].run.started += 1;
    runs[1].cases += 7;
    let partial = Material::of(all.clone(), runs, &[]);
    assert!(has(&partial, "can be used. Measure again"), "{:?}", partial.notices);
    let none = Material::of(all, Vec::new(), &[]);
    assert_eq!(none.notices.len(), 4, "{:?}", none.notices);
}

pub fn quick_against_full_and_old_against_new_are_told() {
    let mut all = records(MIXED);
    all.iter_mut().for_each(|record| record.run.quick = true);
    assert!(has(&Material::of(all.clone(), Vec::new(), &[]), "all figures are of quick runs"));
    for record in all.iter_mut().filter(|record| record.run.bench == "page_faults") {
        record.run.quick = false;
        record.run.started = DAY - 2 * 24 * 3600;
    }
    let material = Material::of(all, Vec::new(), &[]);
    assert!(has(&material, "stand beside those of full ones (page_faults)"));
    assert!(has(&material, "not all of one day: page_faults was measured on"));
}

pub fn how_old_the_figures_are_is_told() {
    let seen = |seconds: u64| material(records(MIXED)).seen_at(DAY + seconds);
    assert!(seen(24 * 3600).notices.is_empty() && seen(0).notices.is_empty());
    assert!(has(&seen(25 * 3600), "the newest of these figures is 1 day old, of 2026-11-18 11:06"));
    assert!(has(&seen(400 * 24 * 3600), "is 400 days old"));
    // A clock that was put back, or a file from nowhere.
    assert!(material(records(MIXED)).seen_at(0).notices.is_empty());
    let mut all = records(MIXED);
    all.iter_mut().filter(|record| record.id.value == "65536").for_each(|record| {
        record.run.started = DAY + 390 * 24 * 3600;
    });
    let material = Material::of(all, Vec::new(), &[]).seen_at(DAY + 400 * 24 * 3600);
    assert!(has(&material, "is 10 days old"), "it is about the newest: {:?}", material.notices);
}

pub fn what_an_older_program_has_measured_is_told() {
    let mut all = records(MIXED);
    let mut older = 0;
    for record in all.iter_mut().filter(|record| record.run.bench == "page_faults") {
        record.run.program = String::new();
        older += 1;
    }
    let mut runs = runs(&all);
    runs.iter_mut().filter(|run| run.run.bench == "page_faults").for_each(|run| {
        run.run.program = String::new();
    });
    let told = format!(
        "measured by an older program, and this is {PROGRAM}: {older} cases of page_faults. What"
    );
    let material = Material::of(all.clone(), runs, &[]);
    assert!(has(&material, &told), "{:?}", material.notices);
    assert_eq!(material.notices.len(), 1);
    // And it is read at all: results from before there was such a field.
    let mut text = serde_json::to_value(&all[0]).unwrap();
    text["run"].as_object_mut().unwrap().remove("program");
    let old: Record = serde_json::from_value(text).unwrap();
    assert_eq!(old.run.program, "");
}

pub fn nonsense_is_left_out_and_told() {
    let spoil: [fn(&mut Record); 5] = [
        |record| record.measured.ratio.lower = 0.0,
        |record| record.measured.ratio.median = -1.0,
        |record| record.measured.time.upper = f64::INFINITY,
        |record| record.measured.ratio.max = f64::NAN,
        |record| record.measured.ratio.lower = record.measured.ratio.max * 2.0,
    ];
    for spoil in spoil {
        let mut all = records(MIXED);
        spoil(&mut all[1]);
        let name = all[1].id.to_string();
        let left = material(all);
        assert!(has(&left, &format!("left out: {name}: its figures are no times")));
        assert!(left.cells.iter().all(|cell| cell.record.id.to_string() != name));
    }
}

/// Everything that is drawn and written.
fn show(material: &Material) -> String {
    let figures = figures::all(material);
    let rooms = [Room::Wide, Room::Narrow, Room::Alone];
    let drawn: String =
        figures.iter().flat_map(|figure| rooms.map(|room| figure.draw(room))).collect();
    let _ = Verdict::of(material);
    drawn + &page::of(material) + &markdown::whole(material, &figures)
}

pub fn no_data_whatever_make_it_panic() {
    let number = || f64::from_bits(testkit::random_u64());
    let pick = |of: u64| testkit::random_u64() % of;
    for _ in 0..30 {
        let mut all = records(MIXED);
        for record in &mut all {
            match pick(12) {
                0 => {
                    record.id.value =
                        ["", "x", "0", "18446744073709551616", "-1"][pick(5) as usize].into()
                }
                1 => record.work.bytes = testkit::random_u64(),
                2 => record.work.labels.clear(),
                3 => record.run.started = testkit::random_u64(),
                4 => record.measured.pairs = 0,
                5 => record.id.function = "é×…\u{0}\u{202e}".repeat(pick(99) as usize),
                6 => record.counts.faults.minor = u64::MAX / 4,
                7 => {
                    let mut all = [number(), number(), number(), number(), number()].map(f64::abs);
                    all.sort_by(f64::total_cmp);
                    let [min, lower, median, upper, max] = all;
                    record.measured.ratio = Spread { min, lower, median, upper, max };
                }
                8 => record.measured.reference = "nobody".into(),
                9 => record.work.varies = String::new(),
                _ => {}
            }
        }
        let shown = show(&material(all));
        assert!(!shown.contains("NaN") && !shown.contains("inf "), "a place that is none");
    }
}

pub fn names_are_text_and_nothing_else() {
    let evil = "</text></svg><script>alert(1)</script><img src=x onerror=alert(1)>\"'&";
    let mut all = records(MIXED);
    for record in &mut all {
        record.machine.processor = evil.into();
        record.measured.reference = evil.into();
        if !record.id.function.starts_with("mmap") {
            record.id.function = evil.into();
        }
        record.place.as_mut().unwrap().folder = evil.into();
    }
    let mut runs = runs(&all);
    for run in &mut runs {
        let skip = benches::results::Skip { what: evil.into(), because: evil.into() };
        run.skipped.push(skip);
    }
    let material = Material::of(all, runs, &[]);
    let figures = figures::all(&material);
    let shown: String = figures.iter().map(|figure| figure.draw(Room::Alone)).collect();
    let shown = shown + &page::of(&material);
    assert!(shown.contains("&lt;script&gt;"));
    assert!(!shown.contains("<script") && !shown.contains("<img"));
    // In Markdown, what is between two backticks is text, and there is no third in it.
    let text = markdown::whole(&material, &figures);
    assert!(text.split('`').step_by(2).all(|part| !part.contains("<script")));
}
