//! Fails: make, read
//!
//! Rounds the size of the segment up to pages of 4096 bytes.

use std::path::Path;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use ipc_common::key::{Project, ftok};
use ipc_common::{Errno, Error, Key, Result};

// ---- given: the numbers of the drawing in README.md, and what goes in and out ----

/// At offset 0 of a board that is set up: the bytes `NOTE`.
pub const MAGIC: u32 = u32::from_ne_bytes(*b"NOTE");
/// At offset 4.
pub const VERSION: u32 = 1;
/// Bytes before the first slot.
pub const HEADER: usize = 32;
/// Bytes of a slot before its text.
pub const SLOT_HEADER: usize = 16;
/// A slot's state: nothing in it. New memory is all zero, so all slots begin as this.
pub const FREE: u32 = 0;
/// A slot's state: somebody is writing, or died while writing. Nobody reads it.
pub const WRITING: u32 = 1;
/// A slot's state: a whole note, which never changes again.
pub const POSTED: u32 = 2;
/// A board has 1 to this many slots.
pub const MAX_SLOTS: u32 = 65_536;
/// The room for text in each slot is a multiple of 8, from 8 to this many bytes.
pub const MAX_ROOM: u32 = 16 * 1024 * 1024;

/// How large a board is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// How many notes it holds.
    pub slots: u32,
    /// Bytes for the text of each, with the NUL that ends it: the longest text is one shorter.
    pub room: u32,
}

/// A note as a reader gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The slot it hangs in.
    pub slot: u32,
    /// Its text, without the NUL.
    pub text: Vec<u8>,
}

// ---- the parts of the drawing ----

const AT_MAGIC: usize = 0;
const AT_VERSION: usize = 4;
const AT_SLOTS: usize = 8;
const AT_ROOM: usize = 12;
/// From the start of a slot.
const AT_LENGTH: usize = 4;

/// Only the owner may use a board.
const MODE: i32 = 0o600;
/// The nine bits that say who may do what.
const MODE_BITS: u32 = 0o777;
/// `SHM_DEST` of shmctl(2): marked for removal.
const MARKED: u32 = 0o1000;
/// How often opening begins again, when others take boards down all the time.
const ROUNDS: usize = 100;

impl Shape {
    /// The size of the whole segment.
    fn size(self) -> Result<usize> {
        let room_fits = (8..=MAX_ROOM).contains(&self.room) && self.room.is_multiple_of(8);
        if !(1..=MAX_SLOTS).contains(&self.slots) || !room_fits {
            return Err(Error::refused("Poster::open", Errno::EINVAL, format!("{self:?}"))
                .with_remedy("this many slots, or this much room, no board can have"));
        }
        Ok(self.slot(self.slots).next_multiple_of(4096))
    }

    /// Where this slot begins. 65,536 slots of 16 MiB are 2^40 bytes, which a usize holds.
    fn slot(self, number: u32) -> usize {
        HEADER + number as usize * (SLOT_HEADER + self.room as usize)
    }
}

/// The key of this file, which a relative path cannot name for good.
fn key_of(file: &Path, project: i32) -> Result<Key> {
    if file.is_relative() {
        return Err(Error::refused("ftok", Errno::EINVAL, file.display().to_string()).with_remedy(
            "a relative path names another file in each folder; give it from the root",
        ));
    }
    Ok(ftok(file, Project::new(project)?)?.key())
}

fn stranger(key: Key, why: String) -> Error {
    Error::refused("shmget", Errno::EEXIST, format!("key {key}")).with_remedy(why)
}

/// Whether the object went away between two of our calls: normal, when others remove it.
fn has_gone(error: &Error) -> bool {
    matches!(error.errno(), Errno::EIDRM | Errno::EINVAL | Errno::ENOENT)
}

// ---- the segment ----

/// An attached segment, detached on drop.
struct Attached {
    id: i32,
    start: NonNull<u8>,
    size: usize,
}

