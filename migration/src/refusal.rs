//! Triggers that refuse a change, said once for both engines. A condition may look into other tables: SQLite takes it in
//! `WHEN`, PostgreSQL in a function of the trigger's own.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// A trigger that refuses.
pub struct Refusal {
    pub name: &'static str,
    pub table: &'static str,
    /// `INSERT`, `UPDATE` or `DELETE`.
    pub on: &'static str,
    /// What of the row alone must hold for the condition to matter.
    pub guard: &'static str,
    /// What is refused.
    pub condition: &'static str,
    /// What the refusal says.
    pub says: &'static str,
}

/// Makes the triggers.
pub async fn make(manager: &SchemaManager<'_>, refusals: &[Refusal]) -> Result<(), DbErr> {
    make_at(manager, refusals, "BEFORE").await
}

/// The same, each once the row stands: a row that gives way to one that is there already is then not looked at.
pub async fn make_after(manager: &SchemaManager<'_>, refusals: &[Refusal]) -> Result<(), DbErr> {
    make_at(manager, refusals, "AFTER").await
}

async fn make_at(manager: &SchemaManager<'_>, refusals: &[Refusal], when: &str) -> Result<(), DbErr> {
    let db = manager.get_connection();
    for Refusal { name, table, on, guard, condition, says } in refusals {
        if manager.get_database_backend() == DbBackend::Sqlite {
            db.execute_unprepared(&format!(
                "CREATE TRIGGER {name} {when} {on} ON {table} WHEN ({guard}) AND ({condition})
                 BEGIN SELECT RAISE(ABORT, 'concord: {says}'); END"
            ))
            .await?;
        } else {
            let row = if *on == "DELETE" { "OLD" } else { "NEW" };
            db.execute_unprepared(&format!(
                "CREATE FUNCTION concord_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN IF {condition} THEN
                     RAISE EXCEPTION 'concord: {says}' USING ERRCODE = 'integrity_constraint_violation';
                 END IF; RETURN {row}; END $$"
            ))
            .await?;
            db.execute_unprepared(&format!(
                "CREATE TRIGGER {name} {when} {on} ON {table} FOR EACH ROW WHEN ({guard})
                 EXECUTE FUNCTION concord_{name}()"
            ))
            .await?;
        }
    }
    Ok(())
}

/// Takes them away.
pub async fn unmake(manager: &SchemaManager<'_>, refusals: &[Refusal]) -> Result<(), DbErr> {
    let db = manager.get_connection();
    for Refusal { name, table, .. } in refusals {
        if manager.get_database_backend() == DbBackend::Sqlite {
            db.execute_unprepared(&format!("DROP TRIGGER {name}")).await?;
        } else {
            db.execute_unprepared(&format!("DROP TRIGGER {name} ON {table}")).await?;
            db.execute_unprepared(&format!("DROP FUNCTION concord_{name}()")).await?;
        }
    }
    Ok(())
}
