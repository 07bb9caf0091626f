//! Who had a hand in a problem is remembered, so that nobody verifies or strikes off what they once handled, whatever seat
//! they hold by then; evidence and the judgement of a strike-off stay as they were; and no number of an alliance is ever
//! given twice, whatever its pattern.

use sea_orm_migration::prelude::*;

use crate::build::{create, execute, index, uuid};

#[derive(DeriveMigrationName)]
pub struct Migration;

const SAYS: &str = "strike-off needs evidence and an independent verifier";

/// A strike-off is refused without closure evidence of the round, without a verifier, or when the verifier or the approver
/// ever handled the problem, when the verifier supplied closure evidence, or acts for a responsible unit.
pub const STRIKE_OFF_REFUSED: &str = "
    NOT EXISTS (SELECT 1 FROM evidence e WHERE e.problem_id = NEW.id AND e.stage = 'closure' AND e.round = NEW.round)
    OR NEW.verifier_id IS NULL OR NEW.verifier_organization_id IS NULL OR NEW.approver_id IS NULL
    OR NEW.verifier_id = NEW.handler_id OR NEW.verifier_id = NEW.submitted_by
    OR NEW.approver_id = NEW.handler_id OR NEW.approver_id = NEW.submitted_by
    OR NEW.approver_id = NEW.verifier_id
    OR EXISTS (SELECT 1 FROM problem_handler h
               WHERE h.problem_id = NEW.id AND h.account_id IN (NEW.verifier_id, NEW.approver_id))
    OR EXISTS (SELECT 1 FROM evidence e
               WHERE e.problem_id = NEW.id AND e.stage = 'closure' AND e.added_by IN (NEW.verifier_id, NEW.approver_id))
    OR EXISTS (SELECT 1 FROM problem_responsible r
               WHERE r.problem_id = NEW.id AND r.organization_id = NEW.verifier_organization_id)";

/// What stood before.
const STRIKE_OFF_REFUSED_BEFORE: &str = "
    NOT EXISTS (SELECT 1 FROM evidence e WHERE e.problem_id = NEW.id AND e.stage = 'closure' AND e.round = NEW.round)
    OR NEW.verifier_id IS NULL OR NEW.verifier_organization_id IS NULL OR NEW.approver_id IS NULL
    OR NEW.verifier_id = NEW.handler_id OR NEW.verifier_id = NEW.submitted_by
    OR EXISTS (SELECT 1 FROM problem_responsible r
               WHERE r.problem_id = NEW.id AND r.organization_id = NEW.verifier_organization_id)";

/// Remembers whoever a column names.
fn remember(column: &str) -> String {
    format!(
        "INSERT INTO problem_handler (problem_id, account_id) SELECT NEW.id, NEW.{column}
         WHERE NOT EXISTS (SELECT 1 FROM problem_handler h WHERE h.problem_id = NEW.id AND h.account_id = NEW.{column})"
    )
}

pub fn earned_sqlite(refused: &str) -> String {
    format!(
        "CREATE TRIGGER problem_strike_off_is_earned BEFORE UPDATE ON problem
         WHEN NEW.state = 'struck_off' AND OLD.state <> 'struck_off' AND ({refused})
         BEGIN SELECT RAISE(ABORT, 'concord: {SAYS}'); END"
    )
}

pub fn earned_postgres(refused: &str) -> String {
    format!(
        "CREATE OR REPLACE FUNCTION concord_strike_off() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN IF {refused} THEN
             RAISE EXCEPTION 'concord: {SAYS}' USING ERRCODE = 'integrity_constraint_violation';
         END IF; RETURN NEW; END $$"
    )
}

const REMEMBERED: [(&str, &str); 2] =
    [("problem_remembers_its_handler", "handler_id"), ("problem_remembers_who_submitted", "submitted_by")];

const STRUCK_OFF_CHANGED: &str = "OLD.state = 'struck_off' AND NEW.state = 'struck_off' AND (
    NEW.verifier_id IS DISTINCT FROM OLD.verifier_id OR NEW.approver_id IS DISTINCT FROM OLD.approver_id
    OR NEW.verifier_organization_id IS DISTINCT FROM OLD.verifier_organization_id
    OR NEW.struck_off_at IS DISTINCT FROM OLD.struck_off_at OR NEW.verdict IS DISTINCT FROM OLD.verdict
    OR NEW.criterion IS DISTINCT FROM OLD.criterion)";

