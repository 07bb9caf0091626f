//! Whether the unit that was late led the matter then: the whole was late with it, and stays so when its due date moves or another
//! unit takes over. Of the breaches of before, those count as the lead's whose unit is not known to have shared the matter.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::build::boolean;

#[derive(DeriveMigrationName)]
pub struct Migration;

const KEPT: &str = "breach_is_not_edited";

const OF_LEADS: &str = "UPDATE breach SET is_lead = TRUE WHERE organization_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM problem p JOIN problem_responsible r ON r.problem_id = p.id
        WHERE p.id = breach.problem_id AND p.round = breach.round
            AND r.organization_id = breach.organization_id AND r.duty = 'joint')
    AND NOT EXISTS (SELECT 1 FROM problem_round_unit u WHERE u.problem_id = breach.problem_id
        AND u.round = breach.round AND u.organization_id = breach.organization_id AND NOT u.is_lead)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut change = Table::alter();
        // An older version writes rows without it.
        change.table(Alias::new("breach")).add_column(boolean("is_lead").default(false).to_owned());
        manager.alter_table(change).await?;
        let db = manager.get_connection();
        if manager.get_database_backend() == DbBackend::Sqlite {
            db.execute_unprepared(&format!("DROP TRIGGER {KEPT}")).await?;
            db.execute_unprepared(OF_LEADS).await?;
            let kept = format!(
                "CREATE TRIGGER {KEPT} BEFORE UPDATE ON breach
                 BEGIN SELECT RAISE(ABORT, 'concord: a breach stays on record'); END"
            );
            db.execute_unprepared(&kept).await?;
        } else {
            db.execute_unprepared(&format!("ALTER TABLE breach DISABLE TRIGGER {KEPT}")).await?;
            db.execute_unprepared(OF_LEADS).await?;
            db.execute_unprepared(&format!("ALTER TABLE breach ENABLE TRIGGER {KEPT}")).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut change = Table::alter();
        change.table(Alias::new("breach")).drop_column(Alias::new("is_lead"));
        manager.alter_table(change).await
    }
}
