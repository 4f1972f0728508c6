//! The deeds, by what is wrong with the address. What they have in common: everything an
//! arrangement makes stays until the process is gone.

mod addresses;
mod alignment;
mod files;
mod pages;
mod stacks;

pub use addresses::DEEDS as ADDRESSES;
pub use alignment::DEEDS as ALIGNMENT;
pub use files::DEEDS as FILES;
pub use pages::DEEDS as PAGES;
pub use stacks::DEEDS as STACKS;

use super::deed::{Act, Arranged, Deed};

/// Most of a deed, in a line.
const fn deed(
    name: &'static str,
    done: &'static str,
    arrange: fn() -> Result<Arranged, String>,
) -> Deed {
    Deed { name, done, arrange }
}

/// What failed while a deed was arranged, as a reason for leaving it out.
fn refused(error: ipc_common::Error) -> String {
    error.to_string()
}
