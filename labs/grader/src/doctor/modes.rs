//! Which ways of holding a student's program work here: tried, with a harmless one.

use std::path::Path;

use super::{Finding, line, number};
use crate::sandbox::{Mode, fence};
use crate::supervisor::tried;

pub(super) fn look(cell: &Path) -> Vec<Finding> {
    let tried: Vec<(Mode, Tried)> =
        Mode::ALL.into_iter().map(|mode| (mode, tried(mode, cell))).collect();
    let best = tried.iter().find(|(_, result)| result.is_ok()).map(|(mode, _)| *mode);
    let mut findings: Vec<Finding> =
        tried.iter().map(|(mode, result)| finding(*mode, result, best)).collect();
    findings.push(match best {
        None => Finding::bad(
            "checks run in",
            "no mode at all",
            "the reasons are above; `cargo lab try` runs checks without any",
        ),
        Some(Mode::Tree) => Finding::limited(
            "checks run in",
            "mode tree: good for practice, and no points are official",
            NAMESPACES,
        ),
        Some(mode) => Finding::good("checks run in", format!("mode {mode}")),
    });
    findings.push(namespaces(&tried[0].1));
    findings.push(landlock());
    findings
}

/// What there is to remark of a mode that works, or why it does not.
type Tried = Result<Vec<String>, String>;

const NAMESPACES: &str = "allow user namespaces (below), or use a machine that does; who grades can \
                          also run it as root";

const AS_ROOT: &str = "use a newer kernel, or run it as root";

/// A mode that is not needed is no fault.
fn finding(mode: Mode, result: &Tried, best: Option<Mode>) -> Finding {
    let topic = match mode {
        Mode::Full => "mode full",
        Mode::RunUid => "mode run-uid",
        Mode::Landlock => "mode landlock",
        Mode::Tree => "mode tree",
    };
    match result {
        Ok(remarks) if remarks.is_empty() => Finding::good(topic, "works"),
        Ok(remarks) => Finding::good(topic, format!("works; {}", remarks.join("; "))),
        // As good for marks, but one submission at a time.
        Err(why) if mode == Mode::Full && best != Some(Mode::RunUid) || best.is_none() => {
            let advice = if why.starts_with("unshare") { NAMESPACES } else { AS_ROOT };
            Finding::limited(topic, format!("does not work: {why}"), advice)
        }
        Err(why) => Finding::good(topic, format!("does not work, and is not needed: {why}")),
    }
}

/// The switches that forbid an ordinary user namespaces, and what turns them.
fn namespaces(full: &Tried) -> Finding {
    let topic = "user namespaces";
    let switches = [
        ("kernel.unprivileged_userns_clone", "/proc/sys/kernel/unprivileged_userns_clone", 0, "=1"),
        (
            "kernel.apparmor_restrict_unprivileged_userns",
            "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
            1,
            "=0",
        ),
        ("user.max_user_namespaces", "/proc/sys/user/max_user_namespaces", 0, "=10000"),
    ];
    let off = switches.iter().find(|(_, path, refuses, _)| number(path) == Some(*refuses));
    match off {
        _ if nix::unistd::geteuid().is_root() => Finding::good(topic, "not needed: you are root"),
        Some((name, _, refuses, turn)) => Finding::limited(
            topic,
            format!("refused: {name} is {refuses}"),
            &format!("`sudo sysctl {name}{turn}` (Ubuntu since 23.10 and hardened kernels)"),
        ),
        None if full.is_ok() => Finding::good(topic, "allowed"),
        // They were entered, and something after that failed.
        None if full.as_ref().is_err_and(|why| !why.starts_with("unshare")) => {
            Finding::good(topic, "allowed; it is for another reason that mode full does not work")
        }
        None => Finding::limited(
            topic,
            "no switch forbids them, and yet they are refused: by a container's rules, perhaps",
            "in Docker: `--security-opt seccomp=unconfined`, or a machine of your own",
        ),
    }
}

fn landlock() -> Finding {
    let topic = "Landlock, seccomp";
    let abi = fence::version();
    let seccomp = line("/proc/sys/kernel/seccomp/actions_avail").is_some();
    let seccomp = if seccomp { "seccomp filters" } else { "no seccomp filters" };
    match abi {
        0 => Finding::limited(
            topic,
            format!("no Landlock, {seccomp}"),
            "without it a submission may read what everybody may; boot with `lsm=landlock,…` if the \
             kernel has it (since 5.13)",
        ),
        1..=5 => Finding::good(
            topic,
            format!("Landlock version {abi} (mode landlock needs 6, Linux 6.12), {seccomp}"),
        ),
        _ => Finding::good(topic, format!("Landlock version {abi}, {seccomp}")),
    }
}
