//! Swaps: both teams agree, the committee approves; what is stale or overlaps is refused, and of two approvals one wins.

use concord::graphql::id;
use concord_entities::id::AccountId;
use concord_tests::{Answer, TestApp};
use serde_json::{Value, json};

use super::{ASSIGN, BLOCK, Town, events, teams};

const PROPOSE: &str = "mutation($input: ProposeSwapInput!) {
    proposeSwap(input: $input) {
        rotationSwap { id state firstByCommittee secondByCommittee firstTeam { name } secondTeam { name } }
        userErrors { code field message }
    }
}";

/// A town of four teams whose first half year is published.
async fn town(app: &TestApp) -> (Town, String) {
    let town = Town::build(app, "632223", 4).await;
    let plan = town.published(app, "2026-02", 6).await;
    (town, plan)
}

async fn propose(app: &TestApp, who: AccountId, first: &str, second: &str) -> Answer {
    let input = json!({ "firstSlotId": first, "secondSlotId": second, "reason": "年终决算" });
    app.client(who).send(PROPOSE, json!({ "input": input })).await
}

/// Takes a step of a swap.
async fn step(app: &TestApp, who: AccountId, mutation: &str, swap: &str) -> Answer {
    let input = match mutation {
        "agreeSwap" => "AgreeSwapInput",
        "approveSwap" => "ApproveSwapInput",
        _ => "CloseSwapInput",
    };
    let document = format!(
        "mutation($input: {input}!) {{ {mutation}(input: $input) {{
            rotationSwap {{ state firstByCommittee secondByCommittee }} userErrors {{ code field message }} }} }}"
    );
    app.client(who).send(&document, json!({ "input": { "swapId": swap } })).await
}

fn is(answer: &Answer, code: &str) {
    assert_eq!(answer.code().as_deref(), Some(code), "{:#}", answer.0);
}

/// Proposes a swap of the first two turns, agreed by both teams.
async fn agreed(app: &TestApp, town: &Town, plan: &str) -> String {
    let (first, second) = (town.slot(app, plan, 1).await, town.slot(app, plan, 2).await);
    let swap = propose(app, town.world.manager, &first, &second).await.fine();
    let swap = swap.text("/proposeSwap/rotationSwap/id");
    step(app, town.second_manager, "agreeSwap", &swap).await.fine();
    swap
}

#[tokio::test]
async fn two_teams_change_places() {
    let app = TestApp::new().await;
    let (town, plan) = town(&app).await;
    let world = &town.world;
    let (first, second) = (town.slot(&app, &plan, 1).await, town.slot(&app, &plan, 2).await);
    for (who, code) in [
        (world.staff, "FORBIDDEN"),
        (town.second_manager, "FORBIDDEN"),
        (world.observer, "FORBIDDEN"),
        (world.stranger, "NOT_FOUND"),
    ] {
        is(&propose(&app, who, &first, &second).await, code);
    }
    let made = propose(&app, world.manager, &first, &second).await.fine();
    let shown = made.at("/proposeSwap/rotationSwap");
    assert_eq!((&shown["state"], &shown["firstByCommittee"]), (&json!("PROPOSED"), &json!(false)));
    assert_eq!(
        (&shown["firstTeam"]["name"], &shown["secondTeam"]["name"]),
        (&json!("第1服务队"), &json!("第2服务队"))
    );
    let swap = made.text("/proposeSwap/rotationSwap/id");
    is(&step(&app, world.committee, "approveSwap", &swap).await, "STATE_REFUSED");
    is(&step(&app, world.manager, "agreeSwap", &swap).await, "FORBIDDEN");
    let done = step(&app, town.second_manager, "agreeSwap", &swap).await.fine();
    assert_eq!(done.text("/agreeSwap/rotationSwap/state"), "AGREED");
    is(&step(&app, world.manager, "approveSwap", &swap).await, "FORBIDDEN");
    let done = step(&app, world.committee, "approveSwap", &swap).await.fine();
    assert_eq!(done.text("/approveSwap/rotationSwap/state"), "APPROVED");
    assert_eq!(town.duty(&app, &plan).await, teams(&[2, 1, 3, 4, 1, 2]));
    is(&step(&app, world.committee, "approveSwap", &swap).await, "STATE_REFUSED");
    // What the teams agreed on survives the generator.
    town.step(&app, "generateRotation", &plan).await.fine();
    assert_eq!(town.duty(&app, &plan).await[..2], teams(&[2, 1]));
    assert_eq!(events(&app, "rotation_swap_approved").await, 1);
    assert_eq!(events(&app, "rotation_slot_assigned").await, 2);
    app.run_background().await;
}

