//! The seals of cursors: nobody makes a place in a list up, and one list's or one tenant's place is none in another.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mainstay::store::Scope;
use subtle::ConstantTimeEq;

use super::exchange::Exchange;
use super::failure::Failure;
use super::reply::Reply;

/// Bytes of a seal.
const SEAL_BYTES: usize = 16;
/// Characters of a seal as text.
const SEAL_CHARS: usize = 22;

/// What seals are made with: it follows from the admin key, so that cursors outlive a restart.
pub(super) fn cursor_key(admin: &str) -> [u8; 32] {
    blake3::derive_key("mainstay: seals of cursors", admin.as_bytes())
}

impl Exchange {
    /// A place in this route's list, as the caller gets it.
    pub(crate) fn seal_cursor(&self, place: &str) -> String {
        format!("{place}{}", self.seal(place))
    }

    /// Does the route's work. Whoever comes with a cursor whose seal is not of this list may be told that it is of another log, and what is
    /// wrong with the way pages are asked for; nothing that depends on what is there.
    pub(super) async fn answer(mut self) -> Result<Reply, Failure> {
        let is_own = self.open_cursor();
        let work = self.route.work;
        match work(self).await {
            Err(failure) if matches!(failure.code(), "cursor_expired" | "invalid_pagination") => {
                Err(failure)
            }
            _ if !is_own => Err(Failure::invalid_cursor()),
            reply => reply,
        }
    }

    /// Puts the place that the caller's cursor stands for where the cursor was, if there is one. False when its seal is not of this list.
    fn open_cursor(&mut self) -> bool {
        let Some(cursor) = self.parameter("cursor") else {
            return true;
        };
        let at = cursor.len().saturating_sub(SEAL_CHARS);
        let (place, seal) = cursor.split_at_checked(at).unwrap_or_default();
        let is_own = bool::from(seal.as_bytes().ct_eq(self.seal(place).as_bytes()));
        let place = place.to_owned();
        for (name, text) in &mut self.parameters {
            if *name == "cursor" {
                text.clone_from(&place);
            }
        }
        is_own
    }

    fn seal(&self, place: &str) -> String {
        let reach = match self.scope {
            Scope::All => "*".to_owned(),
            Scope::Tenant(tenant) => tenant.to_string(),
        };
        let mut hasher = blake3::Hasher::new_keyed(&self.edge.cursor_key);
        for part in [self.route.path, &reach, place] {
            hasher.update(part.as_bytes()).update(&[0]);
        }
        let mut seal = [0; SEAL_BYTES];
        hasher.finalize_xof().fill(&mut seal);
        URL_SAFE_NO_PAD.encode(seal)
    }
}
