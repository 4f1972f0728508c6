//! Fails: races
//!
//! Touches the board first, as touches_first does; then posters keep each other out with a Mutex of the
//! standard library, which is another one in each process.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use ipc_common::key::{FtokKey, Project, ftok};
use ipc_common::{Errno, Error, Key, Result};

/// One at a time.
static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());

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

// ---- the drawing, as the compiler sees it ----

/// The first [`HEADER`] bytes.
#[repr(C)]
struct Header {
    magic: AtomicU32,
    version: AtomicU32,
    slots: AtomicU32,
    room: AtomicU32,
    yours: [AtomicU32; 4],
}

/// The first [`SLOT_HEADER`] bytes of each slot.
#[repr(C)]
struct Slot {
    state: AtomicU32,
    length: AtomicU32,
    yours: [AtomicU32; 2],
}

const _: () = assert!(size_of::<Header>() == HEADER && size_of::<Slot>() == SLOT_HEADER);

const MODE: u32 = 0o600;
/// Marked for removal: shmctl(2).
const SHM_DEST: u32 = 0o1000;

impl Shape {
    fn is_possible(self) -> bool {
        (1..=MAX_SLOTS).contains(&self.slots)
            && (8..=MAX_ROOM).contains(&self.room)
            && self.room.is_multiple_of(8)
    }

    fn stride(self) -> usize {
        SLOT_HEADER + self.room as usize
    }

    fn size(self) -> usize {
        HEADER + self.slots as usize * self.stride()
    }
}

// ---- the key file: what gives the key, and what is locked ----

struct KeyFile {
    key: Key,
}

impl KeyFile {
    fn open(path: &Path, project: i32) -> Result<KeyFile> {
        let about = || path.display().to_string();
        if !path.is_absolute() {
            return Err(Error::refused("ftok", Errno::EINVAL, about())
                .with_remedy("a relative path depends on the folder we stand in"));
        }
        let project = Project::new(project)?;
        loop {
            let made = ftok(path, project)?;
            let file = File::open(path).map_err(|error| Error::from_io("open", &error, about()))?;
            // An editor may have put a new file there in between: then the lock would be on one
            // file and the key from the other.
            if is_same(&file, &made) {
                return Ok(KeyFile { key: made.key() });
            }
        }
    }

    /// Waits for the lock.
    fn lock(&self) -> Result<std::sync::MutexGuard<'static, ()>> {
        ONE_AT_A_TIME
            .lock()
            .map_err(|_| Error::refused("lock", Errno::EDEADLK, format!("key {}", self.key)))
    }
}

fn is_same(file: &File, made: &FtokKey) -> bool {
    file.metadata().is_ok_and(|it| it.ino() == made.inode() && it.dev() == made.device())
}

// ---- the segment ----

/// Looks at a segment without attaching it.
fn look(id: i32) -> Result<libc::shmid_ds> {
    // SAFETY: all bytes zero is a shmid_ds.
    let mut found: libc::shmid_ds = unsafe { std::mem::zeroed() };
    // SAFETY: IPC_STAT writes one shmid_ds.
    match unsafe { libc::shmctl(id, libc::IPC_STAT, &raw mut found) } {
        0 => Ok(found),
        _ => Err(Error::last("shmctl", format!("segment {id}"))),
    }
}

fn mode(found: &libc::shmid_ds) -> u32 {
    u32::from(found.shm_perm.mode)
}

/// The segment that has this key.
fn id_of(key: Key) -> Result<i32> {
    // SAFETY: no pointers.
    match unsafe { libc::shmget(key.raw(), 0, 0) } {
        -1 => Err(Error::last("shmget", format!("key {key}"))),
        id => Ok(id),
    }
}

fn not_ours(key: Key, why: impl Into<String>) -> Error {
    Error::refused("shmget", Errno::EEXIST, format!("key {key}")).with_remedy(why.into())
}

/// A board in this process's memory. Its shape is our own copy: the header may be overwritten.
struct Board {
    id: i32,
    start: NonNull<u8>,
    shape: Shape,
}

