//! Orders are written, issued and stood down by the committee of an alliance. What they need moves the counters of what is covered
//! in the same unit of work, also while people check in.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use concord_entities::{
    alliance,
    id::{AllianceId, MobilizationNeedId, OrganizationId, RegionId},
    mobilization::{self, Column, Model, State},
    mobilization_need, mobilization_region, mobilization_shift,
    mobilization_unit::{self, State as Answer},
    region::{self, Level},
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, QuerySelect,
    sea_query::{Expr, OnConflict},
};

use super::{
    Which,
    coverage::{self, Deltas},
    fact, person,
    reach::{Turn, reached, turn},
    states, visible,
};
use crate::domain::{
    Action, Code, Ctx, Error, Event, Fact, HELD, Result, Target, Tx, governance,
    governance::{alliance::expect_version, membership::hold_among},
    list::{problem::zone, sequence, transition::Step},
    number_pattern::NumberPattern,
    page, text,
};

/// How orders are numbered.
const PATTERN: &str = "动员令〔{year}〕{seq:4}号";
/// Room for the numbers of one year within an ordinal.
const NUMBERS_A_YEAR: i64 = 10_000_000_000;
/// Longest title.
const TITLE: usize = 200;
/// Longest free text.
const FREE_TEXT: usize = 4_000;
/// Longest kind of work.
const WORK: usize = 200;
/// Most regions of an order.
const REGIONS: usize = 200;
/// Most needs said in one request, and of an order.
const NEEDS: usize = 2_000;
const ALL_NEEDS: usize = 20_000;
/// Most units called in one request, and by an order.
const UNITS: usize = 1_500;
const ALL_UNITS: usize = 5_000;
/// How long a shift lasts at most, and how far ahead it begins at most.
const LONGEST_SHIFT: TimeDelta = TimeDelta::days(31);
const AHEAD: TimeDelta = TimeDelta::days(366);
/// Most shifts set up in one request.
const SHIFTS: usize = 500;
/// Most people whom a place needs for one work, and whom a unit sends: so many that all needs of an order together fit into what
/// GraphQL calls an Int.
const PEOPLE: i32 = 100_000;
/// Rows of one insert, of fifteen values each at most; SQLite binds at most 32,766.
const ROWS: usize = 2_000;

/// How many people a place needs.
#[derive(Clone, Debug)]
pub struct NewNeed {
    pub region_id: RegionId,
    pub needed: i32,
    pub work: String,
}

/// A unit to call.
#[derive(Clone, Copy, Debug)]
pub struct NewUnit {
    pub organization_id: OrganizationId,
    pub quota: i32,
}

/// A span of time to set up.
#[derive(Clone, Copy, Debug)]
pub struct NewShift {
    pub region_id: RegionId,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub needed: i32,
}

/// An order to draft.
#[derive(Clone, Debug)]
pub struct NewMobilization {
    pub alliance_id: AllianceId,
    pub title: String,
    pub reason: String,
    pub region_ids: Vec<RegionId>,
    pub needs: Vec<NewNeed>,
    pub units: Vec<NewUnit>,
}

/// Regions that were read ahead: their levels and paths.
type Regions = HashMap<RegionId, (Level, String)>;

async fn regions(ctx: &Ctx, ids: impl IntoIterator<Item = RegionId>) -> Result<Regions> {
    let ids: HashSet<RegionId> = ids.into_iter().collect();
    let rows: Vec<(RegionId, Level, String)> = region::Entity::find()
        .select_only()
        .columns([region::Column::Id, region::Column::Level, region::Column::Path])
        .filter(page::among(ctx, region::Column::Id, ids))
        .into_tuple()
        .all(ctx.read())
        .await?;
    Ok(rows.into_iter().map(|(id, level, path)| (id, (level, path))).collect())
}

/// Turns away more than fit in one request.
fn no_more_than(count: usize, most: usize, field: &'static str) -> Result<()> {
    if count > most {
        Err(Error::invalid(Code::OutOfRange, field).with("least", 1).with("most", most))
    } else {
        Ok(())
    }
}

