//! Given: what the grader starts. It reads a line, asks your library one thing, prints one line.
//! You need not read it to solve the lab; by hand, `cargo run -p pass-a-note` is nicer.
//!
//! ```text
//! asked     TOKEN VERB ARGUMENT…      bytes and paths in hexadecimal, `-` for none
//! answered  TOKEN ok WORD…
//!           TOKEN err ERRNO TEXT      the text in hexadecimal
//! ```
//!
//! What stands on these lines is a claim. The grader believes what the kernel shows.

use std::ffi::OsStr;
use std::io::{self, BufRead, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pass_a_note::{Poster, Reader, Shape, take_down};

#[derive(Default)]
struct Driver {
    poster: Option<Poster>,
    reader: Option<Reader>,
    /// A long text that is ready to be posted.
    prepared: Vec<u8>,
}

/// The words after `ok`; or an errno by name, and a text.
type Answer = Result<String, (String, String)>;

/// Turns the library's error, whose type this file need not name, into an [`Answer`].
macro_rules! asked {
    ($result:expr) => {
        $result.map_err(|error| (format!("{:?}", error.errno()), error.to_string()))
    };
}

fn main() {
    let mut driver = Driver::default();
    for line in io::stdin().lock().lines() {
        let Ok(line) = line else { return };
        let words: Vec<&str> = line.split(' ').collect();
        let (token, rest) = words.split_first().expect("split gives a word");
        let answer = match driver.answer(rest) {
            Ok(words) if words.is_empty() => format!("{token} ok\n"),
            Ok(words) => format!("{token} ok {words}\n"),
            Err((errno, text)) => format!("{token} err {errno} {}\n", hex(text.as_bytes())),
        };
        let mut out = io::stdout().lock();
        if out.write_all(answer.as_bytes()).and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

impl Driver {
    fn answer(&mut self, words: &[&str]) -> Answer {
        match *words {
            // A board that was open before is left only when the new one is there.
            ["open", file, project, slots, room] => {
                let shape = Shape { slots: number(slots)?, room: number(room)? };
                self.poster = Some(asked!(Poster::open(&path(file)?, number(project)?, shape))?);
                Ok(String::new())
            }
            ["look", file, project] => {
                self.reader = Some(asked!(Reader::open(&path(file)?, number(project)?))?);
                Ok(String::new())
            }
            ["post", text] => self.post(&bytes(text)?),
            ["prepare", length, seed] => {
                self.prepared = made(number(length)?, number(seed)?);
                Ok(String::new())
            }
            // Note after note, without a pause.
            ["post-prepared", count] => {
                let slots: Result<Vec<String>, _> =
                    (0..number::<u32>(count)?).map(|_| self.post(&self.prepared)).collect();
                Ok(slots?.join(" "))
            }
            // Note after note, each at a moment that all drivers know: nanoseconds since 1970.
            ["post-beat", count, prefix, start, beat] => {
                let prefix = String::from_utf8_lossy(&bytes(prefix)?).into_owned();
                let (start, beat): (u64, u64) = (number(start)?, number(beat)?);
                let slots: Result<Vec<String>, _> = (0..number::<u32>(count)?)
                    .map(|nth| {
                        let text = format!("{prefix}{nth}");
                        spin_until(start + u64::from(nth) * beat);
                        self.post(text.as_bytes())
                    })
                    .collect();
                Ok(slots?.join(" "))
            }
            ["read", slot] => Ok(match asked!(self.reader()?.read(number(slot)?))? {
                Some(text) => format!("some {}", hex(&text)),
                None => "none".to_string(),
            }),
            ["list"] => {
                let notes = asked!(self.reader()?.list())?;
                let words = notes.iter().map(|note| format!("{}:{}", note.slot, hex(&note.text)));
                Ok(words.collect::<Vec<_>>().join(" "))
            }
            ["close-poster"] => {
                self.poster = None;
                Ok(String::new())
            }
            ["close-reader"] => {
                self.reader = None;
                Ok(String::new())
            }
            ["take-down", file, project] => {
                asked!(take_down(&path(file)?, number(project)?))?;
                Ok(String::new())
            }
            // Stops at a touch of this memory: the first, or after so many.
            ["hold", start, len, kind, skip] => {
                match hold::arm(number(start)?, number(len)?, kind, number(skip)?) {
                    true => Ok(String::new()),
                    false => Err(misuse("the memory cannot be protected")),
                }
            }
            _ => Err(misuse("no such request")),
        }
    }

    fn post(&self, text: &[u8]) -> Answer {
        let poster = self.poster.as_ref().ok_or_else(|| misuse("no board is open"))?;
        Ok(asked!(poster.post(text))?.to_string())
    }

    fn reader(&self) -> Result<&Reader, (String, String)> {
        self.reader.as_ref().ok_or_else(|| misuse("no reader is open"))
    }
}

/// Sleeping would be late by more than a note takes.
fn spin_until(nanoseconds: u64) {
    let then = UNIX_EPOCH + Duration::from_nanos(nanoseconds);
    while SystemTime::now() < then {
        std::hint::spin_loop();
    }
}

/// A request that the grader never makes.
fn misuse(text: &str) -> (String, String) {
    ("-".to_string(), text.to_string())
}

fn number<N: std::str::FromStr>(word: &str) -> Result<N, (String, String)> {
    word.parse().map_err(|_| misuse("not a number"))
}

fn path(word: &str) -> Result<PathBuf, (String, String)> {
    bytes(word).map(|bytes| PathBuf::from(OsStr::from_bytes(&bytes)))
}

fn bytes(word: &str) -> Result<Vec<u8>, (String, String)> {
    if word == "-" {
        return Ok(Vec::new());
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pairs = word.as_bytes().chunks(2).map(|pair| match *pair {
        [high, low] => Some((digit(high)? * 16 + digit(low)?) as u8),
        _ => None,
    });
    pairs.collect::<Option<Vec<u8>>>().ok_or_else(|| misuse("not hexadecimal"))
}

fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "-".to_string();
    }
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// A long text that need not be sent: the grader knows how to make it, too. No byte is NUL, and
/// what a byte is depends on where it stands, so that halves of two texts do not make a third.
fn made(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let next = || {
        // xorshift64 (Marsaglia, 2003).
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8 | 1
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// Stops this process at a touch of some memory, so that the grader can look at it, or let others
/// run, or kill it, just there: `SIGSTOP`, and `SIGCONT` lets the touch happen.
mod hold {
    use std::sync::atomic::{AtomicI32, AtomicU32, AtomicUsize, Ordering};

    static START: AtomicUsize = AtomicUsize::new(0);
    static LEN: AtomicUsize = AtomicUsize::new(0);
    /// What the memory may be used for until it stops, and afterwards.
    static NOW: AtomicI32 = AtomicI32::new(0);
    static AFTER: AtomicI32 = AtomicI32::new(0);
    /// How many touches are let happen first.
    static SKIP: AtomicU32 = AtomicU32::new(0);

    /// Arms it: `read` stops at stores, `none` at loads, too.
    pub fn arm(start: usize, len: usize, kind: &str, skip: u32) -> bool {
        let (now, after) = match kind {
            "read" => (libc::PROT_READ, libc::PROT_READ | libc::PROT_WRITE),
            _ => (libc::PROT_NONE, libc::PROT_READ),
        };
        START.store(start, Ordering::Relaxed);
        LEN.store(len, Ordering::Relaxed);
        NOW.store(now, Ordering::Relaxed);
        AFTER.store(after, Ordering::Relaxed);
        SKIP.store(skip, Ordering::Relaxed);
        (skip == 0 || CAN_STEP) && catch(libc::SIGSEGV) && catch(libc::SIGTRAP) && protect(&NOW)
    }

    fn catch(signal: i32) -> bool {
        // SAFETY: the handler calls nothing but what a handler may call.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = touched as extern "C" fn(_, _, _) as libc::sighandler_t;
            action.sa_flags = libc::SA_SIGINFO;
            libc::sigaction(signal, &raw const action, std::ptr::null_mut()) == 0
        }
    }

    fn protect(how: &AtomicI32) -> bool {
        let (start, len) = (START.load(Ordering::Relaxed), LEN.load(Ordering::Relaxed));
        // SAFETY: the range is the library's own mapping: a touch of it is what is waited for.
        unsafe { libc::mprotect(start as *mut libc::c_void, len, how.load(Ordering::Relaxed)) == 0 }
    }

    extern "C" fn touched(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
        if signal == libc::SIGTRAP {
            // The touch that was let happen has happened.
            single_step(context, false);
            protect(&NOW);
            return;
        }
        let (start, len) = (START.load(Ordering::Relaxed), LEN.load(Ordering::Relaxed));
        // SAFETY: the kernel gives a siginfo of a fault; the calls take numbers.
        unsafe {
            let at = (*info).si_addr() as usize;
            if at.wrapping_sub(start) >= len {
                // Somebody else's fault: it happens again, and ends the process.
                libc::signal(signal, libc::SIG_DFL);
                return;
            }
            match SKIP.load(Ordering::Relaxed) {
                0 => drop(libc::kill(libc::getpid(), libc::SIGSTOP)),
                left => {
                    SKIP.store(left - 1, Ordering::Relaxed);
                    single_step(context, true);
                }
            }
        }
        protect(&AFTER);
    }

    /// Whether [`single_step`] does anything.
    const CAN_STEP: bool = cfg!(target_arch = "x86_64");

    /// Whether a SIGTRAP comes after the next instruction: the trap flag. (On other processors a
    /// program cannot ask for that itself.)
    fn single_step(context: *mut libc::c_void, on: bool) {
        #[cfg(target_arch = "x86_64")]
        {
            const TRAP: i64 = 1 << 8;
            // SAFETY: the kernel gives the handler the context that it returns to.
            let flags = unsafe {
                let context = context.cast::<libc::ucontext_t>();
                &mut (*context).uc_mcontext.gregs[libc::REG_EFL as usize]
            };
            *flags = if on { *flags | TRAP } else { *flags & !TRAP };
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = (context, on);
    }
}
