//! The seat of an organisation in an alliance.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AllianceId, MembershipId, OrganizationId};

/// Where it stands.
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
pub enum State {
    #[default]
    Applied,
    Invited,
    Active,
    Suspended,
    Ended,
    Declined,
}

/// The seat of an organisation in an alliance.
#[sea_orm::model]
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "membership")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MembershipId,
    /// Where.
    pub alliance_id: AllianceId,
    /// Who.
    pub organization_id: OrganizationId,
    /// Where it stands.
    pub state: State,
    /// Whether the alliance knows who the unit is; not while it has only the credit code of a foreign one.
    pub is_unit_known: bool,
    /// Liaison of the unit.
    #[sea_orm(column_type = "String(StringLen::N(64))", nullable)]
    pub contact_name: Option<String>,
    /// Post of the liaison.
    #[sea_orm(column_type = "String(StringLen::N(64))", nullable)]
    pub contact_title: Option<String>,
    /// Phone of the liaison, masked outside the unit.
    #[sea_orm(column_type = "String(StringLen::N(32))", nullable)]
    pub contact_phone: Option<String>,
    /// Why it was suspended, ended or declined.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// When it was applied for or offered.
    pub created_at: DateTimeUtc,
    /// When it first became active.
    pub admitted_at: Option<DateTimeUtc>,
    /// When it ended or was declined.
    pub ended_at: Option<DateTimeUtc>,
    /// Grows by one with every change.
    pub version: i64,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<super::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Organization", from = "organization_id", to = "id")]
    pub organization: BelongsTo<super::organization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
