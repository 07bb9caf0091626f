//! How called units answer an order: they acknowledge it, they arrive, and the committee releases them. A unit's row is taken alone:
//! whoever stands the order down takes the rows of all units after it.

use concord_entities::{
    id::{MobilizationId, OrganizationId},
    mobilization,
    mobilization_unit::{ActiveModel, Column, Model, State},
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect,
};

use super::{fact, states, visible_units};
use crate::domain::{
    Ctx, Error, Event, HELD, Result, Target, Tx, governance::alliance::expect_version, list::transition::Step,
};

/// Which unit of which order, and the version at which the caller read it, where they care.
#[derive(Clone, Copy, Debug)]
pub struct WhichUnit {
    pub mobilization_id: MobilizationId,
    pub organization_id: OrganizationId,
    pub expected_version: Option<i64>,
}

struct Held<'ctx> {
    tx: Tx<'ctx>,
    order: mobilization::Model,
    row: Model,
}

async fn hold<'ctx>(ctx: &'ctx Ctx, which: WhichUnit, step: &Step<State>) -> Result<Held<'ctx>> {
    let tx = ctx.begin().await?;
    let row = visible_units(ctx)
        .filter(Column::MobilizationId.eq(which.mobilization_id))
        .filter(Column::OrganizationId.eq(which.organization_id))
        .lock(HELD)
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound("mobilization_unit"))?;
    let order = mobilization::Entity::find_by_id(row.mobilization_id).one(&tx.db).await?;
    let order = order.ok_or(Error::NotFound("mobilization"))?;
    let units = [row.organization_id];
    ctx.require(&tx.db, step.action, Target::alliance(row.alliance_id).of(&units)).await?;
    if let Some(expected) = which.expected_version {
        expect_version(expected, row.version)?;
    }
    states::stands(order.state)?;
    step.check(row.state)?;
    Ok(Held { tx, order, row })
}

impl Held<'_> {
    async fn settle(self, step: &Step<State>, kind: Event, change: ActiveModel) -> Result<Model> {
        let change = ActiveModel { state: Set(step.to), version: Set(self.row.version + 1), ..change };
        let row = change.update(&self.tx.db).await?;
        let told = fact(kind, &self.order)
            .moved(self.row.state.to_value(), row.state.to_value())
            .detail("organizationId", row.organization_id.to_string())
            .organizations([row.organization_id]);
        self.tx.record(told).await?;
        self.tx.commit(row.id).await?;
        Ok(row)
    }

    fn base(&self) -> ActiveModel {
        self.row.clone().into_active_model()
    }
}

/// Acknowledges the order, for the unit.
pub async fn acknowledge(ctx: &Ctx, which: WhichUnit) -> Result<Model> {
    let held = hold(ctx, which, &states::ACKNOWLEDGE).await?;
    let change = ActiveModel {
        acknowledged_at: Set(Some(ctx.now())),
        acknowledged_by: Set(ctx.author()),
        ..held.base()
    };
    held.settle(&states::ACKNOWLEDGE, Event::MobilizationAcknowledged, change).await
}

/// Says that the unit has arrived; whoever comes without a word acknowledges by it.
pub async fn arrive(ctx: &Ctx, which: WhichUnit) -> Result<Model> {
    let held = hold(ctx, which, &states::ARRIVE).await?;
    let (at, by) = (Some(ctx.now()), ctx.author());
    let mut change = ActiveModel { arrived_at: Set(at), arrived_by: Set(by), ..held.base() };
    if held.row.acknowledged_at.is_none() {
        change.acknowledged_at = Set(at);
        change.acknowledged_by = Set(by);
    }
    held.settle(&states::ARRIVE, Event::MobilizationArrived, change).await
}

/// Releases a unit, for the committee.
pub async fn release(ctx: &Ctx, which: WhichUnit) -> Result<Model> {
    let held = hold(ctx, which, &states::RELEASE).await?;
    let change =
        ActiveModel { released_at: Set(Some(ctx.now())), released_by: Set(ctx.author()), ..held.base() };
    held.settle(&states::RELEASE, Event::MobilizationUnitReleased, change).await
}
