//! Which files a process has mapped: /proc/PID/maps. Slide "Memory Mapped Files: Benefits –
//! dynamic loading".
//!
//! Every program is itself a mapped file, and so are its libraries: code `read exec`, constants
//! `read`, and variables `read write`, all private. Parsed here by bytes, since a path need not be
//! UTF-8 and one strange name should not hide all the other files (the procfs crate gives up).

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

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
    Ok(parse(&read(pid, "maps")?))
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
    let address = mapping.address() as u64;
    let smaps = read(std::process::id(), "smaps")?;
    let mut ours = false;
    for line in smaps.split(|byte| *byte == b'\n') {
        if let Some(listed) = parse_line(line) {
            ours = (listed.start..listed.end).contains(&address);
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

fn read(pid: u32, name: &'static str) -> Result<Vec<u8>> {
    fs::read(format!("/proc/{pid}/{name}")).map_err(|error| {
        let error = Error::from_io("open", &error, format!("process {pid}"));
        match error.errno() {
            Errno::ENOENT | Errno::ESRCH if Path::new("/proc/self").exists() => {
                Error::refused("open", Errno::ESRCH, format!("process {pid}"))
                    .with_remedy("there is no process with this id (any more); see `ps -e`")
            }
            Errno::EACCES | Errno::EPERM => error.with_remedy(
                "this process is another user's, or does not let itself be looked into (see \
                 proc(5) and ptrace(2)); ask about one of your own",
            ),
            _ => error,
        }
    })
}

fn parse(maps: &[u8]) -> Vec<Listed> {
    maps.split(|byte| *byte == b'\n').filter_map(parse_line).collect()
}

/// `7f1c2a000000-7f1c2a021000 rw-p 00000000 fe:00 1234      /path`
fn parse_line(line: &[u8]) -> Option<Listed> {
    let mut words = line.splitn(6, |byte| *byte == b' ');
    let mut word = || std::str::from_utf8(words.next()?).ok();
    let (start, end) = word()?.split_once('-')?;
    let allowed = word()?.as_bytes();
    let [read, write, exec, sharing] = allowed.try_into().ok()?;
    let offset = u64::from_str_radix(word()?, 16).ok()?;
    let device = word()?.to_owned();
    let inode = word()?.parse().ok()?;
    let name = words.next().unwrap_or_default().trim_ascii_start();
    Some(Listed {
        start: u64::from_str_radix(start, 16).ok()?,
        end: u64::from_str_radix(end, 16).ok()?,
        read: read == b'r',
        write: write == b'w',
        exec: exec == b'x',
        sharing: if sharing == b's' { Sharing::Shared } else { Sharing::Private },
        offset,
        device,
        inode,
        name: PathBuf::from(OsString::from_vec(unescaped(name))),
    })
}

/// The kernel writes a newline in a path as `\012`, and nothing else so.
fn unescaped(name: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some(first) = rest.first() {
        if let Some(after) = rest.strip_prefix(br"\012") {
            plain.push(b'\n');
            rest = after;
        } else {
            plain.push(*first);
            rest = &rest[1..];
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_of_the_kernels_is_read_whole() {
        let line = b"7f00-8000 r-xs 00001000 fe:0a 42                 /a b\\012\xff (deleted)";
        let listed = parse_line(line).unwrap();
        assert_eq!((listed.start, listed.end, listed.offset), (0x7f00, 0x8000, 0x1000));
        assert_eq!((listed.device.as_str(), listed.inode), ("fe:0a", 42));
        assert_eq!(listed.protection(), "read exec");
        assert_eq!(listed.sharing, Sharing::Shared);
        assert_eq!(listed.name.into_os_string().into_vec(), b"/a b\n\xff (deleted)");
    }

    #[test]
    fn figures_of_smaps_are_no_mappings() {
        assert_eq!(parse_line(b"Private_Dirty:         4 kB"), None);
        assert_eq!(parse_line(b""), None);
    }

    proptest! {
        #[test]
        fn no_line_makes_the_parser_panic(line: Vec<u8>) {
            let _ = parse_line(&line);
        }
    }
}
