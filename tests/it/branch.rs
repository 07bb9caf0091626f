//! Party branches: a tree without circles, hosts of every kind, members as numbers that hold together, matters that are served.

use std::sync::Arc;

use chrono::TimeDelta;
use concord::{
    domain::branch::{
        host::NewHost,
        matter::{self, Matter},
        steps::{self, BranchChange, NewBranch, Secretary, Which},
    },
    graphql::id,
};
use concord_entities::{
    branch_host::Kind as Host,
    grid_network,
    id::PartyBranchId,
    party_branch::{Kind, Model},
    problem,
    region::Level,
    whistle,
};
use concord_tests::{Answer, TestApp, World};
use serde_json::{Value, json};

use crate::{
    grid::{code, day, drawn, network_of, new_cell, place},
    problem::{count, problem_in},
    whistle::approved,
};

pub fn which(id: PartyBranchId) -> Which {
    Which { id, expected_version: None }
}

/// A branch of the town's first community.
pub fn new_branch(world: &World, name: &str) -> NewBranch {
    NewBranch {
        kind: Kind::Branch,
        parent_id: None,
        name: name.to_owned(),
        is_temporary: false,
        hosts: vec![NewHost::Region(world.communities[0])],
        member_count: None,
        secretary: Secretary::default(),
        since: Some(day("2026-01-01")),
    }
}

pub fn new_group(parent: PartyBranchId, name: &str, members: Option<i32>) -> NewBranch {
    NewBranch {
        kind: Kind::PartyGroup,
        parent_id: Some(parent),
        name: name.to_owned(),
        is_temporary: false,
        hosts: vec![],
        member_count: members,
        secretary: Secretary::default(),
        since: Some(day("2026-01-01")),
    }
}

pub fn named(kind: Host, name: &str) -> NewHost {
    NewHost::Place(kind, name.to_owned())
}

pub async fn established(app: &TestApp, world: &World, new: NewBranch) -> Model {
    steps::establish(&app.ctx(world.committee), world.town, new).await.expect("a branch")
}

async fn moved(app: &TestApp, world: &World, id: PartyBranchId, to: Option<PartyBranchId>) -> String {
    let change = BranchChange { parent_id: Some(to), ..BranchChange::default() };
    match steps::change(&app.ctx(world.committee), which(id), change).await {
        Ok(_) => "done".to_owned(),
        Err(error) => error.code().text().to_owned(),
    }
}

