//! Read-only keys of dashboards: scoped to alliances, lapsing, kept as a hash, shown once. When a key was last used is
//! noted in memory and written down by a background hand, never on the way of a request.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use concord_entities::{
    alliance, api_key, api_key_scope,
    id::{AllianceId, ApiKeyId},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel, IntoSimpleExpr,
    QueryFilter, QuerySelect, QueryTrait, Select, sea_query::Expr,
};

use super::{
    authority,
    secret::{Secret, SecretKind},
    stored_documents,
};
use crate::domain::{
    Action, Actor, App, Code, Ctx, Error, Event, Fact, Result, idempotency,
    page::{self, Order, Page},
    text,
};

/// The longest life of a key.
const LONGEST: TimeDelta = TimeDelta::days(366);
/// Most alliances that one key reads.
const MOST_ALLIANCES: usize = 100;
/// How exactly the last use is kept.
const PRECISION: TimeDelta = TimeDelta::seconds(60);

/// The keys that read an alliance whose keys the caller manages, and for a key itself.
pub fn visible(ctx: &Ctx) -> Select<api_key::Entity> {
    if let Actor::Key(id) = ctx.actor {
        return api_key::Entity::find().filter(api_key::Column::Id.eq(id));
    }
    let managed = api_key_scope::Entity::find()
        .select_only()
        .column(api_key_scope::Column::ApiKeyId)
        .filter(authority::governed(
            ctx,
            Action::ManageApiKeys,
            api_key_scope::Column::AllianceId.into_simple_expr(),
            None,
        ))
        .into_query();
    api_key::Entity::find().filter(api_key::Column::Id.in_subquery(managed))
}

/// One key, if the caller may see it.
pub async fn find(ctx: &Ctx, id: ApiKeyId) -> Result<Option<api_key::Model>> {
    Ok(visible(ctx).filter(api_key::Column::Id.eq(id)).one(ctx.read()).await?)
}

/// The keys that read an alliance, newest first.
pub async fn list(ctx: &Ctx, alliance: AllianceId, args: &page::Args) -> Result<Page<api_key::Entity>> {
    ctx.require_signed_in()?;
    let reading = api_key_scope::Entity::find()
        .select_only()
        .column(api_key_scope::Column::ApiKeyId)
        .filter(api_key_scope::Column::AllianceId.eq(alliance))
        .filter(authority::governed(
            ctx,
            Action::ManageApiKeys,
            api_key_scope::Column::AllianceId.into_simple_expr(),
            None,
        ))
        .into_query();
    let select = api_key::Entity::find().filter(api_key::Column::Id.in_subquery(reading));
    let order = Order { column: api_key::Column::CreatedAt, descending: true };
    page::fetch(ctx, select, order, api_key::Column::Id, args).await
}

/// What a key is made with.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    pub name: String,
    pub alliances: Vec<AllianceId>,
    pub expires_at: DateTime<Utc>,
    /// What it may run; without them any document.
    pub documents: Option<Vec<String>>,
}

/// Makes a key and gives its text, which is not kept.
pub async fn create(ctx: &Ctx, new: NewApiKey) -> Result<(api_key::Model, String)> {
    idempotency::refuse(ctx)?;
    let tx = ctx.begin().await?;
    let mut alliances = new.alliances;
    let mut seen = std::collections::HashSet::new();
    alliances.retain(|alliance| seen.insert(*alliance));
    let keeper = *alliances.first().ok_or_else(|| Error::invalid(Code::Required, "allianceIds"))?;
    if alliances.len() > MOST_ALLIANCES {
        return Err(Error::invalid(Code::OutOfRange, "allianceIds")
            .with("least", 1)
            .with("most", MOST_ALLIANCES));
    }
    let found = crate::domain::governance::alliance::visible(ctx)
        .filter(alliance::Column::Id.is_in(alliances.iter().copied()))
        .all(&tx.db)
        .await?;
    if found.len() != alliances.len() {
        return Err(Error::NotFound("alliance"));
    }
    if !authority::administers(ctx, &tx.db).await? {
        for alliance in &alliances {
            let target = crate::domain::Target::alliance(*alliance);
            ctx.require(&tx.db, Action::ManageApiKeys, target).await?;
        }
    }
    let name = text::required(&new.name, "name", 128)?;
    if new.expires_at <= ctx.now() || new.expires_at > ctx.now() + LONGEST {
        let most = ctx.now() + LONGEST;
        return Err(Error::invalid(Code::OutOfRange, "expiresAt")
            .with("least", ctx.now().to_rfc3339())
            .with("most", most.to_rfc3339()));
    }
    let secret = Secret::generate(SecretKind::ApiKey, &|bytes| ctx.app.fill_random(bytes));
    let prefix = secret.key_prefix().ok_or_else(|| Error::internal("a key has a prefix"))?;
    let row = api_key::ActiveModel {
        id: Set(ctx.new_id()),
        name: Set(name),
        prefix: Set(prefix.to_owned()),
        hash: Set(secret.digest().as_bytes().to_vec()),
        alliance_id: Set(keeper),
        created_by: Set(ctx.author()),
        created_at: Set(ctx.now()),
        is_bound: Set(new.documents.is_some()),
        expires_at: Set(new.expires_at),
        revoked_at: Set(None),
        last_used_at: Set(None),
    };
    let row = row.insert(&tx.db).await?;
    let scopes = alliances
        .iter()
        .map(|alliance| api_key_scope::ActiveModel { api_key_id: Set(row.id), alliance_id: Set(*alliance) });
    api_key_scope::Entity::insert_many(scopes).exec_without_returning(&tx.db).await?;
    if let Some(documents) = &new.documents {
        stored_documents::register(&tx, row.id, documents).await?;
    }
    for alliance in alliances {
        let mut fact =
            Fact::of(Event::ApiKeyCreated, row.id).alliance(alliance).detail("name", row.name.clone());
        if let Some(documents) = &new.documents {
            fact = fact.detail("documents", documents.len());
        }
        tx.record(fact).await?;
    }
    tx.commit(row.id).await?;
    Ok((row, secret.expose().to_owned()))
}

