//! Seats of organisations in alliances.

use concord_entities::{
    id::{AllianceId, OrganizationId},
    membership::{self, State},
    organization,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Select,
};

use crate::domain::{
    Action, Code, Ctx, Error, Event, Fact, Result, Target, governance::alliance, scope, text,
};

/// The memberships of the alliances that the caller may see.
pub fn visible(ctx: &Ctx) -> Select<membership::Entity> {
    membership::Entity::find().filter(scope::in_alliances(ctx, membership::Column::AllianceId))
}

/// The person a member names as liaison.
#[derive(Clone, Debug, Default)]
pub struct Contact {
    pub name: Option<String>,
    pub title: Option<String>,
    pub phone: Option<String>,
}

/// Seats an organisation in an alliance at once.
pub async fn admit(
    ctx: &Ctx,
    alliance_id: AllianceId,
    organization_id: OrganizationId,
    contact: Contact,
) -> Result<membership::Model> {
    let tx = ctx.begin().await?;
    if alliance::visible(ctx)
        .filter(concord_entities::alliance::Column::Id.eq(alliance_id))
        .one(&tx.db)
        .await?
        .is_none()
    {
        return Err(Error::NotFound("alliance"));
    }
    ctx.require(&tx.db, Action::AdmitMember, Target::alliance(alliance_id)).await?;
    if organization::Entity::find_by_id(organization_id).one(&tx.db).await?.is_none() {
        return Err(Error::NotFound("organization"));
    }
    let standing = membership::Entity::find()
        .filter(membership::Column::AllianceId.eq(alliance_id))
        .filter(membership::Column::OrganizationId.eq(organization_id))
        .filter(membership::Column::EndedAt.is_null())
        .one(&tx.db)
        .await?;
    if standing.is_some() {
        return Err(Error::invalid(Code::AlreadyExists, "organizationId"));
    }
    let row = membership::ActiveModel {
        id: Set(ctx.new_id()),
        alliance_id: Set(alliance_id),
        organization_id: Set(organization_id),
        state: Set(State::Active),
        contact_name: Set(text::optional(contact.name.as_deref(), "contactName", 64)?),
        contact_title: Set(text::optional(contact.title.as_deref(), "contactTitle", 64)?),
        contact_phone: Set(text::optional(contact.phone.as_deref(), "contactPhone", 32)?),
        reason: Set(None),
        created_at: Set(ctx.now()),
        admitted_at: Set(Some(ctx.now())),
        ended_at: Set(None),
        version: Set(1),
    };
    let row = row.insert(&tx.db).await?;
    tx.record(
        Fact::of(Event::MembershipAdmitted, row.id).alliance(alliance_id).organizations([organization_id]),
    )
    .await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Turns away an organisation that is not an active member.
pub async fn require_active(
    db: &impl ConnectionTrait,
    alliance: AllianceId,
    organization: OrganizationId,
    field: &'static str,
) -> Result<()> {
    require_all_active(db, alliance, &[organization], field).await
}

/// Turns away organisations that are not all active members, in one statement.
pub async fn require_all_active(
    db: &impl ConnectionTrait,
    alliance: AllianceId,
    organizations: &[OrganizationId],
    field: &'static str,
) -> Result<()> {
    let active = membership::Entity::find()
        .filter(membership::Column::AllianceId.eq(alliance))
        .filter(membership::Column::OrganizationId.is_in(organizations.iter().copied()))
        .filter(membership::Column::State.eq(State::Active))
        .all(db)
        .await?;
    if organizations.iter().all(|wanted| active.iter().any(|seat| seat.organization_id == *wanted)) {
        Ok(())
    } else {
        Err(Error::invalid(Code::NotAMember, field))
    }
}
