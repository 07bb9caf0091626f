//! What set a problem back, and whose it was: returned, declined or given more time. Written with the event, by a trigger.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AllianceId, EventId, OrganizationId, ProblemId};

/// What happened to a problem.
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
    /// Sent back to the units that worked on it.
    Returned,
    /// Handed back by a unit, the whole or its part.
    Declined,
    /// A unit's deadline moved further out by request or by hand.
    Extended,
}

/// What set a problem back, for one of the units that were responsible then.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "problem_setback")]
pub struct Model {
    /// The event that tells of it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_id: EventId,
    /// The unit.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// On whose list.
    pub alliance_id: AllianceId,
    /// The problem.
    pub problem_id: ProblemId,
    /// What happened.
    pub kind: Kind,
    /// When.
    pub occurred_at: DateTimeUtc,
    #[sea_orm(belongs_to, relation_enum = "Event", from = "event_id", to = "id")]
    pub event: BelongsTo<crate::fact::event::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Organization", from = "organization_id", to = "id")]
    pub organization: BelongsTo<crate::governance::organization::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Problem", from = "problem_id", to = "id")]
    pub problem: BelongsTo<super::problem::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