/// Ends a key at once. Whoever manages the keys of one of its alliances may.
pub async fn revoke(ctx: &Ctx, id: ApiKeyId) -> Result<api_key::Model> {
    let tx = ctx.begin().await?;
    let row = visible(ctx)
        .filter(api_key::Column::Id.eq(id))
        .lock_exclusive()
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound("api_key"))?;
    let scopes =
        api_key_scope::Entity::find().filter(api_key_scope::Column::ApiKeyId.eq(id)).all(&tx.db).await?;
    if !authority::administers(ctx, &tx.db).await? {
        let mut allowed = false;
        for scope in &scopes {
            let target = crate::domain::Target::alliance(scope.alliance_id);
            allowed |= ctx.require(&tx.db, Action::ManageApiKeys, target).await.is_ok();
        }
        if !allowed {
            return Err(Error::Forbidden);
        }
    }
    if row.revoked_at.is_some() {
        return Err(Error::refused(Code::StateRefused).with("state", "revoked"));
    }
    let mut change = row.into_active_model();
    change.revoked_at = Set(Some(ctx.now()));
    tx.end_admissions();
    let row = change.update(&tx.db).await?;
    for scope in scopes {
        tx.record(Fact::of(Event::ApiKeyRevoked, id).alliance(scope.alliance_id)).await?;
    }
    tx.commit(id).await?;
    Ok(row)
}

/// The alliances that these keys read, as far as the caller sees them.
pub async fn scopes(ctx: &Ctx, keys: &[ApiKeyId]) -> Result<Vec<(ApiKeyId, alliance::Model)>> {
    let pairs = api_key_scope::Entity::find()
        .filter(api_key_scope::Column::ApiKeyId.is_in(keys.iter().copied()))
        .all(ctx.read())
        .await?;
    let alliances = crate::domain::governance::alliance::visible(ctx)
        .filter(alliance::Column::Id.is_in(pairs.iter().map(|pair| pair.alliance_id)))
        .all(ctx.read())
        .await?;
    let by_id: HashMap<AllianceId, alliance::Model> =
        alliances.into_iter().map(|alliance| (alliance.id, alliance)).collect();
    Ok(pairs
        .into_iter()
        .filter_map(|pair| Some((pair.api_key_id, by_id.get(&pair.alliance_id)?.clone())))
        .collect())
}

/// When keys were used: noted by the door, written down by `flush_last_used`.
#[derive(Debug, Default)]
pub struct KeyUses(Mutex<Uses>);

#[derive(Debug, Default)]
struct Uses {
    waiting: HashMap<ApiKeyId, DateTime<Utc>>,
    written: HashMap<ApiKeyId, DateTime<Utc>>,
}

impl KeyUses {
    /// Notes a use; one shortly after a use that was written down is not worth another write.
    pub fn note(&self, key: ApiKeyId, at: DateTime<Utc>) {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if uses.written.get(&key).is_none_or(|written| at - *written >= PRECISION) {
            uses.waiting.insert(key, at);
        }
    }

    fn take(&self) -> HashMap<ApiKeyId, DateTime<Utc>> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).waiting)
    }

    fn wrote(&self, key: ApiKeyId, at: DateTime<Utc>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).written.insert(key, at);
    }
}

/// Writes down when keys were last used, and tells how many. Every node that answers requests does this for its own.
pub async fn flush_last_used(app: &App) -> Result<usize> {
    let uses = app.identity.key_uses.take();
    for (key, at) in &uses {
        let earlier = Condition::any()
            .add(api_key::Column::LastUsedAt.is_null())
            .add(api_key::Column::LastUsedAt.lt(*at));
        let done = api_key::Entity::update_many()
            .col_expr(api_key::Column::LastUsedAt, Expr::value(*at))
            .filter(api_key::Column::Id.eq(*key))
            .filter(earlier)
            .exec(&app.write)
            .await;
        match done {
            Ok(_) => app.identity.key_uses.wrote(*key, *at),
            // The next use notes it again; a lost one is no more than imprecision.
            Err(error) => return Err(error.into()),
        }
    }
    Ok(uses.len())
}
