//! `private`: a change that the file never sees. Slide "mmap options: MAP_PRIVATE".

use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use clap::Args;
use ipc_common::cli::style::KERNEL;
use ipc_common::cli::{Failure, out};
use ipc_common::{Error, PageSize};
use mmap_file::{Access, MapOptions, maps, open_file};
use serde_json::json;

/// Change a byte of a private mapping: the file never sees it.
#[derive(Args)]
#[command(
    long_about = "Map a file privately, change its first byte in memory, and compare: memory \
shows the change, the file (read with pread) does not. The first write made the kernel copy the \
page for this process: Anonymous in /proc/self/smaps (memory that is no file's) grows by it. \
Private_Dirty grows, too, unless the file was written just now: a page that is not yet on the disk \
counts as dirty, and one that only we have mapped as private. The file is opened for reading \
only, and that is enough.",
    after_help = "Example:\n  mmap-file private README.md\n\n\
Exit codes: 0 done, 1 failed, 2 wrong usage."
)]
pub struct Private {
    /// The file, which stays as it is
    file: PathBuf,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

impl Private {
    pub fn run(self) -> Result<(), Failure> {
        let file = open_file(&self.file, Access::Read)?;
        let len = file.metadata().map_or(0, |found| found.len());
        // One page is enough to see, however long the file is.
        let len = usize::try_from(len).unwrap_or(usize::MAX).min(PageSize::system().bytes());
        let mut options = MapOptions::new().private().read_write();
        if len > 0 {
            options = options.len(len);
        }
        let mapping = options.map(&file)?;
        let view = mapping.write_view()?;

        let mut before = [0; 1];
        view.read(0, &mut before)?;
        let dirty_before = maps::figure(&mapping, "Private_Dirty")?;
        let copied_before = maps::figure(&mapping, "Anonymous")?;
        let new = if before[0] == b'!' { b'?' } else { b'!' };
        view.write(0, &[new])?;
        let dirty_after = maps::figure(&mapping, "Private_Dirty")?;
        let copied_after = maps::figure(&mapping, "Anonymous")?;

        let (mut memory, mut on_file) = ([0; 1], [0; 1]);
        view.read(0, &mut memory)?;
        file.read_exact_at(&mut on_file, 0)
            .map_err(|error| Error::from_io("pread", &error, self.file.display().to_string()))?;
        let mut out = out();
        if self.json {
            let line = json!({
                "memory_before": before[0],
                "memory_after": memory[0],
                "file_after": on_file[0],
                "anonymous_before": copied_before,
                "anonymous_after": copied_after,
                "private_dirty_before": dirty_before,
                "private_dirty_after": dirty_after,
            });
            writeln!(out, "{line}")?;
            return Ok(());
        }
        let byte = |byte: [u8; 1]| format!("{:#04x} '{}'", byte[0], byte[0].escape_ascii());
        let kib = |bytes: Option<u64>| {
            bytes.map_or("not given by this kernel".into(), |bytes| format!("{} KiB", bytes / 1024))
        };
        writeln!(out, "{mapping}")?;
        writeln!(out, "                       before the write     after it")?;
        let (old, now) = (byte(before), byte(memory));
        writeln!(out, "first byte, in memory  {KERNEL}{old:<20} {now}{KERNEL:#}")?;
        writeln!(out, "first byte, by pread   {:<20} {KERNEL}{}{KERNEL:#}", "", byte(on_file))?;
        let (old, now) = (kib(copied_before), kib(copied_after));
        writeln!(out, "Anonymous (smaps)      {KERNEL}{old:<20} {now}{KERNEL:#}")?;
        let (old, now) = (kib(dirty_before), kib(dirty_after));
        writeln!(out, "Private_Dirty (smaps)  {KERNEL}{old:<20} {now}{KERNEL:#}")?;
        writeln!(out, "The write went to a copy of the page that only this process has.")?;
        Ok(())
    }
}