#[tokio::test]
async fn a_tree_stands_in_the_order_of_its_kinds_and_its_members_come_together() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.ctx(world.committee);
    let of = |kind: Kind, name: &str, parent: Option<PartyBranchId>| NewBranch {
        kind,
        parent_id: parent,
        ..new_branch(&world, name)
    };
    let top = established(&app, &world, of(Kind::Committee, "西海镇党委", None)).await;
    let general = established(&app, &world, of(Kind::GeneralBranch, "城北党总支", Some(top.id))).await;
    let counted =
        NewBranch { member_count: Some(30), ..of(Kind::Branch, "第一网格党支部", Some(general.id)) };
    let first = established(&app, &world, counted).await;
    let second = established(&app, &world, of(Kind::Branch, "第二网格党支部", Some(top.id))).await;
    let group = established(&app, &world, new_group(first.id, "第一党小组", Some(12))).await;
    established(&app, &world, new_group(first.id, "第二党小组", Some(18))).await;
    established(&app, &world, new_group(second.id, "第一党小组", Some(7))).await;
    // Jumps and circles: nothing stands below what is not above it.
    for (kind, parent, expected) in [
        (Kind::PartyGroup, Some(top.id), "BRANCH_KIND_ORDER"),
        (Kind::PartyGroup, Some(general.id), "BRANCH_KIND_ORDER"),
        (Kind::PartyGroup, Some(group.id), "BRANCH_KIND_ORDER"),
        (Kind::PartyGroup, None, "REQUIRED"),
        (Kind::Branch, Some(second.id), "BRANCH_KIND_ORDER"),
        (Kind::GeneralBranch, Some(general.id), "BRANCH_KIND_ORDER"),
        (Kind::Committee, Some(top.id), "BRANCH_KIND_ORDER"),
        (Kind::Branch, Some(app.system().new_id()), "NOT_FOUND"),
    ] {
        let hosts =
            if kind == Kind::PartyGroup { vec![] } else { vec![NewHost::Region(world.communities[0])] };
        let new = NewBranch { hosts, ..of(kind, "新", parent) };
        assert_eq!(code(steps::establish(&committee, world.town, new).await), expected, "{kind:?}");
    }
    assert_eq!(moved(&app, &world, general.id, Some(first.id)).await, "BRANCH_KIND_ORDER");
    assert_eq!(moved(&app, &world, first.id, Some(first.id)).await, "BRANCH_KIND_ORDER");
    assert_eq!(moved(&app, &world, top.id, Some(general.id)).await, "BRANCH_KIND_ORDER");
    assert_eq!(moved(&app, &world, group.id, None).await, "REQUIRED");
    let query = "query($a: ID!, $id: ID!) { alliance(id: $a) { partyBranchCounts { committees generalBranches branches groups joint afloat temporary members }
            partyBranches(filter: { top: true, standing: true }) { nodes { name } } }
        partyBranch(id: $id) { membersBelow memberCount parent { name } children { nodes { name membersBelow memberCount children { totalCount } } } } }";
    let ask = async |id: PartyBranchId| {
        let given = json!({ "a": id::encode(world.town), "id": id::encode(id) });
        app.client(world.observer).send(query, given).await
    };
    let shown = ask(top.id).await;
    assert_eq!(
        shown.at("/alliance/partyBranchCounts"),
        &json!({ "committees": 1, "generalBranches": 1, "branches": 2, "groups": 3, "joint": 0, "afloat": 0, "temporary": 0, "members": 37 })
    );
    assert_eq!(shown.at("/alliance/partyBranches/nodes"), &json!([{ "name": "西海镇党委" }]));
    assert_eq!(shown.at("/partyBranch/membersBelow"), 37);
    assert_eq!(
        shown.at("/partyBranch/children/nodes"),
        &json!([
            { "name": "城北党总支", "membersBelow": 30, "memberCount": null, "children": { "totalCount": 1 } },
            { "name": "第二网格党支部", "membersBelow": 7, "memberCount": null, "children": { "totalCount": 1 } }
        ])
    );
    // Moved with all that stands below it.
    assert_eq!(moved(&app, &world, first.id, Some(top.id)).await, "done");
    assert_eq!(ask(general.id).await.at("/partyBranch/membersBelow"), 0);
    assert_eq!(ask(top.id).await.at("/partyBranch/membersBelow"), 37);
    // No more statements for many branches than for few. The top is not asked for its members: what comes together in the tree is read
    // once or, where the children come first, twice.
    let lists = "query($id: ID!) { partyBranch(id: $id) { children(first: 100) { nodes { name membersBelow isJoint
        hosts { kind } parent { name } children { nodes { name memberCounts { memberCount } matters { linkedAt } } } } } } }";
    let ask = async |id: PartyBranchId| {
        app.client(world.observer).send(lists, json!({ "id": id::encode(id) })).await.fine()
    };
    let (_, few) = app.statements(async || ask(top.id).await).await;
    for number in 0..20 {
        established(&app, &world, of(Kind::Branch, &format!("网格{number:02}"), Some(top.id))).await;
    }
    let (_, many) = app.statements(async || ask(top.id).await).await;
    assert!(many.len() <= few.len(), "{many:#?}");
    app.run_background().await;
}