impl Attached {
    /// The segment that has this key now. `None` if none has, or if it went while we looked.
    fn find(key: Key, access: i32) -> Result<Option<Attached>> {
        // SAFETY: shmget takes no pointer. Size 0: whatever size it has.
        match unsafe { libc::shmget(key.raw(), 0, 0) } {
            -1 => match Error::last("shmget", format!("key {key}")) {
                error if error.errno() == Errno::ENOENT => Ok(None),
                error => Err(error),
            },
            id => Attached::attach(key, id, access),
        }
    }

    fn attach(key: Key, id: i32, access: i32) -> Result<Option<Attached>> {
        // Before anything is attached: a segment of another mode is none of ours.
        let mode = match stat(id) {
            Err(error) if has_gone(&error) => return Ok(None),
            found => u32::from(found?.shm_perm.mode) & MODE_BITS,
        };
        if mode != MODE.cast_unsigned() {
            return Err(stranger(key, format!("the segment there has mode {mode:03o}, not 600")));
        }
        // SAFETY: address null and no SHM_REMAP: the kernel chooses a place that is free.
        let start = unsafe { libc::shmat(id, ptr::null(), access) };
        if start.addr() == usize::MAX {
            let error = Error::last("shmat", format!("segment {id}"));
            return if has_gone(&error) { Ok(None) } else { Err(error) };
        }
        let start = NonNull::new(start.cast::<u8>()).expect("shmat never attaches at null");
        let mut attached = Attached { id, start, size: 0 };
        // As long as we are attached, the id means this segment, and its size never changes.
        let found = stat(id)?;
        attached.size = found.shm_segsz;
        if u32::from(found.shm_perm.mode) & MARKED != 0 {
            return Ok(None);
        }
        Ok(Some(attached))
    }

    fn word(&self, at: usize) -> &AtomicU32 {
        assert!(at.is_multiple_of(4) && at < self.size && self.size - at >= 4);
        // SAFETY: in bounds and aligned (a segment begins on a page), and attached for as long as
        // `self` is borrowed. Other processes may store here at any time: hence the atomic.
        unsafe { AtomicU32::from_ptr(self.start.as_ptr().add(at).cast()) }
    }

    fn bytes(&self, at: usize, len: usize) -> &[AtomicU8] {
        assert!(at <= self.size && len <= self.size - at);
        // SAFETY: as in `word`; an AtomicU8 has the size and alignment of a byte.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().add(at).cast(), len) }
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        // SAFETY: `start` came from shmat, and no borrow of the memory is left.
        unsafe { libc::shmdt(self.start.as_ptr().cast()) };
    }
}

fn stat(id: i32) -> Result<libc::shmid_ds> {
    // SAFETY: all bytes zero is a shmid_ds, and IPC_STAT fills one in.
    unsafe {
        let mut found: libc::shmid_ds = std::mem::zeroed();
        match libc::shmctl(id, libc::IPC_STAT, &raw mut found) {
            -1 => Err(Error::last("shmctl", format!("segment {id}"))),
            _ => Ok(found),
        }
    }
}

/// The shape that the header tells, if it can be true. `None` if the board is not set up yet.
fn shape_of(key: Key, segment: &Attached) -> Result<Option<Shape>> {
    if segment.size < HEADER {
        return Err(stranger(key, format!("the segment there has only {} bytes", segment.size)));
    }
    // Acquire: with the magic, the rest of the header is seen.
    match segment.word(AT_MAGIC).load(Ordering::Acquire) {
        MAGIC => {}
        0 => return Ok(None),
        magic => return Err(stranger(key, format!("its magic is {magic:#010x}: no board"))),
    }
    let load = |at| segment.word(at).load(Ordering::Relaxed);
    let version = load(AT_VERSION);
    if version != VERSION {
        return Err(stranger(key, format!("the board there has version {version}")));
    }
    let shape = Shape { slots: load(AT_SLOTS), room: load(AT_ROOM) };
    match shape.size() {
        Ok(size) if size == segment.size => Ok(Some(shape)),
        _ => Err(stranger(key, format!("{} bytes are no board of {shape:?}", segment.size))),
    }
}

