//! Where a user's notes live, for users with and without a home.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use ipc_common::{Errno, state};

testkit::cases! {
    the_state_folder_is_the_users_own_and_private;
    a_relative_state_home_is_ignored;
    a_state_folder_that_cannot_be_made_is_named_with_a_way_out;
    root_in_someone_elses_home_uses_its_own needs testkit::need::root;
}

fn set(variable: &str, value: Option<&Path>) {
    // SAFETY: a case is a process of its own, and has no other thread yet.
    unsafe {
        match value {
            Some(value) => std::env::set_var(variable, value),
            None => std::env::remove_var(variable),
        }
    }
}

fn the_state_folder_is_the_users_own_and_private() {
    let home = testkit::folder();
    set("XDG_STATE_HOME", None);
    set("HOME", Some(home.path()));
    let folder = state::folder().unwrap();
    assert_eq!(folder, home.path().join(".local/state/ipc-course"));
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(state::folder().unwrap(), folder, "a second time, too");

    let elsewhere = home.path().join("elsewhere");
    set("XDG_STATE_HOME", Some(&elsewhere));
    assert_eq!(state::folder().unwrap(), elsewhere.join("ipc-course"));
}

fn a_relative_state_home_is_ignored() {
    let home = testkit::folder();
    set("XDG_STATE_HOME", Some(Path::new("somewhere")));
    set("HOME", Some(home.path()));
    assert!(state::folder().unwrap().starts_with(home.path()));
}

fn a_state_folder_that_cannot_be_made_is_named_with_a_way_out() {
    let home = testkit::folder();
    let file = home.file("file");
    fs::write(&file, "in the way").unwrap();
    set("XDG_STATE_HOME", Some(&file));
    let error = state::folder().unwrap_err();
    assert_eq!((error.call(), error.errno()), ("mkdir", Errno::ENOTDIR), "{error}");
    assert!(error.about().contains("file/ipc-course"), "{error}");
    assert!(error.remedy().contains("XDG_STATE_HOME"), "{error}");
}

fn root_in_someone_elses_home_uses_its_own() {
    let home = testkit::folder();
    std::os::unix::fs::chown(home.path(), Some(65534), Some(65534)).unwrap();
    set("XDG_STATE_HOME", None);
    set("HOME", Some(home.path()));
    let folder = state::folder().unwrap();
    assert!(!folder.starts_with(home.path()), "{}", folder.display());
}
