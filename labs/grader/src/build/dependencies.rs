//! The crates that a submission may use: built by cargo, once, with the course's lock file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ipc_common::{Errno, Error, Result};
use serde::Deserialize;

use super::Toolchain;
use crate::rubric::Rubric;

/// The compiled dependencies of one lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependencies {
    /// The folder with all of them, read-only, named by its content.
    pub folder: PathBuf,
    /// The crates of the rubric, and their files in there.
    pub externs: Vec<(String, String)>,
    /// The edition of the lab's crate.
    pub edition: String,
}

/// A line of cargo's (`--message-format=json`), as far as it is of interest.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    manifest_path: PathBuf,
    target: Option<Target>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    edition: String,
}

/// Has cargo build the dependencies of a lab, which is quick if nothing has changed, and puts them
/// into a read-only folder in `cache`, which is named by its content: the same crates are the same
/// folder, and others never replace what a run is using.
///
/// # Errors
///
/// If cargo fails, with what it said; or the copy does.
pub fn prepare(
    workspace: &Path,
    rubric: &Rubric,
    toolchain: &Toolchain,
    cargo_folder: &Path,
    cache: &Path,
) -> Result<Dependencies> {
    let package = &rubric.id;
    // Offline first: it is quicker, and needs no network if all is there.
    let mut said = cargo(workspace, package, toolchain, cargo_folder, true)?;
    let mut built = artifacts(&said, toolchain, rubric);
    if built.is_err() {
        said = cargo(workspace, package, toolchain, cargo_folder, false)?;
        built = artifacts(&said, toolchain, rubric);
    }
    let (files, externs, edition) = built.map_err(|what| {
        let words = String::from_utf8_lossy(&said.stderr);
        Error::refused("cargo build", Errno::ENOENT, what).with_remedy(words.trim().to_owned())
    })?;
    Ok(Dependencies { folder: keep(&files, cache)?, externs, edition })
}

/// Cargo over the lab's own manifest. Its own library is built as well, or fails to be: in a
/// student's folder it is half done.
fn cargo(
    workspace: &Path,
    package: &str,
    toolchain: &Toolchain,
    folder: &Path,
    offline: bool,
) -> Result<Output> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(workspace)
        .args(["build", "--locked", "--keep-going", "--lib", "--message-format=json"])
        // With a target, what is built for build scripts goes elsewhere.
        .args(["--package", package, "--target", &toolchain.host, "--target-dir"])
        .arg(folder)
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_INCREMENTAL", "0");
    // Whoever grades gets the same programs, whatever is set here.
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"]
    {
        command.env_remove(name);
    }
    if offline {
        command.arg("--offline");
    }
    command.output().map_err(|error| Error::from_io("execve", &error, "cargo"))
}

type Built = (BTreeSet<PathBuf>, Vec<(String, String)>, String);

/// What cargo built, or has built before: all libraries, and which of them a submission may name.
fn artifacts(
    said: &Output,
    toolchain: &Toolchain,
    rubric: &Rubric,
) -> std::result::Result<Built, String> {
    let mut files = BTreeSet::new();
    let mut by_name: BTreeMap<String, PathBuf> = BTreeMap::new();
    let own = Path::new(&rubric.id).join("Cargo.toml");
    for line in String::from_utf8_lossy(&said.stdout).lines() {
        let Ok(message) = serde_json::from_str::<Message>(line) else { continue };
        let (Some(target), "compiler-artifact") = (message.target, message.reason.as_str()) else {
            continue;
        };
        let for_target = |file: &&PathBuf| file.iter().any(|part| part == toolchain.host.as_str());
        let is_library = |file: &&PathBuf| file.extension().is_some_and(|end| end == "rlib");
        for file in message.filenames.iter().filter(for_target).filter(is_library) {
            if !message.manifest_path.ends_with(&own) {
                files.insert(file.clone());
                by_name.insert(target.name.clone(), file.clone());
            }
        }
    }
    let mut externs = Vec::new();
    for package in &rubric.dependencies {
        let name = package.replace('-', "_");
        let file = by_name.get(&name).and_then(|file| file.file_name());
        match file {
            Some(file) => externs.push((name, file.to_string_lossy().into_owned())),
            None => return Err(format!("cargo did not build {package}")),
        }
    }
    Ok((files, externs, edition(said, &own)))
}

/// The edition of the lab's crate: from the message about it, which comes with an error as well.
fn edition(said: &Output, own: &Path) -> String {
    let text = String::from_utf8_lossy(&said.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    messages
        .filter(|message| message.manifest_path.ends_with(own))
        .find_map(|message| message.target.map(|target| target.edition))
        .unwrap_or_else(|| "2024".into())
}

/// A read-only copy in a folder named by its content.
fn keep(files: &BTreeSet<PathBuf>, cache: &Path) -> Result<PathBuf> {
    let failed = |call: &'static str, path: &Path, error: &std::io::Error| {
        Error::from_io(call, error, path.display().to_string())
    };
    let mut contents = Vec::new();
    let mut hasher = DefaultHasher::new();
    for file in files {
        let bytes = fs::read(file).map_err(|error| failed("read", file, &error))?;
        let name = file.file_name().unwrap_or_default();
        hasher.write(name.as_encoded_bytes());
        hasher.write(&bytes);
        contents.push((name, bytes));
    }
    let folder = cache.join(format!("dependencies-{:016x}", hasher.finish()));
    if folder.exists() {
        return Ok(folder);
    }
    let beside = cache.join(format!(".dependencies-{}.new", std::process::id()));
    let made = fs::create_dir_all(&beside).and_then(|()| {
        for (name, bytes) in contents {
            let path = beside.join(name);
            fs::write(&path, bytes)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o444))?;
        }
        fs::set_permissions(&beside, fs::Permissions::from_mode(0o755))?;
        match fs::rename(&beside, &folder) {
            // Somebody else was faster, with the same content.
            Err(_) if folder.exists() => fs::remove_dir_all(&beside),
            other => other,
        }
    });
    made.map_err(|error| failed("rename", &folder, &error))?;
    Ok(folder)
}
