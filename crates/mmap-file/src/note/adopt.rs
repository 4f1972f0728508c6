//! Which existing files a writer may write its note into. A writer that is given the wrong file by
//! mistake must not destroy it.
//!
//! | the file | |
//! |---|---|
//! | ends in our trailer | a note: written |
//! | is empty | becomes a note |
//! | is what the lecture's programs leave: one byte, or text, a NUL, and zeros | becomes a note, its text kept |
//! | whole pages of text and NULs, with 64 zeros at the end | so does that: short notes over longer ones leave old tails |
//! | anything else: a text file (no NUL), a program, a list with NULs in it | refused |
//!
//! [`Adopt::Anything`] takes the last row, too: its beginning and its last 64 bytes are replaced.

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;

use ipc_common::{Errno, Error, PageSize, Result};

use super::layout::{
    LONGEST_FILE, Layout, SEQUENCE, TRAILER, abandoned_trailer, fresh_trailer, is_cut_trailer,
    is_trailer,
};
use crate::open::regular;
use crate::resize::grow_file;
use crate::sys;

/// Which files that are no notes a writer takes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Adopt {
    /// Those that are empty or look like the lecture's.
    #[default]
    Lecture,
    /// Every regular file, whatever is lost.
    Anything,
}

/// Whether the file is a note now.
pub(crate) fn is_note(file: &File) -> Result<bool> {
    let Some(layout) = Layout::of(regular("fstat", file.as_fd())?) else { return Ok(false) };
    let mut bytes = [0; TRAILER];
    match file.read_exact_at(&mut bytes, layout.trailer() as u64) {
        Ok(()) => Ok(is_trailer(&bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(Error::from_io("pread", &error, sys::name_of(file))),
    }
}

/// Makes a note of a file that is none. The caller holds the lock.
///
/// The file first gets its length, with room for all of it; its trailer last. Whoever dies between
/// the two leaves a file that can be adopted again.
pub(crate) fn take_over(file: &File, adopt: Adopt) -> Result<()> {
    let old = regular("fstat", file.as_fd())?;
    let layout = target(old).ok_or_else(|| refused(file, "it is too long to be a note"))?;
    if adopt == Adopt::Lecture {
        let all = contents(file, old)?;
        if let Some(reason) = objection(&all, layout.trailer()) {
            return Err(refused(file, reason));
        }
    }
    grow_file(file, (layout.trailer() + TRAILER) as u64)?;
    put_trailer(file, layout)
}

/// Makes a note again of one that was cut, and may have grown again since. The caller holds the
/// lock. What is left has to be what [`take_over`] would take, or the beginning of `last`, which
/// the caller knows to have been the note.
///
/// It gets its old length, `was`, if it has not become longer: readers, who may not have seen all
/// that happened, know by the place of the trailer what was cut.
pub(crate) fn renew(file: &File, was: Layout, adopt: Adopt, last: &[u8]) -> Result<()> {
    let old = regular("fstat", file.as_fd())?;
    let same = (old <= was.len() as u64).then_some(was);
    let layout =
        same.or_else(|| target(old)).ok_or_else(|| refused(file, "it is too long to be a note"))?;
    if adopt == Adopt::Lecture {
        let all = contents(file, old)?;
        // The trailer's own rest is no objection.
        let all = match all.split_at_checked(layout.trailer()) {
            Some((text, rest)) if is_cut_trailer(rest) || is_trailer(rest) => text,
            _ => &all,
        };
        if let Some(reason) = objection(all, layout.trailer())
            && !is_left_of(all, last)
        {
            return Err(refused(file, reason));
        }
    }
    grow_file(file, (layout.trailer() + TRAILER) as u64)?;
    put(file, layout, &abandoned_trailer())
}

/// Whether this is what a cut leaves of a file with the note `last`: all of it, and perhaps an older
/// tail behind it; or its beginning, and perhaps zeros where the file has grown again.
fn is_left_of(all: &[u8], last: &[u8]) -> bool {
    let end = all.iter().position(|byte| *byte == 0).unwrap_or(all.len());
    let (text, rest) = all.split_at(end);
    let whole = text == last && !last.is_empty();
    last.starts_with(text) && (whole || rest.iter().all(|byte| *byte == 0))
}

/// Writes the trailer of a note that nobody has written yet.
pub(crate) fn put_trailer(file: &File, layout: Layout) -> Result<()> {
    put(file, layout, &fresh_trailer())
}

/// Writes a trailer, its magic last. pwrite(2) stores byte by byte, as far as others can tell: a
/// reader that has found the magic, and then what the sequence was before, would believe it, and it
/// may be an even one: a writer's, who was at it while his trailer was cut off.
fn put(file: &File, layout: Layout, trailer: &[u8; TRAILER]) -> Result<()> {
    let (magic, rest) = trailer.split_at(SEQUENCE);
    let at = layout.trailer() as u64;
    file.write_all_at(rest, at + SEQUENCE as u64)
        .and_then(|()| file.write_all_at(magic, at))
        .map_err(|error| Error::from_io("pwrite", &error, sys::name_of(file)))
}

/// The layout after adoption: whole pages, at least one.
fn target(len: u64) -> Option<Layout> {
    let page = PageSize::system().bytes() as u64;
    Layout::of(len.max(1).checked_next_multiple_of(page)?)
}

fn contents(file: &File, len: u64) -> Result<Vec<u8>> {
    let mut all = vec![0; usize::try_from(len).unwrap_or(LONGEST_FILE).min(LONGEST_FILE)];
    match file.read_exact_at(&mut all, 0) {
        Ok(()) => Ok(all),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Err(Error::refused("note", Errno::EAGAIN, sys::name_of(file))
                .with_remedy("the file was cut shorter just now; try again"))
        }
        Err(error) => Err(Error::from_io("pread", &error, sys::name_of(file))),
    }
}

/// Why a file with these bytes is not taken for one of the lecture's. `None`: it is one.
fn objection(all: &[u8], trailer: usize) -> Option<&'static str> {
    if all.is_empty() {
        return None;
    }
    let is_text = |byte: &u8| matches!(byte, 0 | b'\t' | b'\n' | b'\r' | b' '..=0x7e | 0x80..);
    let end = all.iter().position(|byte| *byte == 0);
    let rest_is_zero = |from: usize| all.iter().skip(from).all(|byte| *byte == 0);
    match end {
        // The slide's own program: one byte written, the rest stored past the end and lost.
        None if all.len() == 1 => None,
        None => Some("it holds no NUL, as a note would"),
        Some(_) if !all.iter().all(is_text) => Some("it holds bytes that are no text"),
        Some(_) if !rest_is_zero(trailer) => Some("its end, where the trailer goes, is in use"),
        // Old tails are believed only in a file of whole pages that leaves the trailer's place
        // free; in a short one they may be a list with NULs between its items.
        Some(end) if all.len() < trailer + TRAILER && !rest_is_zero(end) => {
            Some("something follows the first NUL")
        }
        Some(_) => None,
    }
}