/// Drafts an order under the next number of the alliance's year.
pub async fn draft(ctx: &Ctx, new: NewMobilization) -> Result<Model> {
    no_more_than(new.region_ids.len(), REGIONS, "regionIds")?;
    no_more_than(new.needs.len(), NEEDS, "needs")?;
    no_more_than(new.units.len(), UNITS, "units")?;
    let named = new.region_ids.iter().copied().chain(new.needs.iter().map(|need| need.region_id));
    let known = regions(ctx, named).await?;
    let tx = ctx.begin().await?;
    let alliance = governance::alliance::visible(ctx).filter(alliance::Column::Id.eq(new.alliance_id));
    let found = alliance.find_also_related(region::Entity).one(&tx.db).await?;
    let (alliance, territory) = found.ok_or(Error::NotFound("alliance"))?;
    ctx.require(&tx.db, Action::DraftMobilization, Target::alliance(alliance.id)).await?;
    let territory = territory.ok_or_else(|| Error::internal("an alliance without territory"))?.path;
    let title = text::required(&new.title, "title", TITLE)?;
    let reason = text::required(&new.reason, "reason", FREE_TEXT)?;
    let tops = tops(&new.region_ids, &known, &territory)?;
    let now = ctx.now();
    let year = now.with_timezone(&zone(&alliance.time_zone)).year();
    let pattern = NumberPattern::parse(PATTERN).map_err(Error::internal)?;
    person::salt(&tx, alliance.id).await?;
    let seq = sequence::take(&tx, sequence::MOBILIZATIONS, alliance.id, year, 1).await?;
    let row = mobilization::ActiveModel {
        id: Set(ctx.new_id()),
        alliance_id: Set(alliance.id),
        year: Set(year),
        seq: Set(seq),
        ordinal: Set(i64::from(year) * NUMBERS_A_YEAR + i64::from(seq)),
        number: Set(pattern.render(year, u32::try_from(seq).unwrap_or_default())),
        title: Set(title),
        reason: Set(reason),
        state: Set(State::Draft),
        territory: Set(territory),
        drafted_at: Set(now),
        drafted_by: Set(ctx.author()),
        issued_at: Set(None),
        issued_by: Set(None),
        ended_at: Set(None),
        ended_by: Set(None),
        end_reason: Set(None),
        version: Set(1),
    };
    let row = row.insert(&tx.db).await?;
    let over = tops.iter().map(|(region, path)| mobilization_region::ActiveModel {
        mobilization_id: Set(row.id),
        region_id: Set(*region),
        path: Set(path.clone()),
    });
    mobilization_region::Entity::insert_many(over).exec_without_returning(&tx.db).await?;
    let paths: Vec<&str> = tops.iter().map(|(_, path)| path.as_str()).collect();
    set_needs(&tx, &row, &new.needs, &known, &paths, 1).await?;
    put_units(&tx, &row, &new.units).await?;
    let told = fact(Event::MobilizationDrafted, &row)
        .detail("title", row.title.clone())
        .detail("needs", new.needs.len())
        .detail("units", new.units.len());
    tx.record(told).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// The regions of an order with their paths: one at least, each within the alliance's territory and named once.
fn tops(ids: &[RegionId], known: &Regions, territory: &str) -> Result<Vec<(RegionId, String)>> {
    if ids.is_empty() {
        return Err(Error::invalid(Code::Required, "regionIds"));
    }
    let mut tops: Vec<(RegionId, String)> = Vec::with_capacity(ids.len());
    for (index, id) in ids.iter().enumerate() {
        let field = || format!("regionIds.{index}");
        let (_, path) = known.get(id).ok_or_else(|| Error::NotFound("region").at(field()))?;
        if !path.starts_with(territory) {
            return Err(Error::invalid(Code::OutsideTerritory, field()));
        }
        if tops.iter().any(|(other, _)| other == id) {
            return Err(Error::invalid(Code::AlreadyExists, field()));
        }
        tops.push((*id, path.clone()));
    }
    Ok(tops)
}

/// Says what places need, `least` or more: a number replaces the one before for the same place and work, and none takes it back.
async fn set_needs(
    tx: &Tx<'_>,
    order: &Model,
    needs: &[NewNeed],
    known: &Regions,
    tops: &[&str],
    least: i32,
) -> Result<()> {
    use mobilization_need::{ActiveModel, Column as Need, Entity};
    if needs.is_empty() {
        return Ok(());
    }
    let before: Vec<(MobilizationNeedId, RegionId, String, i32)> = Entity::find()
        .select_only()
        .columns([Need::Id, Need::RegionId, Need::Work, Need::Needed])
        .filter(Need::MobilizationId.eq(order.id))
        .into_tuple()
        .all(&tx.db)
        .await?;
    let before: HashMap<(RegionId, String), (MobilizationNeedId, i32)> =
        before.into_iter().map(|(id, region, work, needed)| ((region, work), (id, needed))).collect();
    let stood = before.values().filter(|(_, needed)| *needed > 0).count();
    let mut standing = stood;
    let mut deltas = Deltas::new();
    let mut said: HashSet<(RegionId, String)> = HashSet::new();
    let (mut rows, mut taken_back) = (Vec::new(), Vec::new());
    for (index, need) in needs.iter().enumerate() {
        let field = |name: &str| format!("needs.{index}.{name}");
        let missing = || Error::NotFound("region").at(field("regionId"));
        let (level, path) = known.get(&need.region_id).ok_or_else(missing)?;
        if *level < Level::Village {
            return Err(Error::invalid(Code::RegionAboveCommunity, field("regionId")));
        }
        if !tops.iter().any(|top| path.starts_with(top)) {
            return Err(Error::invalid(Code::OutsideMobilization, field("regionId")));
        }
        let work = text::required(&need.work, "work", WORK).map_err(|error| error.at(field("work")))?;
        let key = (need.region_id, work.clone());
        let earlier = before.get(&key).copied();
        if !(least..=PEOPLE).contains(&need.needed) {
            return Err(Error::invalid(Code::OutOfRange, field("needed"))
                .with("least", least)
                .with("most", PEOPLE));
        }
        if !said.insert(key) {
            return Err(Error::invalid(Code::AlreadyExists, field("regionId")));
        }
        standing += usize::from(need.needed > 0);
        standing -= usize::from(earlier.is_some_and(|(_, needed)| needed > 0));
        let delta = deltas.entry(need.region_id).or_default();
        delta.path.clone_from(path);
        delta.needed += need.needed - earlier.map_or(0, |(_, needed)| needed);
        match earlier {
            Some((id, _)) if need.needed == 0 => taken_back.push(id),
            // What was never said needs no taking back.
            None if need.needed == 0 => {}
            _ => rows.push(ActiveModel {
                id: Set(earlier.map_or_else(|| tx.ctx.new_id(), |(id, _)| id)),
                mobilization_id: Set(order.id),
                region_id: Set(need.region_id),
                work: Set(work),
                needed: Set(need.needed),
                set_at: Set(tx.ctx.now()),
            }),
        }
    }
    if standing > ALL_NEEDS {
        return Err(Error::invalid(Code::OutOfRange, "needs")
            .with("least", 0)
            .with("most", ALL_NEEDS.saturating_sub(stood)));
    }
    let again = OnConflict::columns([Need::MobilizationId, Need::RegionId, Need::Work])
        .update_columns([Need::Needed, Need::SetAt])
        .to_owned();
    for some in rows.chunks(ROWS) {
        Entity::insert_many(some.to_vec()).on_conflict(again.clone()).exec_without_returning(&tx.db).await?;
    }
    for some in taken_back.chunks(ROWS) {
        Entity::update_many()
            .col_expr(Need::Needed, Expr::value(0))
            .col_expr(Need::SetAt, Expr::value(tx.ctx.now()))
            .filter(Need::Id.is_in(some.iter().copied()))
            .exec(&tx.db)
            .await?;
    }
    coverage::move_by(tx, order.id, &deltas).await
}

/// Puts units on an order: active members of its alliance, each once. None of them leaves it until the unit of work ends.
async fn put_units(tx: &Tx<'_>, order: &Model, units: &[NewUnit]) -> Result<()> {
    use mobilization_unit::{ActiveModel, Column as Unit, Entity};
    if units.is_empty() {
        return Ok(());
    }
    let ids = units.iter().map(|unit| unit.organization_id);
    let members = hold_among(tx, order.alliance_id, ids).await?;
    let on_it: Vec<OrganizationId> = Entity::find()
        .select_only()
        .column(Unit::OrganizationId)
        .filter(Unit::MobilizationId.eq(order.id))
        .into_tuple()
        .all(&tx.db)
        .await?;
    let mut on_it: HashSet<OrganizationId> = on_it.into_iter().collect();
    if on_it.len() + units.len() > ALL_UNITS {
        return Err(Error::invalid(Code::OutOfRange, "units")
            .with("least", 0)
            .with("most", ALL_UNITS.saturating_sub(on_it.len())));
    }
    let mut rows = Vec::with_capacity(units.len());
    for (index, unit) in units.iter().enumerate() {
        let field = |name: &str| format!("units.{index}.{name}");
        if !members.contains(&unit.organization_id) {
            return Err(Error::invalid(Code::NotAMember, field("organizationId")));
        }
        if !(1..=PEOPLE).contains(&unit.quota) {
            return Err(Error::invalid(Code::OutOfRange, field("quota"))
                .with("least", 1)
                .with("most", PEOPLE));
        }
        if !on_it.insert(unit.organization_id) {
            return Err(Error::invalid(Code::AlreadyOrdered, field("organizationId")));
        }
        rows.push(ActiveModel {
            id: Set(tx.ctx.new_id()),
            mobilization_id: Set(order.id),
            alliance_id: Set(order.alliance_id),
            organization_id: Set(unit.organization_id),
            quota: Set(unit.quota),
            state: Set(Answer::Called),
            called_at: Set(tx.ctx.now()),
            called_by: Set(tx.ctx.author()),
            acknowledged_at: Set(None),
            acknowledged_by: Set(None),
            arrived_at: Set(None),
            arrived_by: Set(None),
            released_at: Set(None),
            released_by: Set(None),
            version: Set(1),
        });
    }
    for some in rows.chunks(ROWS) {
        Entity::insert_many(some.to_vec()).exec_without_returning(&tx.db).await?;
    }
    Ok(())
}

/// An order under lock in a unit of work, its mover's right and the step's place checked.
struct Held<'ctx> {
    tx: Tx<'ctx>,
    row: Model,
}

