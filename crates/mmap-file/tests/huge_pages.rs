//! Files on hugetlbfs, whose mappings are of whole huge pages, whatever length was asked for.

use std::fs::{self, File};

use mmap_file::{Advice, MapOptions, Mapping, Protection, maps};
use nix::sys::memfd::{MFdFlags, memfd_create};

testkit::cases! {
    a_mapping_of_any_length_is_unmapped_whole needs huge_pages;
    protection_advice_and_offset_are_those_of_huge_pages needs huge_pages;
}

fn huge_pages() -> Result<(), String> {
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap();
    let free = meminfo.lines().find_map(|line| line.strip_prefix("HugePages_Free:"));
    match free.and_then(|free| free.trim().parse().ok()) {
        Some(2_u64..) => Ok(()),
        _ => Err("no huge pages are set aside here (root: sysctl vm.nr_hugepages=4)".into()),
    }
}

/// A file of two huge pages that has no name, and the size of one.
fn two_huge_pages() -> (File, usize) {
    let file = File::from(memfd_create("huge", MFdFlags::MFD_HUGETLB).unwrap());
    let page = nix::sys::statfs::fstatfs(&file).unwrap().block_size() as usize;
    file.set_len(2 * page as u64).unwrap();
    (file, page)
}

fn is_mapped(address: usize) -> bool {
    let all = maps::of(std::process::id()).unwrap();
    all.iter().any(|listed| (listed.start..listed.end).contains(&(address as u64)))
}

fn both_ends(mapping: &Mapping, page: usize) -> [usize; 2] {
    let start = mapping.address() & !(page - 1);
    [start, start + page - 1]
}

fn a_mapping_of_any_length_is_unmapped_whole() {
    let (file, page) = two_huge_pages();
    for options in [MapOptions::new(), MapOptions::new().unguarded(), MapOptions::new().private()] {
        for explicitly in [false, true] {
            let mapping = options.clone().read_write().len(5_000).map(&file).unwrap();
            let ends = both_ends(&mapping, page);
            mapping.write_view().unwrap().write(4_990, b"0123456789").unwrap();
            assert!(ends.into_iter().all(is_mapped));
            match explicitly {
                true => mapping.unmap().unwrap(),
                false => drop(mapping),
            }
            assert!(!ends.into_iter().any(is_mapped), "{options:?}");
        }
    }
}

fn protection_advice_and_offset_are_those_of_huge_pages() {
    let (file, page) = two_huge_pages();
    // No multiple of a huge page, and inside the second one.
    let offset = page as u64 + 5_000;
    let mut mapping = MapOptions::new().read_write().offset(offset).len(100).map(&file).unwrap();
    mapping.write_view().unwrap().write(0, b"huge").unwrap();
    mapping.advise(0..100, Advice::DontDump).unwrap();
    mapping.flush(0..100).unwrap();
    mapping.protect(Protection::Read).unwrap();
    assert_eq!(mapping.view().unwrap().read_vec(0, 4).unwrap(), b"huge");
    let ends = both_ends(&mapping, page);
    drop(mapping);
    assert!(!ends.into_iter().any(is_mapped));
}
