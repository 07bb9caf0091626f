//! Pairings (包保): a unit is responsible for a community, compound or building from one day up to another, whether or not anything is
//! ordered. The same unit and place are paired once at a time; the alliance's row gives turns to whoever pairs.

use chrono::NaiveDate;
use concord_entities::{
    alliance,
    id::{AllianceId, OrganizationId, PairingId, RegionId},
    pairing::{self, Column, Entity, Model},
    region::{self, Level},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, ExprTrait, IntoActiveModel,
    QueryFilter, QuerySelect, QueryTrait, Select, sea_query::Expr,
};

use crate::domain::{
    Action, Code, Ctx, Error, Event, Fact, HELD, Result, Target, Tx, governance,
    governance::{alliance::expect_version, membership},
    grid::near,
    list::due,
    page::{self, Order, Page},
    scope,
    territory::region::{below, require_within},
};

/// The last day there is, for refusals.
const LAST: &str = "9999-12-31";

/// The pairings of the alliances that the caller may see.
pub fn visible(ctx: &Ctx) -> Select<Entity> {
    Entity::find().filter(scope::in_alliances(ctx, Column::AllianceId))
}

/// One pairing, if the caller may see it.
pub async fn find(ctx: &Ctx, id: PairingId) -> Result<Option<Model>> {
    Ok(visible(ctx).filter(Column::Id.eq(id)).one(ctx.read()).await?)
}

/// Which pairings to list; what is absent does not restrict.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub alliance_id: Option<AllianceId>,
    pub organization_id: Option<OrganizationId>,
    /// Of this place and of whatever lies in it: its path.
    pub within: Option<(RegionId, String)>,
    /// Standing on this day.
    pub on: Option<NaiveDate>,
}

/// The path of the place that a filter names.
pub async fn path_of(ctx: &Ctx, region: RegionId) -> Result<(RegionId, String)> {
    let row = region::Entity::find_by_id(region).one(ctx.read()).await?.ok_or(Error::NotFound("region"))?;
    Ok((region, row.path))
}

/// Holds where `place` is a region or lies below it.
pub fn within(ctx: &Ctx, place: impl ColumnTrait, (top, path): &(RegionId, String)) -> Condition {
    let lower = region::Entity::find()
        .select_only()
        .column(region::Column::Id)
        .filter(below(ctx.app.backend(), path))
        .into_query();
    Condition::any().add(place.eq(*top)).add(place.in_subquery(lower))
}

/// The pairings that fit, the latest first.
pub fn listed(ctx: &Ctx, filter: &Filter) -> (Select<Entity>, Order<Column>) {
    let within = filter.within.as_ref().map(|top| within(ctx, Column::RegionId, top));
    let on = filter.on.map(|on| {
        let stands = Condition::any().add(Column::UntilOn.is_null()).add(Column::UntilOn.gt(on));
        Condition::all().add(Column::SinceOn.lte(on)).add(stands)
    });
    let wanted = Condition::all()
        .add_option(filter.alliance_id.map(|id| Column::AllianceId.eq(id)))
        .add_option(filter.organization_id.map(|id| Column::OrganizationId.eq(id)))
        .add_option(within)
        .add_option(on);
    (visible(ctx).filter(wanted), Order { column: Column::SinceOn, descending: true })
}

/// The pairings that the caller may see, the latest first.
pub async fn list(ctx: &Ctx, filter: &Filter, args: &page::Args) -> Result<Page<Entity>> {
    ctx.require_signed_in()?;
    let (select, order) = listed(ctx, filter);
    page::fetch(ctx, select, order, Column::Id, args).await
}

/// A unit to pair with a place.
#[derive(Clone, Copy, Debug)]
pub struct NewPairing {
    pub alliance_id: AllianceId,
    pub organization_id: OrganizationId,
    pub region_id: RegionId,
    /// The first day; today by the alliance's calendar where absent.
    pub since: Option<NaiveDate>,
    /// The first day on which it no longer holds.
    pub until: Option<NaiveDate>,
}