#[tokio::test]
async fn the_committee_acts_for_one_team_only() {
    let app = TestApp::new().await;
    let (town, plan) = town(&app).await;
    let world = &town.world;
    let (first, second) = (town.slot(&app, &plan, 1).await, town.slot(&app, &plan, 2).await);
    let made = propose(&app, world.committee, &first, &second).await.fine();
    assert_eq!(made.at("/proposeSwap/rotationSwap/firstByCommittee"), true);
    let swap = made.text("/proposeSwap/rotationSwap/id");
    is(&step(&app, world.committee, "agreeSwap", &swap).await, "SWAP_NEEDS_TEAM");
    let done = step(&app, town.second_manager, "agreeSwap", &swap).await.fine();
    assert_eq!(done.text("/agreeSwap/rotationSwap/state"), "AGREED");
    step(&app, world.committee, "withdrawSwap", &swap).await.fine();
    // The other way round: the team asks, the committee answers for the other.
    let made = propose(&app, world.manager, &first, &second).await.fine();
    let swap = made.text("/proposeSwap/rotationSwap/id");
    let done = step(&app, world.committee, "agreeSwap", &swap).await.fine();
    assert_eq!(
        done.at("/agreeSwap/rotationSwap"),
        &json!({ "state": "AGREED", "firstByCommittee": false, "secondByCommittee": true })
    );
}

#[tokio::test]
async fn a_stale_swap_is_refused() {
    let app = TestApp::new().await;
    let (town, plan) = town(&app).await;
    let swap = agreed(&app, &town, &plan).await;
    let hand =
        |team: usize| json!({ "input": { "planId": plan, "slotNumber": 2, "teamId": town.team(team) } });
    let committee = app.client(town.world.committee);
    committee.send(ASSIGN, hand(3)).await.fine();
    is(&step(&app, town.world.committee, "approveSwap", &swap).await, "SWAP_STALE");
    // Even when the same team is back: the turn is not the one that was agreed on.
    committee.send(ASSIGN, hand(2)).await.fine();
    is(&step(&app, town.world.committee, "approveSwap", &swap).await, "SWAP_STALE");
    assert_eq!(town.duty(&app, &plan).await[..2], teams(&[1, 2]));
    step(&app, town.world.manager, "withdrawSwap", &swap).await.fine();
    let swap = agreed(&app, &town, &plan).await;
    // A turn that has begun is not swapped any more.
    app.set_now("2026-02-01T01:00:00Z".parse().unwrap());
    is(&step(&app, town.world.committee, "approveSwap", &swap).await, "SWAP_STALE");
}

#[tokio::test]
async fn swaps_do_not_overlap() {
    let app = TestApp::new().await;
    let (town, plan) = town(&app).await;
    let mut slots = Vec::new();
    for number in 1..=5 {
        slots.push(town.slot(&app, &plan, number).await);
    }
    let committee = town.world.committee;
    let swap = agreed(&app, &town, &plan).await;
    is(&propose(&app, committee, &slots[1], &slots[2]).await, "SWAP_OVERLAPS");
    is(&propose(&app, committee, &slots[2], &slots[0]).await, "SWAP_OVERLAPS");
    is(&propose(&app, committee, &slots[0], &slots[4]).await, "SWAP_POINTLESS");
    is(&propose(&app, committee, &slots[0], &slots[0]).await, "SWAP_POINTLESS");
    propose(&app, committee, &slots[2], &slots[3]).await.fine();
    let open = "query($id: ID!) { rotationSlot(id: $id) { openSwap { id } } }";
    let seen = app.client(town.world.observer).send(open, json!({ "id": slots[1] })).await.fine();
    assert_eq!(seen.text("/rotationSlot/openSwap/id"), swap);
    // Declined by the team that was asked, its turns are free again.
    is(&step(&app, town.world.manager, "declineSwap", &swap).await, "FORBIDDEN");
    let done = step(&app, town.second_manager, "declineSwap", &swap).await.fine();
    assert_eq!(done.text("/declineSwap/rotationSwap/state"), "DECLINED");
    is(&step(&app, town.second_manager, "declineSwap", &swap).await, "STATE_REFUSED");
    propose(&app, town.world.manager, &slots[0], &slots[1]).await.fine();
}

