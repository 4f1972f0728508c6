//! What a check works with: a fresh folder, keys, random payloads, and programs to start.

mod blame;
mod evidence;

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ipc_common::Error;

use crate::check::Stop;
use crate::driver::Driver;
use crate::evidence::census::{self, Object};
use crate::random::{Random, Seed};
use crate::sandbox::{Identity, Launch, Mode, Process, namespace};

pub use evidence::key_of;

/// How often a state of the kernel's is looked at while it is waited for.
const NAP: Duration = Duration::from_micros(200);

/// Where a check's programs come from, and how they are kept.
#[derive(Clone, Debug)]
pub struct Setting {
    /// What stands around them.
    pub mode: Mode,
    /// Whose they are.
    pub identity: Identity,
    /// The driver.
    pub program: PathBuf,
    /// An empty folder of theirs, for one check.
    pub folder: PathBuf,
    /// Whether this process has a root of its own.
    pub own_root: bool,
}

/// What one check has to itself. Whatever it started is killed when it ends, and whatever the
/// programs made is swept.
#[derive(Debug)]
pub struct Stage {
    setting: Setting,
    random: Random,
    tokens: Random,
    until: Instant,
    before: Vec<Object>,
    started: u32,
    /// Who may have made something: this process, and the programs that it started.
    makers: Vec<i32>,
}

impl Stage {
    /// A stage for a check: one for the whole life of this process, whose programs get a process
    /// namespace in mode full.
    ///
    /// # Errors
    ///
    /// If the kernel has no System V IPC, or no more namespaces.
    pub fn new(
        setting: Setting,
        seed: Seed,
        check: &str,
        limit: Duration,
    ) -> ipc_common::Result<Stage> {
        if setting.mode == Mode::Full {
            namespace::for_my_programs()?;
        }
        Ok(Stage {
            setting,
            random: Random::new(seed, check),
            tokens: Random::new(seed, &format!("{check}: tokens")),
            until: Instant::now() + limit,
            before: census::all()?,
            started: 0,
            makers: vec![std::process::id().cast_signed()],
        })
    }

    /// A stage with hardly a sandbox around its programs: for trying a check while it is written.
    /// `folder` has to be empty and writable.
    ///
    /// # Errors
    ///
    /// If the folder cannot be resolved, or the kernel has no System V IPC.
    pub fn unprotected(
        program: &Path,
        folder: &Path,
        seed: Seed,
        check: &str,
        limit: Duration,
    ) -> ipc_common::Result<Stage> {
        let absolute = |path: &Path| {
            fs::canonicalize(path)
                .map_err(|error| Error::from_io("realpath", &error, path.display().to_string()))
        };
        let setting = Setting {
            mode: Mode::Tree,
            identity: Identity::Same,
            program: absolute(program)?,
            folder: absolute(folder)?,
            own_root: false,
        };
        Stage::new(setting, seed, check, limit)
    }

    /// The check's random numbers: for keys, sizes and payloads, so that a constant in a submission
    /// is useless.
    pub fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    /// A folder of this check's alone, empty at first, which the student's programs may write to.
    pub fn folder(&self) -> &Path {
        &self.setting.folder
    }

    /// A path in the folder, with a random name, at which nothing is yet.
    pub fn fresh_path(&mut self) -> PathBuf {
        let name = self.random.text(12);
        self.setting.folder.join(name)
    }

    /// A fresh, empty file for ftok(3), owned by the student's user.
    ///
    /// # Errors
    ///
    /// As for [`Stage::make_file`].
    pub fn key_file(&mut self) -> Result<PathBuf, Stop> {
        let path = self.fresh_path();
        self.make_file(&path, b"", 0o600)?;
        Ok(path)
    }

    /// Makes a file as the student's user would.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if the program has closed or filled its folder, or put something there;
    /// [`Stop::Grader`] for the rest.
    pub fn make_file(&self, path: &Path, bytes: &[u8], mode: u32) -> Result<(), Stop> {
        use std::io::Write;
        let failed = |error| Error::from_io("open", &error, path.display().to_string());
        let made = self.setting.identity.does(|| {
            let mut file = File::create_new(path).map_err(failed)?;
            file.write_all(bytes).map_err(failed)?;
            file.set_permissions(Permissions::from_mode(mode)).map_err(failed)
        });
        made.map_err(|error| blame::for_files(error, self.setting.mode))
    }

    /// Makes a folder as the student's user would.
    ///
    /// # Errors
    ///
    /// As for [`Stage::make_file`].
    pub fn make_folder(&self, path: &Path) -> Result<(), Stop> {
        let failed = |error| Error::from_io("mkdir", &error, path.display().to_string());
        let made = self.setting.identity.does(|| fs::create_dir(path).map_err(failed));
        made.map_err(|error| blame::for_files(error, self.setting.mode))
    }

    /// Removes a file as the student's user would. It may be gone already.
    ///
    /// # Errors
    ///
    /// [`Stop::Grader`] if it cannot be removed.
    pub fn remove_file(&self, path: &Path) -> Result<(), Stop> {
        let removed = self.setting.identity.does(|| {
            fs::remove_file(path)
                .map_err(|error| Error::from_io("unlink", &error, path.display().to_string()))
        });
        match removed {
            Err(error) if error.errno() != ipc_common::Errno::ENOENT => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Starts a program of the student's, in the check's folder. It is the same program each time;
    /// several may run at once.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if a program before has closed the folder; [`Stop::Grader`] for the rest.
    pub fn start(&mut self) -> Result<Driver, Stop> {
        let folder = self.setting.folder.clone();
        self.start_in(&folder)
    }

    /// [`Stage::start`] with another working directory.
    ///
    /// # Errors
    ///
    /// As for [`Stage::start`].
    pub fn start_in(&mut self, folder: &Path) -> Result<Driver, Stop> {
        self.started += 1;
        let mut tokens = self.tokens.clone();
        let own = Random::new(Seed::of(&mut tokens), &format!("driver {}", self.started));
        self.tokens = tokens;
        let Setting { mode, identity, program, own_root, .. } = &self.setting;
        let launch = Launch::new(*mode, *identity, program, folder)?
            .may_read(program)
            .may_write(&self.setting.folder)
            .in_own_root(*own_root);
        let started = Process::start(&launch);
        let driver = Driver::new(started.map_err(|error| blame::for_start(error, *mode))?, own)?;
        self.makers.push(driver.pid());
        Ok(driver)
    }

    /// Waits until something holds, looking often, for `limit` at most and never past the end of the
    /// check's time. Whether it came to hold.
    ///
    /// # Errors
    ///
    /// Those of looking.
    pub fn wait_until(
        &self,
        limit: Duration,
        mut holds: impl FnMut() -> Result<bool, Stop>,
    ) -> Result<bool, Stop> {
        let until = self.until.min(Instant::now() + limit);
        loop {
            if holds()? {
                return Ok(true);
            }
            if Instant::now() >= until {
                return Ok(false);
            }
            std::thread::sleep(NAP);
        }
    }

    /// How much of the check's time is left. When it is over, the check is given up from outside.
    pub fn time_left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// Whom the student's programs belong to.
    pub fn identity(&self) -> Identity {
        self.setting.identity
    }
}
