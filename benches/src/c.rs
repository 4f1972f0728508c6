//! The other side of the comparisons: C, compiled now and loaded into this process, so that both
//! sides work on the same memory, in the same address space, moments apart.

use std::ffi::{CStr, CString, c_void};
use std::path::Path;
use std::process::{Command, id};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use crate::results;

/// Memory to fault on.
#[derive(Clone, Copy)]
pub struct Pages {
    /// Where they begin.
    pub start: *mut u8,
    /// How many there are.
    pub pages: usize,
    /// Bytes in one.
    pub page: usize,
}

impl Pages {
    /// The page for a round: all have their turn, in no order that a cache could guess.
    pub fn pick(self, round: u32) -> *mut u8 {
        let at = (u64::from(round.wrapping_mul(0x9e37_79b1)) * self.pages as u64) >> 32;
        self.start.wrapping_add(at as usize * self.page)
    }
}

/// A loaded source file; it stays loaded.
pub struct Library(*mut c_void);

/// One of its loops: `double NAME(start, pages, page, rounds)`, in seconds.
#[derive(Clone, Copy)]
pub struct Loop(Timed);
type Timed = unsafe extern "C" fn(*mut u8, usize, usize, u32) -> f64;

impl Library {
    /// Compiles benches/c/NAME.c, with more arguments for the compiler, and loads it. Says so and
    /// returns `None` where that does not go.
    #[expect(clippy::print_stdout, reason = "what is skipped is skipped aloud")]
    pub fn load(name: &str, arguments: &[&str]) -> Option<Library> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("c/{name}.c"));
        // dlopen(3) tells libraries apart by their names.
        static LOADED: AtomicU32 = AtomicU32::new(0);
        let file = format!("{name}-{}-{}.so", id(), LOADED.fetch_add(1, Relaxed));
        let library = results::target().join("tmp").join(file);
        let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
        let compiled = Command::new(&compiler)
            .args(["-O2", "-Wall", "-shared", "-fPIC", "-o"])
            .args([&library, &source])
            .args(arguments)
            .output();
        let why = match compiled {
            Ok(output) if output.status.success() => None,
            Ok(output) => Some(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => Some(format!("{}: error: {error}", compiler.display())),
        };
        if let Some(why) = why {
            let tells = |line: &&str| line.contains("error") || line.contains("cannot");
            let why = why.lines().find(tells).unwrap_or("the compiler failed");
            println!("SKIPPED: the comparison with {name}.c ({why})");
            return None;
        }
        let path = CString::new(library.as_os_str().as_encoded_bytes()).ok()?;
        // SAFETY: a path; the library has no code that runs when it is loaded.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW) };
        // Loaded is loaded.
        let _ = std::fs::remove_file(&library);
        assert!(!handle.is_null(), "{name}.c was compiled but cannot be loaded");
        Some(Library(handle))
    }

    /// One of its functions: a loop, as all that are in benches/c.
    ///
    /// # Panics
    ///
    /// If there is none of that name.
    pub fn function(&self, name: &CStr) -> Loop {
        let address = self.address(name);
        // SAFETY: every function that is asked for by name here is declared so in benches/c.
        Loop(unsafe { std::mem::transmute::<*mut c_void, Timed>(address) })
    }

    /// Where something of it is.
    ///
    /// # Panics
    ///
    /// If there is nothing of that name.
    pub fn address(&self, name: &CStr) -> *mut c_void {
        // SAFETY: a handle that dlopen gave, and a name.
        let address = unsafe { libc::dlsym(self.0, name.as_ptr()) };
        assert!(!address.is_null(), "there is no {name:?}");
        address
    }
}

impl Loop {
    /// So many rounds, and how long they took.
    ///
    /// # Panics
    ///
    /// If a system call of its failed.
    ///
    /// # Safety
    ///
    /// - Nobody has references to the pages, and they are mapped as the loop expects.
    /// - No other thread runs: the loop's handler is the process's meanwhile.
    pub unsafe fn run(self, on: Pages, rounds: u32) -> Duration {
        // SAFETY: the caller's promise.
        let seconds = unsafe { (self.0)(on.start, on.pages, on.page, rounds) };
        assert!(seconds >= 0.0, "the C side failed");
        Duration::from_secs_f64(seconds)
    }
}
