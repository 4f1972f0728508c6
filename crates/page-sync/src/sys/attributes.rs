//! Extended attributes: listxattr(2), getxattr(2), fsetxattr(2), fremovexattr(2).

use std::ffi::CString;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::ptr;

use ipc_common::Errno;

/// The names, each with a NUL behind it. None where the file system has no attributes.
pub(crate) fn list_xattr(of: &File) -> Result<Vec<u8>, Errno> {
    let path = path(of)?;
    let names = grown(|buffer, len| {
        // SAFETY: the path is a C string; the kernel writes `len` bytes at most to `buffer`.
        unsafe { libc::listxattr(path.as_ptr(), buffer.cast(), len) }
    });
    match names {
        Err(Errno::EOPNOTSUPP) => Ok(Vec::new()),
        other => other,
    }
}

/// The value of an attribute; `None` if it has gone.
pub(crate) fn get_xattr(of: &File, name: &[u8]) -> Result<Option<Vec<u8>>, Errno> {
    let (path, name) = (path(of)?, c_string(name)?);
    let value = grown(|buffer, len| {
        // SAFETY: two C strings; the kernel writes `len` bytes at most to `buffer`.
        unsafe { libc::getxattr(path.as_ptr(), name.as_ptr(), buffer.cast(), len) }
    });
    match value {
        Err(Errno::ENODATA) => Ok(None),
        other => other.map(Some),
    }
}

pub(crate) fn set_xattr(of: &File, name: &[u8], value: &[u8]) -> Result<(), Errno> {
    let (name, fd) = (c_string(name)?, of.as_raw_fd());
    // SAFETY: a C string, and a slice with its own length; the kernel reads both.
    let set = unsafe { libc::fsetxattr(fd, name.as_ptr(), value.as_ptr().cast(), value.len(), 0) };
    Errno::result(set).map(drop)
}

/// That there is none is no error.
pub(crate) fn remove_xattr(of: &File, name: &[u8]) -> Result<(), Errno> {
    let name = c_string(name)?;
    // SAFETY: a C string.
    match Errno::result(unsafe { libc::fremovexattr(of.as_raw_fd(), name.as_ptr()) }) {
        Ok(_) | Err(Errno::ENODATA | Errno::EOPNOTSUPP) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Asks how much there is, then for all of it; and again if it has grown meanwhile.
fn grown(call: impl Fn(*mut u8, usize) -> isize) -> Result<Vec<u8>, Errno> {
    loop {
        let len = Errno::result(call(ptr::null_mut(), 0))?;
        let mut bytes = vec![0u8; len.unsigned_abs()];
        if bytes.is_empty() {
            return Ok(bytes);
        }
        match Errno::result(call(bytes.as_mut_ptr(), bytes.len())) {
            Ok(len) => {
                bytes.truncate(len.unsigned_abs());
                return Ok(bytes);
            }
            Err(Errno::ERANGE) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// The file behind a descriptor that may neither read nor write it (O_PATH): by its name in /proc,
/// which leads to that very file.
fn path(of: &File) -> Result<CString, Errno> {
    c_string(format!("/proc/self/fd/{}", of.as_raw_fd()).as_bytes())
}

fn c_string(bytes: &[u8]) -> Result<CString, Errno> {
    CString::new(bytes).map_err(|_| Errno::EINVAL)
}
