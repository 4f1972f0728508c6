//! later
use crate::Bench;
pub fn bench(_: &mut Bench) {}
