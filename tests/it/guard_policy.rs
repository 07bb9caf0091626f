//! The policy guard: the table of roles and actions, and what every root field answers to everybody, kept as golden files, so
//! that a change of power is a line of a diff. A root field that the table lacks fails.

use std::collections::BTreeMap;

use concord::{
    domain::{
        Action,
        policy::{Grant, ROLES, grant},
    },
    graphql::{self, id},
};
use concord_entities::id::{AccountId, ApiKeyId};
use concord_tests::{Answer, Client, Frozen, TestApp, World, specimens};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{changes::dashboard_key, golden};

fn matrix(grant: impl Fn(concord_entities::seat::Role, Action) -> Grant) -> String {
    let mut text = format!("{:<26}", "");
    for role in ROLES {
        text.push_str(&format!(" {:<16}", format!("{role:?}")));
    }
    for action in Action::ALL {
        text.push_str(&format!("\n{:<26}", format!("{action:?}")));
        for role in ROLES {
            let shown = match grant(role, *action) {
                Grant::Never => "-",
                Grant::Own => "own",
                Grant::Any => "any",
            };
            text.push_str(&format!(" {shown:<16}"));
        }
    }
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn who_may_do_what_is_as_the_table_says() {
    golden::check("policy.txt", &matrix(grant));
}

#[test]
fn a_change_of_power_is_noticed() {
    let widened = matrix(|role, action| match (role, action) {
        (concord_entities::seat::Role::Observer, Action::StrikeOffProblem) => Grant::Any,
        _ => grant(role, action),
    });
    let difference = golden::same(&matrix(grant), &widened).expect_err("another table");
    assert!(difference.contains("StrikeOffProblem"), "{difference}");
}

#[test]
fn every_action_is_somebodys_and_none_is_an_observers() {
    for action in Action::ALL {
        assert!(ROLES.iter().any(|role| grant(*role, *action) != Grant::Never), "{action:?} is nobody's");
        assert_eq!(grant(concord_entities::seat::Role::Observer, *action), Grant::Never, "{action:?}");
    }
    // Nobody both passes the evidence and strikes off, in one role.
    for role in ROLES {
        let both = [Action::VerifyProblem, Action::StrikeOffProblem].map(|action| grant(role, action));
        assert!(both.contains(&Grant::Never), "{role:?}");
    }
}

/// Endings of the names of identifiers, and the nouns they name. The longest that fits counts.
const NOUNS: [(&str, &str); 30] = [
    ("accountid", "account"),
    ("handlerid", "account"),
    ("allianceid", "alliance"),
    ("apikeyid", "api_key"),
    ("calendarfeedid", "calendar_feed"),
    ("checkinid", "check_in"),
    ("dockingid", "docking"),
    ("entryid", "inbox_entry"),
    ("eventid", "event"),
    ("evidenceid", "evidence"),
    ("externalidentityid", "external_identity"),
    ("feedid", "calendar_feed"),
    ("fileid", "stored_file"),
    ("handoverid", "handover"),
    ("keyid", "api_key"),
    ("listid", "task_list"),
    ("membershipid", "membership"),
    ("milestoneid", "task_milestone"),
    ("organizationid", "organization"),
    ("planid", "rotation_plan"),
    ("problemid", "problem"),
    ("regionid", "region"),
    ("seatid", "seat"),
    ("sessionid", "session"),
    ("slotid", "rotation_slot"),
    ("subjectid", "problem"),
    ("swapid", "rotation_swap"),
    ("taskid", "priority_task"),
    ("teamid", "service_team"),
    ("withinid", "region"),
];

/// Texts that must be of a certain form to get past the checks of form.
const TEXTS: [(&str, &str); 8] = [
    ("code", "632223"),
    ("creditCode", "91230800DEM0001100"),
    ("currentPassword", "correct horse battery"),
    ("newPassword", "staple horse battery"),
    ("numberPattern", "西海销〔{year}〕{seq:4}号"),
    ("password", "correct horse battery"),
    ("phone", "13900000000"),
    ("timeZone", "Asia/Shanghai"),
];

/// Inputs that may be left out as far as the schema goes, but of which a verb wants one.
const ASKED: [&str; 2] = ["firstMonth", "slotNumber"];

/// The schema as introspection tells it.
struct Contract {
    types: BTreeMap<String, Value>,
}

/// One root field.
#[derive(Clone)]
struct Root {
    operation: &'static str,
    name: String,
    field: Value,
}

impl Contract {
    async fn read() -> Self {
        let query = "{ __schema { types { name kind isOneOf enumValues(includeDeprecated: true) { name }
            inputFields { name defaultValue type { ...T } }
            fields(includeDeprecated: true) { name type { ...T } args { name defaultValue type { ...T } } } } } }
            fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";
        let answer = serde_json::to_value(graphql::schema().execute(query).await).expect("an answer");
        assert!(answer["errors"].is_null(), "{answer:#}");
        let types = answer["data"]["__schema"]["types"].as_array().expect("types").clone();
        let named = |value: Value| (value["name"].as_str().expect("a name").to_owned(), value);
        Self { types: types.into_iter().map(named).collect() }
    }

    fn roots(&self) -> Vec<Root> {
        let mut found = Vec::new();
        for (root, operation) in
            [("Query", "query"), ("Mutation", "mutation"), ("Subscription", "subscription")]
        {
            for field in self.types[root]["fields"].as_array().into_iter().flatten() {
                let name = field["name"].as_str().expect("a name").to_owned();
                found.push(Root { operation, name, field: field.clone() });
            }
        }
        found
    }

    /// The type's own name, without lists and marks of necessity.
    fn named<'a>(&self, of: &'a Value) -> &'a str {
        match of["name"].as_str() {
            Some(name) if of["ofType"].is_null() => name,
            _ => self.named(&of["ofType"]),
        }
    }

    /// What to select of an answer so that it tells whether there is anything in it.
    fn selection(&self, root: &Root) -> String {
        let name = self.named(&root.field["type"]);
        let fields: Vec<&str> = self.types[name]["fields"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|field| field["name"].as_str().expect("a name"))
            .collect();
        if self.types[name]["kind"] == "SCALAR" || self.types[name]["kind"] == "ENUM" {
            return String::new();
        }
        let mut parts = vec!["__typename"];
        for (list, selected) in [
            ("nodes", "nodes { __typename }"),
            ("events", "events { __typename }"),
            ("userErrors", "userErrors { code message field }"),
        ] {
            if fields.contains(&list) {
                parts.push(selected);
            }
        }
        format!("{{ {} }}", parts.join(" "))
    }

    /// A document that asks for one root field with made-up arguments.
    fn document(&self, root: &Root, objects: &Objects) -> String {
        let mut arguments = Vec::new();
        for argument in root.field["args"].as_array().into_iter().flatten() {
            let name = argument["name"].as_str().expect("a name");
            let is_needed = argument["type"]["kind"] == "NON_NULL" && argument["defaultValue"].is_null();
            // Identifiers are what the tenant wall is about, so they are given wherever they can be.
            if is_needed || self.named(&argument["type"]) == "ID" {
                arguments.push(format!("{name}: {}", self.value(root, name, &argument["type"], objects)));
            }
        }
        let arguments =
            if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
        format!("{} {{ {}{arguments} {} }}", root.operation, root.name, self.selection(root))
    }

    fn value(&self, root: &Root, name: &str, of: &Value, objects: &Objects) -> String {
        match of["kind"].as_str().expect("a kind") {
            "NON_NULL" => self.value(root, name, &of["ofType"], objects),
            "LIST" => format!("[{}]", self.value(root, name, &of["ofType"], objects)),
            "ENUM" => {
                let values = &self.types[of["name"].as_str().expect("a name")]["enumValues"];
                values[0]["name"].as_str().expect("a value").to_owned()
            }
            "INPUT_OBJECT" => self.input(root, of["name"].as_str().expect("a name"), objects),
            _ => self.scalar(root, name, of["name"].as_str().expect("a name"), objects),
        }
    }

    fn input(&self, root: &Root, of: &str, objects: &Objects) -> String {
        let fields = self.types[of]["inputFields"].as_array().expect("fields");
        let is_one_of = self.types[of]["isOneOf"] == true;
        let given = fields.iter().enumerate().filter(|(index, field)| {
            if is_one_of {
                *index == 0
            } else {
                let is_needed = field["type"]["kind"] == "NON_NULL" && field["defaultValue"].is_null();
                is_needed || ASKED.iter().any(|name| field["name"] == *name)
            }
        });
        let parts: Vec<String> = given
            .map(|(_, field)| {
                let name = field["name"].as_str().expect("a name");
                format!("{name}: {}", self.value(root, name, &field["type"], objects))
            })
            .collect();
        format!("{{ {} }}", parts.join(", "))
    }

    fn scalar(&self, root: &Root, name: &str, of: &str, objects: &Objects) -> String {
        match of {
            "ID" => json!(objects.id(self, root, name)).to_string(),
            "Int" => match name {
                "slotCount" => "12",
                "year" => "2026",
                _ => "1",
            }
            .to_owned(),
            "Float" => "1.5".to_owned(),
            "Boolean" => "true".to_owned(),
            "Date" => "\"2026-02-02\"".to_owned(),
            "YearMonth" => "\"2026-02\"".to_owned(),
            "DateTime" => "\"2026-01-06T01:00:00Z\"".to_owned(),
            "String" => {
                let text = TEXTS.iter().find(|(of, _)| *of == name).map_or("某事", |(_, text)| *text);
                json!(text).to_string()
            }
            other => panic!("{}: teach this guard to make up a {other} for {name}", root.name),
        }
    }
}

