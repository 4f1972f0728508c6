//! Fails: two-writers
//!
//! Touches the mailbox first, as touches_first does; writers do not keep each other out.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering, fence};
use std::time::{Duration, Instant, SystemTime};

use ipc_common::{Errno, Error, Result};
use memmap2::{MmapOptions, MmapRaw};
use nix::fcntl::{AT_FDCWD, AtFlags, posix_fallocate};
use nix::unistd::linkat;

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

/// How long a reader looks for a whole message.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often opening begins again, when others remove the file all the time.
const ROUNDS: usize = 100;

fn error(call: &'static str, error: &io::Error, path: &Path) -> Error {
    Error::from_io(call, error, path.display().to_string())
}

// ---- the file ----

/// The file at `path`, which is a mailbox of this capacity; made if there is none.
fn open_or_make(path: &Path, capacity: u32, writable: bool) -> Result<File> {
    if !(1..=MAX_CAPACITY).contains(&capacity) {
        return Err(Error::refused("open", Errno::EINVAL, format!("{capacity} bytes"))
            .with_remedy(format!("a mailbox has room for 1 to {MAX_CAPACITY} bytes")));
    }
    for _ in 0..ROUNDS {
        match open_existing(path, writable) {
            Err(error) if error.errno() == Errno::ENOENT => {}
            found => {
                let file = found?;
                expect_mailbox(&file, path, capacity)?;
                return Ok(file);
            }
        }
        // Made or found in place: either way the next round opens it by its name, as everyone does.
        match make(path, capacity) {
            Err(error) if error.errno() == Errno::EEXIST => {}
            made => made?,
        }
    }
    Err(Error::refused("open", Errno::EAGAIN, path.display().to_string())
        .with_remedy("others make this file and remove it all the time"))
}

fn open_existing(path: &Path, writable: bool) -> Result<File> {
    // O_NOFOLLOW: not where somebody's link leads. O_NONBLOCK: a FIFO must not hold us up.
    OpenOptions::new()
        .read(true)
        .write(writable)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)
        .map_err(|it| match it.raw_os_error() {
            // A FIFO without a reader, a socket, a folder.
            Some(libc::ENXIO | libc::EISDIR) => none_of_ours(path, "it is no regular file"),
            _ => error("open", &it, path),
        })
}

fn none_of_ours(path: &Path, why: &str) -> Error {
    Error::refused("open", Errno::EEXIST, path.display().to_string())
        .with_remedy(format!("{why}, so it is not this mailbox; choose another name"))
}

/// # Errors
///
/// `EEXIST` if the file is something else. It is only looked at, with read(2): nothing is mapped
/// whose length is not known.
fn expect_mailbox(file: &File, path: &Path, capacity: u32) -> Result<()> {
    let found = file.metadata().map_err(|it| error("fstat", &it, path))?;
    if !found.is_file() {
        return Err(none_of_ours(path, "it is no regular file"));
    }
    let expected = HEADER as u64 + u64::from(capacity);
    if found.len() != expected {
        let why = format!("it has {} bytes, not {expected}", found.len());
        return Err(none_of_ours(path, &why));
    }
    let mut start = [0; AT_SEQUENCE];
    file.read_exact_at(&mut start, 0).map_err(|it| error("pread", &it, path))?;
    if start != header(capacity) {
        return Err(none_of_ours(path, "it has another magic or capacity"));
    }
    Ok(())
}

/// What stands before the sequence.
fn header(capacity: u32) -> [u8; AT_SEQUENCE] {
    let mut start = [0; AT_SEQUENCE];
    start[..AT_CAPACITY].copy_from_slice(&MAGIC);
    start[AT_CAPACITY..].copy_from_slice(&capacity.to_ne_bytes());
    start
}

/// Makes a file that has no name, completes it, and gives it its name. linkat(2) never replaces:
/// who comes second gets `EEXIST`.
fn make(path: &Path, capacity: u32) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    match options.clone().custom_flags(libc::O_TMPFILE).open(folder) {
        Ok(file) => {
            complete(&file, path, capacity)?;
            let unnamed = format!("/proc/self/fd/{}", file.as_raw_fd());
            match linkat(AT_FDCWD, unnamed.as_str(), AT_FDCWD, path, AtFlags::AT_SYMLINK_FOLLOW) {
                Ok(()) => return Ok(()),
                Err(Errno::EEXIST) => {
                    return Err(Error::new("linkat", Errno::EEXIST, path.display().to_string()));
                }
                // No /proc, or a rule against it: the other way, whose errors are the telling ones.
                Err(_) => {}
            }
        }
        // Not every file system has O_TMPFILE.
        Err(it) if matches!(it.raw_os_error(), Some(libc::EOPNOTSUPP | libc::EISDIR)) => {}
        Err(it) => return Err(error("open", &it, path)),
    }
    let name = hidden_name(path);
    let file = options.create_new(true).open(&name).map_err(|it| error("open", &it, path))?;
    let hidden = Hidden(name);
    complete(&file, path, capacity)?;
    std::fs::hard_link(&hidden.0, path).map_err(|it| error("linkat", &it, path))
}

/// Reserves the space and writes the header. What is reserved reads as zeros: sequence 0.
fn complete(file: &File, path: &Path, capacity: u32) -> Result<()> {
    let len = HEADER as libc::off_t + libc::off_t::from(capacity);
    posix_fallocate(file, 0, len)
        .map_err(|errno| Error::new("posix_fallocate", errno, path.display().to_string()))?;
    file.write_all_at(&header(capacity), 0).map_err(|it| error("pwrite", &it, path))?;
    // The umask may have taken bits even from the owner.
    file.set_permissions(Permissions::from_mode(0o600)).map_err(|it| error("fchmod", &it, path))
}

