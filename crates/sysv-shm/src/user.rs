//! Users by name, as messages about somebody else's segment give them.

use nix::unistd::{Uid, User};

/// A user's name; his number if the system knows no name for it.
pub fn user_name(user: Uid) -> String {
    match User::from_uid(user) {
        Ok(Some(found)) => found.name,
        _ => user.to_string(),
    }
}
