//! Who is present on which shift: counted when asked, from the people who are on it.

use std::collections::HashMap;

use concord_entities::{
    id::MobilizationShiftId,
    mobilization_check_in::{Column, Entity},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::reach;
use crate::domain::{Ctx, Result, page};

/// How many people are present on shifts of orders that the caller may see.
pub async fn present(
    ctx: &Ctx,
    shifts: impl IntoIterator<Item = MobilizationShiftId>,
) -> Result<HashMap<MobilizationShiftId, i64>> {
    let rows: Vec<(MobilizationShiftId, i64)> = Entity::find()
        .select_only()
        .column(Column::ShiftId)
        .expr_as(Column::Id.count(), "people")
        .filter(page::among(ctx, Column::ShiftId, shifts))
        .filter(reach::placed(ctx, Column::MobilizationId, Column::RegionId))
        .filter(Column::LeftAt.is_null())
        .group_by(Column::ShiftId)
        .into_tuple()
        .all(ctx.read())
        .await?;
    Ok(rows.into_iter().collect())
}
