//! A unit that took a problem or a part of it on, and from which it was taken away while the round went on. Kept by the database
//! itself; nobody of such a unit judges the problem in that round.

use sea_orm::entity::prelude::*;

use crate::id::{OrganizationId, ProblemId};

/// A unit that worked on a problem and is responsible for it no more.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "problem_past_unit")]
pub struct Model {
    /// The problem.
    #[sea_orm(primary_key, auto_increment = false)]
    pub problem_id: ProblemId,
    /// In which round.
    #[sea_orm(primary_key, auto_increment = false)]
    pub round: i32,
    /// The unit.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    #[sea_orm(belongs_to, relation_enum = "Problem", from = "problem_id", to = "id")]
    pub problem: BelongsTo<super::problem::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Organization", from = "organization_id", to = "id")]
    pub organization: BelongsTo<crate::governance::organization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
