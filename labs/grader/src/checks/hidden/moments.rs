//! Catching a student's program in the middle of its work, at moments that nobody knows before.
//!
//! The program is given long texts to store, one after another. It is left alone for a random share
//! of *its own* processor time, so that it is at work then however busy the machine is, and stopped
//! (SIGSTOP) or killed (SIGKILL) from outside. Whether that was in the middle, the memory or the file
//! tells, which the grader reads: some of a text is there, and some is not. If it was not, there is
//! another try. A program can neither see it coming nor say that it has come.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::check::Stop;
use crate::driver::{Answer, Asked, Driver, Reply};
use crate::evidence::process;
use crate::stage::Stage;

/// After so many moments of which none was in the middle something is wrong with the grader.
const TRIES: u32 = 200;
/// When a program that gets no processor is stopped nevertheless.
const LIMIT: Duration = Duration::from_secs(8);
/// Between two looks at a program.
const NAP: Duration = Duration::from_micros(50);

/// How much of a text is in some memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Filled {
    /// Not one piece of it.
    Nothing,
    /// Some pieces, and not others.
    Half,
    /// All.
    Whole,
}

/// How much of a text stands in these bytes. What was there before has to be something else.
pub(in super::super) fn filled(bytes: &[u8], text: &[u8]) -> Filled {
    // Large enough that none is the same by chance.
    const PIECE: usize = 256;
    let pairs = bytes.chunks(PIECE).zip(text.chunks(PIECE));
    let same = pairs.filter(|(found, piece)| found.starts_with(piece)).count();
    match same {
        0 => Filled::Nothing,
        _ if same == text.chunks(PIECE).len() => Filled::Whole,
        _ => Filled::Half,
    }
}

/// When a program is stopped, and how much it is given to do. Learns from moments that were badly
/// chosen: solutions differ a hundredfold in speed.
#[derive(Debug)]
pub(in super::super) struct Moments {
    span: Duration,
    count: usize,
    most: usize,
    tries: u32,
}

impl Moments {
    /// For requests that name a number of texts, up to `most`.
    pub(in super::super) fn new(most: usize) -> Moments {
        Moments { span: Duration::from_millis(2), count: 1, most, tries: 0 }
    }

    /// How many moments were chosen so far.
    pub(in super::super) fn tries(&self) -> u32 {
        self.tries
    }

    /// How many texts to ask for.
    pub(in super::super) fn count(&self) -> String {
        self.count.to_string()
    }

    /// Asks, and waits until the program has worked on it for a while; or has nothing more to do,
    /// which is too late.
    pub(in super::super) fn ask(
        &mut self,
        stage: &mut Stage,
        driver: &mut Driver,
        words: &[&str],
    ) -> Result<Asked, Stop> {
        self.tries += 1;
        if self.tries > TRIES {
            let what = format!("never caught in the middle of `{}`, in {TRIES} tries", words[0]);
            return Err(Stop::grader(what));
        }
        let share = stage.random().below(self.span.as_micros() as usize + 1);
        let enough = process::cpu_clock(driver.pid()) + Duration::from_micros(share as u64);
        let asked = driver.send(words);
        let until = Instant::now() + LIMIT;
        // Sending has woken it: it runs, or is about to.
        while process::cpu_clock(driver.pid()) < enough
            && matches!(process::state(driver.pid()), Some('R' | 'D'))
            && Instant::now() < until
        {
            sleep(NAP);
        }
        Ok(asked)
    }

    /// Nothing was stored yet.
    pub(in super::super) fn too_early(&mut self) {
        self.span = (self.span * 2).min(Duration::from_secs(1));
    }

    /// All was stored.
    pub(in super::super) fn too_late(&mut self) {
        match self.count < self.most {
            true => self.count = (self.count * 2).min(self.most),
            false => self.span /= 2,
        }
    }
}

/// What a program that was killed had answered: nothing, or that all is done.
///
/// # Errors
///
/// [`Stop::Failed`] if it had answered anything else.
pub(in super::super) fn had_answered(driver: &mut Driver, asked: Asked) -> Result<(), Stop> {
    match driver.wait(asked) {
        Answer { reply: Reply::Ended(_), .. } => Ok(()),
        answer => answer.ok().map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_there_or_not_or_partly() {
        let text: Vec<u8> = (0..1000_u32).map(|n| (n % 251) as u8 | 1).collect();
        let mut bytes = vec![0; 1010];
        assert_eq!(filled(&bytes, &text), Filled::Nothing);
        // One byte of it is no half, nor is the same byte by chance.
        bytes[999] = text[999];
        assert_eq!(filled(&bytes, &text), Filled::Nothing);
        bytes[..256].copy_from_slice(&text[..256]);
        assert_eq!(filled(&bytes, &text), Filled::Half);
        bytes[..1000].copy_from_slice(&text);
        assert_eq!(filled(&bytes, &text), Filled::Whole);
        bytes[300] = 0;
        assert_eq!(filled(&bytes, &text), Filled::Half);
    }

    #[test]
    fn moments_come_sooner_or_later() {
        let mut moments = Moments::new(3);
        moments.too_early();
        assert_eq!((moments.span, moments.count), (Duration::from_millis(4), 1));
        for count in [2, 3] {
            moments.too_late();
            assert_eq!((moments.span, moments.count), (Duration::from_millis(4), count));
        }
        moments.too_late();
        assert_eq!((moments.span, moments.count), (Duration::from_millis(2), 3));
    }
}
