//! From a fault to the mistake behind it.

use ipc_common::PageSize;

use super::machine::{self, Half};
use super::mistake::Mistake;
use super::outcome;
use super::place::Place;
use super::scene::{Scene, Side};
use super::words;
use crate::fault::{Access, Cause, Fault};
use crate::maps::{Backing, Listed};

/// How far below the stack pointer an overflow is still one: the largest frame of a function that
/// touches its pages in order is smaller.
const FRAME: usize = 64 * 1024;
/// The kernel keeps at least so much free below a stack that grows.
const BELOW_STACK: usize = 1 << 20;

pub(super) fn of(scene: &Scene, fault: &Fault) -> Mistake {
    let access = fault.access();
    // Mappings are listed without the tag that a pointer may have on aarch64.
    match (fault.cause(), fault.address().map(machine::untagged)) {
        (Cause::Misaligned, _) => Mistake::Misaligned,
        (Cause::NonCanonical, _) | (_, None) => Mistake::NoSuchAddress { told: false },
        (Cause::BrokenMemory, Some(address)) => {
            Mistake::BrokenMemory { what: what(scene, address) }
        }
        (Cause::ProtectionKey, Some(address)) => key(scene, address, access),
        (Cause::PastEndOfFile, Some(address)) => behind_the_page(scene, address),
        (_, Some(address)) => refused(scene, fault, address, access),
    }
}

/// Characters where a pointer should be: of all its bytes, the tag too.
fn text_in(fault: &Fault) -> Option<String> {
    words::text_in(fault.address()?)
}

fn what(scene: &Scene, address: usize) -> String {
    match scene.place(address) {
        Place::Mapped(listed) => listed.what_at(address),
        place => place.to_string(),
    }
}

fn key(scene: &Scene, address: usize, access: Access) -> Mistake {
    match scene.place(address) {
        Place::Mapped(listed) if access == Access::Read && listed.exec && !listed.read => {
            Mistake::ReadOfExecuteOnly { what: listed.what_at(address) }
        }
        _ => Mistake::ProtectionKey { what: what(scene, address) },
    }
}

/// SIGBUS: a mapping is there, and no page can be had for it.
fn behind_the_page(scene: &Scene, address: usize) -> Mistake {
    let Place::Mapped(listed) = scene.place(address) else {
        return Mistake::NothingHere { nearest: scene.place(address).nearest(address) };
    };
    let what = listed.what_at(address);
    match (listed.backing(), listed.is_past_end(address)) {
        (Backing::HugePages, _) => Mistake::NoHugePage,
        (_, Some(true)) => {
            let had = scene.earlier(address).filter(|earlier| earlier.is_same_file(listed));
            Mistake::PastEndOfFile {
                page: listed.page_of(address),
                file: listed.what(),
                bytes: listed.file_len.unwrap_or_default(),
                before: had.and_then(|earlier| earlier.file_len),
            }
        }
        (_, Some(false)) => Mistake::NoPageToBeHad { what },
        (_, None) => Mistake::PerhapsPastEndOfFile { what },
    }
}

/// SIGSEGV, with an address.
fn refused(scene: &Scene, fault: &Fault, address: usize, access: Access) -> Mistake {
    match scene.place(address) {
        Place::Null { offset } => null(offset, access),
        Place::Kernel { from_end: 1 } => Mistake::UncheckedError,
        Place::Kernel { from_end } if from_end <= PageSize::system().bytes() => {
            Mistake::NullMinus { bytes: from_end }
        }
        place @ (Place::Kernel { .. } | Place::Nowhere) => match text_in(fault) {
            Some(text) => Mistake::TextAsPointer { text },
            None if place == Place::Nowhere => Mistake::NoSuchAddress { told: true },
            None => Mistake::KernelAddress,
        },
        // The one page in that half which the kernel lists, as a courtesy: [vsyscall].
        Place::Mapped(listed) if machine::half(listed.start) == Half::Kernel => {
            Mistake::KernelAddress
        }
        place @ Place::Gap { .. } => gap(scene, place, fault, address),
        Place::Mapped(listed) => mapped(scene, listed, fault.cause(), address, access),
    }
}

fn null(offset: usize, access: Access) -> Mistake {
    match (offset, access) {
        (0, Access::Execute) => Mistake::NullCall,
        (0, _) => Mistake::NullPointer,
        (offset, _) => Mistake::NullField { offset },
    }
}