/// `.PID.NANOSECONDS.new` beside it: a name that nobody has, not even one of this process that died
/// with the same number.
fn hidden_name(path: &Path) -> PathBuf {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    path.with_file_name(format!(".{}.{}.new", std::process::id(), now.as_nanos()))
}

/// A hidden name, removed on drop: by then the file has its real name, or nobody wants it.
struct Hidden(PathBuf);

impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

// ---- the memory ----

/// The mapped file. memmap2's "raw" map hands out no slice: others write to these bytes.
struct Mailbox {
    map: MmapRaw,
    capacity: u32,
}

impl Mailbox {
    fn word(&self, at: usize) -> &AtomicU32 {
        assert!(at.is_multiple_of(4) && at + 4 <= HEADER);
        // SAFETY: inside the map, which is at least HEADER long, begins on a page, and lives as
        // long as `self`. An atomic, as other processes store here.
        unsafe { AtomicU32::from_ptr(self.map.as_mut_ptr().add(at).cast()) }
    }

    fn text(&self) -> &[AtomicU8] {
        // SAFETY: the map has HEADER + capacity bytes; else as in `word`.
        unsafe {
            let start = self.map.as_ptr().add(HEADER).cast();
            std::slice::from_raw_parts(start, self.capacity as usize)
        }
    }

    /// Stores the last byte as it is: it changes nothing.
    fn touch(&self) {
        let last = self.text().last().expect("the capacity is not 0");
        let found = last.load(Ordering::Relaxed);
        let _ = last.compare_exchange(found, found, Ordering::Relaxed, Ordering::Relaxed);
    }

    fn sequence(&self) -> &AtomicU32 {
        self.word(AT_SEQUENCE)
    }

    fn length(&self) -> &AtomicU32 {
        self.word(AT_LENGTH)
    }
}

/// How many bytes to map: all of the file, whose length was checked. A whole number of pages is
/// the kernel's business.
fn options(capacity: u32) -> MmapOptions {
    let mut options = MmapOptions::new();
    options.len(HEADER + capacity as usize);
    options
}

// ---- what the lab asks for ----

/// A mailbox that this process may send to: mapped for reading and writing until this is dropped.
pub struct Writer {
    mailbox: Mailbox,
}

/// A mailbox that this process only reads: mapped for reading alone until this is dropped.
pub struct Reader {
    mailbox: Mailbox,
}

impl Writer {
    /// Opens the mailbox at `path`, or makes an empty one if there is no file.
    pub fn open(path: &Path, capacity: u32) -> Result<Writer> {
        let file = open_or_make(path, capacity, true)?;
        let map = options(capacity).map_raw(&file).map_err(|it| error("mmap", &it, path))?;
        Ok(Writer { mailbox: Mailbox { map, capacity } })
    }

    /// Puts a message in the place of the last one, and returns its sequence.
    pub fn send(&self, text: &[u8]) -> Result<u32> {
        let mailbox = &self.mailbox;
        if text.len() > mailbox.capacity as usize {
            return Err(Error::refused("send", Errno::EMSGSIZE, format!("{} bytes", text.len()))
                .with_remedy(format!("there is room for {} bytes", mailbox.capacity)));
        }
        mailbox.touch();
        // Odd already, if the last writer died in the middle: it stays so until we are done.
        let odd = mailbox.sequence().load(Ordering::Relaxed) | 1;
        mailbox.sequence().store(odd, Ordering::Relaxed);
        // Release: no byte of the message is stored before the odd sequence.
        fence(Ordering::Release);
        for (to, from) in mailbox.text().iter().zip(text) {
            to.store(*from, Ordering::Relaxed);
        }
        mailbox.length().store(text.len() as u32, Ordering::Relaxed);
        let even = match odd.wrapping_add(1) {
            0 => 2,
            even => even,
        };
        // Release: who sees the even sequence sees the whole message.
        mailbox.sequence().store(even, Ordering::Release);
        Ok(even)
    }
}

impl Reader {
    /// Opens the mailbox at `path` for reading; makes an empty one if there is no file.
    pub fn open(path: &Path, capacity: u32) -> Result<Reader> {
        let file = open_or_make(path, capacity, false)?;
        let map =
            options(capacity).map_raw_read_only(&file).map_err(|it| error("mmap", &it, path))?;
        Ok(Reader { mailbox: Mailbox { map, capacity } })
    }

    /// The message that is there now, whole; `None` if there never was one.
    pub fn read(&self) -> Result<Option<Message>> {
        let mailbox = &self.mailbox;
        let until = Instant::now() + PATIENCE;
        loop {
            // Acquire: what was stored before this sequence is seen by the copy.
            let before = mailbox.sequence().load(Ordering::Acquire);
            if before == 0 {
                return Ok(None);
            }
            if before.is_multiple_of(2) {
                let length = mailbox.length().load(Ordering::Relaxed);
                let copied = mailbox.text().get(..length as usize);
                let copied = copied
                    .map(|text| text.iter().map(|byte| byte.load(Ordering::Relaxed)).collect());
                // If the copy saw a byte of a later message, this makes us see its sequence.
                fence(Ordering::Acquire);
                if mailbox.sequence().load(Ordering::Relaxed) == before {
                    return match copied {
                        Some(text) => Ok(Some(Message { sequence: before, text })),
                        None => {
                            Err(Error::refused("read", Errno::EBADMSG, format!("{length} bytes"))
                                .with_remedy("more than the mailbox has room for: it is damaged"))
                        }
                    };
                }
            }
            if Instant::now() >= until {
                return Err(Error::refused("read", Errno::EAGAIN, format!("sequence {before}"))
                    .with_remedy("a writer is in the middle of a message, or died there; the next message puts it right"));
            }
            std::thread::yield_now();
        }
    }
}
