//! Roles that people hold in alliances.

use concord_entities::{
    id::{AccountId, AllianceId, OrganizationId, RegionId},
    seat::{self, Role, State},
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};

use crate::domain::{Action, Ctx, Event, Fact, Result, Target, governance::membership};

/// A role about to be given.
#[derive(Clone, Debug)]
pub struct NewSeat {
    pub account_id: AccountId,
    pub alliance_id: AllianceId,
    pub role: Role,
    pub organization_id: Option<OrganizationId>,
    pub region_id: Option<RegionId>,
}

/// Gives a person a role.
pub async fn grant(ctx: &Ctx, new: NewSeat) -> Result<seat::Model> {
    let tx = ctx.begin().await?;
    let own: Vec<OrganizationId> = new.organization_id.into_iter().collect();
    ctx.require(&tx.db, Action::AssignRole, Target::alliance(new.alliance_id).of(&own)).await?;
    membership::require_all_active(&tx.db, new.alliance_id, &own, "organizationId").await?;
    let row = seat::ActiveModel {
        id: Set(ctx.new_id()),
        account_id: Set(new.account_id),
        alliance_id: Set(new.alliance_id),
        role: Set(new.role),
        organization_id: Set(new.organization_id),
        region_id: Set(new.region_id),
        state: Set(State::Active),
        granted_by: Set(ctx.author()),
        granted_at: Set(ctx.now()),
        ended_at: Set(None),
        version: Set(1),
    };
    let row = row.insert(&tx.db).await?;
    tx.record(
        Fact::of(Event::SeatGranted, row.id)
            .alliance(new.alliance_id)
            .organizations(own)
            .detail("accountId", row.account_id.to_string()),
    )
    .await?;
    tx.commit(row.id).await?;
    Ok(row)
}
