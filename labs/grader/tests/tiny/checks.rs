//! The tiny lab's checks.

use std::time::Duration;

use grader::check::{Check, Stop, Verdict, require};
use grader::driver::{hex, hex_path};
use grader::stage::Stage;

pub const PUTS: Check = Check { id: "puts", run: puts };
pub const KEEPS: Check = Check { id: "keeps", run: keeps };
pub const WAITS: Check = Check { id: "waits", run: waits };

fn puts(stage: &mut Stage) -> Verdict {
    let path = stage.fresh_path();
    let length = stage.random().between(10, 3000);
    let text = stage.random().bytes(length);
    let mut driver = stage.start()?;
    driver.ask(&["put", &hex_path(&path), &hex(&text)]).ok()?;
    let Some(file) = stage.open(&path)? else {
        return Err(Stop::failed("a file with the text", "there is no file").because("boasts"));
    };
    let found = file.read(0, text.len() + 1)?;
    require(found == text, "the text, and nothing else, in the file", || {
        format!("{} bytes, which differ", found.len())
    })?;
    // A grader that may not look would say so here.
    require(!driver.maps()?.is_empty(), "something in its memory", || "nothing".into())?;
    driver.finish_cleanly()
}

fn keeps(stage: &mut Stage) -> Verdict {
    let path = stage.fresh_path();
    let mut driver = stage.start()?;
    let long = stage.random().bytes(500);
    let short = stage.random().bytes(20);
    for text in [&long, &short] {
        driver.ask(&["put", &hex_path(&path), &hex(text)]).ok()?;
    }
    let found = stage.open(&path)?.ok_or_else(|| Stop::failed("a file", "none"))?;
    let found = found.read(0, 1000)?;
    require(found == short, "the second text alone", || format!("{} bytes", found.len()))
}

/// Has the program do its worst, and waits for its answer, however long that takes.
fn waits(stage: &mut Stage) -> Verdict {
    let path = stage.fresh_path();
    let mut driver = stage.start()?;
    let mut asked = driver.send(&["put", &hex_path(&path), "-"]);
    loop {
        match driver.wait_within(asked, Duration::from_millis(100)) {
            Ok(answer) => return answer.ok().map(drop),
            Err(again) => asked = again,
        }
    }
}
