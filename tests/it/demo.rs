//! The demo: one story told through verbs, the same for the same day, whole on any day, closed to its neighbour.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use chrono::{DateTime, TimeZone, Utc};
use concord::{
    app::SystemClock,
    cli::demo::{self, Handout, Which},
    config::Config,
    domain::{App, chain, context::Clock},
};
use concord_entities::{
    account, evidence, membership, organization, priority_task, problem, region, rotation_slot,
    rotation_swap, service_team, service_team_member,
};
use concord_tests::Server;
use sea_orm::{ActiveEnum, ColumnTrait, EntityTrait, Iterable, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    demo_list,
    page::{self, README, README_ZH, Runner},
};

/// The story told up to an instant, in a folder of its own.
pub struct Told {
    folder: TempDir,
    pub app: Arc<App>,
    pub handout: Handout,
}

pub async fn tell(end: DateTime<Utc>) -> Told {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut config = Config::defaults();
    config.data.directory = folder.path().to_owned();
    config.identity.argon2_memory_kib = 64;
    config.identity.argon2_passes = 1;
    let (app, handout) = Box::pin(demo::create(config, Which::Xihai, end)).await.expect("the story is told");
    Told { folder, app, handout }
}

fn at(year: i32, month: u32, day: u32, hour: u32, minute: u32) -> DateTime<Utc> {
    chrono_tz::Asia::Shanghai
        .with_ymd_and_hms(year, month, day, hour, minute, 0)
        .single()
        .expect("an instant")
        .with_timezone(&Utc)
}

fn friday() -> DateTime<Utc> {
    at(2026, 11, 20, 10, 30)
}

/// Whether every state has its problems and tasks, and the events hold together.
async fn assert_whole(told: &Told, end: DateTime<Utc>) {
    let db = &told.app.read;
    let problems = problem::Entity::find().all(db).await.expect("problems");
    for state in problem::State::iter() {
        assert!(problems.iter().any(|problem| problem.state == state), "no problem is {state:?}");
    }
    assert!(
        problems
            .iter()
            .any(|problem| problem.state == problem::State::Triaged && problem.declined_count == 1)
    );
    assert!(
        problems
            .iter()
            .any(|problem| problem.state == problem::State::InProgress && problem.returned_count == 1)
    );
    let tasks = priority_task::Entity::find().all(db).await.expect("tasks");
    for state in priority_task::State::iter() {
        assert!(tasks.iter().any(|task| task.state == state), "no task is {state:?}");
    }
    let found = chain::verify(db, &chain::Marks::default()).await.expect("the chain is read");
    assert!(found.first_break.is_none());
    assert!(found.events > 900, "only {} events", found.events);
    // Nothing in the story lies ahead of its end.
    let latest = problems.iter().map(|problem| problem.recorded_at).max().expect("problems");
    assert!(latest <= end);
    demo_list::assert_every_kind(told).await;
}

