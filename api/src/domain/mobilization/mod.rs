//! Mobilisation (红色动员令): orders found and listed. How they are written and end stands in `order`, how units answer in `unit`, how
//! people check in in `check_in` and `come`, what is covered in `coverage` and by grid cells in `cells`, as it changes in `live`, in the end in `report`. How far somebody sees an order stands in `reach`. What stands before any order, pairings and home reports, in
//! `pairing` and `home_report`.

pub mod cells;
pub mod check_in;
pub mod come;
pub mod coverage;
pub mod home_report;
pub mod live;
pub mod order;
pub mod pairing;
pub mod person;
pub mod reach;
pub mod report;
mod rows;
pub mod shift;
pub mod states;
pub mod unit;

use concord_entities::{
    account,
    id::{
        AllianceId, MobilizationCheckInId, MobilizationId, MobilizationShiftId, MobilizationUnitId,
        OrganizationId,
    },
    mobilization::{Column, Entity, Model, State},
    mobilization_check_in, mobilization_need, mobilization_region, mobilization_shift, mobilization_transfer,
    mobilization_unit,
    seat::{self, Role},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, IntoSimpleExpr, QueryFilter, QuerySelect, QueryTrait,
    Select,
    sea_query::{Expr, SimpleExpr},
};

use crate::domain::{
    Actor, Ctx, Fact, Result,
    event::Event,
    page::{self, Order, Page},
    scope,
};

/// The orders that the caller may see, whole or in part.
pub fn visible(ctx: &Ctx) -> Select<Entity> {
    Entity::find().filter(reach::seen(ctx))
}

/// What they need, as far as the caller sees the places.
pub fn visible_needs(ctx: &Ctx) -> Select<mobilization_need::Entity> {
    use mobilization_need::Column as Need;
    mobilization_need::Entity::find()
        .filter(reach::placed(ctx, Need::MobilizationId, Need::RegionId))
        .filter(Need::Needed.gt(0))
}

/// The regions over which they are ordered: of an order that the caller sees in part, those that hold a territory of theirs or lie
/// in one.
pub fn visible_regions(ctx: &Ctx) -> Select<mobilization_region::Entity> {
    use mobilization_region::Column as Over;
    mobilization_region::Entity::find().filter(reach::over(ctx, Over::MobilizationId, Over::Path))
}

/// The units that they call, for whoever sees the whole of an order.
pub fn visible_units(ctx: &Ctx) -> Select<mobilization_unit::Entity> {
    mobilization_unit::Entity::find()
        .filter(mobilization_unit::Column::MobilizationId.in_subquery(reach::whole_ids(ctx)))
}

/// Their shifts, as far as the caller sees the places.
pub fn visible_shifts(ctx: &Ctx) -> Select<mobilization_shift::Entity> {
    use mobilization_shift::Column as Shift;
    mobilization_shift::Entity::find().filter(reach::placed(ctx, Shift::MobilizationId, Shift::RegionId))
}

/// One shift, if the caller may see its order.
pub async fn find_shift(ctx: &Ctx, id: MobilizationShiftId) -> Result<Option<mobilization_shift::Model>> {
    Ok(visible_shifts(ctx).filter(mobilization_shift::Column::Id.eq(id)).one(ctx.read()).await?)
}

/// Those whose first place is the caller's to see.
pub fn visible_firsts(ctx: &Ctx) -> Select<mobilization_check_in::Entity> {
    use mobilization_check_in::Column as CheckIn;
    let places = reach::placed(ctx, CheckIn::MobilizationId, CheckIn::FirstRegionId);
    mobilization_check_in::Entity::find().filter(places)
}

/// How those of some check-ins moved who are the caller's to see, between places that are theirs to see.
pub fn visible_transfers(ctx: &Ctx, of: &[MobilizationCheckInId]) -> Select<mobilization_transfer::Entity> {
    use mobilization_check_in::Column as CheckIn;
    use mobilization_transfer::Column as Moved;
    // Narrowed on both sides, so that no database looks at everybody who came.
    let people = visible_check_ins(ctx)
        .filter(page::among(ctx, CheckIn::Id, of.iter().copied()))
        .select_only()
        .column(CheckIn::Id)
        .into_query();
    mobilization_transfer::Entity::find()
        .filter(page::among(ctx, Moved::CheckInId, of.iter().copied()))
        .filter(Moved::CheckInId.in_subquery(people))
        .filter(reach::placed(ctx, Moved::MobilizationId, Moved::FromRegionId))
        .filter(reach::placed(ctx, Moved::MobilizationId, Moved::ToRegionId))
}

