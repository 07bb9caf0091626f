//! A problem or a call behind a figure of a ranking. It is written before its ranking, which closes it.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use super::ranking_place::Over;
use crate::id::{OrganizationId, RankingId};

/// Which figure.
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
pub enum Figure {
    ResponseDue,
    Responded,
    Answered,
    Resolved,
    Satisfied,
    ResponseExcluded,
    AnswerExcluded,
}

/// A problem or a call behind a figure of a ranking.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ranking_item")]
pub struct Model {
    /// The ranking.
    #[sea_orm(primary_key, auto_increment = false)]
    pub ranking_id: RankingId,
    /// What is ranked.
    #[sea_orm(primary_key, auto_increment = false)]
    pub noun: Over,
    /// Which figure.
    #[sea_orm(primary_key, auto_increment = false)]
    pub figure: Figure,
    /// The department.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The problem or call.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject_id: Uuid,
}

impl ActiveModelBehavior for ActiveModel {}
