//! One error for the whole course: which call, which errno, about what, and what to do now.
//!
//! The lecture's programs call `perror("shmget")` and print `shmget: Invalid argument`. That names
//! neither the key nor the size nor the way out. This error prints all of it on one line:
//!
//! ```text
//! shmget: key 0x5203a1b2, 8192 bytes: EINVAL: the segment there is smaller than the size asked for; …
//! ^call   ^what it was about           ^errno  ^what it means here, and what to do
//! ```

mod remedy;

use std::borrow::Cow;
use std::fmt;
use std::io;

use nix::errno::Errno;

use crate::shown;

/// What the functions of this course return.
pub type Result<T> = std::result::Result<T, Error>;

/// A call that failed, or one that was refused before the kernel was asked.
///
/// ```
/// use ipc_common::{Errno, Error};
/// use std::error::Error as _;
///
/// let error = Error::new("shmget", Errno::EACCES, "key 0x5203a1b2");
/// let line = error.to_string();
/// assert!(line.starts_with("shmget: key 0x5203a1b2: EACCES: "));
/// assert_eq!(error.errno(), Errno::EACCES);
/// assert_eq!(error.source().unwrap().downcast_ref(), Some(&Errno::EACCES));
/// ```
#[derive(Clone)]
pub struct Error(Box<Parts>);

/// Behind a pointer, so that a `Result` of a copy that takes nanoseconds fits in a register.
#[derive(Clone)]
struct Parts {
    call: &'static str,
    errno: Errno,
    about: String,
    remedy: Cow<'static, str>,
    from_kernel: bool,
    good_bytes: Option<usize>,
}

impl Error {
    /// An error that the kernel (or the C library) gave for `call`. `about` names the object: a
    /// key, an id, a path, a size. The remedy is looked up by call and errno.
    pub fn new(call: &'static str, errno: Errno, about: impl Into<String>) -> Error {
        let remedy = Cow::Borrowed(remedy::of(call, errno));
        let about = about.into();
        Error(Box::new(Parts { call, errno, about, remedy, from_kernel: true, good_bytes: None }))
    }

    /// [`Error::new`] with the calling thread's `errno`. Take it right after the failed call:
    /// the next one may overwrite it.
    pub fn last(call: &'static str, about: impl Into<String>) -> Error {
        // Before `about.into()`, which may allocate and so call the kernel.
        let errno = Errno::last();
        Error::new(call, errno, about)
    }

    /// An error that one of our own checks found before the kernel was asked. `call` is then the
    /// name of our function, and `errno` the one that fits best.
    pub fn refused(call: &'static str, errno: Errno, about: impl Into<String>) -> Error {
        let mut error = Error::new(call, errno, about);
        error.0.from_kernel = false;
        error
    }

    /// An error of the standard library, or of a crate that reports as it does. One without an
    /// errno counts as `EINVAL`, which is what memmap2 means by `InvalidInput`, or as `EIO`.
    pub fn from_io(call: &'static str, error: &io::Error, about: impl Into<String>) -> Error {
        match (error.raw_os_error(), error.kind()) {
            (Some(raw), _) => Error::new(call, Errno::from_raw(raw), about),
            (None, io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => {
                Error::refused(call, Errno::EINVAL, about)
            }
            (None, _) => Error::refused(call, Errno::EIO, about).with_remedy(error.to_string()),
        }
    }

    /// The same error with a remedy that fits the case better than the general one.
    #[must_use]
    pub fn with_remedy(mut self, remedy: impl Into<Cow<'static, str>>) -> Error {
        self.0.remedy = remedy.into();
        self
    }

    /// The same error of a copy that got so far: the first `bytes` bytes are in place.
    #[must_use]
    pub fn with_good_bytes(mut self, bytes: usize) -> Error {
        self.0.good_bytes = Some(bytes);
        self
    }

    /// How many bytes from the start on are good, if this is about a copy that was stopped
    /// half-way: a file that was cut shorter while it was read, above all.
    pub fn good_bytes(&self) -> Option<usize> {
        self.0.good_bytes
    }

    /// The call that failed, by its name in the manual: `"shmget"`.
    pub fn call(&self) -> &'static str {
        self.0.call
    }

    /// The errno, which also prints its name.
    pub fn errno(&self) -> Errno {
        self.0.errno
    }

    /// What the call was about: a key, an id, a path, a size.
    pub fn about(&self) -> &str {
        &self.0.about
    }

    /// What the errno means here, and what to do about it.
    pub fn remedy(&self) -> &str {
        &self.0.remedy
    }

    /// Whether the kernel said no. Otherwise one of our checks did, and the kernel was not asked.
    pub fn is_from_kernel(&self) -> bool {
        self.0.from_kernel
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { call, errno, about, remedy, from_kernel, good_bytes } = &*self.0;
        f.debug_struct("Error")
            .field("call", call)
            .field("errno", errno)
            .field("about", about)
            .field("remedy", remedy)
            .field("from_kernel", from_kernel)
            .field("good_bytes", good_bytes)
            .finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.0.call)?;
        // A file's name is a stranger's text: it must not drive the terminal.
        if !self.0.about.is_empty() {
            shown::on_one_line(f, self.0.about.as_bytes())?;
            f.write_str(": ")?;
        }
        write!(f, "{:?}: ", self.0.errno)?;
        shown::on_one_line(f, self.0.remedy.as_bytes())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0.errno)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_is_one_line_with_call_object_errno_and_remedy() {
        let error = Error::new("shmat", Errno::EIDRM, "id 7");
        let line = error.to_string();
        assert!(line.starts_with("shmat: id 7: EIDRM: "), "{line}");
        assert!(!line.contains('\n'));
        assert!(error.is_from_kernel());
    }

    #[test]
    fn a_name_that_would_drive_the_terminal_is_shown_and_not_obeyed() {
        let line = Error::new("open", Errno::ENOENT, "a\nb\x1b]0;title\x07").to_string();
        assert!(line.starts_with("open: a\\nb\\u{1b}]0;title\\u{7}: ENOENT: "), "{line}");
    }

    #[test]
    fn a_refusal_says_that_the_kernel_was_not_asked() {
        assert!(!Error::refused("ReadView::read", Errno::ERANGE, "").is_from_kernel());
    }

    #[test]
    fn errors_of_the_standard_library_keep_their_errno() {
        let missing = std::fs::File::open("/nonexistent/file").unwrap_err();
        assert_eq!(Error::from_io("open", &missing, "f").errno(), Errno::ENOENT);
        let odd = io::Error::from(io::ErrorKind::InvalidInput);
        assert_eq!(Error::from_io("madvise", &odd, "m").errno(), Errno::EINVAL);
    }
}
