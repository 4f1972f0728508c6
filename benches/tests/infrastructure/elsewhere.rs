//! Do mappings begin elsewhere when they are told to?

use std::collections::BTreeSet;

use benches::Watch;
use benches::counts::faults_wherever_it_lies;
use benches::raw::{Elsewhere, Map};
use ipc_common::PageSize;

pub fn mappings_begin_all_over() {
    let mut elsewhere = Elsewhere::default();
    let half = Elsewhere::reach() / 2;
    let starts: Vec<usize> = (0..16)
        .map(|_| {
            elsewhere.next();
            let map = Map::anonymous(half, libc::MAP_SHARED).expect("there is room");
            map.start().addr() % Elsewhere::reach()
        })
        .collect();
    let different: BTreeSet<_> = starts.iter().collect();
    assert!(different.len() > 8, "{starts:x?}");
    let whole = starts.iter().filter(|start| **start <= half).count();
    assert!((3..=13).contains(&whole), "behind one page table, or two: {starts:x?}");
}

/// A case that looks at a page only if its mapping begins in the first half of what a page table is
/// for.
pub fn faults_are_counted_wherever_it_lies() {
    let page = PageSize::system().bytes();
    let mut work = |watch: &mut Watch, _| {
        let map = Map::anonymous(3 * page, libc::MAP_PRIVATE).expect("there is room");
        let first_half = map.start().addr() % Elsewhere::reach() < Elsewhere::reach() / 2;
        watch.on(|| if first_half { map.load_each_page() } else { 0 });
    };
    let counted = faults_wherever_it_lies(&mut work, 3 * page as u64);
    assert_eq!(counted.range, [0, 3], "{counted:?}");
    let counted = faults_wherever_it_lies(&mut work, Elsewhere::reach() as u64);
    assert_eq!(
        counted.range[0], counted.range[1],
        "the kernel aligns what is so long: {counted:?}"
    );
}
