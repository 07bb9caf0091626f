//! One row in every table, made from what the database itself says of its columns: material for the guards, which ask what
//! the tables and the faces refuse. Stories are told through verbs instead.

use std::collections::BTreeMap;

use concord::domain::governance::organization::{self, NewOrganization};
use concord_entities::organization::Kind;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use uuid::Uuid;

use crate::{
    TestApp, World,
    introspection::{Column, Shape, Table},
};

/// Rows by table: the identifier of the first one, where it has one.
pub type Specimens = BTreeMap<String, Uuid>;

/// Values that a column must have to mean something; the rest is made up from its type.
const VALUES: [(&str, &str, &str); 98] = [
    ("problem", "dispatch_is_provisional", "false"),
    ("problem_responsible", "resolution_is_provisional", "false"),
    ("problem_responsible", "response_is_provisional", "false"),
    ("breach", "clock", "resolution"),
    ("deadline_policy", "levels", "[]"),
    ("deadline_policy", "rules", "[]"),
    ("extension", "state", "asked"),
    ("problem_responsible", "resolution_unit", "days"),
    ("supervision_notice", "colour", "yellow"),
    ("account_link", "purpose", "invitation"),
    ("calendar_day", "kind", "off"),
    ("docking", "counterpart", "committee"),
    ("escalation", "state", "open"),
    ("evidence", "stage", "closure"),
    ("evidence", "round", "1"),
    ("follow_up", "kind", "call"),
    ("follow_up", "round", "1"),
    ("follow_up", "solved", "yes"),
    ("follow_up", "state", "due"),
    ("follow_up", "tries", "1"),
    ("handover_item", "state", "pending"),
    ("inbox_entry", "kind", "assigned"),
    ("priority_task", "is_open", "true"),
    ("priority_task", "state", "published"),
    ("problem", "channel", "patrol"),
    ("problem", "is_open", "true"),
    ("problem", "round", "1"),
    ("problem", "severity", "ordinary"),
    ("problem", "state", "registered"),
    ("problem", "tier", "small"),
    ("problem", "year", "2026"),
    ("problem_responsible", "duty", "lead"),
    ("problem_responsible", "state", "assigned"),
    ("problem_responsible", "declined_count", "0"),
    ("problem_responsible", "evidence_at_return", "0"),
    ("problem_sign_off", "round", "1"),
    ("problem_tier_move", "from_tier", "small"),
    ("problem_tier_move", "to_tier", "big"),
    ("problem_tier_move", "forum", "council"),
    ("problem_round", "round", "1"),
    ("rotation_plan", "cadence_unit", "month"),
    ("rotation_plan", "slot_count", "12"),
    ("rotation_plan", "state", "published"),
    ("rotation_slot", "origin", "generated"),
    ("rotation_slot", "number", "1"),
    ("rotation_slot", "state", "scheduled"),
    ("rotation_swap", "state", "proposed"),
    ("saved_filter", "filter", "{}"),
    ("saved_filter", "noun", "problem"),
    ("session", "ended_reason", "signed_out"),
    ("stored_file", "media_type", "image/png"),
    ("task_list", "state", "published"),
    ("calendar_day", "name", "元旦"),
    ("ranking_item", "figure", "responded"),
    ("ranking_item", "noun", "problems"),
    ("ranking_place", "noun", "problems"),
    ("mobilization", "state", "issued"),
    ("mobilization", "territory", "/"),
    ("mobilization", "year", "2026"),
    ("mobilization_batch", "results", "[]"),
    ("mobilization_coverage", "needed", "10"),
    ("mobilization_coverage", "path", "/place/"),
    ("mobilization_coverage", "present", "1"),
    ("mobilization_need", "needed", "10"),
    ("mobilization_shift", "ends_at", "2026-01-05 09:00:00.000000+00:00"),
    ("mobilization_shift", "needed", "5"),
    ("mobilization_unit", "state", "called"),
    ("whistle", "kind", "priority_work"),
    ("whistle", "state", "sounded"),
    ("whistle", "year", "2026"),
    ("whistle_breach", "clock", "report_in"),
    ("whistle_response", "state", "called"),
    ("whistle_response", "is_open", "true"),
    ("whistle_response", "solved", "yes"),
    ("whistle_response", "score", "4"),
    ("whistle_response", "refusals", "0"),
    ("grid_network", "kind", "governance"),
    ("grid_cell", "category", "comprehensive"),
    ("grid_cell", "level", "3"),
    ("grid_cell", "since_on", "2026-01-01"),
    ("grid_cell_region", "since_on", "2026-01-01"),
    ("grid_officer", "role", "grid_officer"),
    ("grid_officer", "is_main", "true"),
    ("grid_officer", "since_on", "2026-01-01"),
    ("grid_officer", "phone", "13900000002"),
    ("party_branch", "kind", "general_branch"),
    ("party_branch", "member_count", "30"),
    ("party_branch", "counted_on", "2026-01-01"),
    ("party_branch", "since_on", "2026-01-01"),
    ("branch_host", "kind", "organization"),
    ("branch_host", "since_on", "2026-01-01"),
    ("branch_member_count", "counted_on", "2026-01-01"),
    ("branch_instructor", "since_on", "2026-01-01"),
    ("deadline_policy", "whistle_rules", "[]"),
    ("deadline_policy", "task_remind_days", "3"),
    ("whistle_escalation", "place", "1"),
    ("problem_round", "joint_organization_ids", "[]"),
    ("problem_setback", "kind", "returned"),
];