impl Board {
    /// Attaches segment `id` if it can be a board. `None` if it is not set up yet, unless
    /// `set_up` says as what, and that we have the lock.
    fn attach(key: Key, id: i32, flags: i32, set_up: Option<Shape>) -> Result<Option<Board>> {
        let found = look(id)?;
        let size = found.shm_segsz;
        if mode(&found) & 0o777 != MODE || size < HEADER {
            let why = format!("{size} bytes with mode {:03o}: no board", mode(&found) & 0o777);
            return Err(not_ours(key, why));
        }
        // SAFETY: the kernel chooses the place, which is free.
        let start = unsafe { libc::shmat(id, ptr::null(), flags) };
        if start == usize::MAX as *mut libc::c_void {
            return Err(Error::last("shmat", format!("segment {id}")));
        }
        let start = NonNull::new(start.cast()).expect("shmat never attaches at null");
        // From here on `board` detaches when dropped. Until its shape is known it has no slots.
        let mut board = Board { id, start, shape: Shape { slots: 0, room: 0 } };
        // Looked at once more, as the id may have come to mean another segment before the attach.
        let again = look(id)?;
        if again.shm_segsz != size
            || mode(&again) & 0o777 != MODE
            || again.shm_perm.__key != key.raw()
        {
            return Err(Error::refused("shmat", Errno::EIDRM, format!("segment {id}")));
        }
        let header = board.header();
        let read = |word: &AtomicU32| word.load(Ordering::Relaxed);
        match (header.magic.load(Ordering::Acquire), set_up) {
            (MAGIC, _) => {}
            (0, Some(shape)) if shape.size() == size => {
                header.version.store(VERSION, Ordering::Relaxed);
                header.slots.store(shape.slots, Ordering::Relaxed);
                header.room.store(shape.room, Ordering::Relaxed);
                header.magic.store(MAGIC, Ordering::Release);
            }
            (0, None) => return Ok(None),
            _ => return Err(not_ours(key, "it does not begin as a board does")),
        }
        let shape = Shape { slots: read(&header.slots), room: read(&header.room) };
        if read(&header.version) != VERSION || !shape.is_possible() || shape.size() != size {
            return Err(not_ours(key, format!("{size} bytes are no board of {shape:?}")));
        }
        board.shape = shape;
        Ok(Some(board))
    }

    fn header(&self) -> &Header {
        // SAFETY: `attach` made sure of HEADER bytes, a segment begins on a page, and all fields
        // are atomics, which strangers may change. Attached as long as `self` is borrowed.
        unsafe { self.start.cast().as_ref() }
    }

    fn slot(&self, number: u32) -> &Slot {
        // SAFETY: `at` is in bounds, and a multiple of 8; all fields are atomics, as above.
        unsafe { self.start.add(self.at(number)).cast().as_ref() }
    }

    /// The text of a slot: all of its room.
    fn text(&self, number: u32) -> &[AtomicU8] {
        let text = self.at(number) + SLOT_HEADER;
        // SAFETY: the slot is in bounds, and its room ends where the slot does; atomics, as above.
        unsafe {
            NonNull::slice_from_raw_parts(self.start.add(text).cast(), self.shape.room as usize)
                .as_ref()
        }
    }

    /// Where a slot begins.
    fn at(&self, number: u32) -> usize {
        assert!(number < self.shape.slots, "slot {number} of {}", self.shape.slots);
        HEADER + number as usize * self.shape.stride()
    }

    /// Stores a byte that nobody uses, as it is: it changes nothing.
    fn touch(&self) {
        let last = self.text(self.shape.slots - 1).last().expect("a room is not empty");
        let found = last.load(Ordering::Relaxed);
        let _ = last.compare_exchange(found, found, Ordering::Relaxed, Ordering::Relaxed);
    }

    fn is_taken_down(&self) -> bool {
        look(self.id).map_or(true, |found| mode(&found) & SHM_DEST != 0)
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        // SAFETY: the address is shmat's, and all references into it borrowed `self`.
        unsafe { libc::shmdt(self.start.as_ptr().cast()) };
    }
}

// ---- what the lab asks for ----

/// A board that this process may post to: attached read-write until this is dropped.
pub struct Poster {
    board: Board,
    file: KeyFile,
}

/// A board that this process may only read: attached read-only until this is dropped.
pub struct Reader {
    board: Board,
}

