//! `int`: an integer out of a file. Slide "mmap Example".

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use ipc_common::cli::{Failure, out};
use mmap_file::integer::{Endian, four_bytes};
use serde_json::json;

/// Read an integer out of a mapped file.
#[derive(Args)]
#[command(
    long_about = "Map a file and read the four bytes at an offset as a signed integer: the \
slide's first example, mended. The slide's program maps standard input by mistake (`fd = open(…) \
< 0`), writes into the file it is about to read, and dies of SIGBUS on an empty one.",
    after_help = "Examples:\n  printf '\\1\\0\\0\\0' > one && mmap-file int one\n  \
mmap-file int one --endian big\n  mmap-file int /bin/ls --offset 0x12\n\n\
Exit codes: 0 done, 1 failed, 2 wrong usage."
)]
pub struct Int {
    /// The file
    file: PathBuf,
    /// Where the integer begins, in bytes; any offset will do (12, 0x0c)
    #[arg(long, value_name = "N", default_value = "0", value_parser = offset)]
    offset: u64,
    /// In which order its bytes lie: native, little or big
    #[arg(long, value_name = "ORDER", default_value = "native")]
    endian: Endian,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

fn offset(text: &str) -> Result<u64, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|error| format!("{error}; an offset is a number such as 12 or 0x0c"))
}

impl Int {
    pub fn run(self) -> Result<(), Failure> {
        let bytes = four_bytes(&self.file, self.offset)?;
        let integer = self.endian.integer(bytes);
        if self.json {
            let line = json!({
                "integer": integer,
                "offset": self.offset,
                "endian": self.endian.name(),
                "bytes": bytes,
            });
            writeln!(out(), "{line}")?;
        } else {
            writeln!(out(), "{integer}")?;
        }
        Ok(())
    }
}
