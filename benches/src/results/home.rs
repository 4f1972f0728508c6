//! Where results are: criterion's folder.

use std::path::{Path, PathBuf};

/// Cargo's target folder: the one above this program that cargo has tagged as its own.
pub fn target() -> PathBuf {
    above(&std::env::current_exe().unwrap_or_default())
}

fn above(program: &Path) -> PathBuf {
    let is_tagged = |folder: &&Path| folder.join("CACHEDIR.TAG").exists();
    let Some(tagged) = program.ancestors().find(is_tagged) else { return PathBuf::from("target") };
    // With `--target` cargo has a folder for each target below, and tags it as well.
    tagged.parent().filter(is_tagged).unwrap_or(tagged).to_owned()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_all_targets_go_to_one_folder() {
        let folder = testkit::folder();
        let target = folder.file("target");
        let deps = target.join("x86_64-unknown-linux-gnu/release/deps");
        std::fs::create_dir_all(&deps).unwrap();
        let tag = |at: &Path| std::fs::write(at.join("CACHEDIR.TAG"), "").unwrap();
        tag(&target);
        assert_eq!(above(&target.join("release/deps/a_bench")), target);
        tag(&target.join("x86_64-unknown-linux-gnu"));
        assert_eq!(above(&deps.join("a_bench")), target);
        assert_eq!(above(Path::new("/nowhere/a_bench")), Path::new("target"));
    }
}