/// Takes an order for one of these steps, which differ in where they start.
async fn hold<'ctx>(ctx: &'ctx Ctx, which: Which, steps: &[Step<State>]) -> Result<Held<'ctx>> {
    hold_in_turn(ctx, which, steps, false).await
}

/// The same, alone where wanted: those who check people in are waited for, and wait.
async fn hold_in_turn<'ctx>(
    ctx: &'ctx Ctx,
    which: Which,
    steps: &[Step<State>],
    alone: bool,
) -> Result<Held<'ctx>> {
    let tx = ctx.begin().await?;
    let mut row = visible(ctx).filter(Column::Id.eq(which.id)).lock(HELD);
    if alone && let Some(turn) = turn(&tx.db, which.id, Turn::Alone) {
        row = row.expr_as(turn, "turn");
    }
    let row = row.one(&tx.db).await?;
    let row = row.ok_or(Error::NotFound("mobilization"))?;
    let step = steps.iter().find(|step| step.from.contains(&row.state)).or(steps.first());
    let step = step.ok_or_else(|| Error::internal("a step of no table"))?;
    ctx.require(&tx.db, step.action, Target::alliance(row.alliance_id)).await?;
    if let Some(expected) = which.expected_version {
        expect_version(expected, row.version)?;
    }
    step.check(row.state)?;
    Ok(Held { tx, row })
}