fn refused(file: &File, reason: &str) -> Error {
    Error::refused("note", Errno::EEXIST, sys::name_of(file)).with_remedy(format!(
        "this file is not a note ({reason}), and writing would destroy it; name another, or say \
         --adopt if its beginning and its last {TRAILER} bytes may be replaced"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 4096;

    fn adopted(bytes: &[u8]) -> bool {
        objection(bytes, bytes.len().max(1).next_multiple_of(PAGE) - TRAILER).is_none()
    }

    fn page_of(start: &[u8]) -> Vec<u8> {
        [start, &vec![0; PAGE - start.len()]].concat()
    }

    #[test]
    fn what_the_lectures_programs_leave_is_adopted() {
        for bytes in [
            &b""[..],
            b"\0",
            b"H",
            b"hello\0",
            b"hello\0\0\0\0\0",
            &page_of(b"gr\xc3\xbc\xc3\x9fe"),
        ] {
            assert!(adopted(bytes), "{bytes:?}");
        }
        assert!(adopted(&page_of(b"HI\0LO-BEYOND-10")), "a short note over a longer one");
    }

    #[test]
    fn what_a_cut_leaves_of_the_last_note_is_known() {
        for left in [&b""[..], b"a no", b"a no\0\0", b"a note", b"a note\0", b"a note\0older tail"]
        {
            assert!(is_left_of(left, b"a note"), "{left:?}");
        }
        for other in [&b"a list"[..], b"a notebook", b"a no\0older tail", b"\0tail", b"b"] {
            assert!(!is_left_of(other, b"a note"), "{other:?}");
        }
        assert!(!is_left_of(b"anything", b"") && is_left_of(b"\0\0", b""));
        assert!(!is_left_of(b"\0tail", b""), "who has written nothing knows nothing");
    }

    #[test]
    fn what_could_be_somebodys_work_is_not() {
        let program = page_of(b"\x7fELF\x02\x01\x01\0");
        let in_use = [page_of(b"hello"), b"tail".to_vec()].concat();
        let mut full = page_of(b"hello");
        full[PAGE - 1] = b'x';
        for bytes in [&b"Hi"[..], b"a text file\n", b"one\0two\0three\0", &program, &in_use, &full]
        {
            assert!(!adopted(bytes), "{:?}", &bytes[..bytes.len().min(20)]);
        }
    }
}
