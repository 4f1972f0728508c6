//! What a program may do after its stores, and what it may rely on then.

/// The pages that are written, counted from 0. Two that are no neighbours: what happens to one says
/// nothing about the other.
pub const WRITTEN: [usize; 2] = [2, 5];

/// How many pages the file has.
pub const PAGES: usize = 8;

/// What is done after pages 2 and 5 were written through a shared mapping, and before the power is
/// cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Nothing at all.
    Nothing,
    /// munmap(2) and close(2).
    Munmap,
    /// msync(2) of the whole file with MS_ASYNC.
    MsAsync,
    /// sync_file_range(2) of the whole file with all three flags.
    SyncFileRange,
    /// msync(2) of page 2 alone with MS_SYNC.
    MsSyncPage,
    /// msync(2) of the whole file with MS_SYNC.
    MsSync,
    /// fdatasync(2).
    Fdatasync,
    /// fsync(2).
    Fsync,
}

impl Action {
    /// All of them, from the one that does least to the one that does most.
    pub const ALL: [Action; 8] = [
        Action::Nothing,
        Action::Munmap,
        Action::MsAsync,
        Action::SyncFileRange,
        Action::MsSyncPage,
        Action::MsSync,
        Action::Fdatasync,
        Action::Fsync,
    ];

    /// A name that can be typed.
    pub fn name(self) -> &'static str {
        match self {
            Action::Nothing => "nothing",
            Action::Munmap => "munmap",
            Action::MsAsync => "ms-async",
            Action::SyncFileRange => "sync-file-range",
            Action::MsSyncPage => "ms-sync-page",
            Action::MsSync => "ms-sync",
            Action::Fdatasync => "fdatasync",
            Action::Fsync => "fsync",
        }
    }

    /// The one with this name.
    pub fn by_name(name: &str) -> Option<Action> {
        Action::ALL.into_iter().find(|action| action.name() == name)
    }

    /// What is called, in the words of the manual.
    pub fn calls(self) -> &'static str {
        match self {
            Action::Nothing => "nothing",
            Action::Munmap => "munmap, close",
            Action::MsAsync => "msync MS_ASYNC",
            Action::SyncFileRange => "sync_file_range",
            Action::MsSyncPage => "msync MS_SYNC, page 2",
            Action::MsSync => "msync MS_SYNC",
            Action::Fdatasync => "fdatasync",
            Action::Fsync => "fsync",
        }
    }

    /// The pages that POSIX and the manual promise to be on the disk afterwards. No promise is not
    /// a promise of the contrary: the kernel may write a page whenever it likes.
    pub fn promises(self) -> &'static [usize] {
        match self {
            // sync_file_range(2): "not suitable for data integrity operations", since it neither
            // writes the file's metadata nor flushes the disk's cache.
            Action::Nothing | Action::Munmap | Action::MsAsync | Action::SyncFileRange => &[],
            Action::MsSyncPage => &WRITTEN[..1],
            Action::MsSync | Action::Fdatasync | Action::Fsync => &WRITTEN,
        }
    }
}

/// Whether the file system flushes the disk's cache when it says so: the mount option `barrier`,
/// which is the default, or `nobarrier`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Barriers {
    /// It does.
    On,
    /// It does not, and nothing can be durable. The negative control: what survives all the same
    /// shows that the experiment does not measure what it says.
    Off,
}

impl Barriers {
    /// The mount option.
    pub fn option(self) -> &'static str {
        match self {
            Barriers::On => "barrier",
            Barriers::Off => "nobarrier",
        }
    }

    pub(super) fn by_option(option: &str) -> Option<Barriers> {
        [Barriers::On, Barriers::Off].into_iter().find(|barriers| barriers.option() == option)
    }
}
