//! The small stories of the demo, of whistles, grids and branches, asked by their own clerks as the page shows.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use concord::app::SystemClock;
use concord::domain::context::Clock;
use concord_tests::Server;
use serde_json::{Value, json};

use crate::demo::tell;

/// Whoever a part of the demo signs in as.
async fn tokens(server: &Server, told: &crate::demo::Told, parts: &[&str]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for part in parts {
        let account = &told.handout.accounts[*part];
        let query = "mutation($input: SignInInput!) { signIn(input: $input) { tokens { accessToken } userErrors { code } } }";
        let input = json!({ "input": { "username": account.username, "password": account.password } });
        let answer = server.send(None, query, input).await.fine();
        found.insert((*part).to_owned(), answer.text("/signIn/tokens/accessToken"));
    }
    found
}

#[tokio::test]
async fn five_places_tell_their_small_stories_and_none_sees_the_others() {
    let end = SystemClock.now();
    let told = tell(end).await;
    let server = Server::start(told.app.clone());
    let parts = ["beijing", "weihai", "nanyang", "leping", "shiyan", "committee", "county"];
    let tokens = tokens(&server, &told, &parts).await;
    let ids = &told.handout.ids;
    beijing(&server, &tokens, (&ids["beijingAlliance"], &ids["whistle"]), end).await;
    weihai(&server, &tokens, &ids["weihaiAlliance"]).await;
    nanyang(&server, &tokens, &ids["nanyangAlliance"], &ids["nanyangBuilding"]).await;
    leping(&server, &tokens, &ids["lepingAlliance"]).await;
    shiyan(&server, &tokens, &ids["shiyanAlliance"]).await;
}

const WHISTLES: &str = "query($a: ID!, $whistle: ID!, $from: Date!, $to: Date!, $month: YearMonth!) {
    alliance(id: $a) { name } whistle(id: $whistle) { title }
    whistles(filter: { allianceId: $a }) { totalCount nodes { kind title state refusedCount backstopOrganization { name }
        responses { organization { name } state solved score evaluation refusals isBackstop reason place headCount
            calledAt reportInDueAt onSiteAt proposedOrganization { name } insteadOf { organization { name } } } } }
    whistleStatistics(input: { of: { allianceId: $a }, from: $from, to: $to }) { period {
        responseRate { ...R } resolutionRate { ...R } satisfactionRate { ...R } } }
    departmentRanking(allianceId: $a, month: $month, over: WHISTLES) { departments { nodes { place score organization { name }
        resolutionRate { numerator denominator } satisfactionRate { numerator denominator } } } } }
    fragment R on WhistleRate { numerator denominator excluded { measure count } }";

const MANAGEMENT: &str = "区城市管理委";
const ENFORCEMENT: &str = "区城管执法局";
const MARKETS: &str = "区市场监管局";
const FIRE: &str = "区消防救援支队";
const HOUSING: &str = "区住房城乡建设委";

/// What a field says of each object of a list, such as `/organization/name`.
fn each<'list>(list: &'list Value, field: &str) -> Vec<&'list Value> {
    let list = list.as_array().expect("a list");
    list.iter().map(|one| one.pointer(field).expect("a field")).collect()
}

fn instant(value: &Value) -> DateTime<Utc> {
    value.as_str().expect("an instant").parse().expect("an instant")
}

