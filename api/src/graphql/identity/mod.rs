//! Faces of accounts, roles, sessions, keys and of whoever is asking.

pub mod account;
pub mod api_key;
pub mod batch;
pub mod external_identity;
pub mod seat;
pub mod session;
pub mod viewer;

use async_graphql::MergedObject;

use super::error::{UserError, user_error};
use crate::domain::{self, Ctx};

/// Reads of identity.
#[derive(MergedObject, Default)]
pub struct IdentityQuery(account::AccountQuery, api_key::ApiKeyQuery, viewer::ViewerQuery);

/// Changes of identity.
#[derive(MergedObject, Default)]
pub struct IdentityMutation(
    account::AccountMutation,
    seat::SeatMutation,
    session::SessionMutation,
    api_key::ApiKeyMutation,
    external_identity::ExternalIdentityMutation,
);

/// What came of a mutation that answers with a secret: it takes no idempotency key, so nothing is ever read again.
fn once<T>(ctx: &Ctx, result: domain::Result<T>) -> async_graphql::Result<(Option<T>, Vec<UserError>)> {
    match result {
        Ok(value) => Ok((Some(value), Vec::new())),
        Err(error) => Ok((None, vec![user_error(ctx, &error)?])),
    }
}
