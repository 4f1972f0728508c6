//! The machine: kernel, processor, pages, and whether something stands in between.

use std::path::Path;

use super::{Finding, line};

/// The oldest kernel that the course is tried with.
const OLDEST: (u32, u32) = (5, 15);

pub(super) fn look() -> Vec<Finding> {
    let mut findings = vec![kernel(), processor(), pages()];
    findings.extend(surroundings());
    findings
}

fn kernel() -> Finding {
    let release = line("/proc/sys/kernel/osrelease").unwrap_or_default();
    match version(&release) {
        Some(found) if found >= OLDEST => Finding::good("kernel", format!("Linux {release}")),
        Some(_) => Finding::limited(
            "kernel",
            format!("Linux {release}"),
            "the course is tried with Linux 5.15 and later; some examples will say what they lack",
        ),
        None => Finding::bad(
            "kernel",
            "no Linux kernel, or /proc is not mounted",
            "use a Linux machine, a virtual one or WSL2: the labs are about what Linux does",
        ),
    }
}

fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn processor() -> Finding {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let found = format!("{}, {cores} in use at once", std::env::consts::ARCH);
    match std::env::consts::ARCH {
        "x86_64" | "aarch64" => Finding::good("processor", found),
        _ => Finding::limited("processor", found, "the course is tried on x86-64 and aarch64"),
    }
}

fn pages() -> Finding {
    let bytes = ipc_common::PageSize::system().bytes();
    let found = format!("{bytes} bytes");
    match bytes {
        4096 => Finding::good("page size", found),
        _ => Finding::good(
            "page size",
            format!("{found}: not the 4096 that many programs have written in"),
        ),
    }
}

/// A container or Windows below: what is odd then has its reason there.
fn surroundings() -> Option<Finding> {
    let version = line("/proc/version").unwrap_or_default().to_lowercase();
    let release = line("/proc/sys/kernel/osrelease").unwrap_or_default().to_lowercase();
    if version.contains("microsoft") {
        if release.contains("wsl2") || Path::new("/run/WSL").exists() {
            return Some(Finding::good(
                "runs in",
                "WSL2, which is a real Linux: keep the course below your Linux home, not below /mnt",
            ));
        }
        return Some(Finding::bad(
            "runs in",
            "WSL1, which has no Linux kernel",
            "convert it: `wsl --set-version <name> 2` in Windows",
        ));
    }
    let container =
        ["/.dockerenv", "/run/.containerenv"].iter().any(|file| Path::new(file).exists())
            || line("/proc/1/environ").is_some_and(|text| text.contains("container="));
    container.then(|| {
        Finding::good("runs in", "a container: it may refuse namespaces; the modes below show it")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_of_all_kinds_have_a_version() {
        for (release, expected) in [
            ("6.18.0-generic", Some((6, 18))),
            ("5.15.167.4-microsoft-standard-WSL2", Some((5, 15))),
            ("6.1", Some((6, 1))),
            ("", None),
        ] {
            assert_eq!(version(release), expected);
        }
    }
}
