//! Face of a unit that an order calls.

use async_graphql::{Context, Enum, ID, Object, Result};
use concord_entities::{
    id::{AccountId, MobilizationUnitId, TypedId},
    mobilization_unit,
};
use uuid::Uuid;

use super::Mobilization;
use crate::{
    domain::{
        self, Ctx,
        list::transition::Viewer,
        mobilization::{self as verbs, states},
        page::{self, List, Order},
    },
    graphql::{
        connection::connection,
        ctx,
        governance::organization::Organization,
        id,
        list::{
            person::{Person, person},
            transition::{self, Transition},
        },
        loaders,
        node::Node,
        scalar::DateTime,
    },
};

/// How far a called unit has come.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::mobilization_unit::State")]
pub enum MobilizationUnitState {
    /// Called.
    Called,
    /// It knows of the order.
    Acknowledged,
    /// It has arrived.
    Arrived,
    /// Released by the committee, or with the order.
    Released,
}

/// A unit that an order calls, with how many people it is to send, and how it answers.
#[derive(Clone)]
pub struct MobilizationUnit(pub mobilization_unit::Model);

impl From<mobilization_unit::Model> for MobilizationUnit {
    fn from(row: mobilization_unit::Model) -> Self {
        Self(row)
    }
}

impl Node for MobilizationUnit {
    const NOUN: &'static str = MobilizationUnitId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find_unit(ctx, id.into()).await?.map(Self))
    }
}

impl MobilizationUnit {
    async fn own(&self, context: &Context<'_>, account: Option<AccountId>) -> Result<Option<Person>> {
        person(context, self.0.alliance_id, account, Some(self.0.organization_id)).await
    }
}

/// A unit that an order calls, with how many people it is to send, and how it answers.
#[Object]
impl MobilizationUnit {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// The order.
    async fn mobilization(&self, context: &Context<'_>) -> Result<Option<Mobilization>> {
        Ok(loaders::one(context, self.0.mobilization_id).await?.map(Mobilization))
    }

    /// The unit.
    async fn organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        Ok(loaders::one(context, self.0.organization_id).await?.map(Organization))
    }

    /// How many people it is to send.
    async fn quota(&self) -> i32 {
        self.0.quota
    }

    /// How far it has come.
    async fn state(&self) -> MobilizationUnitState {
        self.0.state.into()
    }

    /// When it was put on the order.
    async fn called_at(&self) -> DateTime {
        self.0.called_at.into()
    }

    /// Who put it there.
    async fn called_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.0.alliance_id, self.0.called_by, None).await
    }

    /// When it acknowledged the order.
    async fn acknowledged_at(&self) -> Option<DateTime> {
        self.0.acknowledged_at.map(DateTime)
    }

    /// Who acknowledged.
    async fn acknowledged_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        self.own(context, self.0.acknowledged_by).await
    }

    /// When it said that it has arrived.
    async fn arrived_at(&self) -> Option<DateTime> {
        self.0.arrived_at.map(DateTime)
    }

    /// Who said so.
    async fn arrived_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        self.own(context, self.0.arrived_by).await
    }

    /// When it was released.
    async fn released_at(&self) -> Option<DateTime> {
        self.0.released_at.map(DateTime)
    }

    /// Who released it.
    async fn released_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.0.alliance_id, self.0.released_by, None).await
    }

    /// What the viewer can do with it next, and what blocks the rest.
    async fn available_transitions(&self, context: &Context<'_>) -> Result<Vec<Transition>> {
        let Some(order) = loaders::one(context, self.0.mobilization_id).await? else {
            return Ok(Vec::new());
        };
        let seats = transition::seats(context, self.0.alliance_id).await?;
        let viewer = Viewer { actor: ctx(context).actor, seats: &seats };
        Ok(transition::faces(context, states::answers(&order, &self.0, viewer)))
    }

    /// Grows by one with every change; give it as `expectedVersion`.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

connection!(MobilizationUnitConnection, MobilizationUnitEdge, MobilizationUnit, mobilization_unit::Entity);

/// The called units of orders, or the calls of units, the earliest first.
pub fn units_of(
    by: mobilization_unit::Column,
    args: page::Args,
) -> impl Fn(&Ctx) -> domain::Result<List<mobilization_unit::Entity>> {
    let order = Order { column: mobilization_unit::Column::CalledAt, descending: false };
    move |ctx| Ok(List::new(by, mobilization_unit::Column::Id, (verbs::visible_units(ctx), order), &args))
}
