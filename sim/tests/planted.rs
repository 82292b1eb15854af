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
    replay_begins_late a_replay_that_begins_too_late_is_caught,
    replay_begins_early a_replay_that_begins_too_early_is_caught,
    payload_not_fetched a_payload_that_is_not_fetched_is_caught,
    keys_forgotten keys_that_leave_with_their_task_are_caught,
    digest_ignored a_digest_that_is_not_compared_is_caught,
}