/// The town's objects by noun.
struct Objects(BTreeMap<String, Uuid>);

impl Objects {
    fn id(&self, contract: &Contract, root: &Root, argument: &str) -> String {
        let lower = argument.to_ascii_lowercase();
        let single = if lower.ends_with("ids") { &lower[..lower.len() - 1] } else { &lower };
        let fitting = NOUNS.iter().filter(|(ending, _)| single.ends_with(ending));
        let noun = match fitting.max_by_key(|(ending, _)| ending.len()) {
            Some((_, noun)) => (*noun).to_owned(),
            // Plain `id`, `ids` and `parentId` mean what the field gives.
            None if ["id", "parentid"].contains(&single) => {
                let given = contract.named(&root.field["type"]);
                let given = given.trim_end_matches("Connection");
                let mut noun = String::new();
                for character in given.chars() {
                    if character.is_uppercase() && !noun.is_empty() {
                        noun.push('_');
                    }
                    noun.push(character.to_ascii_lowercase());
                }
                // What can be anything is the alliance.
                if ["node", "event"].contains(&noun.as_str()) { "alliance".to_owned() } else { noun }
            }
            None => panic!("{}: teach this guard which noun `{argument}` names", root.name),
        };
        let raw = self
            .0
            .get(&noun)
            .unwrap_or_else(|| panic!("{}: no specimen of {noun} for {argument}", root.name));
        id::encode_raw(&noun, *raw).to_string()
    }
}

