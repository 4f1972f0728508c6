//! System V shared memory: memory that processes ask the kernel for by number, and that outlives
//! them. Slides "Shared Memory" to "Run demo".
//!
//! (The slides call it "POSIX Shared Memory". The calls, `shmget` and its family, are System V's,
//! which POSIX has as an option; POSIX's own interface is `shm_open`.)
//!
//! ```
//! use ipc_common::Key;
//! use sysv_shm::{Mode, Segment};
//!
//! let segment = Segment::create(Key::PRIVATE, 1024, Mode::PRIVATE)?; // shmget
//! let writer = segment.attach_write()?;                              // shmat
//! let reader = segment.attach_read()?;                               // shmat, SHM_RDONLY
//! segment.mark_for_removal()?;                                       // shmctl, IPC_RMID
//!
//! writer.view().put_text("Writing to shared memory".as_bytes())?;
//! assert_eq!(reader.view().text()?.to_string(), "Writing to shared memory");
//! # Ok::<(), ipc_common::Error>(())
//! ```
//!
//! # Layout
//!
//! | module | what it is | calls |
//! |---|---|---|
//! | [`segment`] | create, open, attach, look at, list, remove | `shmget` `shmat` `shmdt` `shmctl` |
//! | [`semaphore`] | a semaphore set, created without a race | `semget` `semop` `semctl` |
//! | [`lock`] | the lock beside a segment, which survives its holder's death | the same |
//! | [`note`] | the demo: a text in a segment, under that lock | all of them, and `futex` |
//! | [`robust`] | the other lock: a mutex in the memory itself; unsafe | `pthread_mutex_*` |
//! | `sys` | the calls themselves, and nearly all of the unsafe code | |
//!
//! A peer can do what it likes with memory, semaphores and ids. Of the safe functions here it can
//! make any fail, and any copy be nonsense; it cannot make one read or write memory that is not
//! ours.

pub mod lock;
mod mode;
pub mod note;
mod opened;
pub mod robust;
pub mod segment;
pub mod semaphore;
mod sys;
mod user;

pub use lock::{Before, Lock, LockState, Snapshot, Writing};
pub use mode::Mode;
pub use opened::Opened;
pub use segment::{AttachedRead, AttachedWrite, Place, Segment, Stat, limits, list};
pub use semaphore::{Op, SemaphoreSet, SemaphoreStat};
pub use user::user_name;
