//! Sessions: a sign-in starts a family of single-use refresh tokens; access tokens are short and carry no rights.
//!
//! An unknown user costs what a known one costs: the attempt is counted while the password is compared, and no answer
//! tells which of the two was wrong. Attempts under one name take turns. It deliberately sets no cookies.

use chrono::{DateTime, TimeDelta, Utc};
use concord_entities::{
    account,
    id::{AccountId, SessionId},
    refresh_token,
    session::{self, EndReason},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
    QueryTrait, sea_query::Expr,
};
use uuid::Uuid;

use super::{
    password::{self, Outcome, Weakness},
    secret::{Presented, Secret, SecretKind},
    token::{Grant, TokenKind},
};
use crate::domain::{Actor, App, Code, Ctx, Error, Event, Fact, Result, Tx, idempotency};

/// How long a session that ended by itself is remembered.
const REMEMBERED: TimeDelta = TimeDelta::days(7);

/// How long after it was spent a refresh token may come back without harm: a second tab, or a request sent again. It is
/// good for nothing then either; whoever brings it later has kept what they should not have.
const STRAGGLERS: TimeDelta = TimeDelta::seconds(10);

/// What a sign-in or a refresh answers with.
#[derive(Clone)]
pub struct Tokens {
    pub access_token: String,
    pub access_expires_at: DateTime<Utc>,
    pub refresh_token: String,
    pub refresh_expires_at: DateTime<Utc>,
    pub account: account::Model,
}

/// Starts a session.
pub async fn sign_in(ctx: &Ctx, username: &str, password: &str) -> Result<Tokens> {
    idempotency::refuse(ctx)?;
    let username = username.trim().to_lowercase();
    let _turn = ctx.app.identity.turns.take(&username).await.map_err(busy)?;
    let known = account::Entity::find()
        .filter(account::Column::Username.eq(&username))
        .filter(account::Column::State.eq(account::State::Active))
        .one(ctx.read())
        .await?;
    let stored = known.as_ref().and_then(usable_hash);
    // Both at once: writing the attempt down must not show in the time of the answer.
    let (counted, outcome) = tokio::join!(
        async {
            match &known {
                Some(account) => count_attempt(ctx, account.id).await,
                None => Ok(false),
            }
        },
        ctx.app.identity.passwords.verify(password, stored)
    );
    let (counted, outcome) = (counted?, outcome.map_err(busy)?);
    let (Some(known), true, Outcome::Match { rehash }) = (known, counted, outcome) else {
        return Err(Error::refused(Code::SignInRefused));
    };
    let fresh_hash = if rehash { Some(hash(&ctx.app, password).await?) } else { None };
    let own = Ctx { actor: Actor::Account { id: known.id, session: None }, ..ctx.clone() };
    let tx = own.begin().await?;
    let row = locked(&tx, known.id).await?;
    // A password changed or an account disabled meanwhile wins.
    if row.state != account::State::Active || row.password_hash != known.password_hash {
        return Err(Error::refused(Code::SignInRefused));
    }
    let mut change = row.into_active_model();
    change.failed_attempts = Set(0);
    change.locked_until_at = Set(None);
    if let Some(hash) = fresh_hash {
        change.password_hash = Set(Some(hash));
    }
    let row = change.update(&tx.db).await?;
    let started = session::ActiveModel {
        id: Set(ctx.new_id()),
        account_id: Set(row.id),
        created_at: Set(ctx.now()),
        expires_at: Set(ctx.now() + TimeDelta::days(ctx.app.config.identity.session_days)),
        ended_at: Set(None),
        ended_reason: Set(None),
    };
    let started = started.insert(&tx.db).await?;
    let tokens = issue(&tx, &started, row).await?;
    tx.record(Fact::of(Event::SignedIn, tokens.account.id).detail("sessionId", started.id.to_string()))
        .await?;
    tx.commit(started.id).await?;
    Ok(tokens)
}

