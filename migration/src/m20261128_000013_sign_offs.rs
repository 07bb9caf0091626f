//! Sign-offs: as many approvers as the alliance wants sign a verified problem before it is struck off. Every signature is
//! remembered by round and by how often the problem had been returned; a return ends those before it without touching them.
//! The strike-off is the last of them, and the database counts them again. Beside it the alliance's window for objections.

use sea_orm_migration::prelude::*;

use crate::build::{create, execute, integer, optional, timestamp, uuid};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLE: &str = "problem_sign_off";
const SIGNED: &str = "problem_strike_off_is_signed";
const SAYS: &str = "a strike-off needs every sign-off that its alliance wants";

/// The signatures that stand besides the approver's own.
const STANDING: &str =
    "s.problem_id = NEW.id AND s.round = NEW.round AND s.returned_count = NEW.returned_count
    AND s.signed_by <> NEW.approver_id";
const STRUCK_OFF: &str = "NEW.state = 'struck_off' AND OLD.state <> 'struck_off'";

/// Too few signatures, or one by somebody who had a hand in the problem.
fn unsigned() -> String {
    format!(
        "(SELECT COUNT(*) FROM problem_sign_off s WHERE {STANDING}) + 1
             < (SELECT a.sign_offs FROM alliance a WHERE a.id = NEW.alliance_id)
         OR EXISTS (SELECT 1 FROM problem_sign_off s WHERE {STANDING} AND (s.signed_by = NEW.verifier_id
             OR EXISTS (SELECT 1 FROM problem_handler h WHERE h.problem_id = NEW.id AND h.account_id = s.signed_by)
             OR EXISTS (SELECT 1 FROM evidence e WHERE e.problem_id = NEW.id AND e.stage = 'closure'
                        AND e.added_by = s.signed_by)))"
    )
}

/// (trigger, columns, when, who signs, at what time): a signature is written down once.
const REMEMBERED: [(&str, &str, &str, &str, &str); 2] = [
    (
        "problem_remembers_its_sign_off",
        "signed_off_by, signed_off_at",
        "NEW.signed_off_by IS NOT NULL AND NEW.signed_off_at IS NOT NULL
         AND (NEW.signed_off_by IS DISTINCT FROM OLD.signed_off_by
              OR NEW.signed_off_at IS DISTINCT FROM OLD.signed_off_at)",
        "signed_off_by",
        "NEW.signed_off_at",
    ),
    (
        "problem_remembers_its_strike_off",
        "state",
        STRUCK_OFF,
        "approver_id",
        "COALESCE(NEW.struck_off_at, NEW.verified_at, NEW.recorded_at)",
    ),
];

fn remember(who: &str, at: &str) -> String {
    format!(
        "INSERT INTO problem_sign_off (problem_id, round, returned_count, signed_by, signed_at)
         SELECT NEW.id, NEW.round, NEW.returned_count, NEW.{who}, {at} WHERE NOT EXISTS
             (SELECT 1 FROM problem_sign_off s WHERE s.problem_id = NEW.id AND s.round = NEW.round
                 AND s.returned_count = NEW.returned_count AND s.signed_by = NEW.{who})"
    )
}

const KEPT: [(&str, &str); 2] =
    [("problem_sign_off_is_kept", "DELETE"), ("problem_sign_off_is_not_edited", "UPDATE")];

/// What an alliance settles, each with what holds where nobody says.
fn policies() -> [ColumnDef; 2] {
    [("sign_offs", 1), ("objection_hours", 24)].map(|(name, value)| integer(name).default(value).to_owned())
}

fn signatures() -> [ColumnDef; 2] {
    [optional(uuid("signed_off_by")), optional(timestamp("signed_off_at"))]
}

async fn alter(
    manager: &SchemaManager<'_>,
    table: &'static str,
    columns: &[ColumnDef],
    add: bool,
) -> Result<(), DbErr> {
    for column in columns {
        let mut change = Table::alter();
        change.table(Alias::new(table));
        if add {
            change.add_column(column.clone());
        } else {
            change.drop_column(Alias::new(column.get_column_name()));
        }
        manager.alter_table(change).await?;
    }
    Ok(())
}

