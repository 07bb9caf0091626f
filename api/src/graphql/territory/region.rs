//! Faces of regions.

use async_graphql::{ID, Object};
use concord_entities::{
    id::{RegionId, TypedId},
    region,
};
use uuid::Uuid;

use crate::{
    domain::{self, Ctx, territory::region as verbs},
    graphql::{id, node::Node},
};

/// A node of the territorial tree, from province down to building.
#[derive(Clone)]
pub struct Region(pub region::Model);

impl From<region::Model> for Region {
    fn from(row: region::Model) -> Self {
        Self(row)
    }
}

impl Node for Region {
    const NOUN: &'static str = RegionId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find(ctx, id.into()).await?.map(Self))
    }
}

#[Object]
impl Region {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// Name.
    async fn name(&self) -> &str {
        &self.0.name
    }
}
