//! Hints that can be typed.

use std::env;
use std::path::{Path, PathBuf};

/// What to type to run another command of this binary, from any folder: `package` is its crate.
///
/// ```no_run
/// use ipc_common::cli::own;
/// println!("next: {}", own(env!("CARGO_PKG_NAME"), "demo"));
/// ```
pub fn own(package: &str, command: &str) -> String {
    // cargo says so to the programs that it runs.
    if env::var("CARGO_PKG_NAME").is_ok_and(|name| name == package) {
        return format!("cargo run -p {package} -- {command}");
    }
    let this = PathBuf::from(env::args_os().next().unwrap_or_default());
    // A bare name was found in the PATH, and will be again.
    let bare = this.components().count() == 1;
    let program = if bare { quoted(&this) } else { typed_path(&this) };
    format!("{program} {command}")
}

/// A path as it can be typed in another terminal, which may be in another folder.
///
/// ```
/// assert_eq!(ipc_common::cli::typed_path("/home/ada/my notes".as_ref()), "'/home/ada/my notes'");
/// ```
pub fn typed_path(path: &Path) -> String {
    quoted(&std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()))
}

/// For a shell: in quotes if it holds anything that a shell would look at twice.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_gets_one_word_whatever_the_name() {
        for (name, word) in [
            ("/a/b-c_d.e", "/a/b-c_d.e"),
            ("/a b", "'/a b'"),
            ("/it's", r"'/it'\''s'"),
            ("/$(reboot)", "'/$(reboot)'"),
            ("/~ada", "'/~ada'"),
        ] {
            assert_eq!(typed_path(Path::new(name)), word);
        }
        assert_eq!(quoted(Path::new("")), "''");
    }
}
