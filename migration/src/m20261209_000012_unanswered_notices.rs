//! That the day passed by which a supervision notice was to be answered is on record once and stays, whatever comes later; what still
//! waits for that is an index of its own.

use sea_orm_migration::prelude::*;

use crate::{
    build::{index, optional, timestamp},
    refusal::{self, Refusal},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLE: &str = "supervision_notice";
const WAITING: &str = "answered_at IS NULL AND unanswered_at IS NULL";

const REFUSALS: [Refusal; 1] = [Refusal {
    name: "supervision_notice_stays_unanswered",
    table: TABLE,
    on: "UPDATE",
    guard: "OLD.unanswered_at IS DISTINCT FROM NEW.unanswered_at",
    condition: "OLD.unanswered_at IS NOT NULL OR OLD.answered_at IS NOT NULL",
    says: "that a notice was not answered in time stays on record",
}];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut change = Table::alter();
        change.table(Alias::new(TABLE)).add_column(optional(timestamp("unanswered_at")));
        manager.alter_table(change).await?;
        index(manager, TABLE, &["reply_by"], false, Some(WAITING)).await?;
        refusal::make(manager, &REFUSALS).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refusal::unmake(manager, &REFUSALS).await?;
        let index = Index::drop().name("ix_supervision_notice_reply_by").table(Alias::new(TABLE)).to_owned();
        manager.drop_index(index).await?;
        let mut change = Table::alter();
        change.table(Alias::new(TABLE)).drop_column(Alias::new("unanswered_at"));
        manager.alter_table(change).await
    }
}
