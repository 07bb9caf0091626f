//! The verbs that move one department's answer to a whistle: the unit reports in, comes, claims, or refuses; the town that blew
//! returns, evaluates, releases, re-routes or excuses. Every one holds the whistle, so that of steps that exclude each other
//! one wins.

use chrono::{DateTime, Utc};
use concord_entities::{
    alliance,
    id::{AllianceId, OrganizationId, WhistleResponseId},
    whistle::{self, State as Sounding},
    whistle_response::{self, Column, Entity, Model, Solved, State},
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QuerySelect, QueryTrait,
};

use super::{
    FREE_TEXT, NewCall, PLACE, allowed,
    call::{self, As, Callable},
    fact, record, seats, states, visible,
};
use crate::domain::{
    Code, Ctx, Error, Event, Fact, HELD, Result, Tx,
    governance::alliance::expect_version,
    list::{problem::zone as zone_of, transition::Step},
    text,
};

/// Longest words of an evaluation.
const WORDS: usize = 2_000;
/// Most people that a unit sends.
const PEOPLE: i32 = 10_000;

/// Which call, and the version at which the caller read it, where they care.
#[derive(Clone, Copy, Debug)]
pub struct WhichCall {
    pub id: WhistleResponseId,
    pub expected_version: Option<i64>,
}

/// A call and its whistle under lock, its mover's right and the step's place checked.
struct Held<'ctx> {
    tx: Tx<'ctx>,
    whistle: whistle::Model,
    row: Model,
    /// The units that the caller acts for, in whatever alliance.
    own: Vec<OrganizationId>,
}

async fn hold<'ctx>(ctx: &'ctx Ctx, which: WhichCall, step: &Step<State>) -> Result<Held<'ctx>> {
    let tx = ctx.begin().await?;
    let missing = || Error::NotFound("whistle_response");
    let of = Entity::find_by_id(which.id).select_only().column(Column::WhistleId).into_query();
    // The whistle first, as whoever moves it whole does; its calls move under its lock.
    let whistle = visible(ctx)
        .filter(whistle::Column::Id.in_subquery(of))
        .lock(HELD)
        .one(&tx.db)
        .await?
        .ok_or_else(missing)?;
    let row = Entity::find_by_id(which.id).one(&tx.db).await?.ok_or_else(missing)?;
    let seats = seats(&tx).await?;
    let units = [row.organization_id];
    allowed(ctx, &seats, step.action, &states::whose_answer(&row, step.action), &units, None)?;
    if let Some(expected) = which.expected_version {
        expect_version(expected, row.version)?;
    }
    states::sounds(whistle.state)?;
    step.check(row.state)?;
    let own = seats.iter().filter_map(|seat| seat.organization_id).collect();
    Ok(Held { tx, whistle, row, own })
}

