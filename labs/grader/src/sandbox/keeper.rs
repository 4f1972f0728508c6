//! The process between the checks and a student's program. It starts it, passes signals on, tells
//! how it ended, and ends what came of it: when the program has ended, and when the checks have
//! gone, however they went. It holds no descriptor of the program's.

use std::io::{IoSlice, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::CloneFlags;
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::socket::{ControlMessage, MsgFlags, UnixCredentials, recv, send, sendmsg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::{Ended, Launch, Mode, fence, namespace, program, sweep, sys};

/// Where the keeper has its socket, and the program until it is one.
const SOCKET: RawFd = 3;
/// Where both report what fails before the program runs.
const REPORT: RawFd = 4;
/// The checks' standard output, held for its own sake: whoever reads it learns by its end that no
/// keeper is left.
const LIFE: RawFd = 5;
/// A number above all of these.
const ABOVE: RawFd = 16;

/// What a keeper gets from the checks.
pub(super) struct Given {
    pub(super) stdin: OwnedFd,
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
    pub(super) socket: OwnedFd,
    pub(super) report: OwnedFd,
}

/// The keeper's life, in a child of the checks. Its exit code.
pub(super) fn run(launch: &Launch, given: &Given) -> i32 {
    if let Err(errno) = take(given) {
        // Nowhere to report to yet; that nobody says who he is tells enough.
        return errno as i32;
    }
    match start(launch) {
        Ok((kept, ends)) => {
            watch(&kept, &ends);
            0
        }
        Err((step, errno)) => {
            report(step, errno);
            1
        }
    }
}

/// Puts what was given where it belongs, and closes all else: the checks hold the ends of other
/// programs' pipes, and descriptors of the supervisor's.
fn take(given: &Given) -> Result<(), Errno> {
    let life = std::io::stdout();
    let from = [
        given.stdin.as_fd(),
        given.stdout.as_fd(),
        given.stderr.as_fd(),
        given.socket.as_fd(),
        given.report.as_fd(),
        life.as_fd(),
    ];
    let mut high = [0; 6];
    for (high, fd) in high.iter_mut().zip(from) {
        *high = fcntl(fd, FcntlArg::F_DUPFD_CLOEXEC(ABOVE))?;
    }
    for (fd, place) in high.into_iter().zip([0, 1, 2, SOCKET, REPORT, LIFE]) {
        // SAFETY: in this fresh child nobody uses what the parent had there; `given` is above.
        unsafe { sys::place_at(fd, place)? };
    }
    // SAFETY: likewise; `given` is not used again, and never dropped, since `fork` does not return.
    unsafe { sys::close_from(LIFE + 1) }
}

/// What is kept.
struct Kept {
    program: Pid,
    domain: Option<fence::Domain>,
}

/// Forks the program, and then lets go of everything but the socket.
fn start(launch: &Launch) -> Result<(Kept, SignalFd), program::Failed> {
    let at = |step: &'static str| move |errno: Errno| (step, errno);
    let ended = SigSet::from(Signal::SIGCHLD);
    ended.thread_block().map_err(at("sigprocmask"))?;
    prctl::set_child_subreaper(true).map_err(at("prctl"))?;
    let mut domain = None;
    match launch.mode {
        Mode::Full => {
            // PID 1 then ends the program.
            prctl::set_pdeathsig(Signal::SIGKILL).map_err(at("prctl"))?;
            namespace::for_one_program(launch.identity, launch.own_root)?;
        }
        Mode::Landlock => {
            domain = Some(fence::keep_signals_in().map_err(|_| ("landlock", Errno::ENOSYS))?);
        }
        Mode::RunUid | Mode::Tree => {}
    }
    // Again: a process that maps its user has to be dumpable for a moment.
    prctl::set_dumpable(false).map_err(at("prctl"))?;
    let program = sys::fork(CloneFlags::empty(), || {
        let (step, errno) = program::become_it(launch);
        report(step, errno);
        1
    })
    .map_err(at("fork"))?;
    // The program's ends are the program's alone, or nobody would see it close them.
    let null = std::fs::File::options().read(true).write(true).open("/dev/null");
    let null = null.map_err(|_| ("open", Errno::last()))?;
    for place in [0, 1, 2] {
        // SAFETY: nothing of ours owns them; what is put there is open.
        unsafe { sys::place_at(null.as_raw_fd(), place) }.map_err(at("dup2"))?;
    }
    let ends = SignalFd::with_flags(&ended, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK);
    let ends = ends.map_err(at("signalfd"))?;
    // SAFETY: REPORT is a number that `take` made, and that nothing owns.
    drop(unsafe { OwnedFd::from_raw_fd(REPORT) });
    Ok((Kept { program, domain }, ends))
}

fn socket() -> BorrowedFd<'static> {
    // SAFETY: `take` put the socket there, where it stays open until this process ends or execs.
    unsafe { BorrowedFd::borrow_raw(SOCKET) }
}

/// Until the program has ended or the checks have gone. Then nothing of it is left.
fn watch(kept: &Kept, ends: &SignalFd) {
    let mut how = None;
    while how.is_none() {
        let mut ready = [
            PollFd::new(socket(), PollFlags::POLLIN),
            PollFd::new(ends.as_fd(), PollFlags::POLLIN),
        ];
        let _ = poll(&mut ready, PollTimeout::NONE);
        // Read, so that the next one wakes us again.
        while let Ok(Some(_)) = ends.read_signal() {}
        how = reap(kept.program);
        if how.is_none() && !obey(kept.program) {
            let _ = kill(kept.program, Signal::SIGKILL);
            break;
        }
    }
    match &kept.domain {
        Some(domain) => sweep::everyone_in_my_domain(domain),
        None => sweep::descendants(),
    }
    if let Some(how) = how {
        let _ = send(SOCKET, &how.to_bytes(), MsgFlags::MSG_NOSIGNAL);
    }
}

/// Waits for whoever has ended; how the program did, if it is among them.
fn reap(program: Pid) -> Option<Ended> {
    let mut how = None;
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) if pid == program => how = Some(Ended::Exited(code)),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == program => {
                how = Some(Ended::Killed(signal as i32));
            }
            Ok(WaitStatus::StillAlive) | Err(_) => return how,
            Ok(_) => {}
        }
    }
}

/// Sends the program the signal that the checks ask for; false if they have gone.
fn obey(program: Pid) -> bool {
    let mut signal = [0];
    match recv(SOCKET, &mut signal, MsgFlags::MSG_DONTWAIT) {
        Ok(0) => false,
        Ok(_) => {
            // Not yet waited for, so the number is still the program's.
            let _ = Signal::try_from(i32::from(signal[0])).map(|signal| kill(program, signal));
            true
        }
        Err(Errno::EAGAIN | Errno::EINTR) => true,
        Err(_) => false,
    }
}

/// A message with the sender's process id, which the kernel translates for the receiver: the two
/// number processes differently.
pub(super) fn say_who_i_am() -> Result<(), Errno> {
    let me = UnixCredentials::new();
    let text = [IoSlice::new(b"me")];
    let who = [ControlMessage::ScmCredentials(&me)];
    sendmsg::<()>(SOCKET, &text, &who, MsgFlags::MSG_NOSIGNAL, None).map(drop)
}

/// Tells the checks what failed before the program ran.
fn report(step: &str, errno: Errno) {
    // SAFETY: `take` put it there; this process ends without using it otherwise.
    let report = unsafe { OwnedFd::from_raw_fd(REPORT) };
    let _ = std::fs::File::from(report).write_all(format!("{} {step}", errno as i32).as_bytes());
}
