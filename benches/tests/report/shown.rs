//! What stands on the page is what was measured, told as what it is.

use benches::report::figures::{self, Figure};
use benches::report::plot::Room;
use benches::report::rule::Doubt;
use benches::report::scene::SCENES;
use benches::report::{Material, markdown, page, why};
use benches::results::Record;

use crate::synthetic::{MIXED, records, spread};
use crate::verdict::material;

fn figure(material: &Material, key: &str) -> Figure {
    let all = figures::all(material);
    all.into_iter().find(|figure| figure.key == key).unwrap_or_else(|| panic!("no plot {key}"))
}

/// In which state the machine was is no carrier's merit.
pub fn who_waits_by_looking_is_drawn_against_the_floor_of_its_own_pairs() {
    let looks = |record: &Record| record.id.function.ends_with("looking");
    let across = |record: &Record| record.id.group.ends_with("across two cores");
    let fast = records(MIXED);
    let mut slow = fast.clone();
    for record in slow.iter_mut().filter(|record| across(record)) {
        // The processors are further apart: both sides of each pair take five times as long.
        let five = |time: &mut benches::Spread| {
            *time = spread([time.lower, time.median, time.upper].map(|time| time * 5.0));
        };
        five(&mut record.measured.time);
        five(&mut record.measured.reference_time);
    }
    let drawn = |records: &[Record], key| figure(&material(records.to_vec()), key).draw(Room::Wide);
    assert_eq!(drawn(&fast, "round-trip-looking"), drawn(&slow, "round-trip-looking"));
    assert_ne!(drawn(&fast, "round-trip-two"), drawn(&slow, "round-trip-two"));
    let looking = figure(&material(fast.clone()), "round-trip-looking");
    let sleeping = figure(&material(fast.clone()), "round-trip-two");
    for record in fast.iter().filter(|record| across(record)) {
        let function = &record.id.function;
        let reference = *function == record.measured.reference;
        assert_eq!(looking.shows(function), looks(record) || reference, "{function}");
        assert_eq!(sleeping.shows(function), !looking.shows(function), "{function}");
    }
}

pub fn a_machine_in_two_states_is_told_and_its_mixtures_are_not_counted() {
    let below = |material: &Material, key| figure(material, key).below;
    let calm = material(records(MIXED));
    let told = "The floor below these figures (made up): 300 ns to 320 ns.";
    assert_eq!(below(&calm, "round-trip-two"), told);

    let mut all = records(MIXED);
    let pipes = |record: &&mut Record| record.id.function == "pipe";
    for record in all.iter_mut().filter(pipes) {
        // No pair has seen it move.
        record.measured.floor = spread([97.0, 470.0, 476.0]);
    }
    let mixed = material(all);
    let doubted = mixed.cells.iter().filter(|cell| cell.record.id.function == "pipe");
    assert!(doubted.clone().count() > 0);
    assert!(doubted.clone().all(|cell| cell.doubt == Some(Doubt::TwoStates(97, 476))));
    let text = below(&mixed, "round-trip-two");
    assert!(text.contains("97.0 ns to 476 ns, a factor of 4.9×"), "{text}");
    for shown in [page::of(&mixed), markdown::whole(&mixed, &figures::all(&mixed))] {
        assert!(shown.contains("a factor of 4.9×"));
        assert!(!shown.contains("can beat"), "a note was seen to be faster than the lines");
    }
    assert!(page::of(&mixed).contains("the floor was 97 ns at one time and 476 ns at another"));

    // One look among many is none.
    let mut all = records(MIXED);
    all.iter_mut().for_each(|record| record.measured.floor.max = 900.0);
    assert!(material(all).cells.iter().all(|cell| cell.doubt.is_none()));
}

/// Nothing that a bench measures is missing from the page.
pub fn every_group_that_was_measured_has_its_plot() {
    let material = material(records(MIXED));
    let (page, figures) = (page::of(&material), figures::all(&material));
    for cell in &material.cells {
        let group = &cell.record.id.group;
        let plot = figures.iter().find(|figure| group.starts_with(&figure.group));
        let plot = plot.unwrap_or_else(|| panic!("{group} has no plot"));
        assert!(page.contains(&format!("<section id=\"{}\">", plot.key)), "{group}");
    }
    let around = figure(&material, "fault-around");
    assert_eq!(
        around.below,
        "Page by page, 4,096 looks took 256 faults: each mapped 16 pages, 64 KiB."
    );
    let drawn = around.draw(Room::Wide);
    for row in ["every page: 16 looks a fault", "every 16th page: each a fault", "every 32nd page"]
    {
        assert!(drawn.contains(row), "{row}");
    }
}