impl Held<'_> {
    /// Writes the change and its event, for a unit of work that goes on.
    async fn change(
        &self,
        step: &Step<State>,
        kind: Event,
        change: whistle_response::ActiveModel,
        about: impl Fn(Fact) -> Fact,
    ) -> Result<Model> {
        let is_open = states::is_open(step.to);
        let ends = !is_open && step.to != State::Refused;
        let row = whistle_response::ActiveModel {
            state: Set(step.to),
            is_open: Set(is_open),
            ended_at: Set(ends.then(|| self.tx.ctx.now())),
            ended_by: Set(if ends { self.tx.ctx.author() } else { None }),
            version: Set(self.row.version + 1),
            ..change
        };
        let row = row.update(&self.tx.db).await?;
        record(&self.tx, kind, &self.whistle, Some(row.member_alliance_id), |fact| {
            about(
                fact.organizations([row.organization_id])
                    .moved(self.row.state.to_value(), row.state.to_value())
                    .detail("responseId", row.id.to_string())
                    .detail("organizationId", row.organization_id.to_string()),
            )
        })
        .await?;
        Ok(row)
    }

    /// The same, and commits.
    async fn settle(
        self,
        step: &Step<State>,
        kind: Event,
        change: whistle_response::ActiveModel,
        about: impl Fn(Fact) -> Fact,
    ) -> Result<Model> {
        let row = self.change(step, kind, change, about).await?;
        self.tx.commit(row.id).await?;
        Ok(row)
    }

    /// Ends the whistle once nothing of it is left to do. One to which nobody came goes on sounding: its town calls others, or
    /// calls it off and says why.
    async fn end_with_the_last(&self) -> Result<()> {
        let left = Entity::find()
            .filter(Column::WhistleId.eq(self.whistle.id))
            .filter(Column::IsOpen.eq(true).or(Column::State.eq(State::Refused)));
        if left.count(&self.tx.db).await? > 0 {
            return Ok(());
        }
        let released = Entity::find()
            .filter(Column::WhistleId.eq(self.whistle.id))
            .filter(Column::State.eq(State::Released));
        if released.count(&self.tx.db).await? == 0 {
            return Ok(());
        }
        let change = whistle::ActiveModel {
            state: Set(Sounding::Released),
            ended_at: Set(Some(self.tx.ctx.now())),
            version: Set(self.whistle.version + 1),
            ..self.whistle.clone().into_active_model()
        };
        let row = change.update(&self.tx.db).await?;
        let told =
            fact(Event::WhistleReleased, &row).moved(self.whistle.state.to_value(), row.state.to_value());
        self.tx.record(told).await?;
        Ok(())
    }

    fn base(&self) -> whistle_response::ActiveModel {
        self.row.clone().into_active_model()
    }
}

/// Where a unit reports in, and with how many people.
#[derive(Clone, Debug)]
pub struct ReportIn {
    pub place: String,
    pub head_count: i32,
}

/// Reports in (报到).
pub async fn report_in(ctx: &Ctx, which: WhichCall, with: &ReportIn) -> Result<Model> {
    let held = hold(ctx, which, &states::REPORT_IN).await?;
    let place = text::required(&with.place, "place", PLACE)?;
    let head_count = text::within(with.head_count, "headCount", 1, PEOPLE)?;
    let change = whistle_response::ActiveModel {
        reported_in_at: Set(Some(ctx.now())),
        reported_in_by: Set(ctx.author()),
        place: Set(Some(place.clone())),
        head_count: Set(Some(head_count)),
        ..held.base()
    };
    held.settle(&states::REPORT_IN, Event::WhistleReportedIn, change, |fact| {
        fact.detail("place", place.clone()).detail("headCount", head_count)
    })
    .await
}

/// Comes on site.
pub async fn arrive(ctx: &Ctx, which: WhichCall) -> Result<Model> {
    let held = hold(ctx, which, &states::ARRIVE).await?;
    let change = whistle_response::ActiveModel {
        on_site_at: Set(Some(ctx.now())),
        on_site_by: Set(ctx.author()),
        ..held.base()
    };
    held.settle(&states::ARRIVE, Event::WhistleArrived, change, |fact| fact).await
}

/// Says that the matter is done, and what was done.
pub async fn claim(ctx: &Ctx, which: WhichCall, claim: &str) -> Result<Model> {
    let held = hold(ctx, which, &states::CLAIM).await?;
    let claim = text::required(claim, "claim", FREE_TEXT)?;
    let change = whistle_response::ActiveModel {
        claimed_at: Set(Some(ctx.now())),
        claimed_by: Set(ctx.author()),
        claim: Set(Some(claim.clone())),
        ..held.base()
    };
    held.settle(&states::CLAIM, Event::WhistleClaimed, change, |fact| fact.detail("claim", claim.clone()))
        .await
}

/// Returns what a unit claims to be done. Its clock runs on from where it was: rework is the unit's.
pub async fn return_claim(ctx: &Ctx, which: WhichCall, reason: &str) -> Result<Model> {
    let held = hold(ctx, which, &states::RETURN_CLAIM).await?;
    states::may_judge(&held.row, &held.own)?;
    let reason = text::required(reason, "reason", FREE_TEXT)?;
    let change = whistle_response::ActiveModel {
        claimed_at: Set(None),
        claimed_by: Set(None),
        returned_count: Set(held.row.returned_count + 1),
        reason: Set(Some(reason.clone())),
        ..held.base()
    };
    held.settle(&states::RETURN_CLAIM, Event::WhistleClaimReturned, change, |fact| fact.reason(Some(&reason)))
        .await
}

