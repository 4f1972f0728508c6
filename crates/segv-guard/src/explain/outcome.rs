//! What an access would do, before anyone tries it.
//!
//! The kernel's own rules (mm/memory.c, arch/*/mm/fault.c), as far as /proc shows what they go by.

use std::fmt;

use ipc_common::PageSize;
use nix::sys::signal::Signal;

use super::place::Place;
use super::scene::Scene;
use super::{machine, process};
use crate::fault::{Access, Cause, Fault};
use crate::maps::{Backing, Listed};

/// How far the kernel keeps a growing stack from the mapping below it: `stack_guard_gap`, 256
/// pages unless it was booted otherwise.
const GUARD_GAP_PAGES: usize = 256;

/// What an access would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It would succeed.
    Succeeds,
    /// The main thread's stack would grow down to there, and it would succeed.
    GrowsStack,
    /// It would be refused.
    Refused {
        /// SIGSEGV or SIGBUS.
        signal: Signal,
        /// As `si_code` would say.
        cause: Cause,
    },
    /// What it depends on, /proc does not show: in words.
    Unclear(&'static str),
}

impl Outcome {
    const fn segv(cause: Cause) -> Outcome {
        Outcome::Refused { signal: Signal::SIGSEGV, cause }
    }

    const PAST_END: Outcome =
        Outcome::Refused { signal: Signal::SIGBUS, cause: Cause::PastEndOfFile };

    /// The fault that the program would see. `None` if there would be none, or nobody can say.
    pub fn fault(&self, address: usize, access: Access) -> Option<Fault> {
        let Outcome::Refused { signal, cause } = *self else { return None };
        // The processor tells neither address nor access of an address that it does not have.
        let (address, access) = match cause {
            Cause::NonCanonical => (0, Access::Unknown),
            _ => (address, access),
        };
        Some(Fault::reported(signal, code(cause)?, address, access))
    }

    /// Whether the program would go on.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Outcome::Succeeds | Outcome::GrowsStack)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Succeeds => f.write_str("succeeds"),
            Outcome::GrowsStack => f.write_str("succeeds: the stack grows down to there"),
            Outcome::Refused { signal, cause } => {
                write!(f, "{signal}")?;
                cause.name().map_or(Ok(()), |name| write!(f, ", {name}"))
            }
            Outcome::Unclear(why) => write!(f, "depends: {why}"),
        }
    }
}

/// `si_code` of the causes that can be foreseen (asm-generic/siginfo.h).
const fn code(cause: Cause) -> Option<i32> {
    Some(match cause {
        Cause::Unmapped => 1,
        Cause::Protection => 2,
        Cause::ProtectionKey => 4,
        Cause::PastEndOfFile => libc::BUS_ADRERR,
        Cause::NonCanonical => 128,
        _ => return None,
    })
}

pub(super) fn of(scene: &Scene, address: usize, access: Access) -> Outcome {
    match scene.place(address) {
        Place::Nowhere => Outcome::segv(Cause::NonCanonical),
        Place::Null { .. } | Place::Kernel { .. } => Outcome::segv(Cause::Unmapped),
        Place::Gap { below, above } => match above {
            Some(stack) if grows(scene, stack, below, address) => {
                if allows(stack, access) == Some(true) {
                    Outcome::GrowsStack
                } else {
                    Outcome::segv(Cause::Protection)
                }
            }
            _ => Outcome::segv(Cause::Unmapped),
        },
        Place::Mapped(listed) => in_mapping(scene, listed, address, access),
    }
}

fn in_mapping(scene: &Scene, listed: &Listed, address: usize, access: Access) -> Outcome {
    match listed.backing() {
        Backing::Kernel(name) if name.as_os_str() == "[vsyscall]" => {
            return match access {
                Access::Execute => Outcome::Unclear("the kernel answers calls to three addresses"),
                Access::Read if listed.read => Outcome::Succeeds,
                _ => Outcome::segv(Cause::Unmapped),
            };
        }
        Backing::Kernel(_) if access == Access::Read && !listed.exec => {
            return Outcome::Unclear("the kernel fills these pages as it needs them");
        }
        _ => {}
    }
    match allows(listed, access) {
        Some(true) => {}
        Some(false) => return Outcome::segv(denied(listed, access)),
        None => return Outcome::Unclear("whether this processor can execute without reading"),
    }
    if scene.pid().is_some_and(|pid| process::is_guarded(pid, address)) {
        return Outcome::segv(Cause::Unmapped);
    }
    match listed.is_past_end(address) {
        Some(true) => Outcome::PAST_END,
        None if listed.is_file() => Outcome::Unclear("how long the file is now"),
        _ => Outcome::Succeeds,
    }
}

/// Whether the mapping's protection allows it; `None` where that is the processor's affair.
pub(super) fn allows(listed: &Listed, access: Access) -> Option<bool> {
    match access {
        // Page tables have no "write only": what may be written can be read.
        Access::Read if listed.read || listed.write => Some(true),
        Access::Read if listed.exec => machine::execute_only_is_kept().map(|kept| !kept),
        Access::Read => Some(false),
        Access::Write => Some(listed.write),
        Access::Execute => Some(listed.exec),
        Access::Unknown => None,
    }
}

fn denied(listed: &Listed, access: Access) -> Cause {
    // x86-64 makes memory unreadable but executable by a protection key.
    let by_key = access == Access::Read && listed.exec && cfg!(target_arch = "x86_64");
    if by_key { Cause::ProtectionKey } else { Cause::Protection }
}

/// Whether the main thread's stack may grow down to `address`.
fn grows(scene: &Scene, stack: &Listed, below: Option<&Listed>, address: usize) -> bool {
    let page = PageSize::system();
    let bottom = page.round_down(address);
    let in_the_way = below.is_some_and(|below| {
        let accessible = below.read || below.write || below.exec;
        // Of a saved list, `below` need not end where a page of this machine does.
        accessible && bottom.saturating_sub(below.end) < GUARD_GAP_PAGES * page.bytes()
    });
    let limit = scene.pid().and_then(process::stack_limit).unwrap_or(usize::MAX);
    stack.backing() == Backing::Stack && !in_the_way && stack.end - bottom <= limit
}
