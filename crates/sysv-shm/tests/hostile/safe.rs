//! Hostile, but safe, Rust in this very process: leaks, forks, threads, odd addresses.

use std::mem;
use std::time::Duration;

use ipc_common::{Errno, Key, PageSize};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use sysv_shm::note::{NoteReader, NoteWriter, Wanted};
use sysv_shm::{Lock, Mode, Place, Segment};
use testkit::{peer, soak};

use crate::tools::Ground;

const MOMENT: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// Its end without a trace: marked at once, it goes with its last attachment.
fn private(size: usize) -> (Segment, sysv_shm::AttachedWrite) {
    let segment = Segment::create(Key::PRIVATE, size, Mode::PRIVATE).unwrap();
    let attached = segment.attach_write().unwrap();
    segment.mark_for_removal().unwrap();
    (segment, attached)
}

/// Runs `child` in a forked process, unwound like any other, and says whether it said yes.
fn in_a_child(child: impl FnOnce() -> bool) -> bool {
    // SAFETY: the case has one thread here.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            let passed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child));
            // SAFETY: _exit takes a number.
            unsafe { libc::_exit(if passed.unwrap_or(false) { 0 } else { 1 }) }
        }
        ForkResult::Parent { child } => {
            matches!(waitpid(child, None).unwrap(), WaitStatus::Exited(_, 0))
        }
    }
}

pub fn nothing_that_is_mapped_is_ever_attached_over() {
    let (segment, attached) = private(3 * PageSize::system().bytes());
    attached.view().fill(0, attached.view().len(), 0xee).unwrap();
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let mut tried = 0;
    for line in maps.lines().filter(|line| !line.ends_with("[vsyscall]")) {
        let (start, end) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
        let [start, end] = [start, end].map(|hex| usize::from_str_radix(hex, 16).unwrap());
        let last = end - PageSize::system().bytes();
        for place in [Place::At(start), Place::At(last), Place::RoundedDown(start + 123)] {
            // EEXIST from us, below the stack; EINVAL from the kernel, elsewhere.
            let refusals = [Errno::EINVAL, Errno::EEXIST];
            assert!(
                refusals.contains(&segment.attach_read_at(place).unwrap_err().errno()),
                "{line}"
            );
            assert!(refusals.contains(&segment.attach_write_at(place).unwrap_err().errno()));
            tried += 1;
        }
    }
    assert!(tried > 30, "a process has more than ten mappings");
    assert!(attached.view().read_vec(0, attached.view().len()).unwrap().iter().all(|b| *b == 0xee));

    // What was free once is, and what took its place is not detached with the old one.
    let at = attached.view().as_ptr().addr();
    attached.detach().unwrap();
    let (segment, other) = private(1);
    let placed = segment.attach_write_at(Place::At(at));
    assert!(placed.is_ok_and(|placed| placed.view().as_ptr().addr() == at));
    drop(other);
}

pub fn addresses_that_no_process_has_are_refused() {
    let (segment, _attached) = private(1);
    let mut odd = vec![0, 1, 4095, usize::MAX, usize::MAX - 4095, isize::MAX as usize];
    odd.extend((47..64).map(|bit| 1_usize << bit));
    for address in odd {
        for place in [Place::At(address), Place::RoundedDown(address)] {
            assert!(segment.attach_read_at(place).is_err(), "{place:?}");
            assert!(segment.attach_write_at(place).is_err(), "{place:?}");
        }
    }
    assert_eq!(segment.stat().unwrap().attached, 1, "what was refused is not attached either");
}

pub fn a_leaked_attachment_stays_and_harms_nobody() {
    let (segment, attached) = private(100);
    assert!(in_a_child(|| {
        let view = Box::leak(Box::new(segment.attach_write().unwrap())).view();
        mem::forget(segment.attach_read().unwrap());
        let unharmed = (0..soak(100, 5_000)).all(|_| {
            let more = segment.attach_write().unwrap();
            let _ = more.view().put_text(b"seen by the leaked view").unwrap();
            drop(more);
            view.text().unwrap().to_string() == "seen by the leaked view"
        });
        // The parent's, the one that came with the fork, and the two leaked ones.
        unharmed && segment.stat().unwrap().attached == 4
    }));
    assert_eq!(segment.stat().unwrap().attached, 1, "the end of the process ends them");
    drop(attached);
}

