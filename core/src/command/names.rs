//! Commands by their numbers in the log: what a reader of the log calls them, and which are acts of control.
//! Owns: their names, for ever.
//! Never: forgets a number that a log may hold.

/// What a reader of the log must know of a kind of command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandNote {
    /// Its number in the log ([`super::Command::code`]).
    pub code: u64,
    /// Its name, for ever.
    pub name: &'static str,
    /// Whether it is an act of control, and so an entry of the audit trail.
    pub is_control: bool,
}

const fn work(code: u64, name: &'static str) -> CommandNote {
    CommandNote {
        code,
        name,
        is_control: false,
    }
}

const fn control(code: u64, name: &'static str) -> CommandNote {
    CommandNote {
        code,
        name,
        is_control: true,
    }
}

/// Every kind of command, in the order of their numbers.
const COMMANDS: &[CommandNote] = &[
    work(1, "submit"),
    work(2, "claim"),
    work(3, "heartbeat"),
    work(4, "finish"),
    work(5, "checkpoint"),
    control(6, "cancel_run"),
    control(7, "cancel_task"),
    control(8, "suspend_run"),
    control(9, "resume_run"),
    control(10, "pause_engine"),
    control(11, "resume_engine"),
    work(12, "start"),
    work(13, "adopt_clock"),
    work(14, "tick"),
    control(15, "update_task"),
    control(16, "create_run"),
    control(17, "transition_run"),
    work(18, "acquire_lease"),
    work(19, "renew_lease"),
    work(20, "expire_lease"),
    work(21, "release_lease"),
    work(22, "start_attempt"),
    work(23, "finish_attempt"),
    control(24, "declare_dependencies"),
    control(25, "allocate_budget"),
    work(26, "consume"),
    work(27, "consume_budget"),
    control(28, "replenish_budget"),
    work(29, "subscribe"),
    work(30, "unsubscribe"),
    work(31, "trigger_subscription"),
    work(32, "publish_event"),
    control(33, "configure_queue"),
    control(34, "pause_queue"),
    control(35, "resume_queue"),
    control(36, "create_tenant"),
    control(37, "weigh_tenant"),
    work(38, "submit_all"),
    control(40, "retry_run"),
    control(41, "clear_dead_letter"),
    // Operations.
    control(42, "start_operation"),
    control(43, "cancel_operation"),
    work(44, "advance_operation"),
    // Actors.
    work(60, "register_actor"),
    control(61, "drain_actor"),
    control(62, "deregister_actor"),
    work(63, "beat_actor"),
    // Access.
    control(68, "create_key"),
    control(69, "revoke_key"),
    control(70, "put_role"),
    control(71, "remove_role"),
    control(72, "assign_role"),
    control(73, "revoke_role"),
    control(74, "grant_capability"),
    control(75, "revoke_capability"),
    // Ledgers.
    work(76, "append_ledger"),
    control(77, "request_approval"),
    control(78, "decide_approval"),
    // Webhooks.
    control(80, "create_webhook"),
    control(81, "update_webhook"),
    control(82, "delete_webhook"),
    control(83, "rotate_webhook"),
    control(84, "enable_webhook"),
    control(85, "disable_webhook"),
    work(86, "report_webhook"),
    control(87, "redeliver_webhook"),
    control(88, "test_webhook"),
];

/// The kind of command with this number; `None` for one of a later release.
#[must_use]
pub fn note_of(code: u64) -> Option<&'static CommandNote> {
    let at = COMMANDS.binary_search_by_key(&code, |note| note.code);
    at.ok().map(|at| &COMMANDS[at])
}

#[cfg(test)]
mod tests {
    use super::{COMMANDS, note_of};

    #[test]
    fn every_number_is_found_and_no_name_stands_for_two() {
        for note in COMMANDS {
            assert_eq!(note_of(note.code), Some(note));
            let same = COMMANDS.iter().filter(|other| other.name == note.name);
            assert_eq!(same.count(), 1, "{}", note.name);
        }
        assert_eq!(note_of(0), None);
        assert_eq!(note_of(u64::MAX), None);
    }
}
