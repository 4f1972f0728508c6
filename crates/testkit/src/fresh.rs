//! Keys and folders that nobody else has, remembered so that the sweep can look for leftovers.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The keys given out to this case.
static KEYS: Mutex<Vec<i32>> = Mutex::new(Vec::new());
/// The folders given out to this case.
static FOLDERS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A random number from the kernel.
pub fn random_u64() -> u64 {
    let mut bytes = [0; 8];
    fs::File::open("/dev/urandom")
        .and_then(|mut random| random.read_exact(&mut bytes))
        .expect("/dev/urandom is always there");
    u64::from_ne_bytes(bytes)
}

/// A System V key that no segment and no semaphore set has, for this case alone. What is left
/// under it when the case ends makes the case fail.
pub fn key() -> i32 {
    loop {
        let key = (random_u64() >> 32) as u32 as i32;
        if key != libc::IPC_PRIVATE && !crate::sweep::is_used(key) {
            KEYS.lock().expect("no case panics in here").push(key);
            return key;
        }
    }
}

/// A folder for this case alone, with mode 0700, removed with all it holds when dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

/// Makes a [`Folder`], on the disk that holds the target folder: `/tmp` is often a tmpfs, which
/// answers some questions differently.
pub fn folder() -> Folder {
    let base = std::env::var_os("TESTKIT_FOLDERS").map_or_else(std::env::temp_dir, PathBuf::from);
    let path = base.join(format!("ipc-course-test-{:016x}", random_u64()));
    fs::create_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    FOLDERS.lock().expect("no case panics in here").push(path.clone());
    Folder(path)
}

impl Folder {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A path in it, at which nothing is yet.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The sweep reports a folder that is still there.
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn given_keys() -> Vec<i32> {
    KEYS.lock().expect("no case panics in here").clone()
}

pub(crate) fn given_folders() -> Vec<PathBuf> {
    FOLDERS.lock().expect("no case panics in here").clone()
}
