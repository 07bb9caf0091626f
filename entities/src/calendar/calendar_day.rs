//! A day that departs from Monday-to-Friday: a holiday or a make-up working day.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AllianceId, CalendarDayId};

/// Off or worked.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(24))", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Off,
    Work,
}

/// A day that departs from Monday-to-Friday: a holiday or a make-up working day.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "calendar_day")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CalendarDayId,
    /// The alliance of a local overlay; absent for the national notice.
    pub alliance_id: Option<AllianceId>,
    /// Which day.
    pub day_on: Date,
    /// Off or worked.
    pub kind: Kind,
    /// Name of the holiday.
    #[sea_orm(column_type = "String(StringLen::N(64))")]
    pub name: String,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<Option<crate::governance::alliance::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