impl Held<'_> {
    async fn tops(&self) -> Result<Vec<String>> {
        let rows = mobilization_region::Entity::find()
            .filter(mobilization_region::Column::MobilizationId.eq(self.row.id))
            .all(&self.tx.db)
            .await?;
        Ok(rows.into_iter().map(|row| row.path).collect())
    }

    /// The units that a draft calls, whose memberships are held; takes those out of it that are no active members any more, so that
    /// they are called anew once they are, and gives them beside.
    async fn leave_out(&self) -> Result<(Vec<OrganizationId>, Vec<OrganizationId>)> {
        use mobilization_unit::{Column as Unit, Entity};
        let of = Unit::MobilizationId.eq(self.row.id);
        let units: Vec<OrganizationId> = Entity::find()
            .select_only()
            .column(Unit::OrganizationId)
            .filter(of.clone())
            .into_tuple()
            .all(&self.tx.db)
            .await?;
        let members = hold_among(&self.tx, self.row.alliance_id, units.iter().copied()).await?;
        let (units, left_out): (Vec<_>, Vec<_>) = units.into_iter().partition(|unit| members.contains(unit));
        if !left_out.is_empty() {
            let others = page::among(self.tx.ctx, Unit::OrganizationId, left_out.iter().copied());
            Entity::delete_many().filter(of).filter(others).exec(&self.tx.db).await?;
        }
        Ok((units, left_out))
    }

    fn base(&self) -> mobilization::ActiveModel {
        mobilization::ActiveModel {
            version: Set(self.row.version + 1),
            ..self.row.clone().into_active_model()
        }
    }

    /// Writes what happened to the order: in its own alliance's chain with what concerns that one alone, and in the chains of the other
    /// alliances that it reaches.
    async fn tell(
        &self,
        kind: Event,
        row: &Model,
        reached: Vec<AllianceId>,
        reason: Option<&str>,
        own: impl FnOnce(Fact) -> Fact,
    ) -> Result<()> {
        let told = || {
            fact(kind, row)
                .moved(self.row.state.to_value(), row.state.to_value())
                .detail("title", row.title.clone())
                .reason(reason)
        };
        let others = reached.into_iter().map(|alliance| told().alliance(alliance));
        self.tx.record_all([own(told())].into_iter().chain(others)).await
    }

    /// What is told of a change to what the order says: of a draft to its committee alone.
    fn amended(&self, issued: Event) -> Event {
        if self.row.state == State::Draft { Event::MobilizationDraftAmended } else { issued }
    }
}

