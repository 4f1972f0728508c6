//! Ctrl-C and SIGTERM as a question. A handler that cleaned up by itself could do next to nothing
//! safely (signal-safety(7)); one that sets a flag leaves the work to the loop that owns it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use nix::errno::Errno;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use super::Failure;
use crate::error::{Error, Result};

/// How long a loop may sleep before it asks [`Quit::check`] again: a signal that comes just before
/// the sleep does not interrupt it.
const NAP: Duration = Duration::from_millis(200);

/// Whether somebody asked this process to end.
#[derive(Debug)]
pub struct Quit {
    signal: Arc<AtomicUsize>,
}

impl Quit {
    /// The longest sleep between two questions.
    pub const NAP: Duration = NAP;

    /// From now on SIGINT, SIGTERM and SIGHUP are noted instead of killing. A second one kills:
    /// whoever presses Ctrl-C twice means it.
    ///
    /// # Errors
    ///
    /// Those of sigaction(2), which a healthy process does not see.
    pub fn watch() -> Result<Quit> {
        let signal = Arc::new(AtomicUsize::new(0));
        let asked = Arc::new(AtomicBool::new(false));
        for number in [SIGINT, SIGTERM, SIGHUP] {
            // The number first: a signal that comes between two of these calls is noted, not
            // swallowed. Then in this order: the first signal finds `asked` false, the second true.
            flag::register_usize(number, Arc::clone(&signal), number.unsigned_abs() as usize)
                .and_then(|_| flag::register_conditional_default(number, Arc::clone(&asked)))
                .and_then(|_| flag::register(number, Arc::clone(&asked)))
                .map_err(|error| {
                    let errno = error.raw_os_error().map_or(Errno::EINVAL, Errno::from_raw);
                    Error::new("sigaction", errno, format!("signal {number}"))
                })?;
        }
        Ok(Quit { signal })
    }

    /// The signal that came, if one did.
    pub fn asked(&self) -> Option<i32> {
        match self.signal.load(Ordering::SeqCst) {
            0 => None,
            number => i32::try_from(number).ok(),
        }
    }

    /// Fails with [`Failure::Signal`] if a signal came, so that `?` unwinds, and `Drop` cleans up.
    pub fn check(&self) -> std::result::Result<(), Failure> {
        self.asked().map_or(Ok(()), |signal| Err(Failure::Signal(signal)))
    }
}
