//! What our own crates cost: on the page and in the notes, line by line.

use std::fs;

use benches::report::{Material, figures, markdown, page};
use benches::results::{Costs, Figure, Limit, Line, Met, Room, Run, Skip, read_costs, write_costs};

use crate::synthetic::{MIXED, machine, records, run, spread};
use crate::verdict::material;

fn room(title: &str, run: &Run) -> Room {
    let line =
        |what: &str, figure, limit, verdict| Line { what: what.into(), figure, limit, verdict };
    let time = |ratio| Figure::Time { ours: 11_694.0, theirs: 11_617.0, ratio, unsettled: 2 };
    Room {
        title: title.into(),
        columns: ["ours".into(), "by | hand".into()],
        run: run.clone(),
        lines: vec![
            line(
                "map <and> unmap",
                time(spread([0.999, 1.009, 1.014])),
                Some(Limit::AtMost(1.03)),
                Some(Met::Met),
            ),
            line("  beside", time(spread([0.9, 1.2, 1.3])), None, None),
            line(
                "read",
                time(spread([0.9, 1.02, 1.3])),
                Some(Limit::AtLeast(2.0)),
                Some(Met::Missed),
            ),
            line(
                "store",
                time(spread([0.9, 1.02, 1.3])),
                Some(Limit::AtMost(1.03)),
                Some(Met::Unsure),
            ),
            line(
                "instructions",
                Figure::Number { ours: 480.0, theirs: Some(483.0), ratio: Some(0.994) },
                Some(Limit::AtMost(1.0)),
                Some(Met::Met),
            ),
            line(
                "attach",
                Figure::Counts {
                    ours: "faults 1, calls 3".into(),
                    theirs: "faults 1, calls 2".into(),
                },
                Some(Limit::TheSame),
                Some(Met::Missed),
            ),
        ],
        notes: vec!["faults a round: fresh 1".into()],
        skipped: vec![Skip { what: "valgrind".into(), because: "there is none".into() }],
    }
}

/// As a whole run would have written them.
pub fn costs() -> Costs {
    let run = run("own_cost");
    let rooms = ["cycles", "counts"].map(|title| room(title, &run));
    Costs::of(run, machine(), rooms.into(), true)
}

pub fn what_our_crates_cost_is_on_the_page_and_in_the_notes() {
    let with = |costs| material(records(MIXED)).with_costs(costs);
    let all = with(Some(costs()));
    assert!(all.notices.is_empty(), "{:?}", all.notices);
    let html = page::of(&all);
    let notes = markdown::costs(&all);
    assert!(markdown::whole(&all, &figures::all(&all)).contains(&notes));
    for (told, plain) in [
        ("Limits: 4 met, 4 missed, 2 unsure, 2 skipped.", true),
        ("1.009 (0.999–1.014), the floor moved below 2 pairs", true),
        ("at most 1.03: met", true),
        ("11.7 µs", true),
        ("483", true),
        ("0.994", true),
        ("faults 1, calls 3", true),
        ("faults a round: fresh 1", true),
        ("skipped: valgrind: there is none", true),
        ("map &lt;and&gt; unmap", false),
        ("at least 2: <b>MISSED</b>", false),
    ] {
        assert!(html.contains(told), "{told}");
        assert!(!plain || notes.contains(told), "{told}: {notes}");
    }
    assert!(notes.contains("at least 2: **MISSED**") && notes.contains("by \\| hand"), "{notes}");

    // None, of another machine, or in parts: it is told.
    let notices = |material: Material| material.notices.concat();
    assert!(
        notices(with(None)).contains("own_cost: there are no results; measure with `cargo bench")
    );
    assert!(markdown::costs(&with(None)).contains("Not measured: `cargo bench"));
    let mut other = costs();
    other.machine.kernel = "5.15.0".into();
    let left_out = with(Some(other));
    assert!(left_out.costs.is_none() && notices(left_out).contains("own_cost: left out"));
    let mut partial = costs();
    partial.partial = true;
    assert!(notices(with(Some(partial))).contains("own_cost: some rooms are missing"));
}

pub fn a_room_that_is_visited_again_leaves_the_others_as_they_were() {
    let folder = testkit::folder();
    assert_eq!(read_costs(folder.path()), Ok(None));
    write_costs(folder.path(), &costs()).unwrap();
    let earlier = read_costs(folder.path()).unwrap().unwrap();
    assert_eq!(earlier, costs());

    let again = Run { started: earlier.run.started + 60, process: 2, ..earlier.run.clone() };
    let one = || Costs::of(again.clone(), machine(), vec![room("counts", &again)], false);
    let both = one().after(earlier.clone());
    let of: Vec<_> =
        both.rooms.iter().map(|room| (room.title.as_str(), room.run.process)).collect();
    assert_eq!(of, [("cycles", 1), ("counts", 2)]);
    assert!(!both.partial);
    // What another program, or another machine has found does not go with it.
    let mut older = earlier.clone();
    older.run.program = "0.0.1+1".into();
    assert_eq!(one().after(older), one());
    let mut elsewhere = earlier;
    elsewhere.machine.kernel = "5.15.0".into();
    assert_eq!(one().after(elsewhere), one());

    let path = folder.file("own_cost.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, &text[..text.len() / 2]).unwrap();
    let trouble = read_costs(folder.path()).unwrap_err();
    assert!(trouble.why.contains("own_cost.json is not whole"), "{trouble:?}");
    let told = Material::read(folder.path()).notices.concat();
    assert!(told.contains("own_cost.json is not whole"), "{told}");
}