/// Says anew what places need, of a draft or while the order stands.
pub async fn amend_needs(ctx: &Ctx, which: Which, needs: &[NewNeed]) -> Result<Model> {
    no_more_than(needs.len(), NEEDS, "needs")?;
    let known = regions(ctx, needs.iter().map(|need| need.region_id)).await?;
    let held = hold(ctx, which, &[states::AMEND_DRAFT, states::AMEND]).await?;
    if needs.is_empty() {
        return Err(Error::invalid(Code::Required, "needs"));
    }
    let tops = held.tops().await?;
    let tops: Vec<&str> = tops.iter().map(String::as_str).collect();
    let row = held.base().update(&held.tx.db).await?;
    set_needs(&held.tx, &row, needs, &known, &tops, 0).await?;
    let kind = held.amended(Event::MobilizationNeedsAmended);
    held.tx.record(fact(kind, &row).detail("needs", needs.len())).await?;
    held.tx.commit(row.id).await?;
    Ok(row)
}

/// Calls more units, of a draft or while the order stands.
pub async fn call_units(ctx: &Ctx, which: Which, units: &[NewUnit]) -> Result<Model> {
    no_more_than(units.len(), UNITS, "units")?;
    let held = hold(ctx, which, &[states::CALL_IN_DRAFT, states::CALL]).await?;
    if units.is_empty() {
        return Err(Error::invalid(Code::Required, "units"));
    }
    let row = held.base().update(&held.tx.db).await?;
    put_units(&held.tx, &row, units).await?;
    let kind = held.amended(Event::MobilizationUnitsCalled);
    let told = fact(kind, &row).detail("units", units.len());
    let told = if row.state == State::Draft {
        told
    } else {
        told.detail("title", row.title.clone()).organizations(units.iter().map(|unit| unit.organization_id))
    };
    held.tx.record(told).await?;
    held.tx.commit(row.id).await?;
    Ok(row)
}

