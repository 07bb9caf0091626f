//! One-time links of follow-ups: whoever reported a problem answers by one without signing in. Only the hash of the secret is
//! kept; sending it is left to whoever made it.

use chrono::{DateTime, TimeDelta, Utc};
use concord_entities::{
    follow_up::{self, Kind, Model, State},
    follow_up_link::{self, Column, Entity},
    id::FollowUpId,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::{Answer, WhichFollowUp, has_reporter, hold, is_of, settle, terms, told};
use crate::domain::{
    Action, Actor, Code, Ctx, Error, Event, Result, Tx, idempotency,
    identity::secret::{Presented, Secret, SecretKind},
    list::problem::moves::{self, Which},
};

/// How long a link answers.
const LASTS: TimeDelta = TimeDelta::days(7);

/// A link that was just made; its secret is shown once.
#[derive(Clone, Debug)]
pub struct IssuedLink {
    pub secret: String,
    pub expires_at: DateTime<Utc>,
}

/// Makes a link for a follow-up that is due; earlier ones stop working.
pub async fn issue(ctx: &Ctx, which: WhichFollowUp) -> Result<(Model, IssuedLink)> {
    idempotency::refuse(ctx)?;
    let (held, row) = hold(ctx, which).await?;
    void(&held.tx, row.id).await?;
    let secret = Secret::generate(SecretKind::FollowUp, &|bytes| ctx.app.fill_random(bytes));
    let expires_at = ctx.now() + LASTS;
    let link = follow_up_link::ActiveModel {
        id: Set(ctx.new_id()),
        follow_up_id: Set(row.id),
        hash: Set(secret.digest().as_bytes().to_vec()),
        created_by: Set(ctx.author()),
        created_at: Set(ctx.now()),
        expires_at: Set(expires_at),
        used_at: Set(None),
    };
    link.insert(&held.tx.db).await?;
    held.tx.record(told(Event::FollowUpLinkIssued, &held.row, &row)).await?;
    held.tx.commit(row.id).await?;
    Ok((row, IssuedLink { secret: secret.expose().to_owned(), expires_at }))
}

/// Makes the unused links of a follow-up useless; tells how many those were.
async fn void(tx: &Tx<'_>, of: FollowUpId) -> Result<u64> {
    let done = Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(tx.ctx.now()))
        .filter(Column::FollowUpId.eq(of))
        .filter(Column::UsedAt.is_null())
        .exec(&tx.db)
        .await?;
    Ok(done.rows_affected)
}

/// What a reporter gets to know of the problem.
#[derive(Clone, Debug)]
pub struct Answered {
    pub number: String,
    pub title: String,
}

/// Answers a follow-up by its link, once. Mistyped, unknown, used and lapsed links are told apart nowhere.
pub async fn answer(ctx: &Ctx, secret: &str, answer: Answer) -> Result<Answered> {
    idempotency::refuse(ctx)?;
    let invalid = || Error::invalid(Code::LinkInvalid, "token");
    let presented = Presented::parse(SecretKind::FollowUp, secret.trim()).map_err(|_| invalid())?;
    let (link, asked) = Entity::find()
        .filter(Column::Hash.eq(presented.digest.as_bytes().to_vec()))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(ctx.now()))
        .find_also_related(follow_up::Entity)
        .one(ctx.read())
        .await?
        .ok_or_else(invalid)?;
    let asked = asked.ok_or_else(invalid)?;
    // Whoever holds the link is nobody with an account: the platform writes what they say.
    let terms = terms(ctx, asked.id).await?;
    let own = Ctx { actor: Actor::System, ..ctx.clone() };
    let which = Which { id: asked.problem_id, expected_version: None };
    let held = moves::take(own.begin().await?, which, Action::RecordFollowUp).await?;
    // Again under the lock of the problem, which every change of a follow-up holds.
    let row = follow_up::Entity::find_by_id(asked.id).one(&held.tx.db).await?.ok_or_else(invalid)?;
    is_of(&row, &held)?;
    let used = Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(ctx.now()))
        .filter(Column::Id.eq(link.id))
        .filter(Column::UsedAt.is_null())
        .exec(&held.tx.db)
        .await?;
    if used.rows_affected != 1 || row.state != State::Due || !has_reporter(&held, &row).await? {
        return Err(invalid());
    }
    let seen = Answered { number: held.row.number.clone(), title: held.row.title.clone() };
    let row = settle(&held, &terms, &row, Kind::Link, answer).await?;
    held.tx.commit(row.id).await?;
    Ok(seen)
}
