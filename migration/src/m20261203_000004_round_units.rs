//! Which units were responsible in a round that ended, each in a row, so that figures and independence know the joint ones too. A
//! trigger writes them with the round; once the next round has begun nobody adds to them.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::{
    build::{boolean, create, execute, index, integer, uuid},
    refusal::{self, Refusal},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLE: &str = "problem_round_unit";
const SAYS: &str = "a round that ended is never changed";

const REFUSALS: [Refusal; 3] = [
    Refusal {
        name: "problem_round_unit_is_kept",
        table: TABLE,
        on: "DELETE",
        guard: "1 = 1",
        condition: "1 = 1",
        says: SAYS,
    },
    Refusal {
        name: "problem_round_unit_is_not_edited",
        table: TABLE,
        on: "UPDATE",
        guard: "1 = 1",
        condition: "1 = 1",
        says: SAYS,
    },
    Refusal {
        name: "problem_round_unit_is_closed",
        table: TABLE,
        on: "INSERT",
        guard: "1 = 1",
        condition: "EXISTS (SELECT 1 FROM problem p WHERE p.id = NEW.problem_id AND p.round > NEW.round)",
        says: SAYS,
    },
];

const fn independent(condition: &'static str) -> [Refusal; 1] {
    [Refusal {
        name: "follow_up_is_independent",
        table: "follow_up",
        on: "UPDATE",
        guard: "OLD.state = 'due' AND NEW.state <> 'due' AND NEW.done_by IS NOT NULL",
        condition,
        says: "a reporter is asked by somebody who has no part in the problem",
    }]
}

/// Nobody of a unit that was responsible in the round that is asked about, leading or sharing.
const OF_ALL_UNITS: [Refusal; 1] = independent(
    "EXISTS (SELECT 1 FROM seat s JOIN problem p ON p.id = NEW.problem_id
            WHERE s.account_id = NEW.done_by AND (s.state <> 'ended' OR s.ended_at >= p.recorded_at)
                AND (s.organization_id = p.lead_organization_id
                    OR EXISTS (SELECT 1 FROM problem_responsible r
                        WHERE r.problem_id = p.id AND r.organization_id = s.organization_id)
                    OR EXISTS (SELECT 1 FROM problem_round_unit o WHERE o.problem_id = p.id
                        AND o.round = NEW.round AND o.organization_id = s.organization_id)))
        OR EXISTS (SELECT 1 FROM problem_handler h
            WHERE h.problem_id = NEW.problem_id AND h.account_id = NEW.done_by)
        OR EXISTS (SELECT 1 FROM evidence e WHERE e.problem_id = NEW.problem_id AND e.stage = 'closure'
            AND e.added_by = NEW.done_by)",
);

/// As it was before: of the round only the leading unit was known.
const OF_THE_LEAD: [Refusal; 1] = independent(
    "EXISTS (SELECT 1 FROM seat s JOIN problem p ON p.id = NEW.problem_id
            WHERE s.account_id = NEW.done_by AND (s.state <> 'ended' OR s.ended_at >= p.recorded_at)
                AND (s.organization_id = p.lead_organization_id
                    OR EXISTS (SELECT 1 FROM problem_responsible r
                        WHERE r.problem_id = p.id AND r.organization_id = s.organization_id)
                    OR EXISTS (SELECT 1 FROM problem_round o WHERE o.problem_id = p.id
                        AND o.round = NEW.round AND o.lead_organization_id = s.organization_id)))
        OR EXISTS (SELECT 1 FROM problem_handler h
            WHERE h.problem_id = NEW.problem_id AND h.account_id = NEW.done_by)
        OR EXISTS (SELECT 1 FROM evidence e WHERE e.problem_id = NEW.problem_id AND e.stage = 'closure'
            AND e.added_by = NEW.done_by)",
);

/// The units that a round names: the leading one, and those in its list. `of` is the round, `from` where it is read.
fn named(is_sqlite: bool, of: &str, from: &str) -> [String; 2] {
    let insert = "INSERT INTO problem_round_unit (problem_id, round, organization_id, is_lead)";
    let (id, list) = if is_sqlite {
        ("unhex(replace(unit.value, '-', ''))", format!("json_each({of}.joint_organization_ids) unit"))
    } else {
        (
            "unit.value::uuid",
            format!("jsonb_array_elements_text({of}.joint_organization_ids::jsonb) unit(value)"),
        )
    };
    let round = if from.is_empty() { String::new() } else { format!("FROM {from} ") };
    let list = if from.is_empty() { format!("FROM {list}") } else { format!("FROM {from}, {list}") };
    [
        format!(
            "{insert} SELECT {of}.problem_id, {of}.round, {of}.lead_organization_id, TRUE
             {round}WHERE {of}.lead_organization_id IS NOT NULL"
        ),
        format!(
            "{insert} SELECT {of}.problem_id, {of}.round, {id}, FALSE {list} WHERE TRUE
             ON CONFLICT (problem_id, round, organization_id) DO NOTHING"
        ),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = vec![uuid("problem_id"), integer("round"), uuid("organization_id"), boolean("is_lead")];
        let of = [("problem_id", "problem"), ("organization_id", "organization")];
        create(manager, TABLE, &["problem_id", "round", "organization_id"], columns, &of).await?;
        index(manager, TABLE, &["organization_id"], false, None).await?;
        let is_sqlite = manager.get_database_backend() == DbBackend::Sqlite;
        for text in named(is_sqlite, "r", "problem_round r") {
            manager.get_connection().execute_unprepared(&text).await?;
        }
        let body = named(is_sqlite, "NEW", "").join(";\n");
        let sqlite = format!(
            "CREATE TRIGGER problem_round_names_its_units AFTER INSERT ON problem_round BEGIN\n{body};\nEND"
        );
        let function = format!(
            "CREATE FUNCTION concord_problem_round_names_its_units() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             {body};\nRETURN NULL; END $$"
        );
        let postgres =
            "CREATE TRIGGER problem_round_names_its_units AFTER INSERT ON problem_round FOR EACH ROW
             EXECUTE FUNCTION concord_problem_round_names_its_units()";
        execute(manager, &[&sqlite], &[&function, postgres]).await?;
        refusal::make(manager, &REFUSALS).await?;
        refusal::unmake(manager, &OF_THE_LEAD).await?;
        refusal::make(manager, &OF_ALL_UNITS).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refusal::unmake(manager, &OF_ALL_UNITS).await?;
        refusal::make(manager, &OF_THE_LEAD).await?;
        refusal::unmake(manager, &REFUSALS).await?;
        execute(
            manager,
            &["DROP TRIGGER problem_round_names_its_units"],
            &[
                "DROP TRIGGER problem_round_names_its_units ON problem_round",
                "DROP FUNCTION concord_problem_round_names_its_units()",
            ],
        )
        .await?;
        manager.drop_table(Table::drop().table(Alias::new(TABLE)).to_owned()).await
    }
}
