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
    /// Recorded in the month, or reopened in it after a month that ended closed.
    pub recorded: i32,
    /// Closed in the month, and not reopened in it.
    pub closed: i32,
    /// Struck off in the month, reopened in it, and not closed in it again.
    pub reopened_within: i32,
}

impl ActiveModelBehavior for ActiveModel {}
