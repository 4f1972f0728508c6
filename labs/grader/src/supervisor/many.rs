//! Many submissions, several at once.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Does something with each, `jobs` at once; the results are in order.
///
/// ```
/// use grader::supervisor::at_once;
/// assert_eq!(at_once(&[1, 2, 3], 2, &|n| n * 10), [10, 20, 30]);
/// ```
///
/// # Panics
///
/// If the work does.
pub fn at_once<T: Sync, R: Send>(
    things: &[T],
    jobs: usize,
    work: &(dyn Fn(&T) -> R + Sync),
) -> Vec<R> {
    let waiting: Mutex<VecDeque<(usize, &T)>> = Mutex::new(things.iter().enumerate().collect());
    let finished = Mutex::new(Vec::new());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, things.len().max(1)) {
            scope.spawn(|| {
                while let Some((place, thing)) = next() {
                    let result = work(thing);
                    finished.lock().unwrap_or_else(PoisonError::into_inner).push((place, result));
                }
            });
        }
    });
    let mut finished = finished.into_inner().unwrap_or_else(PoisonError::into_inner);
    finished.sort_by_key(|(place, _)| *place);
    finished.into_iter().map(|(_, result)| result).collect()
}