/// Everybody who asks, from the outside to the inside.
const CALLERS: [&str; 14] = [
    "anonymous",
    "stranger",
    "neighbour",
    "key",
    "observer",
    "grid_officer",
    "officer",
    "verifier",
    "other_staff",
    "staff",
    "manager",
    "approver",
    "committee",
    "county",
];

/// A town with a specimen of everything, a neighbour, and a dashboard's key.
struct Town {
    frozen: Frozen,
    people: BTreeMap<&'static str, AccountId>,
    key: ApiKeyId,
    objects: Objects,
}

impl Town {
    async fn build() -> Self {
        let app = TestApp::new().await;
        let world = World::build(&app, "632223").await;
        let neighbour = World::build(&app, "632224").await;
        let objects = Objects(specimens::insert(&app, &world).await);
        let key = dashboard_key(&app, world.town).await;
        let people = BTreeMap::from([
            ("stranger", world.stranger),
            ("neighbour", neighbour.committee),
            ("observer", world.observer),
            ("grid_officer", world.grid_officer),
            ("officer", world.officer),
            ("verifier", world.verifier),
            ("other_staff", world.other_staff),
            ("staff", world.staff),
            ("manager", world.manager),
            ("approver", world.approver),
            ("committee", world.committee),
            ("county", world.county_committee),
            ("admin", world.admin),
        ]);
        Self { frozen: app.freeze().await, people, key, objects }
    }

    fn client<'app>(&self, app: &'app TestApp, caller: &str) -> Client<'app> {
        match caller {
            "anonymous" => app.anonymous(),
            "key" => app.key(self.key),
            _ => app.client(self.people[caller]),
        }
    }
}

/// What came back, in a word.
fn outcome(root: &Root, answer: &Answer) -> String {
    if let Some(code) = answer.code() {
        return code;
    }
    assert!(answer.0["errors"].is_null(), "{} failed without a code: {:#}", root.name, answer.0);
    let value = &answer.0["data"][&root.name];
    let is_bare = |list: &Value| list.as_array().is_some_and(|list| list.iter().all(Value::is_null));
    let is_empty = value.is_null() || is_bare(value) || is_bare(&value["nodes"]) || is_bare(&value["events"]);
    if is_empty { "empty" } else { "allowed" }.to_owned()
}

/// What every root field answers to every caller.
type Access = BTreeMap<String, BTreeMap<&'static str, String>>;