/// Sets up shifts, of a draft or while the order stands.
pub async fn add_shifts(ctx: &Ctx, which: Which, shifts: &[NewShift]) -> Result<Model> {
    no_more_than(shifts.len(), SHIFTS, "shifts")?;
    let known = regions(ctx, shifts.iter().map(|shift| shift.region_id)).await?;
    let held = hold(ctx, which, &[states::SHIFT_IN_DRAFT, states::SHIFT]).await?;
    if shifts.is_empty() {
        return Err(Error::invalid(Code::Required, "shifts"));
    }
    let tops = held.tops().await?;
    let planned = mobilization_shift::Entity::find()
        .filter(mobilization_shift::Column::MobilizationId.eq(held.row.id))
        .all(&held.tx.db)
        .await?;
    let mut planned: HashSet<_> =
        planned.into_iter().map(|shift| (shift.region_id, shift.starts_at, shift.ends_at)).collect();
    let mut rows = Vec::with_capacity(shifts.len());
    for (index, shift) in shifts.iter().enumerate() {
        let field = |name: &str| format!("shifts.{index}.{name}");
        let missing = || Error::NotFound("region").at(field("regionId"));
        let (level, path) = known.get(&shift.region_id).ok_or_else(missing)?;
        if *level < Level::Village {
            return Err(Error::invalid(Code::RegionAboveCommunity, field("regionId")));
        }
        if !tops.iter().any(|top| path.starts_with(top)) {
            return Err(Error::invalid(Code::OutsideMobilization, field("regionId")));
        }
        // No shift was over before there was an order, and a slip in the year would stand for long.
        let between = |name, at, least: DateTime<Utc>, most: DateTime<Utc>| {
            let (told, most_told) = (least.to_rfc3339(), most.to_rfc3339());
            let refused =
                Error::invalid(Code::OutOfRange, field(name)).with("least", told).with("most", most_told);
            if (least..=most).contains(&at) { Ok(()) } else { Err(refused) }
        };
        let drafted = held.row.drafted_at;
        between("startsAt", shift.starts_at, drafted - LONGEST_SHIFT, ctx.now() + AHEAD)?;
        let shortest = TimeDelta::microseconds(1);
        let least = Ord::max(shift.starts_at, drafted) + shortest;
        between("endsAt", shift.ends_at, least, shift.starts_at + LONGEST_SHIFT)?;
        if !(1..=PEOPLE).contains(&shift.needed) {
            return Err(Error::invalid(Code::OutOfRange, field("needed"))
                .with("least", 1)
                .with("most", PEOPLE));
        }
        if !planned.insert((shift.region_id, shift.starts_at, shift.ends_at)) {
            return Err(Error::invalid(Code::AlreadyExists, field("startsAt")));
        }
        rows.push(mobilization_shift::ActiveModel {
            id: Set(ctx.new_id()),
            mobilization_id: Set(held.row.id),
            region_id: Set(shift.region_id),
            starts_at: Set(shift.starts_at),
            ends_at: Set(shift.ends_at),
            needed: Set(shift.needed),
            added_at: Set(ctx.now()),
            added_by: Set(ctx.author()),
        });
    }
    mobilization_shift::Entity::insert_many(rows).exec_without_returning(&held.tx.db).await?;
    let row = held.base().update(&held.tx.db).await?;
    let kind = held.amended(Event::MobilizationShiftsAdded);
    held.tx.record(fact(kind, &row).detail("shifts", shifts.len())).await?;
    held.tx.commit(row.id).await?;
    Ok(row)
}

