//! A range's handler: what it promises, when it is asked, and what it may answer.

use crate::fault::Fault;

/// What a handler makes of a fault in its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The access is possible now: run the instruction again.
    Mended,
    /// Another thread faulted on the same page and has mended it, or is about to: run the
    /// instruction again. If it faults again, the handler is asked again.
    Retry,
    /// Not what this handler is there for: go on as if the range had none.
    NotMine,
}

/// Whether a handler is asked before or after the copies that land.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Before: for memory that is there, but has to be made ready when it is touched. A copy of a
    /// view or a probe then goes on as if nothing had been.
    BeforeCopies,
    /// After: for emergencies. A copy of a view or a probe gets its fault as an error; the handler
    /// is asked for what has no net: loads, stores and atomics in place.
    AfterCopies,
}

/// A handler for the faults of a range. See [`Guard::register`](crate::Guard::register).
///
/// # Safety
///
/// [`OnFault::on_fault`] runs within a signal handler, on the thread that faulted, on whatever
/// stack it has, in the middle of whatever it was doing:
///
/// - it is async-signal-safe (signal-safety(7)): it allocates and frees nothing, takes no lock that
///   any thread holds while it touches the range or handles a signal, and calls only what may be
///   called so;
/// - it does not panic: that ends the process (`abort`), since nothing can be unwound through a
///   signal;
/// - it does not add or remove ranges;
/// - what it does to the memory breaks nobody's reference.
///
/// `errno` is put back afterwards. It may fault itself, if another range's handler, or a copy with
/// a net, answers for that.
pub unsafe trait OnFault: Send + Sync {
    /// Answers a fault whose address lies in the range. Called from many threads at once, even for
    /// the same page.
    fn on_fault(&self, fault: &Fault) -> Answer;
}
