//! The protocol by our views: payload, then sequence number. As in c/handover.c, step by step.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Release;

use ipc_common::Result;
use ipc_common::view::WriteView;

use super::wait;

const BYTES: usize = 64;
const SEQUENCE: usize = 0;
/// Right behind, and stored before it: most of it in the same line, the end in the next one.
const PAYLOAD: usize = 8;
/// Where the way back is: processors fetch cache lines in pairs.
const BACK: usize = 128;
/// How much memory the protocol takes.
const LEN: usize = 256;

type Message = [u8; BYTES];

/// One way.
struct Way<'a> {
    sequence: &'a AtomicU32,
    payload: WriteView<'a>,
}

impl<'a> Way<'a> {
    fn at(view: WriteView<'a>, offset: usize) -> Result<Way<'a>> {
        let sequence = view.atomic_u32(offset + SEQUENCE)?;
        Ok(Way { sequence, payload: view.part(offset + PAYLOAD, BYTES)? })
    }

    // In the loop, as C's compiler has them.
    #[inline(always)]
    fn put(&self, message: &Message, number: u32) -> Result<()> {
        self.payload.write(0, message)?;
        self.sequence.store(number, Release);
        Ok(())
    }

    #[inline(always)]
    fn take(&self, message: &mut Message, number: u32) -> Result<()> {
        wait(self.sequence, number);
        self.payload.read(0, message)
    }
}

/// Both sequences are 0 before the first round.
pub fn reset(view: WriteView<'_>) -> Result<()> {
    view.fill(0, LEN, 0)
}

/// So many rounds: there and back.
pub fn ask(view: WriteView<'_>, rounds: u32) -> Result<()> {
    let (there, back) = (Way::at(view, 0)?, Way::at(view, BACK)?);
    let mut message = [0; BYTES];
    for number in 1..=rounds {
        message[..4].copy_from_slice(&number.to_ne_bytes());
        there.put(&message, number)?;
        back.take(&mut message, number)?;
        assert_eq!(message[..4], number.to_ne_bytes(), "another message came back");
    }
    Ok(())
}

/// The other side of it.
pub fn answer(view: WriteView<'_>, rounds: u32) -> Result<()> {
    let (there, back) = (Way::at(view, 0)?, Way::at(view, BACK)?);
    let mut message = [0; BYTES];
    for number in 1..=rounds {
        there.take(&mut message, number)?;
        back.put(&message, number)?;
    }
    Ok(())
}
