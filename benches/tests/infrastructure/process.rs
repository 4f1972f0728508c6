//! A bench to look at from outside: this program again, told by the environment to be one. It uses
//! what the real ones use: a file, another process, a segment, semaphores.

use std::path::Path;
use std::process::{Command, ExitCode};

use benches::bench::{About, Case, stop};
use benches::files::{Pieces, Source};
use benches::peer::Peer;
use benches::raw::{Segment, Semaphores};
use benches::{Bench, Watch, floor, placement::Processors};

const TOLD: &str = "IPC_COURSE_BENCH";

/// How large its file is.
pub const BYTES: u64 = 1 << 20;
/// Its group.
pub const GROUP: &str = "a bench: of its own";

pub fn is_bench() -> bool {
    std::env::var_os(TOLD).is_some()
}

/// The command that runs it, as cargo bench would; files in one folder, results in the other.
pub fn command(files: &Path, results: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("/proc is mounted"));
    for name in ["BENCH_SIZES", "BENCH_MAX", "BENCH_QUICK"] {
        command.env_remove(name);
    }
    command
        .env(TOLD, "1")
        .env_remove("TESTKIT_CASE")
        .env("BENCH_DIR", files)
        .env("CRITERION_HOME", results)
        .args(["--bench", "--noplot"])
        .args(arguments);
    command
}

/// What it prints. (Its progress is criterion's, and goes to standard error.)
pub fn said(command: &mut Command) -> String {
    let ended = testkit::Program::run(command);
    assert!(ended.status.success() && !ended.stderr.contains("Warning"), "{ended:?}");
    ended.stdout
}

pub fn bench() -> ExitCode {
    let mut bench = match Bench::start("a_bench") {
        Ok(bench) => bench,
        Err(code) => return code,
    };
    let place = bench.place().clone();
    if !bench.has_room(BYTES, "the file") {
        return bench.finish();
    }
    let segment = Segment::new(4096).unwrap_or_else(|error| stop(&error));
    let semaphores = Semaphores::new().unwrap_or_else(|error| stop(&error));
    // So that it can be told whose they are: the kernel keeps who used them last.
    semaphores.change(0, 1);
    let there = Processors::choose().here;
    let peer = Peer::start(there, || semaphores.remove_when_told(), |ready, _| ready());
    let peer = peer.unwrap_or_else(|error| stop(&error));
    // Another is at work and hears of no pipe: when we are gone, only the kernel's signal ends it.
    let busy = Peer::start(
        there,
        || (),
        |ready, _| {
            ready();
            std::thread::sleep(std::time::Duration::from_secs(600));
        },
    );
    let busy = busy.unwrap_or_else(|error| stop(&error));
    busy.order(1);

    let mut floor = floor::alone();
    let about = About {
        varies: "bytes",
        reference: "read",
        labels: vec![("page cache", "warm".into())],
        uses_files: true,
        long: false,
        counts_of: None,
    };
    let mut group = bench.group(GROUP, about, &mut floor);
    let source = Source::new(&place, BYTES, Pieces::Small);
    let mut passes = |watch: &mut Watch, rounds: u64| {
        use std::os::unix::fs::FileExt;
        let file = source.file();
        let mut buffer = vec![0; 1 << 16];
        peer.order(1);
        watch.on(|| {
            for _ in 0..rounds {
                for at in (0..BYTES).step_by(buffer.len()) {
                    file.read_exact_at(&mut buffer, at).unwrap_or_else(|error| stop(&error));
                }
            }
        });
    };
    let mut reference =
        |watch: &mut Watch, rounds: u64| watch.on(|| (0..rounds).for_each(|_| nap()));
    for function in ["read", "read: again?"] {
        let value = BYTES.to_string();
        let case = Case { function, value, bytes: BYTES, ..Case::default() };
        group.case(&case, &mut passes, &mut reference);
    }
    group.finish();
    bench.skip("something", "to see it");
    drop((segment, busy));
    bench.finish()
}

fn nap() {
    std::thread::sleep(std::time::Duration::from_micros(100));
}
