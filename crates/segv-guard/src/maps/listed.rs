//! One line of the list.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use ipc_common::PageSize;

/// One mapping of a process, as the kernel lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The first address.
    pub start: usize,
    /// One past the last address.
    pub end: usize,
    /// May it be read?
    pub read: bool,
    /// May it be written?
    pub write: bool,
    /// May it be executed?
    pub exec: bool,
    /// Whether changes are shared: with the file, and with others who map it.
    pub shared: bool,
    /// Where in the file it begins, in bytes.
    pub offset: u64,
    /// The file's device, `major:minor` as listed. On overlayfs and btrfs another one than stat(2)
    /// names.
    pub device: String,
    /// The file's inode; 0 if there is no file behind it.
    pub inode: u64,
    /// The file's path, or a name in brackets such as `[heap]`, or nothing. ` (deleted)` follows
    /// the path of a file that has lost it.
    pub name: PathBuf,
    /// How many bytes the file had when the list was read, for a [`Scene`](crate::explain::Scene)
    /// asks; nobody else does. `None` also if there is no file, or nobody could tell: it is deleted
    /// and not open, or at its path there is another one by now.
    pub file_len: Option<u64>,
}

impl Listed {
    /// A line as the kernel writes it, without its end; `None` if it is another line, such as those
    /// between the mappings in /proc/PID/smaps.
    ///
    /// ```
    /// use segv_guard::maps::Listed;
    ///
    /// let line = b"7f1c2a000000-7f1c2a021000 rw-p 00003000 fe:00 1234      /home/ada/notes.dat";
    /// let listed = Listed::parse(line).unwrap();
    /// assert_eq!((listed.offset, listed.write, listed.shared), (0x3000, true, false));
    /// assert_eq!(Listed::parse(b"Private_Dirty:         4 kB"), None);
    /// ```
    pub fn parse(line: &[u8]) -> Option<Listed> {
        let mut words = line.splitn(6, |byte| *byte == b' ');
        let mut word = || std::str::from_utf8(words.next()?).ok();
        let (start, end) = word()?.split_once('-')?;
        let [read, write, exec, sharing] = word()?.as_bytes().try_into().ok()?;
        let offset = u64::from_str_radix(word()?, 16).ok()?;
        let device = word()?.to_owned();
        let inode = word()?.parse().ok()?;
        let name = words.next().unwrap_or_default().trim_ascii_start();
        Some(Listed {
            start: usize::from_str_radix(start, 16).ok()?,
            end: usize::from_str_radix(end, 16).ok()?,
            read: read == b'r',
            write: write == b'w',
            exec: exec == b'x',
            shared: sharing == b's',
            offset,
            device,
            inode,
            name: PathBuf::from(OsString::from_vec(unescaped(name))),
            file_len: None,
        })
    }

    /// Whether the address lies in it.
    pub fn contains(&self, address: usize) -> bool {
        (self.start..self.end).contains(&address)
    }

    /// Whether both show the same file. An inode alone says that of one device only.
    pub(crate) fn is_same_file(&self, other: &Listed) -> bool {
        self.is_file() && (&self.device, self.inode) == (&other.device, other.inode)
    }

    /// Whether the file has lost its name.
    pub fn is_deleted(&self) -> bool {
        self.name.as_os_str().as_encoded_bytes().ends_with(b" (deleted)")
    }

    /// The protection in words: `read exec`, or `no access`.
    pub fn protection(&self) -> String {
        let words = [(self.read, "read"), (self.write, "write"), (self.exec, "exec")];
        let words: Vec<&str> = words.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
        if words.is_empty() { "no access".into() } else { words.join(" ") }
    }

    /// Which byte of the file an address shows; of a mapping without a file, which byte of it.
    pub fn offset_of(&self, address: usize) -> u64 {
        self.offset.saturating_add(address.saturating_sub(self.start) as u64)
    }

    /// Which page of the file an address shows, counted from 0.
    pub fn page_of(&self, address: usize) -> u64 {
        self.offset_of(address) / PageSize::system().bytes() as u64
    }

    /// Whether the page at `address` lies wholly past the end of the file; `None` if the length is
    /// not known, or there is no file. The rest of the file's last page can be touched: it reads
    /// as zeros.
    pub fn is_past_end(&self, address: usize) -> Option<bool> {
        let page = PageSize::system().bytes() as u64;
        self.is_file().then_some(())?;
        Some(self.page_of(address) >= self.file_len?.div_ceil(page))
    }
}

/// The kernel writes a newline in a path as `\012`, and nothing else so.
fn unescaped(name: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((first, others)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(br"\012") {
            plain.push(b'\n');
            rest = after;
        } else {
            plain.push(*first);
            rest = others;
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
        let listed = Listed::parse(line).unwrap();
        assert_eq!((listed.start, listed.end, listed.offset), (0x7f00, 0x8000, 0x1000));
        assert_eq!((listed.inode, listed.shared, listed.is_deleted()), (42, true, true));
        assert_eq!(listed.protection(), "read exec");
        assert_eq!(listed.name.as_os_str().as_encoded_bytes(), b"/a b\n\xff (deleted)");
        assert!(listed.is_file());
        assert_eq!(listed.device, "fe:0a");
    }

    proptest! {
        #[test]
        fn no_line_makes_the_parser_panic(line: Vec<u8>) {
            let _ = Listed::parse(&line);
        }

        #[test]
        fn no_address_makes_the_arithmetic_panic(
            start: usize, end: usize, offset in 0..u64::MAX / 2, address: usize, len: Option<u64>,
        ) {
            let mut listed = Listed::parse(b"0-0 r--s 0 0:0 7 /f").unwrap();
            (listed.start, listed.end, listed.offset, listed.file_len) = (start, end, offset, len);
            // A file ends before 2^63, so offsets cannot come near the end of a u64.
            let address = address.min(start.saturating_add(usize::MAX / 2));
            let _ = (listed.page_of(address), listed.is_past_end(address));
        }
    }
}