/// What the town says of a unit's work.
#[derive(Clone, Debug)]
pub struct Evaluation {
    pub solved: Solved,
    pub score: i32,
    pub words: String,
}

/// Evaluates what a unit claims to be done, for the town that blew.
pub async fn evaluate(ctx: &Ctx, which: WhichCall, given: &Evaluation) -> Result<Model> {
    let held = hold(ctx, which, &states::EVALUATE).await?;
    states::may_judge(&held.row, &held.own)?;
    let score = text::within(given.score, "score", 1, 5)?;
    let words = text::required(&given.words, "words", WORDS)?;
    let change = whistle_response::ActiveModel {
        evaluated_at: Set(Some(ctx.now())),
        evaluated_by: Set(ctx.author()),
        solved: Set(Some(given.solved)),
        score: Set(Some(score)),
        evaluation: Set(Some(words.clone())),
        ..held.base()
    };
    held.settle(&states::EVALUATE, Event::WhistleEvaluated, change, |fact| {
        fact.detail("score", score).detail("solved", given.solved.to_value()).detail("words", words.clone())
    })
    .await
}

/// Releases a unit, for the town that blew. With the last one its whistle is released.
pub async fn release(ctx: &Ctx, which: WhichCall) -> Result<Model> {
    let held = hold(ctx, which, &states::RELEASE).await?;
    let row = held.change(&states::RELEASE, Event::WhistleCallReleased, held.base(), |fact| fact).await?;
    held.end_with_the_last().await?;
    held.tx.commit(row.id).await?;
    Ok(row)
}

/// Refuses a call, naming the unit thought right. It counts; after the second refusal of one matter the backstop unit is
/// called at once, where the whistle names one.
pub async fn refuse(ctx: &Ctx, which: WhichCall, reason: &str, proposed: OrganizationId) -> Result<Model> {
    let held = hold(ctx, which, &states::REFUSE).await?;
    let zone = alliance::Entity::find_by_id(held.row.alliance_id)
        .select_only()
        .column(alliance::Column::TimeZone)
        .into_tuple::<String>()
        .one(&held.tx.db)
        .await?;
    states::may_refuse(held.whistle.kind, &held.row, ctx.now(), zone_of(&zone.unwrap_or_default()))?;
    let reason = text::required(reason, "reason", FREE_TEXT)?;
    if proposed == held.row.organization_id {
        return Err(Error::invalid(Code::ProposesItself, "proposedOrganizationId"));
    }
    // Whom the town could call instead, in the way in which it would.
    let callable = Callable::among(&held.tx, &held.whistle, held.calling(proposed), &[proposed]).await?;
    if let Some(code) = callable.blocks(proposed) {
        return Err(Error::invalid(code, "proposedOrganizationId"));
    }
    let change = whistle_response::ActiveModel {
        refused_at: Set(Some(ctx.now())),
        refused_by: Set(ctx.author()),
        reason: Set(Some(reason.clone())),
        proposed_organization_id: Set(Some(proposed)),
        ..held.base()
    };
    let row = held
        .change(&states::REFUSE, Event::WhistleRefused, change, |fact| {
            fact.reason(Some(&reason)).detail("proposedOrganizationId", proposed.to_string())
        })
        .await?;
    let counted = whistle::ActiveModel {
        refused_count: Set(held.whistle.refused_count + 1),
        version: Set(held.whistle.version + 1),
        ..held.whistle.clone().into_active_model()
    };
    counted.update(&held.tx.db).await?;
    let row = match held.whistle.backstop_organization_id {
        Some(unit) if row.refusals + 1 >= states::REFUSALS && unit != row.organization_id => {
            let held = Held { row, ..held };
            let new = NewCall { organization_id: unit, report_in_by: None, resolve_by: None };
            let row = match held.pass_on(new).await {
                Ok((row, _)) => row,
                // It is no member any more: the town decides.
                Err(Error::Refused(_)) => held.row.clone(),
                Err(error) => return Err(error),
            };
            held.tx.commit(row.id).await?;
            return Ok(row);
        }
        _ => row,
    };
    held.tx.commit(row.id).await?;
    Ok(row)
}

