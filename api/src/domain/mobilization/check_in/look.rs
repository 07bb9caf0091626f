//! What is checked of a check-in: the place, the unit, the right, the time. What does not change meanwhile is read ahead of the
//! unit of work, the order and the caller's seats within it.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use concord_entities::{
    account, alliance,
    id::{AccountId, AllianceId, MobilizationId, MobilizationShiftId, OrganizationId, RegionId},
    membership,
    mobilization::{self, State},
    mobilization_region, mobilization_shift, mobilization_unit, pairing, person_salt,
    region::{self, Level},
    seat,
};
use sea_orm::{
    ActiveEnum, ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, FromQueryResult,
    IntoSimpleExpr, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Alias, Expr, Func, Query, SimpleExpr},
};

use super::{
    super::{
        reach::{self, Sitting, Turn},
        visible,
    },
    Coming, NewCheckIn,
};
use crate::domain::{Action, Actor, Code, Ctx, Error, Result, Target, Tx, list::problem::zone, page, policy};

/// How far a clock may go ahead of ours.
const AHEAD: TimeDelta = TimeDelta::minutes(2);
/// How long after an order was stood down what was captured before may still come in.
const LATE: TimeDelta = TimeDelta::hours(24);

/// A place as a check-in names it.
struct Place {
    level: Level,
    path: String,
    /// Within the regions of the order.
    is_within: bool,
}

/// What is read ahead of the unit of work.
pub struct Ahead {
    places: HashMap<RegionId, Place>,
    /// The units that are called, and when they were released.
    called: HashMap<OrganizationId, Option<DateTime<Utc>>>,
    /// Pairings of units that are not called, with their places' paths.
    paired: Vec<(pairing::Model, String)>,
    /// Where a shift is, and until when.
    shifts: HashMap<MobilizationShiftId, (RegionId, DateTime<Utc>)>,
    zone: chrono_tz::Tz,
}

impl Ahead {
    pub async fn read(ctx: &Ctx, of: MobilizationId, items: &[Result<NewCheckIn>]) -> Result<Self> {
        let items = || items.iter().filter_map(|item| item.as_ref().ok());
        let places = places(ctx, of, items().map(|new| new.region_id).collect()).await?;
        let units: HashSet<OrganizationId> = items().filter_map(|new| new.organization_id).collect();
        let shifts: HashSet<MobilizationShiftId> = items().filter_map(|new| new.shift_id).collect();
        let mut ahead = Self {
            places,
            called: HashMap::new(),
            paired: Vec::new(),
            shifts: HashMap::new(),
            zone: chrono_tz::Asia::Shanghai,
        };
        if !units.is_empty() {
            ahead.called = called(ctx, of, &units).await?;
            let others: Vec<OrganizationId> =
                units.into_iter().filter(|unit| !ahead.called.contains_key(unit)).collect();
            if !others.is_empty() {
                ahead.read_pairings(ctx, of, others).await?;
            }
        }
        if !shifts.is_empty() {
            use mobilization_shift::Column;
            let rows: Vec<(MobilizationShiftId, RegionId, DateTime<Utc>)> =
                mobilization_shift::Entity::find()
                    .select_only()
                    .columns([Column::Id, Column::RegionId, Column::EndsAt])
                    .filter(Column::MobilizationId.eq(of))
                    .filter(page::among(ctx, Column::Id, shifts))
                    .into_tuple()
                    .all(ctx.read())
                    .await?;
            ahead.shifts = rows.into_iter().map(|(id, place, until)| (id, (place, until))).collect();
        }
        Ok(ahead)
    }

    async fn read_pairings(
        &mut self,
        ctx: &Ctx,
        of: MobilizationId,
        units: Vec<OrganizationId>,
    ) -> Result<()> {
        let order =
            mobilization::Entity::find_by_id(of).find_also_related(alliance::Entity).one(ctx.read()).await?;
        let Some((_, Some(alliance))) = order else { return Ok(()) };
        self.zone = zone(&alliance.time_zone);
        // What a town has paired stands for its own officers too.
        let mut of = Condition::any().add(pairing::Column::AllianceId.eq(alliance.id));
        if let Actor::Account { id, .. } = ctx.actor {
            let own = seat::Entity::find()
                .select_only()
                .column(seat::Column::AllianceId)
                .filter(seat::Column::AccountId.eq(id))
                .filter(seat::Column::State.eq(seat::State::Active))
                .into_query();
            of = of.add(pairing::Column::AllianceId.in_subquery(own));
        }
        let rows = pairing::Entity::find()
            .find_also_related(region::Entity)
            .filter(of)
            .filter(is_member(pairing::Column::AllianceId, pairing::Column::OrganizationId))
            .filter(page::among(ctx, pairing::Column::OrganizationId, units))
            .all(ctx.read())
            .await?;
        self.paired = rows.into_iter().filter_map(|(row, region)| Some((row, region?.path))).collect();
        Ok(())
    }