/// A subdistrict's whistles: one answered, evaluated and released; one that two refused, so that it lies with the backstop unit; and an
/// emergency to which one has come and one may still come.
async fn beijing(
    server: &Server,
    tokens: &BTreeMap<String, String>,
    (alliance, whistle): (&str, &str),
    end: DateTime<Utc>,
) {
    let day = |days| (end + TimeDelta::days(days)).date_naive().to_string();
    // The month in which the town evaluated: it may be another one than that of the other whistles.
    let evaluated = (end - TimeDelta::days(9)).with_timezone(&chrono_tz::Asia::Shanghai);
    let given = json!({ "a": alliance, "whistle": whistle, "from": day(-30), "to": day(1),
        "month": evaluated.format("%Y-%m").to_string() });
    let shown = server.send(Some(&tokens["beijing"]), WHISTLES, given.clone()).await.fine();
    assert_eq!(shown.at("/whistles/totalCount"), 3);
    let [emergency, refused, released] = shown.at("/whistles/nodes").as_array().expect("whistles").as_slice()
    else {
        panic!("{shown:?}")
    };
    assert_eq!(shown.at("/whistle/title"), &released["title"]);
    assert_eq!(
        (&released["kind"], &released["state"], &released["refusedCount"]),
        (&json!("ENFORCEMENT"), &json!("RELEASED"), &json!(0))
    );
    let calls = &released["responses"];
    assert_eq!(each(calls, "/organization/name"), [ENFORCEMENT, MARKETS, FIRE]);
    for (field, expected) in [
        ("/state", json!("RELEASED")),
        ("/solved", json!("YES")),
        ("/score", json!(5)),
        ("/evaluation", json!("到场及时，处置到位")),
        ("/headCount", json!(4)),
    ] {
        assert_eq!(each(calls, field), [&expected; 3], "{field}");
    }
    assert_eq!(
        (&refused["kind"], &refused["state"], &refused["refusedCount"]),
        (&json!("PRIORITY_WORK"), &json!("SOUNDED"), &json!(2))
    );
    let calls = &refused["responses"];
    assert_eq!(refused["backstopOrganization"]["name"], MANAGEMENT);
    assert_eq!(each(calls, "/organization/name"), [HOUSING, ENFORCEMENT, MANAGEMENT]);
    assert_eq!(each(calls, "/state"), ["REROUTED", "REROUTED", "CALLED"]);
    assert_eq!(each(calls, "/refusals"), [0, 1, 2]);
    assert_eq!(each(calls, "/isBackstop"), [false, false, true]);
    assert_eq!(
        [&calls[0], &calls[1]].map(|call| &call["proposedOrganization"]["name"]),
        [ENFORCEMENT, HOUSING]
    );
    assert!(calls[0]["reason"].as_str().is_some_and(|reason| reason.contains("不属本委职责")));
    assert_eq!(
        [&calls[1], &calls[2]].map(|call| &call["insteadOf"]["organization"]["name"]),
        [HOUSING, ENFORCEMENT]
    );
    assert_eq!((&emergency["kind"], &emergency["state"]), (&json!("EMERGENCY"), &json!("SOUNDED")));
    let calls = &emergency["responses"];
    assert_eq!(each(calls, "/organization/name"), [FIRE, MANAGEMENT]);
    assert_eq!(each(calls, "/state"), ["ON_SITE", "CALLED"]);
    assert_eq!((&calls[0]["place"], &calls[0]["headCount"]), (&json!("锡拉胡同口"), &json!(8)));
    for call in calls.as_array().expect("calls") {
        assert_eq!(instant(&call["reportInDueAt"]) - instant(&call["calledAt"]), TimeDelta::minutes(30));
    }
    assert!(instant(&calls[0]["onSiteAt"]) < instant(&calls[0]["reportInDueAt"]));
    // Four of the five that were due came in time: the backstop unit did not, and of the emergency one may still come.
    let rates = shown.at("/whistleStatistics/period");
    let share = |rate: &str| (rates[rate]["numerator"].clone(), rates[rate]["denominator"].clone());
    assert_eq!(share("responseRate"), (json!(4), json!(5)));
    assert_eq!(
        (share("resolutionRate"), share("satisfactionRate")),
        ((json!(3), json!(3)), (json!(3), json!(3)))
    );
    assert_eq!(
        rates["responseRate"]["excluded"],
        json!([{ "measure": "CALLED_EXCUSED", "count": 0 }, { "measure": "CALLED_REROUTED", "count": 2 },
            { "measure": "CALLED_PENDING", "count": 1 }])
    );
    // The three whose work the town praised share the first place.
    let ranked = shown.at("/departmentRanking/departments/nodes").as_array().expect("departments").clone();
    let (best, others): (Vec<Value>, Vec<Value>) = ranked.into_iter().partition(|unit| unit["place"] == 1);
    let mut names = each(&json!(best), "/organization/name").into_iter().cloned().collect::<Vec<_>>();
    names.sort_unstable_by_key(|name| [ENFORCEMENT, MARKETS, FIRE].iter().position(|known| name == known));
    assert_eq!(names, [ENFORCEMENT, MARKETS, FIRE]);
    for unit in &best {
        let one = json!({ "numerator": 1, "denominator": 1 });
        assert_eq!((&unit["score"], &unit["resolutionRate"]), (&json!(1.0), &one), "{unit}");
        assert_eq!(unit["satisfactionRate"], one, "{unit}");
    }
    assert!(others.iter().all(|unit| unit["score"] != 1.0), "{others:?}");
    for outsider in ["committee", "county", "weihai"] {
        let outside = server.send(Some(&tokens[outsider]), WHISTLES, given.clone()).await;
        for field in ["alliance", "whistle", "whistleStatistics", "departmentRanking"] {
            assert!(outside.at(&format!("/{field}")).is_null(), "{field} for {outsider}");
        }
        assert_eq!(outside.at("/whistles"), &json!({ "totalCount": 0, "nodes": [] }), "{outsider}");
    }
}

