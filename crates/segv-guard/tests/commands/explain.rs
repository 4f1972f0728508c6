//! `explain`.

use super::*;

/// Ended with 1 and one line of complaint that holds these words.
fn complains(finished: Finished, words: &[&str]) {
    assert_eq!(finished.code(), Some(1), "{finished:?}");
    assert!(finished.stderr.starts_with("error: ") && finished.stderr.lines().count() == 1);
    for word in words {
        assert!(finished.stderr.contains(word), "{word:?} is not in {:?}", finished.stderr);
    }
}

/// `len` bytes of this process that a file stands behind, for others to ask about.
fn mapped_notes(folder: &Folder, len: usize) -> usize {
    use std::os::fd::AsFd;
    let path = folder.file("notes.dat");
    fs::write(&path, vec![b'x'; len]).unwrap();
    let file = fs::File::open(&path).unwrap();
    let (len, flags) =
        (std::num::NonZeroUsize::new(len).unwrap(), nix::sys::mman::MapFlags::MAP_PRIVATE);
    let read = nix::sys::mman::ProtFlags::PROT_READ;
    // SAFETY: a new mapping at an address of the kernel's choice.
    let at = unsafe { nix::sys::mman::mmap(None, len, read, flags, file.as_fd(), 0) };
    at.unwrap().as_ptr().addr()
}

pub fn explain_tells_what_is_at_an_address() {
    let printed = run(&["explain", "8"]).ok();
    for words in ["0x8 in process", "NULL plus 8", "SIGSEGV, SEGV_MAPERR", "of a null pointer"] {
        assert!(printed.contains(words), "{words:?} is not in {printed}");
    }
    let text = format!("{:x}", usize::from_ne_bytes(*b"hello wo"));
    assert!(run(&["explain", &text]).ok().contains("\"hello wo\""));
    let kernel = json(&run(&["explain", "--json", "0xffff800000000000"]).ok());
    assert_eq!(kernel["write"]["code"], "SEGV_MAPERR");
    assert_eq!(kernel["write"]["succeeds"], false);
    assert_eq!(kernel["mapping"], Value::Null);
}

pub fn explain_is_about_the_process_that_was_named() {
    let folder = testkit::folder();
    let at = mapped_notes(&folder, 2 * PART);
    let (address, pid) = (format!("{:#x}", at + PART + 5), std::process::id().to_string());
    let about = |flag: &[&str]| run(&[&["explain", &address, "--pid", &pid], flag].concat()).ok();
    let found = json(&about(&["--json"]));
    let page = ipc_common::PageSize::system().bytes();
    assert_eq!(found["place"], "notes.dat, mapped read, private");
    assert_eq!((&found["offset"], &found["page"]), (&(PART + 5).into(), &(PART / page).into()));
    assert_eq!(found["mapping"]["file_length"], 2 * PART);
    assert_eq!(found["mapping"]["start"], format!("{at:#x}"));
    assert_eq!(found["read"]["succeeds"], true);
    assert_eq!(found["write"]["code"], "SEGV_ACCERR");
    let printed = about(&[]);
    let path = folder.file("notes.dat");
    for words in [path.to_str().unwrap(), "succeeds", &format!("page {}, byte", PART / page)] {
        assert!(printed.contains(words), "{words:?} is not in {printed}");
    }
    // Somebody cuts it: the answer is another one.
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(1).unwrap();
    let cut = json(&about(&["--json"]));
    assert_eq!(
        (&cut["read"]["signal"], &cut["read"]["code"]),
        (&"SIGBUS".into(), &"BUS_ADRERR".into())
    );
    assert!(cut["read"]["sentence"].as_str().unwrap().contains("lies past the end of notes.dat"));
}

pub fn a_process_that_is_not_there_has_a_clear_error() {
    complains(run(&["explain", "8", "--pid", "4294967295"]), &["ESRCH", "process 4294967295"]);
}

pub fn another_users_process_says_so() {
    complains(run(&["explain", "8", "--pid", "1"]), &["EACCES", "process 1", "another user"]);
}
