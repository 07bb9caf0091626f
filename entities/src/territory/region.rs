//! A node of the territorial tree, from province down to building.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::RegionId;

/// Its place in the tree.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
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
pub enum Level {
    #[default]
    Province,
    Prefecture,
    County,
    Township,
    Village,
    NaturalVillage,
    Compound,
    Building,
}

/// A node of the territorial tree, from province down to building.
#[sea_orm::model]
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "region")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RegionId,
    /// The next larger region.
    pub parent_id: Option<RegionId>,
    /// Official division code: 2, 4, 6, 9 or 12 digits, down to the village level.
    #[sea_orm(unique, column_type = "String(StringLen::N(12))", nullable)]
    pub code: Option<String>,
    /// Official name.
    #[sea_orm(column_type = "String(StringLen::N(128))")]
    pub name: String,
    /// Its place in the tree.
    pub level: Level,
    /// Identifiers from the root, for subtree reads.
    #[sea_orm(column_type = "String(StringLen::N(400))")]
    pub path: String,
    /// When it was first recorded.
    pub created_at: DateTimeUtc,
    #[sea_orm(self_ref, relation_enum = "Parent", from = "parent_id", to = "id")]
    pub parent: BelongsTo<Option<Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