impl Held<'_> {
    fn is_backstop(&self, unit: OrganizationId) -> bool {
        self.whistle.backstop_organization_id == Some(unit)
    }

    /// As whose member a unit is called in the place of this one: the backstop unit is the town's.
    fn calling(&self, unit: OrganizationId) -> AllianceId {
        if self.is_backstop(unit) { self.row.alliance_id } else { self.row.member_alliance_id }
    }

    /// Calls another unit in the place of a refused call, and gives both. A backstop unit that is called already takes the matter
    /// with that call.
    async fn pass_on(&self, new: NewCall) -> Result<(Model, Model)> {
        let is_backstop = self.is_backstop(new.organization_id);
        let taken = if is_backstop { self.open_call_of(new.organization_id).await? } else { None };
        let fresh = if let Some(taken) = taken {
            taken
        } else {
            let how =
                As { alliance: self.calling(new.organization_id), instead_of: Some(&self.row), list: None };
            let called = call::call(&self.tx, &self.whistle, &[new], how).await?;
            called.into_iter().next().ok_or_else(|| Error::internal("nobody was called"))?
        };
        let row = self
            .change(&states::REROUTE, Event::WhistleRerouted, self.base(), |fact| {
                fact.organizations([fresh.organization_id])
                    .detail("toResponseId", fresh.id.to_string())
                    .detail("toOrganizationId", fresh.organization_id.to_string())
                    .detail("isBackstop", is_backstop)
                    .detail("reportInDueAt", fresh.report_in_due_at.to_rfc3339())
                    .detail("resolveDueAt", fresh.resolve_due_at.to_rfc3339())
            })
            .await?;
        Ok((row, fresh))
    }

    /// The call of the whistle that a unit is in.
    async fn open_call_of(&self, unit: OrganizationId) -> Result<Option<Model>> {
        use whistle_response::Column;
        let found = whistle_response::Entity::find()
            .filter(Column::WhistleId.eq(self.row.whistle_id))
            .filter(Column::OrganizationId.eq(unit))
            .filter(Column::IsOpen.eq(true));
        Ok(found.one(&self.tx.db).await?)
    }
}

/// Re-routes a refused call to another unit, or to the backstop unit where none is named; gives the new call.
pub async fn reroute(
    ctx: &Ctx,
    which: WhichCall,
    to: Option<OrganizationId>,
    report_in_by: Option<DateTime<Utc>>,
    resolve_by: Option<DateTime<Utc>>,
) -> Result<Model> {
    let held = hold(ctx, which, &states::REROUTE).await?;
    states::may_judge(&held.row, &held.own)?;
    let unit = to.or(held.whistle.backstop_organization_id);
    let unit = unit.ok_or_else(|| Error::invalid(Code::NoBackstop, "organizationId"))?;
    // Whoever refused is called again only where it then binds.
    let binds = held.is_backstop(unit) || held.row.refusals + 1 >= states::REFUSALS;
    if unit == held.row.organization_id && !binds {
        return Err(Error::invalid(Code::ProposesItself, "organizationId"));
    }
    let new = NewCall { organization_id: unit, report_in_by, resolve_by };
    let (_, fresh) = held.pass_on(new).await?;
    held.tx.commit(fresh.id).await?;
    Ok(fresh)
}

/// Excuses a unit from its call, with the reason why. It counts in no rate, and is shown beside them.
pub async fn excuse(ctx: &Ctx, which: WhichCall, reason: &str) -> Result<Model> {
    let held = hold(ctx, which, &states::EXCUSE).await?;
    states::may_judge(&held.row, &held.own)?;
    let reason = text::required(reason, "reason", FREE_TEXT)?;
    let change = whistle_response::ActiveModel { reason: Set(Some(reason.clone())), ..held.base() };
    let row = held
        .change(&states::EXCUSE, Event::WhistleExcused, change, |fact| fact.reason(Some(&reason)))
        .await?;
    held.end_with_the_last().await?;
    held.tx.commit(row.id).await?;
    Ok(row)
}
