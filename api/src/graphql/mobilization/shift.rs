//! Face of a shift: a span of time in which a place needs a number of people.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, ID, Object, Result, dataloader::Loader};
use concord_entities::{
    id::{MobilizationShiftId, TypedId},
    mobilization_shift,
};
use uuid::Uuid;

use super::Mobilization;
use crate::{
    domain::{
        self, Ctx, Error,
        mobilization::{self as verbs, shift},
        page::{self, List, Order},
    },
    graphql::{
        connection::connection,
        id,
        loaders::{self, Loaders},
        node::Node,
        scalar::DateTime,
        territory::region::Region,
    },
};

/// A span of time in which a place needs a number of people.
#[derive(Clone)]
pub struct MobilizationShift(pub mobilization_shift::Model);

impl From<mobilization_shift::Model> for MobilizationShift {
    fn from(row: mobilization_shift::Model) -> Self {
        Self(row)
    }
}

impl Node for MobilizationShift {
    const NOUN: &'static str = MobilizationShiftId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find_shift(ctx, id.into()).await?.map(Self))
    }
}

/// A span of time in which a place needs a number of people.
#[Object]
impl MobilizationShift {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// The order.
    async fn mobilization(&self, context: &Context<'_>) -> Result<Option<Mobilization>> {
        Ok(loaders::one(context, self.0.mobilization_id).await?.map(Mobilization))
    }

    /// The place.
    async fn region(&self, context: &Context<'_>) -> Result<Option<Region>> {
        Ok(loaders::one(context, self.0.region_id).await?.map(Region))
    }

    /// When it begins.
    async fn starts_at(&self) -> DateTime {
        self.0.starts_at.into()
    }

    /// When it ends.
    async fn ends_at(&self) -> DateTime {
        self.0.ends_at.into()
    }

    /// How many people it needs.
    async fn needed(&self) -> i32 {
        self.0.needed
    }

    /// How many people are present who are on it; a person is on one shift at a time.
    async fn present(&self, context: &Context<'_>) -> Result<i64> {
        Ok(loaders::one(context, OnShift(self.0.id)).await?.unwrap_or_default())
    }

    /// How many are missing.
    async fn uncovered(&self, context: &Context<'_>) -> Result<i64> {
        let present = loaders::one(context, OnShift(self.0.id)).await?.unwrap_or_default();
        Ok((i64::from(self.0.needed) - present).max(0))
    }
}

connection!(
    MobilizationShiftConnection,
    MobilizationShiftEdge,
    MobilizationShift,
    mobilization_shift::Entity
);

/// The shifts of orders, the earliest first.
pub fn shifts_of(args: page::Args) -> impl Fn(&Ctx) -> domain::Result<List<mobilization_shift::Entity>> {
    use mobilization_shift::Column;
    let order = Order { column: Column::StartsAt, descending: false };
    move |ctx| Ok(List::new(Column::MobilizationId, Column::Id, (verbs::visible_shifts(ctx), order), &args))
}

/// Key of how many people are present on a shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OnShift(pub MobilizationShiftId);

impl Loader<OnShift> for Loaders {
    type Value = i64;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[OnShift]) -> Result<HashMap<OnShift, i64>, Self::Error> {
        let found = shift::present(&self.0, keys.iter().map(|key| key.0)).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|(shift, people)| (OnShift(shift), people)).collect())
    }
}
