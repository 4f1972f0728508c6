//! The control: a crate of ours that compiles wherever anything does. If it does not, that is no
//! submission's fault.

use ipc_common::{Errno, Error, Result};

use super::Tools;
use super::rustc::{Made, Rustc, Sources, put};
use crate::cell::Places;
use crate::sandbox::{Identity, Mode, files, namespace};

const LIBRARY: &str =
    "//! Compiles wherever anything does.\n\n/// Does nothing.\npub fn nothing() {}\n";
const DRIVER: &str =
    "//! Links wherever anything does.\n\nfn main() {\n    control::nothing();\n}\n";
const SOURCES: Sources<'_> =
    Sources { crate_name: "control", library: "control.rs", driver: "control-driver.rs" };

/// Compiles and links it, in an empty folder.
///
/// # Errors
///
/// If that does not work here and now, with what the compiler said.
pub(super) fn works(rustc: &Rustc<'_>) -> Result<()> {
    let places = rustc.places;
    // A submission may have filled it.
    files::empty(&places.build)
        .map_err(|error| Error::from_io("rmdir", &error, places.build.display().to_string()))?;
    for (name, text) in [(SOURCES.library, LIBRARY), (SOURCES.driver, DRIVER)] {
        put(&places.sources.join(name), text)?;
    }
    match rustc.both(&SOURCES)? {
        Made::Program(_) => files::empty(&places.build)
            .map_err(|error| Error::from_io("rmdir", &error, places.build.display().to_string())),
        Made::Refused(said) | Made::Unclear(said) => {
            Err(Error::refused("rustc", Errno::ENOEXEC, "a program that is right")
                .with_remedy(format!("the compiler does not work here: {}", said.trim())))
        }
    }
}

/// Whether anything can be compiled here, in the cell: before a class is graded.
///
/// # Errors
///
/// If not, with what the compiler said.
pub(crate) fn prove(mode: Mode, identity: Identity, tools: &Tools, places: &Places) -> Result<()> {
    if mode == Mode::Full {
        namespace::for_my_programs()?;
    }
    works(&Rustc { mode, identity, tools, places })
}
