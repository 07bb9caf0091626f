//! A dispatch that passed unmet is on record once, like the deadlines of units: no unit stands beside it, and keys hold absent ones
//! apart. What was noted twice before keeps its first row.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::build::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

const KEPT: &str = "breach_is_kept";
const ONCE: [&str; 3] = ["problem_id", "clock", "due_at"];

const AGAIN: &str = "DELETE FROM breach WHERE organization_id IS NULL AND EXISTS (
    SELECT 1 FROM breach b WHERE b.organization_id IS NULL AND b.problem_id = breach.problem_id AND b.clock = breach.clock
        AND b.due_at = breach.due_at
        AND (b.noted_at < breach.noted_at OR (b.noted_at = breach.noted_at AND b.id < breach.id)))";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        if manager.get_database_backend() == DbBackend::Sqlite {
            db.execute_unprepared(&format!("DROP TRIGGER {KEPT}")).await?;
            db.execute_unprepared(AGAIN).await?;
            let kept = format!(
                "CREATE TRIGGER {KEPT} BEFORE DELETE ON breach
                 BEGIN SELECT RAISE(ABORT, 'concord: a breach stays on record'); END"
            );
            db.execute_unprepared(&kept).await?;
        } else {
            db.execute_unprepared(&format!("ALTER TABLE breach DISABLE TRIGGER {KEPT}")).await?;
            db.execute_unprepared(AGAIN).await?;
            db.execute_unprepared(&format!("ALTER TABLE breach ENABLE TRIGGER {KEPT}")).await?;
        }
        index(manager, "breach", &ONCE, true, Some("organization_id IS NULL")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let name = format!("uq_breach_{}", ONCE.join("_"));
        manager.drop_index(Index::drop().name(name).table(Alias::new("breach")).to_owned()).await
    }
}
