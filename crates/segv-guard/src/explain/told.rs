//! A mapping, as it stands in a sentence.

use super::words;
use crate::maps::{Backing, Listed};

impl Listed {
    /// In a sentence: the file's name without its folders, or what it is.
    pub fn what(&self) -> String {
        match self.backing() {
            Backing::File(path) => words::file_name(path, ""),
            Backing::Memfd(path) => words::file_name(path, "memfd:"),
            Backing::Segment => "a System V segment".into(),
            Backing::SharedMemory => "shared memory of no file".into(),
            Backing::HugePages => "memory of huge pages".into(),
            Backing::Anonymous => "anonymous memory".into(),
            Backing::Heap => "the heap".into(),
            Backing::Stack => "the stack".into(),
            Backing::Kernel(name) => format!("the kernel's {}", words::plain(name)),
        }
    }

    /// The same, with the page if it is a file's: `page 3 of notes.dat`.
    pub(super) fn what_at(&self, address: usize) -> String {
        if self.is_file() {
            format!("page {} of {}", self.page_of(address), self.what())
        } else {
            self.what()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_behind_a_mapping_is_told_by_its_name() {
        let named = |name: &str| {
            Listed::parse(format!("1000-2000 rw-p 00000000 00:00 1 {name}").as_bytes()).unwrap()
        };
        for (name, what) in [
            ("", "anonymous memory"),
            ("[anon: malloc]", "anonymous memory"),
            ("[heap]", "the heap"),
            ("[stack]", "the stack"),
            ("[vdso]", "the kernel's [vdso]"),
            ("/dev/zero (deleted)", "shared memory of no file"),
            ("/SYSV5203a1b2 (deleted)", "a System V segment"),
            ("/memfd:pad (deleted)", "pad"),
            ("/anon_hugepage (deleted)", "memory of huge pages"),
            ("/home/ada/notes.dat", "notes.dat"),
            ("/home/ada/notes.dat (deleted)", "notes.dat (deleted)"),
            ("/home/ada/\u{1b}[2J", "\\u{1b}[2J"),
        ] {
            assert_eq!(named(name).what(), what, "{name:?}");
        }
    }
}