/// Tables that the town's own verbs, the hands and the counting triggers fill.
const BY_VERBS: [&str; 11] = [
    "alliance_closure",
    "alliance_count",
    "checkpoint",
    "event_chain",
    "event_organization",
    "event_pending",
    "event_seal",
    "hand_cursor",
    "month_count",
    "open_due_count",
    "problem_round_unit",
];

/// Columns that stay empty although they could be filled: an end, a reason, a read mark.
const EMPTY: [(&str, &str); 53] = [
    ("follow_up", "tried_at"),
    ("follow_up", "excluded_at"),
    ("follow_up", "excluded_by"),
    ("follow_up", "exclusion_reason"),
    ("extension", "decided_at"),
    ("supervision_notice", "answered_at"),
    ("supervision_notice", "unanswered_at"),
    ("account", "disabled_at"),
    ("account", "locked_until_at"),
    ("account_link", "used_at"),
    ("api_key", "revoked_at"),
    ("calendar_feed", "revoked_at"),
    ("home_report", "ended_at"),
    ("inbox_entry", "read_at"),
    ("membership", "ended_at"),
    ("mobilization", "ended_at"),
    ("mobilization_check_in", "left_at"),
    ("mobilization_check_in", "seen_at"),
    ("mobilization_unit", "released_at"),
    ("pairing", "until_on"),
    ("priority_task", "completed_at"),
    ("problem", "closed_at"),
    ("problem", "closed_on"),
    ("problem", "struck_off_at"),
    ("problem", "verifier_id"),
    ("problem", "verifier_organization_id"),
    ("refresh_token", "redeemed_at"),
    ("rotation_slot", "missed_at"),
    ("saved_filter", "ended_at"),
    ("service_team", "ended_at"),
    ("stored_file", "expires_at"),
    ("whistle", "ended_at"),
    ("whistle_response", "ended_at"),
    ("whistle_response", "evaluated_at"),
    ("grid_cell", "until_on"),
    ("grid_cell_region", "until_on"),
    ("grid_officer", "until_on"),
    ("party_branch", "until_on"),
    ("branch_host", "until_on"),
    ("branch_host", "region_id"),
    ("branch_host", "cell_id"),
    ("branch_host", "name"),
    ("branch_matter", "task_id"),
    ("branch_matter", "unlinked_at"),
    ("branch_matter", "whistle_id"),
    ("branch_instructor", "until_on"),
    ("branch_instructor", "region_id"),
    ("branch_instructor", "cell_id"),
    ("branch_instructor", "market"),
    ("whistle_escalation", "returned_at"),
    ("supervision_notice", "whistle_id"),
    ("supervision_notice", "response_id"),
    ("supervision_notice", "whistle_breach_id"),
];

/// Writes a row into every table that a town leaves empty, and a second one where a rule speaks of two.
pub async fn insert(app: &TestApp, world: &World) -> Specimens {
    let shape = Shape::read(&app.app.write).await;
    let mut made: Specimens = BTreeMap::from([
        ("account".to_owned(), world.staff.into()),
        ("alliance".to_owned(), world.town.into()),
        ("organization".to_owned(), world.members[1].into()),
        ("region".to_owned(), world.communities[0].into()),
    ]);
    let owners = [
        ("membership", "organization_id", "organization"),
        ("seat", "account_id", "account"),
        ("event", "alliance_id", "alliance"),
    ];
    app.run_background().await;
    for (noun, filter, owner) in owners {
        // An event that every member reads, that says something, and that concerns somebody.
        let telling = if noun == "event" { "AND kind = 'alliance_founded'" } else { "" };
        let owner = uuid(app, made[owner]);
        let text = format!("SELECT id FROM {noun} WHERE {filter} = {owner} {telling} ORDER BY id LIMIT 1");
        let row = app.app.write.query_one_raw(Statement::from_string(app.app.backend(), text)).await;
        let id = row.expect("a query").expect("a row").try_get("", "id").expect("an identifier");
        made.insert(noun.to_owned(), id);
    }
    for name in shape.in_order() {
        let table = &shape.tables[&name];
        if made.contains_key(&name) || BY_VERBS.contains(&name.as_str()) {
            continue;
        }
        let id: Uuid = app.system().new_id();
        // An order stands over a place where it is: by its path others are reached by it, or not.
        let path = format!("(SELECT path FROM region WHERE id = {})", uuid(app, made["region"]));
        let given = [("path", path)];
        let given = if name == "mobilization_region" { given.as_slice() } else { &[] };
        row(app, &name, table, &made, id, given).await;
        if table.columns.contains_key("id") {
            made.insert(name.clone(), id);
        }
        if name == "supervision_notice" {
            let about = ["whistle", "whistle_response", "whistle_breach"].map(|noun| uuid(app, made[noun]));
            let [whistle, response, breach] = about;
            let none = || "NULL".to_owned();
            let given = [
                ("problem_id", none()),
                ("breach_id", none()),
                ("whistle_id", whistle),
                ("response_id", response),
                ("whistle_breach_id", breach),
            ];
            row(app, &name, table, &made, app.system().new_id(), &given).await;
        }
        // One of everybody's, and one of the committee's.
        let without = [("calendar_day", "alliance_id"), ("breach", "organization_id")];
        if let Some((_, owner)) = without.iter().find(|(noun, _)| *noun == name) {
            row(app, &name, table, &made, app.system().new_id(), &[(*owner, "NULL".to_owned())]).await;
        }
    }
    // The last event waits for its seal.
    let code = "91230800DEM0001100";
    let text = format!("SELECT id FROM organization WHERE credit_code = '{code}'");
    let taken = app.app.write.query_one_raw(Statement::from_string(app.app.backend(), text)).await;
    let new = NewOrganization {
        name: "第七单位".to_owned(),
        short_name: None,
        kind: Kind::Enterprise,
        credit_code: taken.expect("a query").is_none().then(|| code.to_owned()),
        region_id: None,
    };
    organization::record(&app.system(), new).await.expect("an organisation");
    made
}

