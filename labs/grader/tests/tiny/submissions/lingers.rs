//! Leaves all that a program can leave, and never answers.

use std::ffi::c_int;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

unsafe extern "C" {
    fn fork() -> c_int;
    fn setsid() -> c_int;
    fn shmget(key: c_int, size: usize, flags: c_int) -> c_int;
    fn semget(key: c_int, count: c_int, flags: c_int) -> c_int;
    fn msgget(key: c_int, flags: c_int) -> c_int;
}

/// Leaves it, in processes that flee from their parents.
pub fn put(path: &Path, _text: &[u8]) -> io::Result<()> {
    for _ in 0..3 {
        // SAFETY: it is hostile.
        unsafe {
            if fork() == 0 {
                setsid();
                if fork() == 0 {
                    shmget(0, 100_000, 0o1666);
                    semget(0, 3, 0o1666);
                    msgget(0, 0o1666);
                    for folder in ["/tmp", "/var/tmp", "/dev/shm", "."] {
                        let _ = fs::write(Path::new(folder).join("ipc-course-left"), "left");
                    }
                    loop {
                        std::thread::sleep(Duration::from_secs(1000));
                    }
                }
                std::process::exit(0);
            }
        }
    }
    while !Path::new("ipc-course-left").exists() {
        std::thread::sleep(Duration::from_millis(1));
    }

    loop {
        std::thread::sleep(Duration::from_secs(path.as_os_str().len() as u64));
    }
}
