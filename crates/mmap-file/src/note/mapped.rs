//! The mapped file, as the protocol sees it.

use std::sync::atomic::{AtomicU32, Ordering, fence};

use ipc_common::Result;
use ipc_common::view::{ReadView, Text, WriteView};

use super::seqlock::{Changing, Looking};

/// For a reader.
pub(super) struct Seen<'a> {
    pub file: ReadView<'a>,
    pub text: ReadView<'a>,
    pub at: usize,
}

impl Looking for Seen<'_> {
    type Copy = Result<Text>;

    fn load_sequence(&self, order: Ordering) -> u32 {
        // The offset is inside and aligned. So it fails only if the file was cut, and then nobody
        // believes what this look has found.
        self.file.load_u32(self.at, order).unwrap_or_default()
    }

    fn fence(&self, order: Ordering) {
        fence(order);
    }

    fn copy_out(&self) -> Result<Text> {
        self.text.text()
    }
}

/// For a writer, who holds the lock.
pub(super) struct Held<'a> {
    pub sequence: &'a AtomicU32,
    pub text: WriteView<'a>,
}

impl Looking for Held<'_> {
    type Copy = Result<Text>;

    fn load_sequence(&self, order: Ordering) -> u32 {
        self.sequence.load(order)
    }

    fn fence(&self, order: Ordering) {
        fence(order);
    }

    fn copy_out(&self) -> Result<Text> {
        self.text.text()
    }
}

impl Changing for Held<'_> {
    fn store_sequence(&self, value: u32, order: Ordering) {
        self.sequence.store(value, order);
    }

    fn copy_in(&self, text: &[u8]) -> Result<()> {
        let stored = self.text.put_text(text)?;
        debug_assert_eq!(stored.cut, 0, "`check` has refused what is too long");
        Ok(())
    }
}