const FIGURES: &str = "total own joint temporary instructor uncovered organizationCovered workCovered
    places(first: 50) { nodes { name by branches { name } instructors { person { name } } } }";

/// Every place with what covers it.
fn covered(figures: &Value) -> Vec<(String, String)> {
    let places = figures["places"]["nodes"].as_array().expect("places");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    places.iter().map(|place| (text(&place["name"]), text(&place["by"]))).collect()
}

/// A couriers' branch at home in stations and with the companies that they ride for, its groups by company.
async fn leping(server: &Server, tokens: &BTreeMap<String, String>, alliance: &str) {
    let query = format!(
        "query($a: ID!) {{ partyBranches(filter: {{ allianceId: $a, joint: true }}) {{ nodes {{ name memberCount membersBelow
            hosts {{ kind name }} children {{ nodes {{ kind memberCount }} }} }} }}
        alliance(id: $a) {{ branchCoverage {{ enterprises: figures(kind: ENTERPRISE) {{ {FIGURES} }}
            markets: figures(kind: MARKET) {{ {FIGURES} }} communities: figures(kind: COMMUNITY) {{ {FIGURES} }} }} }} }}"
    );
    let shown = server.send(Some(&tokens["leping"]), &query, json!({ "a": alliance })).await.fine();
    let couriers = &shown.at("/partyBranches/nodes")[0];
    assert_eq!((&couriers["memberCount"], &couriers["membersBelow"]), (&json!(18), &json!(15)));
    let kinds: Vec<&str> = couriers["hosts"]
        .as_array()
        .expect("hosts")
        .iter()
        .filter_map(|host| host["kind"].as_str())
        .collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "COURIER_STATION").count(), 2);
    assert_eq!(kinds.iter().filter(|kind| **kind == "ORGANIZATION").count(), 2);
    let coverage = shown.at("/alliance/branchCoverage");
    let figure = |kind: &str, field: &str| coverage[kind][field].as_i64().expect("a number");
    let three = |kind: &str| ["total", "organizationCovered", "workCovered"].map(|field| figure(kind, field));
    assert_eq!(three("enterprises"), [3, 2, 3]);
    assert_eq!(three("markets"), [1, 0, 1]);
    assert_eq!(three("communities"), [3, 1, 1]);
    let by: Vec<String> = covered(&coverage["enterprises"]).into_iter().map(|(_, by)| by).collect();
    assert_eq!(by.iter().filter(|by| *by == "JOINT").count(), 2);
    let outside = server.send(Some(&tokens["committee"]), &query, json!({ "a": alliance })).await;
    assert!(outside.at("/alliance").is_null() && outside.at("/partyBranches/nodes") == &json!([]));
}

/// Compounds with a branch of their own, with a joint one, with a temporary one, with an instructor, and one with nothing.
async fn shiyan(server: &Server, tokens: &BTreeMap<String, String>, alliance: &str) {
    let query = format!(
        "query($a: ID!) {{ alliance(id: $a) {{ branchCoverage {{ figures(kind: COMPOUND) {{ {FIGURES} }} }} }} }}"
    );
    let shown = server.send(Some(&tokens["shiyan"]), &query, json!({ "a": alliance })).await.fine();
    let figures = shown.at("/alliance/branchCoverage/figures");
    let of = |field: &str| figures[field].as_i64().expect("a number");
    assert_eq!(["own", "joint", "temporary", "instructor", "uncovered"].map(of), [2, 1, 1, 1, 1]);
    assert_eq!(["total", "organizationCovered", "workCovered"].map(of), [6, 3, 5]);
    let mut found = covered(figures);
    found.sort_unstable();
    let mut expected = [
        ("阳光花园", "OWN"),
        ("东城雅居", "OWN"),
        ("翠竹苑", "JOINT"),
        ("龚家湾新村", "TEMPORARY"),
        ("滨河小区", "INSTRUCTOR"),
        ("车城家园", "NOTHING"),
    ]
    .map(|(name, by)| (name.to_owned(), by.to_owned()));
    expected.sort_unstable();
    assert_eq!(found, expected);
}

