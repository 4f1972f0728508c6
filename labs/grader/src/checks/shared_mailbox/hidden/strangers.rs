//! What is no such mailbox is refused and stays as it is.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};

use ipc_common::Error;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::check::{Check, Stop, Verdict, require};
use crate::driver::{Answer, Driver};
use crate::stage::Stage;

use super::super::mailbox::{self, Place};

pub(in super::super) const CHECK: Check = Check { id: "strangers", run };

fn run(stage: &mut Stage) -> Verdict {
    let mut driver = stage.start()?;
    // It can open a mailbox at all.
    let place = Place::new(stage);
    let file = place.plant(stage, 0, b"")?;
    place.open_writer(&mut driver).ok()?;
    mailbox::send(&mut driver, b"here")?;
    require(place.contents(&file)?.text() == Some(b"here"), "the message in the file", || {
        "it is not there".into()
    })?;
    drop(file);
    let mut driver = stage.start()?;
    files(stage, &mut driver)?;
    link(stage, &mut driver)?;
    fifo(stage, &mut driver)
}

/// Both kinds of opening, each of which has to be refused.
fn refused(
    place: &Place,
    driver: &mut Driver,
    what: &str,
    errnos: &[&str],
    unharmed: impl Fn(&str) -> Verdict,
) -> Verdict {
    let refuse = |answer: Answer| {
        answer.refused(errnos).map_err(|stop| match stop {
            Stop::Failed(finding) => {
                Stop::failed(format!("{what}: {}", errnos.join(" or ")), finding.shown)
            }
            grader @ Stop::Grader(_) => grader,
        })
    };
    let answer = place.open_writer(driver);
    unharmed("Writer::open")?;
    refuse(answer)?;
    let answer = place.open_reader(driver);
    unharmed("Reader::open")?;
    refuse(answer)
}

/// Regular files that are something else.
fn files(stage: &mut Stage, driver: &mut Driver) -> Verdict {
    let place = Place::new(stage);
    let mut other = place.bytes(6, b"a message");
    let longer = [&other[..], &stage.random().bytes(50)].concat();
    let shorter = other[..other.len() - 7].to_vec();
    let text = stage.random().bytes(place.len());
    other[8..12].copy_from_slice(&(place.capacity as u32 - 1).to_ne_bytes());
    for (what, bytes, why) in [
        ("an empty file", Vec::new(), "stretched"),
        ("a mailbox with bytes behind it", longer, "stretched"),
        ("a mailbox that was cut short", shorter, "stretched"),
        ("somebody's file of the same length", text, "overwrote"),
        ("a mailbox that says another capacity", other, "overwrote"),
    ] {
        let place = Place { path: stage.fresh_path(), ..place.clone() };
        stage.make_file(&place.path, &bytes, 0o600)?;
        let before = stage.file_stat(&place.path)?;
        let unharmed = |who: &str| {
            let after = stage.file_stat(&place.path)?;
            let harmed = |shown: String| {
                Stop::failed(format!("{what} stays as it is"), format!("{who} {shown}"))
            };
            if after.map(|it| it.len) != before.map(|it| it.len) {
                let shown =
                    after.map_or("removed it".into(), |it| format!("left {} bytes", it.len));
                return Err(harmed(shown).because("stretched"));
            }
            if after != before || place.found(stage)?.read(0, bytes.len() + 1)? != bytes {
                return Err(harmed("changed it".into()).because("overwrote"));
            }
            Ok(())
        };
        refused(&place, driver, what, &["EEXIST"], unharmed).map_err(|stop| stop.because(why))?;
    }
    Ok(())
}

/// A symbolic link to a mailbox that is in order.
fn link(stage: &mut Stage, driver: &mut Driver) -> Verdict {
    let target = Place::new(stage);
    let file = target.plant(stage, 2, b"somebody's")?;
    let place = Place { path: stage.fresh_path(), ..target.clone() };
    let failed = |error| Error::from_io("symlink", &error, place.path.display().to_string());
    stage.identity().does(|| symlink(&target.path, &place.path).map_err(failed))?;
    let bytes = target.bytes(2, b"somebody's");
    let unharmed = |who: &str| {
        let same = file.read(0, bytes.len() + 1)? == bytes;
        require(same, "what a link leads to stays as it is", || format!("{who} changed it"))
    };
    refused(&place, driver, "a symbolic link", &["ELOOP"], unharmed)
        .map_err(|stop| stop.because("followed"))
}

/// A FIFO, which has nobody at its other end.
fn fifo(stage: &mut Stage, driver: &mut Driver) -> Verdict {
    let place = Place::new(stage);
    let make = || {
        mkfifo(&place.path, Mode::from_bits_truncate(0o600))
            .map_err(|errno| Error::new("mkfifo", errno, place.path.display().to_string()))
    };
    stage.identity().does(make)?;
    let made = fs::symlink_metadata(&place.path).map_err(|it| Stop::grader(it.to_string()))?;
    let unharmed = |who: &str| {
        let now = fs::symlink_metadata(&place.path).ok();
        let same = now.is_some_and(|it| it.file_type().is_fifo() && it.ino() == made.ino());
        require(same, "a FIFO stays what it is", || format!("{who} replaced or removed it"))
    };
    refused(&place, driver, "a FIFO", &["EEXIST"], unharmed).map_err(|stop| stop.because("hung"))
}
