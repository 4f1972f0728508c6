//! Whatever ends it, nothing is left: no mount, no loop device, no process, no file.

use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::thread;
use std::time::Duration;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use testkit::{Random, soak};

use crate::support::{
    assert_no_traces, assert_traces_vanish, page_sync, running, traces_of, wait_for,
};

/// Some moment of a trial, which takes about 70 ms.
fn a_moment(random: &mut Random) {
    thread::sleep(Duration::from_micros(random.below(150_000) as u64));
}

pub fn a_signal_ends_it_and_leaves_nothing() {
    let mut random = Random::new();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        for _ in 0..soak(3, 30) {
            let program = running();
            let pid = program.pid();
            a_moment(&mut random);
            program.signal(signal);
            let finished = program.finish();
            assert_eq!(finished.status.signal(), Some(signal as i32), "{finished:?}");
            assert_eq!(finished.stderr, "", "somebody asked for it: that is no error");
            // At once: it has cleaned up before it ended.
            assert_no_traces(pid);
        }
    }
}

/// What a Ctrl-C between the start of the disk and its first answer makes of it.
pub fn a_disk_that_is_unmounted_before_it_serves_ends_in_silence() {
    testkit::enter_namespaces();
    let folder = testkit::folder();
    let image = folder.file("image");
    let platter = File::create_new(&image).unwrap();
    platter.set_len(16 << 20).unwrap();
    let device = File::options().read(true).write(true).open("/dev/fuse").unwrap();
    let options = format!("fd={},rootmode=40000,user_id=0,group_id=0", device.as_raw_fd());
    let on = folder.file("disk");
    fs::create_dir(&on).unwrap();
    mount(Some("disk"), &on, Some("fuse"), MsFlags::empty(), Some(options.as_str())).unwrap();
    umount2(&on, MntFlags::MNT_DETACH).unwrap();
    let mut helper = page_sync(&["power-cut-helper", "disk", "honest", "name"]);
    let ended = helper.stdin(File::open(&image).unwrap()).stdout(device).output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), &b""[..]), "{ended:?}");
}

pub fn kill_9_at_any_moment_leaves_nothing() {
    let mut random = Random::new();
    for _ in 0..soak(15, 200) {
        let program = running();
        let pid = program.pid();
        a_moment(&mut random);
        program.kill_9();
        assert_traces_vanish(pid);
    }
}

/// A helper of an experiment that is running: `disk` or `machine`.
fn helper_of(pid: u32, role: &str) -> Option<Pid> {
    let words = format!(" power-cut-helper {role} ");
    let trace = traces_of(pid).into_iter().find(|trace| trace.contains(&words))?;
    trace.split_whitespace().nth(1)?.parse().ok().map(Pid::from_raw)
}

/// Sends a helper a signal as soon as there is one: between two trials there is none.
fn send(pid: u32, role: &str, signal: Signal) {
    wait_for(|| helper_of(pid, role).is_some_and(|helper| kill(helper, signal).is_ok()), role);
}

pub fn a_helper_that_is_killed_is_an_error_and_leaves_nothing() {
    let mut random = Random::new();
    for round in 0..soak(14, 200) {
        let role = ["disk", "machine"][round % 2];
        let program = running();
        let pid = program.pid();
        a_moment(&mut random);
        send(pid, role, Signal::SIGKILL);
        thread::sleep(Duration::from_millis(300));
        program.signal(Signal::SIGINT);
        let finished = program.finish();
        assert_no_traces(pid);
        match finished.code() {
            Some(1) => assert!(
                finished.stderr.contains(&format!("the {role}, process "))
                    && finished.stderr.contains("SIGKILL"),
                "{finished:?}"
            ),
            // One that was just ending anyway is not missed.
            _ => assert_eq!(finished.status.signal(), Some(libc::SIGINT), "{finished:?}"),
        }
    }
}

pub fn a_helper_that_hangs_can_be_interrupted() {
    for role in ["disk", "machine"] {
        let program = running();
        let pid = program.pid();
        send(pid, role, Signal::SIGSTOP);
        // Now the kernel waits for it, and so does the trial.
        thread::sleep(Duration::from_millis(300));
        program.signal(Signal::SIGINT);
        let finished = program.finish();
        assert_eq!(finished.status.signal(), Some(libc::SIGINT), "{finished:?}");
        assert_no_traces(pid);
    }
}

pub fn a_helper_that_hangs_does_not_keep_what_was_killed() {
    let mut random = Random::new();
    for round in 0..soak(10, 200) {
        let program = running();
        let pid = program.pid();
        a_moment(&mut random);
        send(pid, ["disk", "machine"][round % 2], Signal::SIGSTOP);
        a_moment(&mut random);
        program.kill_9();
        assert_traces_vanish(pid);
    }
}