    /// The path of a place.
    pub fn path(&self, region: RegionId) -> Option<&str> {
        self.places.get(&region).map(|place| place.path.as_str())
    }

    /// Whether a unit is paired, on the day of an instant, with a place or with what it lies in.
    fn is_paired(&self, unit: OrganizationId, path: &str, at: DateTime<Utc>) -> bool {
        let day = at.with_timezone(&self.zone).date_naive();
        self.paired.iter().any(|(row, of)| {
            row.organization_id == unit
                && path.starts_with(of.as_str())
                && row.since_on <= day
                && row.until_on.is_none_or(|until| day < until)
        })
    }
}

/// The places that check-ins name, and whether they lie within the order's regions.
async fn places(ctx: &Ctx, of: MobilizationId, ids: HashSet<RegionId>) -> Result<HashMap<RegionId, Place>> {
    let path = Expr::col((region::Entity, region::Column::Path));
    let top = Expr::col((mobilization_region::Entity, mobilization_region::Column::Path));
    let length = Func::cust("LENGTH").arg(top.clone());
    let head: SimpleExpr = Func::cust("SUBSTR").arg(path).arg(1).arg(length).into();
    let tops = Query::select()
        .expr(Expr::val(1))
        .from(mobilization_region::Entity)
        .and_where(mobilization_region::Column::MobilizationId.eq(of))
        .and_where(head.eq(top))
        .to_owned();
    let within = Expr::case(Expr::exists(tops), 1).finally(0);
    let query = region::Entity::find()
        .select_only()
        .columns([region::Column::Id, region::Column::Level, region::Column::Path])
        .filter(page::among(ctx, region::Column::Id, ids))
        .expr_as(within, "is_within")
        .into_query();
    let rows = ctx.read().query_all(&query).await?;
    rows.iter()
        .map(|row| {
            let place = Place {
                level: row.try_get("", "level")?,
                path: row.try_get("", "path")?,
                is_within: row.try_get::<i32>("", "is_within")? == 1,
            };
            Ok((row.try_get("", "id")?, place))
        })
        .collect()
}

/// Holds where a unit is a member of an alliance and not suspended there: nobody is received for others.
fn is_member(alliance: impl IntoSimpleExpr, unit: impl IntoSimpleExpr) -> SimpleExpr {
    use membership::{Column, Entity};
    let member = Entity::find()
        .select_only()
        .expr(Expr::val(1))
        .filter(Expr::col((Entity, Column::AllianceId)).eq(alliance.into_simple_expr()))
        .filter(Expr::col((Entity, Column::OrganizationId)).eq(unit.into_simple_expr()))
        .filter(Column::State.eq(membership::State::Active));
    Expr::exists(member.into_query())
}

async fn called(
    ctx: &Ctx,
    of: MobilizationId,
    units: &HashSet<OrganizationId>,
) -> Result<HashMap<OrganizationId, Option<DateTime<Utc>>>> {
    use mobilization_unit::Column;
    let rows: Vec<(OrganizationId, Option<DateTime<Utc>>)> = mobilization_unit::Entity::find()
        .select_only()
        .columns([Column::OrganizationId, Column::ReleasedAt])
        .filter(Column::MobilizationId.eq(of))
        .filter(page::among(ctx, Column::OrganizationId, units.iter().copied()))
        .filter(is_member(Column::AllianceId, Column::OrganizationId))
        .into_tuple()
        .all(ctx.read())
        .await?;
    Ok(rows.into_iter().collect())
}

/// An order to which somebody is received, the key of its alliance's digests, and whoever receives.
pub struct Desk {
    pub order: mobilization::Model,
    pub salt: Vec<u8>,
    pub caller: Caller,
}

