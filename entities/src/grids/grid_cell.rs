//! A cell of a grid network: its place in the five levels (五级网格) and the days on which it stands.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, AllianceId, GridCellId, GridNetworkId};

/// Whether a cell is there for everything or for one place.
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
pub enum Category {
    /// For everything in its territory (综合网格).
    Comprehensive,
    /// For one place such as a market or a school (专属网格); it may lie over a comprehensive one.
    Special,
}

/// A cell of a grid network.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "grid_cell")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: GridCellId,
    /// Whose territory it lies in.
    pub alliance_id: AllianceId,
    /// The network.
    pub network_id: GridNetworkId,
    /// The cell of the level above.
    pub parent_id: Option<GridCellId>,
    /// Unique among the standing cells of the network.
    #[sea_orm(column_type = "String(StringLen::N(64))")]
    pub code: String,
    /// Name.
    #[sea_orm(column_type = "String(StringLen::N(128))")]
    pub name: String,
    /// 1 to 5; 1 is the highest.
    pub level: i32,
    /// Whether it is there for everything or for one place.
    pub category: Category,
    /// The first day on which it stands.
    pub since_on: Date,
    /// The first day on which it stands no more.
    pub until_on: Option<Date>,
    /// When it was drawn.
    pub created_at: DateTimeUtc,
    /// Who drew it.
    pub created_by: Option<AccountId>,
    /// Grows by one with every change.
    pub version: i64,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Network", from = "network_id", to = "id")]
    pub network: BelongsTo<super::grid_network::Entity>,
    #[sea_orm(self_ref, relation_enum = "Parent", from = "parent_id", to = "id")]
    pub parent: BelongsTo<Option<Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
