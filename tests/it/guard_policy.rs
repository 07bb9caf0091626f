//! The policy guard: the table of roles and actions, and what every root field answers to everybody, kept as golden files, so
//! that a change of power is a line of a diff. A root field that the table lacks fails.

use std::collections::BTreeMap;

use concord::domain::{
    Action,
    policy::{Grant, ROLES, grant},
};
use concord_entities::id::{AccountId, ApiKeyId};
use concord_tests::{
    Answer, Client, Frozen, TestApp, World,
    contract::{Contract, Objects, Root},
    specimens,
};
use serde_json::Value;

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

/// What to select of an answer so that it tells whether there is anything in it.
fn selection(contract: &Contract, root: &Root) -> String {
    let name = contract.named(&root.field["type"]);
    let fields: Vec<&str> =
        contract.fields(name).map(|field| field["name"].as_str().expect("a name")).collect();
    if ["SCALAR", "ENUM"].contains(&contract.kind(name)) {
        return String::new();
    }
    let results = contract.fields(name).find(|field| field["name"] == "results");
    let tells = |field: &Value| {
        contract.fields(contract.named(&field["type"])).any(|field| field["name"] == "userErrors")
    };
    // What came of each of many items stands beside it, or is it.
    let results = if results.is_some_and(tells) {
        "results { userErrors { code message field } }"
    } else {
        "results { code message field }"
    };
    let mut parts = vec!["__typename"];
    for (list, selected) in [
        ("nodes", "nodes { __typename }"),
        ("events", "events { __typename }"),
        ("userErrors", "userErrors { code message field }"),
        ("results", results),
    ] {
        if fields.contains(&list) {
            parts.push(selected);
        }
    }
    format!("{{ {} }}", parts.join(" "))
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
        // Identifiers are what the tenant wall is about, so they are given wherever they can be.
        let is_id = |path: &str, of: &Value| !path.contains('.') && contract.named(of) == "ID";
        let arguments = contract.arguments(root, &town.objects, &is_id);
        let document = contract.document(root, &arguments, &selection(contract, root));
        let arguments = Value::from(arguments);
        let mut row = BTreeMap::new();
        for caller in CALLERS.into_iter().chain(["admin"]) {
            let client = town.client(&app, caller);
            let told = if root.operation == "subscription" {
                let mut tail = client.subscribe(&document, arguments.clone());
                if tail.is_quiet().await {
                    "allowed".to_owned()
                } else {
                    let mut tail = client.subscribe(&document, arguments.clone());
                    outcome(root, &tail.next().await)
                }
            } else {
                outcome(root, &client.send(&document, arguments.clone()).await)
            };
            if root.operation == "mutation" && told == "allowed" {
                // Nobody's answer may depend on what somebody did before.
                app = town.frozen.thaw().await;
            }
            row.insert(caller, told);
        }
        found.insert(root.label(), row);
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
const ONES_OWN: [&str; 7] = [
    "mutation.saveFilter",
    "mutation.deleteSavedFilter",
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
