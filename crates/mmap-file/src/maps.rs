//! Which files a process has mapped: /proc/PID/maps. Slide "Memory Mapped Files: Benefits –
//! dynamic loading".
//!
//! Every program is itself a mapped file, and so are its libraries: code `read exec`, constants
//! `read`, and variables `read write`, all private. The list is [`segv_guard::maps`]'s; here it is
//! asked about files.

use std::fs;
use std::io;
use std::path::PathBuf;

use ipc_common::{Errno, Error, Result};

use crate::mapping::{Mapping, Sharing};

/// One mapping of a process, as the kernel lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The first address.
    pub start: u64,
    /// One past the last address.
    pub end: u64,
    /// May it be read?
    pub read: bool,
    /// May it be written?
    pub write: bool,
    /// May it be executed?
    pub exec: bool,
    /// Who sees changes.
    pub sharing: Sharing,
    /// Where in the file it begins, in bytes.
    pub offset: u64,
    /// The file's device, `major:minor` as listed.
    pub device: String,
    /// The file's inode; 0 if there is no file behind it.
    pub inode: u64,
    /// The file's path, or a name in brackets such as `[heap]`, or nothing. ` (deleted)` follows
    /// the path of a file that has lost it.
    pub name: PathBuf,
}

impl Listed {
    /// Whether a file stands behind it.
    pub fn is_file(&self) -> bool {
        self.inode != 0
    }

    /// The protection in words: `read exec`.
    pub fn protection(&self) -> String {
        let words = [(self.read, "read"), (self.write, "write"), (self.exec, "exec")];
        let words: Vec<&str> = words.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
        if words.is_empty() { "none".into() } else { words.join(" ") }
    }

    /// Whether it shows the same file as `other`.
    pub fn same_file(&self, other: &Listed) -> bool {
        self.is_file() && (self.inode, &self.device) == (other.inode, &other.device)
    }
}

impl From<segv_guard::maps::Listed> for Listed {
    fn from(listed: segv_guard::maps::Listed) -> Listed {
        Listed {
            start: listed.start as u64,
            end: listed.end as u64,
            read: listed.read,
            write: listed.write,
            exec: listed.exec,
            sharing: if listed.shared { Sharing::Shared } else { Sharing::Private },
            offset: listed.offset,
            device: listed.device,
            inode: listed.inode,
            name: listed.name,
        }
    }
}

/// All that a process has mapped, by address.
///
/// # Errors
///
/// `ESRCH` if there is no such process; `EACCES` if it is another user's.
///
/// ```
/// let mine = mmap_file::maps::of(std::process::id())?;
/// assert!(mine.iter().any(|listed| listed.is_file() && listed.exec), "this very program");
/// # Ok::<(), ipc_common::Error>(())
/// ```
pub fn of(pid: u32) -> Result<Vec<Listed>> {
    Ok(segv_guard::maps::of(pid)?.into_iter().map(Listed::from).collect())
}

/// Where this mapping of ours stands in the kernel's list.
///
/// # Errors
///
/// `ENOENT` if /proc is not mounted.
pub fn listing_of(mapping: &Mapping) -> Result<Listed> {
    let address = mapping.address() as u64;
    of(std::process::id())?
        .into_iter()
        .find(|listed| (listed.start..listed.end).contains(&address))
        .ok_or_else(|| Error::refused("maps", Errno::ENOENT, mapping.to_string()))
}

/// The processes that map the same file as `ours`, this one left out. Those whose maps one may
/// not read are not looked into; the second number says how many they are.
///
/// # Errors
///
/// Those of reading /proc.
pub fn who_maps(ours: &Listed) -> Result<(Vec<u32>, usize)> {
    let failed = |error: &io::Error| Error::from_io("readdir", error, "/proc");
    let (mut found, mut closed) = (Vec::new(), 0);
    for entry in fs::read_dir("/proc").map_err(|error| failed(&error))?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        match of(pid) {
            Ok(maps) if pid != std::process::id() => {
                found.extend(maps.iter().any(|listed| listed.same_file(ours)).then_some(pid));
            }
            Err(error) if error.errno() == Errno::EACCES => closed += 1,
            _ => {}
        }
    }
    found.sort_unstable();
    Ok((found, closed))
}

/// A figure of /proc/self/smaps about this mapping of ours, in bytes: `Private_Dirty`, `Rss` and
/// so on (proc_pid_smaps(5)). `None` if the kernel does not give it.
///
/// # Errors
///
/// Those of reading /proc.
pub fn figure(mapping: &Mapping, name: &str) -> Result<Option<u64>> {
    let value = smaps_line(mapping, name)?;
    let kib = value.and_then(|value| value.strip_suffix("kB")?.trim().parse::<u64>().ok());
    Ok(kib.map(|kib| kib * 1024))
}

/// The two-letter flags that smaps gives for this mapping of ours: `rr` after advice
/// [`Random`](crate::Advice::Random), for one.
///
/// # Errors
///
/// Those of reading /proc.
pub fn flags(mapping: &Mapping) -> Result<Vec<String>> {
    let line = smaps_line(mapping, "VmFlags")?.unwrap_or_default();
    Ok(line.split_whitespace().map(str::to_owned).collect())
}

fn smaps_line(mapping: &Mapping, name: &str) -> Result<Option<String>> {
    let address = mapping.address();
    let smaps = segv_guard::maps::read(std::process::id(), "smaps")?;
    let mut ours = false;
    for line in smaps.split(|byte| *byte == b'\n') {
        if let Some(listed) = segv_guard::maps::Listed::parse(line) {
            ours = listed.contains(address);
        } else if ours {
            let line = String::from_utf8_lossy(line);
            let value = line.strip_prefix(name).and_then(|rest| rest.strip_prefix(':'));
            if let Some(value) = value {
                return Ok(Some(value.trim().to_owned()));
            }
        }
    }
    Ok(None)
}
