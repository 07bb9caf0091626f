//! Faces of organisations.

use async_graphql::{ID, Object};
use concord_entities::{
    id::{OrganizationId, TypedId},
    organization,
};
use uuid::Uuid;

use crate::{
    domain::{self, Ctx, governance::organization as verbs},
    graphql::{id, node::Node},
};

/// A unit: government unit, enterprise, property firm, volunteer group and so on.
#[derive(Clone)]
pub struct Organization(pub organization::Model);

impl From<organization::Model> for Organization {
    fn from(row: organization::Model) -> Self {
        Self(row)
    }
}

impl Node for Organization {
    const NOUN: &'static str = OrganizationId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find(ctx, id.into()).await?.map(Self))
    }
}

#[Object]
impl Organization {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// Full name.
    async fn name(&self) -> &str {
        &self.0.name
    }
}
