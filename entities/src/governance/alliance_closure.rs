//! Every pair of an alliance and one at or below it.

use sea_orm::entity::prelude::*;

use crate::id::AllianceId;

/// Every pair of an alliance and one at or below it.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "alliance_closure")]
pub struct Model {
    /// The upper one.
    #[sea_orm(primary_key, auto_increment = false)]
    pub ancestor_id: AllianceId,
    /// The lower one; itself at depth 0.
    #[sea_orm(primary_key, auto_increment = false)]
    pub descendant_id: AllianceId,
    /// Steps between them.
    pub depth: i32,
    #[sea_orm(belongs_to, relation_enum = "Ancestor", from = "ancestor_id", to = "id")]
    pub ancestor: BelongsTo<super::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Descendant", from = "descendant_id", to = "id")]
    pub descendant: BelongsTo<super::alliance::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
