//! Faces of what external issuers call an account.

use async_graphql::{Context, ID, InputObject, Object, Result};
use concord_entities::{
    external_identity,
    id::{ExternalIdentityId, TypedId},
};
use uuid::Uuid;

use super::account::Account;
use crate::{
    domain::{self, Ctx, identity::external_identity as verbs},
    graphql::{ctx, error::payload, id, node::Node, scalar::DateTime},
};

/// What an external issuer calls an account: issuer and subject, never an e-mail.
#[derive(Clone)]
pub struct ExternalIdentity(pub external_identity::Model);

impl From<external_identity::Model> for ExternalIdentity {
    fn from(row: external_identity::Model) -> Self {
        Self(row)
    }
}

impl Node for ExternalIdentity {
    const NOUN: &'static str = ExternalIdentityId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find(ctx, id.into()).await?.map(Self))
    }
}

/// What an external issuer calls an account: issuer and subject, never an e-mail.
#[Object]
impl ExternalIdentity {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// The `iss` of the tokens.
    async fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// The `sub` of the tokens.
    async fn subject(&self) -> &str {
        &self.0.subject
    }

    /// When it was linked.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }
}

/// Whom a subject of an external issuer is let in as.
#[derive(InputObject)]
pub struct LinkExternalIdentityInput {
    /// The person.
    account_id: ID,
    /// Exactly the `iss` of the tokens; one of the issuers in the settings.
    issuer: String,
    /// Exactly the `sub` of the tokens, at most 256 characters.
    subject: String,
}

/// Which link goes.
#[derive(InputObject)]
pub struct UnlinkExternalIdentityInput {
    /// The link.
    external_identity_id: ID,
}

payload!(
    /// What came of linking an external identity.
    LinkExternalIdentityPayload {
        /// The link.
        external_identity: ExternalIdentity
    }
);

payload!(
    /// What came of unlinking an external identity.
    UnlinkExternalIdentityPayload {
        /// The account that it opened.
        account: Account
    }
);

#[derive(Default)]
pub struct ExternalIdentityMutation;

#[Object]
impl ExternalIdentityMutation {
    /// Lets the subject of an external issuer in as a person. Needs power over every role of the person.
    async fn link_external_identity(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who is whom.")] input: LinkExternalIdentityInput,
    ) -> Result<LinkExternalIdentityPayload> {
        let ctx = ctx(context);
        let result = async {
            let account = id::decode(&input.account_id, "accountId")?;
            verbs::link(ctx, account, &input.issuer, &input.subject).await
        };
        LinkExternalIdentityPayload::of(ctx, result.await).await
    }

    /// Takes a link away; tokens of that subject are refused at once. Needs power over every role of the person.
    async fn unlink_external_identity(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which link.")] input: UnlinkExternalIdentityInput,
    ) -> Result<UnlinkExternalIdentityPayload> {
        let ctx = ctx(context);
        let result = async {
            verbs::unlink(ctx, id::decode(&input.external_identity_id, "externalIdentityId")?).await
        };
        UnlinkExternalIdentityPayload::of(ctx, result.await).await
    }
}
