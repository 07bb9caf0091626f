//! Holding on account (挂账): work that cannot go on now is set aside with a reason, a unit that answers for it and a day on
//! which it is looked at again. It stays open and counted, and somebody above the handler decides. When the day comes, a hand
//! tells so once.

use chrono::{Days, NaiveDate};
use concord_entities::{
    id::OrganizationId,
    problem::{self, Model, State},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::{
    FREE_TEXT,
    clocks::{self, Ahead},
    fact,
    moves::{self, Held, Which, bound, is_seated_with},
};
use crate::domain::{
    Code, Ctx, Error, Event, Result,
    list::{deadline_policy::Terms, due, problem_states as states},
    text,
};

/// Longest time until a review, in days.
const LONGEST: u64 = 3_660;
/// Most problems told of in one unit of work.
const BATCH: u64 = 200;

/// What a problem is held with.
#[derive(Clone, Debug)]
pub struct NewHold {
    pub reason: String,
    /// The unit that answers for it meanwhile; the leading one where nobody says.
    pub organization_id: Option<OrganizationId>,
    pub review_on: NaiveDate,
}

/// Puts a problem on account. From here until `resume` nothing runs against its units: what is held causes no reminder, breach
/// or notice, and its deadlines move by as long as it was.
pub async fn hold(ctx: &Ctx, which: Which, new: NewHold) -> Result<Model> {
    // Read ahead of the unit of work: a seat that ends meanwhile does no harm.
    let seated = match new.organization_id {
        Some(unit) => is_seated_with(ctx, which.id, unit).await?,
        None => true,
    };
    let held = moves::hold(ctx, which, &states::HOLD).await?;
    require_above(&held).await?;
    let reason = text::required(&new.reason, "reason", FREE_TEXT)?;
    let review_on = review_day(new.review_on, held.today)?;
    if !seated {
        return Err(Error::invalid(Code::NotAMember, "organizationId"));
    }
    let unit = new.organization_id.or(held.row.lead_organization_id);
    let change = problem::ActiveModel {
        held_at: Set(Some(ctx.now())),
        held_by: Set(Some(held.account()?)),
        held_reason: Set(Some(reason.clone())),
        held_organization_id: Set(unit),
        review_on: Set(Some(review_on)),
        review_told_on: Set(None),
        ..held.row.clone().into_active_model()
    };
    held.settle(&states::HOLD, Event::ProblemHeld, change, |fact, _| {
        fact.organizations(unit)
            .reason(Some(&reason))
            .detail("organizationId", unit.map(|unit| unit.to_string()))
            .detail("reviewOn", review_on.to_string())
    })
    .await
}

/// Takes a problem off account: work goes on.
pub async fn resume(ctx: &Ctx, which: Which) -> Result<Model> {
    let terms = Terms::of_problem(ctx.read(), which.id).await?;
    let ahead = Ahead::read(ctx, which.id).await?;
    let held = moves::hold(ctx, which, &states::RESUME).await?;
    require_above(&held).await?;
    let unit = held.row.held_organization_id;
    let units = ahead.under(&held.tx, &held.row).await?;
    let moved = clocks::resume(&held.tx, &held.row, &units, terms.clone()).await?;
    let mut base = held.row.clone().into_active_model();
    clocks::put_whole(&mut base, &moved, &terms);
    let change = problem::ActiveModel {
        held_at: Set(None),
        held_by: Set(None),
        held_reason: Set(None),
        held_organization_id: Set(None),
        review_on: Set(None),
        review_told_on: Set(None),
        ..base
    };
    held.settle(&states::RESUME, Event::ProblemResumed, change, |fact, _| {
        clocks::told(fact.organizations(unit), &moved)
    })
    .await
}

/// The hand: tells once of each problem whose day of review has come where it is; tells how many.
pub async fn remind(ctx: &Ctx) -> Result<usize> {
    use problem::{Column, Entity};
    let zones = due::zones(ctx).await?;
    if zones.is_empty() {
        return Ok(0);
    }
    let has_come = due::by_zone(ctx, &zones, Column::AllianceId, |today| Column::ReviewOn.lte(today));
    let waiting = Entity::find().filter(untold()).filter(Column::State.eq(State::OnAccount)).filter(has_come);
    // A look without a lock: most of the time no day has come.
    if waiting.clone().limit(1).one(ctx.read()).await?.is_none() {
        return Ok(0);
    }
    let tx = ctx.begin().await?;
    // What another node told of while this one waited for the lock is found no more.
    let rows = waiting.order_by_asc(Column::Id).limit(BATCH).lock_exclusive().all(&tx.db).await?;
    Entity::update_many()
        .col_expr(Column::ReviewToldOn, Column::ReviewOn.into_expr())
        .filter(Column::Id.is_in(rows.iter().map(|row| row.id)))
        .exec(&tx.db)
        .await?;
    for row in &rows {
        let told = fact(Event::ProblemReviewDue, row)
            .organizations(row.held_organization_id)
            .detail("title", row.title.clone())
            .detail("reviewOn", row.review_on.map(|on| on.to_string()));
        tx.record(told).await?;
    }
    tx.commit(rows.first().map_or_else(Uuid::nil, |row| row.id.into())).await?;
    Ok(rows.len())
}

/// Whether a day of review is still to be told of, in the words of the index that holds just those rows.
fn untold() -> Condition {
    use problem::Column;
    let moved = Column::ReviewToldOn.into_expr().ne(Column::ReviewOn.into_expr());
    let stale = Condition::any().add(Column::ReviewToldOn.is_null()).add(moved);
    Condition::all().add(Column::ReviewOn.is_not_null()).add(stale)
}

/// Whoever decides handles nothing of it and acts for no responsible unit.
async fn require_above(held: &Held<'_>) -> Result<()> {
    let hands = bound(&held.tx, &held.row).await?;
    states::may_hold(&held.row, held.account()?, &held.own_units(), hands.bound())
}

/// A review lies between tomorrow and ten years on.
fn review_day(on: NaiveDate, today: NaiveDate) -> Result<NaiveDate> {
    let least = today.succ_opt().unwrap_or(today);
    let most = today.checked_add_days(Days::new(LONGEST)).unwrap_or(today);
    if (least..=most).contains(&on) {
        Ok(on)
    } else {
        Err(Error::invalid(Code::OutOfRange, "reviewOn").with("least", least).with("most", most))
    }
}