// ---- the lock ----

/// A semaphore set with the key of the board. Its one semaphore is 0 when nobody has the lock.
struct Lock {
    id: i32,
    made_here: bool,
}

impl Lock {
    fn open(key: Key) -> Result<Lock> {
        let about = || format!("key {key}");
        for _ in 0..ROUNDS {
            // SAFETY: semget takes no pointer.
            let made =
                unsafe { libc::semget(key.raw(), 1, libc::IPC_CREAT | libc::IPC_EXCL | MODE) };
            if made != -1 {
                return Ok(Lock { id: made, made_here: true });
            }
            match Error::last("semget", about()) {
                error if error.errno() == Errno::EEXIST => {}
                error => return Err(error),
            }
            // SAFETY: as above.
            match unsafe { libc::semget(key.raw(), 0, 0) } {
                -1 if Errno::last() == Errno::ENOENT => {}
                -1 => return Err(Error::last("semget", about())),
                id => match Lock::is_one_of_ours(id) {
                    Err(error) if has_gone(&error) => {}
                    Ok(false) => {
                        return Err(Error::refused("semget", Errno::EEXIST, about())
                            .with_remedy("the semaphores with this key serve something else"));
                    }
                    ours => return ours.map(|_| Lock { id, made_here: false }),
                },
            }
        }
        Err(Error::refused("semget", Errno::EAGAIN, about()))
    }

    /// One semaphore, for the owner only.
    fn is_one_of_ours(id: i32) -> Result<bool> {
        // SAFETY: all bytes zero is a semid_ds, and IPC_STAT fills one in.
        let found = unsafe {
            let mut found: libc::semid_ds = std::mem::zeroed();
            if libc::semctl(id, 0, libc::IPC_STAT, &raw mut found) == -1 {
                return Err(Error::last("semctl", format!("set {id}")));
            }
            found
        };
        let mode = u32::from(found.sem_perm.mode) & MODE_BITS;
        Ok(found.sem_nsems == 1 && mode == MODE.cast_unsigned())
    }

    /// Waits for the lock. `EIDRM` or `EINVAL` if the set was removed.
    fn hold(&self) -> Result<Held<'_>> {
        // In one step: wait until it is 0, make it 1; and -1 when this process dies.
        self.apply(&mut [op(0, 0), op(1, libc::SEM_UNDO)])?;
        Ok(Held { lock: self })
    }

    fn apply(&self, ops: &mut [libc::sembuf]) -> Result<()> {
        loop {
            // SAFETY: `ops` are that many sembufs.
            if unsafe { libc::semop(self.id, ops.as_mut_ptr(), ops.len()) } == 0 {
                return Ok(());
            }
            match Error::last("semop", format!("set {}", self.id)) {
                error if error.errno() == Errno::EINTR => {}
                error => return Err(error),
            }
        }
    }

    /// Wakes all who wait for it with `EIDRM`.
    fn remove(&self) {
        // SAFETY: IPC_RMID takes no further argument. It fails only if somebody was faster.
        unsafe { libc::semctl(self.id, 0, libc::IPC_RMID) };
    }
}

struct Held<'a> {
    lock: &'a Lock,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let flags = libc::SEM_UNDO | libc::IPC_NOWAIT;
        // It fails only if the set is gone, and the lock with it.
        let _ = self.lock.apply(&mut [op(-1, flags)]);
    }
}

fn op(change: i16, flags: i32) -> libc::sembuf {
    libc::sembuf { sem_num: 0, sem_op: change, sem_flg: flags as i16 }
}

// ---- the board ----

