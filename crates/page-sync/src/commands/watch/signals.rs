//! Signals as flags that the loop asks about: it owns the terminal, and has to give it back first.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ipc_common::Error;
use ipc_common::cli::Failure;
use nix::errno::Errno;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::flag;

pub struct Signals {
    quit: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    continued: Arc<AtomicBool>,
}

impl Signals {
    /// From now on these are noted instead of obeyed. A second one is noted as well: dying of it at
    /// once would leave the terminal as it is.
    pub fn watch() -> Result<Signals, Failure> {
        let signals =
            Signals { quit: Arc::default(), stop: Arc::default(), continued: Arc::default() };
        let failed = |signal| {
            move |error: std::io::Error| {
                let errno = error.raw_os_error().map_or(Errno::EINVAL, Errno::from_raw);
                Error::new("sigaction", errno, format!("signal {signal}"))
            }
        };
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
            let number = signal.unsigned_abs() as usize;
            flag::register_usize(signal, Arc::clone(&signals.quit), number)
                .map_err(failed(signal))?;
        }
        flag::register(SIGTSTP, Arc::clone(&signals.stop)).map_err(failed(SIGTSTP))?;
        flag::register(SIGCONT, Arc::clone(&signals.continued)).map_err(failed(SIGCONT))?;
        Ok(signals)
    }

    /// The signal that asked to end, if one did.
    pub fn quit(&self) -> Option<i32> {
        match self.quit.load(Ordering::SeqCst) {
            0 => None,
            number => i32::try_from(number).ok(),
        }
    }

    /// Whether one asked to stop (`kill -TSTP`), since the last question.
    pub fn stop(&self) -> bool {
        self.stop.swap(false, Ordering::SeqCst)
    }

    /// Whether one let it go on: it may have been stopped by SIGSTOP, unseen, and the shell has had
    /// the terminal meanwhile.
    pub fn continued(&self) -> bool {
        self.continued.swap(false, Ordering::SeqCst)
    }
}
