//! Cleaning up after a demo that cannot do so itself any more: killed by `kill -9`, or by the second
//! Ctrl-C of someone in a hurry.

use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};

use super::{Failure, out};
use crate::error::Error;

/// How long the other actors may take to end once they are told to.
const LAST_MOMENT: Duration = Duration::from_millis(500);

/// Waits until the process that started this one as an [`Actor`](super::Actor) has gone, however
/// it went. First says `ready`, on a line: from then on no signal of a terminal ends the waiting.
///
/// Not by [`Quit`](super::Quit), for which a second signal is final: the parent's death sends
/// SIGTERM once for each of its threads (`PR_SET_PDEATHSIG`). What tells is the end of our input.
///
/// # Errors
///
/// [`Failure::Output`] if nobody hears that we are ready.
pub fn outlive_parent() -> Result<(), Failure> {
    let deaf: SigSet =
        [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT].into_iter().collect();
    deaf.thread_block().map_err(|errno| Error::new("sigprocmask", errno, ""))?;
    let mut out = out();
    writeln!(out, "ready")?;
    out.flush()?;
    // However it ends, the parent has gone.
    let _ = io::copy(&mut io::stdin(), &mut io::sink());
    // The actors were told to end as well. One that was about to create something may still do so.
    thread::sleep(LAST_MOMENT);
    Ok(())
}