/// A board that this process may post to: attached read-write until this is dropped.
pub struct Poster {
    segment: Attached,
    shape: Shape,
    lock: Lock,
}

/// A board that this process may only read: attached read-only until this is dropped.
pub struct Reader {
    segment: Attached,
    shape: Shape,
}

impl Poster {
    /// Opens the board of this key file and project, or makes it.
    pub fn open(file: &Path, project: i32, shape: Shape) -> Result<Poster> {
        let key = key_of(file, project)?;
        shape.size()?;
        for _ in 0..ROUNDS {
            // A stranger's segment is refused before anything is made beside it.
            if let Some(segment) = Attached::find(key, libc::SHM_RDONLY)? {
                check(key, &segment, shape)?;
            }
            let lock = Lock::open(key)?;
            let held = match lock.hold() {
                // Taken down between our two calls.
                Err(error) if has_gone(&error) => continue,
                held => held?,
            };
            let found = find_or_make(key, shape);
            if found.is_err() && lock.made_here {
                lock.remove();
            }
            let Some(segment) = found? else { continue };
            drop(held);
            return Ok(Poster { segment, shape, lock });
        }
        Err(Error::refused("shmget", Errno::EAGAIN, format!("key {key}"))
            .with_remedy("others take this board down all the time"))
    }

    /// Hangs a note with this text in a slot that has none.
    pub fn post(&self, text: &[u8]) -> Result<u32> {
        let refuse = |errno| Error::refused("post", errno, format!("{} bytes", text.len()));
        if text.len() >= self.shape.room as usize {
            return Err(refuse(Errno::EMSGSIZE));
        }
        if text.contains(&0) {
            return Err(refuse(Errno::EINVAL).with_remedy("a NUL ends the text of a note"));
        }
        let _held = match self.lock.hold() {
            // The lock goes when the board is taken down.
            Err(error) if has_gone(&error) => return Err(refuse(Errno::EIDRM)),
            held => held?,
        };
        if u32::from(stat(self.segment.id)?.shm_perm.mode) & MARKED != 0 {
            return Err(refuse(Errno::EIDRM));
        }
        // We have the lock: a slot in which somebody is WRITING is a dead one's, and free.
        let state = |slot| self.segment.word(self.shape.slot(slot));
        let slot = (0..self.shape.slots)
            .find(|slot| state(*slot).load(Ordering::Relaxed) != POSTED)
            .ok_or_else(|| refuse(Errno::ENOSPC))?;
        state(slot).store(WRITING, Ordering::Relaxed);
        let at = self.shape.slot(slot);
        let room = self.segment.bytes(at + SLOT_HEADER, text.len() + 1);
        for (to, from) in room.iter().zip(text.iter().chain([&0])) {
            to.store(*from, Ordering::Relaxed);
        }
        self.segment.word(at + AT_LENGTH).store(text.len() as u32, Ordering::Relaxed);
        // Release: who sees POSTED sees the text.
        state(slot).store(POSTED, Ordering::Release);
        Ok(slot)
    }
}

/// The board under the lock. `None` if it went while we looked.
fn find_or_make(key: Key, shape: Shape) -> Result<Option<Attached>> {
    let size = shape.size()?;
    // SAFETY: shmget takes no pointer.
    let made = unsafe { libc::shmget(key.raw(), size, libc::IPC_CREAT | libc::IPC_EXCL | MODE) };
    let segment = match made {
        -1 => match Error::last("shmget", format!("key {key}, {size} bytes")) {
            error if error.errno() == Errno::EEXIST => Attached::find(key, 0)?,
            error => return Err(error),
        },
        id => Attached::attach(key, id, 0)?,
    };
    let Some(segment) = segment else { return Ok(None) };
    if !check(key, &segment, shape)? {
        segment.word(AT_VERSION).store(VERSION, Ordering::Relaxed);
        segment.word(AT_SLOTS).store(shape.slots, Ordering::Relaxed);
        segment.word(AT_ROOM).store(shape.room, Ordering::Relaxed);
        segment.word(AT_MAGIC).store(MAGIC, Ordering::Release);
    }
    Ok(Some(segment))
}

