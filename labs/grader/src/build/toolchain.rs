//! rustc: where it is, and a copy where the run's user cannot reach it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use ipc_common::{Errno, Error, Result};

use crate::sandbox::fence;

/// A toolchain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolchain {
    /// Its folder, with `bin` and `lib`.
    pub folder: PathBuf,
    /// `rustc 1.95.0 (…)`.
    pub version: String,
    /// The target it runs on and builds for.
    pub host: String,
    /// The program that links.
    pub linker: PathBuf,
}

impl Toolchain {
    /// The one that cargo uses in the course's folder.
    ///
    /// # Errors
    ///
    /// If rustc cannot be run, or there is no `cc` to link with that the sandbox has as well.
    pub fn find(workspace: &Path) -> Result<Toolchain> {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let ask = |arguments: &[&str]| -> Result<String> {
            let about = || format!("{} {}", Path::new(&rustc).display(), arguments.join(" "));
            let answer = Command::new(&rustc)
                .args(arguments)
                .current_dir(workspace)
                .output()
                .map_err(|error| Error::from_io("execve", &error, about()))?;
            if !answer.status.success() {
                let words = String::from_utf8_lossy(&answer.stderr).into_owned();
                return Err(Error::refused("rustc", Errno::EINVAL, about()).with_remedy(words));
            }
            Ok(String::from_utf8_lossy(&answer.stdout).trim().to_owned())
        };
        let folder = PathBuf::from(ask(&["--print", "sysroot"])?);
        let all = ask(&["-vV"])?;
        let host = all.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
        let version = all.lines().next().unwrap_or_default();
        // rustup's sysroot may be a link of a channel's name.
        let folder = fs::canonicalize(&folder)
            .map_err(|error| Error::from_io("realpath", &error, folder.display().to_string()))?;
        Ok(Toolchain { folder, version: version.into(), host: host.into(), linker: linker()? })
    }

    /// The same toolchain where every user can reach it: where it is if that is so, else as a copy
    /// in `cache`, of hard links if the file system is the same.
    ///
    /// # Errors
    ///
    /// Those of making it.
    pub fn for_everyone(&self, cache: &Path) -> Result<Toolchain> {
        if others_can_reach(&self.folder) {
            return Ok(self.clone());
        }
        let name: String =
            self.version.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
        let folder = cache.join(format!("{name}-{}", self.host));
        if !folder.exists() {
            let beside = cache.join(format!(".{name}-{}.new", std::process::id()));
            let made = self.copy_to(&beside).and_then(|()| match fs::rename(&beside, &folder) {
                // Somebody else was faster.
                Err(_) if folder.exists() => fs::remove_dir_all(&beside),
                other => other,
            });
            made.map_err(|error| Error::from_io("link", &error, folder.display().to_string()))?;
        }
        Ok(Toolchain { folder, ..self.clone() })
    }

    /// rustc, its libraries, and those of the host's target: a fraction of a toolchain.
    fn copy_to(&self, to: &Path) -> std::io::Result<()> {
        let target = Path::new("lib/rustlib").join(&self.host);
        open_folder(&to.join("bin"))?;
        one(&self.folder.join("bin/rustc"), &to.join("bin/rustc"))?;
        files(&self.folder.join("lib"), &to.join("lib"), false)?;
        files(&self.folder.join(&target), &to.join(&target), true)
    }
}

fn files(from: &Path, to: &Path, deep: bool) -> std::io::Result<()> {
    open_folder(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        match (entry.file_type()?.is_dir(), deep) {
            (true, true) => files(&entry.path(), &to, true)?,
            (true, false) => {}
            (false, _) => one(&entry.path(), &to)?,
        }
    }
    Ok(())
}

fn open_folder(path: &Path) -> std::io::Result<()> {
    fs::create_dir_all(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

fn one(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(drop))
}

/// Whether every user can enter this folder.
pub fn others_can_reach(folder: &Path) -> bool {
    folder
        .ancestors()
        .all(|part| fs::metadata(part).is_ok_and(|found| found.permissions().mode() & 0o001 != 0))
}

/// The linker of the distribution: in the sandbox there is hardly anything else. `cc` of `PATH` may be
/// somebody's own in /usr/local or /opt, or a link that leads there.
fn linker() -> Result<PathBuf> {
    let usual = ["/usr/bin/cc", "/bin/cc"].map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let others: Vec<PathBuf> = std::env::split_paths(&path)
        .filter_map(|folder| fs::canonicalize(folder.join("cc")).ok())
        .collect();
    let in_reach = |cc: &PathBuf| {
        fs::canonicalize(cc).is_ok_and(|cc| cc.is_file() && fence::is_everywhere(&cc))
    };
    if let Some(cc) = usual.into_iter().chain(others.iter().cloned()).find(in_reach) {
        return Ok(cc);
    }
    Err(match others.first() {
        None => Error::refused("cc", Errno::ENOENT, "the linker")
            .with_remedy("Rust links with the C compiler: install gcc or clang"),
        Some(cc) => Error::refused("cc", Errno::EXDEV, cc.display().to_string()).with_remedy(
            "the sandbox has the distribution's programs only (/usr/bin, /bin): install its gcc \
             or clang",
        ),
    })
}
