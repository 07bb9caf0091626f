//! Fifty personal values and the names to sign in with: put through the served product, looked for in all that outsiders
//! are answered and in the log, then erased and looked for in everything.

use std::fmt::Write as _;

use concord::{
    domain::{
        chain::{self, Marks},
        identity::api_key::{self, NewApiKey},
    },
    graphql::id,
};
use concord_tests::{
    TestApp, World,
    process::{Program, Served},
};
use serde_json::{Value, json};

use crate::erasure::texts;

const PASSWORD: &str = "correct horse battery";
const REPORTERS: u32 = 15;
const PEOPLE: u32 = 10;

/// A name and a number that stand nowhere else.
fn person(number: u32) -> (String, String) {
    let given = char::from_u32(0x6C00 + number * 7).expect("a character");
    (format!("慕容{given}"), format!("1371{:07}", 1_000_003 + number * 77_777))
}

/// Somebody who asks over the wire, and every answer that they got.
struct Caller {
    url: String,
    credential: String,
    heard: String,
}

impl Caller {
    async fn ask(&mut self, query: &str, variables: Value) -> Value {
        let request = reqwest::Client::new()
            .post(format!("{}/graphql", self.url))
            .bearer_auth(&self.credential)
            .json(&json!({ "query": query, "variables": variables }));
        let text = request.send().await.expect("an answer").text().await.expect("a text");
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        assert!(answer["errors"].is_null(), "{query}: {answer:#}");
        let refused =
            |payload: &Value| payload["userErrors"].as_array().is_some_and(|errors| !errors.is_empty());
        let data = answer["data"].as_object().expect("data");
        assert!(!data.values().any(refused), "{query}: {answer:#}");
        self.heard.push_str(&text);
        answer["data"].clone()
    }

    /// Reads everything that names people, item by item too.
    async fn read_all(&mut self, town: &str, ids: &[String]) {
        let lists = "query($town: ID!) {
            problems(filter: { allianceId: $town }, first: 50) { nodes { ...P } totalCount }
            changes(after: 0, allianceId: $town, first: 100) { events { ...E } }
            memberships(allianceId: $town, first: 50) { nodes { contact { name phone } organization { name } } }
            accounts(allianceId: $town, first: 50) { nodes { ...A } }
            inbox(first: 50) { nodes { event { ...E } } }
            me { ...A }
        }
        fragment P on Problem { title description place reporterName reporterPhone handler { name } verifier { name }
            approver { name } recordedBy { name } evidence { name note addedBy { name } } }
        fragment A on Account { id username displayName phone externalIdentities { subject } }
        fragment E on Event { kind actorName details { name value } subject { __typename ... on Account { ...A } } }";
        let is_key = self.credential.starts_with("cnc_key_");
        // A dashboard has no inbox and lists no people.
        let lists = if is_key {
            lists
                .replace("accounts(allianceId: $town, first: 50) { nodes { ...A } }", "")
                .replace("inbox(first: 50) { nodes { event { ...E } } }", "")
        } else {
            lists.to_owned()
        };
        self.ask(&lists, json!({ "town": town })).await;
        let one = "query($id: ID!) { node(id: $id) { __typename ... on Account { username displayName phone }
                ... on Problem { title description reporterName reporterPhone recordedBy { name } handler { name } } }
            history(id: $id, first: 50) { nodes { kind actorName details { name value } } } }";
        for id in ids {
            self.ask(one, json!({ "id": id })).await;
        }
    }
}

