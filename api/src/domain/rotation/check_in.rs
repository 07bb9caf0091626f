//! Checking in: a team reports for duty. Who came is written as the roll was; nobody becomes a person on file by it.

use chrono::{DateTime, Utc};
use concord_entities::{
    check_in::{self, Column, Model},
    id::{CheckInId, RotationSlotId},
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, Select};

use super::{
    slot,
    states::{self, SLOT},
};
use crate::domain::{Action, Code, Ctx, Error, Event, Fact, Result, scope, text};

/// The check-ins of the alliances that the caller may see.
pub fn visible(ctx: &Ctx) -> Select<check_in::Entity> {
    check_in::Entity::find().filter(scope::in_alliances(ctx, Column::AllianceId))
}

/// One check-in, if the caller may see it.
pub async fn find(ctx: &Ctx, id: CheckInId) -> Result<Option<Model>> {
    Ok(visible(ctx).filter(Column::Id.eq(id)).one(ctx.read()).await?)
}

/// A check-in about to be written down.
#[derive(Clone, Debug)]
pub struct NewCheckIn {
    pub slot_id: RotationSlotId,
    pub came_at: DateTime<Utc>,
    pub place: String,
    pub head_count: i32,
    pub attendees: Option<String>,
}

/// Checks a team in.
pub async fn record(ctx: &Ctx, new: NewCheckIn) -> Result<Model> {
    let tx = ctx.begin().await?;
    let open = slot::open(&tx, new.slot_id).await?;
    ctx.require(&tx.db, Action::RecordCheckIn, open.target()).await?;
    let turn = open.turn();
    if !turn.begun(ctx.now()) {
        return Err(slot::not_begun(&open.slot));
    }
    let to = states::follow(SLOT, "recordCheckIn", open.slot.state)?;
    within_turn(new.came_at, "cameAt", &turn, ctx.now())?;
    let row = check_in::ActiveModel {
        id: Set(ctx.new_id()),
        slot_id: Set(open.slot.id),
        alliance_id: Set(open.slot.alliance_id),
        came_at: Set(new.came_at),
        place: Set(text::required(&new.place, "place", 200)?),
        head_count: Set(text::within(new.head_count, "headCount", 1, 10_000)?),
        attendees: Set(text::optional(new.attendees.as_deref(), "attendees", 4000)?),
        recorded_by: Set(ctx.author()),
        recorded_at: Set(ctx.now()),
    };
    let row = row.insert(&tx.db).await?;
    let from = open.slot.state;
    let slot = slot::move_to(&tx, open.slot, to, None).await?;
    tx.record(
        Fact::of(Event::CheckInRecorded, slot.id)
            .alliance(slot.alliance_id)
            .organizations(open.units)
            .moved(states::text(from), states::text(to))
            .detail("checkInId", row.id.to_string())
            .detail("headCount", row.head_count),
    )
    .await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Turns away an instant outside a turn or still to come.
pub fn within_turn(
    at: DateTime<Utc>,
    field: &'static str,
    turn: &super::timetable::Turn,
    now: DateTime<Utc>,
) -> Result<()> {
    let most = now.min(turn.ends_at);
    if turn.starts_at <= at && at <= most {
        return Ok(());
    }
    let text = |at: DateTime<Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    Err(Error::invalid(Code::OutOfRange, field).with("least", text(turn.starts_at)).with("most", text(most)))
}
