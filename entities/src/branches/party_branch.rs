//! A Party organisation of an alliance: committee, general branch, branch or group. Numbers of members only, never who they are.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, AllianceId, PartyBranchId};

/// What kind of Party organisation it is; each stands below one of an earlier kind.
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
    /// Committee (党委).
    Committee,
    /// General branch (党总支).
    GeneralBranch,
    /// Branch (党支部).
    Branch,
    /// Group of a branch (党小组).
    PartyGroup,
}

/// A Party organisation of an alliance.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "party_branch")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PartyBranchId,
    /// Whose it is.
    pub alliance_id: AllianceId,
    /// What kind it is.
    pub kind: Kind,
    /// The one above it.
    pub parent_id: Option<PartyBranchId>,
    /// Name.
    #[sea_orm(column_type = "String(StringLen::N(128))")]
    pub name: String,
    /// Whether it is there for a time only (临时党支部).
    pub is_temporary: bool,
    /// How many members it counted last.
    pub member_count: Option<i32>,
    /// On which day.
    pub counted_on: Option<Date>,
    /// Its secretary, masked for whoever may not read contacts.
    #[sea_orm(column_type = "String(StringLen::N(64))", nullable)]
    pub secretary_name: Option<String>,
    /// The secretary's phone, masked likewise.
    #[sea_orm(column_type = "String(StringLen::N(32))", nullable)]
    pub secretary_phone: Option<String>,
    /// The first day on which it stands.
    pub since_on: Date,
    /// The first day on which it stands no more.
    pub until_on: Option<Date>,
    /// When it was recorded.
    pub created_at: DateTimeUtc,
    /// Who recorded it.
    pub created_by: Option<AccountId>,
    /// Grows by one with every change.
    pub version: i64,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(self_ref, relation_enum = "Parent", from = "parent_id", to = "id")]
    pub parent: BelongsTo<Option<Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
