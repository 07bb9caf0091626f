//! Many items in one request: each is a unit of work of its own, so that the refusal of one leaves the others as they are and
//! nobody waits for five hundred. The request's idempotency key is claimed first and stands for the whole; each item then
//! claims a key made from it and the item's place in its own transaction. A request that broke off half way and is sent again
//! so does what is missing and answers with what was done before. Where its time runs out, what is left is told one by one as not
//! reached, and the rest is done as after a break.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    context::Ctx,
    error::{Code, Error, Result},
    idempotency::Claim,
};
use crate::storage::Sha256Hex;

/// Most items of one request.
pub const MOST: usize = 500;

/// Checks how many items there are and claims the request's key.
pub async fn begin(ctx: &Ctx, items: usize) -> Result<()> {
    ctx.require_signed_in()?;
    if items == 0 {
        return Err(Error::invalid(Code::Required, "items"));
    }
    if items > MOST {
        return Err(Error::invalid(Code::OutOfRange, "items").with("least", 1).with("most", MOST));
    }
    if ctx.idempotency.is_some() {
        match ctx.begin().await {
            Ok(tx) => tx.commit(Uuid::nil()).await?,
            // It may have broken off then: each item knows whether it was done.
            Err(Error::Replayed(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The context of one item; refused where the request's time has run out, so that the outcomes of those before are told.
pub fn item(ctx: &Ctx, index: usize) -> Result<Ctx> {
    if ctx.begins_until.is_some_and(|until| ctx.now() >= until) {
        return Err(Error::refused(Code::NotReached));
    }
    let idempotency = ctx.idempotency.as_ref().map(|claim| {
        let digest = Sha256::new().chain_update(claim.key.as_bytes()).chain_update([0]);
        let digest = digest.chain_update(index.to_be_bytes()).finalize();
        let digest = Sha256Hex::from_digest(digest.into());
        // A client's own key has no blank.
        Arc::new(Claim { key: format!("item {digest}"), digest: claim.digest })
    });
    Ok(Ctx { idempotency, ..ctx.clone() })
}
