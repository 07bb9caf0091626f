//! What must never break, whoever writes the SQL: events stay, logs are appended to, numbers are kept, and nothing is
//! struck off without evidence and an independent verifier.

use sea_orm_migration::prelude::*;

use crate::build::execute;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// A strike-off is refused without closure evidence of the round, without a verifier, or when the verifier is the
/// handler, submitted the closure, or acts for a responsible unit.
const STRIKE_OFF_REFUSED: &str = "
    NOT EXISTS (SELECT 1 FROM evidence e WHERE e.problem_id = NEW.id AND e.stage = 'closure' AND e.round = NEW.round)
    OR NEW.verifier_id IS NULL OR NEW.verifier_organization_id IS NULL OR NEW.approver_id IS NULL
    OR NEW.verifier_id = NEW.handler_id OR NEW.verifier_id = NEW.submitted_by
    OR EXISTS (SELECT 1 FROM problem_responsible r
               WHERE r.problem_id = NEW.id AND r.organization_id = NEW.verifier_organization_id)";

const EVENT_CHANGED: &str = "NEW.id <> OLD.id OR NEW.kind <> OLD.kind OR NEW.digest <> OLD.digest
    OR NEW.subject_id <> OLD.subject_id OR NEW.subject_kind <> OLD.subject_kind
    OR NEW.occurred_at <> OLD.occurred_at OR NEW.organization_ids <> OLD.organization_ids
    OR NEW.actor_kind <> OLD.actor_kind
    OR NOT (NEW.actor_id IS NOT DISTINCT FROM OLD.actor_id)
    OR NOT (NEW.alliance_id IS NOT DISTINCT FROM OLD.alliance_id)
    OR NEW.payload IS NOT NULL OR NEW.salt IS NOT NULL";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut sqlite = Vec::new();
        let mut postgres = vec![
            "CREATE FUNCTION concord_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN RAISE EXCEPTION 'concord: %', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation'; END $$"
                .to_owned(),
        ];
        // (trigger, table, when, condition, what it says)
        let refusals: [(&str, &str, &str, &str, &str); 9] = [
            ("event_is_kept", "event", "DELETE", "1 = 1", "events are never deleted"),
            ("event_is_not_edited", "event", "UPDATE", EVENT_CHANGED, "events are never edited, only erased"),
            ("event_seal_is_kept", "event_seal", "DELETE", "1 = 1", "seals are never deleted"),
            ("event_seal_is_not_edited", "event_seal", "UPDATE", "1 = 1", "seals are never edited"),
            (
                "task_progress_is_kept",
                "task_progress",
                "DELETE",
                "1 = 1",
                "the progress log is only appended to",
            ),
            (
                "task_progress_is_not_edited",
                "task_progress",
                "UPDATE",
                "1 = 1",
                "the progress log is only appended to",
            ),
            (
                "problem_keeps_its_number",
                "problem",
                "UPDATE",
                "NEW.alliance_id <> OLD.alliance_id OR NEW.year <> OLD.year OR NEW.seq <> OLD.seq OR NEW.number <> OLD.number",
                "a problem keeps its number",
            ),
            ("problem_is_kept", "problem", "DELETE", "1 = 1", "problems are never deleted"),
            (
                "problem_stays_struck_off",
                "problem",
                "UPDATE",
                "OLD.state = 'struck_off' AND NEW.state <> 'struck_off' AND NEW.round <= OLD.round",
                "a struck-off problem opens only as a new round",
            ),
        ];
        for (name, table, when, condition, says) in refusals {
            sqlite.push(format!(
                "CREATE TRIGGER {name} BEFORE {when} ON {table} WHEN {condition} BEGIN SELECT RAISE(ABORT, 'concord: {says}'); END"
            ));
            postgres.push(format!(
                "CREATE TRIGGER {name} BEFORE {when} ON {table} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION concord_refuse('{says}')"
            ));
        }
        // PostgreSQL allows no subquery in WHEN, so the strike-off rule has a function of its own there.
        let says = "strike-off needs evidence and an independent verifier";
        sqlite.push(format!(
            "CREATE TRIGGER problem_strike_off_is_earned BEFORE UPDATE ON problem
             WHEN NEW.state = 'struck_off' AND OLD.state <> 'struck_off' AND ({STRIKE_OFF_REFUSED})
             BEGIN SELECT RAISE(ABORT, 'concord: {says}'); END"
        ));
        sqlite.push(format!(
            "CREATE TRIGGER problem_is_not_born_struck_off BEFORE INSERT ON problem WHEN NEW.state = 'struck_off'
             BEGIN SELECT RAISE(ABORT, 'concord: {says}'); END"
        ));
        postgres.push(format!(
            "CREATE FUNCTION concord_strike_off() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN IF {STRIKE_OFF_REFUSED} THEN
                 RAISE EXCEPTION 'concord: {says}' USING ERRCODE = 'integrity_constraint_violation';
             END IF; RETURN NEW; END $$"
        ));
        postgres.push(
            "CREATE TRIGGER problem_strike_off_is_earned BEFORE UPDATE ON problem FOR EACH ROW
             WHEN (NEW.state = 'struck_off' AND OLD.state <> 'struck_off') EXECUTE FUNCTION concord_strike_off()"
                .to_owned(),
        );
        postgres.push(format!(
            "CREATE TRIGGER problem_is_not_born_struck_off BEFORE INSERT ON problem FOR EACH ROW
             WHEN (NEW.state = 'struck_off') EXECUTE FUNCTION concord_refuse('{says}')"
        ));
        // Every event waits for its seal from the moment it is written; no verb has to remember.
        sqlite.push(
            "CREATE TRIGGER event_waits_for_seal AFTER INSERT ON event
             BEGIN INSERT INTO event_pending (event_id) VALUES (NEW.id); END"
                .to_owned(),
        );
        postgres.push(
            "CREATE FUNCTION concord_event_pending() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN INSERT INTO event_pending (event_id) VALUES (NEW.id); RETURN NEW; END $$"
                .to_owned(),
        );
        postgres.push(
            "CREATE TRIGGER event_waits_for_seal AFTER INSERT ON event FOR EACH ROW EXECUTE FUNCTION concord_event_pending()"
                .to_owned(),
        );
        // A national day has no alliance, and a unique key takes NULLs for different, so it needs an index of its own.
        let national =
            "CREATE UNIQUE INDEX uq_calendar_day_national ON calendar_day (day_on) WHERE alliance_id IS NULL";
        sqlite.push(national.to_owned());
        postgres.push(national.to_owned());
        // A subtree is a prefix of the path; with a locale's collation PostgreSQL needs this class of index to see it.
        postgres.push("CREATE INDEX ix_region_path_prefix ON region (path varchar_pattern_ops)".to_owned());
        execute(
            manager,
            &sqlite.iter().map(String::as_str).collect::<Vec<_>>(),
            &postgres.iter().map(String::as_str).collect::<Vec<_>>(),
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let triggers = [
            ("event_is_kept", "event"),
            ("event_is_not_edited", "event"),
            ("event_seal_is_kept", "event_seal"),
            ("event_seal_is_not_edited", "event_seal"),
            ("task_progress_is_kept", "task_progress"),
            ("task_progress_is_not_edited", "task_progress"),
            ("problem_keeps_its_number", "problem"),
            ("problem_is_kept", "problem"),
            ("problem_stays_struck_off", "problem"),
            ("problem_strike_off_is_earned", "problem"),
            ("problem_is_not_born_struck_off", "problem"),
            ("event_waits_for_seal", "event"),
        ];
        let mut sqlite: Vec<String> =
            triggers.iter().map(|(name, _)| format!("DROP TRIGGER {name}")).collect();
        let mut postgres: Vec<String> =
            triggers.iter().map(|(name, table)| format!("DROP TRIGGER {name} ON {table}")).collect();
        postgres.push("DROP FUNCTION concord_refuse()".to_owned());
        postgres.push("DROP FUNCTION concord_strike_off()".to_owned());
        postgres.push("DROP FUNCTION concord_event_pending()".to_owned());
        sqlite.push("DROP INDEX uq_calendar_day_national".to_owned());
        postgres.push("DROP INDEX uq_calendar_day_national".to_owned());
        execute(
            manager,
            &sqlite.iter().map(String::as_str).collect::<Vec<_>>(),
            &postgres.iter().map(String::as_str).collect::<Vec<_>>(),
        )
        .await
    }
}