#[tokio::test]
async fn a_branch_counts_no_fewer_than_its_groups() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.ctx(world.committee);
    let first =
        established(&app, &world, NewBranch { member_count: Some(20), ..new_branch(&world, "甲") }).await;
    let group = established(&app, &world, new_group(first.id, "一组", Some(12))).await;
    let more = steps::establish(&committee, world.town, new_group(first.id, "二组", Some(9))).await;
    assert_eq!(code(more), "GROUPS_EXCEED_BRANCH");
    let second = established(&app, &world, new_group(first.id, "二组", None)).await;
    let count_of = async |id, members, on: Option<&str>| {
        steps::count_members(&committee, which(id), members, on.map(day)).await
    };
    assert_eq!(code(count_of(second.id, 9, None).await), "GROUPS_EXCEED_BRANCH");
    assert_eq!(code(count_of(second.id, -1, None).await), "OUT_OF_RANGE");
    assert_eq!(code(count_of(first.id, 11, None).await), "GROUPS_EXCEED_BRANCH");
    assert_eq!(code(count_of(first.id, 30, Some("2026-01-06")).await), "TOO_LATE");
    assert_eq!(code(count_of(first.id, 30, Some("2025-12-31")).await), "TOO_EARLY");
    count_of(first.id, 30, Some("2026-01-02")).await.expect("counted");
    assert_eq!(code(count_of(first.id, 31, Some("2026-01-01")).await), "TOO_EARLY");
    count_of(second.id, 9, None).await.expect("counted");
    count_of(group.id, 21, None).await.expect("counted");
    assert_eq!(code(count_of(group.id, 22, None).await), "GROUPS_EXCEED_BRANCH");
    // A group that moves counts where it comes to.
    let other =
        established(&app, &world, NewBranch { member_count: Some(5), ..new_branch(&world, "乙") }).await;
    assert_eq!(moved(&app, &world, second.id, Some(other.id)).await, "GROUPS_EXCEED_BRANCH");
    count_of(other.id, 9, None).await.expect("counted");
    assert_eq!(moved(&app, &world, second.id, Some(other.id)).await, "done");
    // Earlier counts stay on record.
    let query = "query($id: ID!) { partyBranch(id: $id) { memberCount countedOn memberCounts { memberCount countedOn } } }";
    let shown = app.client(world.observer).send(query, json!({ "id": id::encode(first.id) })).await;
    assert_eq!(
        shown.at("/partyBranch"),
        &json!({ "memberCount": 30, "countedOn": "2026-01-02", "memberCounts": [
            { "memberCount": 30, "countedOn": "2026-01-02" }, { "memberCount": 20, "countedOn": "2026-01-01" }
        ] })
    );
    // Below the verbs the database holds it too.
    for text in [
        "UPDATE party_branch SET member_count = 1 WHERE name = '甲'",
        "UPDATE party_branch SET member_count = 31 WHERE name = '一组'",
    ] {
        let refused = app.sql(text).await.expect_err("refused").to_string();
        assert!(refused.contains("no fewer members than its groups"), "{refused}");
    }
    app.run_background().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn groups_counted_at_once_never_exceed_their_branch() {
    let app = Arc::new(TestApp::new().await);
    let world = World::build(&app, "632223").await;
    let who = world.committee;
    let top =
        established(&app, &world, NewBranch { member_count: Some(10), ..new_branch(&world, "甲") }).await;
    let mut groups = Vec::new();
    for number in 0..8 {
        groups.push(established(&app, &world, new_group(top.id, &format!("{number}组"), None)).await.id);
    }
    let tries: Vec<_> = groups
        .into_iter()
        .map(|group| {
            let app = app.clone();
            tokio::spawn(async move { steps::count_members(&app.ctx(who), which(group), 3, None).await })
        })
        .collect();
    let mut won = 0;
    for attempt in tries {
        match attempt.await.expect("no panic") {
            Ok(_) => won += 1,
            Err(error) => assert_eq!(error.code().text(), "GROUPS_EXCEED_BRANCH"),
        }
    }
    assert_eq!(won, 3);
}

#[tokio::test]
async fn a_secretary_who_is_erased_while_the_branch_changes_stays_erased() {
    let app = Arc::new(TestApp::new().await);
    let world = World::build(&app, "632223").await;
    let who = world.committee;
    let secretary = steps::Secretary { name: Some("张三".to_owned()), phone: None };
    let mut changing = Vec::new();
    for number in 0..8 {
        let new =
            NewBranch { secretary: secretary.clone(), ..new_branch(&world, &format!("{number}支部")) };
        let id = established(&app, &world, new).await.id;
        let (changes, erases) = (app.clone(), app.clone());
        let change = BranchChange { is_temporary: Some(true), ..BranchChange::default() };
        changing.push(tokio::spawn(async move { steps::change(&changes.ctx(who), which(id), change).await }));
        changing.push(tokio::spawn(async move {
            steps::erase_secretary(&erases.ctx(who), which(id), "本人要求").await
        }));
    }
    for one in changing {
        one.await.expect("no panic").expect("done");
    }
    let named = "SELECT COUNT(*) AS n FROM party_branch WHERE secretary_name = '张三'";
    assert_eq!(crate::problem::count(&app, named).await, 0);
}

