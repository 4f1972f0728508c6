//! kill -9 at random moments. What was acknowledged is found; what was replaced is whole.

mod common;

use std::fs;
use std::io::{Read, Write, pipe};
use std::thread::sleep;
use std::time::Duration;

use common::{names, page};
use page_sync::durable::{leftovers, replace};
use page_sync::file::PageFile;
use page_sync::sync::Msync;
use testkit::{Random, peer, soak};

testkit::cases! {
    every_page_that_was_acknowledged_is_found;
    a_word_that_comes_first_is_caught_out;
    of_a_file_that_is_replaced_all_is_old_or_all_is_new;
    written_in_place_it_is_found_half_and_half;
    a_reader_never_sees_half_a_replacement;
}

/// Some microseconds, so that every step of the work is hit sooner or later.
fn a_moment(random: &mut Random) {
    sleep(Duration::from_micros(random.below(3000) as u64));
}

/// What a writer does with a page, and in which order.
#[derive(Clone, Copy, PartialEq)]
enum Order {
    StoreSyncSay,
    SaySyncStore,
}

/// A child stores its round into a page, syncs that page, and says so. Killed, and looked at from
/// outside, by read(2): each page holds, in every byte, the last value said for it or the one that
/// was just being stored. Returns how much was said, or what is not as it was said.
fn a_writer_is_killed(order: Order, random: &mut Random) -> Result<usize, String> {
    const PAGES: usize = 8;
    let folder = testkit::folder();
    let path = folder.file("file");
    let file = PageFile::create_new(&path, PAGES).unwrap();
    page_sync::durable::persist_name(&path).unwrap();
    let (mut heard, mut says) = pipe().unwrap();
    let mut round = 0u32;
    let writer = peer(|_| {
        let number = round as usize % PAGES;
        let value = (round / PAGES as u32 + 1) as u8;
        // As one copy: it is not atomic, but begins and ends within a page.
        let store = || file.page_mut(number).unwrap().write(0, &vec![value; page()]).unwrap();
        let sync = || file.sync(file.pages().bytes_of(number).unwrap(), Msync::SYNC).unwrap();
        let mut say = || says.write_all(&[number as u8, value]).unwrap();
        match order {
            Order::StoreSyncSay => {
                store();
                sync();
                say();
            }
            Order::SaySyncStore => {
                say();
                sync();
                store();
            }
        }
        // 8 pages, 250 values each, then it waits to be killed.
        round += 1;
        if round as usize == PAGES * 250 {
            sleep(Duration::from_secs(600));
        }
    });
    drop(says);
    drop(file);
    a_moment(random);
    drop(writer); // SIGKILL
    let mut said = Vec::new();
    heard.read_to_end(&mut said).unwrap();
    let mut last = [0u8; PAGES];
    for pair in said.chunks_exact(2) {
        last[usize::from(pair[0])] = pair[1];
    }
    let found = fs::read(&path).unwrap();
    assert_eq!(found.len(), PAGES * page());
    for (number, last) in last.iter().enumerate() {
        for byte in &found[number * page()..(number + 1) * page()] {
            if byte != last && *byte != last + 1 {
                return Err(format!("page {number}: {last} was said, and {byte} is found"));
            }
        }
    }
    Ok(said.len() / 2)
}

/// This is about the order of the store and the word, and about nothing tearing in between. Not about
/// msync: `kill -9` takes no page out of the page cache, so without it all is found as well. What
/// msync is for, only a power cut shows (tests/power_cut).
fn every_page_that_was_acknowledged_is_found() {
    let mut random = Random::new();
    let mut acknowledged = 0;
    let mut rounds = testkit::rounds(20, 200);
    while rounds.next(acknowledged > 100).is_some() {
        acknowledged += a_writer_is_killed(Order::StoreSyncSay, &mut random).unwrap();
    }
    assert!(acknowledged > 100, "the writers were killed before they had said anything");
}

/// The twin: the same in the wrong order.
fn a_word_that_comes_first_is_caught_out() {
    let mut random = Random::new();
    let mut caught = false;
    let mut rounds = testkit::rounds(1, 1);
    while rounds.next(caught).is_some() {
        caught = a_writer_is_killed(Order::SaySyncStore, &mut random).is_err();
    }
    assert!(caught, "whoever acknowledges first was never killed in between");
}

/// So many bytes, all with the same value: half of one and half of another is easily told.
fn content(value: u8) -> Vec<u8> {
    vec![value; 1 + usize::from(value) * 977]
}

fn is_whole(found: &[u8]) -> bool {
    found.first().is_some_and(|value| found == content(*value))
}

fn of_a_file_that_is_replaced_all_is_old_or_all_is_new() {
    let folder = testkit::folder();
    let path = folder.file("file");
    let _ = replace(&path, 0o600, &content(0)).unwrap();
    let mut random = Random::new();
    for _ in 0..soak(20, 200) {
        let writer = peer(|random| {
            let _ = replace(&path, 0o600, &content(random.any() as u8)).unwrap();
        });
        a_moment(&mut random);
        drop(writer); // SIGKILL
        assert!(is_whole(&fs::read(&path).unwrap()), "torn");
        for leftover in leftovers(&path).unwrap() {
            fs::remove_file(leftover).unwrap();
        }
        assert_eq!(names(folder.path()), ["file"], "every leftover was recognised");
    }
}

/// The twin, without which the two around it prove nothing.
fn written_in_place_it_is_found_half_and_half() {
    let folder = testkit::folder();
    let path = folder.file("file");
    let mut random = Random::new();
    for _ in 0..10_000 {
        let _writer = peer(|random| fs::write(&path, content(random.any() as u8)).unwrap());
        for _ in 0..200 {
            if !is_whole(&fs::read(&path).unwrap()) {
                return;
            }
        }
        a_moment(&mut random);
    }
    panic!("a file that is written in place was whole whenever it was looked at");
}

fn a_reader_never_sees_half_a_replacement() {
    let folder = testkit::folder();
    let path = folder.file("file");
    let _ = replace(&path, 0o600, &content(0)).unwrap();
    let writer = peer(|random| {
        let _ = replace(&path, 0o600, &content(random.any() as u8)).unwrap();
    });
    for _ in writer.soak(2_000, 50_000) {
        assert!(is_whole(&fs::read(&path).unwrap()), "torn");
    }
    drop(writer);
    for leftover in leftovers(&path).unwrap() {
        fs::remove_file(leftover).unwrap();
    }
}
