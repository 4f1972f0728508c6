//! Which sizes of pages this system has.

use std::fs;
use std::path::Path;

use ipc_common::PageSize;

/// The sizes of pages, as sysconf(3) and /sys/kernel/mm tell them.
///
/// ```
/// use page_sync::file::Sizes;
/// let sizes = Sizes::of_system();
/// assert!(sizes.huge.iter().all(|huge| huge.size.bytes() > sizes.base.bytes()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// The page: what mmap(2) and msync(2) count in.
    pub base: PageSize,
    /// Huge pages that are asked for by name (MAP_HUGETLB, hugetlbfs) and set aside beforehand;
    /// smallest first. None where the kernel was built without them.
    pub huge: Vec<Huge>,
    /// Huge pages that the kernel makes by itself, where it finds room. `None` where it cannot.
    pub transparent: Option<Transparent>,
}

/// One size of huge pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Huge {
    /// The size.
    pub size: PageSize,
    /// How many are set aside. 0: mmap(2) with MAP_HUGETLB will fail with `ENOMEM`.
    pub set_aside: u64,
    /// How many of them nobody uses.
    pub free: u64,
}

/// Transparent huge pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transparent {
    /// The size.
    pub size: PageSize,
    /// For whom: `always`, `madvise` (who asks by MADV_HUGEPAGE), `never`.
    pub mode: String,
}

impl Sizes {
    /// Those of this system. What /sys does not tell is left out.
    pub fn of_system() -> Sizes {
        let mm = Path::new("/sys/kernel/mm");
        let entries = fs::read_dir(mm.join("hugepages")).into_iter().flatten().flatten();
        let huge = entries.filter_map(|entry| {
            let number = |name| number(&entry.path().join(name));
            Some(Huge {
                size: size_in_name(entry.file_name().to_str()?)?,
                set_aside: number("nr_hugepages")?,
                free: number("free_hugepages")?,
            })
        });
        let mut huge: Vec<Huge> = huge.collect();
        huge.sort_by_key(|huge| huge.size.bytes());
        Sizes { base: PageSize::system(), huge, transparent: transparent(mm) }
    }
}

fn transparent(mm: &Path) -> Option<Transparent> {
    let folder = mm.join("transparent_hugepage");
    let size = usize::try_from(number(&folder.join("hpage_pmd_size"))?).ok()?;
    let mode = chosen(&fs::read_to_string(folder.join("enabled")).ok()?)?;
    Some(Transparent { size: PageSize::new(size).ok()?, mode })
}

fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// `hugepages-2048kB`
fn size_in_name(name: &str) -> Option<PageSize> {
    let kib: usize = name.strip_prefix("hugepages-")?.strip_suffix("kB")?.parse().ok()?;
    PageSize::new(kib.checked_mul(1024)?).ok()
}

/// `always [madvise] never`
fn chosen(line: &str) -> Option<String> {
    let (_, rest) = line.split_once('[')?;
    Some(rest.split_once(']')?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_modes_are_read_as_the_kernel_writes_them() {
        let size = size_in_name("hugepages-1048576kB").unwrap();
        assert_eq!(size.bytes(), 1 << 30);
        assert_eq!(size_in_name("hugepages-3kB"), None);
        assert_eq!(size_in_name("nr_hugepages"), None);
        assert_eq!(chosen("always [madvise] never\n").as_deref(), Some("madvise"));
        assert_eq!(chosen("always"), None);
    }
}
