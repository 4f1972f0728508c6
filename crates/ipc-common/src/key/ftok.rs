//! `ftok`: a key out of a file and a project. Written here in Rust, so that its bits can be seen.
//!
//! ```text
//!   key 0x5203a1b2
//!         52        project: low  8 bits of what the caller gave
//!           03      device:  low  8 bits of st_dev
//!             a1b2  inode:   low 16 bits of st_ino
//! ```
//!
//! Everything above those bits is lost, so two files on one device collide as soon as their inodes
//! are 65,536 apart. And since the inode is what counts, saving a file by writing a new one and
//! renaming it over the old gives another key, while a second name for the same file (a hard or
//! symbolic link) gives the same one.

use std::fmt;
use std::path::Path;

use nix::sys::stat::stat;

use super::{Key, Project};
use crate::error::{Error, Result};

/// A key made by [`ftok`], with all that went into it and all that was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FtokKey {
    inode: u64,
    device: u64,
    project: Project,
}

/// The key for the file at `path` and a project: equal to the C library's `ftok`.
///
/// A relative path depends on the folder the program was started in; what counts is the file's
/// inode, not its name, and never its contents.
///
/// # Errors
///
/// Those of stat(2), which `ftok` calls: `ENOENT` if the file is missing, `EACCES` or `ENOTDIR` if
/// it cannot be reached, `EINVAL` for a path that holds a NUL.
///
/// ```
/// use ipc_common::key::{ftok, Project};
/// let made = ftok("/", Project::LECTURE)?;
/// assert_eq!(made.key().raw() >> 24, 0x52);
/// println!("{made}");
/// # Ok::<(), ipc_common::Error>(())
/// ```
pub fn ftok(path: impl AsRef<Path>, project: Project) -> Result<FtokKey> {
    let path = path.as_ref();
    let found = stat(path)
        .map_err(|errno| Error::new("ftok", errno, path.display().to_string()))
        .map_err(|error| match error.errno() {
        nix::errno::Errno::EINVAL => error.with_remedy("a path cannot hold a NUL byte"),
        _ => error,
    })?;
    Ok(FtokKey { inode: found.st_ino, device: found.st_dev, project })
}

impl FtokKey {
    /// The key itself. Never [`Key::PRIVATE`], as the project's bits are not 0.
    pub fn key(self) -> Key {
        let [inode_low, inode_high] = self.inode_bits().to_le_bytes();
        Key::from_raw(i32::from_le_bytes([
            inode_low,
            inode_high,
            self.device_bits(),
            self.project.byte(),
        ]))
    }

    /// The project that was given.
    pub fn project(self) -> Project {
        self.project
    }

    /// The file's whole inode number (`st_ino`).
    pub fn inode(self) -> u64 {
        self.inode
    }

    /// The 16 bits of the inode that are in the key.
    pub fn inode_bits(self) -> u16 {
        (self.inode & 0xffff) as u16
    }

    /// The whole number of the device that holds the file (`st_dev`).
    pub fn device(self) -> u64 {
        self.device
    }

    /// The 8 bits of the device that are in the key.
    pub fn device_bits(self) -> u8 {
        (self.device & 0xff) as u8
    }

    /// Whether any bit that was not 0 is missing from the key, so that something else can have
    /// the same one.
    pub fn lost_bits(self) -> bool {
        self.inode >> 16 != 0 || self.device >> 8 != 0 || self.project.thrown_away() != 0
    }
}

/// The drawing at the top of this page, with this key's own numbers.
impl fmt::Display for FtokKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let note = |lost: bool| if lost { ", the rest is thrown away" } else { "" };
        writeln!(f, "{}", self.key())?;
        writeln!(
            f,
            "  {:02x}        project {}: low 8 bits{}",
            self.project.byte(),
            self.project,
            note(self.project.thrown_away() != 0)
        )?;
        writeln!(
            f,
            "    {:02x}      device  {:#x}: low 8 bits{}",
            self.device_bits(),
            self.device,
            note(self.device >> 8 != 0)
        )?;
        write!(
            f,
            "      {:04x}  inode   {} = {:#x}: low 16 bits{}",
            self.inode_bits(),
            self.inode,
            self.inode,
            note(self.inode >> 16 != 0)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn made(inode: u64, device: u64, project: i32) -> FtokKey {
        FtokKey { inode, device, project: Project::new(project).unwrap() }
    }

    #[test]
    fn inodes_that_differ_only_above_bit_16_collide() {
        assert_eq!(made(5, 1, 0xaa).key(), made(5 + 65_536, 1, 0xaa).key());
        assert_eq!(made(5, 1, 0xaa).key(), made(5, 0x101, 0xaa).key());
        assert_eq!(made(5, 1, 0xaa).key(), made(5, 1, 0x1aa).key());
        assert!(made(5 + 65_536, 1, 0xaa).lost_bits());
        assert!(!made(5, 1, 0xaa).lost_bits());
    }

    #[test]
    fn the_drawing_shows_each_part_where_it_stands_in_the_key() {
        let drawn = made(0x7a1b2, 0xfe03, 0x52).to_string();
        let lines: Vec<&str> = drawn.lines().collect();
        assert_eq!(lines[0], "0x5203a1b2");
        for (line, part) in lines[1..].iter().zip(["52", "03", "a1b2"]) {
            let column = lines[0].find(part).unwrap();
            assert_eq!(&line[column..column + part.len()], part, "{drawn}");
        }
    }

    proptest! {
        #[test]
        fn a_key_holds_its_parts_and_nothing_else(inode: u64, device: u64, project: i32) {
            prop_assume!(project & 0xff != 0);
            let made = made(inode, device, project);
            let raw = made.key().raw().cast_unsigned();
            prop_assert_eq!(raw >> 24, u32::from(made.project().byte()));
            prop_assert_eq!((raw >> 16) & 0xff, u32::from(made.device_bits()));
            prop_assert_eq!(raw & 0xffff, u32::from(made.inode_bits()));
            prop_assert!(!made.key().is_private());
        }
    }
}
