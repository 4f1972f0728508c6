//! The tiny lab's driver: what the grader starts.

use std::ffi::OsString;
use std::io::{self, BufRead, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

fn main() {
    for line in io::stdin().lock().lines() {
        let Ok(line) = line else { return };
        let words: Vec<&str> = line.split(' ').collect();
        let answer = match words[1..] {
            ["put", path, text] => put(path, text),
            _ => "err EINVAL".to_owned(),
        };
        let mut out = io::stdout().lock();
        if writeln!(out, "{} {answer}", words[0]).and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

fn put(path: &str, text: &str) -> String {
    let path = PathBuf::from(OsString::from_vec(unhex(path)));
    match tiny::put(&path, &unhex(text)) {
        Ok(()) => "ok".to_owned(),
        Err(error) => format!("err - {}", hex(error.to_string().as_bytes())),
    }
}

fn unhex(word: &str) -> Vec<u8> {
    let digits = word.as_bytes().chunks_exact(2);
    digits.filter_map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
