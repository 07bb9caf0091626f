//! Follow-up (回访): somebody independent asks a reporter how it went, in person or by a link that answers once. An answer stays
//! as it was given; only its words may be taken away whole.

use sea_orm_migration::prelude::*;

use crate::{
    build::{boolean, bytes, create, date, index, integer, optional, string, text, timestamp, unique, uuid},
    refusal::{self, Refusal},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const REFUSALS: [Refusal; 2] = [
    Refusal {
        name: "follow_up_is_kept",
        table: "follow_up",
        on: "DELETE",
        guard: "1 = 1",
        condition: "1 = 1",
        says: "follow-ups are never deleted",
    },
    Refusal {
        name: "follow_up_stays_answered",
        table: "follow_up",
        on: "UPDATE",
        guard: "OLD.state <> 'due'",
        condition: "NEW.state <> OLD.state OR NEW.problem_id <> OLD.problem_id OR NEW.round <> OLD.round
            OR NEW.reporter_problem_id <> OLD.reporter_problem_id OR NEW.kind <> OLD.kind OR NEW.tries <> OLD.tries
            OR NEW.solved IS DISTINCT FROM OLD.solved OR NEW.is_satisfied IS DISTINCT FROM OLD.is_satisfied
            OR NEW.done_at IS DISTINCT FROM OLD.done_at OR NEW.done_by IS DISTINCT FROM OLD.done_by
            OR (NEW.words IS NOT NULL AND NEW.words IS DISTINCT FROM OLD.words)
            OR (NEW.note IS NOT NULL AND NEW.note IS DISTINCT FROM OLD.note)",
        says: "an answer stays as it was given",
    },
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut policy = Table::alter();
        policy
            .table(Alias::new("alliance"))
            .add_column(boolean("follow_up_on_submission").default(false).to_owned());
        manager.alter_table(policy).await?;
        let columns = vec![
            uuid("id"),
            uuid("alliance_id"),
            uuid("problem_id"),
            integer("round"),
            uuid("reporter_problem_id"),
            string("kind", 24),
            string("state", 24),
            date("due_on"),
            integer("tries"),
            optional(string("solved", 24)),
            optional(boolean("is_satisfied")),
            optional(text("words")),
            optional(text("note")),
            optional(uuid("done_by")),
            optional(timestamp("done_at")),
            optional(uuid("created_by")),
            timestamp("created_at"),
            crate::build::big_integer("version"),
        ];
        let foreign =
            [("alliance_id", "alliance"), ("problem_id", "problem"), ("reporter_problem_id", "problem")];
        create(manager, "follow_up", &["id"], columns, &foreign).await?;
        index(manager, "follow_up", &["problem_id", "reporter_problem_id"], true, Some("state = 'due'"))
            .await?;
        index(manager, "follow_up", &["problem_id"], false, None).await?;
        index(manager, "follow_up", &["reporter_problem_id"], false, None).await?;
        index(manager, "follow_up", &["alliance_id", "due_on"], false, None).await?;
        let columns = vec![
            uuid("id"),
            uuid("follow_up_id"),
            unique(bytes("hash", 32)),
            optional(uuid("created_by")),
            timestamp("created_at"),
            timestamp("expires_at"),
            optional(timestamp("used_at")),
        ];
        create(manager, "follow_up_link", &["id"], columns, &[("follow_up_id", "follow_up")]).await?;
        index(manager, "follow_up_link", &["follow_up_id"], false, None).await?;
        refusal::make(manager, &REFUSALS).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refusal::unmake(manager, &REFUSALS).await?;
        for table in ["follow_up_link", "follow_up"] {
            manager.drop_table(Table::drop().table(Alias::new(table)).to_owned()).await?;
        }
        let mut policy = Table::alter();
        policy.table(Alias::new("alliance")).drop_column(Alias::new("follow_up_on_submission"));
        manager.alter_table(policy).await
    }
}