async fn row(app: &TestApp, name: &str, table: &Table, made: &Specimens, id: Uuid, given: &[(&str, String)]) {
    let (mut columns, mut values) = (Vec::new(), Vec::new());
    for (column, shape) in &table.columns {
        let target = table.foreign.iter().find(|(own, ..)| own == column).map(|(_, target, _)| target);
        // A hot table names its alliance, and where somebody came first, without a key.
        let keyless = match column.as_str() {
            "alliance_id" => Some("alliance".to_owned()),
            "first_region_id" => Some("region".to_owned()),
            _ => None,
        };
        let target = target.or(keyless.as_ref());
        let value = if let Some((_, value)) = given.iter().find(|(own, _)| own == column) {
            value.clone()
        } else if column == "id" {
            uuid(app, id)
        } else if EMPTY.contains(&(name, column)) {
            "NULL".to_owned()
        } else if column == "version" {
            "1".to_owned()
        } else if let Some((.., value)) = VALUES.iter().find(|(own, of, _)| (*own, *of) == (name, column)) {
            literal(shape, value)
        } else if let Some(target) = target.and_then(|target| made.get(target)) {
            uuid(app, *target)
        } else if is_uuid(shape) && column.ends_with("_by") {
            uuid(app, made["account"])
        } else if is_uuid(shape) && !shape.is_required {
            "NULL".to_owned()
        } else {
            fresh(app, shape)
        };
        columns.push(column.clone());
        values.push(value);
    }
    let text = format!("INSERT INTO {name} ({}) VALUES ({})", columns.join(", "), values.join(", "));
    app.sql(&text).await.unwrap_or_else(|error| panic!("{text}: {error}"));
}

fn is_uuid(column: &Column) -> bool {
    column.kind.starts_with("uuid")
}

/// An identifier as the engine writes it.
pub fn uuid(app: &TestApp, id: Uuid) -> String {
    if app.app.backend() == DbBackend::Sqlite { format!("x'{}'", id.simple()) } else { format!("'{id}'") }
}

/// A value of a column's type, from its text.
fn literal(column: &Column, value: &str) -> String {
    let kind = column.kind.to_lowercase();
    if kind.contains("int") || kind == "boolean" || kind.starts_with("double") {
        value.to_owned()
    } else {
        format!("'{value}'")
    }
}

/// A value of a column's type that stands in no other row.
pub fn fresh(app: &TestApp, column: &Column) -> String {
    let kind = column.kind.to_lowercase();
    let unique: Uuid = app.system().new_id();
    let bytes = unique.simple().to_string();
    let length = kind.split_once('(').and_then(|(_, rest)| rest.trim_end_matches(')').parse::<usize>().ok());
    if is_uuid(column) {
        uuid(app, unique)
    } else if kind.starts_with("timestamp") {
        "'2026-01-05 01:00:00.000000+00:00'".to_owned()
    } else if kind.starts_with("date") {
        // A day of its own, by the identifier's tail.
        let day = u32::from_str_radix(&bytes[28..], 16).expect("four digits") % 28 + 1;
        let year = 2030 + u32::from_str_radix(&bytes[24..28], 16).expect("four digits") % 1000;
        format!("'{year}-01-{day:02}'")
    } else if kind.starts_with("bool") {
        "false".to_owned()
    } else if kind.contains("int") {
        (u32::from_str_radix(&bytes[26..], 16).expect("six digits") + 1000).to_string()
    } else if kind.starts_with("double") {
        "1.5".to_owned()
    } else if kind.contains("blob") || kind == "bytea" {
        let blob = bytes.repeat(2);
        if app.app.backend() == DbBackend::Sqlite { format!("x'{blob}'") } else { format!("'\\x{blob}'") }
    } else {
        // The tail is the random part.
        let tail = &bytes[bytes.len() - length.unwrap_or(32).min(12)..];
        format!("'{tail}'")
    }
}
