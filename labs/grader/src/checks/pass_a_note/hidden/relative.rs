//! A relative path is refused.

use std::path::{Path, PathBuf};

use crate::check::{Check, Stop, Verdict};
use crate::stage::Stage;

use super::super::asking;
use super::super::board::{self, Place, Shape};

pub(in super::super) const CHECK: Check = Check { id: "relative", run };

fn run(stage: &mut Stage) -> Verdict {
    let shape = Shape::random(stage);
    let place = Place::new(stage, shape)?;
    let mut driver = stage.start()?;
    place.open(&mut driver).ok()?;
    let text = board::text(stage, 8);
    asking::post(&mut driver, &text)?;
    let made = place
        .segment(stage)?
        .ok_or_else(|| Stop::failed("a segment with the key of the file", "there is none"))?;

    let because = |stop: Stop| stop.because("relative-key");
    // From the folder that the driver runs in this names the very same file.
    let there = Place { file: name_of(&place.file), ..place.clone() };
    there.look(&mut driver).refused(&["EINVAL"]).map_err(because)?;
    there.take_down(&mut driver).refused(&["EINVAL"]).map_err(because)?;
    if place.segment(stage)? != Some(made) {
        let expected = "take_down with a relative path takes nothing down";
        return Err(because(Stop::failed(expected, "the board is gone")));
    }
    let other = Place::new(stage, shape)?;
    let there = Place { file: name_of(&other.file), ..other.clone() };
    let answer = there.open(&mut driver);
    if other.segment(stage)?.is_some() {
        let expected = "opening a relative path makes nothing";
        return Err(because(Stop::failed(expected, "a segment was made")));
    }
    answer.refused(&["EINVAL"]).map_err(because)
}

/// The file as it is called from the folder that drivers run in.
fn name_of(file: &Path) -> PathBuf {
    file.file_name().map(PathBuf::from).unwrap_or_default()
}
