//! What is known about a process, at one moment.

use std::ops::Range;

use ipc_common::Result;

use super::explanation::Explanation;
use super::machine::{self, Half};
use super::outcome::{self, Outcome};
use super::place::Place;
use super::{diagnosis, process};
use crate::fault::{Access, Fault};
use crate::maps::{self, Listed};

/// `vm.mmap_min_addr` is at most this on the systems we know; root can set it to 0.
const NULLS_LAST: usize = 0xffff;

/// The mappings of a process with the lengths of their files, and what else the caller knows.
///
/// A fault does not carry its history. The more the caller tells, the more a sentence can:
///
/// - [`stack_pointer`](Scene::stack_pointer): an overflow of this thread's stack is recognised for
///   sure, rather than guessed;
/// - [`since`](Scene::since): memory that was there earlier has been freed, not missed; a file that
///   was longer has been cut;
/// - [`object`](Scene::object): bytes past the end of *a buffer*, not of a mapping.
#[derive(Clone, Debug)]
pub struct Scene {
    /// `None` for a list that somebody saved.
    pid: Option<u32>,
    mappings: Vec<Listed>,
    pub(super) stack_pointer: Option<usize>,
    earlier: Vec<Listed>,
    objects: Vec<(Range<usize>, String)>,
}

impl Scene {
    /// This process, as it is now.
    ///
    /// # Errors
    ///
    /// `ENOENT` if /proc is not mounted.
    pub fn of_this_process() -> Result<Scene> {
        Scene::of(std::process::id())
    }

    /// Another process, as it is now. It may change at any moment; if it is stopped, or waits, it
    /// does not.
    ///
    /// # Errors
    ///
    /// `ESRCH` if there is no such process; `EACCES` if it is another user's.
    pub fn of(pid: u32) -> Result<Scene> {
        Ok(Scene { pid: Some(pid), ..Scene::new(process::mappings(pid)?) })
    }

    /// A process of which only a copy of /proc/PID/maps is left. How long its files were is not in
    /// there, nor how far its stack could grow. Lines that are none are skipped, and so are those of
    /// mappings that end before they begin or lie over another: no kernel has written them.
    ///
    /// ```
    /// use segv_guard::explain::{Outcome, Scene};
    /// use segv_guard::Access;
    ///
    /// let scene = Scene::from_maps(b"601000-602000 rw-p 00000000 00:00 0 [heap]\n");
    /// assert_eq!(scene.outcome(0x601fff, Access::Write), Outcome::Succeeds);
    /// assert!(!scene.outcome(0x602000, Access::Write).is_allowed());
    /// ```
    pub fn from_maps(maps: &[u8]) -> Scene {
        Scene::new(maps::parse(maps))
    }

    pub(super) fn new(mut mappings: Vec<Listed>) -> Scene {
        mappings.sort_by_key(|listed| listed.start);
        // All that follows counts on it: in order, none empty, none over another.
        let mut end = 0;
        mappings.retain(|listed| {
            let fits = end <= listed.start && listed.start < listed.end;
            if fits {
                end = listed.end;
            }
            fits
        });
        let (earlier, objects) = (Vec::new(), Vec::new());
        Scene { pid: None, mappings, stack_pointer: None, earlier, objects }
    }

    /// Where the stack of the faulting thread had got to: `rsp` on x86-64, `sp` on aarch64, from
    /// the third argument of a handler or from a tracer.
    #[must_use]
    pub fn stack_pointer(self, address: usize) -> Scene {
        Scene { stack_pointer: Some(address), ..self }
    }

    /// The same process at an earlier moment.
    #[must_use]
    pub fn since(self, earlier: &Scene) -> Scene {
        Scene { earlier: earlier.mappings.clone(), ..self }
    }

    /// Something that lies at these addresses, as it shall be called in a sentence:
    /// `"a 16-byte buffer"`.
    #[must_use]
    pub fn object(mut self, addresses: Range<usize>, what: impl Into<String>) -> Scene {
        self.objects.push((addresses, what.into()));
        self
    }

    /// The process, unless only its list is left.
    pub fn pid(&self) -> Option<u32> {
        self.pid
    }

    /// All that is mapped, by address.
    pub fn mappings(&self) -> &[Listed] {
        &self.mappings
    }

    /// What lies at an address.
    pub fn place(&self, address: usize) -> Place<'_> {
        let address = machine::untagged(address);
        let next = self.mappings.partition_point(|listed| listed.end <= address);
        let (below, above) = (next.checked_sub(1), self.mappings.get(next));
        match (above, machine::half(address)) {
            (Some(listed), _) if listed.contains(address) => Place::Mapped(listed),
            (_, Half::Kernel) => Place::Kernel { from_end: address.wrapping_neg() },
            (_, Half::Nobody) => Place::Nowhere,
            (_, Half::Program) if address <= NULLS_LAST => Place::Null { offset: address },
            (_, Half::Program) => {
                // What lies beyond the hole is no neighbour.
                let above = above.filter(|listed| machine::half(listed.start) == Half::Program);
                Place::Gap { below: below.map(|index| &self.mappings[index]), above }
            }
        }
    }

    /// What an access would do now. It is not tried. For pages that are guarded
    /// (`MADV_GUARD_INSTALL`) this is right from Linux 6.15 on; before that, nothing tells of them.
    pub fn outcome(&self, address: usize, access: Access) -> Outcome {
        outcome::of(self, machine::untagged(address), access)
    }

    /// One sentence about a fault of this process.
    pub fn explain(&self, fault: &Fault) -> Explanation {
        Explanation::new(*fault, diagnosis::of(self, fault))
    }

    /// What was mapped there earlier.
    pub(super) fn earlier(&self, address: usize) -> Option<&Listed> {
        self.earlier.iter().find(|listed| listed.contains(address))
    }

    /// The object that `address` lies closest to, within `reach` bytes, but not in.
    pub(super) fn near_object(&self, address: usize, reach: usize) -> Option<(Side, usize, &str)> {
        self.objects
            .iter()
            .filter_map(|(range, what)| {
                let (side, distance) = if address >= range.end {
                    (Side::After, address - range.end)
                } else {
                    (Side::Before, range.start.checked_sub(address)?)
                };
                (distance < reach && !range.contains(&address)).then_some((
                    side,
                    distance,
                    what.as_str(),
                ))
            })
            .min_by_key(|(_, distance, _)| *distance)
    }
}

/// On which side of something an address lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    After,
}