#[tokio::test]
async fn hosts_are_of_every_kind_and_several_make_a_joint_branch() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let beyond = World::build(&app, "632224").await;
    let committee = app.ctx(world.committee);
    let compound = place(&app, world.communities[0], "东小区", Level::Compound).await;
    let network = network_of(&app, &world, grid_network::Kind::Party).await;
    let cell = drawn(&app, &world, &network, new_cell("D-1", &[world.communities[0]])).await;
    let hosts = vec![
        NewHost::Region(world.communities[1]),
        NewHost::Region(compound),
        NewHost::Cell(cell.id),
        NewHost::Organization(world.members[1]),
        named(Host::Market, "集贸市场"),
        named(Host::CourierStation, "快递驿站"),
    ];
    let joint = established(&app, &world, NewBranch { hosts, ..new_branch(&world, "联合党支部") }).await;
    let fleet = NewBranch {
        hosts: vec![named(Host::Fleet, "远洋一队")], ..new_branch(&world, "船队党支部")
    };
    let fleet = established(&app, &world, fleet).await;
    let query = "query($id: ID!) { partyBranch(id: $id) { isJoint isAfloat hosts { kind name region { name } cell { code } organization { kind } } } }";
    let ask = async |id: PartyBranchId| {
        app.client(world.observer).send(query, json!({ "id": id::encode(id) })).await
    };
    let shown = ask(joint.id).await;
    assert_eq!(
        (shown.at("/partyBranch/isJoint"), shown.at("/partyBranch/isAfloat")),
        (&json!(true), &json!(false))
    );
    let mut kinds: Vec<String> = shown
        .at("/partyBranch/hosts")
        .as_array()
        .expect("hosts")
        .iter()
        .map(|host| host["kind"].as_str().expect("a kind").to_owned())
        .collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["COMPOUND", "COURIER_STATION", "GRID_CELL", "MARKET", "ORGANIZATION", "REGION"]);
    let shown = ask(fleet.id).await;
    assert_eq!(
        (shown.at("/partyBranch/isJoint"), shown.at("/partyBranch/isAfloat")),
        (&json!(false), &json!(true))
    );
    let list = "query($joint: Boolean, $afloat: Boolean) { partyBranches(filter: { joint: $joint, afloat: $afloat }) { nodes { name } } }";
    let listed = async |given: Value| {
        let found = app.client(world.observer).send(list, given).await;
        found.at("/partyBranches/nodes").to_string()
    };
    assert_eq!(listed(json!({ "joint": true })).await, r#"[{"name":"联合党支部"}]"#);
    assert_eq!(listed(json!({ "afloat": true })).await, r#"[{"name":"船队党支部"}]"#);
    assert_eq!(listed(json!({ "afloat": false })).await, r#"[{"name":"联合党支部"}]"#);
    // What is no host.
    let with = |hosts: Vec<NewHost>| NewBranch { hosts, ..new_branch(&world, "新") };
    for (hosts, expected) in [
        (vec![], "REQUIRED"),
        (vec![NewHost::Region(beyond.communities[0])], "OUTSIDE_TERRITORY"),
        (vec![NewHost::Region(world.county_region)], "OUTSIDE_TERRITORY"),
        (vec![NewHost::Region(app.system().new_id())], "NOT_FOUND"),
        (vec![NewHost::Cell(app.system().new_id())], "NOT_FOUND"),
        (vec![NewHost::Organization(beyond.members[1])], "NOT_A_MEMBER"),
        (vec![named(Host::Ship, "  ")], "REQUIRED"),
        (vec![named(Host::Ship, &"长".repeat(129))], "TOO_LONG"),
        (vec![named(Host::Ship, "一号"), named(Host::Ship, "一号 ")], "ALREADY_EXISTS"),
        (vec![named(Host::Ship, "一号"); 51], "OUT_OF_RANGE"),
    ] {
        assert_eq!(code(steps::establish(&committee, world.town, with(hosts)).await), expected);
    }
    let group = NewBranch { hosts: vec![named(Host::Ship, "一号")], ..new_group(joint.id, "一组", None) };
    assert_eq!(code(steps::establish(&committee, world.town, group).await), "OUT_OF_RANGE");
    // A host is one thing: two at once are no input at all.
    let both = "mutation($i: EstablishPartyBranchInput!) { establishPartyBranch(input: $i) { userErrors { code } } }";
    let given = json!({ "i": { "allianceId": id::encode(world.town), "kind": "BRANCH", "name": "新", "hosts": [
        { "regionId": id::encode(world.communities[0]), "organizationId": id::encode(world.members[1]) } ] } });
    let answer = app.client(world.committee).send(both, given).await;
    assert!(!answer.0["errors"].is_null(), "{:#}", answer.0);
    // Hosts change from a day on; what was so before is on record.
    let change = |hosts: Vec<NewHost>, since: &str| BranchChange {
        hosts: Some(hosts),
        hosts_since: Some(day(since)),
        ..BranchChange::default()
    };
    let early =
        steps::change(&committee, which(fleet.id), change(vec![named(Host::Ship, "二号")], "2025-12-31"));
    assert_eq!(code(early.await), "TOO_EARLY");
    let none = steps::change(&committee, which(fleet.id), change(vec![], "2026-01-05")).await;
    assert_eq!(code(none), "REQUIRED");
    let ashore =
        change(vec![named(Host::Fleet, "远洋一队"), NewHost::Region(world.communities[1])], "2026-01-05");
    steps::change(&committee, which(fleet.id), ashore).await.expect("changed");
    let shown = ask(fleet.id).await;
    assert_eq!(
        (shown.at("/partyBranch/isJoint"), shown.at("/partyBranch/isAfloat")),
        (&json!(true), &json!(false))
    );
    app.run_background().await;
}

#[tokio::test]
async fn a_branch_ends_after_those_below_it_and_its_name_is_its_own_beside_others() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.ctx(world.committee);
    let top = established(&app, &world, new_branch(&world, "甲")).await;
    assert_eq!(
        code(steps::establish(&committee, world.town, new_branch(&world, "甲")).await),
        "ALREADY_EXISTS"
    );
    let other = established(&app, &world, new_branch(&world, "乙")).await;
    let group = established(&app, &world, new_group(top.id, "一组", None)).await;
    let rename = BranchChange { name: Some("甲".to_owned()), ..BranchChange::default() };
    assert_eq!(code(steps::change(&committee, which(other.id), rename).await), "ALREADY_EXISTS");
    let stale = Which { id: top.id, expected_version: Some(8) };
    assert_eq!(code(steps::end(&committee, stale, None, None).await), "VERSION_CONFLICT");
    assert_eq!(code(steps::end(&committee, which(top.id), None, None).await), "OTHERS_STAND_BELOW");
    let early = NewBranch { since: Some(day("2025-12-31")), ..new_group(top.id, "二组", None) };
    assert_eq!(code(steps::establish(&committee, world.town, early).await), "TOO_EARLY");
    // What is to come would be counted as if it were there.
    let late = NewBranch { since: Some(day("2026-01-06")), ..new_group(top.id, "二组", None) };
    assert_eq!(code(steps::establish(&committee, world.town, late).await), "TOO_LATE");
    assert_eq!(
        code(steps::end(&committee, which(group.id), Some(day("2026-01-06")), None).await),
        "TOO_LATE"
    );
    let rehosted = BranchChange {
        hosts: Some(vec![NewHost::Region(world.communities[1])]),
        hosts_since: Some(day("2026-01-06")),
        ..BranchChange::default()
    };
    assert_eq!(code(steps::change(&committee, which(top.id), rehosted).await), "TOO_LATE");
    assert_eq!(
        code(steps::end(&committee, which(group.id), Some(day("2025-12-31")), None).await),
        "TOO_EARLY"
    );
    steps::end(&committee, which(group.id), None, Some("合并")).await.expect("ended");
    app.advance(TimeDelta::minutes(1));
    steps::end(&committee, which(top.id), None, None).await.expect("ended");
    for refused in [
        code(steps::end(&committee, which(top.id), None, None).await),
        code(steps::change(&committee, which(top.id), BranchChange::default()).await),
        code(steps::count_members(&committee, which(top.id), 1, None).await),
    ] {
        assert_eq!(refused, "STATE_REFUSED");
    }
    let late = steps::establish(&committee, world.town, new_group(top.id, "三组", None)).await;
    assert_eq!(code(late), "PARENT_ENDED");
    assert_eq!(moved(&app, &world, group.id, Some(other.id)).await, "STATE_REFUSED");
    established(&app, &world, new_branch(&world, "甲")).await;
    // A branch ends no earlier than what stood below it, or than it was counted.
    let wide = established(&app, &world, new_branch(&world, "丙")).await;
    let below = established(&app, &world, new_group(wide.id, "一组", None)).await;
    steps::count_members(&committee, which(other.id), 3, None).await.expect("counted");
    app.advance(TimeDelta::days(3));
    steps::end(&committee, which(below.id), None, None).await.expect("ended");
    steps::count_members(&committee, which(other.id), 3, None).await.expect("counted");
    for id in [wide.id, other.id] {
        let early = steps::end(&committee, which(id), Some(day("2026-01-07")), None).await;
        assert_eq!(code(early), "TOO_EARLY");
        steps::end(&committee, which(id), Some(day("2026-01-08")), None).await.expect("ended");
    }
    // Where it was at home at the end is still told.
    let query = "query($id: ID!) { partyBranch(id: $id) { until hosts { region { name } } history { nodes { kind } } } }";
    let shown = app.client(world.observer).send(query, json!({ "id": id::encode(top.id) })).await;
    assert_eq!(shown.at("/partyBranch/until"), "2026-01-05");
    assert_eq!(shown.at("/partyBranch/hosts"), &json!([{ "region": { "name": "第1社区" } }]));
    assert_eq!(shown.at("/partyBranch/history/nodes/0/kind"), "PARTY_BRANCH_ENDED");
    app.run_background().await;
}

#[tokio::test]
async fn a_branch_serves_problems_tasks_and_whistles_of_its_alliance() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let beyond = World::build(&app, "632224").await;
    let committee = app.ctx(world.committee);
    let branch = established(&app, &world, new_branch(&world, "甲")).await;
    let problem = problem_in(&app, &world, problem::State::Triaged).await;
    let foreign = problem_in(&app, &beyond, problem::State::Triaged).await;
    let task = crate::priority_task::published(&app, &world).await;
    let (_, raw) = id::split(task.as_str().expect("an identifier")).expect("one of ours");
    let task = concord_entities::id::PriorityTaskId(raw);
    let whistle = approved(&app, &world, whistle::Kind::Enforcement).await;
    for matter in [Matter::Problem(problem.id), Matter::Task(task), Matter::Whistle(whistle.id)] {
        app.advance(TimeDelta::minutes(1));
        let link = async || matter::link(&committee, which(branch.id), matter).await;
        let (done, within) = app.statements_within(link).await;
        done.expect("linked");
        assert_eq!(within.len(), 5, "{within:#?}");
        assert_eq!(code(matter::link(&committee, which(branch.id), matter).await), "ALREADY_EXISTS");
        assert_eq!(code(matter::link(&app.ctx(world.staff), which(branch.id), matter).await), "FORBIDDEN");
    }
    for matter in [Matter::Problem(foreign.id), Matter::Whistle(app.system().new_id())] {
        assert_eq!(code(matter::link(&committee, which(branch.id), matter).await), "NOT_FOUND");
    }
    let query = "query($id: ID!, $p: ID!, $t: ID!, $w: ID!) {
        partyBranch(id: $id) { matters { problem { number } task { title } whistle { number } linkedBy { name } } }
        p: partyBranches(filter: { matter: { problemId: $p } }) { nodes { name } }
        t: partyBranches(filter: { matter: { taskId: $t } }) { nodes { name } }
        w: partyBranches(filter: { matter: { whistleId: $w } }) { nodes { name } } }";
    let given = json!({ "id": id::encode(branch.id), "p": id::encode(problem.id), "t": id::encode(task), "w": id::encode(whistle.id) });
    let shown = app.client(world.observer).send(query, given.clone()).await;
    let matters = shown.at("/partyBranch/matters").as_array().expect("matters").clone();
    assert_eq!(matters.len(), 3);
    assert_eq!(matters[0]["problem"]["number"], problem.number);
    assert_eq!(matters[2]["whistle"]["number"], whistle.number);
    for of in ["/p/nodes", "/t/nodes", "/w/nodes"] {
        assert_eq!(shown.at(of), &json!([{ "name": "甲" }]));
    }
    let outside = app.client(beyond.committee).send(query, given.clone()).await;
    assert!(outside.at("/partyBranch").is_null());
    assert_eq!(outside.at("/p/nodes"), &json!([]));
    // What was linked by mistake is taken back, stays on record, and may be linked again.
    let unlink = async |who, matter| matter::unlink(&app.ctx(who), which(branch.id), matter).await;
    let matter = Matter::Problem(problem.id);
    assert_eq!(code(unlink(world.staff, matter).await), "FORBIDDEN");
    assert_eq!(code(unlink(beyond.committee, matter).await), "NOT_FOUND");
    assert_eq!(code(unlink(world.committee, Matter::Problem(foreign.id)).await), "NOT_FOUND");
    let (done, within) = app.statements_within(async || unlink(world.committee, matter).await).await;
    done.expect("taken back");
    assert_eq!(within.len(), 5, "{within:#?}");
    assert_eq!(code(unlink(world.committee, matter).await), "NOT_LINKED");
    let shown = app.client(world.observer).send(query, given.clone()).await;
    assert_eq!(shown.at("/partyBranch/matters").as_array().expect("matters").len(), 2);
    assert_eq!((shown.at("/p/nodes"), shown.at("/t/nodes")), (&json!([]), &json!([{ "name": "甲" }])));
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM branch_matter").await, 3);
    let input =
        json!({ "input": { "branchId": id::encode(branch.id), "matter": { "taskId": id::encode(task) } } });
    let query = "mutation($input: UnlinkBranchMatterInput!) { unlinkBranchMatter(input: $input) {
        branch { matters { whistle { number } } history(first: 1) { nodes { kind } } } userErrors { code } } }";
    let answer = app.client(world.committee).send(query, input).await.fine();
    assert_eq!(answer.at("/unlinkBranchMatter/branch/matters").as_array().map(Vec::len), Some(1));
    matter::link(&committee, which(branch.id), matter).await.expect("linked again");
    app.run_background().await;
}

