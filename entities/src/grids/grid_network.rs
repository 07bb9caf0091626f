//! A network of grid cells (网格): an alliance has at most one of each kind.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, AllianceId, GridNetworkId};

/// Whose grid it is.
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
    /// The Party's (党建网格).
    Party,
    /// Governance (治理网格).
    Governance,
    /// The police's (警务网格).
    Police,
}

/// A network of grid cells.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "grid_network")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: GridNetworkId,
    /// Whose territory it lies over.
    pub alliance_id: AllianceId,
    /// Whose grid it is.
    pub kind: Kind,
    /// When it was established.
    pub established_at: DateTimeUtc,
    /// Who established it.
    pub established_by: Option<AccountId>,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