/// `1.20× slower, 12.9 ms instead of 12.7 ms` was once printed: medians of different pairs.
pub fn times_and_ratio_of_a_line_agree() {
    let mut all = records(MIXED);
    let is_it = |record: &&mut Record| {
        record.id.group.ends_with("warm, small pieces")
            && record.id.function == "mmap, fresh"
            && record.id.value == "65536"
    };
    let one = all.iter_mut().find(is_it).unwrap();
    // Slower in most pairs, and of a lower median time than the reference.
    let each = [[8.0, 10.0], [9.0, 11.0], [30.0, 24.0], [31.0, 24.4], [8.8, 6.5], [9.2, 6.0]];
    let pairs = benches::Pairs::from(each.map(|pair| pair.map(|time| time * 1e6)).to_vec());
    let measured = &mut one.measured;
    measured.each = each.map(|pair| pair.map(|time| time * 1e6)).to_vec();
    (measured.ratio, measured.time, measured.reference_time) =
        (pairs.ratio(), pairs.a(), pairs.b());
    measured.pairs = each.len();
    assert!(measured.time.median < measured.reference_time.median);
    let [time, reference] = measured.median_pair();
    assert!((time / reference / measured.ratio.median - 1.0).abs() < 0.01);
    // A file may have no pairs, or nonsense.
    let mut odd = measured.clone();
    odd.each = vec![[1.0, 0.0]];
    assert_eq!(odd.median_pair(), [odd.time.median, odd.reference_time.median]);

    let page = page::of(&material(all));
    assert!(
        page.contains("1.26× slower (1.22× faster to 1.35× slower), 30.5 ms instead of 24.2 ms")
    );
}

/// A new file's hole is faulted in without the disk; a page that readahead has asked for is not.
pub fn a_major_fault_is_told_as_what_it_is() {
    let material = material(records(MIXED));
    for shown in [page::of(&material), markdown::whole(&material, &figures::all(&material))] {
        assert!(shown.contains("page faults (1 major), 2 system calls"));
        assert_eq!(shown.matches("A fault is major if its page").count(), 1, "once is enough");
        assert!(!shown.contains("(1 waited"));
    }
    let page = page::of(&material);
    assert!(page.contains("whose file was in the page cache, none had a major fault."));
}

pub fn faults_that_are_a_matter_of_luck_are_told_as_a_range() {
    let mut record = records(MIXED).into_iter().next().expect("there are some");
    let mut spent = |range| {
        record.counts.faults_range = range;
        why::spent(&record)
    };
    assert!(spent(Some([1, 256])).starts_with("1 to 256 page faults, as the mapping lies, "));
    // One more or less is what the ends of any mapping may cost.
    assert!(spent(Some([1, 2])).starts_with("no page faults, "));
    assert!(spent(None).starts_with("no page faults, "));
}

/// What is undecided, or hardly faster, is not faster.
pub fn from_how_many_passes_on_a_mapping_is_faster_is_by_the_rule() {
    let even = |ratios: &[[f64; 3]]| {
        let group = "read_vs_mmap many passes, 64 KiB";
        let mut all = records(MIXED);
        all.retain(|record| record.id.group == group);
        for (record, ratio) in all.iter_mut().zip(ratios) {
            record.measured.ratio = spread(*ratio);
        }
        all.truncate(ratios.len());
        let material = material(all);
        why::break_even(&material.group(group))
    };
    let [slow, close, wide, fast] =
        [[1.9, 2.0, 2.1], [0.95, 0.999, 1.01], [0.4, 0.7, 0.95], [0.4, 0.5, 0.6]];
    // After 1, 2, 4, 8 passes.
    assert_eq!(even(&[slow, close, wide, fast]), Some(8));
    assert_eq!(even(&[slow, fast, fast, fast]), Some(2));
    assert_eq!(even(&[fast, slow, fast, fast]), Some(4));
    assert_eq!(even(&[fast, fast]), Some(1));
    assert_eq!(even(&[slow, fast, close]), None);
    assert_eq!(even(&[]), None);
    let all = material(records(MIXED));
    let told = "a file of 64 KiB from 4 passes on; a file of 1 MiB";
    for shown in [page::of(&all), markdown::whole(&all, &figures::all(&all))] {
        assert!(shown.contains(told), "{}", figure(&all, "passes").below);
    }
    // Of what does not count, nothing is said.
    let mut few = records(MIXED);
    few.iter_mut().for_each(|record| record.measured.pairs = 1);
    let below = figure(&material(few), "passes").below;
    assert!(below.contains("of a file of 1 MiB no figure counts"), "{below}");
    let mut slow = records(MIXED);
    slow.iter_mut().for_each(|record| record.measured.ratio = spread([2.0, 2.1, 2.2]));
    let below = figure(&material(slow), "passes").below;
    assert!(below.contains("a file of 1 MiB not, as far as was measured"), "{below}");
}

/// "From the disk" at 3 GB/s: the host's memory has answered.
pub fn what_is_called_cold_says_whose_memory_is_meant() {
    for scene in SCENES.iter().filter(|scene| scene.group.ends_with("cold")) {
        assert!(scene.what.contains("kernel") && scene.what.contains("host"), "{}", scene.key);
    }
}

/// The chapter has a place for each part, and as many traps as it says.
pub fn the_chapter_is_ready_for_the_report() {
    let chapter = include_str!("../../../slides-notes/chapters/read-write-against-mmap.md");
    for part in ["ground", "verdict", "table", "plots", "costs"] {
        benches::report::notes::replace(chapter, part, "").unwrap();
    }
    let traps = chapter.split("\n## Fifteen traps").nth(1).expect("the heading");
    let table = traps.lines().skip_while(|line| !line.starts_with('|'));
    // Without its head and the line below.
    assert_eq!(table.take_while(|line| line.starts_with('|')).count() - 2, 15);
}
