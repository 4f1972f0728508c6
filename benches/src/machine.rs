//! What all of it ran on: a figure without its machine is none.

use std::fs;

use ipc_common::PageSize;
use serde::{Deserialize, Serialize};

/// As this process sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// `x86_64`, `aarch64`.
    pub architecture: String,
    /// The processor's name for itself; on aarch64 often only numbers.
    pub processor: String,
    /// How many this process may run on.
    pub processors: usize,
    /// The hypervisor, if the processor says that there is one: virtual processors move.
    pub hypervisor: bool,
    /// Memory in all.
    pub memory_bytes: u64,
    /// The kernel's release.
    pub kernel: String,
    /// Bytes in a page.
    pub page_bytes: usize,
    /// `always`, `madvise` or `never`: whether anonymous memory gets huge pages.
    pub huge_pages: String,
    /// Huge pages set aside for hugetlb.
    pub hugetlb_pages: u64,
}

impl Machine {
    /// The one that we are on.
    pub fn this() -> Machine {
        let cpuinfo = read("/proc/cpuinfo");
        let field = |names: &[&str]| {
            cpuinfo.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                names.contains(&name.trim()).then(|| value.trim().to_owned())
            })
        };
        let meminfo = read("/proc/meminfo");
        let amount = |name: &str| {
            let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim_start_matches(':').split_whitespace().next()?.parse::<u64>().ok()
        };
        Machine {
            architecture: std::env::consts::ARCH.into(),
            processor: field(&["model name", "Model", "CPU part"]).unwrap_or("unknown".into()),
            processors: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            hypervisor: field(&["flags"])
                .is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor")),
            memory_bytes: amount("MemTotal").unwrap_or(0) << 10,
            kernel: read("/proc/sys/kernel/osrelease").trim().into(),
            page_bytes: PageSize::system().bytes(),
            huge_pages: chosen(&read("/sys/kernel/mm/transparent_hugepage/enabled")),
            hugetlb_pages: amount("HugePages_Total").unwrap_or(0),
        }
    }
}

/// `AMD EPYC, 2 processors, virtual, 24 GiB, Linux 6.18.44, pages of 4096 bytes`
impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Machine { processor, processors, kernel, page_bytes, .. } = self;
        let virtual_ = if self.hypervisor { ", virtual" } else { "" };
        let memory = self.memory_bytes.div_ceil(1 << 30);
        write!(f, "{processor}, {processors} processors{virtual_}, {memory} GiB, ")?;
        write!(f, "Linux {kernel}, pages of {page_bytes} bytes")
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The word in brackets: `always [madvise] never`.
fn chosen(words: &str) -> String {
    let word = words.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
    word.map_or("unknown", |(word, _)| word).into()
}
