//! Reading all results again: ours and criterion's, joined.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Costs, Id, OWN_COST, Record, RunRecord, SCHEMA, write};

/// A case with both halves.
#[derive(Clone, Debug)]
pub struct Joined {
    /// Ours.
    pub record: Record,
    /// Criterion's.
    pub estimates: Estimates,
}

/// Of criterion's `estimates.json` what we use; nanoseconds a round.
#[derive(Clone, Debug, Deserialize)]
pub struct Estimates {
    /// The middle one.
    pub median: Estimate,
    /// The average.
    pub mean: Estimate,
}

/// One of criterion's figures.
#[derive(Clone, Debug, Deserialize)]
pub struct Estimate {
    /// Its best guess.
    pub point_estimate: f64,
    /// Where it lies with 95 % confidence.
    pub confidence_interval: ConfidenceInterval,
}

/// From here to there.
#[derive(Clone, Debug, Deserialize)]
pub struct ConfidenceInterval {
    /// The lower end.
    pub lower_bound: f64,
    /// The upper end.
    pub upper_bound: f64,
}

/// Of criterion's `benchmark.json` what is needed to know which case it is.
#[derive(Deserialize)]
struct Benchmark {
    group_id: String,
    function_id: Option<String>,
    value_str: Option<String>,
}

/// A result that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it, and what to do.
    pub why: String,
}

/// All cases below `home` that have a `case.json`, and the troubles met on the way. (Benches
/// without one, such as `shared_copy`, are left alone.)
pub fn read_all(home: &Path) -> (Vec<Joined>, Vec<Trouble>) {
    let (mut joined, mut troubles) = (Vec::new(), Vec::new());
    // GROUP/FUNCTION/VALUE/new/case.json
    for path in below(home, 3).into_iter().map(|case| case.join("new/case.json")) {
        if path.exists() {
            match join(home, &path) {
                Ok(case) => joined.push(case),
                Err(why) => troubles.push(Trouble { path, why }),
            }
        }
    }
    (joined, troubles)
}

/// The last run of each bench, and the troubles met on the way.
pub fn read_runs(home: &Path) -> (Vec<RunRecord>, Vec<Trouble>) {
    let (mut runs, mut troubles) = (Vec::new(), Vec::new());
    let is_run = |path: &Path| path.to_string_lossy().ends_with(".run.json");
    for path in entries(home).into_iter().filter(|path| is_run(path)) {
        match read::<RunRecord>(&path) {
            Ok(run) => runs.push(run),
            Err(why) => troubles.push(Trouble { path, why }),
        }
    }
    (runs, troubles)
}

/// What `own_cost` has found, if it has run.
///
/// # Errors
///
/// What is wrong with its file.
pub fn read_costs(home: &Path) -> Result<Option<Costs>, Trouble> {
    let path = home.join(format!("{OWN_COST}.json"));
    match path.exists() {
        true => read(&path).map(Some).map_err(|why| Trouble { path, why }),
        false => Ok(None),
    }
}

fn join(home: &Path, path: &Path) -> Result<Joined, String> {
    let record: Record = read(path)?;
    let beside = |name: &str| path.with_file_name(name);
    let benchmark: Benchmark = read(&beside("benchmark.json"))?;
    let theirs = Id {
        group: benchmark.group_id,
        function: benchmark.function_id.unwrap_or_default(),
        value: benchmark.value_str.unwrap_or_default(),
    };
    if theirs != record.id || !path.starts_with(write::folder(home, &record.id)) {
        return Err(format!("it is about {}, but lies beside {theirs}", record.id));
    }
    Ok(Joined { estimates: read(&beside("estimates.json"))?, record })
}

/// What a file says. A missing schema, another one, and half a file are told apart.
fn read<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    #[derive(Deserialize)]
    struct Version {
        schema: Option<u32>,
    }
    let again = "measure again with `cargo bench -p benches`";
    let name = path.file_name().unwrap_or_default().display();
    let text = fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("{name} is missing; {again}"),
        _ => format!("{name}: {error}"),
    })?;
    let partial = |error: serde_json::Error| format!("{name} is not whole ({error}); {again}");
    match serde_json::from_slice::<Version>(&text).map_err(partial)?.schema {
        Some(schema) if schema != SCHEMA => {
            Err(format!("{name} has format {schema}, and this program reads {SCHEMA}; {again}"))
        }
        _ => serde_json::from_slice(&text).map_err(partial),
    }
}

/// The folders exactly `depth` below `folder`, in the order of their names.
fn below(folder: &Path, depth: usize) -> Vec<PathBuf> {
    match depth {
        0 => vec![folder.to_owned()],
        _ => entries(folder)
            .into_iter()
            .filter(|path| path.is_dir())
            .flat_map(|path| below(&path, depth - 1))
            .collect(),
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<_> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    all.sort();
    all
}