fn gap(scene: &Scene, place: Place<'_>, fault: &Fault, address: usize) -> Mistake {
    let Place::Gap { below, above } = place else { return Mistake::NothingHere { nearest: None } };
    if let Some(beside) = beside_object(scene, address) {
        return beside;
    }
    if let (Cause::Protection, Some(stack)) = (fault.cause(), above) {
        // The stack has room to grow there, and would; but it is not for running.
        return Mistake::DataExecuted { what: stack.what(), protection: stack.protection() };
    }
    if above.is_some_and(|stack| overflows_into_gap(scene, stack, address)) {
        return Mistake::StackOverflow { certain: true };
    }
    if let Some(earlier) = scene.earlier(address) {
        return Mistake::Freed { what: earlier.what_at(address) };
    }
    let page = PageSize::system().bytes();
    match (below, above, text_in(fault)) {
        (_, _, Some(text)) => Mistake::TextAsPointer { text },
        (Some(below), ..) if address - below.end < page => {
            Mistake::PastEnd { bytes: address - below.end, what: below.what() }
        }
        (_, Some(above), _) if above.start - address <= page => {
            Mistake::BeforeStart { bytes: above.start - address, what: above.what() }
        }
        _ => Mistake::NothingHere { nearest: place.nearest(address) },
    }
}

fn beside_object(scene: &Scene, address: usize) -> Option<Mistake> {
    let (side, bytes, what) = scene.near_object(address, PageSize::system().bytes())?;
    let what = what.to_owned();
    Some(match side {
        Side::After => Mistake::PastEnd { bytes, what },
        Side::Before => Mistake::BeforeStart { bytes, what },
    })
}

/// `above` is what is mapped next above the gap.
fn overflows_into_gap(scene: &Scene, above: &Listed, address: usize) -> bool {
    let below_it = above.start - address <= BELOW_STACK && above.write;
    match scene.stack_pointer {
        Some(pointer) => below_it && address.abs_diff(pointer) <= FRAME && pointer < above.end,
        None => below_it && above.backing() == Backing::Stack,
    }
}

fn mapped(scene: &Scene, listed: &Listed, cause: Cause, address: usize, access: Access) -> Mistake {
    let what = listed.what_at(address);
    let protection = listed.protection();
    let allowed = outcome::allows(listed, access);
    if matches!(cause, Cause::Unmapped) && allowed != Some(false) {
        // Newer C libraries guard a thread's stack within its own mapping.
        let on_this_stack =
            |pointer: usize| listed.contains(pointer) && address.abs_diff(pointer) <= FRAME;
        if scene.stack_pointer.is_some_and(on_this_stack) {
            return Mistake::StackOverflow { certain: true };
        }
        return beside_object(scene, address).unwrap_or(Mistake::GuardPage { what, protection });
    }
    match access {
        _ if !(listed.read || listed.write || listed.exec) => no_access(scene, listed, address),
        _ if allowed == Some(true) => Mistake::AllowedNow { what, protection },
        Access::Execute => Mistake::DataExecuted { what, protection },
        Access::Read => Mistake::ReadOfExecuteOnly { what },
        Access::Write | Access::Unknown if listed.exec => Mistake::WriteToCode { what },
        Access::Write | Access::Unknown => read_only(scene, listed, what),
    }
}

fn read_only(scene: &Scene, listed: &Listed, what: String) -> Mistake {
    let is_program = |other: &&Listed| other.is_same_file(listed) && other.exec;
    match listed.backing() {
        Backing::File(_) if scene.mappings().iter().any(|other| is_program(&other)) => {
            Mistake::WriteToConstant { what }
        }
        Backing::File(_) | Backing::Memfd(_) => Mistake::WriteToReadOnlyFile { what },
        _ => Mistake::WriteToReadOnly { what },
    }
}

/// Memory without any access, and what it stands beside.
fn no_access(scene: &Scene, listed: &Listed, address: usize) -> Mistake {
    if let Some(beside) = beside_object(scene, address) {
        return beside;
    }
    let beside = |found: &&Listed| found.write;
    let below = scene.mappings().iter().find(|other| other.end == listed.start).filter(beside);
    let above = scene.mappings().iter().find(|other| other.start == listed.end).filter(beside);
    let overflows = |pointer: usize| {
        let on_stack = above.is_some_and(|stack| pointer < stack.end);
        on_stack && address.abs_diff(pointer) <= FRAME
    };
    match (below, above, scene.stack_pointer) {
        (_, _, Some(pointer)) if overflows(pointer) => Mistake::StackOverflow { certain: true },
        (Some(below), ..) if address - listed.start < listed.end - address => {
            Mistake::PastEndInGuard { bytes: address - listed.start, what: below.what() }
        }
        (_, Some(_), None) => Mistake::StackOverflow { certain: false },
        _ => Mistake::NoAccess { what: listed.what_at(address) },
    }
}
