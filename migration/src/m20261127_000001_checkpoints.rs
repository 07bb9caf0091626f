//! What the chains had come to, signed from time to time: kept here as well as outside the database, and only added to.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::build::{big_integer, create, execute, text, timestamp};

#[derive(DeriveMigrationName)]
pub struct Migration;

const SAYS: &str = "checkpoints are only added to";
const REFUSALS: [(&str, &str); 2] =
    [("checkpoint_is_kept", "DELETE"), ("checkpoint_is_not_edited", "UPDATE")];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = vec![big_integer("position"), timestamp("made_at"), text("line")];
        create(manager, "checkpoint", &["position"], columns, &[]).await?;
        for (name, when) in REFUSALS {
            let sqlite = format!(
                "CREATE TRIGGER {name} BEFORE {when} ON checkpoint BEGIN SELECT RAISE(ABORT, 'concord: {SAYS}'); END"
            );
            let postgres = format!(
                "CREATE TRIGGER {name} BEFORE {when} ON checkpoint FOR EACH ROW EXECUTE FUNCTION concord_refuse('{SAYS}')"
            );
            execute(manager, &[&sqlite], &[&postgres]).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, _) in REFUSALS {
            let on = if manager.get_database_backend() == DbBackend::Sqlite { "" } else { " ON checkpoint" };
            manager.get_connection().execute_unprepared(&format!("DROP TRIGGER {name}{on}")).await?;
        }
        manager.drop_table(Table::drop().table(Alias::new("checkpoint")).to_owned()).await
    }
}
