//! Faces of the rotation: plans, turns, what a turn owes, swaps and calendar feeds.

mod batch;
pub mod duty;
pub mod feed;
pub mod handover_item;
pub mod plan;
pub mod preview;
pub mod slot;
pub mod swap;

use async_graphql::MergedObject;

/// Reads of the rotation.
#[derive(MergedObject, Default)]
pub struct RotationQuery(
    plan::RotationPlanQuery,
    preview::RotationPreviewQuery,
    slot::RotationSlotQuery,
    handover_item::HandoverItemQuery,
    swap::RotationSwapQuery,
    feed::CalendarFeedQuery,
);

/// Changes of the rotation.
#[derive(MergedObject, Default)]
pub struct RotationMutation(
    plan::RotationPlanMutation,
    slot::RotationSlotMutation,
    duty::DutyMutation,
    handover_item::HandoverItemMutation,
    swap::RotationSwapMutation,
    feed::CalendarFeedMutation,
);