/// The words that stand in a text.
fn found<'a>(words: &'a [String], text: &str) -> Vec<&'a String> {
    words.iter().filter(|word| text.contains(word.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_personal_values_reach_no_outsider_and_leave_no_trace() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    for who in [world.committee, world.grid_officer, world.other_staff, world.admin] {
        app.give_password(who, PASSWORD).await;
    }
    let new = NewApiKey {
        name: "大屏".to_owned(),
        alliances: vec![world.town],
        expires_at: app.app.now() + chrono::TimeDelta::days(366),
        documents: None,
    };
    let (_, key) = api_key::create(&app.ctx(world.committee), new).await.expect("a key");
    let home = app.close().await;
    let program = Program::new(env!("CARGO_BIN_EXE_concord-under-test"));
    let data = home.directory.path().display().to_string();
    let mut settings = home.settings();
    settings.push(("CONCORD__LOG__FILTER", "trace"));
    // Far more than anybody asks in so short a time.
    settings.push(("CONCORD__HTTP__COST__USER__CAPACITY", "1000000"));
    settings.push(("CONCORD__HTTP__COST__KEY__CAPACITY", "1000000"));
    settings.push(("CONCORD__HTTP__COST__ANONYMOUS__CAPACITY", "1000000"));
    let served = Served::start(&program, &["serve", "--data", &data], &settings).await;
    let caller = |credential: String| Caller { url: served.url.clone(), credential, heard: String::new() };
    let sign_in = async |name: &str, password: &str| {
        let query =
            "mutation($i: SignInInput!) { signIn(input: $i) { tokens { accessToken } userErrors { code } } }";
        let body =
            json!({ "query": query, "variables": { "i": { "username": name, "password": password } } });
        let sent = reqwest::Client::new().post(format!("{}/graphql", served.url)).json(&body).send().await;
        let answer: Value = sent.expect("an answer").json().await.expect("JSON");
        let token = answer["data"]["signIn"]["tokens"]["accessToken"].as_str();
        caller(token.unwrap_or_else(|| panic!("{answer}")).to_owned())
    };
    let mut committee = sign_in("committee.632223", PASSWORD).await;
    let mut officer = sign_in("grid.632223", PASSWORD).await;
    let mut admin = sign_in("admin.632223", PASSWORD).await;
    let mut outsiders = [sign_in("other.632223", PASSWORD).await, caller(key)];
    let town = id::encode(world.town).to_string();
    let (mut words, mut problems, mut people) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..REPORTERS {
        let (name, phone) = person(number);
        let register = "mutation($i: RegisterProblemInput!) { registerProblem(input: $i) { problem { id } userErrors { code } } }";
        let input = json!({ "i": {
            "allianceId": town, "title": "路灯不亮", "description": "夜里看不见", "category": "照明",
            "channel": "GRID_OFFICER", "reporterName": name, "reporterPhone": phone,
        } });
        let made = officer.ask(register, input).await;
        let id = made["registerProblem"]["problem"]["id"].as_str().expect("an identifier").to_owned();
        let reveal = "mutation($i: RevealReporterInput!) { revealReporter(input: $i) { reporterName userErrors { code } } }";
        let seen = committee.ask(reveal, json!({ "i": { "problemId": id, "reason": "回访" } })).await;
        assert_eq!(seen["revealReporter"]["reporterName"], name);
        words.extend([name, phone]);
        problems.push(id);
    }
    for number in REPORTERS..REPORTERS + PEOPLE {
        let (name, phone) = person(number);
        let username = format!("murong.{number}");
        let invite = "mutation($i: InviteAccountInput!) { inviteAccount(input: $i) { account { id } link { token } userErrors { code } } }";
        let input = json!({ "i": {
            "allianceId": town, "username": username, "displayName": name, "phone": phone, "role": "MEMBER_STAFF",
            "organizationId": id::encode(world.members[1]),
        } });
        let made = committee.ask(invite, input).await;
        let redeem = "mutation($i: RedeemAccountLinkInput!) { redeemAccountLink(input: $i) { username userErrors { code } } }";
        let token = &made["inviteAccount"]["link"]["token"];
        committee.ask(redeem, json!({ "i": { "token": token, "password": PASSWORD } })).await;
        // They act, so that events and problems name them.
        let mut own = sign_in(&username, PASSWORD).await;
        let register = "mutation($i: RegisterProblemInput!) { registerProblem(input: $i) { problem { id } userErrors { code } } }";
        let input = json!({ "i": {
            "allianceId": town, "title": "井盖松动", "description": "车过有响声", "category": "道路", "channel": "PATROL",
        } });
        let registered = own.ask(register, input).await;
        problems
            .push(registered["registerProblem"]["problem"]["id"].as_str().expect("an identifier").to_owned());
        people.push(made["inviteAccount"]["account"]["id"].as_str().expect("an identifier").to_owned());
        words.extend([name, phone, username]);
    }
    assert_eq!(words.len(), 60, "fifty values, and ten names to sign in with");
    let ids: Vec<String> = problems.iter().chain(&people).cloned().collect();
    for outsider in &mut outsiders {
        outsider.read_all(&town, &ids).await;
        assert!(outsider.heard.contains("慕**"), "they see that somebody acted");
        assert_eq!(found(&words, &outsider.heard), Vec::<&String>::new());
    }
    admin.read_all(&town, &ids).await;
    assert!(found(&words, &admin.heard).len() >= 20, "whoever may see them does");
    let before = committee.ask(COUNTS, json!({ "town": town })).await;
    for problem in problems.iter().take(15) {
        let erase = "mutation($i: EraseReporterInput!) { eraseReporter(input: $i) { problem { id } userErrors { code } } }";
        committee.ask(erase, json!({ "i": { "problemId": problem, "reason": "期限已满" } })).await;
    }
    for account in &people {
        let disable = "mutation($i: DisableAccountInput!) { disableAccount(input: $i) { account { id } userErrors { code } } }";
        admin.ask(disable, json!({ "i": { "accountId": account } })).await;
        let erase = "mutation($i: EraseAccountInput!) { eraseAccount(input: $i) { account { id } userErrors { code } } }";
        admin.ask(erase, json!({ "i": { "accountId": account, "reason": "期限已满" } })).await;
    }
    assert_eq!(committee.ask(COUNTS, json!({ "town": town })).await, before, "every count stays");
    for insider in [&mut admin, &mut committee] {
        insider.heard.clear();
        insider.read_all(&town, &ids).await;
        assert!(insider.heard.contains("已注销"));
        assert_eq!(found(&words, &insider.heard), Vec::<&String>::new());
    }
    let log = served.log();
    assert!(log.contains("TRACE") && log.len() > 50_000, "all that can be logged is: {} bytes", log.len());
    assert_eq!(found(&words, &log), Vec::<&String>::new());
    drop(served);
    let app = TestApp::on(home).await;
    let mut all = String::new();
    for (place, text) in texts(&app).await {
        writeln!(all, "{place}: {text}").expect("a text grows");
    }
    let line = |word: &&String| all.lines().find(|line| line.contains(word.as_str())).unwrap_or_default();
    assert_eq!(found(&words, &all).iter().map(line).collect::<Vec<_>>(), Vec::<&str>::new());
    app.run_background().await;
    let verified = chain::verify(&app.app.read, &Marks::default()).await.expect("the walk ends");
    assert_eq!(verified.first_break, None);
}

const COUNTS: &str = "query($town: ID!) {
    problems(filter: { allianceId: $town }, first: 1) { totalCount }
    accounts(allianceId: $town, first: 1) { totalCount }
    alliance(id: $town) { problemCounts { open total } }
}";
