//! Handing over: the outgoing team offers, the incoming one acknowledges. What each open item comes to
//! stands in `handover_item`.

use concord_entities::{
    handover::{self, Column, Model},
    id::{HandoverId, RotationSlotId, TypedId},
    rotation_plan,
    rotation_slot::{self, State},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait,
    IntoActiveModel, QueryFilter, QueryOrder, Select,
};

use super::{
    handover_item, plan,
    slot::{self, OpenedSlot},
    states::{self, SLOT},
};
use crate::domain::{Action, Code, Ctx, Error, Event, Fact, Result, Target, scope, text};

/// The handovers of the alliances that the caller may see.
pub fn visible(ctx: &Ctx) -> Select<handover::Entity> {
    handover::Entity::find().filter(scope::in_alliances(ctx, Column::AllianceId))
}

/// One handover, if the caller may see it.
pub async fn find(ctx: &Ctx, id: HandoverId) -> Result<Option<Model>> {
    Ok(visible(ctx).filter(Column::Id.eq(id)).one(ctx.read()).await?)
}

/// The turn after one, in its own plan or in the one that follows it.
async fn next(db: &impl ConnectionTrait, open: &OpenedSlot) -> Result<Option<rotation_slot::Model>> {
    use rotation_slot::Column as Slot;
    let told =
        rotation_plan::Column::State.is_in([rotation_plan::State::Published, rotation_plan::State::Ended]);
    let found = rotation_slot::Entity::find()
        .find_also_related(rotation_plan::Entity)
        .filter(Slot::AllianceId.eq(open.slot.alliance_id))
        .filter(Slot::StartsOn.gte(open.slot.ends_on))
        .filter(Slot::State.is_not_in([State::Excused, State::HandedOver]))
        .filter(Condition::any().add(Slot::PlanId.eq(open.slot.plan_id)).add(told))
        .order_by_asc(Slot::StartsOn)
        .one(db)
        .await?;
    Ok(found.map(|(slot, _)| slot))
}

/// Offers a turn to the team of the next one.
pub async fn offer(ctx: &Ctx, id: RotationSlotId, note: Option<&str>) -> Result<Model> {
    let tx = ctx.begin().await?;
    let open = slot::open(&tx, id).await?;
    ctx.require(&tx.db, Action::OfferHandover, open.target()).await?;
    let to = states::follow(SLOT, "offerHandover", open.slot.state)?;
    let note = text::optional(note, "note", 4000)?;
    let next = next(&tx.db, &open).await?.ok_or_else(|| Error::refused(Code::NoNextSlot))?;
    let row = handover::ActiveModel {
        id: Set(ctx.new_id()),
        alliance_id: Set(open.slot.alliance_id),
        slot_id: Set(open.slot.id),
        next_slot_id: Set(next.id),
        note: Set(note),
        offered_by: Set(ctx.author()),
        offered_at: Set(ctx.now()),
        acknowledged_by: Set(None),
        acknowledged_at: Set(None),
        version: Set(1),
    };
    let row = row.insert(&tx.db).await?;
    let items = handover_item::write(&tx, &row).await?;
    let incoming = plan::units(&tx.db, [next.team_id]).await?;
    let from = open.slot.state;
    let slot = slot::move_to(&tx, open.slot, to, None).await?;
    tx.record(
        Fact::of(Event::HandoverOffered, slot.id)
            .alliance(slot.alliance_id)
            .organizations(open.units.into_iter().chain(incoming))
            .moved(states::text(from), states::text(to))
            .detail("handoverId", row.id.to_string())
            .detail("nextSlotId", next.id.to_string())
            .detail("items", items),
    )
    .await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Takes a turn over for the incoming team.
pub async fn acknowledge(ctx: &Ctx, id: HandoverId) -> Result<Model> {
    let tx = ctx.begin().await?;
    let missing = || Error::NotFound(HandoverId::NOUN);
    let seen = visible(ctx).filter(Column::Id.eq(id)).one(&tx.db).await?.ok_or_else(missing)?;
    let open = slot::open(&tx, seen.slot_id).await?;
    let row = handover::Entity::find_by_id(id).one(&tx.db).await?.ok_or_else(missing)?;
    let next = rotation_slot::Entity::find_by_id(row.next_slot_id).one(&tx.db).await?.ok_or_else(missing)?;
    let incoming = plan::units(&tx.db, [next.team_id]).await?;
    let target = Target::alliance(row.alliance_id).of(&incoming);
    ctx.require(&tx.db, Action::AcknowledgeHandover, target).await?;
    let to = states::follow(SLOT, "acknowledgeHandover", open.slot.state)?;
    let unanswered = handover_item::unanswered(&tx.db, id).await?;
    if unanswered > 0 {
        return Err(Error::refused(Code::HandoverUnanswered).with("count", unanswered));
    }
    let version = row.version + 1;
    let mut row = row.into_active_model();
    row.acknowledged_by = Set(ctx.author());
    row.acknowledged_at = Set(Some(ctx.now()));
    row.version = Set(version);
    let row = row.update(&tx.db).await?;
    let units = open.units.iter().chain(&incoming).copied();
    handover_item::give_to_committee(&tx, &row, units).await?;
    let from = open.slot.state;
    let slot = slot::move_to(&tx, open.slot, to, None).await?;
    tx.record(
        Fact::of(Event::HandoverAcknowledged, slot.id)
            .alliance(slot.alliance_id)
            .organizations(open.units.into_iter().chain(incoming))
            .moved(states::text(from), states::text(to))
            .detail("handoverId", row.id.to_string()),
    )
    .await?;
    tx.commit(id).await?;
    Ok(row)
}