async fn run(manager: &SchemaManager<'_>, sqlite: &[String], postgres: &[String]) -> Result<(), DbErr> {
    let [sqlite, postgres] = [sqlite, postgres].map(|all| all.iter().map(String::as_str).collect::<Vec<_>>());
    execute(manager, &sqlite, &postgres).await
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        alter(manager, "alliance", &policies(), true).await?;
        alter(manager, "problem", &signatures(), true).await?;
        create(
            manager,
            TABLE,
            &["problem_id", "round", "returned_count", "signed_by"],
            vec![
                uuid("problem_id"),
                integer("round"),
                integer("returned_count"),
                uuid("signed_by"),
                timestamp("signed_at"),
            ],
            &[("problem_id", "problem")],
        )
        .await?;
        let known = "INSERT INTO problem_sign_off (problem_id, round, returned_count, signed_by, signed_at)
             SELECT id, round, returned_count, approver_id, COALESCE(struck_off_at, verified_at, recorded_at)
             FROM problem WHERE state = 'struck_off' AND approver_id IS NOT NULL";
        let unsigned = unsigned();
        let mut sqlite = vec![
            known.to_owned(),
            format!(
                "CREATE TRIGGER {SIGNED} BEFORE UPDATE ON problem WHEN {STRUCK_OFF} AND ({unsigned})
                 BEGIN SELECT RAISE(ABORT, 'concord: {SAYS}'); END"
            ),
        ];
        let mut postgres = vec![
            known.to_owned(),
            format!(
                "CREATE FUNCTION concord_{SIGNED}() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN IF {unsigned} THEN
                     RAISE EXCEPTION 'concord: {SAYS}' USING ERRCODE = 'integrity_constraint_violation';
                 END IF; RETURN NEW; END $$"
            ),
            format!(
                "CREATE TRIGGER {SIGNED} BEFORE UPDATE ON problem FOR EACH ROW WHEN ({STRUCK_OFF})
                 EXECUTE FUNCTION concord_{SIGNED}()"
            ),
        ];
        for (name, columns, when, who, at) in REMEMBERED {
            let insert = remember(who, at);
            sqlite.push(format!(
                "CREATE TRIGGER {name} AFTER UPDATE OF {columns} ON problem WHEN {when} BEGIN {insert}; END"
            ));
            postgres.push(format!(
                "CREATE FUNCTION concord_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN {insert}; RETURN NEW; END $$"
            ));
            postgres.push(format!(
                "CREATE TRIGGER {name} AFTER UPDATE OF {columns} ON problem FOR EACH ROW WHEN ({when})
                 EXECUTE FUNCTION concord_{name}()"
            ));
        }
        for (name, verb) in KEPT {
            let says = "a sign-off is never changed or taken away";
            sqlite.push(format!(
                "CREATE TRIGGER {name} BEFORE {verb} ON {TABLE} BEGIN SELECT RAISE(ABORT, 'concord: {says}'); END"
            ));
            postgres.push(format!(
                "CREATE TRIGGER {name} BEFORE {verb} ON {TABLE} FOR EACH ROW EXECUTE FUNCTION concord_refuse('{says}')"
            ));
        }
        run(manager, &sqlite, &postgres).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let (mut sqlite, mut postgres) = (Vec::new(), Vec::new());
        for name in REMEMBERED.map(|(name, ..)| name).into_iter().chain([SIGNED]) {
            sqlite.push(format!("DROP TRIGGER {name}"));
            postgres.push(format!("DROP TRIGGER {name} ON problem"));
            postgres.push(format!("DROP FUNCTION concord_{name}()"));
        }
        for (name, _) in KEPT {
            sqlite.push(format!("DROP TRIGGER {name}"));
            postgres.push(format!("DROP TRIGGER {name} ON {TABLE}"));
        }
        run(manager, &sqlite, &postgres).await?;
        manager.drop_table(Table::drop().table(Alias::new(TABLE)).to_owned()).await?;
        alter(manager, "problem", &signatures(), false).await?;
        alter(manager, "alliance", &policies(), false).await
    }
}