/// Thirteen branches in distant-water fleets with 390 members in groups, and one in each of 46 cooperatives, which 163 shipowners joined.
async fn weihai(server: &Server, tokens: &BTreeMap<String, String>, alliance: &str) {
    let query =
        "query($a: ID!, $kind: PartyBranchKind, $afloat: Boolean, $after: String) { alliance(id: $a) {
        partyBranchCounts { branches groups joint afloat members }
        partyBranches(filter: { kind: $kind, afloat: $afloat, standing: true }, first: 100, after: $after) {
            nodes { name memberCount membersBelow isAfloat hosts { kind name region { name } } } } } }";
    let ask = async |who: &str, given: Value| {
        let mut all = json!({ "a": alliance });
        for (name, value) in given.as_object().expect("variables") {
            all[name] = value.clone();
        }
        server.send(Some(&tokens[who]), query, all).await
    };
    let sum =
        |nodes: &[Value], field: &str| nodes.iter().filter_map(|node| node[field].as_i64()).sum::<i64>();
    let at_sea = ask("weihai", json!({ "afloat": true })).await;
    let fleets = at_sea.at("/alliance/partyBranches/nodes").as_array().expect("branches").clone();
    assert_eq!(fleets.len(), 13);
    assert_eq!(sum(&fleets, "membersBelow"), 390);
    let groups = ask("weihai", json!({ "kind": "PARTY_GROUP" })).await;
    let groups = groups.at("/alliance/partyBranches/nodes").as_array().expect("groups").clone();
    assert_eq!(sum(&groups, "memberCount"), 390);
    let branches = ask("weihai", json!({ "kind": "BRANCH" })).await;
    let branches = branches.at("/alliance/partyBranches/nodes").as_array().expect("branches").clone();
    assert_eq!(branches.len(), 13 + 46);
    let inshore: Vec<Value> =
        branches.iter().filter(|branch| branch["hosts"][0]["kind"] == "COOPERATIVE").cloned().collect();
    assert_eq!(inshore.len(), 46);
    assert_eq!(sum(&inshore, "memberCount"), 163);
    // None of them has a community.
    for branch in &branches {
        let hosts = branch["hosts"].as_array().expect("hosts");
        assert!(hosts.len() == 1 && hosts[0]["region"].is_null(), "{branch}");
    }
    assert_eq!(
        at_sea.at("/alliance/partyBranchCounts"),
        &json!({ "branches": 59, "groups": 39, "joint": 0, "afloat": 13, "members": 390 + 163 })
    );
    assert!(ask("committee", json!({})).await.at("/alliance").is_null());
}

/// Three networks over one place, a joint branch of several hosts, and one person in two roles.
async fn nanyang(server: &Server, tokens: &BTreeMap<String, String>, alliance: &str, building: &str) {
    let query = "query($a: ID!, $r: ID!) { gridOverlay(allianceId: $a, regionId: $r) { networks { kind isHole
            cells { cell { code category } officers { role person { name } alsoHolds { role } } } } }
        partyBranches(filter: { allianceId: $a, joint: true }) { nodes { name hosts { kind } } }
        centre: partyBranches(filter: { allianceId: $a, joint: false }) { nodes { name hosts { organization { name } } } }
        alliance(id: $a) { gridNetworks { kind gaps { totalCount } overlaps { totalCount } } } }";
    let given = json!({ "a": alliance, "r": building });
    let shown = server.send(Some(&tokens["nanyang"]), query, given.clone()).await.fine();
    let networks = shown.at("/gridOverlay/networks").as_array().expect("networks").clone();
    let codes: Vec<Vec<&str>> = networks
        .iter()
        .map(|network| {
            let cells = network["cells"].as_array().expect("cells");
            cells.iter().filter_map(|cell| cell["cell"]["code"].as_str()).collect()
        })
        .collect();
    assert_eq!(codes, [vec!["D-01"], vec!["Z-S1", "Z-01"], vec!["J-01"]]);
    assert!(networks.iter().all(|network| network["isHole"] == false));
    let officers = networks[1]["cells"][1]["officers"].as_array().expect("officers").clone();
    let director = officers.iter().find(|post| post["role"] == "SECURITY_DIRECTOR").expect("the director");
    assert_eq!(director["alsoHolds"], json!([{ "role": "AUXILIARY_POLICE" }]));
    let centre = json!({ "name": "官庄镇综治中心党支部", "hosts": [{ "organization": { "name": "官庄镇综治中心" } }] });
    assert_eq!(shown.at("/centre/nodes"), &json!([centre]));
    let joint = shown.at("/partyBranches/nodes").clone();
    assert_eq!(joint.as_array().map(Vec::len), Some(1));
    assert_eq!(joint[0]["hosts"].as_array().map(Vec::len), Some(4));
    for network in shown.at("/alliance/gridNetworks").as_array().expect("networks") {
        assert_eq!(
            (&network["gaps"]["totalCount"], &network["overlaps"]["totalCount"]),
            (&json!(0), &json!(0))
        );
    }
    let outside = server.send(Some(&tokens["committee"]), query, given).await;
    assert!(outside.at("/gridOverlay").is_null() && outside.at("/alliance").is_null());
}