impl Desk {
    /// Takes a turn with an order beside others who check in, and reads it: its state stays until the unit of work ends. Whoever
    /// stands it down waits for those who came before, and those who come after are turned away.
    pub async fn open(tx: &Tx<'_>, of: MobilizationId) -> Result<Self> {
        let seats = match tx.ctx.actor {
            Actor::Account { id, .. } => reach::sittings(tx, of, id).await?,
            _ => {
                if let Some(turn) = reach::turn(&tx.db, of, Turn::Shared) {
                    tx.db.execute(&Query::select().expr(turn).take()).await?;
                }
                Vec::new()
            }
        };
        let (order, salt) = order(tx, of).await?;
        let caller = Caller::among(tx.ctx, seats, Action::CheckInToMobilization)?;
        match order.state {
            State::Issued | State::StoodDown => Ok(Self { order, salt, caller }),
            State::Draft | State::Discarded => {
                Err(Error::refused(Code::StateRefused).with("state", order.state.to_value()))
            }
        }
    }
}

/// The order, if the caller may see it, and the key of its alliance's digests.
async fn order(tx: &Tx<'_>, of: MobilizationId) -> Result<(mobilization::Model, Vec<u8>)> {
    let salt = Query::select()
        .column(person_salt::Column::Salt)
        .from(person_salt::Entity)
        .and_where(
            Expr::col((person_salt::Entity, person_salt::Column::AllianceId))
                .equals((mobilization::Entity, mobilization::Column::AllianceId)),
        )
        .to_owned();
    let mut query = visible(tx.ctx).filter(mobilization::Column::Id.eq(of)).into_query();
    query.expr_as(SimpleExpr::SubQuery(None, Box::new(salt.into())), Alias::new("salt"));
    let row = tx.db.query_one(&query).await?.ok_or(Error::NotFound("mobilization"))?;
    Ok((mobilization::Model::from_query_result(&row, "")?, row.try_get("", "salt")?))
}

/// Whoever receives people, with what they may.
pub enum Caller {
    /// The platform.
    System,
    /// Somebody with these seats, each of which allows it to some extent.
    Person { account: AccountId, action: Action, seats: Vec<Sitting> },
}

impl Caller {
    /// The caller in an alliance; whoever may do nothing of the kind there is turned away.
    pub async fn find(tx: &Tx<'_>, alliance: AllianceId, action: Action) -> Result<Self> {
        let seats = match tx.ctx.actor {
            Actor::Account { id, .. } => seat::Entity::find()
                .inner_join(account::Entity)
                .find_also_related(region::Entity)
                .filter(account::Column::State.eq(account::State::Active))
                .filter(seat::Column::AccountId.eq(id))
                .filter(seat::Column::AllianceId.eq(alliance))
                .filter(seat::Column::State.eq(seat::State::Active))
                .all(&tx.db)
                .await?
                .into_iter()
                .map(|(seat, region)| {
                    let community = region.map(|region| region.path);
                    Sitting { seat, community, territory: None }
                })
                .collect(),
            _ => Vec::new(),
        };
        Self::among(tx.ctx, seats, action)
    }

    fn among(ctx: &Ctx, mut seats: Vec<Sitting>, action: Action) -> Result<Self> {
        let account = match ctx.actor {
            Actor::System => return Ok(Self::System),
            Actor::Anonymous => return Err(Error::Unauthenticated),
            Actor::Key(_) => return Err(Error::Forbidden),
            Actor::Account { id, .. } => id,
        };
        seats.retain(|sitting| policy::grant(sitting.seat.role, action) != policy::Grant::Never);
        if seats.is_empty() { Err(Error::Forbidden) } else { Ok(Self::Person { account, action, seats }) }
    }

    /// Whether a place lies where the caller has anything to do: a seat in an alliance that the order reaches ends with its territory.
    pub fn reaches(&self, path: &str) -> bool {
        let Self::Person { seats, .. } = self else { return true };
        let holds = |territory: &str| path.starts_with(territory);
        seats.iter().any(|sitting| sitting.territory.as_deref().is_none_or(holds))
    }