async fn access(town: &Town, contract: &Contract, roots: &[Root]) -> Access {
    let mut found = Access::new();
    let mut app = town.frozen.thaw().await;
    for root in roots {
        let document = contract.document(root, &town.objects);
        let mut row = BTreeMap::new();
        for caller in CALLERS.into_iter().chain(["admin"]) {
            let client = town.client(&app, caller);
            let told = if root.operation == "subscription" {
                let mut tail = client.subscribe(&document, json!({}));
                if tail.is_quiet().await {
                    "allowed".to_owned()
                } else {
                    let mut tail = client.subscribe(&document, json!({}));
                    outcome(root, &tail.next().await)
                }
            } else {
                outcome(root, &client.run(&document).await)
            };
            if root.operation == "mutation" && told == "allowed" {
                // Nobody's answer may depend on what somebody did before.
                app = town.frozen.thaw().await;
            }
            row.insert(caller, told);
        }
        found.insert(format!("{}.{}", root.operation, root.name), row);
    }
    found
}

/// One line a field: the answers, each with those who get it.
fn print(access: &Access) -> String {
    let mut text = String::new();
    for (field, row) in access {
        let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
        for caller in CALLERS.into_iter().chain(["admin"]) {
            match groups.iter_mut().find(|(told, _)| *told == row[caller]) {
                Some((_, callers)) => callers.push(caller),
                None => groups.push((&row[caller], vec![caller])),
            }
        }
        text.push_str(field);
        for (told, callers) in groups {
            text.push_str(&format!("\n    {told:<24} {}", callers.join(" ")));
        }
        text.push('\n');
    }
    text
}

/// Mutations that anybody with an account may carry out on what is their own.
const ONES_OWN: [&str; 5] = [
    "mutation.createCalendarFeed",
    "mutation.markInboxRead",
    "mutation.signOut",
    "mutation.changePassword",
    "mutation.revokeSession",
];

/// What may never be, whatever the golden table says.
fn violations(access: &Access) -> Vec<String> {
    let mut found = Vec::new();
    for (field, row) in access {
        let is_allowed = |caller: &str| row.get(caller).is_some_and(|told| told == "allowed");
        let is_mutation = field.starts_with("mutation.");
        for caller in ["anonymous", "stranger", "neighbour", "key"] {
            let is_own = ONES_OWN.contains(&field.as_str()) && ["stranger", "neighbour"].contains(&caller);
            if is_mutation && is_allowed(caller) && !is_own {
                found.push(format!("{field} lets {caller} change something"));
            }
        }
        if !is_mutation && is_allowed("anonymous") {
            found.push(format!("{field} tells something to anybody"));
        }
        if is_mutation && is_allowed("observer") && !ONES_OWN.contains(&field.as_str()) {
            found.push(format!("{field} lets an observer change something"));
        }
        for told in row.values() {
            if ["INTERNAL", "UNAVAILABLE"].contains(&told.as_str()) {
                found.push(format!("{field} fails"));
            }
        }
    }
    found
}

#[tokio::test]
async fn every_root_field_answers_everybody_as_the_table_says() {
    let contract = Contract::read().await;
    let roots = contract.roots();
    let town = Town::build().await;
    let access = access(&town, &contract, &roots).await;
    assert_eq!(access.len(), roots.len());
    let found = violations(&access);
    golden::check("access.txt", &print(&access));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test]
async fn a_field_that_the_table_lacks_is_noticed() {
    let contract = Contract::read().await;
    let roots: Vec<Root> =
        contract.roots().into_iter().filter(|root| root.name.starts_with("alliance")).collect();
    let town = Town::build().await;
    let whole = access(&town, &contract, &roots).await;
    let mut less = whole.clone();
    less.remove("query.alliance");
    let difference = golden::same(&print(&less), &print(&whole)).expect_err("one line is missing");
    assert!(difference.contains("query.alliance"), "{difference}");
    // A wall with a hole in it.
    let mut holed = whole.clone();
    let row = holed.get_mut("query.alliance").expect("a row");
    assert_eq!(row["anonymous"], "empty");
    row.insert("anonymous", "allowed".to_owned());
    assert_eq!(violations(&holed), ["query.alliance tells something to anybody"]);
    assert!(golden::same(&print(&whole), &print(&holed)).is_err());
    let powerful = BTreeMap::from([("key", "allowed".to_owned()), ("neighbour", "allowed".to_owned())]);
    assert_eq!(violations(&Access::from([("mutation.updateAlliance".to_owned(), powerful)])).len(), 2);
}
