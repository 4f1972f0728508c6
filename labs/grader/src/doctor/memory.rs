//! Shared memory: what System V allows here, and the file system behind POSIX shared memory.

use std::fs;

use nix::sys::statvfs::statvfs;

use super::{Finding, line, number};

/// What a lab's programs take at most.
const NEEDED: u64 = 64 << 20;

pub(super) fn look() -> Vec<Finding> {
    let mut findings = system_v();
    findings.push(dev_shm());
    findings
}

fn system_v() -> Vec<Finding> {
    let page = ipc_common::PageSize::system().bytes() as u64;
    let kernel = |name: &str| number(&format!("/proc/sys/kernel/{name}"));
    let (Some(most), Some(largest), Some(pages)) =
        (kernel("shmmni"), kernel("shmmax"), kernel("shmall"))
    else {
        return vec![Finding::bad(
            "System V memory",
            "this kernel has none, or /proc is not mounted",
            "a kernel with CONFIG_SYSVIPC is needed: every distribution's own has it",
        )];
    };
    let there = objects("shm");
    let all = pages.saturating_mul(page);
    let found = format!(
        "{there} of {most} segments; the largest {}, all together {}",
        size(largest),
        size(all)
    );
    let memory = if largest < NEEDED || all < NEEDED {
        Finding::limited(
            "System V memory",
            found,
            "too little for the labs where they have no IPC namespace: \
             `sudo sysctl kernel.shmmax=… kernel.shmall=…`",
        )
    } else if there * 10 > most * 9 {
        Finding::limited(
            "System V memory",
            found,
            "nearly all are taken: `ipcs -mp` shows whose they are, `ipcrm -m ID` removes one",
        )
    } else {
        Finding::good("System V memory", found)
    };
    let sets = objects("sem");
    let limits = line("/proc/sys/kernel/sem").unwrap_or_default();
    let most: u64 =
        limits.split_whitespace().nth(3).and_then(|word| word.parse().ok()).unwrap_or_default();
    let found = format!("{sets} of {most} sets");
    let semaphores = if sets + 10 > most {
        let advice = "nearly all are taken: `ipcs -s` shows them, `ipcrm -s ID` removes one";
        Finding::limited("System V semaphores", found, advice)
    } else {
        Finding::good("System V semaphores", found)
    };
    vec![memory, semaphores]
}

fn objects(kind: &str) -> u64 {
    let table = fs::read_to_string(format!("/proc/sysvipc/{kind}")).unwrap_or_default();
    table.lines().skip(1).count() as u64
}

fn dev_shm() -> Finding {
    let Ok(found) = statvfs("/dev/shm") else {
        return Finding::limited(
            "/dev/shm",
            "it is not there",
            "shm_open needs it: `sudo mount -t tmpfs tmpfs /dev/shm`",
        );
    };
    let free = found.blocks_available().saturating_mul(found.fragment_size());
    let words = format!("{} free", size(free));
    if free < 16 << 20 {
        let advice = "a container's is often small: start it with `--shm-size=256m`";
        return Finding::limited("/dev/shm", words, advice);
    }
    Finding::good("/dev/shm", words)
}

/// A size in the largest unit that it is at least one of.
pub(super) fn size(bytes: u64) -> String {
    let units = [("TiB", 1u64 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    // The kernel's own way of saying that there is no limit, almost.
    if bytes > 1 << 50 {
        return "as good as without limit".into();
    }
    units
        .iter()
        .find(|(_, unit)| bytes >= *unit)
        .map_or_else(|| format!("{bytes} bytes"), |(name, unit)| format!("{} {name}", bytes / unit))
}

#[cfg(test)]
mod tests {
    #[test]
    fn sizes_for_people() {
        for (bytes, words) in
            [(64 << 20, "64 MiB"), (100, "100 bytes"), (u64::MAX, "as good as without limit")]
        {
            assert_eq!(super::size(bytes), words);
        }
    }
}
