//! Faces of instructors, who serve places that have no branch.

use async_graphql::{Context, ID, Object, Result};
use concord_entities::{
    branch_instructor,
    id::{BranchInstructorId, TypedId},
};
use uuid::Uuid;

use crate::{
    domain::{self, Ctx, branch as verbs},
    graphql::{
        ctx,
        error::OrApiError,
        governance::{
            alliance::Alliance,
            membership::{ContactPerson, reads_contacts},
            organization::Organization,
        },
        grid::cell::GridCell,
        id, loaders,
        node::Node,
        scalar::Date,
        territory::region::Region,
    },
};

/// An instructor (党建指导员) who serves a place that has no branch, from one day up to another.
#[derive(Clone)]
pub struct BranchInstructor(pub branch_instructor::Model);

impl From<branch_instructor::Model> for BranchInstructor {
    fn from(row: branch_instructor::Model) -> Self {
        Self(row)
    }
}

impl Node for BranchInstructor {
    const NOUN: &'static str = BranchInstructorId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find_instructor(ctx, id.into()).await?.map(Self))
    }
}

/// What an instructor serves: one of these.
pub struct BranchInstructorPlace(branch_instructor::Model);

/// What an instructor serves: one of these.
#[Object]
impl BranchInstructorPlace {
    /// The community, compound or other region, if it is one.
    async fn region(&self, context: &Context<'_>) -> Result<Option<Region>> {
        match self.0.region_id {
            Some(id) => Ok(loaders::one(context, id).await?.map(Region)),
            None => Ok(None),
        }
    }

    /// The grid cell, if it is one.
    async fn cell(&self, context: &Context<'_>) -> Result<Option<GridCell>> {
        match self.0.cell_id {
            Some(id) => Ok(loaders::one(context, id).await?.map(GridCell)),
            None => Ok(None),
        }
    }

    /// The enterprise or other member unit, if it is one.
    async fn organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        match self.0.served_organization_id {
            Some(id) => Ok(loaders::one(context, id).await?.map(Organization)),
            None => Ok(None),
        }
    }

    /// The market's name, if it is one.
    async fn market(&self) -> Option<&str> {
        self.0.market.as_deref()
    }
}

/// An instructor (党建指导员) who serves a place that has no branch, from one day up to another.
#[Object]
impl BranchInstructor {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// Whose territory it is.
    async fn alliance(&self, context: &Context<'_>) -> Result<Option<Alliance>> {
        Ok(loaders::one(context, self.0.alliance_id).await?.map(Alliance))
    }

    /// The unit that the person is of.
    async fn organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        Ok(loaders::one(context, self.0.organization_id).await?.map(Organization))
    }

    /// The person; name and phone are masked for whoever may not read contacts of the unit.
    async fn person(&self, context: &Context<'_>) -> Result<Option<ContactPerson>> {
        let row = &self.0;
        let clear = reads_contacts(context, row.alliance_id, &[row.organization_id]).await?;
        Ok(ContactPerson::new(Some(&row.name), None, row.phone.as_deref(), clear))
    }

    /// What is served.
    async fn place(&self) -> BranchInstructorPlace {
        BranchInstructorPlace(self.0.clone())
    }

    /// The first day.
    async fn since(&self) -> Date {
        self.0.since_on.into()
    }

    /// The first day on which the person serves it no more; null while it has no end.
    async fn until(&self) -> Option<Date> {
        self.0.until_on.map(Date)
    }

    /// Grows by one with every change; give it as `expectedVersion`.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

#[derive(Default)]
pub struct BranchInstructorQuery;

#[Object]
impl BranchInstructorQuery {
    /// One instructor; null where there is none or the caller may not see it.
    async fn branch_instructor(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Identifier of the instructor.")] id: ID,
    ) -> Result<Option<BranchInstructor>> {
        let ctx = ctx(context);
        let id = id::decode(&id, "id").or_api_error(ctx)?;
        Ok(verbs::find_instructor(ctx, id).await.or_api_error(ctx)?.map(BranchInstructor))
    }
}
