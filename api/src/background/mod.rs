//! The hands: they act on what was recorded. Each is safe to run on several nodes at once and after a crash; none is
//! needed for the correctness of an answer.

use crate::domain::{Ctx, Result, chain, idempotency, rotation};

/// Does once everything that waits to be done: what `serve` repeats, and what tests call.
pub async fn run_once(ctx: &Ctx) -> Result<()> {
    while chain::seal(ctx).await? > 0 {}
    idempotency::sweep(ctx).await?;
    // rotation
    rotation::slot::mark_missed(ctx).await?;
    // list
    // fact
    Ok(())
}
