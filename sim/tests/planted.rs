//! Every bug that can be planted is caught, by name, by what crashes bring to light.

use mainstay_sim::{PLANTED, hunt};

fn caught(name: &str) {
    let bug = PLANTED
        .iter()
        .find(|bug| bug.name == name)
        .expect("a bug of this name can be planted");
    let found = hunt(bug, 1, true);
    assert!(
        found.is_ok(),
        "{name} was not caught in {found:?} crash points"
    );
}

macro_rules! caught {
    ($($name:ident $sentence:ident),+ $(,)?) => {
        $(#[test]
        fn $sentence() {
            caught(stringify!($name));
        })+

        #[test]
        fn every_planted_bug_has_its_test() {
            let tested = [$(stringify!($name)),+];
            let planted: Vec<&str> = PLANTED.iter().map(|bug| bug.name).collect();
            assert_eq!(planted, tested);
        }
    };
}

caught! {
    ack_before_sync an_ack_before_the_sync_is_caught,
    skip_sync_every_n a_skipped_sync_is_caught,
    sync_wrong_file a_sync_of_another_file_is_caught,
    rename_before_content_sync a_name_before_its_content_is_synced_is_caught,
    ignore_sync_error an_ignored_sync_error_is_caught,
    retry_failed_sync a_retried_sync_is_caught,
    continue_after_short_write going_on_after_a_short_write_is_caught,
    skip_dir_sync_on_segment_create a_segment_without_a_directory_sync_is_caught,
    crc_skips_header a_checksum_without_the_header_is_caught,
    crc_skips_last_byte a_checksum_without_the_last_byte_is_caught,
    truncate_at_first_bad cutting_at_the_first_bad_frame_is_caught,
    eio_is_end_of_log taking_an_unreadable_block_for_the_end_is_caught,
    missing_segment_is_end taking_a_missing_segment_for_the_end_is_caught,
    serve_before_tail_rewrite serving_before_the_tail_is_rewritten_is_caught,
    feed_before_durable an_event_told_before_it_is_durable_is_caught,
    ack_before_durable an_answer_before_its_frame_is_durable_is_caught,
    reads_see_undurable a_read_of_undurable_state_is_caught,
    leases_leave_early a_lease_that_leaves_early_is_caught,
    deferred_called_durable a_deferred_submit_called_durable_is_caught,
    cut_before_durable a_cut_before_its_log_is_durable_is_caught,
    rows_leave_early a_row_that_leaves_before_its_cut_is_committed_is_caught,
    trim_to_newest_snapshot a_trim_beyond_the_older_snapshot_is_caught,
    snapshot_unread a_snapshot_that_is_not_read_again_is_caught,
    snapshot_unsynced a_snapshot_that_is_not_synced_is_caught,
    store_unsynced a_trim_before_the_store_is_synced_is_caught,
    fill_unsynced a_filled_store_that_a_power_cut_takes_back_is_caught,
    replay_begins_late a_replay_that_begins_too_late_is_caught,
    replay_begins_early a_replay_that_begins_too_early_is_caught,
    payload_not_fetched a_payload_that_is_not_fetched_is_caught,
    keys_forgotten keys_that_leave_with_their_task_are_caught,
    digest_ignored a_digest_that_is_not_compared_is_caught,
    occurrence_again an_occurrence_that_fires_again_after_a_restart_is_caught,
    occurrence_lost an_occurrence_that_a_restart_loses_is_caught,
    misfire_storm a_storm_of_missed_occurrences_is_caught,
    summer_time_ignored an_instant_by_the_wrong_offset_is_caught,
    repeat_run_lost a_lost_run_of_a_repeat_is_caught,
    ticks_forgotten time_that_nobody_hears_of_is_caught,
    dependents_stranded dependents_that_are_never_told_are_caught,
    dependents_not_canceled dependents_of_a_failure_that_are_not_canceled_are_caught,
    failed_counts_as_completed a_failed_prerequisite_that_counts_as_completed_is_caught,
    children_forgotten a_task_that_is_completed_before_its_children_is_caught,
    shown_completed_early a_task_that_is_shown_completed_too_early_is_caught,
    fence_ignored a_grant_below_a_canceled_task_is_caught,
    children_lost_with_finish children_that_a_finish_loses_are_caught,
    reservation_kept a_reservation_that_is_never_given_back_is_caught,
    use_counted_twice use_that_a_repeated_finish_counts_again_is_caught,
    use_not_noted use_that_is_not_noted_is_caught,
    granted_beyond_budget a_grant_beyond_a_budget_is_caught,
    threshold_passed_twice a_threshold_that_is_passed_twice_is_caught,
    exhausted_twice a_budget_that_is_exhausted_twice_is_caught,
    triggered_twice a_subscription_that_is_triggered_twice_is_caught,
    subscriptions_lost subscriptions_that_a_restart_loses_are_caught,
    granted_while_paused a_grant_from_a_paused_queue_is_caught,
    granted_beyond_queue_limit a_grant_beyond_the_limit_of_a_queue_is_caught,
    granted_beyond_key_limit a_grant_beyond_the_limit_of_a_key_is_caught,
    granted_beyond_rate a_grant_beyond_the_rate_of_a_queue_is_caught,
    rate_forgotten a_rate_that_a_restart_forgets_is_caught,
    newest_first a_newer_run_before_an_older_one_is_caught,
    turns_ignored a_tenant_served_before_its_turn_is_caught,
    taken_by_hand a_lease_by_hand_on_what_is_held_back_is_caught,
    resumed_by_nobody a_suspended_run_that_goes_on_by_itself_is_caught,
    called_runnable a_run_that_is_called_runnable_and_is_not_is_caught,
    called_blocked a_run_that_is_called_held_back_and_is_not_is_caught,
    unique_key_ignored a_unique_key_given_twice_is_caught,
    gone_keeps_runs runs_kept_by_who_is_gone_are_caught,
    missed_too_early an_actor_missed_too_early_is_caught,
    granted_while_draining a_grant_to_who_drains_is_caught,
    decision_not_on_record a_decision_that_is_not_on_record_is_caught,
    approved_unreviewed an_approval_without_a_review_is_caught,
    entry_made_twice an_entry_made_twice_is_caught,
    batch_in_part a_batch_made_in_part_is_caught,
    entries_not_stored entries_that_are_not_stored_are_caught,
    trail_not_stored an_audit_trail_with_gaps_is_caught,
    image_without_bonds an_image_without_bonds_is_caught,
    image_without_schedules an_image_without_schedules_is_caught,
    image_without_budgets an_image_without_budgets_is_caught,
    image_without_subscriptions an_image_without_subscriptions_is_caught,
    image_without_holds an_image_without_holds_is_caught,
    image_without_rates an_image_without_rates_is_caught,
}
