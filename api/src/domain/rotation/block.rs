//! Blocks: turns that a team cannot take. They bind the generator, hand assignments and swaps; a turn that already has the
//! team keeps it until the rotation is generated again.

use chrono::{Datelike, NaiveDate};
use concord_entities::{
    id::{RotationPlanId, ServiceTeamId, TypedId},
    rotation_block::{self, Column},
    rotation_plan::Model,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::plan::{self, Opened};
use crate::domain::{Action, Code, Ctx, Error, Event, Fact, Result, Target, text};

/// Which turns are meant: one by its number, or those that begin in a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    Number(i32),
    /// Any day of the month.
    Month(NaiveDate),
}

impl Which {
    /// The numbers of the turns that are meant, in order.
    fn numbers(self, opened: &Opened) -> Result<Vec<i32>> {
        let count = opened.plan.slot_count;
        match self {
            Self::Number(number) => Ok(vec![text::within(number, "slotNumber", 1, count)?]),
            Self::Month(month) => {
                let table = opened.timetable();
                let mut numbers = Vec::new();
                for number in 1..=count {
                    let on = table.turn(number)?.starts_on;
                    if (on.year(), on.month()) == (month.year(), month.month()) {
                        numbers.push(number);
                    }
                }
                if numbers.is_empty() {
                    let last = table.turn(count)?.starts_on;
                    return Err(Error::invalid(Code::OutOfRange, "month")
                        .with("least", opened.plan.anchor_on.format("%Y-%m"))
                        .with("most", last.format("%Y-%m")));
                }
                Ok(numbers)
            }
        }
    }
}

/// Keeps a team from some turns to come.
pub async fn block(
    ctx: &Ctx,
    id: RotationPlanId,
    team: ServiceTeamId,
    which: Which,
    reason: &str,
) -> Result<Model> {
    let tx = ctx.begin().await?;
    let opened = plan::open(&tx, id).await?;
    ctx.require(&tx.db, Action::BlockRotationSlot, Target::alliance(opened.plan.alliance_id)).await?;
    opened.require_editable()?;
    require_listed(&tx.db, &opened, team).await?;
    let reason = text::required(reason, "reason", 2000)?;
    let numbers = which.numbers(&opened)?;
    let standing: Vec<i32> = standing(&tx.db, id, team, &numbers).await?;
    if numbers.iter().all(|number| standing.contains(number)) {
        return Err(Error::refused(Code::AlreadyExists));
    }
    let given = plan::slots_of(&tx.db, id).await?;
    let table = opened.timetable();
    for number in &numbers {
        let turn = table.turn(*number)?;
        let month = table.label(turn.starts_on);
        if opened.is_frozen(&turn, ctx.now()) {
            return Err(Error::refused(Code::SlotBegun).with("month", month));
        }
        let hand = |slot: &concord_entities::rotation_slot::Model| {
            slot.number == *number
                && slot.team_id == team
                && slot.origin == concord_entities::rotation_slot::Origin::Assigned
        };
        if given.iter().any(hand) {
            // The committee has said both; it must take one of them back.
            return Err(Error::refused(Code::StateRefused).with("state", "ASSIGNED"));
        }
    }
    let rows = numbers.iter().filter(|number| !standing.contains(number)).map(|number| {
        rotation_block::ActiveModel {
            id: Set(ctx.new_id()),
            plan_id: Set(id),
            team_id: Set(team),
            slot_number: Set(*number),
            reason: Set(reason.clone()),
            created_by: Set(ctx.author()),
            created_at: Set(ctx.now()),
        }
    });
    rotation_block::Entity::insert_many(rows).exec_without_returning(&tx.db).await?;
    let units = plan::units(&tx.db, [team]).await?;
    tx.record(
        Fact::of(Event::RotationMonthBlocked, id)
            .alliance(opened.plan.alliance_id)
            .organizations(units)
            .detail("teamId", team.to_string())
            .detail("slotNumbers", numbers)
            .reason(Some(&reason)),
    )
    .await?;
    tx.commit(id).await?;
    Ok(opened.plan)
}

/// Lets a team take turns again.
pub async fn unblock(ctx: &Ctx, id: RotationPlanId, team: ServiceTeamId, which: Which) -> Result<Model> {
    let tx = ctx.begin().await?;
    let opened = plan::open(&tx, id).await?;
    ctx.require(&tx.db, Action::BlockRotationSlot, Target::alliance(opened.plan.alliance_id)).await?;
    opened.require_editable()?;
    let numbers = which.numbers(&opened)?;
    let removed = rotation_block::Entity::delete_many()
        .filter(Column::PlanId.eq(id))
        .filter(Column::TeamId.eq(team))
        .filter(Column::SlotNumber.is_in(numbers.iter().copied()))
        .exec(&tx.db)
        .await?;
    if removed.rows_affected == 0 {
        return Err(Error::NotFound("rotation_block"));
    }
    let units = plan::units(&tx.db, [team]).await?;
    tx.record(
        Fact::of(Event::RotationMonthUnblocked, id)
            .alliance(opened.plan.alliance_id)
            .organizations(units)
            .detail("teamId", team.to_string())
            .detail("slotNumbers", numbers),
    )
    .await?;
    tx.commit(id).await?;
    Ok(opened.plan)
}

async fn standing(
    db: &impl ConnectionTrait,
    plan: RotationPlanId,
    team: ServiceTeamId,
    numbers: &[i32],
) -> Result<Vec<i32>> {
    let rows = rotation_block::Entity::find()
        .filter(Column::PlanId.eq(plan))
        .filter(Column::TeamId.eq(team))
        .filter(Column::SlotNumber.is_in(numbers.iter().copied()))
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| row.slot_number).collect())
}

/// Turns away a team that is not in the plan's list.
pub async fn require_listed(db: &impl ConnectionTrait, opened: &Opened, team: ServiceTeamId) -> Result<()> {
    if plan::team_order(db, opened.plan.id).await?.contains(&team) {
        Ok(())
    } else {
        Err(Error::NotFound(ServiceTeamId::NOUN))
    }
}

/// Turns away a team for which a turn is blocked.
pub async fn require_free(
    db: &impl ConnectionTrait,
    opened: &Opened,
    team: ServiceTeamId,
    number: i32,
) -> Result<()> {
    if standing(db, opened.plan.id, team, &[number]).await?.is_empty() {
        return Ok(());
    }
    let name = plan::teams_by_id(db, opened.plan.alliance_id, [team]).await?.pop().map(|team| team.name);
    let table = opened.timetable();
    Err(Error::refused(Code::TeamBlocked)
        .with("month", table.label(table.turn(number)?.starts_on))
        .with("team", name.unwrap_or_default()))
}
