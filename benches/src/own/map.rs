//! Mapping, touching, unmapping, msync.

use std::ffi::CString;
use std::fs::File;
use std::hint::black_box;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;

use mmap_file::{MapOptions, Mapping};

use super::{On, Who, Work, by_hand};

pub(super) fn options(who: Who) -> Option<MapOptions> {
    match who {
        Who::Ours => Some(MapOptions::new()),
        Who::Unguarded => Some(MapOptions::new().unguarded()),
        _ => None,
    }
}

pub(super) fn path(on: &On) -> CString {
    CString::new(on.file.as_os_str().as_bytes()).expect("a path has no NUL")
}

/// A byte copied out.
fn first(mapping: &Mapping) -> u8 {
    let mut byte = [0];
    mapping.view().and_then(|view| view.read(0, &mut byte)).expect("nobody cuts it");
    byte[0]
}

pub(super) fn touch(who: Who, on: &On) -> Option<Work> {
    let (name, path, len) = (path(on), on.file.clone(), on.len());
    let file = path.clone();
    let open = move || File::open(&path).expect("the file is there");
    Some(match who {
        Who::Ours | Who::Unguarded => {
            let options = options(who)?;
            Box::new(move || {
                let mapping = options.open(&file).expect("it can be mapped");
                black_box(first(&mapping));
            })
        }
        Who::Bare => Box::new(move || {
            let fd = by_hand::open(&name);
            let len = by_hand::len(fd);
            let start = by_hand::map(fd, len, libc::PROT_READ);
            by_hand::close(fd);
            // SAFETY: mapped, until the next line; its byte was just loaded.
            unsafe {
                black_box(start.read_volatile());
                by_hand::unmap(start, len);
            }
        }),
        Who::Memmap2 => Box::new(move || {
            // SAFETY: nobody changes the file.
            let mapping = unsafe { memmap2::Mmap::map(&open()) }.expect("it can be mapped");
            black_box(mapping[0]);
        }),
        Who::Memmap2Len => Box::new(move || {
            // SAFETY: nobody changes the file.
            let mapping = unsafe { memmap2::MmapOptions::new().len(len).map(&open()) };
            black_box(mapping.expect("it can be mapped")[0]);
        }),
        Who::Careless => return None,
    })
}

pub(super) fn map(who: Who, on: &On) -> Option<Work> {
    let (file, len) = (on.open(), on.len());
    Some(match who {
        Who::Ours | Who::Unguarded => {
            let options = options(who)?;
            Box::new(move || drop(black_box(options.map(&file).expect("it can be mapped"))))
        }
        Who::Bare => Box::new(move || {
            let len = by_hand::len(file.as_raw_fd());
            let start = black_box(by_hand::map(file.as_raw_fd(), len, libc::PROT_READ));
            // SAFETY: nobody has seen it.
            unsafe { by_hand::unmap(start, len) };
        }),
        Who::Memmap2 => Box::new(move || {
            // SAFETY: nobody looks at it.
            drop(black_box(unsafe { memmap2::Mmap::map(&file) }.expect("it can be mapped")));
        }),
        Who::Memmap2Len => Box::new(move || {
            // SAFETY: nobody looks at it.
            let mapping = unsafe { memmap2::MmapOptions::new().len(len).map(&file) };
            drop(black_box(mapping.expect("it can be mapped")));
        }),
        Who::Careless => return None,
    })
}

pub(super) fn sync(who: Who, on: &On) -> Option<Work> {
    let file = on.open();
    let page = ipc_common::PageSize::system().bytes().min(on.len());
    Some(match who {
        Who::Ours | Who::Unguarded => {
            let mapping = options(who)?.read_write().map(&file).expect("it can be mapped");
            Box::new(move || mapping.flush(0..black_box(page)).expect("the disk is well"))
        }
        Who::Bare => {
            let start =
                by_hand::map(file.as_raw_fd(), on.len(), libc::PROT_READ | libc::PROT_WRITE);
            // SAFETY: mapped, and never unmapped.
            Box::new(move || unsafe { by_hand::sync(start, black_box(page)) })
        }
        Who::Memmap2 => {
            // SAFETY: nobody changes the file.
            let mapping = unsafe { memmap2::MmapMut::map_mut(&file) }.expect("it can be mapped");
            Box::new(move || mapping.flush_range(0, black_box(page)).expect("the disk is well"))
        }
        Who::Memmap2Len | Who::Careless => return None,
    })
}
