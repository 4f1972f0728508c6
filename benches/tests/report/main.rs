//! The report: does it say what the data say, does it tell what is wrong with them, and can it be
//! read where it is shown?

mod browser;
mod command;
mod costs;
mod data;
mod findings;
mod measure;
mod shown;
mod synthetic;
mod verdict;

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
    testkit::main(cases! {
        verdict::where_mmap_loses_everywhere_the_lecture_is_wrong;
        verdict::where_mmap_wins_everywhere_the_lecture_is_right;
        verdict::where_there_is_no_difference_that_is_the_verdict;
        verdict::where_it_wins_here_and_loses_there_it_depends;
        verdict::where_the_figures_are_far_apart_nothing_is_said;
        verdict::without_results_nothing_is_said;
        verdict::one_exception_in_ten_is_none;
        verdict::what_was_disturbed_is_shown_and_not_counted;
        verdict::what_was_disturbed_without_a_trace_is_counted;
        verdict::the_buffer_s_verdict_is_by_what_was_counted;
        data::other_machines_and_earlier_runs_are_told;
        data::a_run_that_was_broken_off_is_told;
        data::quick_against_full_and_old_against_new_are_told;
        data::how_old_the_figures_are_is_told;
        data::what_an_older_program_has_measured_is_told;
        data::nonsense_is_left_out_and_told;
        data::no_data_whatever_make_it_panic;
        data::names_are_text_and_nothing_else;
        shown::who_waits_by_looking_is_drawn_against_the_floor_of_its_own_pairs;
        shown::a_machine_in_two_states_is_told_and_its_mixtures_are_not_counted;
        shown::every_group_that_was_measured_has_its_plot;
        shown::times_and_ratio_of_a_line_agree;
        shown::a_major_fault_is_told_as_what_it_is;
        shown::faults_that_are_a_matter_of_luck_are_told_as_a_range;
        shown::from_how_many_passes_on_a_mapping_is_faster_is_by_the_rule;
        shown::what_is_called_cold_says_whose_memory_is_meant;
        shown::the_chapter_is_ready_for_the_report;
        costs::what_our_crates_cost_is_on_the_page_and_in_the_notes;
        costs::a_room_that_is_visited_again_leaves_the_others_as_they_were;
        command::a_page_from_a_folder;
        command::nothing_is_a_message_and_a_failure;
        command::half_a_file_and_another_schema_are_told;
        command::what_cannot_be_written_is_told_by_its_name;
        command::wrong_usage_is_told;
        command::the_notes_change_between_their_marks_only;
        measure::what_is_missing_is_run_and_nothing_else;
        measure::quick_results_are_enough_for_quick_and_for_nothing_else;
        measure::results_of_an_older_program_are_measured_again;
        measure::our_own_cost_is_run_where_it_is_missing;
        measure::a_bench_that_fails_is_told_with_its_last_words;
        measure::a_signal_ends_the_bench_too;
        browser::the_page_is_whole_at_every_width needs need::chromium;
        browser::the_check_sees_what_is_wrong needs need::chromium;
    })
}
