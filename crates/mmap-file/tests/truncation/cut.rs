//! One cut, and what each kind of access makes of it.

use super::*;

pub fn a_copy_past_the_end_tells_the_good_bytes_and_spoils_nothing() {
    let (_folder, file) = file_of(4);
    let mapping = mapped(&file);
    let view = mapping.write_view().unwrap();
    cut(&file, 2);
    let mut bytes = vec![0; 4 * page()];
    assert_eq!(shrunk(view.read(0, &mut bytes)), 2 * page());
    assert!(bytes[..2 * page()].iter().all(|byte| *byte == b'x'));
    assert_eq!(shrunk(view.read(page(), &mut bytes[..2 * page()])), page());
    assert_eq!(shrunk(view.write(3 * page(), b"lost")), 0);
    assert_eq!(shrunk(view.write(page(), &bytes[page()..])), page());
    assert_eq!(shrunk(view.fill(0, 3 * page(), b'f')), 2 * page());
    assert_eq!(shrunk(view.text()), 2 * page());
    assert_eq!(shrunk(view.read_vec(2 * page(), 1)), 0);
    assert!(still_reaches(&file, 2 * page() as u64 + 1).is_err());
    mapping.check().unwrap();
    // The file grows again, and the mapping with it.
    cut(&file, 4);
    assert_eq!(view.read_vec(2 * page(), 3).unwrap(), [0; 3]);
    view.write(2 * page(), b"yes").unwrap();
    assert_eq!(view.read_vec(0, 1).unwrap(), b"f");
}

pub fn an_atomic_past_the_end_spoils_the_mapping_and_every_call_says_so() {
    for touch in 0..2 {
        let (_folder, file) = file_of(4);
        let mut mapping = mapped(&file);
        let view = mapping.write_view().unwrap();
        let word = view.atomic_u32(3 * page()).unwrap();
        cut(&file, 2);
        // The call during which it happens says so, or he who holds the atomic asks.
        match touch {
            0 => assert_eq!(shrunk(view.load_u32(2 * page(), Ordering::Relaxed)), 0),
            _ => assert_eq!(word.fetch_add(1, Ordering::Relaxed), 0),
        }
        shrunk(view.check());
        shrunk(mapping.check());
        // Good pages, too: one answer for the whole mapping.
        shrunk(view.read(0, &mut [0]));
        shrunk(view.write(0, &[0]));
        shrunk(view.fill(0, 1, 0));
        shrunk(view.text());
        shrunk(view.put_text(b"lost"));
        shrunk(view.read_vec(0, 1));
        shrunk(view.load_u32(0, Ordering::Relaxed));
        shrunk(view.atomic_u32(0));
        shrunk(view.part(0, 10).unwrap().as_read().read(0, &mut [0]));
        shrunk(view.wait_while(0, 0, SECOND));
        shrunk(view.wake_all(0));
        shrunk(mapping.view());
        shrunk(mapping.write_view());
        shrunk(mapping.flush(0..1));
        shrunk(mapping.flush_async(0..1));
        shrunk(mapping.advise(0..1, Advice::Normal));
        shrunk(mapping.protect(Protection::Read));
        mapping.unmap().unwrap();
    }
}

pub fn what_was_stored_after_the_cut_is_never_in_the_file() {
    let (_folder, file) = file_of(3);
    let mapping = mapped(&file);
    let word = mapping.write_view().unwrap().atomic_u32(2 * page()).unwrap();
    cut(&file, 1);
    word.store(u32::MAX, Ordering::SeqCst);
    cut(&file, 3);
    word.store(u32::MAX, Ordering::SeqCst);
    let mut bytes = vec![1; 3 * page()];
    file.read_exact_at(&mut bytes, 0).unwrap();
    assert!(bytes[..page()].iter().all(|byte| *byte == b'x'));
    assert!(bytes[page()..].iter().all(|byte| *byte == 0));
    shrunk(mapping.flush(0..mapping.len()));
}

pub fn a_mapping_made_anew_works_and_so_does_growing_a_mapped_file() {
    let (_folder, file) = file_of(3);
    let old = mapped(&file);
    cut(&file, 1);
    shrunk(old.view().unwrap().load_u32(page(), Ordering::Relaxed));
    let new = mapped(&file);
    assert_eq!(new.len(), page());
    new.write_view().unwrap().write(0, b"new").unwrap();
    assert!(old.view().is_err(), "spoilt for ever");

    cut(&file, 3);
    let mut whole = MappedFile::new(file).unwrap();
    cut(whole.file(), 1);
    shrunk(whole.view().unwrap().load_u32(page(), Ordering::Relaxed));
    whole.grow(whole.len()).unwrap();
    assert_eq!(whole.file().metadata().unwrap().len(), 3 * page() as u64);
    whole.write_view().unwrap().write(2 * page(), b"again").unwrap();
    assert_eq!(whole.view().unwrap().read_vec(0, 3).unwrap(), b"new");
}

pub fn private_and_read_only_mappings_are_guarded_too() {
    let (folder, file) = file_of(3);
    let read_only = open_file(folder.file("file"), Access::Read).unwrap();
    let shared = MapOptions::new().offset(page() as u64 + 5).map(&read_only).unwrap();
    let private = MapOptions::new().private().read_write().map(&read_only).unwrap();
    private.write_view().unwrap().write(2 * page(), b"mine").unwrap();
    cut(&file, 0);
    shrunk(shared.view().unwrap().text());
    shrunk(shared.view().unwrap().load_u32(page() - 5, Ordering::Relaxed));
    shrunk(private.view().unwrap().read_vec(2 * page(), 4));
    shrunk(private.view().unwrap().load_u32(0, Ordering::Relaxed));
    shrunk(private.write_view());
}

pub fn unguarded_leaves_the_signals_alone() {
    let (_folder, file) = file_of(1);
    let mapping = MapOptions::new().unguarded().map(&file).unwrap();
    cut(&file, 0);
    let child = Child::start(|| drop(black_box(mapping.view().unwrap().text())));
    assert_eq!(child.signal(), libc::SIGBUS);
}
