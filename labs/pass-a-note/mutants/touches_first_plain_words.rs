//! Fails: races
//!
//! Touches the board first, as touches_first does; then looks for a free slot and takes it in two steps,
//! with plain (volatile) words and without a lock.

use std::fs;
use std::path::Path;
use std::process;
use std::ptr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64};

use ipc_common::key::{Project, ftok};
use ipc_common::{Errno, Error, Key, Result};
use nix::sys::signal::kill;
use nix::unistd::Pid;

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

const RW_FOR_OWNER: u32 = 0o600;
const MARKED_FOR_REMOVAL: u32 = 0o1000;
/// Where a slot keeps its owner.
const AT_OWNER: usize = 8;

// ---- who owns a slot ----

/// A process, as eight bytes that no other process has had since the machine was started: the pid
/// above, the low half of its start time (in clock ticks since boot) below. 0 is nobody.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Owner(u64);

impl Owner {
    /// This process. Asked at each post: after a fork it is another one.
    fn me() -> Owner {
        Owner::of(process::id())
    }

    fn of(pid: u32) -> Owner {
        Owner(u64::from(pid) << 32 | u64::from(started(pid).unwrap_or(0)))
    }

    fn is_dead(self) -> bool {
        let pid = (self.0 >> 32) as u32;
        // Signal 0 asks whether the process is there. EPERM: it is, and somebody else's.
        if kill(Pid::from_raw(pid.cast_signed()), None) == Err(Errno::ESRCH) {
            return true;
        }
        // It is there, but is it the same? Where /proc does not tell, it may be.
        let told = self.0 as u32;
        told != 0 && started(pid).is_some_and(|now| now != told)
    }
}

/// The 22nd field of /proc/PID/stat: see proc_pid_stat(5). The second is a name in brackets that
/// may hold blanks and brackets, so we count from the last bracket on. `None` if /proc does not
/// tell; 0 for a zombie, which is dead though its pid is not free yet.
fn started(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?;
    let ticks: u64 = fields.nth(18)?.parse().ok()?;
    Some(if matches!(state, "Z" | "X") { 0 } else { ticks as u32 })
}

// ---- the segment ----

/// The key and the place of a board.
#[derive(Clone, Copy)]
struct Name {
    key: Key,
}

impl Name {
    fn new(file: &Path, project: i32) -> Result<Name> {
        if !file.has_root() {
            let about = file.display().to_string();
            return Err(Error::refused("ftok", Errno::EINVAL, about)
                .with_remedy("give the path from the root: the folder we are in may change"));
        }
        Ok(Name { key: ftok(file, Project::new(project)?)?.key() })
    }

    fn taken(self, why: &str) -> Error {
        Error::refused("shmget", Errno::EEXIST, format!("key {}", self.key))
            .with_remedy(format!("the segment with this key is not this board: {why}"))
    }

    fn missing(self) -> Error {
        Error::new("shmget", Errno::ENOENT, format!("key {}", self.key))
    }

    fn get(self, size: usize, flags: i32) -> std::result::Result<i32, Errno> {
        // SAFETY: shmget takes no pointer.
        Errno::result(unsafe { libc::shmget(self.key.raw(), size, flags) })
    }

    fn error(self, errno: Errno) -> Error {
        Error::new("shmget", errno, format!("key {}", self.key))
    }
}

/// An attached segment. All access is through checked offsets and atomics.
struct Memory {
    id: i32,
    base: *mut u8,
    len: usize,
}

impl Memory {
    /// `Ok(None)` if it went away, or was marked for removal, before we were attached.
    fn attach(name: Name, id: i32, flags: i32) -> Result<Option<Memory>> {
        let Some((len, mode)) = Memory::stat(id)? else { return Ok(None) };
        if mode & 0o777 != RW_FOR_OWNER {
            return Err(name.taken(&format!("its mode is {:03o}", mode & 0o777)));
        }
        if len < HEADER {
            return Err(name.taken("it is too small"));
        }
        // SAFETY: with a null address the kernel takes a free place.
        let base = unsafe { libc::shmat(id, ptr::null(), flags) };
        if base.addr() == usize::MAX {
            return match Errno::last() {
                Errno::EIDRM | Errno::EINVAL => Ok(None),
                errno => Err(Error::new("shmat", errno, format!("segment {id}"))),
            };
        }
        let memory = Memory { id, base: base.cast(), len };
        // Only an attached segment keeps its id: this look is the one that counts.
        match Memory::stat(id)? {
            Some(seen) if seen == (len, mode) && mode & MARKED_FOR_REMOVAL == 0 => Ok(Some(memory)),
            _ => Ok(None),
        }
    }

