//! Landlock: which files a program may touch, and whom it may signal.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetError, Scope, path_beneath_rules,
};

use super::{Mode, sys};

/// What every program needs: the loader, the C library, the tools that a compiler starts.
const EVERYWHERE: &[&str] = &[
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/bin",
    "/lib",
    "/lib32",
    "/lib64",
    "/bin",
    "/nix/store",
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/proc",
];

/// Devices that hold nothing of anybody's.
pub(super) const DEVICES: &[&str] =
    &["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// The newest ABI that this was written for; what an older kernel lacks is left out.
const KNOWN: ABI = ABI::V6;

/// What [`EVERYWHERE`] there is here, for who builds a root of it.
pub(super) fn system_folders() -> impl Iterator<Item = &'static Path> {
    EVERYWHERE.iter().map(Path::new).filter(|path| *path != Path::new("/proc"))
}

/// Whether a program in the sandbox finds what lies at a path.
pub(crate) fn is_everywhere(path: &Path) -> bool {
    system_folders().any(|folder| path.starts_with(folder))
}

/// Whether the kernel has Landlock at all. Without it, what keeps a program from files is their mode.
pub(crate) fn is_there() -> bool {
    version() > 0
}

/// Which version of Landlock the kernel has; 0 if none.
pub(crate) fn version() -> i64 {
    sys::landlock_abi()
}

/// A fence that is built, but does not hold anybody yet.
///
/// Signals are kept in only where nothing else does it: programs of one check may ask, by kill(2)
/// with signal 0, whether the other is still there. (Where they are kept in, the answer is EPERM,
/// which also means that it is.)
pub(super) fn around(
    mode: Mode,
    read: &[PathBuf],
    write: &[PathBuf],
) -> Result<RulesetCreated, RulesetError> {
    let scope = match mode {
        Mode::Full | Mode::RunUid => Scope::AbstractUnixSocket.into(),
        Mode::Landlock | Mode::Tree => Scope::from_all(KNOWN),
    };
    let all = AccessFs::from_all(KNOWN);
    let devices = AccessFs::ReadFile | AccessFs::WriteFile;
    // No devices, no sockets, and no programs of one's own making.
    let writable = all
        & !(AccessFs::Execute
            | AccessFs::MakeChar
            | AccessFs::MakeBlock
            | AccessFs::MakeSock
            | AccessFs::IoctlDev);
    Ruleset::default()
        .handle_access(all)?
        .handle_access(AccessNet::from_all(KNOWN))?
        .scope(scope)?
        .create()?
        .add_rules(path_beneath_rules(EVERYWHERE, AccessFs::from_read(KNOWN)))?
        .add_rules(path_beneath_rules(read, AccessFs::from_read(KNOWN)))?
        .add_rules(path_beneath_rules(DEVICES, devices))?
        .add_rules(path_beneath_rules(write, writable))
}

/// That this process is in a domain of its own, which signals cannot leave.
#[derive(Debug)]
pub(super) struct Domain(());

/// A domain that signals cannot leave, around this process and all that it will start. `kill(-1)`
/// then reaches those and nobody else.
pub(super) fn keep_signals_in() -> Result<Domain, RulesetError> {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .scope(Scope::Signal)?
        // Any domain forbids renaming from one folder to another, unless it is told not to
        // (landlock(7)); rustc does that.
        .handle_access(AccessFs::Refer)?
        .create()?
        .add_rules(path_beneath_rules(["/"], AccessFs::Refer))?
        .restrict_self()
        .map(|_| Domain(()))
}
