//! Where results are: criterion's folder.

use std::path::PathBuf;

/// Cargo's target folder: the one above this program that cargo has tagged as its own.
pub fn target() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let tagged = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists());
    tagged.map_or_else(|| PathBuf::from("target"), PathBuf::from)
}

/// Criterion's folder: `CRITERION_HOME`, or `criterion` in the target folder.
///
/// Criterion itself would ask `CARGO_TARGET_DIR`, which may be a path relative to where cargo was
/// called; a bench is started elsewhere, in its package.
pub fn home() -> PathBuf {
    match std::env::var_os("CRITERION_HOME") {
        Some(home) if !home.is_empty() => PathBuf::from(home),
        _ => target().join("criterion"),
    }
}