/// (trigger, table, when, condition, what it says)
const REFUSALS: [(&str, &str, &str, &str, &str); 6] = [
    (
        "problem_handler_is_kept",
        "problem_handler",
        "DELETE",
        "1 = 1",
        "who handled a problem is never forgotten",
    ),
    (
        "problem_handler_is_not_edited",
        "problem_handler",
        "UPDATE",
        "1 = 1",
        "who handled a problem is never forgotten",
    ),
    ("evidence_is_kept", "evidence", "DELETE", "1 = 1", "evidence is never taken away"),
    ("evidence_is_not_edited", "evidence", "UPDATE", "1 = 1", "evidence is never changed"),
    (
        "problem_strike_off_is_kept",
        "problem",
        "UPDATE",
        STRUCK_OFF_CHANGED,
        "a strike-off stays as it was judged",
    ),
    (
        "problem_sequence_only_grows",
        "problem_sequence",
        "UPDATE",
        "NEW.last < OLD.last",
        "numbers are never given back",
    ),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(
            manager,
            "problem_handler",
            &["problem_id", "account_id"],
            vec![uuid("problem_id"), uuid("account_id")],
            &[("problem_id", "problem")],
        )
        .await?;
        index(manager, "problem", &["alliance_id", "number"], true, None).await?;
        let mut sqlite =
            vec!["DROP TRIGGER problem_strike_off_is_earned".to_owned(), earned_sqlite(STRIKE_OFF_REFUSED)];
        let mut postgres = vec![earned_postgres(STRIKE_OFF_REFUSED)];
        for (name, column) in REMEMBERED {
            let insert = remember(column);
            let known = format!(
                "INSERT INTO problem_handler (problem_id, account_id) SELECT id, {column} FROM problem p
                 WHERE {column} IS NOT NULL AND NOT EXISTS
                     (SELECT 1 FROM problem_handler h WHERE h.problem_id = p.id AND h.account_id = p.{column})"
            );
            let changed = format!("NEW.{column} IS NOT NULL AND NEW.{column} IS DISTINCT FROM OLD.{column}");
            sqlite.push(known.clone());
            sqlite.push(format!(
                "CREATE TRIGGER {name} AFTER UPDATE OF {column} ON problem WHEN {changed} BEGIN {insert}; END"
            ));
            postgres.push(known);
            postgres.push(format!(
                "CREATE FUNCTION concord_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN {insert}; RETURN NEW; END $$"
            ));
            postgres.push(format!(
                "CREATE TRIGGER {name} AFTER UPDATE OF {column} ON problem FOR EACH ROW WHEN ({changed})
                 EXECUTE FUNCTION concord_{name}()"
            ));
        }
        for (name, table, when, condition, says) in REFUSALS {
            sqlite.push(format!(
                "CREATE TRIGGER {name} BEFORE {when} ON {table} WHEN {condition}
                 BEGIN SELECT RAISE(ABORT, 'concord: {says}'); END"
            ));
            postgres.push(format!(
                "CREATE TRIGGER {name} BEFORE {when} ON {table} FOR EACH ROW WHEN ({condition})
                 EXECUTE FUNCTION concord_refuse('{says}')"
            ));
        }
        execute(
            manager,
            &sqlite.iter().map(String::as_str).collect::<Vec<_>>(),
            &postgres.iter().map(String::as_str).collect::<Vec<_>>(),
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut sqlite = vec![
            "DROP TRIGGER problem_strike_off_is_earned".to_owned(),
            earned_sqlite(STRIKE_OFF_REFUSED_BEFORE),
        ];
        let mut postgres = vec![earned_postgres(STRIKE_OFF_REFUSED_BEFORE)];
        for (name, _) in REMEMBERED {
            sqlite.push(format!("DROP TRIGGER {name}"));
            postgres.push(format!("DROP TRIGGER {name} ON problem"));
            postgres.push(format!("DROP FUNCTION concord_{name}()"));
        }
        for (name, table, ..) in REFUSALS {
            sqlite.push(format!("DROP TRIGGER {name}"));
            postgres.push(format!("DROP TRIGGER {name} ON {table}"));
        }
        let index = "uq_problem_alliance_id_number";
        sqlite.push(format!("DROP INDEX {index}"));
        postgres.push(format!("DROP INDEX {index}"));
        execute(
            manager,
            &sqlite.iter().map(String::as_str).collect::<Vec<_>>(),
            &postgres.iter().map(String::as_str).collect::<Vec<_>>(),
        )
        .await?;
        manager.drop_table(Table::drop().table(Alias::new("problem_handler")).to_owned()).await
    }
}
