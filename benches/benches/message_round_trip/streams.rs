//! Transports that the kernel copies through: in, and out again.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use benches::bench::stop;
use benches::files::Place;
use benches::peer;
use ipc_common::{Error, Result};
use nix::sys::stat::Mode;
use nix::unistd::{mkfifo, pipe};

use crate::trip::Transport;

/// The ends of two one-way streams, or the same end of a two-way one twice.
pub struct Stream {
    /// Of the process that asks: to write to, to read from.
    asks: Option<[File; 2]>,
    /// Of the one that answers.
    answers: Option<[File; 2]>,
}

impl Stream {
    /// Two pipes.
    pub fn pipe() -> Result<Stream> {
        let one = || pipe().map_err(|errno| Error::new("pipe", errno, ""));
        Ok(Stream::of_two(one()?, one()?))
    }

    /// Two FIFOs, whose names are gone as soon as both ends are open.
    pub fn fifo(place: &Place) -> Result<Stream> {
        Ok(Stream::of_two(fifo(place)?, fifo(place)?))
    }

    /// A pair of connected stream sockets.
    pub fn socket() -> Result<Stream> {
        let twice = |end: UnixStream| -> std::io::Result<[File; 2]> {
            Ok([end.try_clone()?, end].map(|end| File::from(OwnedFd::from(end))))
        };
        let ends = UnixStream::pair().and_then(|(a, b)| Ok((twice(a)?, twice(b)?)));
        let (asks, answers) = ends.map_err(|error| Error::from_io("socketpair", &error, ""))?;
        Ok(Stream { asks: Some(asks), answers: Some(answers) })
    }

    /// Of two one-way streams: reading end, writing end.
    fn of_two(there: (OwnedFd, OwnedFd), back: (OwnedFd, OwnedFd)) -> Stream {
        Stream {
            asks: Some([there.1.into(), back.0.into()]),
            answers: Some([back.1.into(), there.0.into()]),
        }
    }
}

fn fifo(place: &Place) -> Result<(OwnedFd, OwnedFd)> {
    let path = place.fresh_name("fifo");
    let about = || path.display().to_string();
    mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR)
        .map_err(|errno| Error::new("mkfifo", errno, about()))?;
    // For both first: on Linux that does not wait for another end, as the open of one end would.
    let open = |read, write| File::options().read(read).write(write).open(&path);
    let ends = open(true, true)
        .and_then(|_both| Ok((open(true, false)?.into(), open(false, true)?.into())));
    let _ = fs::remove_file(&path);
    ends.map_err(|error| Error::from_io("open", &error, about()))
}

impl Transport for Stream {
    // Each side closes the other's ends, so that it is told when the other has gone.
    fn ask_only(&mut self) {
        self.answers = None;
    }

    fn answer_only(&mut self) {
        self.asks = None;
    }

    fn ask(&mut self, note: &mut [u8]) {
        let [to, from] = self.asks.as_mut().expect("this is the asking process");
        let done = to.write_all(note).and_then(|()| from.read_exact(note));
        done.unwrap_or_else(|error| stop(&format!("the other process has gone: {error}")));
    }

    fn answer(&mut self, note: &mut [u8]) {
        let [to, from] = self.answers.as_mut().expect("this is the answering process");
        let done = from.read_exact(note).and_then(|()| to.write_all(note));
        if done.is_err() {
            // The bench has ended.
            peer::end();
        }
    }
}
