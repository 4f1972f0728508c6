//! A function that fails, panics, or touches what it is to fill.

use super::*;

/// A pager whose page 3 fails while the flag is up, by `how`.
fn failing(how: fn() -> Error) -> (Pager, Arc<AtomicBool>) {
    let broken = Arc::new(AtomicBool::new(true));
    let flag = broken.clone();
    let pager = Pager::new(install().unwrap(), 10 * page(), move |number, bytes| {
        fill(number, bytes);
        if number == 3 && flag.load(SeqCst) { Err(how()) } else { Ok(()) }
    });
    (pager.unwrap(), broken)
}

pub fn an_error_of_the_function_reaches_the_reader_and_the_next_touch_tries_again() {
    let (pager, broken) = failing(|| Error::refused("pread", Errno::EIO, "block 3"));
    let mut bytes = [0; 100];
    for _ in 0..3 {
        let error = pager.read(3 * page() - 50, &mut bytes).unwrap_err();
        assert_eq!((error.call(), error.about(), error.errno()), ("pread", "block 3", Errno::EIO));
        assert_eq!(pager.view().write(3 * page(), b"x").unwrap_err().errno(), Errno::EFAULT);
    }
    // Several who wait at once all get it.
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..testkit::soak(200, 10_000) {
                    assert_eq!(pager.write(3 * page(), b"x").unwrap_err().call(), "pread");
                }
            });
        }
    });
    assert_eq!(word(pager.view(), 4), 4, "the other pages are not concerned");
    assert_eq!(
        pager.read(9 * page(), &mut vec![0; page() + 1]).unwrap_err().errno(),
        Errno::ERANGE
    );
    broken.store(false, SeqCst);
    pager.read(3 * page(), &mut bytes).unwrap();
    assert_eq!(bytes[..4], 3_u32.to_ne_bytes());
}

pub fn a_function_that_panics_is_an_error_and_not_the_end() {
    panic::set_hook(Box::new(|_| {}));
    let (pager, broken) = failing(|| panic!("no bytes today"));
    let error = pager.read(3 * page(), &mut [0; 10]).unwrap_err();
    assert!(error.errno() == Errno::EIO && error.remedy().contains("panicked"), "{error}");
    assert_eq!(word(pager.view(), 5), 5);
    broken.store(false, SeqCst);
    assert_eq!(word(pager.view(), 3), 3);
}

pub fn a_function_that_touches_its_own_pager_does_not_wait_for_itself() {
    let own: Arc<OnceLock<Pager>> = Arc::default();
    let inside = Arc::downgrade(&own);
    let result = Arc::new(Mutex::new(None));
    let seen = result.clone();
    let pager = Pager::new(install().unwrap(), 4 * page(), move |number, bytes| {
        if let Some(own) = inside.upgrade().filter(|_| number == 0) {
            let copied = own.get().unwrap().view().read(2 * page(), &mut [0; 10]);
            *seen.lock().unwrap() = Some(copied.map_err(|error| error.errno()));
        }
        fill(number, bytes);
        Ok(())
    });
    own.set(pager.unwrap()).unwrap();
    assert_eq!(word(own.get().unwrap().view(), 0), 0);
    assert_eq!(*result.lock().unwrap(), Some(Err(Errno::EFAULT)));
    assert_eq!(word(own.get().unwrap().view(), 2), 2);
}

pub fn an_atomic_on_a_page_that_cannot_be_filled_is_a_crash_like_any_other() {
    let status = in_child(|| {
        let (pager, _) = failing(|| Error::refused("pread", Errno::EIO, ""));
        i32::from(word(pager.view(), 3) == 3)
    });
    assert!(matches!(status, WaitStatus::Signaled(_, Signal::SIGSEGV, _)), "{status:?}");
}