/// A stored hash that a password can be compared with; `!` and the like open nothing.
fn usable_hash(account: &account::Model) -> Option<&str> {
    account.password_hash.as_deref().filter(|hash| hash.starts_with('$'))
}

fn busy(error: password::Error) -> Error {
    match error {
        password::Error::Busy => Error::Unavailable(error.into()),
        other => Error::internal(other),
    }
}

async fn locked(tx: &Tx<'_>, id: AccountId) -> Result<account::Model> {
    account::Entity::find_by_id(id)
        .lock_exclusive()
        .one(&tx.db)
        .await?
        .ok_or_else(|| Error::refused(Code::SignInRefused))
}

/// Counts one attempt before its outcome is known, so that parallel guesses cannot outrun the limit; tells whether it may
/// be made. The attempt after the last allowed one locks the account instead.
async fn count_attempt(ctx: &Ctx, id: AccountId) -> Result<bool> {
    let identity = &ctx.app.config.identity;
    let tx = ctx.begin().await?;
    let row = locked(&tx, id).await?;
    if row.locked_until_at.is_some_and(|until| until > ctx.now()) {
        return Ok(false);
    }
    let earlier = if row.locked_until_at.is_some() { 0 } else { row.failed_attempts };
    let allowed = earlier < identity.lockout_attempts;
    let mut change = row.into_active_model();
    if allowed {
        change.failed_attempts = Set(earlier + 1);
        change.locked_until_at = Set(None);
    } else {
        change.failed_attempts = Set(0);
        change.locked_until_at = Set(Some(ctx.now() + TimeDelta::minutes(identity.lockout_minutes)));
        tx.record(Fact::of(Event::AccountLocked, id).detail("attempts", earlier)).await?;
    }
    change.update(&tx.db).await?;
    tx.commit(id).await?;
    Ok(allowed)
}

/// Gives a session its next pair of tokens.
async fn issue(tx: &Tx<'_>, session: &session::Model, account: account::Model) -> Result<Tokens> {
    let (ctx, app) = (tx.ctx, &tx.ctx.app);
    let secret = Secret::generate(SecretKind::Refresh, &|bytes| app.fill_random(bytes));
    let expires_at =
        session.expires_at.min(ctx.now() + TimeDelta::days(app.config.identity.refresh_token_days));
    let row = refresh_token::ActiveModel {
        id: Set(ctx.new_id()),
        session_id: Set(session.id),
        hash: Set(secret.digest().as_bytes().to_vec()),
        issued_at: Set(ctx.now()),
        expires_at: Set(expires_at),
        redeemed_at: Set(None),
    };
    row.insert(&tx.db).await?;
    let token_id: Uuid = ctx.new_id();
    // No token outlasts its session.
    let left = (session.expires_at - ctx.now()).max(TimeDelta::seconds(1));
    let grant = Grant {
        subject: &session.account_id.to_string(),
        session: &session.id.to_string(),
        token_id: &token_id.to_string(),
        lifetime: TimeDelta::seconds(app.config.identity.access_token_seconds).min(left),
    };
    let access = app.identity.tokens.issue(TokenKind::Access, &grant, ctx.now()).map_err(Error::internal)?;
    Ok(Tokens {
        access_token: access.token,
        access_expires_at: access.expires_at,
        refresh_token: secret.expose().to_owned(),
        refresh_expires_at: expires_at,
        account,
    })
}

