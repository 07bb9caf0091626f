//! Faces of dashboards' read-only keys.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use concord_entities::{
    api_key,
    id::{ApiKeyId, TypedId},
};
use uuid::Uuid;

use super::{
    account::Account,
    batch::{AlliancesOf, DocumentsOf},
    once,
};
use crate::{
    domain::{
        self, Ctx,
        identity::api_key::{self as verbs, NewApiKey},
    },
    graphql::{
        connection::{args, connection},
        ctx,
        error::{OrApiError, UserError, payload},
        governance::alliance::Alliance,
        id, loaders,
        node::Node,
        scalar::DateTime,
    },
};

/// A read-only key of a dashboard.
#[derive(Clone)]
pub struct ApiKey(pub api_key::Model);

impl From<api_key::Model> for ApiKey {
    fn from(row: api_key::Model) -> Self {
        Self(row)
    }
}

impl Node for ApiKey {
    const NOUN: &'static str = ApiKeyId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find(ctx, id.into()).await?.map(Self))
    }
}

/// A read-only key of a dashboard.
#[Object]
impl ApiKey {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// What it is for.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The public part, by which keys are told apart.
    async fn prefix(&self) -> &str {
        &self.0.prefix
    }

    /// The alliances that it reads, as far as the caller sees them.
    async fn alliances(&self, context: &Context<'_>) -> Result<Vec<Alliance>> {
        let rows = loaders::one(context, AlliancesOf(self.0.id)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(Alliance).collect())
    }

    /// SHA-256, in hexadecimal, of every document that it may run; null where it may run any.
    async fn documents(&self, context: &Context<'_>) -> Result<Option<Vec<String>>> {
        if !self.0.is_bound {
            return Ok(None);
        }
        Ok(Some(loaders::one(context, DocumentsOf(self.0.id)).await?.unwrap_or_default()))
    }

    /// Who made it.
    async fn created_by(&self, context: &Context<'_>) -> Result<Option<Account>> {
        match self.0.created_by {
            Some(account) => Ok(loaders::one(context, account).await?.map(Account)),
            None => Ok(None),
        }
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it lapses.
    async fn expires_at(&self) -> DateTime {
        self.0.expires_at.into()
    }

    /// When it was revoked.
    async fn revoked_at(&self) -> Option<DateTime> {
        self.0.revoked_at.map(Into::into)
    }

    /// When it was last used, to the minute.
    async fn last_used_at(&self) -> Option<DateTime> {
        self.0.last_used_at.map(Into::into)
    }
}

connection!(ApiKeyConnection, ApiKeyEdge, ApiKey, api_key::Entity);

#[derive(Default)]
pub struct ApiKeyQuery;

#[Object]
impl ApiKeyQuery {
    /// The keys that read an alliance, newest first; for those who manage its keys.
    async fn api_keys(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The alliance.")] alliance_id: ID,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<ApiKeyConnection> {
        let ctx = ctx(context);
        let alliance = id::decode(&alliance_id, "allianceId").or_api_error(ctx)?;
        let page = verbs::list(ctx, alliance, &args(first, after, last, before)).await;
        Ok(page.or_api_error(ctx)?.into())
    }
}

/// What a key is made with.
#[derive(InputObject)]
pub struct CreateApiKeyInput {
    /// What it is for, at most 128 characters.
    name: String,
    /// The alliances that it reads, 1 to 100; the caller manages the keys of each.
    alliance_ids: Vec<ID>,
    /// When it lapses, at most 366 days from now.
    expires_at: DateTime,
    /// The only documents that it may run, 1 to 100 of at most 64 KiB each; by their text, or by its SHA-256 as persisted
    /// documents. Without them it may run any. They stay as they are: another list takes another key.
    documents: Option<Vec<String>>,
}

impl CreateApiKeyInput {
    fn read(self) -> domain::Result<NewApiKey> {
        Ok(NewApiKey {
            name: self.name,
            alliances: id::decode_all(&self.alliance_ids, "allianceIds")?,
            expires_at: self.expires_at.0,
            documents: self.documents,
        })
    }
}

/// What came of making a key.
#[derive(SimpleObject)]
pub struct CreateApiKeyPayload {
    /// The key as it is listed.
    api_key: Option<ApiKey>,
    /// The key itself; it is shown this once. Send it as `Authorization: Bearer`.
    secret: Option<String>,
    /// What the caller can mend; empty when the key was made.
    user_errors: Vec<UserError>,
}

/// Which key ends.
#[derive(InputObject)]
pub struct RevokeApiKeyInput {
    /// The key.
    api_key_id: ID,
}

payload!(
    /// What came of revoking a key.
    RevokeApiKeyPayload {
        /// The key.
        api_key: ApiKey
    }
);

#[derive(Default)]
pub struct ApiKeyMutation;

#[Object]
impl ApiKeyMutation {
    /// Makes a read-only key for a dashboard, bound to a list of documents if one is given. Only committees may, for their
    /// own alliances. Takes no idempotency key.
    async fn create_api_key(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What it is made with.")] input: CreateApiKeyInput,
    ) -> Result<CreateApiKeyPayload> {
        let ctx = ctx(context);
        let (made, user_errors) = once(ctx, async { verbs::create(ctx, input.read()?).await }.await)?;
        let (api_key, secret) = made.unzip();
        Ok(CreateApiKeyPayload { api_key: api_key.map(ApiKey), secret, user_errors })
    }

    /// Ends a key at once. Whoever manages the keys of one of its alliances may.
    async fn revoke_api_key(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which key.")] input: RevokeApiKeyInput,
    ) -> Result<RevokeApiKeyPayload> {
        let ctx = ctx(context);
        let result = async { verbs::revoke(ctx, id::decode(&input.api_key_id, "apiKeyId")?).await };
        RevokeApiKeyPayload::of(ctx, result.await).await
    }
}
