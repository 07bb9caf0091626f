//! A department's figures and place in a ranking. It is written before its ranking, which closes it.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{OrganizationId, RankingId};

/// What a department is ranked by.
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
pub enum Over {
    /// Its parts of problems.
    Problems,
    /// Its calls to whistles.
    Whistles,
}

/// A department's figures and place in a ranking.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "ranking_place")]
pub struct Model {
    /// The ranking.
    #[sea_orm(primary_key, auto_increment = false)]
    pub ranking_id: RankingId,
    /// What is ranked.
    #[sea_orm(primary_key, auto_increment = false)]
    pub noun: Over,
    /// The department.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// 1 for the best; absent where there was nothing to rank by.
    pub place: Option<i32>,
    /// The mean of its rates, 0 to 1; absent where there is none.
    pub score: Option<f64>,
    /// First contacts that were due.
    pub response_due: i32,
    /// Of these, in time.
    pub responded: i32,
    /// Valid answers.
    pub answered: i32,
    /// Of these, that it is solved.
    pub resolved: i32,
    /// Of these, satisfied.
    pub satisfied: i32,
    /// Left out of the response.
    pub response_excluded: i32,
    /// Left out of the answers.
    pub answer_excluded: i32,
    #[sea_orm(belongs_to, relation_enum = "Organization", from = "organization_id", to = "id")]
    pub organization: BelongsTo<crate::governance::organization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
