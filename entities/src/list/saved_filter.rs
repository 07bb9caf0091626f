//! A filter of one of the two lists that a person keeps under a name, for themselves alone.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, SavedFilterId};

/// Which list it filters.
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
pub enum Noun {
    Problem,
    PriorityTask,
}

/// A filter of one of the two lists that a person keeps under a name, for themselves alone.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "saved_filter")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SavedFilterId,
    /// Whose it is; nobody else sees it.
    pub account_id: AccountId,
    /// Which list it filters.
    pub noun: Noun,
    /// What its owner calls it.
    #[sea_orm(column_type = "String(StringLen::N(64))")]
    pub name: String,
    /// The filter as JSON, in the names of the schema.
    #[sea_orm(column_type = "Text")]
    pub filter: String,
    /// When it was kept.
    pub created_at: DateTimeUtc,
    /// When its owner let go of it.
    pub ended_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, relation_enum = "Account", from = "account_id", to = "id")]
    pub account: BelongsTo<crate::identity::account::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
