//! What comes with every event that is listed: its kind, its dispatch, its fields by name.
//! Owns: the macros `facts!` and `events!`.
//! Never: knows an event.

/// Structs of facts, each with its fields by name.
macro_rules! facts {
    ($($(#[$doc:meta])* $name:ident { $($(#[doc = $fdoc:literal])* $field:ident : $type:ty),* $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $name { $($(#[doc = $fdoc])* pub $field: $type),* }

        impl $crate::event::Fields for $name {
            fn fields<'a>(&'a self, _visit: &mut $crate::event::Visit<'_, 'a>) {
                $($crate::event::Shown::show(&self.$field, $crate::event::wire_name(stringify!($field)), _visit);)*
            }
        }

        impl $crate::event::Noted for $name {
            const NOTES: &'static [$crate::event::FieldNote] = &[
                $($crate::event::FieldNote { name: stringify!($field), kind: stringify!($type), meaning: concat!($($fdoc),*) }),*
            ];
        }
    )+};
}

/// Facts by tag: those of the first list with their fields, those of the second as areas describe them in files of their own.
macro_rules! events {
    ($($(#[$doc:meta])* $name:ident = $tag:literal { $($body:tt)* })+ ; elsewhere $($(#[$more_doc:meta])* $more:ident = $more_tag:literal;)*) => {
        facts! { $($(#[$doc])* $name { $($body)* })+ }
        listed! { $($(#[$doc])* $name = $tag;)+ $($(#[$more_doc])* $more = $more_tag;)* }
    };
}

macro_rules! listed {
    ($($(#[$doc:meta])* $name:ident = $tag:literal;)+) => {
        /// One fact. Its tag in the log is its number here, for ever.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Event { $($(#[$doc])* $name($name)),+ }

        /// The kinds of facts, by tag.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EventKind { $($(#[$doc])* $name = $tag),+ }

        impl EventKind {
            /// Every kind, in tag order.
            pub const ALL: &'static [EventKind] = &[$(EventKind::$name),+];

            /// The kind's name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(EventKind::$name => stringify!($name)),+ }
            }

            /// The fields of this kind, in the order of [`Event::fields`], for the reference.
            #[must_use]
            pub fn fields(self) -> &'static [FieldNote] {
                match self { $(EventKind::$name => <$name as Noted>::NOTES),+ }
            }
        }

        impl Event {
            /// Names every field that is there, by its public name, and its value.
            pub fn fields<'a>(&'a self, visit: &mut Visit<'_, 'a>) {
                match self { $(Event::$name(event) => event.fields(visit)),+ }
            }
        }

        impl Event {
            /// This fact's kind.
            #[must_use]
            pub fn kind(&self) -> EventKind {
                match self { $(Event::$name(_) => EventKind::$name),+ }
            }
        }

        impl Apply for Event {
            fn apply(&self, state: &mut State, at: &At) {
                match self { $(Event::$name(event) => event.apply(state, at)),+ }
            }
        }

        impl Event {
            /// Appends this event's fields.
            pub(crate) fn put(&self, out: &mut Vec<u8>) {
                match self { $(Event::$name(event) => event.put(out)),+ }
            }

            /// Reads the fields of an event with this tag; `None` for a tag of a later version.
            pub(crate) fn read(tag: u64, body: &[u8]) -> Option<Result<Event, Malformed>> {
                match tag {
                    $($tag => Some($name::read(body).map(Event::$name)),)+
                    _ => None,
                }
            }
        }

        $(impl From<$name> for Event {
            fn from(event: $name) -> Event { Event::$name(event) }
        })+
    };
}