#[tokio::test]
async fn blocks_bind_swaps_too() {
    let app = TestApp::new().await;
    let (town, plan) = town(&app).await;
    let (first, second) = (town.slot(&app, &plan, 1).await, town.slot(&app, &plan, 2).await);
    let swap = agreed(&app, &town, &plan).await;
    let input = json!({ "planId": plan, "teamId": town.team(1), "slotNumber": 2, "reason": "考核" });
    app.client(town.world.committee).send(BLOCK, json!({ "input": input })).await.fine();
    is(&step(&app, town.world.committee, "approveSwap", &swap).await, "TEAM_BLOCKED");
    step(&app, town.world.committee, "declineSwap", &swap).await.fine();
    is(&propose(&app, town.world.manager, &first, &second).await, "TEAM_BLOCKED");
}

#[tokio::test]
async fn of_two_approvals_at_once_one_wins() {
    let app = TestApp::new().await;
    let (town, plan) = town(&app).await;
    let swap = agreed(&app, &town, &plan).await;
    let approve = || step(&app, town.world.committee, "approveSwap", &swap);
    let answers = futures_util::future::join_all((0..8).map(|_| approve())).await;
    let won = answers.iter().filter(|answer| answer.code().is_none()).count();
    assert_eq!(won, 1);
    for lost in answers.iter().filter(|answer| answer.code().is_some()) {
        is(lost, "STATE_REFUSED");
    }
    assert_eq!(town.duty(&app, &plan).await[..2], teams(&[2, 1]));
    assert_eq!(events(&app, "rotation_swap_approved").await, 1);
}

#[tokio::test]
async fn past_and_foreign_turns_are_not_swapped() {
    let app = TestApp::new().await;
    let (town, plan) = town(&app).await;
    let other = Town::build(&app, "632224", 4).await;
    let theirs = other.published(&app, "2026-02", 6).await;
    let (mine, yours) = (town.slot(&app, &plan, 2).await, other.slot(&app, &theirs, 3).await);
    is(&propose(&app, town.world.committee, &mine, &yours).await, "NOT_FOUND");
    is(&propose(&app, town.world.committee, &yours, &mine).await, "NOT_FOUND");
    let swap = agreed(&app, &town, &plan).await;
    for outsider in [other.world.committee, other.world.manager] {
        is(&step(&app, outsider, "approveSwap", &swap).await, "NOT_FOUND");
        let list = app.client(outsider).run("{ rotationSwaps { totalCount } }").await;
        assert_eq!(list.at("/rotationSwaps/totalCount"), 0);
    }
    let filter = json!({ "filter": { "allianceId": id::encode(town.world.town), "states": ["AGREED"] } });
    let list = "query($filter: RotationSwapFilter) { rotationSwaps(filter: $filter) { nodes { id
        availableTransitions { mutation available } } } }";
    let seen = app.client(town.world.committee).send(list, filter).await.fine();
    assert_eq!(seen.text("/rotationSwaps/nodes/0/id"), swap);
    let offered: Vec<&Value> = seen
        .at("/rotationSwaps/nodes/0/availableTransitions")
        .as_array()
        .expect("steps")
        .iter()
        .filter(|step| step["available"] == true)
        .map(|step| &step["mutation"])
        .collect();
    assert_eq!(offered, ["approveSwap", "declineSwap", "withdrawSwap"]);
    app.set_now("2026-03-02T01:00:00Z".parse().unwrap());
    let (begun, later) = (town.slot(&app, &plan, 2).await, town.slot(&app, &plan, 3).await);
    is(&propose(&app, town.world.committee, &begun, &later).await, "SLOT_BEGUN");
}
