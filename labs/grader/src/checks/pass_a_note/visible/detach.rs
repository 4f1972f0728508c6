//! What is dropped is detached.

use crate::check::{Check, Stop, Verdict, require};
use crate::stage::Stage;

use super::super::board::{self, Place, Shape};

pub(in super::super) const CHECK: Check = Check { id: "detach", run };

fn run(stage: &mut Stage) -> Verdict {
    let shape = Shape::random(stage);
    let place = Place::new(stage, shape)?;
    let (mut one, mut other) = (stage.start()?, stage.start()?);
    place.open(&mut one).ok()?;
    let segment = place.found(stage)?;
    place.look(&mut other).ok()?;
    let count = segment.stat_now()?.attached;
    require(count >= 2, "nattch counts a poster and a reader", || format!("nattch is {count}"))?;

    for (driver, request) in [(&mut one, "close-poster"), (&mut other, "close-reader")] {
        driver.ask(&[request]).ok()?;
        let attached = board::attachment(driver, &segment)?;
        require(attached.is_none(), "the process has nothing attached after the drop", || {
            "/proc/PID/maps still shows the segment".into()
        })
        .map_err(|stop| stop.because("still-attached"))?;
    }
    let count = segment.stat_now()?.attached;
    require(count == 0, "nattch is 0 when both were dropped", || format!("it is {count}"))
        .map_err(|stop| stop.because("still-attached"))?;

    // A segment that looks right until it is attached: the magic is somebody else's.
    let strange = Place::new(stage, shape)?;
    let mut bytes = stage.random().bytes(shape.size());
    bytes[0] = b'X';
    let stranger = strange.plant_bytes(stage, &bytes, 0o600)?;
    let opened = strange.open(&mut one).ok().is_ok() || strange.look(&mut other).ok().is_ok();
    match stranger.stat()? {
        // That it was opened at all is another check's affair.
        _ if opened => Ok(()),
        Some(stat) if stat.attached == 0 => Ok(()),
        Some(stat) => Err(Stop::failed(
            "who failed to open a segment is not attached to it",
            format!("nattch is {}", stat.attached),
        )
        .because("failed-open")),
        None => Err(Stop::failed("a stranger's segment stays", "it was removed")),
    }
}
