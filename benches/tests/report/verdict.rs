//! Other data, another verdict.

use benches::counts::SystemCalls;
use benches::report::verdict::{Buffering, Speed};
use benches::report::{Material, Verdict, page};
use benches::results::Record;

use crate::synthetic::{FASTER, MIXED, NOISY, Ratio, SAME, SLOWER, records, runs};

pub fn material(records: Vec<Record>) -> Material {
    let runs = runs(&records);
    Material::of(records, runs, &[])
}

/// The verdict, which has to stand on the page as well, and no other one.
fn speed(records: Vec<Record>) -> Speed {
    let material = material(records);
    let speed = Verdict::of(&material).speed();
    let page = page::of(&material);
    let all = [
        Speed::Right,
        Speed::Wrong,
        Speed::NoDifference,
        Speed::Depends,
        Speed::TooNoisy,
        Speed::NoResults,
    ];
    let said = |speed: &Speed| page.contains(&format!("id=\"speed\">{}<", speed.headline()));
    assert_eq!(all.into_iter().filter(said).collect::<Vec<_>>(), [speed]);
    speed
}

pub fn where_mmap_loses_everywhere_the_lecture_is_wrong() {
    assert_eq!(speed(records(SLOWER)), Speed::Wrong);
}

pub fn where_mmap_wins_everywhere_the_lecture_is_right() {
    assert_eq!(speed(records(FASTER)), Speed::Right);
}

pub fn where_there_is_no_difference_that_is_the_verdict() {
    assert_eq!(speed(records(SAME)), Speed::NoDifference);
}

pub fn where_it_wins_here_and_loses_there_it_depends() {
    assert_eq!(speed(records(MIXED)), Speed::Depends);
    let material = material(records(MIXED));
    let verdict = Verdict::of(&material);
    let once = &verdict.uses[0];
    assert_eq!(once.where_what(), "slower from 64K to 1M; faster from 64M to 1G");
    assert_eq!(verdict.uses[1].where_what(), "faster from 64K to 1G");
}

pub fn where_the_figures_are_far_apart_nothing_is_said() {
    assert_eq!(speed(records(NOISY)), Speed::TooNoisy);
    // Also if what little can be decided is all on one side.
    let partly: Ratio = |function, size| match size {
        65_536 => SLOWER(function, size),
        _ => NOISY(function, size),
    };
    assert_eq!(speed(records(partly)), Speed::TooNoisy);
}

pub fn without_results_nothing_is_said() {
    assert_eq!(speed(Vec::new()), Speed::NoResults);
    let only_messages =
        records(SLOWER).into_iter().filter(|record| record.id.group.starts_with("message"));
    assert_eq!(speed(only_messages.collect()), Speed::NoResults);
}

pub fn one_exception_in_ten_is_none() {
    let with = |exceptions: usize| {
        let mut records = records(FASTER);
        let scene = "read_vs_mmap random 4 KiB, warm";
        records.retain(|record| record.id.group == scene && record.id.function != "pread");
        let one = records[0].clone();
        let at = |nth: usize| {
            let mut record = one.clone();
            record.id.function = "mmap, fresh".into();
            record.id.value = (nth + 1).to_string();
            if nth < exceptions {
                record.measured.ratio = crate::synthetic::spread([3.9, 4.0, 4.1]);
            }
            record
        };
        Verdict::of(&material((0..20).map(at).collect())).speed()
    };
    assert_eq!((with(0), with(2), with(3)), (Speed::Right, Speed::Right, Speed::Depends));
}

pub fn what_was_disturbed_is_shown_and_not_counted() {
    let disturbed = |how: fn(&mut Record), because: &str| {
        let mut all = records(SLOWER);
        // All wins are disturbed, so that they would turn the verdict if they counted.
        for record in all.iter_mut().filter(|record| record.id.value != "65536") {
            record.measured.ratio = crate::synthetic::spread([0.1, 0.2, 0.3]);
            how(record);
        }
        let material = material(all);
        let verdict = Verdict::of(&material);
        let tally = verdict.tally();
        assert_eq!((tally.faster, tally.not_counted), (0, tally.cells() * 3 / 4), "{because}");
        assert_eq!(verdict.speed(), Speed::TooNoisy);
        assert!(page::of(&material).contains(because), "{because}");
    };
    disturbed(|record| record.measured.unsettled = 21, "the floor moved around 21 of 80 pairs");
    disturbed(
        |record| record.measured.interrupted = 41,
        "somebody else had the processor in 41 of 80 pairs",
    );
    disturbed(|record| record.measured.pairs = 2, "only 2 pairs");
}

pub fn what_was_disturbed_without_a_trace_is_counted() {
    let mut all = records(SLOWER);
    for record in &mut all {
        record.measured.interrupted = 80;
        record.measured.unsettled = 20;
    }
    assert_eq!(speed(all), Speed::Wrong, "all ratios are close together");
}

pub fn the_buffer_s_verdict_is_by_what_was_counted() {
    let buffering = |change: fn(&mut Record)| {
        let mut all = records(MIXED);
        all.iter_mut().for_each(change);
        Verdict::of(&material(all)).buffering()
    };
    assert_eq!(buffering(|_| ()), Buffering::Half);
    assert_eq!(buffering(|record| record.counts.faults = Default::default()), Buffering::Right);
    // A single fault, or a single cell that was not counted or has copied, decides.
    let one = |record: &Record| {
        record.id.group.ends_with("warm, small pieces")
            && record.id.function == "mmap, reused"
            && record.id.value == "65536"
    };
    let but_one = |change: fn(&mut Record)| {
        let mut all = records(MIXED);
        all.iter_mut().for_each(|record| record.counts.faults = Default::default());
        all.iter_mut().filter(|record| one(record)).for_each(change);
        Verdict::of(&material(all)).buffering()
    };
    assert_eq!(but_one(|record| record.counts.faults.minor = 1), Buffering::Half);
    assert_eq!(but_one(|record| record.counts.faults.major = 1), Buffering::Half);
    let reads = |record: &mut Record| {
        record.counts.system_calls = SystemCalls::Counted([("pread64".to_owned(), 1)].into());
    };
    assert_eq!(but_one(reads), Buffering::Unknown);
    let not_counted = |record: &mut Record| {
        record.counts.system_calls = SystemCalls::Unknown("it is refused".into());
    };
    assert_eq!(but_one(not_counted), Buffering::Unknown);
    let unknown = |record: &mut Record| {
        record.counts.system_calls = SystemCalls::Unknown("it is refused".into());
    };
    assert_eq!(buffering(unknown), Buffering::Unknown);
    assert_eq!(Verdict::of(&material(Vec::new())).buffering(), Buffering::Unknown);
    // The rule is printed beside the verdict.
    let all = material(records(MIXED));
    let notes = benches::report::markdown::verdict(&Verdict::of(&all));
    for shown in [page::of(&all), notes] {
        assert!(shown.contains("one page fault in any cell, and it is only half of it"));
    }
}
