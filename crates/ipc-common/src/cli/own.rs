//! Hints that can be typed.

use std::env;
use std::path::PathBuf;

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
    let this = if bare { this } else { std::path::absolute(&this).unwrap_or(this) };
    // For a shell, which looks twice at a blank.
    let this = this.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    let quoted = || format!("'{}'", this.replace('\'', r"'\''"));
    let program = if this.chars().all(plain) { this.clone() } else { quoted() };
    format!("{program} {command}")
}
