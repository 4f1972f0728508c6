//! Attaching and detaching a System V segment.

use std::hint::black_box;
use std::mem::MaybeUninit;
use std::ptr;

use ipc_common::view::WriteView;

use super::{On, Who, Work};

/// A segment that is gone when this process is: marked for removal, and attached.
pub struct Segment(sysv_shm::AttachedWrite);

impl Segment {
    /// A segment of `bytes` bytes, all touched.
    ///
    /// # Errors
    ///
    /// Those of shmget(2) and shmat(2).
    pub fn new(bytes: usize) -> ipc_common::Result<Segment> {
        let private = sysv_shm::Mode::PRIVATE;
        let segment = sysv_shm::Segment::create(ipc_common::Key::PRIVATE, bytes, private)?;
        let attached = segment.attach_write();
        // Whether or not that went well.
        segment.mark_for_removal()?;
        let attached = attached?;
        attached.view().fill(0, bytes, 1)?;
        Ok(Segment(attached))
    }

    /// Its memory.
    pub fn view(&self) -> WriteView<'_> {
        self.0.view()
    }

    /// By this, children of this process attach it.
    pub fn id(&self) -> i32 {
        self.0.segment().id()
    }
}

pub(super) fn attach(who: Who, on: &On) -> Option<Work> {
    let id = on.segment;
    Some(match who {
        Who::Ours => {
            let segment = sysv_shm::Segment::open_by_id(id);
            Box::new(move || {
                let attached = segment.attach_read().expect("it is there");
                let mut byte = [0];
                attached.view().read(0, &mut byte).expect("it has a byte");
                black_box(byte);
            })
        }
        Who::Bare | Who::Careless => Box::new(move || by_hand(id, who == Who::Bare)),
        _ => return None,
    })
}

fn by_hand(id: i32, ask: bool) {
    // SAFETY: attached wherever the kernel likes, looked at, and detached before anybody else has
    // seen the address.
    unsafe {
        let start = libc::shmat(id, ptr::null(), libc::SHM_RDONLY);
        assert!(start.addr() != usize::MAX, "shmat");
        if ask {
            let mut found = MaybeUninit::<libc::shmid_ds>::uninit();
            assert_eq!(libc::shmctl(id, libc::IPC_STAT, found.as_mut_ptr()), 0, "shmctl");
            black_box(found.assume_init().shm_segsz);
        }
        black_box(start.cast::<u8>().read_volatile());
        assert_eq!(libc::shmdt(start), 0, "shmdt");
    }
}
