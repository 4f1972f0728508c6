//! Is on its way, and asleep whenever one looks; on a busy machine that takes long.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

/// Returns once this process has waited three seconds for a processor.
pub fn put(_path: &Path, _text: &[u8]) -> io::Result<()> {
    loop {
        std::thread::sleep(Duration::from_micros(100));
        let account = fs::read_to_string("/proc/self/schedstat")?;
        let waited = account.split(' ').nth(1).and_then(|nanos| nanos.parse::<u64>().ok());
        if waited.is_none_or(|nanos| nanos > 3_000_000_000) {
            return Ok(());
        }
    }
}
