//! A file with a name: opening by path is part of what is measured.
//!
//! All other benches use files without names, which nothing can leave behind. This one is removed
//! when dropped, and by a handler on Ctrl-C and SIGTERM; only kill -9 leaves it.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

/// A file that is gone with this value. One at a time in a process.
#[derive(Debug)]
pub struct Named {
    path: PathBuf,
}

/// The path that the handler removes; null if there is none. It is never freed: the handler may be
/// reading it.
static PATH: AtomicPtr<libc::c_char> = AtomicPtr::new(ptr::null_mut());
/// Whose it is: a forked child that is told to end must not take it away from its parent.
static OWNER: AtomicU32 = AtomicU32::new(0);

impl Named {
    /// `bytes` bytes in `folder`, in the page cache afterwards.
    ///
    /// # Errors
    ///
    /// Those of open(2), write(2) and sigaction(2).
    pub fn new(folder: &Path, bytes: usize) -> io::Result<Named> {
        // Short, and of one length: the path is copied by whoever opens it.
        let path = folder.join(format!(".own-cost-{:07}", std::process::id()));
        let c_path = CString::new(path.as_os_str().as_bytes())?;
        OWNER.store(std::process::id(), Ordering::Relaxed);
        PATH.store(c_path.into_raw(), Ordering::Release);
        for signal in [Signal::SIGINT, Signal::SIGTERM] {
            let handler = SigHandler::Handler(remove_and_die);
            let action = SigAction::new(handler, SaFlags::SA_RESETHAND, SigSet::empty());
            // SAFETY: the handler makes system calls only.
            unsafe { sigaction(signal, &action)? };
        }
        let named = Named { path };
        let content: Vec<u8> = (0..bytes).map(|n| (n.wrapping_mul(31) >> 3) as u8).collect();
        let mut options = fs::File::options();
        let file = options.write(true).create_new(true).open(&named.path)?;
        io::Write::write_all(&mut &file, &content)?;
        // Nothing of it is written back while somebody measures.
        file.sync_all()?;
        Ok(named)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        PATH.store(ptr::null_mut(), Ordering::Release);
        // Whoever removed it before us has done what we want.
        let _ = fs::remove_file(&self.path);
    }
}

extern "C" fn remove_and_die(signal: libc::c_int) {
    let path = PATH.load(Ordering::Acquire);
    // SAFETY: both are numbers to the kernel; the path is null or ends with NUL and is never freed.
    // SA_RESETHAND has put the default back, so the signal sent again ends the process.
    unsafe {
        if !path.is_null() && libc::getpid().unsigned_abs() == OWNER.load(Ordering::Relaxed) {
            libc::unlink(path);
        }
        libc::raise(signal);
    }
}