pub fn a_forked_child_lets_go_of_its_own_attachment_only() {
    let (segment, attached) = private(100);
    let mut attached = Some(attached);
    for _ in 0..soak(20, 500) {
        assert!(in_a_child(|| {
            let inherited = attached.take().unwrap();
            let two = segment.stat().unwrap().attached == 2;
            let put = inherited.view().put_text(b"child").is_ok();
            two && put && inherited.detach().is_ok() && segment.stat().unwrap().attached == 1
        }));
        assert_eq!(segment.stat().unwrap().attached, 1);
        assert_eq!(attached.as_ref().unwrap().view().text().unwrap().to_string(), "child");
    }
}

pub fn a_forked_child_can_neither_release_nor_finish_its_parents_write() {
    let lock = Lock::private(Mode::PRIVATE).unwrap();
    for round in 0..soak(20, 500) {
        let mut writing = Some(lock.acquire(SECOND).unwrap());
        assert!(in_a_child(|| {
            let inherited = writing.take().unwrap();
            let refused = match round % 3 {
                0 => inherited.finish().unwrap_err().errno() == Errno::EPERM,
                1 => lock.acquire(Duration::ZERO).unwrap_err().errno() == Errno::EAGAIN,
                _ => {
                    drop(inherited);
                    true
                }
            };
            // Asked here: its end would undo what it did.
            refused && lock.state().unwrap().held
        }));
        let state = lock.state().unwrap();
        assert!(state.held && state.sequence % 2 == 1, "the child has ended, and we still write");
        writing.take().unwrap().finish().unwrap();
    }
    lock.remove().unwrap();
}

pub fn a_forgotten_write_holds_the_lock_until_its_process_ends() {
    let lock = Lock::private(Mode::PRIVATE).unwrap();
    assert!(in_a_child(|| {
        mem::forget(lock.acquire(SECOND).unwrap());
        let mut others = (0..3).map(|_| std::thread::spawn(move || lock.acquire(MOMENT)));
        others.all(|other| other.join().unwrap().unwrap_err().errno() == Errno::EAGAIN)
    }));
    let writing = lock.acquire(Duration::ZERO).unwrap();
    assert_eq!(writing.before(), sysv_shm::Before::Abandoned);
    writing.finish().unwrap();
    lock.remove().unwrap();
}

pub fn threads_exclude_each_other_while_a_stranger_looks_on() {
    let ground = Ground::new();
    let key = ground.0;
    drop(NoteWriter::open_or_create(key, &Wanted::default()).unwrap());
    let looker = peer(move |_| {
        let mut reader = NoteReader::open(key).unwrap();
        reader.read().unwrap();
        let lock = reader.lock().unwrap();
        // It wants the lock, too, but never for itself.
        let _ = lock.semaphores().apply(&[sysv_shm::Op::wait_for_zero(0)], MOMENT);
        lock.state().unwrap();
    });
    let (segment, attached) = (Segment::open(key).unwrap(), Segment::open(key).unwrap());
    let (lock, attached) = (Lock::open(key).unwrap(), attached.attach_write().unwrap());
    let rounds = soak(200, 5_000);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..rounds {
                    let writing = loop {
                        match lock.acquire(SECOND) {
                            Err(error) if error.errno() == Errno::EAGAIN => {}
                            acquired => break acquired.unwrap(),
                        }
                    };
                    // Not one atomic step: only the lock keeps it together.
                    let word = attached.view().read_vec(512, 8).unwrap();
                    let next = u64::from_ne_bytes(word.try_into().unwrap()) + 1;
                    std::thread::yield_now();
                    attached.view().write(512, &next.to_ne_bytes()).unwrap();
                    writing.finish().unwrap();
                }
            });
        }
    });
    let word = attached.view().read_vec(512, 8).unwrap();
    assert_eq!(u64::from_ne_bytes(word.try_into().unwrap()), 4 * rounds as u64);
    assert_eq!(lock.state().unwrap().sequence, 8 * rounds as u64);
    for _ in looker.soak(0, 0) {
        std::thread::sleep(MOMENT);
    }
    drop(looker);
    assert_eq!(segment.stat().unwrap().attached, 1);
}
