//! Runs a program as a container would: with Docker's default capabilities, and without the calls
//! that its seccomp profile refuses. There namespaces cannot be had, by root neither.
//!
//! ```text
//! cargo run -p grader --example contained -- target/debug/lab verify
//! ```

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

/// What root keeps (capabilities(7)): CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID,
/// SETPCAP, NET_BIND_SERVICE, NET_RAW, SYS_CHROOT, MKNOD, AUDIT_WRITE, SETFCAP.
const KEPT: [i32; 14] = [0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31];

/// Refused with EPERM to whoever lacks CAP_SYS_ADMIN, which is everybody in there.
const REFUSED: &[libc::c_long] = &[
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_userfaultfd,
];

/// `contained PROGRAM ARGUMENTS…`
pub fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(program) = arguments.next() else {
        let _ = writeln!(std::io::stderr(), "usage: contained PROGRAM ARGUMENTS…");
        return ExitCode::from(2);
    };
    run(program, arguments)
}

/// Becomes the program. Returns only if that fails.
pub fn run(program: OsString, arguments: impl Iterator<Item = OsString>) -> ExitCode {
    // Many a kernel has no Landlock; by this one can be tested what holds then.
    let without = std::env::var_os("CONTAINED_WITHOUT_LANDLOCK").is_some();
    let landlock = if without { refuse_landlock() } else { Ok(()) };
    let confined = landlock.and_then(|()| drop_capabilities()).and_then(|()| refuse_calls());
    let error = match confined {
        Ok(()) => Command::new(&program).args(arguments).exec().to_string(),
        Err(error) => error,
    };
    let _ = writeln!(std::io::stderr(), "contained: {}: {error}", program.display());
    ExitCode::FAILURE
}

/// From the bounding set: root gets from execve(2) what is in there, and no more.
fn drop_capabilities() -> Result<(), String> {
    if !nix::unistd::geteuid().is_root() {
        return Ok(());
    }
    for capability in (0..64).filter(|capability| !KEPT.contains(capability)) {
        // SAFETY: numbers only. EINVAL: the kernel has no such capability.
        let result = unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) };
        if result != 0 && nix::errno::Errno::last() != nix::errno::Errno::EINVAL {
            return Err(format!("PR_CAPBSET_DROP: {}", nix::errno::Errno::last()));
        }
    }
    Ok(())
}

fn refuse_calls() -> Result<(), String> {
    let words = |error: seccompiler::BackendError| error.to_string();
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    // clone with a namespace flag; see clone(2).
    let namespaces = [
        libc::CLONE_NEWNS,
        libc::CLONE_NEWCGROUP,
        libc::CLONE_NEWUTS,
        libc::CLONE_NEWIPC,
        libc::CLONE_NEWUSER,
        libc::CLONE_NEWPID,
        libc::CLONE_NEWNET,
    ];
    let with_flag = |flag: i32| {
        let flag = u64::from(flag.unsigned_abs());
        let masked = SeccompCmpOp::MaskedEq(flag);
        SeccompCondition::new(0, SeccompCmpArgLen::Qword, masked, flag)
            .and_then(|condition| SeccompRule::new(vec![condition]))
    };
    let flags: Result<_, _> = namespaces.into_iter().map(with_flag).collect();
    rules.insert(libc::SYS_clone, flags.map_err(words)?);
    install(rules, libc::EPERM)?;
    // Its flags lie in memory, where a filter cannot look.
    install([(libc::SYS_clone3, Vec::new())].into(), libc::ENOSYS)
}

fn refuse_landlock() -> Result<(), String> {
    install([(libc::SYS_landlock_create_ruleset, Vec::new())].into(), libc::ENOSYS)
}

fn install(rules: BTreeMap<i64, Vec<SeccompRule>>, errno: i32) -> Result<(), String> {
    let words = |error: seccompiler::BackendError| error.to_string();
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(words)?;
    let refuse = SeccompAction::Errno(errno.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch).map_err(words)?;
    let filter: BpfProgram = filter.try_into().map_err(words)?;
    seccompiler::apply_filter(&filter).map_err(|error| error.to_string())
}
