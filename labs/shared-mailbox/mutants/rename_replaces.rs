//! Fails: never-empty
//!
//! Plain rename: who comes second replaces the file that another has made, and maps, already.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU8, AtomicU32, fence};
use std::time::{Duration, Instant};
use std::{io, process, thread};

use ipc_common::{Errno, Error, Result};

// ---- given: the numbers of the drawing in README.md, and what goes in and out ----

/// The first eight bytes of a mailbox.
pub const MAGIC: [u8; 8] = *b"MAILBOX1";
/// Bytes before the text.
pub const HEADER: usize = 64;
/// Where the capacity stands: a u32, as all numbers here, in the byte order of the machine.
pub const AT_CAPACITY: usize = 8;
/// Where the sequence stands: 0 before the first message, odd while one is written.
pub const AT_SEQUENCE: usize = 12;
/// Where the length of the text stands.
pub const AT_LENGTH: usize = 16;
/// From here to [`HEADER`] the bytes are yours to use. They begin as zeros.
pub const AT_YOURS: usize = 20;
/// A mailbox has room for 1 to this many bytes of text.
pub const MAX_CAPACITY: u32 = 64 * 1024 * 1024;

/// A message as a reader gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The sequence that stood in the mailbox with it: even, and another one for each message.
    pub sequence: u32,
    /// All of its bytes.
    pub text: Vec<u8>,
}

// ---- the drawing, as the compiler sees it ----

/// The first [`HEADER`] bytes.
#[repr(C)]
struct Header {
    magic: [AtomicU8; 8],
    capacity: AtomicU32,
    sequence: AtomicU32,
    length: AtomicU32,
    yours: [AtomicU32; 11],
}

const _: () = assert!(size_of::<Header>() == HEADER);

/// How long a reader waits for the lock.
const PATIENCE: Duration = Duration::from_millis(900);

// ---- the file ----

/// A path, and the capacity that is wanted there.
struct Place<'a> {
    path: &'a Path,
    capacity: u32,
}

impl Place<'_> {
    fn new(path: &Path, capacity: u32) -> Result<Place<'_>> {
        let place = Place { path, capacity };
        if capacity == 0 || capacity > MAX_CAPACITY {
            return Err(place.refused(Errno::EINVAL, format!("no mailbox holds {capacity} bytes")));
        }
        Ok(place)
    }

    fn len(&self) -> usize {
        HEADER + self.capacity as usize
    }

    fn refused(&self, errno: Errno, why: String) -> Error {
        Error::refused("open", errno, self.path.display().to_string()).with_remedy(why)
    }

    fn failed(&self, call: &'static str) -> impl Fn(io::Error) -> Error {
        let about = self.path.display().to_string();
        move |error| Error::from_io(call, &error, about.clone())
    }

    /// The mailbox, made if need be, by whichever of `Writer` and `Reader` comes first.
    fn open(&self, write: bool) -> Result<File> {
        for _ in 0..100 {
            // Not followed if it is a link; not waited for if it is a FIFO.
            let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
            match OpenOptions::new().read(true).write(write).custom_flags(flags).open(self.path) {
                Ok(file) => return self.check(file),
                Err(error) => match error.raw_os_error() {
                    Some(libc::ENOENT) => self.make()?,
                    Some(libc::ENXIO | libc::EISDIR) => {
                        return Err(self.refused(Errno::EEXIST, "it is no regular file".into()));
                    }
                    _ => return Err(self.failed("open")(error)),
                },
            }
        }
        Err(self.refused(Errno::EAGAIN, "it appears and disappears all the time".into()))
    }

    /// Whether the file is such a mailbox. Looked at through the descriptor: the name may have
    /// moved on.
    fn check(&self, mut file: File) -> Result<File> {
        let stranger = |why: String| Err(self.refused(Errno::EEXIST, why));
        let found = file.metadata().map_err(self.failed("fstat"))?;
        if !found.file_type().is_file() {
            return stranger("it is no regular file".into());
        }
        if found.len() != self.len() as u64 {
            return stranger(format!("{} bytes, where a mailbox has {}", found.len(), self.len()));
        }
        let (mut magic, mut capacity) = ([0; 8], [0; 4]);
        file.read_exact(&mut magic).map_err(self.failed("read"))?;
        file.read_exact(&mut capacity).map_err(self.failed("read"))?;
        if magic != MAGIC || u32::from_ne_bytes(capacity) != self.capacity {
            return stranger("it begins with another magic or capacity".into());
        }
        Ok(file)
    }

    /// Makes the file in a folder of its own, whole, and moves it to its name.
    fn make(&self) -> Result<()> {
        let private = Private::beside(self.path).map_err(self.failed("mkdir"))?;
        let hidden = private.0.join("mailbox");
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&hidden)
            .map_err(self.failed("open"))?;
        // Every byte is written: a full disk is found out now, by an error, and not by SIGBUS
        // when the message is stored.
        let mut whole = vec![0; self.len()];
        whole[..AT_CAPACITY].copy_from_slice(&MAGIC);
        whole[AT_CAPACITY..AT_SEQUENCE].copy_from_slice(&self.capacity.to_ne_bytes());
        file.write_all(&whole).map_err(self.failed("write"))?;
        // The umask may have taken bits even from the owner.
        let mode = Permissions::from_mode(0o600);
        file.set_permissions(mode).map_err(self.failed("fchmod"))?;
        fs::rename(&hidden, self.path).map_err(self.failed("rename"))
    }
}

/// A folder that nobody else looks into, removed with what is left in it.
struct Private(PathBuf);

