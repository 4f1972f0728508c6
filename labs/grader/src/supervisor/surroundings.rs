//! What a run needs from outside.

use std::path::PathBuf;

use ipc_common::Result;

use super::folder::RunFolder;
use super::users::RunUser;
use crate::evidence::census::{self, Object};
use crate::sandbox::Mode;

/// What a run needs from outside: a user, a folder, and what there was before.
pub(super) struct Surroundings {
    user: Option<RunUser>,
    folder: Option<RunFolder>,
    pub(super) before: Vec<Object>,
}

impl Surroundings {
    pub(super) fn make(mode: Mode) -> Result<Surroundings> {
        let is_root = nix::unistd::geteuid().is_root();
        let needs_user = is_root && matches!(mode, Mode::Full | Mode::RunUid);
        let user = needs_user.then(RunUser::claim).transpose()?;
        let folder = (mode != Mode::Full).then(RunFolder::make).transpose()?;
        let before = if mode == Mode::Full { Vec::new() } else { census::all()? };
        Ok(Surroundings { user, folder, before })
    }

    pub(super) fn user(&self) -> Option<u32> {
        self.user.as_ref().map(|user| user.id)
    }

    pub(super) fn folder(&self) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.path.clone())
    }
}