    /// Size and mode; `None` if there is no such segment any more.
    fn stat(id: i32) -> Result<Option<(usize, u32)>> {
        let mut found = std::mem::MaybeUninit::<libc::shmid_ds>::uninit();
        // SAFETY: the buffer is a shmid_ds, which IPC_STAT fills.
        match Errno::result(unsafe { libc::shmctl(id, libc::IPC_STAT, found.as_mut_ptr()) }) {
            Ok(_) => {
                // SAFETY: the call succeeded, so it is filled.
                let found = unsafe { found.assume_init() };
                Ok(Some((found.shm_segsz, u32::from(found.shm_perm.mode))))
            }
            Err(Errno::EIDRM | Errno::EINVAL) => Ok(None),
            Err(errno) => Err(Error::new("shmctl", errno, format!("segment {id}"))),
        }
    }

    /// The address of `size` bytes at this offset, if they are inside and aligned.
    fn place(&self, offset: usize, size: usize, align: usize) -> *mut u8 {
        let inside = offset.checked_add(size).is_some_and(|end| end <= self.len);
        assert!(inside && offset.is_multiple_of(align), "{size} bytes at {offset}");
        // SAFETY: inside the attached memory.
        unsafe { self.base.add(offset) }
    }

    fn u32(&self, offset: usize) -> &AtomicU32 {
        // SAFETY: `place` checked bounds and alignment; attached while `self` lives; atomic.
        unsafe { AtomicU32::from_ptr(self.place(offset, 4, 4).cast()) }
    }

    fn u64(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: as above.
        unsafe { AtomicU64::from_ptr(self.place(offset, 8, 8).cast()) }
    }

    fn u8(&self, offset: usize) -> &AtomicU8 {
        // SAFETY: as above.
        unsafe { AtomicU8::from_ptr(self.place(offset, 1, 1)) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: it is attached there, and nothing borrows it any more.
        unsafe { libc::shmdt(self.base.cast()) };
    }
}

// ---- header and slots ----

impl Shape {
    fn is_allowed(self) -> bool {
        let room = self.room;
        (1..=MAX_SLOTS).contains(&self.slots)
            && (8..=MAX_ROOM).contains(&room)
            && room.is_multiple_of(8)
    }

    fn len(self) -> usize {
        self.offset(self.slots)
    }

    fn offset(self, slot: u32) -> usize {
        HEADER + slot as usize * (SLOT_HEADER + self.room as usize)
    }
}

/// The shape in a header that is complete.
fn told(name: Name, memory: &Memory) -> Result<Option<Shape>> {
    match memory.u32(0).load(Acquire) {
        0 => return Ok(None),
        MAGIC => {}
        _ => return Err(name.taken("it does not begin with NOTE")),
    }
    let shape = Shape { slots: memory.u32(8).load(Relaxed), room: memory.u32(12).load(Relaxed) };
    if memory.u32(4).load(Relaxed) != VERSION || !shape.is_allowed() || shape.len() != memory.len {
        return Err(name.taken("its header does not fit it"));
    }
    Ok(Some(shape))
}

/// Writes the header. Several may do so at once: who stores the number of slots first decides, and
/// all others who want the same write the same. The magic comes last.
fn set_up(name: Name, memory: &Memory, shape: Shape) -> Result<()> {
    if memory.len != shape.len() {
        return Err(name.taken(&format!("it has {} bytes", memory.len)));
    }
    match memory.u32(8).compare_exchange(0, shape.slots, AcqRel, Acquire) {
        Err(other) if other != shape.slots => return Err(name.taken("it has other slots")),
        _ => {}
    }
    // Size and slots are the same, so the room is, too.
    memory.u32(12).store(shape.room, Relaxed);
    memory.u32(4).store(VERSION, Relaxed);
    memory.u32(0).store(MAGIC, Release);
    Ok(())
}

// ---- what the lab asks for ----

/// A board that this process may post to: attached read-write until this is dropped.
pub struct Poster {
    memory: Memory,
    shape: Shape,
}

/// A board that this process may only read: attached read-only until this is dropped.
pub struct Reader {
    memory: Memory,
    shape: Shape,
}

impl Poster {
    /// Opens the board of this key file and project, or makes it.
    pub fn open(file: &Path, project: i32, shape: Shape) -> Result<Poster> {
        if !shape.is_allowed() {
            return Err(Error::refused("Poster::open", Errno::EINVAL, format!("{shape:?}")));
        }
        let name = Name::new(file, project)?;
        let new = libc::IPC_CREAT | libc::IPC_EXCL | RW_FOR_OWNER.cast_signed();
        for _ in 0..100 {
            let id = match name.get(shape.len(), new) {
                // Found with size 0, that is, any: so that another size gets an error that says so.
                Err(Errno::EEXIST) => match name.get(0, 0) {
                    Err(Errno::ENOENT) => continue,
                    found => found,
                },
                made => made,
            };
            let id = id.map_err(|errno| name.error(errno))?;
            let Some(memory) = Memory::attach(name, id, 0)? else { continue };
            if told(name, &memory)?.is_none() {
                set_up(name, &memory, shape)?;
            }
            if told(name, &memory)? != Some(shape) {
                return Err(name.taken("it has another shape"));
            }
            return Ok(Poster { memory, shape });
        }
        Err(name.error(Errno::EAGAIN))
    }