impl Poster {
    /// Opens the board of this key file and project, or makes it.
    pub fn open(file: &Path, project: i32, shape: Shape) -> Result<Poster> {
        let about = || format!("{shape:?}");
        if !shape.is_possible() {
            return Err(Error::refused("Poster::open", Errno::EINVAL, about()));
        }
        let file = KeyFile::open(file, project)?;
        // Under the lock nobody makes, sets up or takes down a board of this file but us.
        let lock = file.lock()?;
        // SAFETY: no pointers.
        let made = unsafe {
            let flags = libc::IPC_CREAT | libc::IPC_EXCL | MODE.cast_signed();
            libc::shmget(file.key.raw(), shape.size(), flags)
        };
        let id = match made {
            -1 if Errno::last() == Errno::EEXIST => id_of(file.key)?,
            -1 => return Err(Error::last("shmget", format!("key {}, {}", file.key, about()))),
            id => id,
        };
        let board = Board::attach(file.key, id, 0, Some(shape))?
            .filter(|board| board.shape == shape)
            .ok_or_else(|| not_ours(file.key, "the board there has another shape"))?;
        drop(lock);
        Ok(Poster { board, file })
    }

    /// Hangs a note with this text in a slot that has none.
    pub fn post(&self, text: &[u8]) -> Result<u32> {
        let fail = |errno| Err(Error::refused("post", errno, format!("{} bytes", text.len())));
        if text.len() >= self.board.shape.room as usize {
            return fail(Errno::EMSGSIZE);
        }
        if text.contains(&0) {
            return fail(Errno::EINVAL);
        }
        self.board.touch();
        let _lock = self.file.lock()?;
        if self.board.is_taken_down() {
            return fail(Errno::EIDRM);
        }
        for number in 0..self.board.shape.slots {
            let slot = self.board.slot(number);
            // WRITING: its writer had this lock, and died.
            if slot.state.load(Ordering::Relaxed) == POSTED {
                continue;
            }
            slot.state.store(WRITING, Ordering::Relaxed);
            let room = self.board.text(number);
            for (to, from) in room.iter().zip(text) {
                to.store(*from, Ordering::Relaxed);
            }
            room[text.len()].store(0, Ordering::Relaxed);
            slot.length.store(text.len() as u32, Ordering::Relaxed);
            // Release: who sees POSTED sees all of the above.
            slot.state.store(POSTED, Ordering::Release);
            return Ok(number);
        }
        fail(Errno::ENOSPC)
    }
}

impl Reader {
    /// Opens the board of this key file and project for reading.
    pub fn open(file: &Path, project: i32) -> Result<Reader> {
        let key = KeyFile::open(file, project)?.key;
        let missing = || Error::new("shmget", Errno::ENOENT, format!("key {key}"));
        match Board::attach(key, id_of(key)?, libc::SHM_RDONLY, None) {
            // Taken down between our calls.
            Err(error) if matches!(error.errno(), Errno::EIDRM | Errno::EINVAL) => Err(missing()),
            found => Ok(Reader { board: found?.ok_or_else(missing)? }),
        }
    }

    /// The text of the note in this slot.
    pub fn read(&self, slot: u32) -> Result<Option<Vec<u8>>> {
        let fail = |errno| Err(Error::refused("read", errno, format!("slot {slot}")));
        if slot >= self.board.shape.slots {
            return fail(Errno::EINVAL);
        }
        // Acquire: with POSTED comes the whole note.
        if self.board.slot(slot).state.load(Ordering::Acquire) != POSTED {
            return Ok(None);
        }
        let length = self.board.slot(slot).length.load(Ordering::Relaxed) as usize;
        // The last byte of the room is for the NUL.
        match self.board.text(slot).split_last() {
            Some((_, room)) if length <= room.len() => {
                Ok(Some(room[..length].iter().map(|byte| byte.load(Ordering::Relaxed)).collect()))
            }
            _ => fail(Errno::EBADMSG),
        }
    }

    /// All whole notes, in the order of their slots.
    pub fn list(&self) -> Result<Vec<Note>> {
        let mut notes = Vec::new();
        for slot in 0..self.board.shape.slots {
            if let Ok(Some(text)) = self.read(slot) {
                notes.push(Note { slot, text });
            }
        }
        Ok(notes)
    }
}

/// Takes the board of this key file and project down.
pub fn take_down(file: &Path, project: i32) -> Result<()> {
    let file = KeyFile::open(file, project)?;
    let _lock = file.lock()?;
    let id = id_of(file.key)?;
    // What is no board is left alone.
    Board::attach(file.key, id, libc::SHM_RDONLY, None)?;
    // SAFETY: IPC_RMID takes no buffer.
    match unsafe { libc::shmctl(id, libc::IPC_RMID, ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(Error::last("shmctl", format!("segment {id}"))),
    }
}
