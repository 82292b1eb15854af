//! What each event about subscriptions does to the rows: the only writer of subscriptions.
//! Owns: subscriptions.
//! Never: fails or decides.

use crate::event::{
    CustomEventPublished, SubscriptionCanceled, SubscriptionCreated, SubscriptionTriggered,
};
use crate::machine::Apply;
use crate::state::{At, State};

impl Apply for CustomEventPublished {
    fn apply(&self, _state: &mut State, _at: &At) {}
}

impl Apply for SubscriptionCanceled {
    fn apply(&self, _state: &mut State, _at: &At) {}
}

impl Apply for SubscriptionCreated {
    fn apply(&self, _state: &mut State, _at: &At) {}
}

impl Apply for SubscriptionTriggered {
    fn apply(&self, _state: &mut State, _at: &At) {}
}