#[tokio::test]
async fn the_story_holds_a_town_at_work() {
    let told = tell(friday()).await;
    let db = &told.app.read;
    assert_whole(&told, friday()).await;
    let members =
        membership::Entity::find().find_also_related(organization::Entity).all(db).await.expect("members");
    let town: Vec<_> = members
        .iter()
        .filter(|(seat, _)| told.handout.ids["alliance"] == *concord::graphql::id::encode(seat.alliance_id))
        .collect();
    assert_eq!(town.len(), 127);
    assert!(town.iter().all(|(_, unit)| unit.as_ref().is_some_and(|unit| unit.credit_code.is_some())));
    assert_eq!(service_team::Entity::find().count(db).await.expect("teams"), 12);
    assert_eq!(service_team_member::Entity::find().count(db).await.expect("units"), 116);
    let register = region::Entity::find().all(db).await.expect("regions");
    // And those of the stories of Beijing, Weihai, Nanyang, Leping and Shiyan.
    assert_eq!(register.len(), 1 + 1 + 4 + 32 + 255 + 4 + 2 + 8 + 7 + 12);
    let communities = register.iter().filter(|region| {
        region.code.as_ref().is_some_and(|code| code.len() == 12 && code.starts_with("632223101"))
    });
    assert_eq!(communities.count(), 4);
    let swaps = rotation_swap::Entity::find().all(db).await.expect("swaps");
    assert_eq!(swaps.iter().map(|swap| swap.state).collect::<Vec<_>>(), [rotation_swap::State::Approved]);
    let slots = rotation_slot::Entity::find()
        .order_by_asc(rotation_slot::Column::Number)
        .all(db)
        .await
        .expect("slots");
    let states: Vec<String> = slots.iter().map(|slot| slot.state.to_value()).collect();
    let expected: Vec<&str> =
        [["handed_over"; 7].as_slice(), &["in_service"], ["announced"; 4].as_slice()].concat();
    assert_eq!(states, expected);
    assert_eq!(slots.iter().map(|slot| slot.team_id).collect::<BTreeSet<_>>().len(), 12);
    assert!(evidence::Entity::find().count(db).await.expect("evidence") > 30);
    Box::pin(demo_list::assert_content(&told)).await;
}

#[tokio::test]
async fn scripts_sign_in_with_what_the_file_says_and_the_neighbour_sees_nothing() {
    // Served, it lives by the system's clock; so this story ends now.
    let told = tell(SystemClock.now()).await;
    let read = Handout::read(told.folder.path()).expect("the file parses").expect("the file is there");
    assert_eq!(read, told.handout);
    let server = Server::start(told.app.clone());
    let mut tokens = BTreeMap::new();
    for (part, account) in &read.accounts {
        let query = "mutation($input: SignInInput!) { signIn(input: $input) { tokens { accessToken } userErrors { code } } }";
        let input = json!({ "input": { "username": account.username, "password": account.password } });
        let answer = server.send(None, query, input).await.fine();
        tokens.insert(part.clone(), answer.text("/signIn/tokens/accessToken"));
    }
    let roles: BTreeSet<&str> =
        read.accounts.values().filter_map(|account| account.role.as_deref()).collect();
    assert_eq!(roles.len(), 8, "one account per role: {roles:?}");
    let query =
        "query($alliance: ID!, $plan: ID!, $problem: ID!, $task: ID!, $list: ID!, $unit: ID!, $slot: ID!) {
        alliance(id: $alliance) { members(first: 1) { totalCount } }
        rotationPlan(id: $plan) { fairnessReport { spread backToBack } }
        rotationSlot(id: $slot) { state }
        problem(id: $problem) { number state }
        priorityTask(id: $task) { state }
        taskList(id: $list) { title }
        problems(filter: { organizationId: $unit, open: true }) { totalCount }
    }";
    let ids = &read.ids;
    let variables = json!({
        "alliance": ids["alliance"], "plan": ids["plan"], "problem": ids["problem"], "task": ids["task"],
        "list": ids["taskList"], "unit": ids["organization"], "slot": ids["currentSlot"],
    });
    let seen = server.send(Some(&tokens["staff"]), query, variables.clone()).await.fine();
    assert_eq!(seen.at("/alliance/members/totalCount"), 127);
    assert!(seen.at("/rotationPlan/fairnessReport/spread").as_i64().expect("a number") <= 1);
    assert_eq!(seen.at("/problem/state"), "IN_PROGRESS");
    assert_eq!(seen.at("/priorityTask/state"), "IN_PROGRESS");
    assert!(seen.at("/problems/totalCount").as_i64().expect("a number") >= 4);
    let unseen = server.send(Some(&tokens["neighbour"]), query, variables.clone()).await;
    assert!(
        ["/alliance", "/rotationPlan", "/problem", "/priorityTask", "/taskList"]
            .iter()
            .all(|path| { unseen.at(path).is_null() })
    );
    assert_eq!(unseen.at("/problems/totalCount"), 0);
    // The neighbour's own problem, in turn, is nobody's in the town.
    let own = json!({ "id": ids["neighbourProblem"] });
    let ask = "query($id: ID!) { problem(id: $id) { number } }";
    assert!(
        server
            .send(Some(&tokens["neighbour"]), ask, own.clone())
            .await
            .text("/problem/number")
            .starts_with("沙柳河销")
    );
    assert!(server.send(Some(&tokens["committee"]), ask, own).await.at("/problem").is_null());
    // The dashboard reads counts, and no names.
    let counts = server.send(Some(&read.dashboard_key), query, variables).await.fine();
    assert_eq!(counts.at("/alliance/members/totalCount"), 127);
    // The first query of the pages, as it is written there.
    for page in [README, README_ZH] {
        let block = page::blocks_of(page, Runner::FirstQuery).remove(0);
        let script = block.text.replace("http://127.0.0.1:8080", &server.url(""));
        let output = std::process::Command::new("bash").args(["-euc", &script]).output().expect("bash runs");
        let answer = String::from_utf8_lossy(&output.stdout);
        assert!(answer.contains("\"nodes\":[{\"number\":\"西海销〔"), "{page}: {answer}");
    }
    // Whoever had something to look at finds it in the inbox.
    let inbox = "{ inbox(first: 1) { totalCount unreadCount } }";
    let waiting = server.send(Some(&tokens["staff"]), inbox, json!({})).await.fine();
    assert!(waiting.at("/inbox/totalCount").as_i64().expect("a number") > 0);
    let calendar = server.http.get(server.url(&read.calendar_feed)).send().await.expect("an answer");
    assert!(calendar.text().await.expect("a calendar").matches("BEGIN:VEVENT").count() >= 12);
    for (part, query) in read.queries() {
        let token = tokens.get(part).unwrap_or(&read.dashboard_key);
        let answer = server.send(Some(token), &query, json!({})).await;
        assert!(answer.0["errors"].is_null(), "{part}: {query}: {:#}", answer.0);
    }
}

