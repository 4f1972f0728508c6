//! Advice, unmapping, growing and shrinking; memory of no file.

use super::*;

/// Three pages side by side, by two owners: advice to the first two asked for the last two.
pub fn advice_never_reaches_a_neighbour_though_memmap2s_would() {
    let (_folder, file) = file_of(page());
    let three = Anonymous::new(3 * page()).unwrap();
    let start = NonZeroUsize::new(three.view().as_ptr().addr()).unwrap();
    drop(three);
    let (_two, file2) = file_of(2 * page());
    let ours = MapOptions::new().at(start).map(&file2).unwrap();
    let next = start.checked_add(2 * page()).unwrap();
    let neighbour = MapOptions::new().at(next).map(&file).unwrap();
    let touched = || maps::flags(&neighbour).unwrap().contains(&"rr".to_owned());

    let error = ours.advise(page()..3 * page(), Advice::Random).unwrap_err();
    assert_eq!(error.errno(), Errno::ERANGE);
    assert!(!touched(), "ours reached the neighbour");
    ours.unmap().unwrap();

    // The twin: memmap2 in our place. If this fails, memmap2 has mended it; see mapping/range.rs.
    let map = || memmap2::MmapOptions::new().len(2 * page()).map_raw_read_only(&file2).unwrap();
    let mut elsewhere = Vec::new();
    let theirs = loop {
        // The kernel fills holes from above: sooner or later the one before the neighbour.
        match map() {
            theirs if theirs.as_ptr().addr() == start.get() => break theirs,
            other => elsewhere.push(other),
        }
        assert!(elsewhere.len() < 1000, "memmap2's mapping never came next to the neighbour");
    };
    theirs.advise_range(memmap2::Advice::Random, page(), 2 * page()).unwrap();
    assert!(touched(), "memmap2 checks the range now");
}

pub fn advice_shows_in_the_kernels_flags() {
    let (_folder, file) = file_of(3 * page());
    let mapping = MapOptions::new().advice(Advice::Sequential).map(&file).unwrap();
    let flags = || maps::flags(&mapping).unwrap();
    assert!(flags().contains(&"sr".to_owned()));
    mapping.advise(0..mapping.len(), Advice::Normal).unwrap();
    assert!(!flags().contains(&"sr".to_owned()));
    // A byte of the last page reaches that page, and no other.
    mapping.advise(2 * page() + 5..2 * page() + 6, Advice::Random).unwrap();
    assert!(!flags().contains(&"rr".to_owned()));
}

pub fn populate_read_past_the_end_is_an_error_and_not_sigbus() {
    let (_folder, file) = file_of(page());
    let mapping = MapOptions::new().len(2 * page()).allow_past_end().map(&file).unwrap();
    mapping.advise(0..page(), Advice::PopulateRead).unwrap();
    let error = mapping.advise(0..2 * page(), Advice::PopulateRead).unwrap_err();
    assert_eq!(error.errno(), Errno::EFAULT);
}

pub fn unmapping_says_so_and_takes_all_pages() {
    let (_folder, file) = file_of(2 * page());
    for options in [MapOptions::new(), MapOptions::new().private()] {
        for dropped in [false, true] {
            let mapping = options.clone().offset(10).map(&file).unwrap();
            let address = mapping.address() as u64;
            if dropped {
                drop(mapping)
            } else {
                mapping.unmap().unwrap()
            }
            let left = maps::of(std::process::id()).unwrap();
            let touches = |listed: &maps::Listed| {
                listed.start < address + 2 * page() as u64 - 10 && listed.end > address - 10
            };
            assert!(!left.iter().any(touches));
        }
    }
}

pub fn growing_allocates_and_shrinking_unmaps_first() {
    let folder = testkit::folder();
    let file = create_new(folder.file("new"), 10, 0o600, |_| Ok(())).unwrap();
    let mut mapped = MappedFile::new(file).unwrap();
    mapped.write_view().unwrap().write(0, b"0123456789").unwrap();
    mapped.grow(5 * page() + 1).unwrap();
    let found = mapped.file().metadata().unwrap();
    assert_eq!(found.len() as usize, 5 * page() + 1);
    let blocks = std::os::unix::fs::MetadataExt::blocks(&found) * 512;
    assert!(blocks as usize >= 5 * page(), "{blocks} bytes allocated: it has holes");
    mapped.write_view().unwrap().write(5 * page(), b"x").unwrap();
    assert_eq!(mapped.grow(10).unwrap_err().errno(), Errno::EINVAL);
    assert_eq!(mapped.shrink(6 * page()).unwrap_err().errno(), Errno::EINVAL);
    assert_eq!(mapped.shrink(0).unwrap_err().errno(), Errno::EINVAL);
    mapped.shrink(4).unwrap();
    assert_eq!((mapped.len(), mapped.file().metadata().unwrap().len()), (4, 4));
    assert_eq!(mapped.view().unwrap().read_vec(0, 4).unwrap(), b"0123");
    let listed = maps::listing_of(mapped.mapping()).unwrap();
    assert_eq!((listed.end - listed.start) as usize, page());
}

pub fn growing_fills_the_holes_that_were_there() {
    let folder = testkit::folder();
    let file = File::options().read(true).write(true).create_new(true).open(folder.file("sparse"));
    let file = file.unwrap();
    file.set_len(8 * page() as u64).unwrap();
    let mut mapped = MappedFile::new(file).unwrap();
    mapped.grow(9 * page()).unwrap();
    let blocks = std::os::unix::fs::MetadataExt::blocks(&mapped.file().metadata().unwrap());
    assert!(blocks as usize * 512 >= 9 * page(), "the holes are still there");
}

pub fn anonymous_memory_is_shared_with_a_child() {
    let shared = Anonymous::new(page()).unwrap();
    assert_eq!(shared.view().text().unwrap().len(), 0);
    Child::start(|| assert_eq!(shared.view().put_text(b"from the child").unwrap().cut, 0)).join();
    assert_eq!(shared.view().text().unwrap().to_string(), "from the child");
    assert_eq!(Anonymous::new(0).unwrap_err().errno(), Errno::EINVAL);
}