/// Pairs a unit with a place.
pub async fn pair(ctx: &Ctx, new: NewPairing) -> Result<Model> {
    let tx = ctx.begin().await?;
    let alliance = governance::alliance::visible(ctx).filter(alliance::Column::Id.eq(new.alliance_id));
    let alliance = alliance.lock(HELD).one(&tx.db).await?.ok_or(Error::NotFound("alliance"))?;
    ctx.require(&tx.db, Action::PairOrganization, Target::alliance(alliance.id)).await?;
    require_within(&tx.db, new.region_id, alliance.region_id).await?;
    let place = region::Entity::find_by_id(new.region_id).one(&tx.db).await?;
    if place.ok_or(Error::NotFound("region"))?.level < Level::Village {
        return Err(Error::invalid(Code::RegionAboveCommunity, "regionId"));
    }
    membership::require_active(&tx.db, alliance.id, new.organization_id, "organizationId").await?;
    let today = due::today(&alliance.time_zone, ctx.now());
    let since = new.since.unwrap_or(today);
    near(since, today, "since")?;
    if let Some(until) = new.until.filter(|until| *until <= since) {
        let least = since.succ_opt().unwrap_or(until);
        return Err(Error::invalid(Code::OutOfRange, "until").with("least", least).with("most", LAST));
    }
    let fresh = Model {
        id: ctx.new_id(),
        alliance_id: alliance.id,
        organization_id: new.organization_id,
        region_id: new.region_id,
        since_on: since,
        until_on: new.until,
        recorded_at: ctx.now(),
        recorded_by: ctx.author(),
        ended_by: None,
        version: 1,
    };
    refuse_overlap(&tx, &fresh, "since").await?;
    let row = fresh.into_active_model().reset_all().insert(&tx.db).await?;
    tx.record(fact(Event::OrganizationPaired, &row)).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Turns away a pairing that would stand beside another of the same unit and place.
async fn refuse_overlap(tx: &Tx<'_>, row: &Model, field: &'static str) -> Result<()> {
    let mut others = Entity::find()
        .filter(Column::AllianceId.eq(row.alliance_id))
        .filter(Column::OrganizationId.eq(row.organization_id))
        .filter(Column::RegionId.eq(row.region_id))
        .filter(Column::Id.ne(row.id))
        .filter(
            Condition::any().add(Column::UntilOn.is_null()).add(
                // What ended on the day on which it began never stood.
                Condition::all()
                    .add(Column::UntilOn.gt(row.since_on))
                    .add(Expr::col(Column::UntilOn).gt(Expr::col(Column::SinceOn))),
            ),
        );
    if let Some(until) = row.until_on {
        others = others.filter(Column::SinceOn.lt(until));
    }
    match others.one(&tx.db).await? {
        Some(_) => Err(Error::invalid(Code::AlreadyPaired, field)),
        None => Ok(()),
    }
}

/// Says from which day on a pairing no longer holds: from today on where nobody says. One that is over stays as it was.
pub async fn end(
    ctx: &Ctx,
    id: PairingId,
    expected_version: Option<i64>,
    until: Option<NaiveDate>,
) -> Result<Model> {
    let tx = ctx.begin().await?;
    let missing = || Error::NotFound("pairing");
    let of = visible(ctx).select_only().column(Column::AllianceId).filter(Column::Id.eq(id)).into_query();
    let alliance = alliance::Entity::find().filter(alliance::Column::Id.in_subquery(of)).lock(HELD);
    let alliance = alliance.one(&tx.db).await?.ok_or_else(missing)?;
    let row = Entity::find_by_id(id).lock(HELD).one(&tx.db).await?.ok_or_else(missing)?;
    ctx.require(&tx.db, Action::PairOrganization, Target::alliance(alliance.id)).await?;
    if let Some(expected) = expected_version {
        expect_version(expected, row.version)?;
    }
    let today = due::today(&alliance.time_zone, ctx.now());
    if row.until_on.is_some_and(|until| until <= today) {
        return Err(Error::refused(Code::StateRefused).with("state", "ended"));
    }
    let until = until.unwrap_or_else(|| Ord::max(today, row.since_on));
    if until < row.since_on {
        return Err(Error::invalid(Code::OutOfRange, "until").with("least", row.since_on).with("most", LAST));
    }
    let ended = pairing::Model { until_on: Some(until), ..row.clone() };
    refuse_overlap(&tx, &ended, "until").await?;
    let change = pairing::ActiveModel {
        until_on: Set(Some(until)),
        ended_by: Set(ctx.author()),
        version: Set(row.version + 1),
        ..row.into_active_model()
    };
    let row = change.update(&tx.db).await?;
    tx.record(fact(Event::PairingEnded, &row)).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

fn fact(kind: Event, row: &Model) -> Fact {
    Fact::of(kind, row.id)
        .alliance(row.alliance_id)
        .organizations([row.organization_id])
        .detail("organizationId", row.organization_id.to_string())
        .detail("regionId", row.region_id.to_string())
        .detail("since", row.since_on.to_string())
        .detail("until", row.until_on.map(|until| until.to_string()))
}
