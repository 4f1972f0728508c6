//! `size`.

use std::fs;

use testkit::Program;

use crate::common::page;
use crate::program::*;

pub fn size_tells_what_the_kernel_tells() {
    let found = json(Program::run(&mut page_sync(["size", "--json"])));
    assert_eq!(found["page_size"], page());
    assert_eq!(found["lengths"][2]["bytes"], page() + 1, "the lecture's file is among them");
    assert_eq!(found["lengths"][2]["pages"], 2);
    let listed = fs::read_dir("/sys/kernel/mm/hugepages").map_or(0, Iterator::count);
    assert_eq!(found["huge"].as_array().unwrap().len(), listed);
    let text = Program::run(&mut page_sync(["size"])).ok();
    assert!(text.contains(&format!("{} bytes sysconf", page())), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

pub fn size_rounds_lengths_by_any_page_size() {
    for (grain, bytes) in [("4K", 4096u64), ("16K", 16384), ("64KiB", 65536)] {
        let arguments = ["size", "--json", "--page-size", grain, "0", "1", "5000", "64K", "1T"];
        let found = json(Program::run(&mut page_sync(arguments)));
        assert_eq!(found["rounded_with_page_size"], bytes);
        for (row, length) in [0u64, 1, 5000, 65536, 1 << 40].into_iter().enumerate() {
            let found = &found["lengths"][row];
            assert_eq!(found["bytes"], length);
            assert_eq!(found["pages"], length.div_ceil(bytes));
            assert_eq!(found["mapped"], length.next_multiple_of(bytes));
            assert_eq!(found["left_over"], length.next_multiple_of(bytes) - length);
        }
    }
}
