//! The closed word lists of the wire, each read from a JSON string and from nothing else.

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every word, in the order of the documentation.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word on the wire.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }

            /// The value that this word stands for, if there is one.
            #[must_use]
            pub fn from_name(name: &str) -> Option<$name> {
                match name { $($text => Some($name::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Word;
                impl serde::de::Visitor<'_> for Word {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str(concat!("one of", $(" ", $text),+))
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        $name::from_name(text).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
                    }
                }
                deserializer.deserialize_str(Word)
            }
        }
    )+};
}

words! {
    /// Where a run stands.
    RunState {
        /// Not due yet.
        Scheduled = "scheduled",
        /// Waiting for a worker.
        Ready = "ready",
        /// Granted, not begun.
        Leased = "leased",
        /// A worker is on it.
        Running = "running",
        /// An attempt failed; the next is not due yet.
        RetryWait = "retry_wait",
        /// Set aside until resumed.
        Suspended = "suspended",
        /// Ended well. Final.
        Completed = "completed",
        /// Ended badly. Final.
        Failed = "failed",
        /// Called off. Final.
        Canceled = "canceled",
    }

    /// Where a task stands, derived from its runs.
    TaskState {
        /// A run is not terminal.
        Active = "active",
        /// All its runs are terminal, descendants are not.
        WaitingForChildren = "waiting_for_children",
        /// All runs are terminal and one completed.
        Completed = "completed",
        /// All runs are terminal and none completed.
        Failed = "failed",
        /// The task was canceled.
        Canceled = "canceled",
    }

    /// How an attempt ended, in the worker's words.
    FinishOutcome {
        /// Done.
        Success = "success",
        /// It did not work.
        Failure = "failure",
        /// The handler asks to be woken later.
        Suspended = "suspended",
        /// The handler stopped on a cancel directive, or gave up for good.
        Canceled = "canceled",
        /// Given back untouched.
        Released = "released",
    }

    /// What a worker is told with each heartbeat.
    Directive {
        /// Go on.
        Continue = "continue",
        /// Stop: the run is being canceled.
        Cancel = "cancel",
        /// Stop and report `suspended`.
        Suspend = "suspend",
        /// Finish what is held and claim no more.
        Drain = "drain",
    }

    /// What may happen to work whose outcome is unknown.
    SafetyLevel {
        /// No effects: retried freely.
        Pure = "pure",
        /// Effects that may be repeated: retried freely.
        Idempotent = "idempotent",
        /// Effects that must not be repeated blindly.
        Transactional = "transactional",
    }

    /// Whether a run keeps its concurrency slot while it waits.
    HoldPolicy {
        /// The slot stays taken.
        HoldDuringRetry = "hold_during_retry",
        /// The slot is given back and must be won again.
        ReleaseOnRetry = "release_on_retry",
    }

    /// How the delay before the next attempt grows.
    Strategy {
        /// The same delay each time.
        Fixed = "fixed",
        /// The delay multiplied after each failure.
        Exponential = "exponential",
    }

    /// When a submit is answered.
    Durability {
        /// When the task is on disk.
        Immediate = "immediate",
        /// As soon as it is decided: it is visible and claimable only once durable.
        Deferred = "deferred",
    }

    /// What happens to instants of a schedule that passed while nothing could fire them.
    Misfire {
        /// They are noted and forgotten.
        Skip = "skip",
        /// One run stands for all of them.
        RunOnce = "run_once",
        /// Each of the most recent ones gets its run.
        RunAll = "run_all",
    }

    /// What happens when an instant comes while a run of an earlier one has not ended.
    Overlap {
        /// Both run.
        Allow = "allow",
        /// The new instant is skipped.
        Skip = "skip",
        /// The new run waits for the end of the earlier.
        QueueOne = "queue_one",
        /// The earlier run is canceled.
        CancelPrevious = "cancel_previous",
    }

    /// Whether the delay is spread.
    Jitter {
        /// Uniform between 0 and the delay.
        Full = "full",
        /// The delay itself.
        None = "none",
    }
}

impl RunState {
    /// Whether the state is final for ever.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(
            self,
            RunState::Completed | RunState::Failed | RunState::Canceled
        )
    }
}
