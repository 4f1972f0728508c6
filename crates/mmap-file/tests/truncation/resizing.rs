//! In the same storm: who makes the file longer and shorter himself, and who asks the kernel what
//! is mapped.

use super::*;

pub fn a_storm_kills_nobody_who_grows_and_shrinks_the_file_himself() {
    const PAGES: usize = 8;
    let (folder, file) = file_of(PAGES);
    let storm = cutter(&folder.file("file"), PAGES, 100);
    let mut outcomes = Outcomes::default();
    let mut mapped = None;
    let mut rounds = storm.rounds_until(2_000, 60_000);
    while let Some(round) = rounds.next(outcomes.done > 0 && outcomes.shrunk > 0) {
        let Some(whole) = &mut mapped else {
            // It may be cut to nothing just now.
            let again = file.try_clone().unwrap();
            match MappedFile::new(again) {
                Ok(whole) => mapped = Some(whole),
                Err(error) => outcomes.count(Err::<(), _>(error)),
            }
            continue;
        };
        let at = (round * 1237 % whole.len()) & !3;
        let last = (whole.len() - 4) & !3;
        if let Ok(view) = whole.write_view() {
            outcomes.count(view.write(at.min(last), b"more"));
            outcomes.count(view.load_u32(last, Ordering::Relaxed));
            outcomes.count(view.atomic_u32(last).map(|word| word.fetch_add(1, Ordering::Relaxed)));
        }
        outcomes.count(match round % 4 {
            // What is spoilt is mended by it.
            0 => whole.grow(whole.len()),
            1 => whole.grow(PAGES * page()),
            2 => whole.shrink(whole.len().div_ceil(2).max(page())),
            _ => whole.mapping().flush(0..whole.len()),
        });
        if round % 50 == 0 {
            mapped = None;
        }
    }
    assert!(outcomes.done > 0 && outcomes.shrunk > 0, "{outcomes:?}");
    common::told(&format!("{} cuts, growing and shrinking: {outcomes:?}", storm.rounds()));
    drop(storm);
    let mut whole = MappedFile::new({
        file.set_len(1).unwrap();
        file
    })
    .unwrap();
    whole.grow(PAGES * page()).unwrap();
    whole.write_view().unwrap().write(PAGES * page() - 4, b"calm").unwrap();
}

pub fn a_storm_hides_no_mapping_from_the_list() {
    const PAGES: usize = 8;
    let (folder, file) = file_of(PAGES);
    let storm = cutter(&folder.file("file"), PAGES, 100);
    let options = MapOptions::new().len(PAGES * page()).allow_past_end().read_write();
    let mut spoilt = 0;
    let mut rounds = storm.rounds_until(60, 2_000);
    while let Some(round) = rounds.next(spoilt > 0) {
        let mapping = options.map(&file).unwrap();
        let whole = maps::listing_of(&mapping).unwrap();
        assert!(whole.is_file() && whole.end - whole.start == (PAGES * page()) as u64);
        for at in (0..PAGES).rev() {
            let word =
                mapping.write_view().and_then(|view| view.load_u32(at * page(), Ordering::Relaxed));
            // Its first page may be zeros by now, and no file's, and be one with what lies below.
            assert!(maps::listing_of(&mapping).unwrap().start <= whole.start);
            if word.is_err() {
                spoilt += 1;
                break;
            }
        }
        assert!(maps::figure(&mapping, "Rss").unwrap().is_some());
        assert!(maps::flags(&mapping).unwrap().contains(&"rd".to_owned()));
        if round % 20 == 0 {
            maps::who_maps(&whole).unwrap();
        }
    }
    assert!(spoilt > 0, "{} cuts", storm.rounds());
}
