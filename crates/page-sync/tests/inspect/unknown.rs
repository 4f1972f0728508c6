//! Where a source is silent, or would lie: "unknown, because …", and never a number.

use std::fs::{self, File};
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use mmap_file::{Access, MapOptions, Protection, open_file};
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::unistd::{Gid, Uid, geteuid, setgroups, setresgid, setresuid};
use page_sync::inspect::cache::PageState;
use page_sync::inspect::pagemap::Pagemap;
use page_sync::inspect::{Cache, FileSystem, FileSystemKind, Reason, faults, residency, totals};
use testkit::Folder;

use crate::support::{Still, apart, mapped, numbers, page, refuse, sparse, states, store};

const CACHESTAT: u32 = 451;

fn reason(file: &File) -> Reason {
    Cache::of(file).reason().expect("it cannot be known")
}

pub fn a_hidden_call_is_unknown_and_says_why() {
    let (_folder, file) = sparse(1);
    apart(|| {
        refuse(CACHESTAT, libc::ENOSYS);
        let reason = reason(&file);
        // By the kernel's version: one of the two is so.
        assert!(["hidden", "old-kernel"].contains(&reason.code()), "{reason}");
        assert!(reason.to_string().starts_with("unknown, because cachestat(2) "), "{reason}");
    });
}

pub fn a_filtered_call_is_unknown_and_says_why() {
    let (_folder, file) = sparse(1);
    apart(|| {
        refuse(CACHESTAT, libc::EPERM);
        let reason = reason(&file);
        assert!(["filtered", "old-kernel"].contains(&reason.code()), "{reason}");
        assert!(!reason.to_string().contains("own it"), "the file is ours: {reason}");
    });
}

pub fn mincore_answers_without_cachestat() {
    let (_folder, file) = sparse(8);
    let mapping = mapped(&file);
    store(&mapping, &[5]);
    apart(|| {
        refuse(CACHESTAT, libc::ENOSYS);
        let resident = residency::pages(&file, 0..8).known().unwrap();
        assert_eq!(numbers(resident.pages_that(|is| is)), [5]);
    });
}

