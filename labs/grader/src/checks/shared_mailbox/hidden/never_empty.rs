//! The file has its name only when it is complete.

use ipc_common::Error;
use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use crate::check::{Check, Stop, Verdict, require};
use crate::driver::{Driver, Reply};
use crate::stage::Stage;

use super::super::super::hidden::holding;
use super::super::super::hidden::moments::Moments;
use super::super::mailbox::{self, Place};

pub(in super::super) const CHECK: Check = Check { id: "never-empty", run };

/// How often one has to have been stopped while it made the file.
const HALVES: u32 = 4;
/// After how many moments that is given up.
const TRIES: u32 = 60;

fn run(stage: &mut Stage) -> Verdict {
    for writer in [true, false] {
        complete(stage, writer)?;
    }
    at_once(stage)?;
    while_another_makes_it(stage)
}

/// The kernel tells of everything that happens in the folder (inotify(7)). After the file has its
/// name it must not be written or cut any more: stores into a mapping do not show, and there are
/// none before the first message.
fn complete(stage: &mut Stage, writer: bool) -> Verdict {
    let place = Place::new(stage);
    let failed = |errno| Error::new("inotify_add_watch", errno, "the check's folder");
    let watch = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC).map_err(failed)?;
    let events = AddWatchFlags::IN_CREATE
        | AddWatchFlags::IN_MOVED_TO
        | AddWatchFlags::IN_MODIFY
        | AddWatchFlags::IN_DELETE
        | AddWatchFlags::IN_ONLYDIR;
    watch.add_watch(stage.folder(), events).map_err(failed)?;
    let mut driver = stage.start()?;
    match writer {
        true => place.open_writer(&mut driver).ok()?,
        false => place.open_reader(&mut driver).ok()?,
    };
    let mut seen = Vec::new();
    loop {
        match watch.read_events() {
            Ok(events) => seen.extend(events),
            Err(Errno::EAGAIN) => break,
            Err(errno) => return Err(failed(errno).into()),
        }
    }
    let mine: Vec<AddWatchFlags> = seen
        .iter()
        .filter(|event| event.name.as_deref() == place.path.file_name())
        .map(|event| event.mask)
        .collect();
    let named = AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO;
    let who = if writer { "writer" } else { "reader" };
    let Some(first) = mine.iter().position(|mask| mask.intersects(named)) else {
        return Err(Stop::failed(format!("the {who} makes the file"), "no file got that name"));
    };
    let changes = mine[first + 1..].len();
    let length = place.found(stage)?.len()?;
    if length == 0 {
        let shown = format!("the {who} left it at length 0");
        return Err(Stop::failed("a complete file", shown).because("left-empty"));
    }
    require(
        changes == 0,
        &format!("the file that a {who} makes is complete when it gets its name"),
        || format!("after that it was written, cut or replaced {changes} more times"),
    )
    .map_err(|stop| stop.because("half-made"))?;
    let bytes = place.found(stage)?.read(0, place.len() + 1)?;
    require(bytes == place.bytes(0, b""), "an empty mailbox as drawn", || {
        format!("{} bytes that are not", bytes.len())
    })
}

/// Several make it at once: one file, which all of them use.
fn at_once(stage: &mut Stage) -> Verdict {
    let mut drivers: Vec<Driver> = Vec::new();
    for _ in 0..4 {
        drivers.push(stage.start()?);
        // Wakes it up.
        drivers.last_mut().map(|driver| driver.ask(&["close-writer"]).ok()).transpose()?;
    }
    let because = |stop: Stop| stop.because("not-one");
    for _ in 0..4 {
        // It takes a while to make, so that they meet.
        let capacity = stage.random().between(1 << 20, 2 << 20);
        let place = Place::of(stage, capacity);
        let words =
            ["open-writer".into(), crate::driver::hex_path(&place.path), capacity.to_string()];
        let words = words.each_ref().map(String::as_str);
        let asked: Vec<_> = drivers.iter_mut().map(|driver| driver.send(&words)).collect();
        for (driver, asked) in drivers.iter_mut().zip(asked) {
            mailbox::named("Writer::open", driver.wait(asked)).ok().map_err(because)?;
        }
        let inode = place.found(stage)?.inode()?;
        for driver in &drivers {
            // A file that was replaced shows as "… (deleted)", so by its number.
            let maps = driver.maps()?;
            let one = maps.iter().any(|map| map.shared && map.inode == inode);
            require(one, "all of four that open it at once have the same file mapped", || {
                "one has another file, which has lost its name".into()
            })
            .map_err(because)?;
        }
        let text = stage.random().bytes(33);
        mailbox::send(&mut drivers[0], &text)?;
        place.open_reader(&mut drivers[1]).ok()?;
        mailbox::reads(&mut drivers[1], 2, &text).map_err(because)?;
    }
    Ok(())
}

/// One is stopped while it makes the file: it has a file open, and none has the name. Meanwhile
/// another makes it: then the first has to take what it finds.
fn while_another_makes_it(stage: &mut Stage) -> Verdict {
    let because = |stop: Stop| stop.because("not-one");
    let mut moments = Moments::new(1);
    let mut halves = 0;
    // Who makes it in a few microseconds is hardly ever caught, and need not be.
    while halves < HALVES && moments.tries() < TRIES {
        // New ones each time: what they do not close would add up.
        let (mut one, mut other) = (stage.start()?, stage.start()?);
        one.ask(&["close-writer"]).ok()?;
        // It takes a while to make.
        let capacity = stage.random().between(1 << 20, 2 << 20);
        let place = Place::of(stage, capacity);
        let before = one.open_files()?.len();
        let words =
            ["open-writer".into(), crate::driver::hex_path(&place.path), capacity.to_string()];
        let words = words.each_ref().map(String::as_str);
        let asked = moments.ask(stage, &mut one, &words)?;
        one.pause()?;
        let found = stage.file_stat(&place.path)?;
        let is_half = found.is_none() && one.open_files()?.len() > before;
        let mut also = None;
        if is_half {
            let asked = other.send(&words);
            also = Some(holding::answered_or_waiting(&mut other, asked)?);
        } else if found.is_some() {
            moments.too_late();
        } else {
            moments.too_early();
        }
        one.resume()?;
        let answer = mailbox::named("Writer::open", one.wait(asked));
        if let Some(also) = also {
            let answer = also.unwrap_or_else(|asked| other.wait(asked));
            mailbox::named("Writer::open", answer).ok().map_err(because)?;
        }
        // Some calls end early when the caller is stopped (fallocate(2) does), and nobody is told
        // what to do then: that was no moment for a verdict.
        let is_early = matches!(&answer.reply, Reply::Err(errno, _) if errno == "EINTR");
        if is_half && !is_early {
            halves += 1;
            answer.ok().map_err(because)?;
            let inode = place.found(stage)?.inode()?;
            for driver in [&one, &other] {
                let is_mapped = driver.maps()?.iter().any(|map| map.shared && map.inode == inode);
                require(is_mapped, "both have the file mapped that has the name", || {
                    "one made it while the other was about to, and they have two".into()
                })
                .map_err(because)?;
            }
        } else if !is_early {
            answer.ok()?;
        }
        stage.remove_file(&place.path)?;
    }
    Ok(())
}
