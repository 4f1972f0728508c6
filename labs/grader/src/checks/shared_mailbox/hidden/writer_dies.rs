//! A writer that is killed blocks nobody, and its half message is never read.

use crate::check::{Check, Stop, Verdict, require};
use crate::driver::{Driver, Reply, hex};
use crate::sandbox::Ended;
use crate::stage::Stage;

use super::super::super::hidden::moments::{self, Moments};
use super::super::mailbox::{self, Contents, Place};
use super::long::Pair;

pub(in super::super) const CHECK: Check = Check { id: "writer-dies", run };

/// How often a writer has to have been killed in the middle of a text.
const HALVES: u32 = 3;

fn run(stage: &mut Stage) -> Verdict {
    let pair = Pair::new(stage);
    let (mut next, mut reader) = (stage.start()?, stage.start()?);
    let mut moments = Moments::new(Pair::MOST);
    let mut halves = 0;
    while halves < HALVES {
        let (place, file) = pair.plant(stage)?;
        let mut writer = stage.start()?;
        place.open_writer(&mut writer).ok()?;
        // Opened before the other dies: they may keep something that is out of date then.
        place.open_writer(&mut next).ok()?;
        place.open_reader(&mut reader).ok()?;
        pair.begin(&place, &file)?;
        pair.prepare(&mut writer)?;
        let asked = moments.ask(stage, &mut writer, &["send-prepared", &moments.count()])?;
        let ended = writer.kill_9()?;
        if ended != Ended::Killed(libc::SIGKILL) {
            return Err(Stop::failed("a writer that sends", ended.to_string()));
        }
        moments::had_answered(&mut writer, asked)?;

        let left = place.contents(&file)?;
        if pair.is_half(&left, &mut moments) {
            halves += 1;
            require(left.sequence % 2 == 1, "the sequence of a half message is odd", || {
                format!("a writer was killed in the middle, and it is {}", left.sequence)
            })
            .map_err(|stop| stop.because("half-message"))?;
            // It may take a second to say so: once is enough.
            if halves == 1 {
                says_so(&mut reader, &left)?;
            }
        }
        goes_on(stage, &mut next, &mut reader, &place, &left)?;
        stage.remove_file(&place.path)?;
    }
    Ok(())
}

/// The reader does not wait for ever, and does not read what is not whole.
fn says_so(reader: &mut Driver, left: &Contents) -> Verdict {
    let expected = "a writer was killed in the middle: the reader says EAGAIN";
    let answer = reader.ask(&["read"]);
    match &answer.reply {
        Reply::Err(errno, _) if errno == "EAGAIN" => Ok(()),
        Reply::Silence | Reply::Ended(_) => {
            Err(Stop::failed(expected, answer.reply.to_string()).because("reader-waits"))
        }
        other => {
            let shown = format!("{} (the sequence is {})", short(other), left.sequence);
            Err(Stop::failed(expected, shown).because("half-message"))
        }
    }
}

/// The next one sends, and puts all right.
fn goes_on(
    stage: &mut Stage,
    next: &mut Driver,
    reader: &mut Driver,
    place: &Place,
    left: &Contents,
) -> Verdict {
    let text = stage.random().bytes(70);
    let answer = next.ask(&["send", &hex(&text)]);
    if !matches!(&answer.reply, Reply::Ok(_)) {
        let expected = "a writer was killed while it sent; the next one sends";
        return Err(Stop::failed(expected, answer.reply.to_string()).because("locked-for-ever"));
    }
    let sequence: u32 = answer.number()?;
    let found = place.contents(&place.found(stage)?)?;
    let put_right =
        sequence == found.sequence && sequence.is_multiple_of(2) && sequence > left.sequence;
    require(put_right, "the next message has the next even sequence", || {
        format!(
            "it was {} when the writer was killed; now it is {}, and {sequence} was returned",
            left.sequence, found.sequence
        )
    })
    .map_err(|stop| stop.because("stays-odd"))?;
    mailbox::reads(reader, sequence, &text).map_err(|stop| stop.because("stays-odd"))
}

/// What came, without the text: it is long.
fn short(reply: &Reply) -> String {
    match reply {
        Reply::Ok(words) if words.first().is_some_and(|word| word == "some") => {
            format!("it reports message {}", words.get(1).map_or("", String::as_str))
        }
        other => other.to_string(),
    }
}
