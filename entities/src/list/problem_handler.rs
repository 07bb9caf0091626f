//! Somebody who had a hand in handling a problem: its handlers and whoever asked for its closure, of all rounds. Kept by
//! the database itself; none of them may ever verify it.

use sea_orm::entity::prelude::*;

use crate::id::{AccountId, ProblemId};

/// Somebody who had a hand in handling a problem.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "problem_handler")]
pub struct Model {
    /// The problem.
    #[sea_orm(primary_key, auto_increment = false)]
    pub problem_id: ProblemId,
    /// Who.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: AccountId,
    #[sea_orm(belongs_to, relation_enum = "Problem", from = "problem_id", to = "id")]
    pub problem: BelongsTo<super::problem::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
