//! The members of an alliance stand in an index in the order in which they are listed, so that a page of them is read and
//! not all of them.

use sea_orm_migration::prelude::*;

use crate::build::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

const BEFORE: [&str; 2] = ["alliance_id", "state"];
const AFTER: [&str; 4] = ["alliance_id", "state", "created_at", "id"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        replace(manager, &BEFORE, &AFTER).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        replace(manager, &AFTER, &BEFORE).await
    }
}

async fn replace(
    manager: &SchemaManager<'_>,
    old: &[&'static str],
    new: &[&'static str],
) -> Result<(), DbErr> {
    index(manager, "membership", new, false, None).await?;
    let old = format!("ix_membership_{}", old.join("_"));
    manager.drop_index(Index::drop().name(old).table(Alias::new("membership")).to_owned()).await
}
