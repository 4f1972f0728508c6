//! What a student's program is asked, and what it claims.

use crate::check::Stop;
use crate::driver::{Answer, Driver, hex, unhex};

/// The answer to a request, which is called as the student's function is: people do not read
/// hexadecimal.
pub(super) fn named(function: &str, answer: Answer) -> Answer {
    Answer { request: function.into(), ..answer }
}

/// Posts, and returns the slot that the poster claims to have used.
pub(super) fn post(driver: &mut Driver, text: &[u8]) -> Result<usize, Stop> {
    named("Poster::post", driver.ask(&["post", &hex(text)])).number()
}

/// The slots that an answer to several posts tells.
#[cfg(feature = "hidden")]
pub(super) fn slots(answer: Answer) -> Result<Vec<usize>, Stop> {
    let unexpected = answer.instead_of("the numbers of the slots");
    answer.ok()?.iter().map(|word| word.parse().ok()).collect::<Option<_>>().ok_or(unexpected)
}

/// Reads a slot, and returns what the reader claims to have found.
pub(super) fn read(driver: &mut Driver, slot: usize) -> Result<Option<Vec<u8>>, Stop> {
    told(named("Reader::read", driver.ask(&["read", &slot.to_string()])))
}

/// What an answer to `read` tells.
pub(super) fn told(answer: Answer) -> Result<Option<Vec<u8>>, Stop> {
    let unexpected = answer.instead_of("it tells the note, or that there is none");
    match answer.ok()?.as_slice() {
        [none] if none == "none" => Ok(None),
        [some, text] if some == "some" => unhex(text).map(Some).ok_or(unexpected),
        _ => Err(unexpected),
    }
}

/// Lists, and returns what the reader claims to have found.
pub(super) fn list(driver: &mut Driver) -> Result<Vec<(usize, Vec<u8>)>, Stop> {
    let answer = named("Reader::list", driver.ask(&["list"]));
    let unexpected = answer.instead_of("it lists slots and texts");
    let pair = |word: &String| {
        let (slot, text) = word.split_once(':')?;
        Some((slot.parse().ok()?, unhex(text)?))
    };
    answer.ok()?.iter().map(pair).collect::<Option<_>>().ok_or(unexpected)
}
