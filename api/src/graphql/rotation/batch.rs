//! Batched reads of the rotation: each question of a list is asked once, however many objects the list shows.

use std::{collections::HashMap, sync::Arc};

use async_graphql::dataloader::Loader;
use concord_entities::{
    check_in, docking, handover,
    id::{RotationPlanId, RotationSlotId},
    rotation_block, rotation_plan, rotation_plan_team, rotation_slot, rotation_swap,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, Select};

use crate::{
    domain::{
        Ctx, Error, page,
        rotation::{self, states::OPEN_SWAP},
    },
    graphql::loaders::Loaders,
};

/// Declares a loader by primary key.
macro_rules! by_id {
    ($key:ty, $entity:ident, $select:expr) => {
        impl Loader<$key> for Loaders {
            type Value = $entity::Model;
            type Error = Arc<Error>;

            async fn load(&self, keys: &[$key]) -> Result<HashMap<$key, Self::Value>, Self::Error> {
                let select: fn(&Ctx) -> Select<$entity::Entity> = $select;
                let rows = select(&self.0)
                    .filter(page::among(&self.0, $entity::Column::Id, keys.iter().copied()))
                    .all(self.0.read())
                    .await
                    .map_err(|error| Arc::new(error.into()))?;
                Ok(rows.into_iter().map(|row| (row.id, row)).collect())
            }
        }
    };
}

by_id!(RotationPlanId, rotation_plan, rotation::plan::visible);
by_id!(RotationSlotId, rotation_slot, rotation::slot::visible);

/// Declares a loader of what hangs on an object that the caller was shown already, in order.
macro_rules! hanging {
    ($(#[$doc:meta])* $key:ident($id:ty), $entity:ident, $column:ident, $field:ident, $order:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $key(pub $id);

        impl Loader<$key> for Loaders {
            type Value = Vec<$entity::Model>;
            type Error = Arc<Error>;

            async fn load(&self, keys: &[$key]) -> Result<HashMap<$key, Self::Value>, Self::Error> {
                let rows = $entity::Entity::find()
                    .filter(page::among(&self.0, $entity::Column::$column, keys.iter().map(|key| key.0)))
                    .order_by_asc($entity::Column::$order)
                    .all(self.0.read())
                    .await
                    .map_err(|error| Arc::new(error.into()))?;
                let mut found: HashMap<$key, Self::Value> = HashMap::new();
                for row in rows {
                    found.entry($key(row.$field)).or_default().push(row);
                }
                Ok(found)
            }
        }
    };
}

hanging!(
    /// Key of the turns of a plan.
    SlotsOf(RotationPlanId), rotation_slot, PlanId, plan_id, Number
);
hanging!(
    /// Key of the teams of a plan.
    TeamsOf(RotationPlanId), rotation_plan_team, PlanId, plan_id, Place
);
hanging!(
    /// Key of the blocks of a plan.
    BlocksOf(RotationPlanId), rotation_block, PlanId, plan_id, SlotNumber
);
hanging!(
    /// Key of the check-ins of a turn.
    CheckInsOf(RotationSlotId), check_in, SlotId, slot_id, RecordedAt
);
hanging!(
    /// Key of the docking meetings of a turn.
    DockingsOf(RotationSlotId), docking, SlotId, slot_id, HeldAt
);
hanging!(
    /// Key of the handover out of a turn.
    HandoverOf(RotationSlotId), handover, SlotId, slot_id, OfferedAt
);

/// Key of the swaps of a turn that are still open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OpenSwapOf(pub RotationSlotId);

impl Loader<OpenSwapOf> for Loaders {
    type Value = rotation_swap::Model;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[OpenSwapOf]) -> Result<HashMap<OpenSwapOf, Self::Value>, Self::Error> {
        let slots: Vec<RotationSlotId> = keys.iter().map(|key| key.0).collect();
        let rows = rotation_swap::Entity::find()
            .filter(rotation_swap::Column::State.is_in(OPEN_SWAP))
            .filter(
                Condition::any()
                    .add(page::among(&self.0, rotation_swap::Column::FirstSlotId, slots.iter().copied()))
                    .add(page::among(&self.0, rotation_swap::Column::SecondSlotId, slots)),
            )
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(error.into()))?;
        // A turn stands in one open swap at most.
        Ok(rows
            .into_iter()
            .flat_map(|row| {
                [(OpenSwapOf(row.first_slot_id), row.clone()), (OpenSwapOf(row.second_slot_id), row)]
            })
            .collect())
    }
}