/// Who came: all of them for whoever runs the alliance, supervises it, or receives people in it; a unit sees those who came with
/// it. In an alliance that the order reaches the same, of those who are in its territory. No key sees any.
pub fn visible_check_ins(ctx: &Ctx) -> Select<mobilization_check_in::Entity> {
    use mobilization_check_in::Column as CheckIn;
    let all = mobilization_check_in::Entity::find();
    let id = match ctx.actor {
        Actor::System => return all,
        Actor::Account { id, .. } => id,
        Actor::Anonymous | Actor::Key(_) => return all.filter(Expr::val(1).eq(0)),
    };
    let receives = |alliance: SimpleExpr| {
        let officers = seat::Entity::find()
            .inner_join(account::Entity)
            .select_only()
            .column(seat::Column::AllianceId)
            .filter(account::Column::State.eq(account::State::Active))
            .filter(seat::Column::AccountId.eq(id))
            .filter(seat::Column::State.eq(seat::State::Active))
            .filter(seat::Column::Role.is_in([Role::CommunityOfficer, Role::GridOfficer]))
            .into_query();
        Condition::any()
            .add(scope::supervised(ctx, alliance.clone()))
            .add(alliance.clone().in_subquery(officers))
            .add(scope::acts_for(ctx, alliance, CheckIn::OrganizationId))
    };
    let own = Condition::all()
        .add(CheckIn::MobilizationId.in_subquery(reach::whole_ids(ctx)))
        .add(receives(CheckIn::AllianceId.into_simple_expr()));
    let reached = receives(reach::reached_alliance());
    all.filter(Condition::any().add(own).add(reach::under(
        CheckIn::MobilizationId,
        CheckIn::RegionId,
        reached,
    )))
}

/// One order, if the caller may see it.
pub async fn find(ctx: &Ctx, id: MobilizationId) -> Result<Option<Model>> {
    Ok(visible(ctx).filter(Column::Id.eq(id)).one(ctx.read()).await?)
}

/// One called unit, if the caller may see its order.
pub async fn find_unit(ctx: &Ctx, id: MobilizationUnitId) -> Result<Option<mobilization_unit::Model>> {
    Ok(visible_units(ctx).filter(mobilization_unit::Column::Id.eq(id)).one(ctx.read()).await?)
}

/// One check-in, if the caller may see it.
pub async fn find_check_in(
    ctx: &Ctx,
    id: MobilizationCheckInId,
) -> Result<Option<mobilization_check_in::Model>> {
    Ok(visible_check_ins(ctx).filter(mobilization_check_in::Column::Id.eq(id)).one(ctx.read()).await?)
}

/// Which orders to list; what is absent does not restrict.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub alliance_id: Option<AllianceId>,
    /// That call this unit, where the caller sees whom they call.
    pub organization_id: Option<OrganizationId>,
    pub states: Option<Vec<State>>,
}

/// The orders that fit, the latest first.
pub fn listed(ctx: &Ctx, filter: &Filter) -> (Select<Entity>, Order<Column>) {
    let calling = filter.organization_id.map(|unit| {
        let of = visible_units(ctx)
            .select_only()
            .column(mobilization_unit::Column::MobilizationId)
            .filter(mobilization_unit::Column::OrganizationId.eq(unit))
            .into_query();
        Column::Id.in_subquery(of)
    });
    let wanted = Condition::all()
        .add_option(filter.alliance_id.map(|id| Column::AllianceId.eq(id)))
        .add_option(calling)
        .add_option(filter.states.clone().map(|states| Column::State.is_in(states)));
    (visible(ctx).filter(wanted), Order { column: Column::DraftedAt, descending: true })
}

/// The orders that the caller may see, the latest first.
pub async fn list(ctx: &Ctx, filter: &Filter, args: &page::Args) -> Result<Page<Entity>> {
    ctx.require_signed_in()?;
    let (select, order) = listed(ctx, filter);
    page::fetch(ctx, select, order, Column::Id, args).await
}

/// Which order, and the version at which the caller read it, where they care.
#[derive(Clone, Copy, Debug)]
pub struct Which {
    pub id: MobilizationId,
    pub expected_version: Option<i64>,
}

/// A fact about an order, with what every reader of its history wants.
fn fact(kind: Event, row: &Model) -> Fact {
    Fact::of(kind, row.id).alliance(row.alliance_id).detail("number", row.number.clone())
}
