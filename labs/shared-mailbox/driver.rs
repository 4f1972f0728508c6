//! Given: what the grader starts. It reads a line, asks your library one thing, prints one line.
//! You need not read it to solve the lab; by hand, `cargo run -p shared-mailbox` is nicer.
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

use shared_mailbox::{Message, Reader, Writer};

#[derive(Default)]
struct Driver {
    writer: Option<Writer>,
    reader: Option<Reader>,
    /// Two long texts that are ready to be sent, and how often one was.
    prepared: [Vec<u8>; 2],
    sent: usize,
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
            // One that was open before is left only when the new one is there.
            ["open-writer", file, capacity] => {
                self.writer = Some(asked!(Writer::open(&path(file)?, number(capacity)?))?);
                Ok(String::new())
            }
            ["open-reader", file, capacity] => {
                self.reader = Some(asked!(Reader::open(&path(file)?, number(capacity)?))?);
                Ok(String::new())
            }
            ["send", text] => self.send(&bytes(text)?),
            ["send-made", length, seed] => self.send(&made(number(length)?, number(seed)?)),
            ["prepare", length, one, other] => {
                let length = number(length)?;
                self.prepared = [made(length, number(one)?), made(length, number(other)?)];
                self.sent = 0;
                Ok(String::new())
            }
            // Message after message, without a pause: one text, the other, the first again.
            ["send-prepared", count] => {
                let mut sequences = Vec::new();
                for _ in 0..number::<u32>(count)? {
                    sequences.push(self.send(&self.prepared[self.sent % 2])?);
                    self.sent += 1;
                }
                Ok(sequences.join(" "))
            }
            ["read"] => Ok(match asked!(self.reader()?.read())? {
                Some(message) => format!("some {} {}", message.sequence, hex(&message.text)),
                None => "none".to_string(),
            }),
            // Reads so many times without a pause, and tells of each message that it had not had just
            // before: its sequence, length and hash. The grader knows what was sent.
            ["read-many", count] => {
                let mut had: Vec<Message> = Vec::new();
                for _ in 0..number::<u32>(count)? {
                    had.extend(self.read_anew(had.last())?);
                }
                let words = had.iter().map(told);
                Ok(words.collect::<Vec<_>>().join(" "))
            }
            ["close-writer"] => {
                self.writer = None;
                Ok(String::new())
            }
            ["close-reader"] => {
                self.reader = None;
                Ok(String::new())
            }
            ["umask", mask] => {
                // SAFETY: umask(2) takes and returns a number, and cannot fail.
                unsafe { libc::umask(number(mask)?) };
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

    /// The message, if there is one that is not this one. The very same sequence with another text is
    /// another one, and should not be.
    fn read_anew(&self, last: Option<&Message>) -> Result<Option<Message>, (String, String)> {
        let same = |it: &Message| {
            last.is_some_and(|last| it.sequence == last.sequence && it.text == last.text)
        };
        match self.reader()?.read() {
            Ok(message) => Ok(message.filter(|it| !same(it))),
            Err(error) if format!("{:?}", error.errno()) == "EAGAIN" => Ok(None),
            Err(error) => asked!(Err(error)),
        }
    }

    fn send(&self, text: &[u8]) -> Answer {
        let writer = self.writer.as_ref().ok_or_else(|| misuse("no writer is open"))?;
        Ok(asked!(writer.send(text))?.to_string())
    }

    fn reader(&self) -> Result<&Reader, (String, String)> {
        self.reader.as_ref().ok_or_else(|| misuse("no reader is open"))
    }
}

/// A message, without its text.
fn told(message: &Message) -> String {
    format!("{}:{}:{:x}", message.sequence, message.text.len(), hash(&message.text))
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

/// FNV-1a, 64 bits: short, and the grader knows it, too.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
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
