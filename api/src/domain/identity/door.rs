//! What a credential means. Until accounts can sign in, nobody but the anonymous caller passes.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::{
    config::Config,
    domain::{Actor, App, Error, Result},
};

/// Turns a credential into an actor, and tells when it lapses.
pub async fn authenticate(
    _app: &Arc<App>,
    credential: Option<&str>,
) -> Result<(Actor, Option<DateTime<Utc>>)> {
    match credential {
        None => Ok((Actor::Anonymous, None)),
        Some(_) => Err(Error::Unauthenticated),
    }
}

/// What `concord check` says of the keys.
pub fn check(_config: &Config) -> Vec<(&'static str, Result<String, String>)> {
    Vec::new()
}
