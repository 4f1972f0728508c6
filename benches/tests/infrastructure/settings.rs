//! Settings, as the user meets them.

use testkit::Program;

use crate::process;

pub fn nonsense_is_refused_before_anything_is_measured() {
    let (files, results) = (testkit::folder(), testkit::folder());
    for (name, value, code, part) in [
        ("BENCH_MAX", "much", 2, "`much` is no size"),
        ("BENCH_SIZE", "1M", 2, "there is no such setting; there are BENCH_DIR, BENCH_SIZES"),
        ("BENCH_DIR", "/nowhere/at/all", 1, "ENOENT"),
        ("BENCH_DIR", "/proc/version", 1, "ENOTDIR"),
    ] {
        let mut command = process::command(files.path(), results.path(), &["--quick"]);
        let ended = Program::run(command.env(name, value));
        assert_eq!(ended.code(), Some(code), "{ended:?}");
        assert!(ended.stderr.contains(part) && ended.stderr.contains(value), "{ended:?}");
        assert_eq!(ended.stdout, "", "nothing was measured");
    }
}

pub fn the_help_tells_the_settings() {
    let (files, results) = (testkit::folder(), testkit::folder());
    let mut command = process::command(files.path(), results.path(), &["--help"]);
    let said = process::said(&mut command);
    for part in
        ["BENCH_DIR=", "BENCH_SIZES=", "BENCH_MAX=", "BENCH_QUICK=", "--sample-size", "FILTER"]
    {
        assert!(said.contains(part), "{part} is not in {said}");
    }
}
