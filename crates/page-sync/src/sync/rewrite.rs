//! The way out of a loss: everything anew.

use ipc_common::{Error, Result};

use super::{Loss, Msync};
use crate::file::PageFile;

impl PageFile {
    /// Stores every page anew, syncs the file, and only then forgets what was lost; returns what
    /// that was. `source` is asked for each page in turn, by number, and fills it.
    ///
    /// Why all of them: after a failed write the kernel counts the page as clean, so it would never
    /// write it again by itself; it does not say which page it was; and what memory shows may have
    /// been read back from the device since. Why from a source of the caller's own: for that last
    /// reason, copying the file's bytes onto themselves could make the loss permanent.
    ///
    /// That this takes `&mut self` keeps every other sync and store of this object out meanwhile.
    ///
    /// # Errors
    ///
    /// Those of `source`, at whose first one it ends; `EACCES` if the file was opened for reading;
    /// and those of [`PageFile::sync`] and [`PageFile::fsync`]. The loss then stays.
    pub fn rewrite(
        &mut self,
        mut source: impl FnMut(usize, &mut [u8]) -> Result<()>,
    ) -> Result<Option<Loss>> {
        let mut bytes = vec![0; self.pages().page_size().bytes()];
        for number in 0..self.pages().count() {
            bytes.fill(0);
            source(number, &mut bytes)?;
            self.page_mut(number)?.write(0, &bytes)?;
        }
        // From here on a success counts again; until it has come, the loss is kept to be put back.
        let loss = self.health_mut().forget();
        let synced = self.sync(.., Msync::SYNC).and_then(|_| self.fsync());
        match (synced, loss) {
            (Ok(()), loss) => Ok(loss),
            (Err(error), None) => Err(error),
            (Err(error), Some(loss)) => {
                let about = error.about().to_owned();
                self.health_mut().put_back(loss);
                Err(Error::new(error.call(), error.errno(), about)
                    .with_remedy(format!("{}; what was lost before is lost still", error.remedy())))
            }
        }
    }
}
