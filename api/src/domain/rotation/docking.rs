//! Docking meetings (对接会): the team meets the committee, a community or a station's branch. Once meetings have confirmed
//! both lists of the month, the team is in service.

use chrono::{DateTime, Utc};
use concord_entities::{
    docking::{self, Column, Counterpart, Model},
    id::{DockingId, OrganizationId, RegionId, RotationSlotId, TypedId},
    organization, region,
    rotation_slot::State,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Select,
};

use super::{
    check_in::within_turn,
    slot::{self, OpenedSlot},
    states::{self, SLOT},
};
use crate::domain::{Action, Code, Ctx, Error, Event, Fact, Result, governance, scope, text};

/// The docking meetings of the alliances that the caller may see.
pub fn visible(ctx: &Ctx) -> Select<docking::Entity> {
    docking::Entity::find().filter(scope::in_alliances(ctx, Column::AllianceId))
}

/// One docking meeting, if the caller may see it.
pub async fn find(ctx: &Ctx, id: DockingId) -> Result<Option<Model>> {
    Ok(visible(ctx).filter(Column::Id.eq(id)).one(ctx.read()).await?)
}

/// A docking meeting about to be written down.
#[derive(Clone, Debug)]
pub struct NewDocking {
    pub slot_id: RotationSlotId,
    pub counterpart: Counterpart,
    pub region_id: Option<RegionId>,
    pub organization_id: Option<OrganizationId>,
    pub held_at: DateTime<Utc>,
    pub place: Option<String>,
    pub minutes: Option<String>,
    pub confirms_tasks: bool,
    pub confirms_problems: bool,
}

/// Writes a docking meeting down.
pub async fn record(ctx: &Ctx, new: NewDocking) -> Result<Model> {
    let tx = ctx.begin().await?;
    let open = slot::open(&tx, new.slot_id).await?;
    ctx.require(&tx.db, Action::RecordDocking, open.target()).await?;
    if !matches!(open.slot.state, State::CheckedIn | State::InService) {
        return Err(states::refused(open.slot.state));
    }
    within_turn(new.held_at, "heldAt", &open.turn(), ctx.now())?;
    require_counterpart(ctx, &tx.db, &open, &new).await?;
    let row = docking::ActiveModel {
        id: Set(ctx.new_id()),
        slot_id: Set(open.slot.id),
        alliance_id: Set(open.slot.alliance_id),
        counterpart: Set(new.counterpart),
        region_id: Set(new.region_id),
        organization_id: Set(new.organization_id),
        held_at: Set(new.held_at),
        place: Set(text::optional(new.place.as_deref(), "place", 200)?),
        minutes: Set(text::optional(new.minutes.as_deref(), "minutes", 8000)?),
        confirms_tasks: Set(new.confirms_tasks),
        confirms_problems: Set(new.confirms_problems),
        recorded_by: Set(ctx.author()),
        recorded_at: Set(ctx.now()),
    };
    let row = row.insert(&tx.db).await?;
    let held = docking::Entity::find().filter(Column::SlotId.eq(open.slot.id)).all(&tx.db).await?;
    let confirmed = held.iter().any(|meeting| meeting.confirms_tasks)
        && held.iter().any(|meeting| meeting.confirms_problems);
    let from = open.slot.state;
    let slot = match states::follow(SLOT, "recordDocking", from) {
        Ok(to) if confirmed => slot::move_to(&tx, open.slot, to, None).await?,
        _ => open.slot,
    };
    let mut fact = Fact::of(Event::DockingRecorded, slot.id)
        .alliance(slot.alliance_id)
        .organizations(open.units.into_iter().chain(new.organization_id))
        .detail("dockingId", row.id.to_string())
        .detail("counterpart", states::text(row.counterpart))
        .detail("confirmsTasks", row.confirms_tasks)
        .detail("confirmsProblems", row.confirms_problems);
    if slot.state != from {
        fact = fact.moved(states::text(from), states::text(slot.state));
    }
    tx.record(fact).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// A community is named by its region below the alliance's, a station by its organisation, the committee by neither.
async fn require_counterpart(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    open: &OpenedSlot,
    new: &NewDocking,
) -> Result<()> {
    let unwanted = |field| Err(Error::invalid(Code::Malformed, field).with("expected", "null"));
    match (new.counterpart, new.region_id, new.organization_id) {
        (Counterpart::Community, None, _) => return Err(Error::invalid(Code::Required, "regionId")),
        (Counterpart::StationBranch, _, None) => {
            return Err(Error::invalid(Code::Required, "organizationId"));
        }
        (Counterpart::Committee, Some(_), _) => return unwanted("regionId"),
        (Counterpart::Committee, None, Some(_)) => return unwanted("organizationId"),
        _ => {}
    }
    if let Some(id) = new.region_id {
        let found = region::Entity::find_by_id(id).one(db).await?;
        let found = found.ok_or(Error::NotFound(RegionId::NOUN))?;
        let own = region::Entity::find_by_id(open.opened.alliance.region_id).one(db).await?;
        // A path holds the identifiers from the root, so a region below the alliance's begins with its path.
        if own.is_none_or(|own| !found.path.starts_with(&own.path)) {
            return Err(Error::NotFound(RegionId::NOUN));
        }
    }
    if let Some(id) = new.organization_id {
        let found =
            governance::organization::visible(ctx).filter(organization::Column::Id.eq(id)).one(db).await?;
        found.ok_or(Error::NotFound(OrganizationId::NOUN))?;
    }
    Ok(())
}