/// Whether this board is set up. An error if it is a stranger's, or of another shape.
fn check(key: Key, segment: &Attached, shape: Shape) -> Result<bool> {
    let size = shape.size()?;
    if segment.size != size {
        return Err(stranger(key, format!("it has {} bytes, not {size}", segment.size)));
    }
    match shape_of(key, segment)? {
        Some(found) if found != shape => {
            Err(stranger(key, format!("the board there is {found:?}")))
        }
        found => Ok(found.is_some()),
    }
}

impl Reader {
    /// Opens the board of this key file and project for reading.
    pub fn open(file: &Path, project: i32) -> Result<Reader> {
        let key = key_of(file, project)?;
        let missing = || Error::new("shmget", Errno::ENOENT, format!("key {key}"));
        let segment = Attached::find(key, libc::SHM_RDONLY)?.ok_or_else(missing)?;
        let shape = shape_of(key, &segment)?.ok_or_else(missing)?;
        Ok(Reader { segment, shape })
    }

    /// The text of the note in this slot.
    pub fn read(&self, slot: u32) -> Result<Option<Vec<u8>>> {
        if slot >= self.shape.slots {
            return Err(Error::refused("read", Errno::EINVAL, format!("slot {slot}"))
                .with_remedy(format!("the slots are 0 to {}", self.shape.slots - 1)));
        }
        let at = self.shape.slot(slot);
        // Acquire: a note that is POSTED is whole, and stays so.
        if self.segment.word(at).load(Ordering::Acquire) != POSTED {
            return Ok(None);
        }
        // Loaded once: a stranger may change it after the check.
        let length = self.segment.word(at + AT_LENGTH).load(Ordering::Relaxed);
        if length >= self.shape.room {
            return Err(Error::refused("read", Errno::EBADMSG, format!("slot {slot}"))
                .with_remedy(format!("it says that it holds {length} bytes, which cannot be")));
        }
        let text = self.segment.bytes(at + SLOT_HEADER, length as usize);
        Ok(Some(text.iter().map(|byte| byte.load(Ordering::Relaxed)).collect()))
    }

    /// All whole notes, in the order of their slots.
    pub fn list(&self) -> Result<Vec<Note>> {
        let read = |slot| Some(Note { slot, text: self.read(slot).ok()?? });
        Ok((0..self.shape.slots).filter_map(read).collect())
    }
}

/// Takes the board of this key file and project down.
pub fn take_down(file: &Path, project: i32) -> Result<()> {
    let key = key_of(file, project)?;
    let missing = || Error::new("shmget", Errno::ENOENT, format!("key {key}"));
    // Looked at before a lock is made for it: there may be no board, or a stranger's segment.
    let segment = Attached::find(key, libc::SHM_RDONLY)?.ok_or_else(missing)?;
    shape_of(key, &segment)?;
    drop(segment);
    let lock = Lock::open(key)?;
    let held = match lock.hold() {
        Err(error) if has_gone(&error) => return Err(missing()),
        held => held?,
    };
    // Looked at again: under the lock nobody takes it down or makes another.
    let removed = Attached::find(key, libc::SHM_RDONLY).and_then(|segment| {
        let segment = segment.ok_or_else(missing)?;
        shape_of(key, &segment)?;
        // SAFETY: IPC_RMID takes no buffer.
        match unsafe { libc::shmctl(segment.id, libc::IPC_RMID, ptr::null_mut()) } {
            -1 => Err(Error::last("shmctl", format!("segment {}", segment.id))),
            _ => Ok(()),
        }
    });
    // Who waits for the lock is woken; what we hold goes with it.
    if removed.is_ok() || lock.made_here {
        lock.remove();
    }
    drop(held);
    removed
}
