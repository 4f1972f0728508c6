//! The compiler, cargo and the linker.

use std::path::Path;
use std::process::Command;

use super::Finding;
use crate::build::Toolchain;
use crate::supervisor::{Course, Supervisor};

pub(super) fn look(course: &Course, cell: &Path) -> Vec<Finding> {
    let compiler = match Toolchain::find(course.folder()) {
        Ok(found) => {
            let linker = found.linker.display().to_string();
            // That both are there is not enough: they have to work in the sandbox.
            let proved = Supervisor::new(course.clone(), None, cell)
                .and_then(|supervisor| supervisor.prove().map(|()| supervisor.mode()));
            vec![
                Finding::good("compiler", format!("{}, for {}", found.version, found.host)),
                match proved {
                    Ok(mode) => Finding::good("linker", format!("{linker}, works in mode {mode}")),
                    Err(error) => Finding::bad(
                        "linker",
                        format!("{linker}: {error}"),
                        "a program that is right cannot be compiled in the sandbox: the reason is \
                         above; install the distribution's gcc (`apt install gcc` or the like)",
                    ),
                },
            ]
        }
        // It says which of the two is missing.
        Err(error) => vec![Finding::bad(
            "compiler",
            error.to_string(),
            "Rust is installed as https://rustup.rs says, a linker by `apt install gcc` or the like",
        )],
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let said = Command::new(cargo).arg("--version").current_dir(course.folder()).output();
    let cargo = match said {
        Ok(said) if said.status.success() => {
            Finding::good("cargo", String::from_utf8_lossy(&said.stdout).trim().to_owned())
        }
        _ => Finding::bad("cargo", "it cannot be run", "install Rust as https://rustup.rs says"),
    };
    compiler.into_iter().chain([cargo]).collect()
}
