//! Organisations: recorded once, seated in many alliances. Seen by whoever shares an alliance with them.

use concord_entities::{
    id::{OrganizationId, RegionId},
    membership,
    organization::{self, Kind},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect,
    QueryTrait, Select,
};

use crate::domain::{
    Code, Ctx, Error, Event, Fact, Result, Tx, governance::alliance::require_platform_admin, scope, text,
};

/// The organisations that hold or held a seat in an alliance the caller may see, or that the caller acts for.
pub fn visible(ctx: &Ctx) -> Select<organization::Entity> {
    let seated = membership::Entity::find()
        .select_only()
        .column(membership::Column::OrganizationId)
        .filter(scope::in_alliances(ctx, membership::Column::AllianceId))
        .into_query();
    organization::Entity::find().filter(
        Condition::any()
            .add(organization::Column::Id.in_subquery(seated))
            .add(scope::own_organization(ctx, organization::Column::Id)),
    )
}

/// One organisation, if the caller may see it.
pub async fn find(ctx: &Ctx, id: OrganizationId) -> Result<Option<organization::Model>> {
    Ok(visible(ctx).filter(organization::Column::Id.eq(id)).one(ctx.read()).await?)
}

/// What an organisation is recorded with.
#[derive(Clone, Debug)]
pub struct NewOrganization {
    pub name: String,
    pub short_name: Option<String>,
    pub kind: Kind,
    pub credit_code: Option<String>,
    pub region_id: Option<RegionId>,
}

/// Records an organisation by the platform's own hand; committees record theirs by inviting them.
pub async fn record(ctx: &Ctx, new: NewOrganization) -> Result<organization::Model> {
    let tx = ctx.begin().await?;
    require_platform_admin(&tx).await?;
    let row = insert(&tx, new).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Records an organisation within a unit of work.
pub async fn insert(tx: &Tx<'_>, new: NewOrganization) -> Result<organization::Model> {
    if let Some(code) = &new.credit_code
        && organization::Entity::find()
            .filter(organization::Column::CreditCode.eq(code))
            .one(&tx.db)
            .await?
            .is_some()
    {
        return Err(Error::invalid(Code::AlreadyExists, "creditCode"));
    }
    let row = organization::ActiveModel {
        id: Set(tx.ctx.new_id()),
        name: Set(text::required(&new.name, "name", 200)?),
        short_name: Set(text::optional(new.short_name.as_deref(), "shortName", 64)?),
        kind: Set(new.kind),
        credit_code: Set(new.credit_code),
        region_id: Set(new.region_id),
        created_at: Set(tx.ctx.now()),
        version: Set(1),
    };
    let row = row.insert(&tx.db).await?;
    tx.record(
        Fact::of(Event::OrganizationRecorded, row.id)
            .organizations([row.id])
            .detail("name", row.name.clone()),
    )
    .await?;
    Ok(row)
}