/// Spends a refresh token for the next pair. One that was spent before is refused, and ends its whole family unless it
/// comes back at once.
pub async fn refresh(ctx: &Ctx, token: &str) -> Result<Tokens> {
    idempotency::refuse(ctx)?;
    let presented = Presented::parse(SecretKind::Refresh, token).map_err(|_| Error::Unauthenticated)?;
    let hash = presented.digest.as_bytes().to_vec();
    let find = || refresh_token::Entity::find().filter(refresh_token::Column::Hash.eq(hash.clone()));
    let seen = find().one(ctx.read()).await?.ok_or(Error::Unauthenticated)?;
    let family =
        session::Entity::find_by_id(seen.session_id).one(ctx.read()).await?.ok_or(Error::Unauthenticated)?;
    let own =
        Ctx { actor: Actor::Account { id: family.account_id, session: Some(family.id) }, ..ctx.clone() };
    if let Some(spent_at) = seen.redeemed_at {
        if ctx.now() - spent_at >= STRAGGLERS {
            end_family(&own, family.id).await?;
        }
        return Err(Error::Unauthenticated);
    }
    let tx = own.begin().await?;
    let spent = refresh_token::Entity::update_many()
        .col_expr(refresh_token::Column::RedeemedAt, Expr::value(ctx.now()))
        .filter(refresh_token::Column::Id.eq(seen.id))
        .filter(refresh_token::Column::RedeemedAt.is_null())
        .filter(refresh_token::Column::ExpiresAt.gt(ctx.now()))
        .exec(&tx.db)
        .await?;
    // It was unspent when this request came: whoever loses this race is turned away and harms nobody.
    if spent.rows_affected != 1 {
        return Err(Error::Unauthenticated);
    }
    let (family, account) = session::Entity::find_by_id(family.id)
        .filter(session::Column::EndedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(ctx.now()))
        .filter(account::Column::State.eq(account::State::Active))
        .find_also_related(account::Entity)
        .one(&tx.db)
        .await?
        .ok_or(Error::Unauthenticated)?;
    let account = account.ok_or(Error::Unauthenticated)?;
    let tokens = issue(&tx, &family, account).await?;
    tx.record(
        Fact::of(Event::SessionRefreshed, tokens.account.id).detail("sessionId", family.id.to_string()),
    )
    .await?;
    tx.commit(family.id).await?;
    Ok(tokens)
}

async fn end_family(ctx: &Ctx, id: SessionId) -> Result<()> {
    let tx = ctx.begin().await?;
    let ended = end_where(&tx, EndReason::Reused, session::Column::Id.eq(id).into()).await?;
    if ended > 0 {
        let account = ctx.account_id()?;
        tx.record(Fact::of(Event::RefreshTokenReused, account).detail("sessionId", id.to_string())).await?;
    }
    tx.commit(id).await
}

/// Ends the standing sessions that `which` selects and tells how many there were.
async fn end_where(tx: &Tx<'_>, reason: EndReason, which: sea_orm::Condition) -> Result<u64> {
    tx.end_admissions();
    let done = session::Entity::update_many()
        .col_expr(session::Column::EndedAt, Expr::value(tx.ctx.now()))
        .col_expr(session::Column::EndedReason, Expr::value(reason))
        .filter(session::Column::EndedAt.is_null())
        .filter(which)
        .exec(&tx.db)
        .await?;
    Ok(done.rows_affected)
}

/// Ends all sessions of a person, but for one.
pub(super) async fn end_all(
    tx: &Tx<'_>,
    account: AccountId,
    reason: EndReason,
    but: Option<SessionId>,
) -> Result<u64> {
    let mut which = sea_orm::Condition::all().add(session::Column::AccountId.eq(account));
    if let Some(but) = but {
        which = which.add(session::Column::Id.ne(but));
    }
    end_where(tx, reason, which).await
}

/// Ends this session, or with `everywhere` all of the caller's.
pub async fn sign_out(ctx: &Ctx, everywhere: bool) -> Result<account::Model> {
    let tx = ctx.begin().await?;
    let id = ctx.account_id()?;
    let ended = match ctx.actor {
        Actor::Account { session: Some(session), .. } if !everywhere => {
            end_where(&tx, EndReason::SignedOut, session::Column::Id.eq(session).into()).await?
        }
        _ if everywhere => end_all(&tx, id, EndReason::SignedOut, None).await?,
        // A token of an external issuer has no session here that could end.
        _ => return Err(Error::refused(Code::StateRefused).with("state", "external")),
    };
    let row = locked(&tx, id).await?;
    tx.record(Fact::of(Event::SignedOut, id).detail("sessions", ended)).await?;
    tx.commit(id).await?;
    Ok(row)
}

