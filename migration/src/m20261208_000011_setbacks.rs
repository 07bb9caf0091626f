//! Whose it was that a problem was returned, declined or given more time: each in a row beside its event, so that figures know it when
//! other units are responsible since. A trigger writes them with the event; those of before are drawn from the events.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::{
    build::{create, execute, index, string, timestamp, uuid},
    refusal::{self, Refusal},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLE: &str = "problem_setback";
const NOTED: &str = "problem_setback_is_noted";
const TELLING: &str = "NEW.subject_kind = 'problem' AND NEW.kind IN ('problem_returned', 'problem_declined',
    'problem_part_declined', 'extension_granted', 'problem_updated')";

const fn kept(name: &'static str, on: &'static str) -> Refusal {
    Refusal {
        name,
        table: TABLE,
        on,
        guard: "1 = 1",
        condition: "1 = 1",
        says: "what set a problem back stays on record",
    }
}

const REFUSALS: [Refusal; 2] =
    [kept("problem_setback_is_kept", "DELETE"), kept("problem_setback_is_not_edited", "UPDATE")];

/// How an engine reads what an event holds; `of` is the event.
struct Reader {
    is_sqlite: bool,
    of: &'static str,
}

impl Reader {
    fn id(&self, text: &str) -> String {
        if self.is_sqlite { format!("unhex(replace({text}, '-', ''))") } else { format!("({text})::uuid") }
    }

    /// The units that it concerns, as rows of `unit`.
    fn units(&self) -> String {
        let of = self.of;
        if self.is_sqlite {
            format!("json_each({of}.organization_ids) unit")
        } else {
            format!("json_array_elements_text({of}.organization_ids::json) unit(value)")
        }
    }

    /// One of these, from the first or, where negative, the last.
    fn unit(&self, place: i32) -> String {
        let of = self.of;
        match (self.is_sqlite, place < 0) {
            (true, true) => format!("json_extract({of}.organization_ids, '$[#{place}]')"),
            (true, false) => format!("json_extract({of}.organization_ids, '$[{place}]')"),
            (false, _) => format!("{of}.organization_ids::json ->> {place}"),
        }
    }

    fn detail(&self, name: &str) -> String {
        let of = self.of;
        if self.is_sqlite {
            format!("json_extract({of}.payload, '$.{name}')")
        } else {
            format!("({of}.payload::json ->> '{name}')")
        }
    }

    /// The deadlines that it moved, as rows of `moved`.
    fn moved(&self) -> String {
        let of = self.of;
        if self.is_sqlite {
            format!("json_each({of}.payload, '$.deadlines') moved")
        } else {
            format!("json_array_elements({of}.payload::json -> 'deadlines') moved(value)")
        }
    }

    /// What one of them says.
    fn of_moved(&self, name: &str) -> String {
        if self.is_sqlite {
            format!("json_extract(moved.value, '$.{name}')")
        } else {
            format!("(moved.value ->> '{name}')")
        }
    }

    fn instant(&self, text: &str) -> String {
        if self.is_sqlite { format!("julianday({text})") } else { format!("{text}::timestamptz") }
    }
}

/// The statements that write what an event tells; it is read from `from`, or is the one that was just written.
fn written(reader: &Reader, from: &str) -> [String; 3] {
    let of = reader.of;
    let write = |kind: &str, beside: &str, unit: &str, holds: &str| {
        format!(
            "INSERT INTO {TABLE} (event_id, organization_id, alliance_id, problem_id, kind, occurred_at)
             SELECT {of}.id, o.id, p.alliance_id, p.id, {kind}, {of}.occurred_at
             FROM {from}{beside}problem p, organization o
             WHERE {of}.subject_kind = 'problem' AND p.id = {of}.subject_id AND o.id = {} AND {holds}
             ON CONFLICT (event_id, organization_id) DO NOTHING",
            reader.id(unit)
        )
    };
    // All that were responsible had it back.
    let returned = write(
        "'returned'",
        &format!("{}, ", reader.units()),
        "unit.value",
        &format!("{of}.kind = 'problem_returned'"),
    );
    // One alone: it is named, and where that was erased, the first of a whole and the last of a part.
    let one = format!(
        "COALESCE({}, CASE {of}.kind WHEN 'problem_declined' THEN {} ELSE {} END)",
        reader.detail("organizationId"),
        reader.unit(0),
        reader.unit(-1)
    );
    let of_one = write(
        &format!("CASE {of}.kind WHEN 'extension_granted' THEN 'extended' ELSE 'declined' END"),
        "",
        &one,
        &format!("{of}.kind IN ('problem_declined', 'problem_part_declined', 'extension_granted')"),
    );
    // A deadline that somebody moved further out, or took away; not one that follows from another urgency, by the limit of which the
    // unit's clock runs.
    let [before, after] = ["before", "after"].map(|name| reader.of_moved(name));
    let by_hand = format!(
        "{of}.kind = 'problem_updated' AND {} = 'resolution' AND {before} IS NOT NULL
             AND ({after} IS NULL OR {} > {} AND ({} IS NULL OR EXISTS (SELECT 1 FROM problem_responsible r
                 WHERE r.problem_id = p.id AND r.organization_id = o.id AND r.resolution_amount IS NULL)))",
        reader.of_moved("clock"),
        reader.instant(&after),
        reader.instant(&before),
        reader.detail("severity"),
    );
    let moved =
        write("'extended'", &format!("{}, ", reader.moved()), &reader.of_moved("organizationId"), &by_hand);
    [returned, of_one, moved]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = vec![
            uuid("event_id"),
            uuid("organization_id"),
            uuid("alliance_id"),
            uuid("problem_id"),
            string("kind", 24),
            timestamp("occurred_at"),
        ];
        let of = [
            ("event_id", "event"),
            ("organization_id", "organization"),
            ("alliance_id", "alliance"),
            ("problem_id", "problem"),
        ];
        create(manager, TABLE, &["event_id", "organization_id"], columns, &of).await?;
        index(manager, TABLE, &["organization_id", "occurred_at"], false, None).await?;
        index(manager, TABLE, &["alliance_id", "occurred_at"], false, None).await?;
        index(manager, TABLE, &["problem_id"], false, None).await?;
        let is_sqlite = manager.get_database_backend() == DbBackend::Sqlite;
        let body = written(&Reader { is_sqlite, of: "NEW" }, "").join(";\n");
        let sqlite =
            format!("CREATE TRIGGER {NOTED} AFTER INSERT ON event WHEN {TELLING} BEGIN\n{body};\nEND");
        let function = format!(
            "CREATE FUNCTION concord_{NOTED}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             {body};\nRETURN NULL; END $$"
        );
        let postgres = format!(
            "CREATE TRIGGER {NOTED} AFTER INSERT ON event FOR EACH ROW WHEN ({TELLING})
             EXECUTE FUNCTION concord_{NOTED}()"
        );
        // The trigger first: what is recorded meanwhile is noted by it.
        execute(manager, &[&sqlite], &[&function, &postgres]).await?;
        for text in written(&Reader { is_sqlite, of: "e" }, "event e, ") {
            manager.get_connection().execute_unprepared(&text).await?;
        }
        refusal::make(manager, &REFUSALS).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refusal::unmake(manager, &REFUSALS).await?;
        let sqlite = format!("DROP TRIGGER {NOTED}");
        let postgres = format!("DROP TRIGGER {NOTED} ON event");
        let function = format!("DROP FUNCTION concord_{NOTED}()");
        execute(manager, &[&sqlite], &[&postgres, &function]).await?;
        manager.drop_table(Table::drop().table(Alias::new(TABLE)).to_owned()).await
    }
}