/// A file that this process may read and neither owns nor may write: one that root made, looked at
/// by somebody else. As an ordinary user, one of the system's.
fn strangers() -> (Option<Folder>, PathBuf) {
    if !geteuid().is_root() {
        return (None, "/etc/passwd".into());
    }
    let (folder, file) = sparse(16);
    file.set_permissions(fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let path = folder.file("pages");
    (Some(folder), path)
}

fn become_nobody() {
    if geteuid().is_root() {
        let (user, group) = (Uid::from_raw(65534), Gid::from_raw(65534));
        setgroups(&[]).unwrap();
        setresgid(group, group, group).unwrap();
        setresuid(user, user, user).unwrap();
    }
}

pub fn a_strangers_file_is_unknown_though_mincore_calls_it_resident() {
    let (_folder, path) = strangers();
    apart(|| {
        become_nobody();
        let file = open_file(&path, Access::Read).unwrap();
        let told = residency::pages(&file, 0..1);
        assert_eq!(told.reason(), Some(Reason::NotYours { call: "mincore(2)" }));
        // Before 6.5 there is no such call, and on overlayfs the reason is that.
        let reason = reason(&file);
        assert!(
            ["not-yours", "old-kernel", "hidden", "overlayfs"].contains(&reason.code()),
            "{reason}"
        );
    });
}

/// What mincore says by itself about the same file: that every page is resident, the one far behind
/// its end included.
pub fn the_twin_without_the_probe_would_be_lied_to() {
    let (_folder, path) = strangers();
    apart(|| {
        become_nobody();
        let file = open_file(&path, Access::Read).unwrap();
        let options = MapOptions::new().protection(Protection::None).allow_past_end().unguarded();
        let mapping = options.offset(1 << 30).len(page()).map(&file).unwrap();
        let mut resident = [0_u8];
        let start = std::ptr::without_provenance_mut(mapping.address());
        // SAFETY: one page is asked about, and there is room for one byte.
        Errno::result(unsafe { libc::mincore(start, page(), resident.as_mut_ptr()) }).unwrap();
        assert_eq!(resident, [1], "the kernel tells the truth to strangers: no probe is needed");
    });
}

pub fn tmpfs_never_says_dirty() {
    let file = File::from(memfd_create(c"pages", MFdFlags::MFD_CLOEXEC).unwrap());
    nix::unistd::ftruncate(&file, 8 * page() as i64).unwrap();
    let mapping = mapped(&file);
    store(&mapping, &[1, 6]);
    let cache = Cache::of(&file).known().unwrap();
    assert_eq!(cache.file_system().kind(), FileSystemKind::Memory);
    assert_eq!(cache.shows_dirty().reason(), Some(Reason::NoDisk));
    let counts = cache.count(0..8).known().unwrap();
    assert_eq!((counts.cached, counts.dirty.reason()), (2, Some(Reason::NoDisk)));
    let states = cache.pages(0..8).known().unwrap();
    assert_eq!(states.get(1), Some(PageState::Cached));
    assert_eq!(states.get(1).unwrap().is_dirty(), None, "neither dirty nor clean");
    assert_eq!(states.get(2), Some(PageState::Absent));
}

/// An overlay of two folders on a tmpfs, which any file system below may be.
pub fn overlayfs_is_unknown_to_cachestat_and_known_to_mincore() {
    let disk = testkit::small_tmpfs(1 << 20);
    let below = |name: &str| {
        let path = disk.path().join(name);
        fs::create_dir(&path).unwrap();
        path
    };
    let (lower, upper, work, on) = (below("lower"), below("upper"), below("work"), below("on"));
    let layers = format!(
        "lowerdir={},upperdir={},workdir={},userxattr",
        lower.display(),
        upper.display(),
        work.display()
    );
    mount(Some("overlay"), &on, Some("overlay"), MsFlags::empty(), Some(layers.as_str())).unwrap();
    fs::write(on.join("file"), vec![1; 4 * page()]).unwrap();
    let file = open_file(on.join("file"), Access::ReadWrite).unwrap();
    assert_eq!(reason(&file), Reason::Overlay);
    let resident = residency::pages(&file, 0..4).known().unwrap();
    assert_eq!(resident.count_pages(|is| is), 4, "just written to a tmpfs below");
    drop(file);
    umount2(&on, MntFlags::MNT_DETACH).unwrap();
}

/// Mounting it needs root outside of a user namespace, and huge pages in the kernel.
pub fn hugetlbfs() -> Result<(), String> {
    testkit::need::root()?;
    testkit::need::namespaces()?;
    let known = fs::read_to_string("/proc/filesystems").map_err(|error| error.to_string())?;
    match known.contains("hugetlbfs") {
        true => Ok(()),
        false => Err("this kernel has no hugetlbfs".into()),
    }
}

pub fn huge_pages_are_not_in_the_page_cache() {
    testkit::enter_namespaces();
    let folder = testkit::folder();
    let none: Option<&str> = None;
    mount(none, folder.path(), Some("hugetlbfs"), MsFlags::empty(), none).unwrap();
    let file = File::create_new(folder.file("huge")).unwrap();
    assert_eq!(reason(&file), Reason::HugePages);
    assert_eq!(residency::pages(&file, 0..1).reason(), Some(Reason::HugePages));
    drop(file);
    umount2(folder.path(), MntFlags::MNT_DETACH).unwrap();
}

pub fn files_of_proc_and_sys_have_no_pages() {
    for path in ["/proc/version", "/proc/self/maps", "/sys/kernel/mm/transparent_hugepage/enabled"]
    {
        let Ok(file) = File::open(path) else { continue };
        assert_eq!(reason(&file), Reason::Pseudo, "{path}");
        assert_eq!(residency::pages(&file, 0..1).reason(), Some(Reason::Pseudo), "{path}");
        let found = FileSystem::of(&file).known().unwrap();
        assert_eq!(found.kind(), FileSystemKind::Pseudo, "{path}: {found}");
    }
}

pub fn what_is_no_regular_file_has_no_pages() {
    for path in ["/", "/dev/null"] {
        let file = File::open(path).unwrap();
        assert_eq!(reason(&file), Reason::NotRegular, "{path}");
        assert_eq!(residency::pages(&file, 0..1).reason(), Some(Reason::NotRegular), "{path}");
    }
}

pub fn a_process_that_has_gone_is_gone() {
    let child = Still::after(|| ());
    let pid = child.pid();
    let pagemap = Pagemap::of(pid).known().unwrap();
    drop(child);
    let gone = Some(Reason::Gone { pid });
    assert_eq!(pagemap.entries(0x1000..0x2000).reason(), gone);
    assert_eq!(Pagemap::of(pid).reason(), gone);
    assert_eq!(faults::of(pid).reason(), gone);
    assert_eq!(totals::of(pid, &[]).reason(), gone);
}

pub fn another_users_process_is_closed() {
    let closed = Some(Reason::Closed { pid: 1 });
    assert_eq!(Pagemap::of(1).reason(), closed);
    assert_eq!(totals::of(1, &[]).reason(), closed);
    assert!(faults::of(1).is_known(), "faults are everybody's to know");
}

pub fn a_file_that_shrinks_is_absent_behind_its_end() {
    let (_folder, file) = sparse(8);
    let mapping = mapped(&file);
    store(&mapping, &[1, 6]);
    nix::unistd::ftruncate(&file, 2 * page() as i64).unwrap();
    let states = states(&file, 8);
    assert!(states.get(1).unwrap().is_cached());
    assert_eq!(states.count_pages(PageState::is_cached), 1);
    let resident = residency::pages(&file, 0..8).known().unwrap();
    assert_eq!(numbers(resident.pages_that(|is| is)), [1]);
}

pub fn who_asks_may_stop() {
    let (_folder, file) = sparse(8);
    let mapping = mapped(&file);
    store(&mapping, &[1, 6]);
    let mut calls = 0;
    let mut twice = |_| {
        calls += 1;
        if calls == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let cache = Cache::of(&file).known().unwrap();
    assert_eq!(cache.pages_while(0..8, &mut twice).reason(), Some(Reason::Stopped));
    let stopped = residency::pages_while(&file, 0..8, |_| ControlFlow::Break(()));
    assert_eq!(stopped.reason(), Some(Reason::Stopped));
}
