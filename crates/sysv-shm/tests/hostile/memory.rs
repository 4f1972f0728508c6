//! A stranger who stores into the segment.

use std::time::Duration;

use ipc_common::view::ReadView;
use ipc_common::{Key, PageSize};
use sysv_shm::note::{NoteReader, NoteWriter, Reading, Wanted, status};
use sysv_shm::{Opened, Segment};
use testkit::{Peer, Random, peer};

use crate::tools::{Ground, any_text};

const SECOND: Duration = Duration::from_secs(1);

fn opened(key: Key, size: usize) -> NoteWriter {
    let wanted = Wanted { size: Some(size), mode: None };
    NoteWriter::open_or_create(key, &wanted).map(Opened::into_inner).unwrap()
}

/// Stores all over the segment, and now and then leaves no NUL in it.
fn scribbler(segment: Segment) -> Peer {
    let attached = segment.attach_write().unwrap();
    peer(move |random| {
        let view = attached.view();
        for _ in 0..64 {
            view.write(random.below(view.len()), &[random.any() as u8]).unwrap();
        }
        if random.below(16) == 0 {
            view.fill(0, view.len(), b'#').unwrap();
        }
    })
}

pub fn a_scribbler_on_the_segment_makes_wrong_notes_and_nothing_else() {
    let mut random = Random::new();
    for size in [1, 3, 4, 1024, 70_001] {
        let ground = Ground::new();
        let mut writer = opened(ground.0, size);
        let mut reader = NoteReader::open(ground.0).unwrap();
        let scribbler = scribbler(writer.segment());
        for _ in scribbler.soak(60, 3_000) {
            let text = any_text(&mut random, size + 2);
            let fits = text.len() < size && !text.contains(&0);
            assert_eq!(writer.put(&text, SECOND).is_ok(), fits);

            // Memory is all that the stranger touches, so nothing may even fail.
            match reader.read().unwrap() {
                Reading::Whole { text, .. } => assert!(text.len() <= size),
                found => panic!("{found:?}: the lock does not lie in the memory"),
            }
            reader.wait(Duration::from_micros(10)).unwrap();
            reader.wait(Duration::ZERO).unwrap();
            assert!(!reader.is_removed().unwrap());
            let _shown = format!("{reader:?} {writer:?}");
            let found = status(ground.0).unwrap();
            assert_eq!(found.segment.size, size);
            assert!(found.lock.unwrap().is_some_and(|(_, state)| !state.held));
            assert!(
                !Segment::open_or_create(ground.0, size, found.segment.mode).unwrap().is_created()
            );
            let again = writer.segment().attach_read().unwrap();
            assert!(again.view().text().unwrap().len() <= size);
            again.detach().unwrap();
        }
    }
}

/// The kernel shares whole pages, so a byte too many would be neither a fault nor visible to
/// anyone who looks at views.
pub fn a_note_never_runs_on_past_the_segment_into_the_rest_of_its_page() {
    let page = PageSize::system().bytes();
    let mut random = Random::new();
    for size in [1, 2, 7, 1024, page - 1, page + 1, 3 * page - 5] {
        let ground = Ground::new();
        let mut writer = opened(ground.0, size);
        let scribbler = scribbler(writer.segment());
        let attached = writer.segment().attach_write().unwrap();
        for _ in scribbler.soak(50, 2_000) {
            let _ = writer.put(&any_text(&mut random, size + 2), SECOND);
            let _ = writer.put(&vec![b'w'; size - 1], SECOND).unwrap();
            let _ = attached.view().put_text(&vec![b'w'; 2 * size]).unwrap();
            attached.view().fill(0, size, b'f').unwrap();
            assert!(attached.view().fill(0, size + 1, b'f').is_err());
        }
        let rest = size.next_multiple_of(page) - size;
        let end = attached.view().as_ptr().cast_mut().wrapping_add(size);
        let end = std::ptr::NonNull::new(end).unwrap();
        // SAFETY: the kernel maps whole pages, and `attached` outlives this view.
        let rest = unsafe { ReadView::new(end, rest) };
        assert!(rest.read_vec(0, rest.len()).unwrap().iter().all(|byte| *byte == 0), "{size}");
    }
}
