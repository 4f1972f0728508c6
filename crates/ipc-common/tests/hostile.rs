//! A second process scribbles on every byte of a view while this one calls every safe function
//! that touches it. Only `Ok` and `Err` may follow; and no byte beside the view may change, or be
//! read: no page follows there.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::atomic::Ordering::{self, Acquire, Relaxed, SeqCst};
use std::time::Duration;

use ipc_common::view::{ReadView, WriteView};
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, mprotect};
use testkit::{Peer, Random, peer};

testkit::cases! {
    whatever_a_stranger_stores_reading_gives_ok_or_an_error;
    whatever_a_stranger_stores_writing_stays_inside;
    threads_of_one_process_and_a_stranger_may_all_use_one_view;
    a_stranger_who_wakes_and_stores_all_the_time_cannot_hold_a_sleeper;
    nothing_that_a_stranger_can_store_drives_a_terminal;
}

/// Bytes beside the view that nobody should touch.
const CANARY: u8 = 0xc7;
const LOADS: [Ordering; 3] = [Relaxed, Acquire, SeqCst];

/// Shared memory with a page on either side that cannot be touched, and a view that touches one
/// of the two. Never unmapped: the case ends soon enough.
#[derive(Clone, Copy)]
struct Ground {
    start: NonNull<u8>,
    pages: usize,
    view: WriteView<'static>,
}

impl Ground {
    /// A view of `len` bytes, at the very beginning or the very end of the pages.
    fn new(len: usize, at_end: bool) -> Ground {
        let page = ipc_common::PageSize::system().bytes();
        let pages = len.next_multiple_of(page);
        let all = NonZeroUsize::new(pages + 2 * page).unwrap();
        let none = ProtFlags::PROT_NONE;
        // SAFETY: a new mapping at an address of the kernel's choice disturbs nothing.
        let outer = unsafe { mmap_anonymous(None, all, none, MapFlags::MAP_SHARED) }.unwrap();
        // SAFETY: the second page and those up to the last but one are part of the mapping.
        let start = unsafe { outer.cast::<u8>().add(page) };
        let both = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: these pages were mapped just now, for this.
        unsafe { mprotect(start.cast(), pages, both) }.unwrap();
        let lead = if at_end { pages - len } else { 0 };
        // SAFETY: mapped for good, and looked at through views only.
        let whole: WriteView<'static> = unsafe { WriteView::new(start, pages) };
        whole.fill(0, pages, CANARY).unwrap();
        Ground { start, pages, view: whole.part(lead, len).unwrap() }
    }

    /// Whether all bytes beside the view are as they were.
    fn is_untouched_beside(&self) -> bool {
        // SAFETY: as in `new`.
        let whole = unsafe { ReadView::new(self.start, self.pages) };
        let lead = self.view.as_ptr().addr() - self.start.addr().get();
        let beside: [Range<usize>; 2] = [0..lead, lead + self.view.len()..self.pages];
        beside.into_iter().all(|range| {
            whole.read_vec(range.start, range.len()).unwrap().iter().all(|byte| *byte == CANARY)
        })
    }

    /// A process that stores at random all over the view, in words and in single bytes, and now
    /// and then leaves no NUL at all.
    fn scribbled_on(&self) -> Peer {
        let view = self.view;
        peer(move |random| {
            for _ in 0..256 {
                let at = random.below(view.len());
                view.write(at, &[random.any() as u8]).unwrap();
                let word = random.any().to_ne_bytes();
                view.write(random.below(view.len() - word.len() + 1), &word).unwrap();
            }
            if random.below(8) == 0 {
                view.fill(0, view.len(), [0, b'x', 0xff, 0x9b][random.below(4)]).unwrap();
            }
        })
    }
}

fn grounds() -> Vec<(Ground, Peer)> {
    let odd_sizes = [(21, true), (4096 - 8, true), (10_007, true), (10_007, false)];
    odd_sizes
        .into_iter()
        .map(|(len, at_end)| {
            let ground = Ground::new(len, at_end);
            (ground, ground.scribbled_on())
        })
        .collect()
}

/// The most memory this process has had, in bytes.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

fn inside(view: ReadView<'_>, offset: usize, len: usize) -> bool {
    offset as u128 + len as u128 <= view.len() as u128
}