#[tokio::test]
async fn the_same_day_tells_the_same_story_with_other_secrets() {
    let (once, again) = (tell(friday()).await, tell(friday()).await);
    assert_eq!(once.handout.ids, again.handout.ids);
    assert_eq!(once.handout.accounts, again.handout.accounts);
    assert_ne!(once.handout.dashboard_key, again.handout.dashboard_key);
    assert_ne!(once.handout.calendar_feed, again.handout.calendar_feed);
    let numbers = async |app: &App| {
        let problems = problem::Entity::find().order_by_asc(problem::Column::Id).all(&app.read).await;
        problems
            .expect("problems")
            .into_iter()
            .map(|problem| (problem.number, problem.title))
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers(&once.app).await, numbers(&again.app).await);
    // What signs tokens was never predictable.
    assert_ne!(key_files(once.folder.path()), key_files(again.folder.path()));
    let admins = account::Entity::find().filter(account::Column::IsPlatformAdmin.eq(true));
    assert_eq!(admins.count(&once.app.read).await.expect("accounts"), 1);
}

fn key_files(folder: &Path) -> BTreeSet<Vec<u8>> {
    std::fs::read_dir(folder.join("keys"))
        .expect("signing keys")
        .map(|entry| std::fs::read(entry.expect("an entry").path()).expect("a key"))
        .collect()
}

#[tokio::test]
async fn the_story_is_whole_in_the_first_minutes_of_a_year() {
    let end = at(2026, 1, 1, 0, 7);
    assert_whole(&tell(end).await, end).await;
}

#[tokio::test]
async fn the_story_is_whole_on_a_leap_day_at_night() {
    let end = at(2028, 2, 29, 23, 50);
    assert_whole(&tell(end).await, end).await;
}
