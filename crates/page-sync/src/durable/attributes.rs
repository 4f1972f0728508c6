//! What a replacement takes over from the file whose name it gets: nobody should be able to open it
//! who could not before, and nobody be shut out.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;

use ipc_common::{Errno, Error, Result};
use nix::fcntl::{OFlag, openat, readlinkat};
use nix::sys::stat::{Mode, fchmod};
use nix::unistd::{Gid, Uid, fchown};

use super::place::Place;
use crate::sys;

/// Where Linux keeps an access control list.
const ACL: &[u8] = b"system.posix_acl_access";

/// The file that is to be replaced.
pub(super) struct Old {
    /// Names the file, and cannot read or write it (O_PATH): its mode need not allow that.
    file: File,
    found: Metadata,
}

impl Old {
    /// `None` if nothing has this name yet.
    pub fn at(place: &Place<'_>) -> Result<Option<Old>> {
        let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let file = match openat(&place.folder, place.name, flags, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::ENOENT) => return Ok(None),
            Err(errno) => return Err(place.error("open", errno)),
        };
        let file = File::from(file);
        let found = metadata(&file, place)?;
        let (kind, path) = (found.file_type(), || place.path.display().to_string());
        if kind.is_file() {
            return Ok(Some(Old { file, found }));
        }
        Err(if kind.is_dir() {
            place.error("open", Errno::EISDIR)
        } else if kind.is_symlink() {
            let to = readlinkat(&place.folder, place.name).unwrap_or_default();
            Error::refused("open", Errno::ELOOP, path()).with_remedy(format!(
                "this is a symbolic link to {}: replacing it would leave that file as it is, and \
                 following it could lead into a file that someone else chose; name the file itself",
                to.display()
            ))
        } else {
            Error::refused("open", Errno::ENODEV, path())
                .with_remedy("only a regular file is replaced here; name one")
        })
    }

    /// How many names it has besides the one that is about to go.
    pub fn other_names(&self) -> u64 {
        self.found.nlink().saturating_sub(1)
    }

    /// Gives the new file the old one's owner and group. To be done first: it may be refused.
    pub fn give_owner(&self, new: &File, place: &Place<'_>) -> Result<()> {
        let is = metadata(new, place)?;
        let wanted = |is: u32, should: u32| (is != should).then_some(should);
        let owner = wanted(is.uid(), self.found.uid()).map(Uid::from_raw);
        let group = wanted(is.gid(), self.found.gid()).map(Gid::from_raw);
        if owner.is_none() && group.is_none() {
            return Ok(());
        }
        fchown(new, owner, group).map_err(|errno| {
            let error = place.error("fchown", errno);
            let (uid, gid) = (self.found.uid(), self.found.gid());
            match errno {
                Errno::EPERM => error.with_remedy(format!(
                    "the file belongs to user {uid} and group {gid}, and its replacement would not; \
                     write into it instead, or let its owner replace it"
                )),
                _ => error,
            }
        })
    }

    /// Gives it the mode, the access control list and the user's extended attributes. Last, so that
    /// nothing changes them again.
    ///
    /// Set-user-ID and set-group-ID are not taken over: a write takes them away, too. Nor are the
    /// attributes of security modules, which decide for themselves about new files.
    pub fn give_rights(&self, new: &File, place: &Place<'_>) -> Result<()> {
        let failed = |call| move |errno| place.error(call, errno);
        let names = sys::list_xattr(&self.file).map_err(failed("listxattr"))?;
        let names: Vec<&[u8]> =
            names.split(|byte| *byte == 0).filter(|name| !name.is_empty()).collect();
        if !names.contains(&ACL) {
            // The folder may have given it one.
            sys::remove_xattr(new, ACL).map_err(failed("fremovexattr"))?;
        }
        for name in names.iter().filter(|n| n.starts_with(b"user.") || n.starts_with(b"system.")) {
            let value = sys::get_xattr(&self.file, name).map_err(|errno| match errno {
                Errno::EACCES => place.error("getxattr", errno).with_remedy(
                    "the file has an extended attribute that only its readers can copy, and its \
                     mode keeps you from reading; make it readable first (`chmod u+r`)",
                ),
                _ => place.error("getxattr", errno),
            })?;
            if let Some(value) = value {
                sys::set_xattr(new, name, &value).map_err(failed("fsetxattr"))?;
            }
        }
        let mode = Mode::from_bits_truncate(self.found.mode()) - Mode::S_ISUID - Mode::S_ISGID;
        fchmod(new, mode).map_err(failed("fchmod"))
    }
}

fn metadata(file: &File, place: &Place<'_>) -> Result<Metadata> {
    let about = || place.path.display().to_string();
    file.metadata().map_err(|error| Error::from_io("fstat", &error, about()))
}