fn look(view: ReadView<'_>, random: &mut Random) {
    let (offset, len) = (random.wild(view.len()), random.below(2 * view.len()));
    let fits = inside(view, offset, len);

    let mut copy = vec![CANARY; len + 32];
    assert_eq!(view.read(offset, &mut copy[16..16 + len]).is_ok(), fits);
    assert!(copy[..16].iter().chain(&copy[16 + len..]).all(|byte| *byte == CANARY));

    let copy = view.read_vec(offset, len);
    assert_eq!(copy.is_ok(), fits);
    assert!(copy.is_ok_and(|copy| copy.len() == len) == fits);

    let text = view.text().unwrap();
    assert!(text.len() <= view.len() && (text.is_terminated() || text.len() == view.len()));
    assert!(!text.as_bytes().contains(&0), "a length and bytes of two different looks");

    let order = LOADS[random.below(LOADS.len())];
    let aligned = |size| (view.as_ptr().addr().wrapping_add(offset)).is_multiple_of(size);
    assert_eq!(view.load_u32(offset, order).is_ok(), inside(view, offset, 4) && aligned(4));

    let part = view.part(offset, len);
    assert_eq!(part.is_ok(), fits);
    if let Ok(part) = part {
        assert!(part.text().unwrap().len() <= len);
        assert!(part.read_vec(random.wild(len), 1 + len).is_err());
    }
}

fn change(view: WriteView<'_>, random: &mut Random) {
    let (offset, len) = (random.wild(view.len()), random.below(2 * view.len()));
    let fits = inside(view.as_read(), offset, len);
    assert_eq!(view.write(offset, &vec![b'w'; len]).is_ok(), fits);
    assert_eq!(view.fill(offset, len, b'f').is_ok(), fits);
    assert!(view.fill(offset, usize::MAX - random.below(9), 0).is_err());

    let part = view.part(offset, len);
    assert_eq!(part.is_ok(), fits);
    let text = vec![b't'; random.below(2 * view.len())];
    for place in [part.ok(), Some(view)].into_iter().flatten() {
        match place.put_text(&text) {
            Ok(stored) => assert_eq!(stored.bytes + stored.cut, text.len()),
            Err(_) => assert!(place.is_empty()),
        }
    }
    if let Ok(word) = view.atomic_u32(offset) {
        word.fetch_xor(random.any() as u32, SeqCst);
        view.wake_all(offset).unwrap();
    }
}

fn whatever_a_stranger_stores_reading_gives_ok_or_an_error() {
    let (grounds, mut random) = (grounds(), Random::new());
    let before = peak_memory();
    for _ in grounds[2].1.soak(2_000, 50_000) {
        for (ground, _) in &grounds {
            look(ground.view.as_read(), &mut random);
        }
    }
    assert!(grounds.iter().all(|(ground, _)| ground.is_untouched_beside()));
    assert!(peak_memory() - before < 16 * 1024 * 1024, "copies of 20 kB each");
}

fn whatever_a_stranger_stores_writing_stays_inside() {
    let (grounds, mut random) = (grounds(), Random::new());
    for _ in grounds[2].1.soak(2_000, 50_000) {
        for (ground, _) in &grounds {
            change(ground.view, &mut random);
        }
    }
    assert!(grounds.iter().all(|(ground, _)| ground.is_untouched_beside()));
}

fn threads_of_one_process_and_a_stranger_may_all_use_one_view() {
    let ground = Ground::new(5_001, true);
    let scribbler = ground.scribbled_on();
    let (view, scribbler) = (ground.view, &scribbler);
    std::thread::scope(|scope| {
        for number in 0..4 {
            scope.spawn(move || {
                let mut random = Random::new();
                for _ in scribbler.soak(1_000, 25_000) {
                    match number % 2 {
                        0 => look(view.as_read(), &mut random),
                        _ => change(view, &mut random),
                    }
                }
            });
        }
    });
    assert!(ground.is_untouched_beside());
}

fn a_stranger_who_wakes_and_stores_all_the_time_cannot_hold_a_sleeper() {
    let ground = Ground::new(4096, false);
    let view = ground.view;
    let peer = peer(move |random| {
        view.atomic_u32(64).unwrap().store(random.any() as u32 % 3, SeqCst);
        view.wake_all(64).unwrap();
    });
    let mut random = Random::new();
    for round in peer.soak(2_000, 50_000) {
        let seen = view.load_u32(64, Acquire).unwrap();
        let limit = if round % 2 == 0 { Duration::MAX } else { Duration::from_micros(50) };
        // For ever, if nobody stored or woke: it is the peer who does.
        view.wait_while(64, seen, limit).unwrap();
        let _ = view.wait_while(random.wild(4096), seen, Duration::from_micros(1));
    }
}

fn nothing_that_a_stranger_can_store_drives_a_terminal() {
    let ground = Ground::new(301, true);
    let peer = ground.scribbled_on();
    for _ in peer.soak(10_000, 300_000) {
        let text = ground.view.text().unwrap();
        let shown = text.to_string();
        let driving = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!shown.contains(driving), "{:?} as {shown:?}", text.as_bytes());
        assert!(shown.len() <= 10 * text.len(), "{} bytes for {}", shown.len(), text.len());
    }
}
