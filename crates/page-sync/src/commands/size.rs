//! `size`: the page size, and how a length rounds. Slide "sysconf".

use std::io::Write;

use clap::Args;
use ipc_common::PageSize;
use ipc_common::cli::style::{FAINT, KERNEL, STRONG};
use ipc_common::cli::{Failure, json_line, out};
use page_sync::file::{Huge, Pages, Sizes};
use page_sync::picture::text;
use serde_json::{Value, json};

/// The page size, huge page sizes, and how a length rounds to pages
///
/// A mapping has whole pages, whatever the length of the file. What is left over of the last page
/// can be stored to, is seen by others who map it, and never reaches the disk. A file of exactly so
/// many pages leaves nothing over.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  page-sync size                     and how some lengths round\n  \
page-sync size 5000 64K 1M\n  page-sync size 5000 --page-size 16K   as on a machine with such pages\n\n\
Exit codes: 0 done, 1 failed, 2 wrong usage."
)]
pub struct Size {
    /// Lengths in bytes; K, M, G and T stand for 2^10, 2^20, 2^30 and 2^40
    #[arg(value_name = "LENGTH", value_parser = bytes)]
    lengths: Vec<u64>,
    /// Round as on a machine with pages of this size (Apple: 16K; some servers: 64K)
    #[arg(long, value_name = "BYTES", value_parser = page_size)]
    page_size: Option<PageSize>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Size {
    pub fn run(self) -> Result<(), Failure> {
        let sizes = Sizes::of_system();
        let page = self.page_size.unwrap_or(sizes.base);
        let bytes = page.bytes() as u64;
        let lengths = match self.lengths.as_slice() {
            [] => vec![1, bytes, bytes + 1, 10 * bytes],
            named => named.to_vec(),
        };
        let rounded: Vec<Rounded> =
            lengths.iter().map(|length| Rounded::of(*length, page)).collect::<Result<_, _>>()?;
        if self.json {
            return Ok(writeln!(out(), "{}", json_line(&as_json(&sizes, page, &rounded)))?);
        }
        show(&sizes)?;
        writeln!(out())?;
        table(page, sizes.base, &rounded)?;
        Ok(out().flush()?)
    }
}

/// A length, in pages.
struct Rounded {
    length: u64,
    pages: u64,
    /// What a mapping of it takes.
    mapped: u64,
}

impl Rounded {
    fn of(length: u64, page: PageSize) -> Result<Rounded, Failure> {
        if length == 0 {
            return Ok(Rounded { length, pages: 0, mapped: 0 });
        }
        let pages = Pages::to_hold(length, page)?;
        Ok(Rounded { length, pages: pages.count() as u64, mapped: pages.bytes() as u64 })
    }

    fn left_over(&self) -> u64 {
        self.mapped - self.length
    }

    fn in_last_page(&self, page: PageSize) -> u64 {
        if self.pages == 0 { 0 } else { page.bytes() as u64 - self.left_over() }
    }

    fn remark(&self, page: PageSize) -> &'static str {
        match self.length {
            0 => "nothing to map: mmap(2) says EINVAL",
            length if length == page.bytes() as u64 + 1 => "the lecture's file: one too many",
            _ if self.left_over() == 0 => "whole pages",
            _ => "",
        }
    }
}

fn show(sizes: &Sizes) -> Result<(), Failure> {
    let mut out = out();
    let line = |name: &str, size: PageSize, rest: String| {
        let size = text::size(size.bytes() as u64);
        format!("{name:<14}{KERNEL}{size:>8}{KERNEL:#}   {rest}")
    };
    let base = format!("{} bytes {FAINT}sysconf(_SC_PAGESIZE){FAINT:#}", sizes.base.bytes());
    writeln!(out, "{}", line("page", sizes.base, base))?;
    for huge in &sizes.huge {
        let rest = format!(
            "{} set aside, {} free {FAINT}/sys/kernel/mm/hugepages{FAINT:#}",
            huge.set_aside, huge.free
        );
        writeln!(out, "{}", line("huge page", huge.size, rest))?;
    }
    if sizes.huge.is_empty() {
        writeln!(out, "{:<14}{:>8}   this kernel has none to be asked for", "huge page", "-")?;
    }
    match &sizes.transparent {
        Some(found) => {
            let rest = format!(
                "made by the kernel itself: {} {FAINT}/sys/kernel/mm/transparent_hugepage{FAINT:#}",
                found.mode
            );
            writeln!(out, "{}", line("transparent", found.size, rest))?;
        }
        None => writeln!(out, "{:<14}{:>8}   this kernel makes none", "transparent", "-")?,
    }
    Ok(())
}

fn table(page: PageSize, base: PageSize, rounded: &[Rounded]) -> Result<(), Failure> {
    let mut out = out();
    if page != base {
        writeln!(out, "As on a machine with pages of {STRONG}{page}{STRONG:#}:")?;
    }
    let head = ["length", "pages", "mapped", "in last page", "left over"].map(str::to_owned);
    let cells = |row: &Rounded| {
        [row.length, row.pages, row.mapped, row.in_last_page(page), row.left_over()]
            .map(|cell| cell.to_string())
    };
    let rows: Vec<[String; 5]> = std::iter::once(head).chain(rounded.iter().map(cells)).collect();
    let wide = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let aligned = |row: &[String; 5]| {
        let cell = |(column, cell)| format!("{cell:>wide$}", wide = wide(column));
        row.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ")
    };
    writeln!(out, "{STRONG}{}{STRONG:#}", aligned(&rows[0]))?;
    for (row, cells) in rounded.iter().zip(&rows[1..]) {
        match row.remark(page) {
            "" => writeln!(out, "{}", aligned(cells))?,
            remark => writeln!(out, "{}  {FAINT}{remark}{FAINT:#}", aligned(cells))?,
        }
    }
    Ok(())
}

fn as_json(sizes: &Sizes, page: PageSize, rounded: &[Rounded]) -> Value {
    let huge = |huge: &Huge| {
        let (bytes, set_aside, free) = (huge.size.bytes(), huge.set_aside, huge.free);
        json!({ "bytes": bytes, "set_aside": set_aside, "free": free })
    };
    let transparent = sizes
        .transparent
        .as_ref()
        .map(|found| json!({ "bytes": found.size.bytes(), "mode": found.mode }));
    let length = |row: &Rounded| {
        json!({
            "bytes": row.length,
            "pages": row.pages,
            "mapped": row.mapped,
            "in_last_page": row.in_last_page(page),
            "left_over": row.left_over(),
        })
    };
    json!({
        "page_size": sizes.base.bytes(),
        "huge": sizes.huge.iter().map(huge).collect::<Vec<_>>(),
        "transparent": transparent,
        "rounded_with_page_size": page.bytes(),
        "lengths": rounded.iter().map(length).collect::<Vec<_>>(),
    })
}

/// `4096`, `64K`, `64KiB`
fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "K" | "KIB" => 10,
        "M" | "MIB" => 20,
        "G" | "GIB" => 30,
        "T" | "TIB" => 40,
        other => return Err(format!("{other} is no unit; K, M, G and T are")),
    };
    let number: u64 = digits.parse().map_err(|_| "a length is a number of bytes".to_owned())?;
    number
        .checked_mul(1 << shift)
        .filter(|bytes| i64::try_from(*bytes).is_ok())
        .ok_or_else(|| "no file can be that long (2^63 - 1 bytes)".to_owned())
}

fn page_size(text: &str) -> Result<PageSize, String> {
    let bytes = usize::try_from(bytes(text)?).unwrap_or(0);
    PageSize::new(bytes).map_err(|error| error.remedy().to_owned())
}
