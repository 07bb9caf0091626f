//! How many problems of an alliance were recorded and closed in a month; kept by triggers.

use sea_orm::entity::prelude::*;

use crate::id::AllianceId;

/// How many problems of an alliance were recorded and closed in a month of its calendar; those rejected, withdrawn or
/// over before they were recorded are left out.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "month_count")]
pub struct Model {
    /// Whose.
    #[sea_orm(primary_key, auto_increment = false)]
    pub alliance_id: AllianceId,
    /// The month's first day.
    #[sea_orm(primary_key, auto_increment = false)]
    pub month_on: Date,
    /// Recorded in the month.
    pub recorded: i32,
    /// Closed in the month.
    pub closed: i32,
}

impl ActiveModelBehavior for ActiveModel {}
