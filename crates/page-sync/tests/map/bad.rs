//! Files that are small, strange, or somebody else's: a clear error, or "unknown, because".

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use nix::unistd::{ftruncate, geteuid, mkfifo};
use testkit::Program;

use crate::support::{mapped, page, refuse, sparse, store};
use crate::{drawn, json, letters, map, unwrapped};

fn refused(path: &Path, words: &[&str]) {
    let finished = Program::run(&mut map(path, [""; 0]));
    assert_eq!(finished.code(), Some(1), "{finished:?}");
    assert!(finished.stdout.is_empty() && finished.stderr.lines().count() == 1, "{finished:?}");
    for word in words {
        assert!(finished.stderr.contains(word), "{word:?} is not in {:?}", finished.stderr);
    }
}

pub fn what_is_no_regular_file_is_refused_at_once() {
    let folder = testkit::folder();
    let fifo = folder.file("fifo");
    mkfifo(&fifo, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
    let socket = folder.file("socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    refused(&fifo, &["ENODEV", "FIFO"]);
    refused(&socket, &["ENXIO"]);
    refused(folder.path(), &["EISDIR", "folder"]);
    refused(Path::new("/dev/null"), &["ENODEV", "device"]);
    refused(&folder.file("nothing"), &["ENOENT"]);
    let shown = drawn(Path::new("/proc/version"));
    assert!(shown.contains("no pages") && shown.contains("unknown, because"), "{shown}");
}

pub fn a_file_that_may_not_be_read_says_so() {
    let (folder, file) = sparse(1);
    file.set_permissions(fs::Permissions::from_mode(0o200)).unwrap();
    refused(&folder.file("pages"), &["EACCES"]);
}

/// Root makes the file and looks as somebody else; an ordinary user looks at one of the system's.
pub fn a_strangers_file_has_unknown_pages_and_says_why() {
    let (folder, file) = sparse(4);
    let mut command = if geteuid().is_root() {
        file.set_permissions(fs::Permissions::from_mode(0o644)).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        // Where it lies, the other user may not be able to go.
        let program = folder.file("page-sync");
        fs::copy(env!("CARGO_BIN_EXE_page-sync"), &program).unwrap();
        let mut command = Command::new(program);
        command.arg("map").arg(folder.file("pages")).uid(65534).gid(65534);
        command
    } else {
        map(Path::new("/etc/passwd"), [""; 0])
    };
    let shown = Program::run(&mut command).ok();
    let letters = letters(&shown);
    assert!(letters.chars().all(|letter| letter == '?'), "{shown}");
    assert!(!letters.is_empty());
    let said = unwrapped(&shown);
    assert!(said.contains("mincore(2): unknown, because"), "{shown}");
    assert!(said.contains("cachestat(2): unknown, because"), "{shown}");
}

pub fn a_file_of_a_few_bytes_and_an_empty_one() {
    let folder = testkit::folder();
    let path = folder.file("few");
    fs::write(&path, "x").unwrap();
    assert_eq!(json(&path)["pages"], 1);
    assert_eq!(letters(&drawn(&path)).len(), 1);
    fs::write(&path, vec![1; page() + 1]).unwrap();
    assert_eq!(letters(&drawn(&path)).len(), 2);
    fs::write(&path, "").unwrap();
    let shown = json(&path);
    assert_eq!((&shown["pages"], shown["runs"].as_array().unwrap().len()), (&0.into(), 0));
    assert!(drawn(&path).contains("no pages"));
    let svg = Program::run(&mut map(&path, ["--svg", "-"])).ok();
    roxmltree::Document::parse(&svg).unwrap();
}

pub fn tmpfs_is_drawn_without_dirt() {
    let shm = Path::new("/dev/shm").join(format!("ipc-course-test-{:016x}", testkit::random_u64()));
    let file = File::create_new(&shm).map(|_| File::options().read(true).write(true).open(&shm));
    // Where there is no /dev/shm, a memfd of this process's does as well.
    let (path, file) = match file {
        Ok(file) => (shm.clone(), file.unwrap()),
        Err(_) => {
            use nix::sys::memfd::{MFdFlags, memfd_create};
            use std::os::fd::AsRawFd;
            let file = File::from(memfd_create(c"pages", MFdFlags::empty()).unwrap());
            (format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()).into(), file)
        }
    };
    ftruncate(&file, 4 * page() as i64).unwrap();
    let mapping = mapped(&file);
    store(&mapping, &[1]);
    let shown = drawn(&path);
    let _ = fs::remove_file(&shm);
    assert_eq!(letters(&shown), ".R..");
    assert!(unwrapped(&shown).contains("dirty: unknown, because tmpfs"), "{shown}");
}

pub fn overlayfs_is_drawn_by_mincore() {
    let disk = testkit::small_tmpfs(1 << 20);
    let on = disk.path().join("on");
    let mut layers = String::from("userxattr");
    for (name, key) in [("lower", "lowerdir"), ("upper", "upperdir"), ("work", "workdir")] {
        let path = disk.path().join(name);
        fs::create_dir(&path).unwrap();
        layers += &format!(",{key}={}", path.display());
    }
    fs::create_dir(&on).unwrap();
    mount(Some("overlay"), &on, Some("overlay"), MsFlags::empty(), Some(layers.as_str())).unwrap();
    let path = on.join("pages");
    fs::write(&path, vec![1; 3 * page()]).unwrap();
    let shown = drawn(&path);
    umount2(&on, MntFlags::MNT_DETACH).unwrap();
    assert_eq!(letters(&shown), "rrr");
    assert!(shown.contains("on overlay"), "{shown}");
    assert!(unwrapped(&shown).contains("overlayfs, which keeps no pages"));
}

pub fn a_read_only_mount_is_no_hindrance() {
    let disk = testkit::small_tmpfs(1 << 20);
    let path = disk.path().join("pages");
    fs::write(&path, vec![1; 2 * page()]).unwrap();
    let again = MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    mount(None::<&str>, disk.path(), None::<&str>, again, None::<&str>).unwrap();
    assert_eq!(letters(&drawn(&path)), "rr");
    let into = disk.path().join("new.svg");
    let finished = Program::run(map(&path, ["--svg"]).arg(&into));
    assert_eq!(finished.code(), Some(1));
    assert!(finished.stderr.contains("EROFS"), "{finished:?}");
}

pub fn wrong_usage_is_exit_code_2() {
    let path = Path::new("/proc/self/exe");
    for wrong in [&["--svg", "x", "--json"][..], &["--force"], &["--pid", "x"], &["--pid", "-1"]] {
        assert_eq!(Program::run(&mut map(path, wrong)).code(), Some(2), "{wrong:?}");
    }
    assert_eq!(
        Program::run(Command::new(env!("CARGO_BIN_EXE_page-sync")).arg("map")).code(),
        Some(2)
    );
}

pub fn a_closed_pipe_is_no_error() {
    let (folder, _file) = sparse(100);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = map(&folder.file("pages"), ["--json"]);
    let output = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

/// A PiB that is looked at page by page, since cachestat is refused, takes hours.
pub fn ctrl_c_ends_a_long_look() {
    use std::os::unix::process::ExitStatusExt;
    let (folder, file) = sparse(1);
    let large = (0..50).rev().find(|power| ftruncate(&file, 1 << power).is_ok()).unwrap();
    assert!(large >= 40, "the file system has no large files: 2^{large} bytes");
    let mut command = map(&folder.file("pages"), ["--json"]);
    // SAFETY: between fork and exec only two system calls are made.
    unsafe {
        command.pre_exec(|| {
            refuse(451, libc::ENOSYS);
            Ok(())
        });
    }
    let mut program = Program::start(&mut command);
    // It has to have come to where it listens for signals: by then it has opened the file.
    let listening = || {
        let fds = fs::read_dir(format!("/proc/{}/fd", program.pid()));
        fds.is_ok_and(|fds| {
            fds.flatten()
                .any(|fd| fs::read_link(fd.path()).is_ok_and(|path| path == folder.file("pages")))
        })
    };
    while !listening() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    assert!(program.is_running());
    program.signal(Signal::SIGINT);
    let finished = program.finish();
    assert_eq!(finished.status.signal(), Some(libc::SIGINT), "{finished:?}");
    assert!(finished.stdout.is_empty(), "no half answer");
}