#[tokio::test]
async fn only_the_committee_changes_branches_and_secretaries_are_masked() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let beyond = World::build(&app, "632224").await;
    let secretary = Secretary { name: Some("欧阳明".to_owned()), phone: Some("13812345678".to_owned()) };
    let hosts = vec![NewHost::Organization(world.members[1])];
    let new = NewBranch { secretary, hosts, ..new_branch(&world, "甲") };
    let branch = established(&app, &world, new).await;
    for (who, expected) in [
        (world.observer, "FORBIDDEN"),
        (world.manager, "FORBIDDEN"),
        (world.officer, "FORBIDDEN"),
        (world.county_committee, "FORBIDDEN"),
        (beyond.committee, "NOT_FOUND"),
        (world.stranger, "NOT_FOUND"),
    ] {
        let ctx = app.ctx(who);
        assert_eq!(code(steps::establish(&ctx, world.town, new_branch(&world, "乙")).await), expected);
        assert_eq!(code(steps::change(&ctx, which(branch.id), BranchChange::default()).await), expected);
        assert_eq!(code(steps::count_members(&ctx, which(branch.id), 3, None).await), expected);
        assert_eq!(code(steps::end(&ctx, which(branch.id), None, None).await), expected);
    }
    let query = "query($id: ID!) { partyBranch(id: $id) { secretary { name phone masked } history { nodes { details { value } } } } }";
    let shown = async |who| {
        let answer = app.client(who).send(query, json!({ "id": id::encode(branch.id) })).await;
        assert!(!answer.at("/partyBranch/history").to_string().contains("欧阳"));
        answer.at("/partyBranch/secretary").clone()
    };
    let clear = json!({ "name": "欧阳明", "phone": "13812345678", "masked": false });
    assert_eq!(shown(world.committee).await, clear);
    // A unit that hosts it knows its secretary.
    assert_eq!(shown(world.staff).await, clear);
    let masked = json!({ "name": "欧**", "phone": "138****5678", "masked": true });
    assert_eq!(shown(world.other_staff).await, masked);
    assert_eq!(shown(world.observer).await, masked);
    app.run_background().await;
}

