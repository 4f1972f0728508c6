//! A student's program, as the checks have it in hand.

use std::io::{IoSliceMut, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::cmsg_space;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::CloneFlags;
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockType, UnixCredentials, recv,
    recvmsg, send, setsockopt, socketpair, sockopt,
};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, pipe2};

use ipc_common::{Error, Result};

use super::keeper::{self, Given};
use super::{Ended, Identity, Launch, sys};
use crate::driver::Ends;

/// How long a keeper may take for its clean-up before it is killed as well.
const CLEAN_UP: Duration = Duration::from_secs(5);

/// A program that was started. When this is dropped, it and all that came of it are gone.
#[derive(Debug)]
pub struct Process {
    identity: Identity,
    keeper: Pid,
    pid: i32,
    socket: Option<OwnedFd>,
    pipes: Option<Ends>,
    ended: Option<Ended>,
}

impl Process {
    /// Starts a program. It is certain to run when this returns.
    ///
    /// # Errors
    ///
    /// Those of every step up to execve(2), by the step's name.
    pub fn start(launch: &Launch) -> Result<Process> {
        let about = || launch.program.to_string_lossy().into_owned();
        let failed = |call: &'static str| move |errno: Errno| Error::new(call, errno, "");
        let pipe = || pipe2(OFlag::O_CLOEXEC).map_err(failed("pipe2"));
        let (stdin_theirs, stdin) = pipe()?;
        let (stdout, stdout_theirs) = pipe()?;
        let (stderr, stderr_theirs) = pipe()?;
        let (report, report_theirs) = pipe()?;
        let (socket, socket_theirs) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)
                .map_err(failed("socketpair"))?;
        setsockopt(&socket, sockopt::PassCred, &true).map_err(failed("setsockopt"))?;
        let given = Given {
            stdin: stdin_theirs,
            stdout: stdout_theirs,
            stderr: stderr_theirs,
            socket: socket_theirs,
            report: report_theirs,
        };
        let keeper = sys::fork(CloneFlags::empty(), || keeper::run(launch, &given))
            .map_err(failed("clone"))?;
        drop(given);
        // From here on, dropping it ends the keeper.
        let mut process = Process {
            identity: launch.identity,
            keeper,
            pid: 0,
            socket: Some(socket),
            pipes: Some(Ends { stdin, stdout, stderr }),
            ended: None,
        };
        // The end of the report is execve's doing, or that of whoever failed before it.
        let mut report_text = String::new();
        let read = std::fs::File::from(report).read_to_string(&mut report_text);
        read.map_err(|error| Error::from_io("read", &error, "the keeper's report"))?;
        if let Some((errno, step)) = report_text.split_once(' ') {
            let errno = Errno::from_raw(errno.parse().unwrap_or(0));
            return Err(Error::refused("start", errno, format!("{} ({step})", about())));
        }
        process.pid = process.who().map_err(|errno| Error::new("recvmsg", errno, about()))?;
        Ok(process)
    }

    /// The program's process id, translated by the kernel.
    fn who(&self) -> std::result::Result<i32, Errno> {
        let socket = self.socket.as_ref().ok_or(Errno::ESRCH)?;
        let mut text = [0; 2];
        let mut text = [IoSliceMut::new(&mut text)];
        let mut room = cmsg_space!(UnixCredentials);
        let dont_wait = MsgFlags::MSG_DONTWAIT;
        let message = recvmsg::<()>(socket.as_raw_fd(), &mut text, Some(&mut room), dont_wait)?;
        let who = message.cmsgs()?.find_map(|part| match part {
            ControlMessageOwned::ScmCredentials(who) => Some(who.pid()),
            _ => None,
        });
        who.ok_or(Errno::ESRCH)
    }

    pub(crate) fn take_pipes(&mut self) -> Option<Ends> {
        self.pipes.take()
    }

    /// Its process id, as this process sees it.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Whose it is.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// Sends it a signal; nothing happens if it has ended.
    pub fn signal(&mut self, signal: Signal) {
        if let Some(socket) = &self.socket {
            let number = [signal as u8];
            let _ = send(socket.as_raw_fd(), &number, MsgFlags::MSG_NOSIGNAL);
        }
    }

    /// How it ended, if it does until then; `meanwhile` is called now and then. The rest of what it
    /// started is gone by then, too.
    pub fn wait(&mut self, until: Instant, meanwhile: &mut dyn FnMut()) -> Option<Ended> {
        const NAP: Duration = Duration::from_millis(20);
        while self.ended.is_none() {
            let socket = self.socket.as_ref()?;
            let left = until.saturating_duration_since(Instant::now());
            let nap = PollTimeout::try_from(left.min(NAP)).unwrap_or(PollTimeout::ZERO);
            let mut ready = [PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
            let _ = poll(&mut ready, nap);
            meanwhile();
            let mut bytes = [0; Ended::BYTES];
            match recv(socket.as_raw_fd(), &mut bytes, MsgFlags::MSG_DONTWAIT) {
                Ok(Ended::BYTES) => self.ended = Some(Ended::from_bytes(bytes)),
                Err(Errno::EAGAIN | Errno::EINTR) => {}
                // The keeper has gone without a word: somebody killed it, and the program with it.
                _ => self.ended = Some(Ended::Lost),
            }
            if self.ended.is_none() && left.is_zero() {
                return None;
            }
        }
        self.ended
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The keeper takes it as the order to end everything.
        self.socket = None;
        let until = Instant::now() + CLEAN_UP;
        let mut nap = Duration::from_micros(50);
        loop {
            match waitpid(self.keeper, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => {}
                _ => return,
            }
            if Instant::now() > until {
                let _ = kill(self.keeper, Signal::SIGKILL);
            }
            std::thread::sleep(nap);
            nap = (nap * 2).min(Duration::from_millis(2));
        }
    }
}