/// Issues an order: every unit that it calls is told, and people check in from now on. Units that are no active members by then are
/// left out of it, and the event names them.
pub async fn issue(ctx: &Ctx, which: Which) -> Result<Model> {
    let reached = reached(ctx, which.id).await?;
    let held = hold(ctx, which, &[states::ISSUE]).await?;
    let (units, left_out) = held.leave_out().await?;
    let change = mobilization::ActiveModel {
        state: Set(State::Issued),
        issued_at: Set(Some(ctx.now())),
        issued_by: Set(ctx.author()),
        ..held.base()
    };
    let row = change.update(&held.tx.db).await?;
    let left_out: Vec<String> = left_out.iter().map(ToString::to_string).collect();
    let own = |fact: Fact| {
        let told = fact.detail("units", units.len()).organizations(units);
        if left_out.is_empty() { told } else { told.detail("leftOutOrganizationIds", left_out) }
    };
    held.tell(Event::MobilizationIssued, &row, reached, None, own).await?;
    held.tx.commit(row.id).await?;
    Ok(row)
}

/// Discards a draft; its number stays used.
pub async fn discard(ctx: &Ctx, which: Which, reason: &str) -> Result<Model> {
    let held = hold(ctx, which, &[states::DISCARD]).await?;
    let reason = text::required(reason, "reason", FREE_TEXT)?;
    let change = mobilization::ActiveModel {
        state: Set(State::Discarded),
        ended_at: Set(Some(ctx.now())),
        ended_by: Set(ctx.author()),
        end_reason: Set(Some(reason.clone())),
        ..held.base()
    };
    let row = change.update(&held.tx.db).await?;
    let told = fact(Event::MobilizationDraftDiscarded, &row)
        .moved(held.row.state.to_value(), row.state.to_value())
        .reason(Some(&reason));
    held.tx.record(told).await?;
    held.tx.commit(row.id).await?;
    Ok(row)
}

/// Stands an order down: units that were not released yet are, and whoever is present then stays counted as having been there.
pub async fn stand_down(ctx: &Ctx, which: Which, reason: &str) -> Result<Model> {
    use mobilization_unit::{Column as Unit, Entity};
    let reached = reached(ctx, which.id).await?;
    let held = hold_in_turn(ctx, which, &[states::STAND_DOWN], true).await?;
    let reason = text::required(reason, "reason", FREE_TEXT)?;
    let now = ctx.now();
    let change = mobilization::ActiveModel {
        state: Set(State::StoodDown),
        ended_at: Set(Some(now)),
        ended_by: Set(ctx.author()),
        end_reason: Set(Some(reason.clone())),
        ..held.base()
    };
    let row = change.update(&held.tx.db).await?;
    let released = Entity::update_many()
        .col_expr(Unit::State, Expr::value(Answer::Released))
        .col_expr(Unit::ReleasedAt, Expr::value(now))
        .col_expr(Unit::ReleasedBy, Expr::value(ctx.author()))
        .col_expr(Unit::Version, Expr::col(Unit::Version).add(1))
        .filter(Unit::MobilizationId.eq(row.id))
        .filter(Unit::State.ne(Answer::Released))
        .exec_with_returning(&held.tx.db)
        .await?;
    let units = released.into_iter().map(|unit| unit.organization_id);
    let own = |fact: Fact| fact.organizations(units);
    held.tell(Event::MobilizationStoodDown, &row, reached, Some(&reason), own).await?;
    held.tx.commit(row.id).await?;
    Ok(row)
}
