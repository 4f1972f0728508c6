//! Resource limits (setrlimit(2)).

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use serde::{Deserialize, Serialize};

/// What one program may use. What all programs of a run use together is watched from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Seconds of CPU time, then SIGXCPU, and a second later SIGKILL.
    pub cpu_seconds: u64,
    /// Bytes of address space: attached segments count, too.
    pub address_space: u64,
    /// Bytes of the largest file it may write.
    pub file_size: u64,
    /// How many processes and threads its user may have.
    pub processes: u64,
    /// How many descriptors it may have.
    pub descriptors: u64,
}

impl Limits {
    /// For a driver with a student's library.
    pub const DRIVER: Limits = Limits {
        cpu_seconds: 20,
        address_space: 1 << 30,
        file_size: 64 << 20,
        processes: 64,
        descriptors: 256,
    };

    /// For rustc and the linker that it starts.
    pub const COMPILER: Limits = Limits {
        cpu_seconds: 10,
        address_space: 3 << 30,
        file_size: 256 << 20,
        processes: 64,
        descriptors: 1024,
    };

    /// Limits this process, whose user has `others` processes already.
    pub(super) fn apply(self, others: u64) -> Result<(), Errno> {
        let limits = [
            (Resource::RLIMIT_CPU, self.cpu_seconds, self.cpu_seconds + 1),
            (Resource::RLIMIT_AS, self.address_space, self.address_space),
            (Resource::RLIMIT_FSIZE, self.file_size, self.file_size),
            (Resource::RLIMIT_NPROC, self.processes + others, self.processes + others),
            (Resource::RLIMIT_NOFILE, self.descriptors, self.descriptors),
            (Resource::RLIMIT_CORE, 0, 0),
            (Resource::RLIMIT_MSGQUEUE, 0, 0),
            (Resource::RLIMIT_MEMLOCK, 1 << 20, 1 << 20),
        ];
        for (resource, soft, hard) in limits {
            // Somebody may have set a lower one: it stays, as raising it is a privilege.
            let (_, most) = getrlimit(resource)?;
            setrlimit(resource, soft.min(most), hard.min(most))?;
        }
        Ok(())
    }
}
