//! The tenant wall as a generated test: what belongs to an alliance answers a foreigner in every way like what never was.
//!
//! The contract itself says what there is to ask. A case is one caller, one question, one identifier: it counts once somebody
//! inside has had an answer to it, and holds where the foreigner's answer is, byte for byte, the one to an identifier that
//! names nothing. A root field, an argument, a type or an edge that no case reaches fails, unless it is named with its reason.

use std::collections::BTreeMap;

use concord::{
    domain::{
        governance::{
            alliance::{self, NewAlliance},
            membership::{self, Contact},
            organization::{self, NewOrganization},
        },
        identity::{
            account::{self, NewAccount},
            seat::{self, NewSeat},
        },
        territory::region::{self, NewRegion},
    },
    graphql::id,
};
use concord_entities::{
    id::{AccountId, AllianceId, ApiKeyId, OrganizationId, RegionId},
    organization::Kind,
    problem::State,
    region::Level,
    seat::Role,
};
use concord_tests::{
    Answer, Client, Frozen, TestApp, World,
    contract::{Contract, Objects, Place, Root, put},
    specimens,
};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Map, Value, json};

use crate::{
    changes::{dashboard_key, write_event},
    problem::problem_in,
};

mod alone;
mod beside;
mod mutations;
mod reads;
mod stage;

/// Nouns that everybody who has signed in may read, and why. What names them must still show nothing that is not public.
const PUBLIC: [(&str, &str); 1] = [("region", "the division of the country is no alliance's secret")];

/// Fewest cases of the whole test.
const LEAST: usize = 10_000;

/// Who asks.
#[derive(Clone, Copy)]
enum Who {
    Nobody,
    Person(AccountId),
    Key(ApiKeyId),
}

impl Who {
    fn client(self, app: &TestApp) -> Client<'_> {
        match self {
            Self::Nobody => app.anonymous(),
            Self::Person(id) => app.client(id),
            Self::Key(id) => app.key(id),
        }
    }
}

