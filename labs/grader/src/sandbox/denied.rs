//! Calls that a student's program is refused: a seccomp filter. A denylist, since what Rust's
//! runtime, rustc and a linker call differs from version to version; what really holds are the
//! namespaces, users and Landlock.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, sock_filter,
};

/// Refused whatever the arguments: with EPERM.
const ALWAYS: &[c_long] = &[
    // Other processes' memory, descriptors and time.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_kcmp,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    libc::SYS_setpriority,
    libc::SYS_ioprio_set,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setscheduler,
    libc::SYS_sched_setattr,
    // Forged faults: si_code and si_addr would look like a real SIGSEGV's.
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    // Namespaces, mounts, and ways around them.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    // The network, and sockets to whoever listens on this machine.
    libc::SYS_socket,
    // Memory that no limit counts, and names in no folder.
    libc::SYS_memfd_create,
    libc::SYS_memfd_secret,
    libc::SYS_mq_open,
    libc::SYS_userfaultfd,
    // Much kernel, little use.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_fanotify_init,
    libc::SYS_lookup_dcookie,
    libc::SYS_personality,
    libc::SYS_quotactl,
    libc::SYS_acct,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_reboot,
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
];

/// Signals that stand for a fault. Sent by hand they would only pretend one.
const FAULTS: [libc::c_int; 2] = [libc::SIGSEGV, libc::SIGBUS];

/// The filter, and what is in front of it: x32 numbers name the same calls a second time, and
/// clone3's flags lie in memory, where a filter cannot look. Both do not exist (ENOSYS), upon which
/// the C library takes clone.
pub(super) fn filter() -> Result<BpfProgram, String> {
    let words = |error: seccompiler::BackendError| error.to_string();
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(words)?;
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        ALWAYS.iter().map(|call| (*call, Vec::new())).collect();
    let is = |argument, length, operator, value| {
        SeccompCondition::new(argument, length, operator, value)
            .and_then(|condition| SeccompRule::new(vec![condition]))
            .map_err(words)
    };
    // kill(pid, signal), tkill(tid, signal), tgkill(pid, tid, signal).
    for (call, place) in [(libc::SYS_kill, 1), (libc::SYS_tkill, 1), (libc::SYS_tgkill, 2)] {
        let faults = FAULTS.map(|signal| {
            is(place, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, signal.unsigned_abs().into())
        });
        rules.insert(call, faults.into_iter().collect::<Result<_, _>>()?);
    }
    // kill(-1): everybody.
    let everybody = is(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, u32::MAX.into())?;
    rules.entry(libc::SYS_kill).or_default().push(everybody);
    // prlimit64(pid, …) and sched_setaffinity(pid, …): of oneself only.
    for call in [libc::SYS_prlimit64, libc::SYS_sched_setaffinity] {
        rules.insert(call, vec![is(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, 0)?]);
    }
    // clone with any namespace flag.
    let namespaces = libc::CLONE_NEWNS
        | libc::CLONE_NEWCGROUP
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUSER
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWNET;
    let flags = (0..32).map(|bit| 1_u64 << bit).filter(|bit| *bit & namespaces as u64 != 0);
    let flags = flags
        .map(|bit| is(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(bit), bit))
        .collect::<Result<_, _>>()?;
    rules.insert(libc::SYS_clone, flags);
    let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refused, arch).map_err(words)?;
    let filter: BpfProgram = filter.try_into().map_err(words)?;
    Ok(prologue().into_iter().chain(filter).collect())
}

/// Classic BPF (linux/filter.h): load the number of the call, and send two kinds of it home.
fn prologue() -> [sock_filter; 4] {
    const LOAD: u16 = 0x20;
    const JUMP_IF_EQUAL: u16 = 0x15;
    const JUMP_IF_AT_LEAST: u16 = 0x35;
    const RETURN: u16 = 0x06;
    const RET_ERRNO: u32 = 0x0005_0000;
    const X32: u32 = 0x4000_0000;
    let clone3 = u32::try_from(libc::SYS_clone3).unwrap_or(u32::MAX);
    [
        sock_filter { code: LOAD, jt: 0, jf: 0, k: 0 },
        sock_filter { code: JUMP_IF_AT_LEAST, jt: 1, jf: 0, k: X32 },
        sock_filter { code: JUMP_IF_EQUAL, jt: 0, jf: 1, k: clone3 },
        sock_filter { code: RETURN, jt: 0, jf: 0, k: RET_ERRNO | libc::ENOSYS.unsigned_abs() },
    ]
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_filter_is_built() {
        assert!(super::filter().unwrap().len() > 50);
    }
}
