//! Moves of problems between tiers, each with the forum that settled it and why; kept, except that an erasure takes a reason
//! away whole.

use sea_orm_migration::prelude::*;

use crate::build::{big_integer, create, execute, optional, string, text, timestamp, uuid};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLE: &str = "problem_tier_move";
const SAYS: &str = "a move between tiers is never changed or taken away";

/// (trigger, verb, condition)
const KEPT: [(&str, &str, &str); 2] = [
    ("problem_tier_move_is_kept", "DELETE", "1 = 1"),
    (
        "problem_tier_move_is_not_edited",
        "UPDATE",
        "NEW.reason IS NOT NULL OR NEW.problem_id <> OLD.problem_id OR NEW.version <> OLD.version
         OR NEW.from_tier IS DISTINCT FROM OLD.from_tier OR NEW.to_tier <> OLD.to_tier OR NEW.forum <> OLD.forum
         OR NEW.moved_by IS DISTINCT FROM OLD.moved_by OR NEW.moved_at <> OLD.moved_at",
    ),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(
            manager,
            TABLE,
            &["problem_id", "version"],
            vec![
                uuid("problem_id"),
                big_integer("version"),
                optional(string("from_tier", 24)),
                string("to_tier", 24),
                string("forum", 24),
                optional(text("reason")),
                optional(uuid("moved_by")),
                timestamp("moved_at"),
            ],
            &[("problem_id", "problem")],
        )
        .await?;
        let sqlite = KEPT.map(|(name, verb, when)| {
            format!(
                "CREATE TRIGGER {name} BEFORE {verb} ON {TABLE} WHEN {when}
                 BEGIN SELECT RAISE(ABORT, 'concord: {SAYS}'); END"
            )
        });
        let postgres = KEPT.map(|(name, verb, when)| {
            format!(
                "CREATE TRIGGER {name} BEFORE {verb} ON {TABLE} FOR EACH ROW WHEN ({when})
                 EXECUTE FUNCTION concord_refuse('{SAYS}')"
            )
        });
        execute(manager, &sqlite.each_ref().map(String::as_str), &postgres.each_ref().map(String::as_str))
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sqlite = KEPT.map(|(name, ..)| format!("DROP TRIGGER {name}"));
        let postgres = KEPT.map(|(name, ..)| format!("DROP TRIGGER {name} ON {TABLE}"));
        execute(manager, &sqlite.each_ref().map(String::as_str), &postgres.each_ref().map(String::as_str))
            .await?;
        manager.drop_table(Table::drop().table(Alias::new(TABLE)).to_owned()).await
    }
}
