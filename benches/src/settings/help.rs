//! What `--help` says before criterion's own help.

/// The settings, in words.
pub fn text(bench: &str) -> String {
    format!(
        "\
cargo bench -p benches --bench {bench} -- [OPTIONS] [FILTER]

Set by the environment, because the options below are criterion's:
  BENCH_DIR=FOLDER       make files there (default: the target folder's own tmp, or the temporary
                         folder, or /var/tmp: the first that is a real disk). No file has a name
                         longer than a moment, so nothing is left behind, whatever happens.
  BENCH_SIZES=64K,1M     these sizes instead of the bench's own
  BENCH_MAX=256M         no size above this: a file needs as much room, and as much memory
  BENCH_QUICK=1          the sizes of --quick, measured as long as without

Options to begin with:
  --quick                about a minute
  --list                 the names of the cases; a part of one is a FILTER
  --sample-size, --measurement-time, --warm-up-time
                         more or less certainty

Results: target/criterion/GROUP/FUNCTION/VALUE/new/, criterion's estimates.json and, beside it,
case.json with page faults, system calls, the floor, and the machine.

"
    )
}
