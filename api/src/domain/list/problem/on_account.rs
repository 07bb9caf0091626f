//! Holding on account (挂账): work that cannot go on now is set aside with a reason, a unit that answers for it and a day on
//! which it is looked at again. It stays open and counted, and somebody above the handler decides.

use chrono::{Days, NaiveDate};
use concord_entities::{
    id::OrganizationId,
    problem::{self, Model},
};
use sea_orm::{ActiveValue::Set, IntoActiveModel};

use super::{
    FREE_TEXT,
    clocks::{self, Ahead},
    moves::{self, Held, Which, bound, is_seated_with},
};
use crate::domain::{
    Code, Ctx, Error, Event, Result,
    list::{deadline_policy::Terms, problem_states as states},
    text,
};

/// Longest time until a review, in days.
const LONGEST: u64 = 3_660;

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
    let lead = moved.iter().find(|one| one.unit == held.row.lead_organization_id);
    let due_on = lead.and_then(|one| one.after).map(|at| terms.place.last_day(at)).or(held.row.due_on);
    let change = problem::ActiveModel {
        held_at: Set(None),
        held_by: Set(None),
        held_reason: Set(None),
        held_organization_id: Set(None),
        review_on: Set(None),
        due_on: Set(due_on),
        ..held.row.clone().into_active_model()
    };
    held.settle(&states::RESUME, Event::ProblemResumed, change, |fact, _| {
        clocks::told(fact.organizations(unit), &moved)
    })
    .await
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
