//! The system calls, and all but one module's unsafe code: below this folder stands libc, above it
//! nothing can be misused. (The exception is `robust`, whose functions are unsafe to call.)
//!
//! Every function here takes plain values or references, and says in its error what the call was
//! about. What a peer does to an id meanwhile (remove it, make something else under the same
//! number) can give an error or an answer about the other thing, never memory that is not ours.

mod attachment;
pub(crate) mod sem;
pub(crate) mod shm;

pub(crate) use attachment::Attachment;

/// The owner, creator and mode of a System V object, from `struct ipc_perm`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Permissions {
    pub key: i32,
    pub owner: (u32, u32),
    pub creator: (u32, u32),
    pub mode: u32,
}

impl Permissions {
    fn of(perm: &libc::ipc_perm) -> Permissions {
        Permissions {
            key: perm.__key,
            owner: (perm.uid, perm.gid),
            creator: (perm.cuid, perm.cgid),
            mode: widened(perm.mode),
        }
    }
}

/// The mode has 16 bits in libc's declaration for x86-64 and 32 in that for aarch64.
fn widened(mode: impl Into<u32>) -> u32 {
    mode.into()
}

/// The same, the other way round.
fn sized<T: From<u16>>(mode: u16) -> T {
    mode.into()
}
