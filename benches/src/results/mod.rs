//! What is written down about a case, beside criterion's own files, and read again by the report.
//!
//! ```text
//!   target/criterion/
//!     GROUP/FUNCTION/VALUE/new/
//!       benchmark.json   criterion's: group_id, function_id, value_str, throughput
//!       estimates.json   criterion's: median, mean, …, each with a confidence interval; nanoseconds
//!       sample.json      criterion's: iters[], times[]
//!       case.json        ours: a Record
//!     BENCH.run.json     ours: a RunRecord for the bench's last run; what was skipped, and why
//!     own_cost.json      ours: Costs, of the bench that does without criterion
//! ```
//!
//! They belong together by `group`, `function` and `value`, which stand in both `benchmark.json` and
//! `case.json`; [`read_all`] joins them, and tells of files that cannot be read instead of leaving
//! them out. All times are nanoseconds for one round, all sizes bytes.

mod costs;
mod home;
mod read;
mod record;
mod write;

pub use costs::{Costs, Figure, Limit, Line, Met, OWN_COST, Room, Score};
pub use home::{home, target};
pub use read::{Estimate, Estimates, Joined, Trouble, read_all, read_costs, read_runs};
pub use record::{
    Counts, Id, Measured, PROGRAM, Record, Run, RunRecord, SCHEMA, Skip, Where, Work,
};
pub use write::{write_case, write_costs, write_run};