type People = Vec<(&'static str, Who)>;

/// An alliance with something of everything, and everybody who has no business there.
struct Wall {
    contract: Contract,
    /// The database before the alliance was, and with it.
    alone: Frozen,
    both: Frozen,
    /// The alliance's objects, the foreigners' own, and what there is none of.
    there: Objects,
    here: Objects,
    nothing: Objects,
    /// The foreigners' alliance and its unit that is a member of this one too.
    shared: Objects,
    /// The numbers of the alliance's problem and of the foreigners' own.
    number: String,
    own_number: String,
    owners: People,
    foreigners: People,
    /// Those of the foreigners who were there before the alliance.
    settled: People,
}

impl Wall {
    async fn build() -> Self {
        let app = TestApp::new().await;
        let near = World::build(&app, "632224").await;
        let mut here = Objects(specimens::insert(&app, &near).await);
        let own_number = stage::settle(&app, &near, &mut here).await;
        let key = dashboard_key(&app, near.town).await;
        app.run_background().await;
        let alone = app.freeze().await;
        let settled = Vec::from([
            ("anonymous", Who::Nobody),
            ("stranger", Who::Person(near.stranger)),
            ("key", Who::Key(key)),
            ("observer", Who::Person(near.observer)),
            ("grid_officer", Who::Person(near.grid_officer)),
            ("officer", Who::Person(near.officer)),
            ("verifier", Who::Person(near.verifier)),
            ("staff", Who::Person(near.staff)),
            // Acts for a unit that is a member of both alliances.
            ("shared_staff", Who::Person(near.other_staff)),
            ("manager", Who::Person(near.manager)),
            ("approver", Who::Person(near.approver)),
            ("committee", Who::Person(near.committee)),
            ("county", Who::Person(near.county_committee)),
        ]);

        let app = alone.thaw().await;
        let far = World::build(&app, "632223").await;
        let mut there = Objects(specimens::insert(&app, &far).await);
        let number = stage::settle(&app, &far, &mut there).await;
        share(&app, &far, &near).await;
        let key = dashboard_key(&app, far.town).await;
        let mut foreigners = settled.clone();
        foreigners.extend(siblings(&app, &far).await);
        foreigners.extend(past(&app, &far).await);
        app.run_background().await;
        let owners = Vec::from([
            ("committee", Who::Person(far.committee)),
            ("manager", Who::Person(far.manager)),
            ("staff", Who::Person(far.staff)),
            ("approver", Who::Person(far.approver)),
            ("officer", Who::Person(far.officer)),
            ("verifier", Who::Person(far.verifier)),
            ("key", Who::Key(key)),
            ("admin", Who::Person(far.admin)),
        ]);
        let nothing = Objects(there.0.keys().map(|noun| (noun.clone(), app.system().new_id())).collect());
        let shared = BTreeMap::from([
            ("alliance".to_owned(), near.town.into()),
            ("organization".to_owned(), near.members[2].into()),
        ]);
        let shared = Objects(shared);
        let both = app.freeze().await;
        let contract = Contract::read().await;
        Self {
            contract,
            alone,
            both,
            there,
            here,
            nothing,
            shared,
            number,
            own_number,
            owners,
            foreigners,
            settled,
        }
    }

    fn owner(&self, name: &str) -> Who {
        self.owners.iter().find(|(of, _)| *of == name).expect("somebody inside").1
    }

    fn roots(&self, operation: &str) -> Vec<Root> {
        self.contract.roots().into_iter().filter(|root| root.operation == operation).collect()
    }

    /// The nouns that a place may name.
    fn nouns(&self, place: &Place) -> Vec<String> {
        match &place.noun {
            Some(noun) => vec![noun.clone()],
            None => self.contract.nodes().into_iter().map(|(_, noun)| noun).collect(),
        }
    }

    /// Arguments with somebody's objects, but at one place an object of its own.
    fn given(&self, root: &Root, place: &Place, of: &Objects, id: &str) -> Map<String, Value> {
        let mut given = self.contract.arguments(root, of, &|path, _| place.is_at_or_below(path));
        if given.contains_key("number") {
            given.insert("number".to_owned(), json!(self.number));
        }
        stage::complete(root, place, &mut given);
        put(&mut given, &place.path, id);
        given
    }
}

/// A unit of the neighbours' joins the alliance and gets work there.
async fn share(app: &TestApp, far: &World, near: &World) {
    let shared = near.members[2];
    membership::admit(&app.system(), far.town, shared, Contact::default()).await.expect("a membership");
    let town = World { members: [far.members[0], shared].into(), ..clone(far) };
    problem_in(app, &town, State::Assigned).await;
    let (alliance, unit) = (id::encode(far.town), id::encode(shared));
    let committee = app.client(far.committee);
    let input = json!({ "allianceId": alliance, "name": "共建队", "captainName": "李四", "leadOrganizationId": unit });
    change(&committee, "formServiceTeam", "serviceTeam", input).await;
    let input = json!({ "allianceId": alliance, "month": "2026-04", "title": "四月" });
    let list = change(&committee, "createTaskList", "taskList", input).await;
    let input = json!({ "taskListId": list, "title": "修路", "content": "修路", "dueOn": "2026-04-20",
        "leadOrganizationId": unit });
    change(&committee, "createPriorityTask", "task", input).await;
    change(&committee, "publishTaskList", "taskList", json!({ "taskListId": list })).await;
    found(app, "第二社区联盟", far.communities[1], far.town, None).await;
}

async fn found(
    app: &TestApp,
    name: &str,
    region_id: RegionId,
    parent: AllianceId,
    committee: Option<OrganizationId>,
) -> AllianceId {
    let new = NewAlliance {
        name: name.to_owned(),
        region_id,
        parent_id: Some(parent),
        committee_organization_id: committee,
        oversight_organization_id: None,
        time_zone: "Asia/Shanghai".to_owned(),
        number_pattern: format!("{name}〔{{year}}〕{{seq:4}}号"),
        check_in_working_day: 5,
    };
    alliance::found(&app.system(), new).await.expect("an alliance").id
}

/// Changes something, and gives the id of what the answer holds.
async fn change(client: &Client<'_>, mutation: &str, object: &str, input: Value) -> String {
    let of = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let document = format!(
        "mutation($input: {of}!) {{ {mutation}(input: $input) {{ {object} {{ id }} userErrors {{ code field }} }} }}"
    );
    let answer = client.send(&document, json!({ "input": input })).await.fine();
    answer.text(&format!("/{mutation}/{object}/id"))
}

fn clone(world: &World) -> World {
    World { members: world.members.clone(), ..*world }
}

/// People of an alliance beside this one, under the same county.
async fn siblings(app: &TestApp, far: &World) -> People {
    let system = app.system();
    let new = NewRegion {
        parent_id: Some(far.county_region),
        code: Some("632223101".to_owned()),
        name: "三角城镇".to_owned(),
        level: Level::Township,
    };
    let region_id = region::record(&system, new).await.expect("a region").id;
    let new = NewOrganization {
        name: "三角城镇党委".to_owned(),
        short_name: None,
        kind: Kind::TownCommittee,
        credit_code: None,
        region_id: None,
    };
    let unit = organization::record(&system, new).await.expect("an organisation").id;
    let alliance_id = found(app, "三角城镇联盟", region_id, far.county, Some(unit)).await;
    membership::admit(&system, alliance_id, unit, Contact::default()).await.expect("a membership");
    let mut people = People::new();
    for (name, role, organization_id) in
        [("sibling_committee", Role::Committee, Some(unit)), ("sibling_observer", Role::Observer, None)]
    {
        let new = NewAccount {
            username: name.to_owned(),
            display_name: name.to_owned(),
            password_hash: Some("!".to_owned()),
            ..Default::default()
        };
        let account_id = account::create(&system, new).await.expect("an account").id;
        let new = NewSeat { account_id, alliance_id, role, organization_id, region_id: None };
        seat::grant(&system, new).await.expect("a seat");
        people.push((name, Who::Person(account_id)));
    }
    people
}

/// Those who once were inside: a seat that has ended, an account that is disabled, keys that are revoked or have run out.
async fn past(app: &TestApp, far: &World) -> People {
    let [revoked, expired] = [dashboard_key(app, far.town).await, dashboard_key(app, far.town).await];
    let raw = |id| specimens::uuid(app, id);
    let at = "'2026-01-05T00:59:00+00:00'";
    for text in [
        format!(
            "UPDATE seat SET state = 'ended', ended_at = {at} WHERE account_id = {}",
            raw(far.observer.0)
        ),
        format!(
            "UPDATE account SET state = 'disabled', disabled_at = {at} WHERE id = {}",
            raw(far.grid_officer.0)
        ),
        format!("UPDATE api_key SET revoked_at = {at} WHERE id = {}", raw(revoked.0)),
        format!("UPDATE api_key SET expires_at = {at} WHERE id = {}", raw(expired.0)),
    ] {
        assert_eq!(app.sql(&text).await.expect("a change"), 1, "{text}");
    }
    Vec::from([
        ("former", Who::Person(far.observer)),
        ("disabled", Who::Person(far.grid_officer)),
        ("revoked_key", Who::Key(revoked)),
        ("expired_key", Who::Key(expired)),
    ])
}

/// What came of a part of the test.
#[derive(Default)]
struct Report {
    /// Cases that held, by kind.
    cases: BTreeMap<&'static str, usize>,
    /// What leaks, differs, or is not reached.
    faults: Vec<String>,
}

impl Report {
    fn case(&mut self, kind: &'static str, holds: Result<(), String>) {
        match holds {
            Ok(()) => *self.cases.entry(kind).or_default() += 1,
            Err(fault) => self.faults.push(fault),
        }
    }

    /// What no case reaches has to be named, and what is named has to be out of reach.
    fn reach(&mut self, what: &str, is_reached: bool, named: &[(&str, &str)]) {
        match (is_reached, named.iter().any(|(name, _)| *name == what)) {
            (false, false) => self.faults.push(format!("{what} is not reached")),
            (true, true) => self.faults.push(format!("{what} is reached after all")),
            _ => {}
        }
    }

    fn join(mut self, other: Self) -> Self {
        for (kind, count) in other.cases {
            *self.cases.entry(kind).or_default() += count;
        }
        self.faults.extend(other.faults);
        self
    }
}

/// Whether an answer holds anything.
fn is_full(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => items.iter().any(is_full),
        Value::Object(map) => ["edges", "events"].iter().all(|list| map.get(*list).is_none_or(is_full)),
        _ => true,
    }
}

