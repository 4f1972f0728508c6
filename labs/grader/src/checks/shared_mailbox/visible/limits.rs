//! No message, the longest message, one byte more; and the last sequence.

use ipc_common::PageSize;

use crate::check::{Check, Stop, Verdict, require};
use crate::driver::Reply;
use crate::stage::Stage;

use super::super::super::payload;
use super::super::mailbox::{self, AT_SEQUENCE, Place};

pub(in super::super) const CHECK: Check = Check { id: "limits", run };

fn run(stage: &mut Stage) -> Verdict {
    let page = PageSize::system().bytes();
    // More than a page, and no number of pages.
    let capacity = page + stage.random().between(100, page / 2);
    let place = Place::of(stage, capacity);
    let file = place.plant(stage, 0, b"")?;
    let mut driver = stage.start()?;
    place.open_writer(&mut driver).ok()?;

    for len in [0, capacity, 1] {
        let seed = stage.random().u64();
        let text = payload::made(len, seed);
        let answer = driver.ask(&["send-made", &len.to_string(), &seed.to_string()]);
        let answer = mailbox::named("Writer::send", answer);
        answer.number::<u32>().map_err(|stop| stop.because("one-page"))?;
        let found = place.contents(&file)?;
        require(
            found.text() == Some(&text),
            &format!("a message of {len} bytes in the file"),
            || format!("length {}, and {}", found.length, mailbox::quoted(&found.room)),
        )
        .map_err(|stop| stop.because("one-page"))?;
    }
    let before = place.contents(&file)?;
    for len in [capacity + 1, capacity + stage.random().between(2, page)] {
        let seed = stage.random().u64().to_string();
        let answer = driver.ask(&["send-made", &len.to_string(), &seed]);
        if !matches!(&answer.reply, Reply::Err(errno, _) if errno == "EMSGSIZE") {
            let expected = format!("{len} bytes, where there is room for {capacity}: EMSGSIZE");
            return Err(Stop::failed(expected, answer.reply.to_string()).because("cut"));
        }
        let after = place.contents(&file)?;
        require(before == after, "the old message stays", || {
            format!("sequence {}, length {}", after.sequence, after.length)
        })
        .map_err(|stop| stop.because("cut"))?;
    }
    let length = file.len()?;
    require(length == place.len() as u64, "the file keeps its length", || {
        format!("{length} bytes")
    })?;

    // As if there had been two thousand million messages.
    file.write(AT_SEQUENCE, &(u32::MAX - 1).to_ne_bytes())?;
    let claimed = mailbox::send(&mut driver, b"and on").map_err(|stop| stop.because("wrap"))?;
    let found = place.contents(&file)?.sequence;
    require(claimed == 2 && found == 2, "after 4294967294 comes 2", || {
        format!("{found} in the file, and {claimed} returned")
    })
    .map_err(|stop| stop.because("wrap"))?;

    for capacity in [0, (64 << 20) + 1] {
        let nowhere = Place::of(stage, capacity);
        nowhere.open_writer(&mut driver).refused(&["EINVAL"])?;
        if stage.file_stat(&nowhere.path)?.is_some() {
            let expected = format!("a mailbox for {capacity} bytes is refused");
            return Err(Stop::failed(expected, "a file was made for it"));
        }
    }
    Ok(())
}