    /// Hangs a note with this text in a slot that has none.
    pub fn post(&self, text: &[u8]) -> Result<u32> {
        let refused = |errno| Error::refused("post", errno, format!("{} bytes", text.len()));
        if text.len() >= self.shape.room as usize {
            return Err(refused(Errno::EMSGSIZE));
        }
        if text.contains(&0) {
            return Err(refused(Errno::EINVAL));
        }
        match Memory::stat(self.memory.id)? {
            Some((_, mode)) if mode & MARKED_FOR_REMOVAL == 0 => {}
            _ => return Err(refused(Errno::EIDRM)),
        }
        // A byte that nobody uses is stored as it is: it changes nothing.
        let last = self.memory.u8(self.memory.len - 1);
        let found = last.load(Relaxed);
        let _ = last.compare_exchange(found, found, Relaxed, Relaxed);
        let me = Owner::me();
        let slot = (0..self.shape.slots)
            .find(|slot| self.claim(*slot, me))
            .ok_or_else(|| refused(Errno::ENOSPC))?;
        let at = self.shape.offset(slot);
        let state = self.memory.u32(at);
        state.store(WRITING, Relaxed);
        for (offset, byte) in (at + SLOT_HEADER..).zip(text.iter().chain([&0])) {
            self.memory.u8(offset).store(*byte, Relaxed);
        }
        self.memory.u32(at + 4).store(text.len() as u32, Relaxed);
        // Release: with POSTED, a reader sees all that was stored before.
        state.store(POSTED, Release);
        Ok(slot)
    }

    /// Whether the slot is now mine, alone. An owner keeps his claim after the note is posted, so
    /// what is POSTED is never claimed again: the state is looked at before and after.
    fn claim(&self, slot: u32, me: Owner) -> bool {
        let at = self.shape.offset(slot);
        let state = self.memory.u32(at);
        let owner = self.memory.u64(at + AT_OWNER);
        // Acquire: who sees an owner's claim after a dead one's sees what the dead one stored.
        let found = owner.load(Acquire);
        if state.load(Acquire) == POSTED || (found != 0 && !Owner(found).is_dead()) {
            return false;
        }
        // The dead owner posted it after our look at the state, and died after that? Once he is
        // known to be dead his last store is there to be seen.
        if found != 0 && state.load(Acquire) == POSTED {
            return false;
        }
        // SAFETY: an aligned word of the attached memory.
        unsafe {
            let owner = owner.as_ptr();
            if ptr::read_volatile(owner) != found {
                return false;
            }
            ptr::write_volatile(owner, me.0);
        }
        true
    }
}

impl Reader {
    /// Opens the board of this key file and project for reading.
    pub fn open(file: &Path, project: i32) -> Result<Reader> {
        let name = Name::new(file, project)?;
        let id = name.get(0, 0).map_err(|errno| name.error(errno))?;
        let memory = Memory::attach(name, id, libc::SHM_RDONLY)?.ok_or_else(|| name.missing())?;
        let shape = told(name, &memory)?.ok_or_else(|| name.missing())?;
        Ok(Reader { memory, shape })
    }

    /// The text of the note in this slot.
    pub fn read(&self, slot: u32) -> Result<Option<Vec<u8>>> {
        let refused = |errno| Error::refused("read", errno, format!("slot {slot}"));
        if slot >= self.shape.slots {
            return Err(refused(Errno::EINVAL));
        }
        let at = self.shape.offset(slot);
        if self.memory.u32(at).load(Acquire) != POSTED {
            return Ok(None);
        }
        let length = self.memory.u32(at + 4).load(Relaxed);
        if length >= self.shape.room {
            return Err(refused(Errno::EBADMSG));
        }
        let text = at + SLOT_HEADER..at + SLOT_HEADER + length as usize;
        Ok(Some(text.map(|offset| self.memory.u8(offset).load(Relaxed)).collect()))
    }

    /// All whole notes, in the order of their slots.
    pub fn list(&self) -> Result<Vec<Note>> {
        let whole = (0..self.shape.slots).filter_map(|slot| match self.read(slot) {
            Ok(Some(text)) => Some(Note { slot, text }),
            _ => None,
        });
        Ok(whole.collect())
    }
}

/// Takes the board of this key file and project down. There is nothing beside the segment.
pub fn take_down(file: &Path, project: i32) -> Result<()> {
    let name = Name::new(file, project)?;
    let id = name.get(0, 0).map_err(|errno| name.error(errno))?;
    let memory = Memory::attach(name, id, libc::SHM_RDONLY)?.ok_or_else(|| name.missing())?;
    told(name, &memory)?;
    // As we are attached, the id still means what we looked at.
    // SAFETY: IPC_RMID takes no buffer.
    Errno::result(unsafe { libc::shmctl(id, libc::IPC_RMID, ptr::null_mut()) })
        .map(drop)
        .map_err(|errno| Error::new("shmctl", errno, format!("segment {id}")))
}
