//! Erasure of what is known of a person. A text that is otherwise kept as it was written may be taken away whole, never
//! rewritten: the note of a piece of evidence, the verdict and the criterion of a strike-off.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::build::{optional, timestamp};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// A kept row: its trigger, its table, what it says, what was refused before and what is refused now.
struct Kept {
    trigger: &'static str,
    table: &'static str,
    says: &'static str,
    before: &'static str,
    now: &'static str,
}

const KEPT: [Kept; 2] = [
    Kept {
        trigger: "evidence_is_not_edited",
        table: "evidence",
        says: "evidence is never changed",
        before: "1 = 1",
        now: "NEW.note IS NOT NULL OR NEW.id <> OLD.id OR NEW.alliance_id <> OLD.alliance_id
            OR NEW.problem_id IS DISTINCT FROM OLD.problem_id OR NEW.task_id IS DISTINCT FROM OLD.task_id
            OR NEW.file_id <> OLD.file_id OR NEW.stage <> OLD.stage OR NEW.round <> OLD.round
            OR NEW.organization_id IS DISTINCT FROM OLD.organization_id
            OR NEW.added_by IS DISTINCT FROM OLD.added_by OR NEW.added_at <> OLD.added_at",
    },
    Kept {
        trigger: "problem_strike_off_is_kept",
        table: "problem",
        says: "a strike-off stays as it was judged",
        before: "OLD.state = 'struck_off' AND NEW.state = 'struck_off' AND (
            NEW.verifier_id IS DISTINCT FROM OLD.verifier_id OR NEW.approver_id IS DISTINCT FROM OLD.approver_id
            OR NEW.verifier_organization_id IS DISTINCT FROM OLD.verifier_organization_id
            OR NEW.struck_off_at IS DISTINCT FROM OLD.struck_off_at OR NEW.verdict IS DISTINCT FROM OLD.verdict
            OR NEW.criterion IS DISTINCT FROM OLD.criterion)",
        now: "OLD.state = 'struck_off' AND NEW.state = 'struck_off' AND (
            NEW.verifier_id IS DISTINCT FROM OLD.verifier_id OR NEW.approver_id IS DISTINCT FROM OLD.approver_id
            OR NEW.verifier_organization_id IS DISTINCT FROM OLD.verifier_organization_id
            OR NEW.struck_off_at IS DISTINCT FROM OLD.struck_off_at
            OR (NEW.verdict IS NOT NULL AND NEW.verdict IS DISTINCT FROM OLD.verdict)
            OR (NEW.criterion IS NOT NULL AND NEW.criterion IS DISTINCT FROM OLD.criterion))",
    },
];

async fn replace(manager: &SchemaManager<'_>, kept: &Kept, refused: &str) -> Result<(), DbErr> {
    let Kept { trigger, table, says, .. } = kept;
    let db = manager.get_connection();
    if manager.get_database_backend() == DbBackend::Sqlite {
        db.execute_unprepared(&format!("DROP TRIGGER {trigger}")).await?;
        db.execute_unprepared(&format!(
            "CREATE TRIGGER {trigger} BEFORE UPDATE ON {table} WHEN {refused}
             BEGIN SELECT RAISE(ABORT, 'concord: {says}'); END"
        ))
        .await?;
    } else {
        db.execute_unprepared(&format!("DROP TRIGGER {trigger} ON {table}")).await?;
        db.execute_unprepared(&format!(
            "CREATE TRIGGER {trigger} BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({refused})
             EXECUTE FUNCTION concord_refuse('{says}')"
        ))
        .await?;
    }
    Ok(())
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut erased = Table::alter();
        erased.table(Alias::new("account")).add_column(optional(timestamp("erased_at")));
        manager.alter_table(erased).await?;
        for kept in &KEPT {
            replace(manager, kept, kept.now).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for kept in &KEPT {
            replace(manager, kept, kept.before).await?;
        }
        let mut erased = Table::alter();
        erased.table(Alias::new("account")).drop_column(Alias::new("erased_at"));
        manager.alter_table(erased).await
    }
}
