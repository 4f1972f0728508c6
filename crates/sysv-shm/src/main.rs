//! System V shared memory: create, attach, lock, list, remove.

fn main() {}
