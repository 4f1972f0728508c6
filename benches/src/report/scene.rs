//! What is compared: a scene is one of the benches' groups, told to a class.

/// A group whose cases vary by the size of the file.
#[derive(Debug)]
pub struct Scene {
    /// For file names and links.
    pub key: &'static str,
    /// Criterion's group.
    pub group: &'static str,
    /// As a heading.
    pub title: &'static str,
    /// What a round is, in a sentence.
    pub what: &'static str,
    /// Those in the plot, in the order of its legend. (The table has all that were measured.)
    pub plotted: &'static [&'static str],
    /// Those that the verdict is about, and what they are called there.
    pub judged: &'static [(&'static str, &'static str)],
}

const READS: &[&str] =
    &["read, 4 KiB", "read, 256 KiB", "mmap, fresh", "mmap, MAP_POPULATE", "mmap, reused"];
const PICKS: &[&str] = &["mmap, fresh", "mmap, MADV_RANDOM", "mmap, MAP_POPULATE", "mmap, reused"];
const QUICKLY: &[&str] = &["mmap, fresh", "mmap, MAP_POPULATE", "mmap, reused"];
const DURABLE: &[&str] = &["write, fsync", "mmap, fresh, MS_SYNC", "mmap, reused, MS_SYNC"];
const BOTH: &[(&str, &str)] = &[("mmap, fresh", "mapped anew"), ("mmap, reused", "mapping reused")];
const FRESH: &[(&str, &str)] = &[("mmap, fresh", "mapped anew")];
const BOTH_SYNC: &[(&str, &str)] =
    &[("mmap, fresh, MS_SYNC", "mapped anew"), ("mmap, reused, MS_SYNC", "mapping reused")];

/// All of them, in the order of the page.
pub static SCENES: [Scene; 13] = [
    Scene {
        key: "read-once",
        group: "read_vs_mmap one pass, warm, small pieces",
        title: "Read once, in memory",
        what: "All bytes of a file are summed once. The file is in the page cache, and was written \
               in pieces of 4 KiB.",
        plotted: READS,
        judged: BOTH,
    },
    Scene {
        key: "read-once-large",
        group: "read_vs_mmap one pass, warm, large pieces",
        title: "Read once, in memory, written in large pieces",
        what: "The same, of a file written in pieces of 1 MiB: where the file system has large \
               folios, one fault maps much more.",
        plotted: READS,
        judged: BOTH,
    },
    Scene {
        key: "random-64",
        group: "read_vs_mmap random 64 B, warm",
        title: "64 bytes here and there, in memory",
        what: "Pieces of 64 bytes anywhere in the file: a table that is looked up.",
        plotted: PICKS,
        judged: BOTH,
    },
    Scene {
        key: "random-4k",
        group: "read_vs_mmap random 4 KiB, warm",
        title: "4 KiB here and there, in memory",
        what: "Pieces of 4 KiB anywhere in the file: the pages of a database.",
        plotted: PICKS,
        judged: BOTH,
    },
    Scene {
        key: "read-cold",
        group: "read_vs_mmap one pass, cold",
        title: "Read once, from the disk",
        what: "All bytes are summed once, and nothing of the file is in memory when a round begins: this \
               kernel has to ask the disk. What the disk, or the host of a virtual machine, keeps in \
               its own memory cannot be seen from here, and is not dropped: it may answer faster than \
               any disk could.",
        plotted: &[
            "read, 4 KiB",
            "read, 256 KiB",
            "mmap, fresh",
            "mmap, MAP_POPULATE",
            "mmap, MADV_SEQUENTIAL",
            "mmap, MADV_RANDOM",
        ],
        judged: FRESH,
    },
    Scene {
        key: "random-64-cold",
        group: "read_vs_mmap random 64 B, cold",
        title: "64 bytes here and there, from the disk",
        what: "Pieces of 64 bytes, and nothing of the file is in this kernel's memory when a round \
               begins. (The host's may have it, as above.)",
        plotted: &["mmap, fresh", "mmap, MADV_RANDOM"],
        judged: FRESH,
    },
    Scene {
        key: "random-4k-cold",
        group: "read_vs_mmap random 4 KiB, cold",
        title: "4 KiB here and there, from the disk",
        what: "Pieces of 4 KiB, and nothing of the file is in this kernel's memory when a round \
               begins. (The host's may have it, as above.)",
        plotted: &["mmap, fresh", "mmap, MADV_RANDOM"],
        judged: FRESH,
    },
    Scene {
        key: "write-new",
        group: "write_vs_mmap new file, until others see it",
        title: "Write a new file, until others see it",
        what: "A file that has no bytes yet gets all of them.",
        plotted: &["mmap, fresh", "mmap, MAP_POPULATE"],
        judged: FRESH,
    },
    Scene {
        key: "write-clean",
        group: "write_vs_mmap clean pages, until others see it",
        title: "Overwrite clean pages, until others see it",
        what: "The pages are as on the disk: the kernel has to be told of the first store to each.",
        plotted: QUICKLY,
        judged: BOTH,
    },
    Scene {
        key: "write-dirty",
        group: "write_vs_mmap dirty pages, until others see it",
        title: "Overwrite dirty pages, until others see it",
        what: "The pages have been written before, and are not yet on the disk.",
        plotted: QUICKLY,
        judged: BOTH,
    },
    Scene {
        key: "write-new-durable",
        group: "write_vs_mmap new file, until it is on the disk",
        title: "Write a new file, until it is on the disk",
        what: "The same new file, and then msync or fdatasync waits for the disk.",
        plotted: &["write, fsync", "mmap, fresh, MS_SYNC"],
        judged: &[("mmap, fresh, MS_SYNC", "mapped anew")],
    },
    Scene {
        key: "write-clean-durable",
        group: "write_vs_mmap clean pages, until it is on the disk",
        title: "Overwrite clean pages, until it is on the disk",
        what: "As clean pages above, and then the disk: after each msync the pages are clean again.",
        plotted: DURABLE,
        judged: BOTH_SYNC,
    },
    Scene {
        key: "write-dirty-durable",
        group: "write_vs_mmap dirty pages, until it is on the disk",
        title: "Overwrite dirty pages, until it is on the disk",
        what: "As dirty pages above, and then the disk.",
        plotted: DURABLE,
        judged: BOTH_SYNC,
    },
];

/// The benches that the report reads, in the order in which it runs them.
pub const BENCHES: [&str; 4] =
    ["read_vs_mmap", "write_vs_mmap", "page_faults", "message_round_trip"];