/// An answer without the identifier that was asked for.
fn text(answer: &Answer, id: &str) -> String {
    answer.0.to_string().replace(id, "?")
}

/// Whether the answers to a foreign and to a missing identifier are the same.
fn same(what: &str, foreign: (&Answer, &str), missing: (&Answer, &str)) -> Result<(), String> {
    let (foreign, missing) = (text(foreign.0, foreign.1), text(missing.0, missing.1));
    if foreign == missing {
        Ok(())
    } else {
        Err(format!("{what}\n    foreign {foreign}\n    missing {missing}"))
    }
}

/// Whether an answer that may hold something public holds nothing of the alliance's.
fn shows_nothing(wall: &Wall, what: &str, answer: &Answer) -> Result<(), String> {
    let text = answer.0.to_string();
    for noun in wall.there.0.keys().filter(|noun| PUBLIC.iter().all(|(public, _)| public != noun)) {
        if text.contains(&wall.there.id(Some(noun))) {
            return Err(format!("{what} shows a {noun}: {text}"));
        }
    }
    Ok(())
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

#[test]
fn what_is_foreign_answers_like_what_never_was() {
    let wall = block_on(Wall::build());
    let report = std::thread::scope(|scope| {
        let parts = [
            scope.spawn(|| block_on(reads::roots(&wall, &wall.roots("query")))),
            scope.spawn(|| block_on(reads::edges(&wall))),
            scope.spawn(|| block_on(mutations::foreign(&wall, &wall.roots("mutation")))),
            scope.spawn(|| block_on(mutations::own(&wall, &wall.roots("mutation")))),
            scope.spawn(|| block_on(alone::unmoved(&wall, &wall.roots("query")))),
            scope.spawn(|| block_on(beside::tails(&wall, &wall.roots("subscription")))),
            scope.spawn(|| block_on(beside::feeds(&wall))),
            scope.spawn(|| block_on(beside::files())),
        ];
        parts.into_iter().fold(Report::default(), |whole, part| whole.join(part.join().expect("a part")))
    });
    let cases: usize = report.cases.values().sum();
    println!("{cases} cases across the wall: {:?}", report.cases);
    assert!(report.faults.is_empty(), "{} faults:\n{}", report.faults.len(), report.faults.join("\n"));
    assert!(cases >= LEAST, "only {cases} cases");
}

/// The faults of a part, each in its first line.
fn lines(report: &Report) -> Vec<&str> {
    report.faults.iter().filter_map(|fault| fault.lines().next()).collect()
}

#[test]
fn what_the_generator_does_not_reach_is_noticed() {
    let mut wall = block_on(Wall::build());
    let id = json!({ "kind": "NON_NULL", "ofType": { "kind": "SCALAR", "name": "ID" } });
    let object = json!({ "kind": "OBJECT", "name": "Problem" });
    let argument = |name: &str| json!({ "name": name, "defaultValue": null, "type": id });
    let field = |name: &str, args: Value| json!({ "name": name, "args": args, "type": object });
    wall.contract = wall
        .contract
        .with("Query", "fields", field("secretOf", json!([argument("problemId")])))
        .with("Query", "fields", field("secrets", json!([])))
        .with("Mutation", "fields", field("stealProblem", json!([argument("problemId")])))
        .with("Mutation", "fields", field("stealProblems", json!([])))
        .with("ProblemFilter", "inputFields", argument("teamId"))
        .with("RotationSwap", "fields", field("grudge", json!([])));
    let named = |operation: &str, names: &[&str]| -> Vec<Root> {
        let roots = wall.roots(operation).into_iter();
        roots.filter(|root| names.contains(&root.name.as_str())).collect()
    };
    let steals = named("mutation", &["stealProblem", "stealProblems"]);
    let read = block_on(reads::roots(&wall, &named("query", &["secretOf", "problems"])));
    let edges = block_on(reads::edges(&wall));
    let foreign = block_on(mutations::foreign(&wall, &steals));
    let own = block_on(mutations::own(&wall, &steals));
    let unmoved = block_on(alone::unmoved(&wall, &named("query", &["secrets"])));
    for (report, fault) in [
        (&read, "query.secretOf(problemId) is not reached"),
        (&read, "query.problems(filter.teamId) is not reached"),
        (&edges, "RotationSwap.grudge is not reached"),
        (&foreign, "mutation.stealProblems is not reached"),
        (&own, "mutation.stealProblem(problemId) is not reached"),
        (&unmoved, "query.secrets: answered false, moved false"),
    ] {
        assert!(lines(report).contains(&fault), "{fault}: {:#?}", lines(report));
    }
}

#[test]
fn a_hole_in_the_wall_is_noticed() {
    let mut wall = block_on(Wall::build());
    // Somebody inside, taken for a foreigner, is what a hole would look like.
    wall.foreigners = Vec::from([wall.owners[0]]);
    let named = |name: &str| -> Vec<Root> {
        let roots = wall.contract.roots().into_iter();
        roots.filter(|root| root.name == name).collect()
    };
    let read = block_on(reads::roots(&wall, &named("problem")));
    assert_eq!(lines(&read), ["query.problem(id: problem) asked by committee, all foreign"]);
    let narrowed = block_on(reads::roots(&wall, &named("priorityTasks")));
    assert!(narrowed.faults.len() >= 5, "{:#?}", lines(&narrowed));
    let changed = block_on(mutations::foreign(&wall, &named("rejectProblem")));
    assert!(lines(&changed).contains(&"problem changed:"), "{:#?}", lines(&changed));
    let told = block_on(beside::feeds(&wall));
    assert_eq!(told.faults.len(), 1);
}
