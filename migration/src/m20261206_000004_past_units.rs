//! Which units took a problem or a part of it on before it was taken away from them in the same round: as little as its handlers do
//! they judge it, and a strike-off knows them too.

use sea_orm_migration::prelude::*;

use super::m20261126_000001_independence::{STRIKE_OFF_REFUSED, earned_postgres, earned_sqlite};
use crate::{
    build::{create, execute, integer, uuid},
    refusal::{self, Refusal},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLE: &str = "problem_past_unit";
const REMEMBERS: &str = "problem_remembers_past_units";

/// What was taken on is remembered: a part by its own row, the lead by its problem's.
const REMEMBER: &str = "INSERT INTO problem_past_unit (problem_id, round, organization_id)
    SELECT p.id, p.round, OLD.organization_id FROM problem p WHERE p.id = OLD.problem_id
        AND (OLD.accepted_at IS NOT NULL OR OLD.duty = 'lead' AND p.accepted_at IS NOT NULL)
        AND NOT EXISTS (SELECT 1 FROM problem_past_unit u WHERE u.problem_id = p.id AND u.round = p.round
            AND u.organization_id = OLD.organization_id)";

const SAYS: &str = "who worked on a problem is never forgotten";

const fn kept(name: &'static str, on: &'static str) -> Refusal {
    Refusal { name, table: TABLE, on, guard: "1 = 1", condition: "1 = 1", says: SAYS }
}

const REFUSALS: [Refusal; 2] =
    [kept("problem_past_unit_is_kept", "DELETE"), kept("problem_past_unit_is_not_edited", "UPDATE")];

async fn earned(manager: &SchemaManager<'_>, refused: &str) -> Result<(), DbErr> {
    let sqlite = ["DROP TRIGGER problem_strike_off_is_earned", &earned_sqlite(refused)];
    execute(manager, &sqlite, &[&earned_postgres(refused)]).await
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = vec![uuid("problem_id"), integer("round"), uuid("organization_id")];
        let of = [("problem_id", "problem"), ("organization_id", "organization")];
        create(manager, TABLE, &["problem_id", "round", "organization_id"], columns, &of).await?;
        let sqlite =
            format!("CREATE TRIGGER {REMEMBERS} AFTER DELETE ON problem_responsible BEGIN {REMEMBER}; END");
        let function = format!(
            "CREATE FUNCTION concord_{REMEMBERS}() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN {REMEMBER}; RETURN NULL; END $$"
        );
        let postgres = format!(
            "CREATE TRIGGER {REMEMBERS} AFTER DELETE ON problem_responsible FOR EACH ROW
             EXECUTE FUNCTION concord_{REMEMBERS}()"
        );
        execute(manager, &[&sqlite], &[&function, &postgres]).await?;
        refusal::make(manager, &REFUSALS).await?;
        let refused = format!(
            "{STRIKE_OFF_REFUSED}
             OR EXISTS (SELECT 1 FROM problem_past_unit u WHERE u.problem_id = NEW.id AND u.round = NEW.round
                 AND u.organization_id = NEW.verifier_organization_id)"
        );
        earned(manager, &refused).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        earned(manager, STRIKE_OFF_REFUSED).await?;
        refusal::unmake(manager, &REFUSALS).await?;
        let sqlite = format!("DROP TRIGGER {REMEMBERS}");
        let postgres = format!("DROP TRIGGER {REMEMBERS} ON problem_responsible");
        let function = format!("DROP FUNCTION concord_{REMEMBERS}()");
        execute(manager, &[&sqlite], &[&postgres, &function]).await?;
        manager.drop_table(Table::drop().table(Alias::new(TABLE)).to_owned()).await
    }
}
