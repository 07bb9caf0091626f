//! An approver's signature under a verified problem; kept whatever becomes of it.

use sea_orm::entity::prelude::*;

use crate::id::{AccountId, ProblemId};

/// An approver's signature under a verified problem.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "problem_sign_off")]
pub struct Model {
    /// The problem.
    #[sea_orm(primary_key, auto_increment = false)]
    pub problem_id: ProblemId,
    /// The round that was signed off.
    #[sea_orm(primary_key, auto_increment = false)]
    pub round: i32,
    /// How often the problem had been returned by then: a return ends what was signed before it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub returned_count: i32,
    /// Who signed.
    #[sea_orm(primary_key, auto_increment = false)]
    pub signed_by: AccountId,
    /// When.
    pub signed_at: DateTimeUtc,
    #[sea_orm(belongs_to, relation_enum = "Problem", from = "problem_id", to = "id")]
    pub problem: BelongsTo<super::problem::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
