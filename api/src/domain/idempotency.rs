//! A client's key of one mutation: claimed in the verb's own transaction, so that it commits or vanishes with the work.
//! Refusals are not stored; a request with the same key and body answers with the same object.

use chrono::TimeDelta;
use concord_entities::idempotency_key::{self, ActiveModel, Column, Entity};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, QueryFilter, sea_query::OnConflict};
use uuid::Uuid;

use super::{
    context::{Actor, Ctx, Tx},
    error::{Code, Error, Result},
};

/// How long a key is kept.
const KEPT: TimeDelta = TimeDelta::hours(24);

/// The key of a request and the digest of what it asks for.
#[derive(Debug)]
pub struct Claim {
    pub key: String,
    pub digest: [u8; 32],
}

fn actor(ctx: &Ctx) -> Result<String> {
    match ctx.actor {
        Actor::Account { id, .. } => Ok(format!("account:{id}")),
        _ => Err(Error::Unauthenticated),
    }
}

/// Turns away a key on a mutation that answers with a secret, which must not be stored to be given again.
pub fn refuse(ctx: &Ctx) -> Result<()> {
    if ctx.idempotency.is_some() { Err(Error::refused(Code::IdempotencyKeyRefused)) } else { Ok(()) }
}

/// Takes the key for this unit of work, or tells what came of it before.
pub(super) async fn claim(tx: &Tx<'_>, claim: &Claim) -> Result<()> {
    let (actor, now) = (actor(tx.ctx)?, tx.ctx.now());
    let row = ActiveModel {
        actor: Set(actor.clone()),
        key: Set(claim.key.clone()),
        digest: Set(claim.digest.to_vec()),
        result_id: Set(None),
        created_at: Set(now),
    };
    // A concurrent holder of the same key makes this wait until it has committed or rolled back.
    let inserted = Entity::insert(row)
        .on_conflict(
            OnConflict::columns([Column::Actor, Column::Key])
                .update_columns([Column::Digest, Column::ResultId, Column::CreatedAt])
                .action_and_where(Column::CreatedAt.lt(now - KEPT))
                .to_owned(),
        )
        .exec_without_returning(&tx.db)
        .await?;
    if inserted == 1 {
        return Ok(());
    }
    let earlier = Entity::find_by_id((actor, claim.key.clone()))
        .one(&tx.db)
        .await?
        .ok_or_else(|| Error::internal("a claimed idempotency key vanished"))?;
    if earlier.digest == claim.digest {
        Err(Error::Replayed(earlier.result_id))
    } else {
        Err(Error::refused(Code::IdempotencyKeyReused))
    }
}

/// Notes what the request answered with.
pub(super) async fn settle(tx: &Tx<'_>, claim: &Claim, result: Uuid) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::ResultId, sea_orm::sea_query::Expr::value(result))
        .filter(Column::Actor.eq(actor(tx.ctx)?).and(Column::Key.eq(claim.key.clone())))
        .exec(&tx.db)
        .await?;
    Ok(())
}

/// Forgets keys older than a day.
pub async fn sweep(ctx: &Ctx) -> Result<u64> {
    let done = idempotency_key::Entity::delete_many()
        .filter(Column::CreatedAt.lt(ctx.now() - KEPT))
        .exec(&ctx.app.write)
        .await?;
    Ok(done.rows_affected)
}