impl Private {
    fn beside(path: &Path) -> io::Result<Private> {
        for number in 0.. {
            let folder = path.with_file_name(format!(".mailbox-{}-{number}", process::id()));
            match DirBuilder::new().mode(0o700).create(&folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => return made.map(|()| Private(folder)),
            }
        }
        unreachable!("some number is free")
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

// ---- the memory ----

/// The file and its mapping, which ends on drop.
struct Mapping {
    file: File,
    start: NonNull<libc::c_void>,
    len: usize,
}

impl Mapping {
    fn new(place: &Place<'_>, file: File, protection: i32) -> Result<Mapping> {
        let len = place.len();
        // SAFETY: a new mapping, where the kernel finds room. MAP_SHARED: what is stored here is
        // the file's, for all who map it and for all who come later.
        let start = unsafe {
            libc::mmap(ptr::null_mut(), len, protection, libc::MAP_SHARED, file.as_raw_fd(), 0)
        };
        if start == libc::MAP_FAILED {
            return Err(place.failed("mmap")(io::Error::last_os_error()));
        }
        let start = NonNull::new(start).expect("mmap finds no room at null");
        Ok(Mapping { file, start, len })
    }

    fn header(&self) -> &Header {
        // SAFETY: the mapping begins on a page, has at least HEADER bytes and lives as long as
        // `self`; all fields are atomics, which other processes may change.
        unsafe { self.start.cast().as_ref() }
    }

    fn text(&self) -> &[AtomicU8] {
        // SAFETY: from the header to the end of the mapping; else as above.
        unsafe {
            let text = self.start.cast().add(HEADER);
            NonNull::slice_from_raw_parts(text, self.len - HEADER).as_ref()
        }
    }

    /// Locks the file: `LOCK_EX` or `LOCK_SH`, with or without `LOCK_NB`. A process that dies
    /// loses it.
    fn lock(&self, how: i32) -> Result<Locked<'_>> {
        loop {
            // SAFETY: flock takes no pointer.
            if unsafe { libc::flock(self.file.as_raw_fd(), how) } == 0 {
                return Ok(Locked { mapping: self });
            }
            match Error::last("flock", "the mailbox") {
                error if error.errno() == Errno::EINTR => {}
                error => return Err(error),
            }
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: ours, with this length, and nothing borrows it any more.
        unsafe { libc::munmap(self.start.as_ptr(), self.len) };
    }
}

struct Locked<'a> {
    mapping: &'a Mapping,
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // SAFETY: flock takes no pointer.
        unsafe { libc::flock(self.mapping.file.as_raw_fd(), libc::LOCK_UN) };
    }
}

// ---- what the lab asks for ----

/// A mailbox that this process may send to: mapped for reading and writing until this is dropped.
pub struct Writer(Mapping);

/// A mailbox that this process only reads: mapped for reading alone until this is dropped.
pub struct Reader(Mapping);

impl Writer {
    /// Opens the mailbox at `path`, or makes an empty one if there is no file.
    pub fn open(path: &Path, capacity: u32) -> Result<Writer> {
        let place = Place::new(path, capacity)?;
        let file = place.open(true)?;
        Mapping::new(&place, file, libc::PROT_READ | libc::PROT_WRITE).map(Writer)
    }

    /// Puts a message in the place of the last one, and returns its sequence.
    pub fn send(&self, text: &[u8]) -> Result<u32> {
        let Some(room) = self.0.text().get(..text.len()) else {
            return Err(Error::refused("send", Errno::EMSGSIZE, format!("{} bytes", text.len())));
        };
        let locked = self.0.lock(libc::LOCK_EX)?;
        let header = locked.mapping.header();
        let found = header.sequence.load(Relaxed);
        let writing = if found % 2 == 0 { found + 1 } else { found };
        // Odd before the first byte changes: if we die below, the next one with the lock sees it.
        header.sequence.store(writing, Relaxed);
        fence(Release);
        for (byte, new) in room.iter().zip(text) {
            byte.store(*new, Relaxed);
        }
        header.length.store(text.len() as u32, Relaxed);
        let sequence = if writing == u32::MAX { 2 } else { writing + 1 };
        header.sequence.store(sequence, Release);
        Ok(sequence)
    }
}

impl Reader {
    /// Opens the mailbox at `path` for reading; makes an empty one if there is no file.
    pub fn open(path: &Path, capacity: u32) -> Result<Reader> {
        let place = Place::new(path, capacity)?;
        let file = place.open(false)?;
        Mapping::new(&place, file, libc::PROT_READ).map(Reader)
    }

    /// The message that is there now, whole; `None` if there never was one.
    pub fn read(&self) -> Result<Option<Message>> {
        let locked = self.wait_for_the_writer()?;
        let header = locked.mapping.header();
        let sequence = header.sequence.load(Acquire);
        if sequence == 0 {
            return Ok(None);
        }
        // Nobody is writing, for we have the lock. So whoever made it odd has died.
        if sequence % 2 == 1 {
            return Err(Error::refused("read", Errno::EAGAIN, format!("sequence {sequence}"))
                .with_remedy(
                    "a writer died in the middle of a message; the next message puts it right",
                ));
        }
        let length = header.length.load(Relaxed);
        let Some(text) = locked.mapping.text().get(..length as usize) else {
            return Err(Error::refused("read", Errno::EBADMSG, format!("{length} bytes")));
        };
        let text = text.iter().map(|byte| byte.load(Relaxed)).collect();
        Ok(Some(Message { sequence, text }))
    }

    fn wait_for_the_writer(&self) -> Result<Locked<'_>> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.0.lock(libc::LOCK_SH | libc::LOCK_NB) {
                // EWOULDBLOCK is the same number.
                Err(error) if error.errno() == Errno::EAGAIN && Instant::now() < until => {
                    thread::sleep(Duration::from_micros(50));
                }
                done => return done,
            }
        }
    }
}