/// Forgets sessions and their tokens a week after they ended by themselves; until then a spent token is known for what it is.
pub async fn sweep(ctx: &Ctx) -> Result<u64> {
    let gone = session::Entity::find()
        .select_only()
        .column(session::Column::Id)
        .filter(session::Column::ExpiresAt.lt(ctx.now() - REMEMBERED))
        .into_query();
    refresh_token::Entity::delete_many()
        .filter(refresh_token::Column::SessionId.in_subquery(gone))
        .exec(&ctx.app.write)
        .await?;
    let done = session::Entity::delete_many()
        .filter(session::Column::ExpiresAt.lt(ctx.now() - REMEMBERED))
        .exec(&ctx.app.write)
        .await?;
    Ok(done.rows_affected)
}

/// Changes the caller's own password and ends their other sessions.
pub async fn change_password(ctx: &Ctx, current: &str, new: &str) -> Result<account::Model> {
    idempotency::refuse(ctx)?;
    let id = ctx.account_id()?;
    let find = || account::Entity::find_by_id(id).one(ctx.read());
    let known = find().await?.ok_or(Error::Unauthenticated)?;
    let wrong = || Error::invalid(Code::SignInRefused, "currentPassword");
    check_new(&known.username, new, "newPassword")?;
    let _turn = ctx.app.identity.turns.take(&known.username).await.map_err(busy)?;
    // Read again: whoever had the turn before may have changed it.
    let known = find().await?.ok_or(Error::Unauthenticated)?;
    // A stolen access token must not become a way to guess the password.
    let (counted, outcome) =
        tokio::join!(count_attempt(ctx, id), ctx.app.identity.passwords.verify(current, usable_hash(&known)));
    if !counted? || outcome.map_err(busy)? == Outcome::Mismatch {
        return Err(wrong());
    }
    if new == current {
        return Err(Error::invalid(Code::PasswordUnchanged, "newPassword"));
    }
    let hash = hash(&ctx.app, new).await?;
    let tx = ctx.begin().await?;
    let row = locked(&tx, id).await?;
    if row.state != account::State::Active || row.password_hash != known.password_hash {
        return Err(wrong());
    }
    let but = match ctx.actor {
        Actor::Account { session, .. } => session,
        _ => None,
    };
    let row = set_password(&tx, row, hash).await?;
    end_all(&tx, id, EndReason::PasswordChanged, but).await?;
    tx.record(Fact::of(Event::PasswordChanged, id)).await?;
    tx.commit(id).await?;
    Ok(row)
}

/// Writes a new hash and forgets the wrong attempts.
pub(super) async fn set_password(tx: &Tx<'_>, row: account::Model, hash: String) -> Result<account::Model> {
    let version = row.version + 1;
    let mut change = row.into_active_model();
    change.password_hash = Set(Some(hash));
    change.failed_attempts = Set(0);
    change.locked_until_at = Set(None);
    change.state = Set(account::State::Active);
    change.version = Set(version);
    Ok(change.update(&tx.db).await?)
}

/// Checks a new password and hashes it into what an account stores.
pub async fn hash_new(app: &App, username: &str, new: &str, field: &'static str) -> Result<String> {
    check_new(username, new, field)?;
    hash(app, new).await
}

fn check_new(username: &str, new: &str, field: &'static str) -> Result<()> {
    password::check(new, username).map_err(|weakness| match weakness {
        Weakness::TooShort => Error::invalid(Code::TooShort, field).with("least", password::MIN_LENGTH),
        Weakness::TooLong => Error::invalid(Code::TooLong, field).with("most", password::MAX_LENGTH),
        Weakness::Username | Weakness::Common => Error::invalid(Code::PasswordWeak, field),
    })
}

async fn hash(app: &App, password: &str) -> Result<String> {
    app.identity.passwords.hash(password, app.random_bytes()).await.map_err(busy)
}
