//! Which day of review a problem on account has been told of stands beside that day, so that what is still to be told is an index
//! of its own.

use sea_orm_migration::prelude::*;

use crate::build::{date, index, optional};

#[derive(DeriveMigrationName)]
pub struct Migration;

const UNTOLD: &str = "review_on IS NOT NULL AND (review_told_on IS NULL OR review_told_on <> review_on)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut change = Table::alter();
        change.table(Alias::new("problem")).add_column(optional(date("review_told_on")));
        manager.alter_table(change).await?;
        index(manager, "problem", &["review_on"], false, Some(UNTOLD)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::drop().name("ix_problem_review_on").table(Alias::new("problem")).to_owned();
        manager.drop_index(index).await?;
        let mut change = Table::alter();
        change.table(Alias::new("problem")).drop_column(Alias::new("review_told_on"));
        manager.alter_table(change).await
    }
}
