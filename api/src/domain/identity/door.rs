//! Who a credential stands for: nobody, a person by our token or an external issuer's, or a dashboard's key.
//!
//! What was checked is remembered for a while (`admission`). It deliberately decides nothing about rights: those are read in
//! every statement.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use concord_entities::{
    account, api_key, external_identity,
    id::{AccountId, SessionId},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, RelationTrait};
use uuid::Uuid;

use super::{
    admission::Genuine,
    issuer::IssuerSet,
    jws::MAX_TOKEN_BYTES,
    parts::{self, keys_directory},
    secret::{Presented, SecretDigest, SecretKind},
    signing::{self, KeyRing},
    token::{TokenKind, claimed_issuer},
};
use crate::{
    config::Config,
    domain::{Actor, App, Error, Result},
    outbound,
};

/// The caller and, where the credential ends by itself, when.
pub type Authenticated = (Actor, Option<DateTime<Utc>>);

/// Accepts or refuses a credential; whatever is wrong with it, the answer is the same.
pub async fn authenticate(app: &Arc<App>, credential: Option<&str>) -> Result<Authenticated> {
    let Some(credential) = credential else {
        return Ok((Actor::Anonymous, None));
    };
    if credential.len() > MAX_TOKEN_BYTES {
        return Err(Error::Unauthenticated);
    }
    let admissions = &app.identity.admissions;
    let (now, era) = (app.now(), admissions.era());
    if let Some(genuine) = admissions.genuine(credential)
        && genuine.expires_at > now
        && app.identity.tokens.trusts(&genuine.key_id, now)
    {
        return standing(app, &genuine).await;
    }
    if let Some(known) = admissions.find(credential, now) {
        if let Actor::Key(id) = known.0 {
            app.identity.key_uses.note(id, now);
        }
        return Ok(known);
    }
    let found = if credential.starts_with(SecretKind::ApiKey.prefix()) {
        by_key(app, credential).await?
    } else if claimed_issuer(credential).map_err(refused)? == app.identity.tokens.issuer() {
        return by_own_token(app, credential).await;
    } else {
        by_external_token(app, credential).await?
    };
    admissions.remember(credential, found, now, era);
    Ok(found)
}

fn refused(rejection: super::jws::Rejection) -> Error {
    tracing::debug!(reason = rejection.reason(), "a token was refused");
    Error::Unauthenticated
}

async fn by_own_token(app: &Arc<App>, token: &str) -> Result<Authenticated> {
    let verified = app.identity.tokens.verify(TokenKind::Access, token, app.now()).map_err(refused)?;
    let genuine = Genuine {
        account: AccountId(Uuid::parse_str(&verified.subject).map_err(|_| Error::Unauthenticated)?),
        session: SessionId(Uuid::parse_str(&verified.session).map_err(|_| Error::Unauthenticated)?),
        issued_at: verified.issued_at,
        expires_at: verified.expires_at,
        key_id: verified.key_id.as_str().into(),
    };
    app.identity.admissions.remember_genuine(token, genuine.clone());
    standing(app, &genuine).await
}

/// The person whose token is genuine, while the session stands: it was there when the token was issued, outlasts it, and
/// ends with the account.
async fn standing(app: &App, genuine: &Genuine) -> Result<Authenticated> {
    if !app.identity.admissions.stands(app, genuine).await? {
        return Err(Error::Unauthenticated);
    }
    let actor = Actor::Account { id: genuine.account, session: Some(genuine.session) };
    Ok((actor, Some(genuine.expires_at)))
}

async fn by_external_token(app: &Arc<App>, token: &str) -> Result<Authenticated> {
    let verified = app.identity.issuers.verify(token, app.now()).await.map_err(refused)?;
    let account: Option<AccountId> = external_identity::Entity::find()
        .select_only()
        .column(external_identity::Column::AccountId)
        .join(sea_orm::JoinType::InnerJoin, external_identity::Relation::Account.def())
        .filter(external_identity::Column::Issuer.eq(&verified.issuer))
        .filter(external_identity::Column::Subject.eq(&verified.subject))
        .filter(account::Column::State.eq(account::State::Active))
        .into_tuple()
        .one(&app.read)
        .await?;
    let id = account.ok_or(Error::Unauthenticated)?;
    Ok((Actor::Account { id, session: None }, Some(verified.expires_at)))
}

async fn by_key(app: &Arc<App>, text: &str) -> Result<Authenticated> {
    let presented = Presented::parse(SecretKind::ApiKey, text).map_err(|_| Error::Unauthenticated)?;
    let prefix = presented.key_prefix.as_deref().ok_or(Error::Unauthenticated)?;
    let row = api_key::Entity::find()
        .filter(api_key::Column::Prefix.eq(prefix))
        .filter(api_key::Column::RevokedAt.is_null())
        .filter(api_key::Column::ExpiresAt.gt(app.now()))
        .one(&app.read)
        .await?
        .ok_or(Error::Unauthenticated)?;
    if SecretDigest::from_bytes(&row.hash) != Some(presented.digest) {
        return Err(Error::Unauthenticated);
    }
    app.identity.key_uses.note(row.id, app.now());
    Ok((Actor::Key(row.id), Some(row.expires_at)))
}

/// What `concord check` says of the settings of signing in, the keys and the external issuers.
pub fn check(config: &Config) -> Vec<(&'static str, Result<String, String>)> {
    let keys = match KeyRing::load(&keys_directory(config), DateTime::UNIX_EPOCH) {
        Ok(ring) => Ok(format!("{} keys, {} signs", ring.list().len(), ring.active())),
        Err(signing::Error::Missing(_)) => Ok("none yet; the first start makes one".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    let settings = &config.identity.issuers;
    let issuers = outbound::Client::new(&config.outbound)
        .map_err(|error| error.to_string())
        .and_then(|client| IssuerSet::new(settings.clone(), &client).map_err(|error| error.to_string()))
        .map(|_| format!("{} configured", settings.len()));
    let limits = parts::check(&config.identity)
        .map(|()| "within their bounds".to_owned())
        .map_err(|error| error.to_string());
    vec![("sign-in settings", limits), ("signing keys", keys), ("external issuers", issuers)]
}
