//! What the benches share, from outside: do the counts count, is cold cold, is nothing left behind,
//! and can what is written be read again?

mod cleanup;
mod cold;
mod counting;
mod elsewhere;
mod process;
mod results;
mod settings;

use testkit::{Case, need};

macro_rules! cases {
    ($($room:ident::$name:ident $(needs $($need:path),+)?;)+) => {
        vec![$(Case {
            name: stringify!($name),
            run: $room::$name,
            needs: &[$($($need),+)?],
        }),+]
    };
}

fn main() -> std::process::ExitCode {
    if process::is_bench() {
        return process::bench();
    }
    testkit::main(cases! {
        counting::exactly_the_calls_between_the_marks_are_counted;
        counting::faults_are_those_of_the_part_that_counts;
        counting::a_signal_that_the_work_handles_reaches_it;
        counting::work_that_fails_in_the_child_makes_the_number_unknown;
        counting::where_ptrace_is_refused_the_number_is_unknown_and_the_reason_told;
        cold::a_file_is_cold_when_mincore_says_so needs cold::on_a_disk;
        cold::a_mapped_file_cannot_be_made_cold;
        cold::memory_cannot_be_made_cold_and_says_so needs need::namespaces;
        cold::a_file_that_does_not_fit_is_skipped_aloud needs need::namespaces;
        elsewhere::mappings_begin_all_over;
        elsewhere::faults_are_counted_wherever_it_lies;
        results::what_a_run_writes_can_be_read_again_and_joined;
        results::what_is_broken_is_told_by_name;
        results::what_is_filtered_out_costs_nothing;
        results::trying_out_writes_nothing;
        settings::nonsense_is_refused_before_anything_is_measured;
        settings::the_help_tells_the_settings;
        cleanup::ctrl_c_leaves_nothing;
        cleanup::kill_leaves_nothing;
    })
}
