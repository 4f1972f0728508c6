//! A segment that is somebody else's is refused and stays as it is.

use crate::check::{Check, Stop, Verdict};
use crate::driver::Driver;
use crate::evidence::segment::SegmentStat;
use crate::stage::Stage;

use super::super::asking;
use super::super::board::{self, Place, Shape};

pub(in super::super) const CHECK: Check = Check { id: "strangers", run };

/// A segment that has the key and is no board of ours.
struct Stranger {
    what: String,
    bytes: Vec<u8>,
    mode: u32,
    /// Whether it is a board at all: of another shape, it is one for readers, and to be taken down.
    board: bool,
    why: &'static str,
}

fn run(stage: &mut Stage) -> Verdict {
    let shape = Shape { slots: 4, room: 24 + 32 * stage.random().between(1, 6) };
    let mut driver = stage.start()?;
    // It can open a board at all.
    let place = Place::new(stage, shape)?;
    place.open(&mut driver).ok()?;
    let text = board::text(stage, 8);
    asking::post(&mut driver, &text)?;

    for stranger in strangers(stage, shape) {
        meet(stage, &mut driver, shape, &stranger).map_err(|stop| stop.because(stranger.why))?;
    }
    Ok(())
}

fn strangers(stage: &mut Stage, shape: Shape) -> Vec<Stranger> {
    let size = shape.size();
    let bigger = size + stage.random().between(1, 5000);
    let mut garbage = |len: usize| -> Vec<u8> {
        // Never zero, and never our magic.
        let mut bytes: Vec<u8> = stage.random().bytes(len).iter().map(|byte| byte | 1).collect();
        bytes[0] = b'!';
        bytes
    };
    let valid = |shape: Shape| -> Vec<u8> {
        let mut bytes = shape.header();
        bytes.resize(shape.size(), 0);
        bytes
    };
    let mut version = valid(shape);
    version[4] = 2;
    // Half the slots, each with twice the stride: the same size.
    let twin = Shape { slots: shape.slots / 2, room: 2 * shape.room + 16 };
    debug_assert_eq!(twin.size(), size);
    let stranger = |what: String, bytes: Vec<u8>, mode: u32, why| {
        let board = false;
        Stranger { what, bytes, mode, board, why }
    };
    let mut found = vec![
        stranger(format!("{bigger} bytes of somebody's"), garbage(bigger), 0o600, "adopted"),
        stranger("fewer bytes than the board".into(), garbage(size - 8), 0o600, "adopted"),
        stranger(
            "bytes of somebody's, as many as the board has".into(),
            garbage(size),
            0o600,
            "overwrote",
        ),
        stranger("version 2 of the board".into(), version, 0o600, "overwrote"),
    ];
    for mode in [0o640, 0o606, 0o666] {
        found.push(stranger(format!("a board with mode {mode:o}"), valid(shape), mode, "adopted"));
    }
    found.push(Stranger {
        board: true,
        ..stranger(
            "a board of another shape and the same size".into(),
            valid(twin),
            0o600,
            "overwrote",
        )
    });
    found
}

fn meet(stage: &mut Stage, driver: &mut Driver, shape: Shape, stranger: &Stranger) -> Verdict {
    let place = Place::new(stage, shape)?;
    let segment = place.plant_bytes(stage, &stranger.bytes, stranger.mode)?;
    let before = segment.stat_now()?;
    let same = |after: &SegmentStat| {
        (after.size, after.mode, after.marked) == (before.size, before.mode, before.marked)
    };
    let unharmed = |who: &str| -> Verdict {
        let harmed = |how: &str| Stop::failed(format!("{}: it stays as it is", stranger.what), how);
        match segment.stat()? {
            Some(after) if same(&after) => {}
            Some(after) if after.marked => {
                return Err(
                    harmed(&format!("{who} marked it for removal")).because("removed-a-strangers")
                );
            }
            Some(after) => {
                return Err(harmed(&format!("{who} left mode {:o}", after.mode)));
            }
            None => return Err(harmed(&format!("{who} removed it")).because("removed-a-strangers")),
        }
        match segment.copy()? == stranger.bytes {
            true => Ok(()),
            false => Err(harmed(&format!("{who} changed its bytes")).because("overwrote")),
        }
    };
    let refuse = |answer: crate::driver::Answer| {
        answer.refused(&["EEXIST"]).map_err(|stop| match stop {
            Stop::Failed(finding) => {
                Stop::failed(format!("{}: EEXIST", stranger.what), finding.shown)
            }
            grader @ Stop::Grader(_) => grader,
        })
    };
    let answer = place.open(driver);
    unharmed("Poster::open")?;
    refuse(answer)?;
    if !stranger.board {
        let answer = place.look(driver);
        unharmed("Reader::open")?;
        refuse(answer)?;
        let answer = place.take_down(driver);
        unharmed("take_down")?;
        refuse(answer).map_err(|stop| stop.because("removed-a-strangers"))?;
    }
    match stage.semaphores(place.key()?)? {
        Some(_) => {
            Err(Stop::failed("nothing is made beside a stranger's segment", "a semaphore set"))
        }
        None => Ok(()),
    }
}
