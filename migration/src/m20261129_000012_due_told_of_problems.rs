//! Of problems whose deadline nears, their units' own clocks tell since there are any. The index of due dates that were still to
//! be told of is used by nobody and goes; the column stays until no node writes it any more.

use sea_orm_migration::prelude::*;

use crate::build::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

const UNTOLD: &str = "is_open AND (due_told_on IS NULL OR due_told_on <> due_on)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut gone = Index::drop();
        gone.name("ix_problem_due_on").table(Alias::new("problem"));
        manager.drop_index(gone).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        index(manager, "problem", &["due_on"], false, Some(UNTOLD)).await
    }
}
