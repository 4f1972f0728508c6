//! What hostile peers, written by someone who had not seen the other tests, once found. Each of
//! these failed, or guards the cure of another. (What a user of the binary found: see
//! `found_commands`.)

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ipc_common::{Errno, Key};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::stat::Mode as Permissions;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use sysv_shm::note::{NoteReader, NoteWriter, Wanted};
use sysv_shm::{Lock, Mode, Place, Segment, SemaphoreSet};
use testkit::{Finished, Program};

testkit::cases! {
    a_segment_at_a_chosen_address_never_becomes_the_stack;
    a_note_stays_readable_and_writable_while_its_semaphores_come_and_go;
    patience_without_end_is_no_panic;
    a_segment_larger_than_our_memory_is_an_error_and_no_abort;
    a_failed_open_or_create_leaves_nothing;
    a_note_that_is_withdrawn_takes_no_other_writers_note_along;
    open_or_create_of_a_set_copes_with_removal;
    a_lock_beside_private_is_refused;
    the_own_key_is_made_of_a_regular_file_only;
    the_state_folder_of_another_user_is_refused needs testkit::need::root;
}

#[inline(never)]
fn recurse(depth: usize) -> u8 {
    let frame = std::hint::black_box([0x5a_u8; 4096]);
    if depth == 0 { frame[7] } else { recurse(depth - 1) ^ std::hint::black_box(frame[9]) }
}

/// The gap below the stack is unmapped, and shmat would have attached there.
fn a_segment_at_a_chosen_address_never_becomes_the_stack() {
    const LEN: usize = 2 << 20;
    let segment = Segment::create(Key::PRIVATE, LEN, Mode::PRIVATE).unwrap();
    let looking = segment.attach_read().unwrap();
    segment.mark_for_removal().unwrap();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let stack = maps.lines().find(|line| line.ends_with("[stack]")).unwrap();
    let start = usize::from_str_radix(stack.split('-').next().unwrap(), 16).unwrap();
    let placed = segment.attach_write_at(Place::At(start - LEN));
    std::hint::black_box(recurse(100));
    assert!(looking.view().read_vec(0, LEN).unwrap().iter().all(|byte| *byte == 0));
    assert_eq!(placed.unwrap_err().errno(), Errno::EEXIST);
}

fn a_note_stays_readable_and_writable_while_its_semaphores_come_and_go() {
    let key = Key::from_raw(testkit::key());
    let segment = Segment::create(key, 1024, Mode::PRIVATE).unwrap();
    let raw = key.raw();
    let peer = testkit::peer(move |_| {
        // SAFETY: numbers only.
        unsafe { libc::semctl(libc::semget(raw, 3, libc::IPC_CREAT | 0o600), 0, libc::IPC_RMID) };
    });
    let wanted = Wanted::default();
    for _ in peer.soak(2_000, 50_000) {
        NoteReader::open(key).unwrap().read().unwrap();
        let writer = NoteWriter::open_or_create(key, &wanted)
            .and_then(|writer| writer.into_inner().put(b"x", Duration::from_millis(1)).map(drop));
        // Removed each time it was made: then we say so, by a name that means "try again".
        let errno = writer.err().map(|error| error.errno());
        assert!(
            matches!(errno, None | Some(Errno::EAGAIN | Errno::EIDRM | Errno::EINVAL)),
            "{errno:?}"
        );
    }
    drop(peer);
    if let Ok(lock) = Lock::open(key) {
        lock.remove().unwrap();
    }
    segment.mark_for_removal().unwrap();
}

fn patience_without_end_is_no_panic() {
    let key = Key::from_raw(testkit::key());
    let set = SemaphoreSet::create(key, &[1], Mode::PRIVATE).unwrap();
    assert_eq!(SemaphoreSet::open(key, 1, Duration::MAX).unwrap(), set);
    set.remove().unwrap();
}

fn a_segment_larger_than_our_memory_is_an_error_and_no_abort() {
    let key = Key::from_raw(testkit::key());
    let size = 64 << 20;
    let segment = Segment::create(key, size, Mode::PRIVATE).unwrap();
    segment.attach_write().unwrap().view().fill(0, size, b'x').unwrap();
    // SAFETY: the case has one thread.
    let ended = match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            setrlimit(Resource::RLIMIT_AS, 100 << 20, 100 << 20).unwrap();
            let read = NoteReader::open(key).and_then(|mut reader| reader.read());
            let code = i32::from(read.err().map(|error| error.errno()) != Some(Errno::ENOMEM));
            // SAFETY: _exit takes a number.
            unsafe { libc::_exit(code) }
        }
        ForkResult::Parent { child } => waitpid(child, None).unwrap(),
    };
    segment.mark_for_removal().unwrap();
    assert!(matches!(ended, WaitStatus::Exited(_, 0)), "{ended:?}");
}