/// Runs a bulk of items.
async fn bulk(app: &TestApp, world: &World, key: Option<&str>, items: &Value) -> Answer {
    let query = "mutation($i: EstablishPartyBranchesInput!) { establishPartyBranches(input: $i) {
        results { index branch { name } userErrors { code field } } userErrors { code field } } }";
    let client = app.client(world.committee);
    let client = match key {
        Some(key) => client.keyed(key, 1),
        None => client,
    };
    client.send(query, json!({ "i": { "items": items } })).await
}

#[tokio::test]
async fn many_are_established_at_once_each_for_itself() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let top =
        established(&app, &world, NewBranch { member_count: Some(10), ..new_branch(&world, "甲") }).await;
    let group = |name: &str, members: i32| {
        json!({ "allianceId": id::encode(world.town), "kind": "PARTY_GROUP",
        "parentId": id::encode(top.id), "name": name, "memberCount": members })
    };
    let items =
        json!([group("一组", 6), group("二组", 6), group("一组", 1), group("三组", -1), group("四组", 4)]);
    let answer = bulk(&app, &world, Some("groups"), &items).await;
    let told: Vec<(Value, Value)> = answer
        .at("/establishPartyBranches/results")
        .as_array()
        .expect("results")
        .iter()
        .map(|result| (result["userErrors"][0]["code"].clone(), result["userErrors"][0]["field"].clone()))
        .collect();
    let of = |code: &str, field: &str| (json!(code), json!(field));
    assert_eq!(
        told,
        [
            (Value::Null, Value::Null),
            of("GROUPS_EXCEED_BRANCH", "input.items.1.memberCount"),
            of("ALREADY_EXISTS", "input.items.2.name"),
            of("OUT_OF_RANGE", "input.items.3.memberCount"),
            (Value::Null, Value::Null),
        ]
    );
    // Sent again under its key it answers the same, and nothing is established twice.
    let again = bulk(&app, &world, Some("groups"), &items).await;
    assert_eq!(
        answer.at("/establishPartyBranches/results/0/branch"),
        again.at("/establishPartyBranches/results/0/branch")
    );
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM party_branch").await, 3);
    assert_eq!(bulk(&app, &world, None, &json!([])).await.code().as_deref(), Some("REQUIRED"));
    let many: Vec<Value> = (0..501).map(|number| group(&format!("{number}"), 0)).collect();
    assert_eq!(bulk(&app, &world, None, &json!(many)).await.code().as_deref(), Some("OUT_OF_RANGE"));
    app.run_background().await;
}

#[tokio::test]
async fn what_is_moved_and_ended_on_one_day_was_where_it_was_before() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.ctx(world.committee);
    let branch = established(&app, &world, new_branch(&world, "甲")).await;
    let hosts = Some(vec![named(Host::Market, "集贸市场")]);
    steps::change(&committee, which(branch.id), BranchChange { hosts, ..BranchChange::default() })
        .await
        .expect("moved");
    steps::end(&committee, which(branch.id), None, None).await.expect("ended");
    // One that was established and ended on one day was where it was to be.
    let brief = NewBranch { since: None, name: "乙".to_owned(), ..new_branch(&world, "乙") };
    let brief = established(&app, &world, brief).await;
    steps::end(&committee, which(brief.id), None, None).await.expect("ended");
    for id in [branch.id, brief.id] {
        let query =
            "query($id: ID!) { partyBranch(id: $id) { isJoint hosts { kind name region { name } } } }";
        let shown = app.client(world.observer).send(query, json!({ "id": id::encode(id) })).await;
        let home = json!([{ "kind": "REGION", "name": null, "region": { "name": "第1社区" } }]);
        assert_eq!(shown.at("/partyBranch"), &json!({ "isJoint": false, "hosts": home }));
    }
}