    /// Whether whoever stands on the order for this unit, or for none, may be moved: staff and managers of a unit move its own people.
    pub fn moves(&self, unit: Option<OrganizationId>) -> bool {
        let Self::Person { account, action, seats } = self else { return true };
        let units: Vec<OrganizationId> = unit.into_iter().collect();
        seats.iter().any(|Sitting { seat, .. }| {
            let target = Target::alliance(seat.alliance_id).of(&units);
            policy::standing(*account, std::slice::from_ref(seat), *action, target).is_some()
        })
    }

    /// Whether somebody of a unit may be received at a place. An officer's seat for a community reaches no further.
    pub fn may(&self, unit: Option<OrganizationId>, path: &str) -> bool {
        let Self::Person { account, action, seats } = self else { return true };
        let units: Vec<OrganizationId> = unit.into_iter().collect();
        let holds = |place: &Option<String>| place.as_deref().is_none_or(|place| path.starts_with(place));
        seats.iter().any(|Sitting { seat, community, territory }| {
            let target = Target::alliance(seat.alliance_id).of(&units);
            holds(territory)
                && holds(community)
                && policy::standing(*account, std::slice::from_ref(seat), *action, target).is_some()
        })
    }
}

/// Looks at every part of a check-in but the person.
pub fn look(
    order: &mobilization::Model,
    ahead: &Ahead,
    caller: &Caller,
    new: &NewCheckIn,
    now: DateTime<Utc>,
) -> Result<Coming> {
    let place = ahead.places.get(&new.region_id).ok_or_else(|| Error::NotFound("region").at("regionId"))?;
    if place.level < Level::Village {
        return Err(Error::invalid(Code::RegionAboveCommunity, "regionId"));
    }
    if !place.is_within || !caller.reaches(&place.path) {
        return Err(Error::invalid(Code::OutsideMobilization, "regionId"));
    }
    if !caller.may(new.organization_id, &place.path) {
        return Err(Error::Forbidden);
    }
    let at = new.at.unwrap_or(now);
    if let Some(unit) = new.organization_id
        && !ahead.called.contains_key(&unit)
        && !ahead.is_paired(unit, &place.path, at)
    {
        return Err(Error::invalid(Code::UnitNotCalled, "organizationId"));
    }
    if let Some(shift) = new.shift_id {
        let missing = || Error::NotFound("mobilization_shift").at("shiftId");
        let (place, until) = ahead.shifts.get(&shift).ok_or_else(missing)?;
        if *place != new.region_id {
            return Err(Error::invalid(Code::ShiftElsewhere, "shiftId"));
        }
        if at >= *until {
            let until = until.with_timezone(&ahead.zone).format("%Y-%m-%d %H:%M");
            return Err(Error::invalid(Code::ShiftOver, "shiftId").with("until", until));
        }
    }
    in_time(order, at, now)?;
    // Whoever came before their unit was released came for it.
    if let Some(unit) = new.organization_id
        && let Some(Some(released)) = ahead.called.get(&unit)
        && at >= *released
    {
        return Err(Error::invalid(Code::UnitReleased, "organizationId"));
    }
    // As exact as it is kept, so that it is known when it is sent again.
    let at = at.trunc_subsecs(6);
    Ok(Coming { region: new.region_id, organization: new.organization_id, shift: new.shift_id, at })
}

/// The latest time that is taken.
pub fn latest(order: &mobilization::Model, now: DateTime<Utc>) -> DateTime<Utc> {
    order.ended_at.unwrap_or(now + AHEAD)
}

/// Whether a time is one of the order's: not before it was issued, not ahead of the clock, not after it was stood down.
pub fn in_time(order: &mobilization::Model, at: DateTime<Utc>, now: DateTime<Utc>) -> Result<()> {
    if at > now + AHEAD {
        return Err(Error::invalid(Code::CheckInInFuture, "at").with("most", (now + AHEAD).to_rfc3339()));
    }
    let issued = order.issued_at.unwrap_or(order.drafted_at);
    if at < issued {
        return Err(Error::invalid(Code::CheckInBeforeIssue, "at").with("least", issued.to_rfc3339()));
    }
    match order.ended_at {
        Some(ended) if now > ended + LATE => {
            Err(Error::refused(Code::StateRefused).with("state", order.state.to_value()))
        }
        Some(ended) if at >= ended => {
            Err(Error::invalid(Code::CheckInAfterEnd, "at").with("most", ended.to_rfc3339()))
        }
        _ => Ok(()),
    }
}
