//! In the cell: a submission becomes a program, or it is known that it is the submission's fault that
//! it does not.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use ipc_common::{Error, Result};

use super::control;
use super::rustc::{Made, Rustc, Sources, put};
use crate::cell::{Grading, Places};
use crate::sandbox::{Identity, Mode, namespace};
use crate::verdict::Build;

/// The largest driver that is run: many times what an honest one has, and a part of what the cell's
/// root holds.
const LARGEST: u64 = 32 << 20;

/// The lab's driver among the sources. No submission has a file of that name: the rubric names its
/// files.
const DRIVER: &str = "driver.rs";

/// Compiles a submission and the driver. That it does not compile is no error, if something else does.
///
/// # Errors
///
/// If nothing can be compiled here and now.
pub(crate) fn compile(
    mode: Mode,
    identity: Identity,
    grading: &Grading,
    places: &Places,
) -> Result<Build> {
    if mode == Mode::Full {
        namespace::for_my_programs()?;
    }
    for (name, text) in grading.sources.iter().chain([&(DRIVER.into(), grading.driver.clone())]) {
        put(&places.sources.join(name), text)?;
    }
    let rustc = Rustc { mode, identity, tools: &grading.tools, places };
    let sources = Sources {
        crate_name: &grading.tools.crate_name,
        library: grading.sources.first().map_or("", |(name, _)| name.as_str()),
        driver: DRIVER,
    };
    let mut made = rustc.both(&sources)?;
    if !matches!(made, Made::Program(_)) {
        control::works(&rustc)?;
    }
    if matches!(made, Made::Unclear(_)) {
        // Once is chance, twice is the submission.
        made = rustc.both(&sources)?;
    }
    let (succeeded, messages) = match made {
        Made::Program(said) => match take(&places.build.join("driver"), &places.driver)? {
            None => (true, said),
            Some(why) => (false, said + &why),
        },
        Made::Refused(said) | Made::Unclear(said) => (false, said),
    };
    Ok(Build { succeeded, messages, millis: 0 })
}

/// Copies the finished program to where the student's programs cannot write. It lay in a folder of
/// the student's user's, so it is looked at twice. Why it is not taken, if it is not.
fn take(from: &Path, to: &Path) -> Result<Option<String>> {
    let failed = |error| Error::from_io("open", &error, from.display().to_string());
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let program = OpenOptions::new().read(true).custom_flags(flags).open(from).map_err(failed)?;
    let found = program.metadata().map_err(failed)?;
    if !found.is_file() {
        return Err(failed(io::Error::from_raw_os_error(libc::EINVAL)));
    }
    if found.len() > LARGEST {
        let (len, most) = (found.len() >> 20, LARGEST >> 20);
        return Ok(Some(format!("error: the program has {len} MiB; {most} MiB at most are run\n")));
    }
    let mut copy = File::create(to).map_err(failed)?;
    io::copy(&mut program.take(found.len()), &mut copy).map_err(failed)?;
    copy.set_permissions(Permissions::from_mode(0o755)).map_err(failed)?;
    Ok(None)
}