fn a_failed_open_or_create_leaves_nothing() {
    let key = Key::from_raw(testkit::key());
    // A set that is no lock: found out only when the segment has been created.
    let foreign = SemaphoreSet::create(key, &[1; 4], Mode::PRIVATE).unwrap();
    let error = NoteWriter::open_or_create(key, &Wanted::default()).unwrap_err();
    assert_eq!((error.call(), error.errno()), ("semget", Errno::EEXIST));
    assert_eq!(Segment::open(key).unwrap_err().errno(), Errno::ENOENT, "created in vain");
    assert_eq!(foreign.value(3).unwrap(), 1, "what was there stays");
    foreign.remove().unwrap();
    // One that was there stays, whatever fails.
    let segment = Segment::create(key, 100, Mode::PRIVATE).unwrap();
    let foreign = SemaphoreSet::create(key, &[1; 4], Mode::PRIVATE).unwrap();
    NoteWriter::open_or_create(key, &Wanted::default()).unwrap_err();
    assert_eq!(Segment::open(key).unwrap(), segment);
    foreign.remove().unwrap();
    segment.mark_for_removal().unwrap();
}

/// Now and then long enough for the other one, even if both share one processor.
fn wait_a_little(delay: u64) {
    (0..delay).for_each(|_| std::hint::spin_loop());
    if delay.is_multiple_of(8) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn a_note_that_is_withdrawn_takes_no_other_writers_note_along() {
    let wanted = Wanted::default();
    let starting_gun = Segment::create(Key::PRIVATE, 8, Mode::PRIVATE).unwrap();
    let memory = starting_gun.attach_write().unwrap();
    starting_gun.mark_for_removal().unwrap();
    let ready = memory.view().atomic_u32(0).unwrap();
    let (mut withdrawn, mut kept) = (0, 0);
    let mut rounds = testkit::rounds(300, 10_000);
    while rounds.next(withdrawn > 0 && kept > 0).is_some() {
        let key = Key::from_raw(testkit::key());
        let writer = NoteWriter::open_or_create(key, &wanted).unwrap().into_inner();
        ready.store(0, Ordering::SeqCst);
        let other = common::child(|| {
            let open = || NoteWriter::open_or_create(key, &wanted).unwrap().into_inner();
            let (mut other, delay) = (open(), testkit::random_u64() % 2_000);
            ready.store(1, Ordering::SeqCst);
            wait_a_little(delay);
            while let Err(error) = other.put(b"kept", common::LONG) {
                assert_eq!(error.errno(), Errno::EIDRM, "{error}");
                other = open();
            }
        });
        let delay = testkit::random_u64() % 1_000;
        while ready.load(Ordering::SeqCst) == 0 {
            std::hint::spin_loop();
        }
        wait_a_little(delay);
        match writer.withdraw() {
            Ok(true) => withdrawn += 1,
            // It was busy writing just then.
            Ok(false) | Err(_) => kept += 1,
        }
        other.succeed();
        let text = NoteReader::open(key).unwrap().read().unwrap();
        assert_eq!(text.text().unwrap().to_string(), "kept");
        sysv_shm::note::remove(key).unwrap();
    }
    assert!(withdrawn > 0 && kept > 0, "{withdrawn} withdrawn, {kept} not: no race was run");
}

fn open_or_create_of_a_set_copes_with_removal() {
    let key = Key::from_raw(testkit::key());
    let raw = key.raw();
    let peer = testkit::peer(move |_| {
        // SAFETY: numbers only.
        unsafe { libc::semctl(libc::semget(raw, 0, 0), 0, libc::IPC_RMID) };
    });
    for _ in peer.soak(5_000, 50_000) {
        let patience = Duration::from_millis(5);
        if let Err(error) = SemaphoreSet::open_or_create(key, &[1, 2], Mode::PRIVATE, patience) {
            assert_eq!(error.errno(), Errno::EAGAIN, "{error}");
        }
    }
    drop(peer);
    if let Ok(set) = SemaphoreSet::open(key, 2, Duration::ZERO) {
        set.remove().unwrap();
    }
}

fn a_lock_beside_private_is_refused() {
    assert_eq!(Lock::beside(Key::PRIVATE, Mode::PRIVATE).unwrap_err().errno(), Errno::EINVAL);
}

fn key_with_state_in(folder: &testkit::Folder) -> Finished {
    let ours = env!("CARGO_BIN_EXE_sysv-shm");
    Program::run(Command::new(ours).arg("key").env("XDG_STATE_HOME", folder.path()))
}

fn the_own_key_is_made_of_a_regular_file_only() {
    let folder = testkit::folder();
    let (course, file) = (folder.file("ipc-course"), folder.file("ipc-course/sysv-shm.key"));
    fs::create_dir(&course).unwrap();
    nix::unistd::mkfifo(&file, Permissions::S_IRWXU).unwrap();
    assert_eq!(key_with_state_in(&folder).code(), Some(1), "a FIFO that nobody reads");
    fs::remove_file(&file).unwrap();
    symlink(folder.file("elsewhere"), &file).unwrap();
    let refused = key_with_state_in(&folder);
    assert!(refused.stderr.contains("ELOOP"), "{refused:?}");
    assert!(!folder.file("elsewhere").exists());
}

fn the_state_folder_of_another_user_is_refused() {
    let folder = testkit::folder();
    fs::create_dir(folder.file("ipc-course")).unwrap();
    std::os::unix::fs::chown(folder.file("ipc-course"), Some(65534), Some(65534)).unwrap();
    let refused = key_with_state_in(&folder);
    assert_eq!(refused.code(), Some(1));
    assert!(refused.stderr.contains("belongs to somebody else"), "{refused:?}");
}
