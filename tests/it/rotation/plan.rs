//! Plans: a fair year, previews and refusals, blocks and hand assignments, and a past that nobody rewrites.

use chrono::{TimeZone, Utc};
use concord::graphql::id;
use concord_tests::TestApp;
use serde_json::json;

use super::{ASSIGN, BLOCK, CREATE, PLAN, Town, names, step, teams};

const PREVIEW: &str = "query($input: PreviewRotationInput!) {
    previewRotation(input: $input) {
        slots { number startsOn endsOn startsAt endsAt source team { name } }
        objective { backToBack spread }
        emptyMonths { number startsOn obstacles { kind team { name } } }
        tooHard
    }
}";

const SAVED_PREVIEW: &str = "query($id: ID!) {
    rotationPreview(planId: $id) { slots { number source team { name } } emptyMonths { number } tooHard }
}";

const UPDATE: &str = "mutation($input: UpdateRotationPlanInput!) {
    updateRotationPlan(input: $input) {
        rotationPlan { version slotCount anchorOn } userErrors { code field message }
    }
}";

const DUTY: &str =
    "query($id: ID!) { currentDuty(allianceId: $id) { number isCurrent state team { name } } }";

#[tokio::test]
async fn twelve_teams_share_a_year_fairly() {
    let app = TestApp::new().await;
    let town = Town::build(&app, "632223", 12).await;
    let plan = town.draft(&app, "2026-01", 12).await;
    town.step(&app, "generateRotation", &plan).await.fine();
    let answer = app.client(town.world.committee).send(PLAN, json!({ "id": plan })).await.fine();
    let slots = answer.at("/rotationPlan/slots").as_array().expect("turns").clone();
    assert_eq!(names(&slots), teams(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]));
    assert_eq!(slots[1]["startsOn"], "2026-02-01");
    assert_eq!(slots[1]["endsOn"], "2026-03-01");
    // Midnight in Beijing.
    assert_eq!(slots[1]["startsAt"], "2026-01-31T16:00:00Z");
    assert_eq!(slots[1]["endsAt"], "2026-02-28T16:00:00Z");
    assert!(slots[0]["isCurrent"] == true && slots[1]["isCurrent"] == false);
    assert!(slots.iter().all(|slot| slot["state"] == "SCHEDULED" && slot["origin"] == "GENERATED"));
    let report = answer.at("/rotationPlan/fairnessReport");
    assert_eq!(report["spread"], 0);
    assert_eq!(report["backToBack"], json!([]));
    assert_eq!(report["emptyMonths"], json!([]));
    assert_eq!(report["teams"].as_array().expect("teams").len(), 12);
    assert!(report["teams"].as_array().expect("teams").iter().all(|team| team["months"] == 1));
    // Nobody is on duty before the alliance was told.
    let ask = json!({ "id": id::encode(town.world.town) });
    assert!(app.client(town.world.staff).send(DUTY, ask.clone()).await.at("/currentDuty").is_null());
    town.step(&app, "publishRotationPlan", &plan).await.fine();
    let duty = app.client(town.world.staff).send(DUTY, ask).await.fine();
    assert_eq!(duty.text("/currentDuty/team/name"), "第1服务队");
    assert_eq!(duty.text("/currentDuty/state"), "ANNOUNCED");
    assert_eq!(duty.at("/currentDuty/isCurrent"), true);
}

#[tokio::test]
async fn generating_again_changes_nothing() {
    let app = TestApp::new().await;
    let town = Town::build(&app, "632223", 5).await;
    let plan = town.draft(&app, "2026-01", 12).await;
    town.step(&app, "generateRotation", &plan).await.fine();
    let before = app.client(town.world.committee).send(PLAN, json!({ "id": plan })).await.fine();
    town.step(&app, "generateRotation", &plan).await.fine();
    town.step(&app, "generateRotation", &plan).await.fine();
    let after = app.client(town.world.committee).send(PLAN, json!({ "id": plan })).await.fine();
    assert_eq!(before, after);
    assert_eq!(before.at("/rotationPlan/slots").as_array().map(Vec::len), Some(12));
}

#[tokio::test]
async fn a_preview_shows_what_would_be_saved_and_saves_nothing() {
    let app = TestApp::new().await;
    let town = Town::build(&app, "632223", 3).await;
    let input = json!({
        "allianceId": id::encode(town.world.town), "firstMonth": "2026-03", "slotCount": 6,
        "teamIds": town.team_ids(),
        "blocks": [{ "teamId": town.team(1), "slotNumber": 1 }],
        "assignments": [{ "teamId": town.team(3), "slotNumber": 2 }],
    });
    let seen = app.client(town.world.committee).send(PREVIEW, json!({ "input": input })).await.fine();
    let slots = seen.at("/previewRotation/slots").as_array().expect("turns").clone();
    assert_eq!(slots.len(), 6);
    assert_eq!(slots[0]["startsAt"], "2026-02-28T16:00:00Z");
    assert_eq!(slots[0]["team"]["name"], "第2服务队");
    assert_eq!(slots[1]["team"]["name"], "第3服务队");
    assert_eq!((&slots[0]["source"], &slots[1]["source"]), (&json!("GENERATED"), &json!("ASSIGNED")));
    assert_eq!(seen.at("/previewRotation/objective"), &json!({ "backToBack": 0, "spread": 0 }));
    let none = "{ rotationPlans { totalCount } rotationSlots { totalCount } }";
    let none = app.client(town.world.committee).run(none).await.fine();
    assert_eq!(
        none.at(""),
        &json!({ "rotationPlans": { "totalCount": 0 }, "rotationSlots": { "totalCount": 0 } })
    );
    for outsider in [town.world.staff, town.world.observer] {
        let refused = app.client(outsider).send(PREVIEW, json!({ "input": input })).await;
        assert_eq!(refused.code().as_deref(), Some("FORBIDDEN"));
    }
    let unseen = app.client(town.world.stranger).send(PREVIEW, json!({ "input": input })).await;
    assert_eq!(unseen.code().as_deref(), Some("NOT_FOUND"));
}

#[tokio::test]
async fn a_month_that_nobody_can_take_is_named_with_what_blocks_it() {
    let app = TestApp::new().await;
    let town = Town::build(&app, "632223", 2).await;
    let plan = town.draft(&app, "2026-02", 6).await;
    for team in 1..=2 {
        let input =
            json!({ "planId": plan, "teamId": town.team(team), "month": "2026-04", "reason": "秋收农忙" });
        app.client(town.world.committee).send(BLOCK, json!({ "input": input })).await.fine();
    }
    let refused = town.step(&app, "generateRotation", &plan).await;
    assert_eq!(refused.code().as_deref(), Some("ROTATION_UNFILLABLE"));
    let message = refused.text("/generateRotation/userErrors/0/message");
    assert!(message.contains("2026-04 (第1服务队, 第2服务队)"), "{message}");
    assert!(town.slots(&app, &plan).await.is_empty());
    let seen = app.client(town.world.committee).send(SAVED_PREVIEW, json!({ "id": plan })).await.fine();
    assert_eq!(
        seen.at("/rotationPreview"),
        &json!({ "slots": [], "emptyMonths": [{ "number": 3 }], "tooHard": false })
    );
    // An empty plan is not published.
    let early = town.step(&app, "publishRotationPlan", &plan).await;
    assert_eq!(early.code().as_deref(), Some("ROTATION_INCOMPLETE"));
    let unblock = "mutation($input: UnblockRotationMonthInput!) {
        unblockRotationMonth(input: $input) { userErrors { code } }
    }";
    let input = json!({ "planId": plan, "teamId": town.team(2), "slotNumber": 3 });
    app.client(town.world.committee).send(unblock, json!({ "input": input.clone() })).await.fine();
    let again = app.client(town.world.committee).send(unblock, json!({ "input": input })).await;
    assert_eq!(again.code().as_deref(), Some("NOT_FOUND"));
    town.step(&app, "generateRotation", &plan).await.fine();
    assert_eq!(town.duty(&app, &plan).await[2], "第2服务队");
}

#[tokio::test]
async fn blocks_and_hand_assignments_bind_the_generator() {
    let app = TestApp::new().await;
    let town = Town::build(&app, "632223", 4).await;
    let plan = town.draft(&app, "2026-02", 8).await;
    let committee = app.client(town.world.committee);
    town.step(&app, "generateRotation", &plan).await.fine();
    let input = json!({ "planId": plan, "teamId": town.team(1), "slotNumber": 1, "reason": "换届" });
    let blocked = committee.send(BLOCK, json!({ "input": input.clone() })).await.fine();
    assert_eq!(blocked.at("/blockRotationMonth/rotationPlan/blocks").as_array().map(Vec::len), Some(1));
    assert_eq!(
        committee.send(BLOCK, json!({ "input": input })).await.code().as_deref(),
        Some("ALREADY_EXISTS")
    );
    // The turn keeps its team, and the report says that it conflicts, until the rotation is generated again.
    let seen = committee.send(PLAN, json!({ "id": plan })).await.fine();
    assert_eq!(seen.at("/rotationPlan/fairnessReport/conflictingMonths"), &json!([1]));
    assert_eq!(
        town.step(&app, "publishRotationPlan", &plan).await.code().as_deref(),
        Some("ROTATION_INCOMPLETE")
    );
    let hand = |slot: i32, team: usize| json!({ "input": { "planId": plan, "slotNumber": slot, "teamId": town.team(team), "reason": "州里安排" } });
    assert_eq!(committee.send(ASSIGN, hand(1, 1)).await.code().as_deref(), Some("TEAM_BLOCKED"));
    let given = committee.send(ASSIGN, hand(2, 1)).await.fine();
    assert_eq!(given.text("/assignRotationSlot/rotationSlot/origin"), "ASSIGNED");
    let input = json!({ "planId": plan, "teamId": town.team(1), "slotNumber": 2, "reason": "反悔" });
    assert_eq!(
        committee.send(BLOCK, json!({ "input": input })).await.code().as_deref(),
        Some("STATE_REFUSED")
    );
    town.step(&app, "generateRotation", &plan).await.fine();
    let duty = town.duty(&app, &plan).await;
    assert_ne!(duty[0], "第1服务队");
    assert_eq!(duty[1], "第1服务队");
    let seen = committee.send(PLAN, json!({ "id": plan })).await.fine();
    let report = seen.at("/rotationPlan/fairnessReport");
    assert_eq!((&report["spread"], &report["backToBack"]), (&json!(0), &json!([])));
    // Overriding by hand again is the committee's right.
    committee.send(ASSIGN, hand(2, 4)).await.fine();
    assert_eq!(town.duty(&app, &plan).await[1], "第4服务队");
}

#[tokio::test]
async fn the_past_is_never_rewritten() {
    let app = TestApp::new().await;
    let town = Town::build(&app, "632223", 6).await;
    let plan = town.published(&app, "2026-01", 12).await;
    app.set_now(Utc.with_ymd_and_hms(2026, 6, 10, 1, 0, 0).unwrap());
    let before = town.slots(&app, &plan).await;
    let committee = app.client(town.world.committee);
    let reversed: Vec<_> = town.team_ids().into_iter().rev().take(5).collect();
    let version = committee.send(PLAN, json!({ "id": plan })).await.at("/rotationPlan/version").clone();
    let change = |field: &str, value: serde_json::Value| {
        let mut input = json!({ "planId": plan, "expectedVersion": version });
        input[field] = value;
        json!({ "input": input })
    };
    let shorter = committee.send(UPDATE, change("slotCount", json!(3))).await;
    assert_eq!(shorter.code().as_deref(), Some("OUT_OF_RANGE"));
    let moved = committee.send(UPDATE, change("anchorOn", json!("2026-02-01"))).await;
    assert_eq!(moved.code().as_deref(), Some("STATE_REFUSED"));
    committee.send(UPDATE, change("teamIds", json!(reversed))).await.fine();
    let stale = committee.send(UPDATE, change("teamIds", json!(reversed))).await;
    assert_eq!(stale.code().as_deref(), Some("VERSION_CONFLICT"));
    town.step(&app, "generateRotation", &plan).await.fine();
    let after = town.slots(&app, &plan).await;
    assert_eq!(before[..6], after[..6]);
    assert_ne!(names(&before[6..]), names(&after[6..]));
    // The first team has left the plan; what it did stays its own, what was to come went to others.
    assert_eq!(after[0]["team"]["name"], "第1服务队");
    assert!(!names(&after[6..]).contains(&"第1服务队".to_owned()));
    assert!(after[6..].iter().all(|slot| slot["state"] == "ANNOUNCED"));
    for slot in [1, 6] {
        let input = json!({ "planId": plan, "slotNumber": slot, "teamId": town.team(2) });
        let late = committee.send(ASSIGN, json!({ "input": input })).await;
        assert_eq!(late.code().as_deref(), Some("SLOT_BEGUN"));
        let input = json!({ "planId": plan, "teamId": town.team(2), "slotNumber": slot, "reason": "迟" });
        let late = committee.send(BLOCK, json!({ "input": input })).await;
        assert_eq!(late.code().as_deref(), Some("SLOT_BEGUN"));
    }
}

#[tokio::test]
async fn a_longer_plan_fills_only_the_new_months() {
    let app = TestApp::new().await;
    let town = Town::build(&app, "632223", 3).await;
    let plan = town.published(&app, "2026-01", 3).await;
    let before = town.slots(&app, &plan).await;
    let committee = app.client(town.world.committee);
    let version = committee.send(PLAN, json!({ "id": plan })).await.at("/rotationPlan/version").clone();
    let input = json!({ "planId": plan, "expectedVersion": version, "slotCount": 6 });
    committee.send(UPDATE, json!({ "input": input })).await.fine();
    let seen = committee.send(PLAN, json!({ "id": plan })).await.fine();
    assert_eq!(seen.at("/rotationPlan/fairnessReport/emptyMonths"), &json!([4, 5, 6]));
    town.step(&app, "generateRotation", &plan).await.fine();
    let after = town.slots(&app, &plan).await;
    assert_eq!(before[..], after[..3]);
    assert_eq!(names(&after), teams(&[1, 2, 3, 1, 2, 3]));
    assert!(after[3..].iter().all(|slot| slot["state"] == "ANNOUNCED"));
}

#[tokio::test]
async fn turns_are_counted_from_the_anchor_and_clamped_to_the_months_end() {
    let app = TestApp::new().await;
    let town = Town::build(&app, "632223", 2).await;
    let input = json!({
        "allianceId": id::encode(town.world.town), "name": "月末", "anchorOn": "2026-01-31", "slotCount": 3,
        "teamIds": town.team_ids(),
    });
    let committee = app.client(town.world.committee);
    let made = committee.send(CREATE, json!({ "input": input })).await.fine();
    let plan = made.text("/createRotationPlan/rotationPlan/id");
    town.step(&app, "generateRotation", &plan).await.fine();
    let starts: Vec<_> = town.slots(&app, &plan).await.iter().map(|slot| slot["startsOn"].clone()).collect();
    assert_eq!(starts, ["2026-01-31", "2026-02-28", "2026-03-31"]);
    // While it is a draft its dates move, and the turns with them.
    let version = committee.send(PLAN, json!({ "id": plan })).await.at("/rotationPlan/version").clone();
    let input =
        json!({ "planId": plan, "expectedVersion": version, "anchorOn": "2026-02-01", "slotCount": 2 });
    committee.send(UPDATE, json!({ "input": input })).await.fine();
    let slots = town.slots(&app, &plan).await;
    let starts: Vec<_> = slots.iter().map(|slot| slot["startsOn"].clone()).collect();
    assert_eq!(starts, ["2026-02-01", "2026-03-01"]);
    assert_eq!(names(&slots), teams(&[1, 2]));
}

#[tokio::test]
async fn the_next_year_does_not_begin_with_the_team_that_ended_the_last() {
    let app = TestApp::new().await;
    let town = Town::build(&app, "632223", 3).await;
    let first = town.published(&app, "2026-01", 3).await;
    assert_eq!(town.duty(&app, &first).await[2], "第3服务队");
    let order: Vec<_> = [3, 1, 2].map(|team| town.team(team)).to_vec();
    let input = json!({
        "allianceId": id::encode(town.world.town), "name": "下半年", "firstMonth": "2026-04", "slotCount": 3,
        "teamIds": order,
    });
    let made = app.client(town.world.committee).send(CREATE, json!({ "input": input })).await.fine();
    let second = made.text("/createRotationPlan/rotationPlan/id");
    town.step(&app, "generateRotation", &second).await.fine();
    let duty = town.duty(&app, &second).await;
    assert_ne!(duty[0], "第3服务队");
    let seen = app.client(town.world.committee).send(PLAN, json!({ "id": second })).await.fine();
    assert_eq!(seen.at("/rotationPlan/fairnessReport/backToBack"), &json!([]));
}

#[tokio::test]
async fn two_plans_are_not_published_for_the_same_time() {
    let app = TestApp::new().await;
    let town = Town::build(&app, "632223", 3).await;
    let first = town.published(&app, "2026-01", 6).await;
    let second = town.draft(&app, "2026-04", 6).await;
    town.step(&app, "generateRotation", &second).await.fine();
    let refused = town.step(&app, "publishRotationPlan", &second).await;
    assert_eq!(refused.code().as_deref(), Some("ROTATION_OVERLAPS"));
    // Ending the first frees what it had not begun.
    let end = "mutation($input: EndRotationPlanInput!) {
        endRotationPlan(input: $input) { rotationPlan { state } userErrors { code } }
    }";
    let input = json!({ "input": { "planId": first, "reason": "改制" } });
    let ended = app.client(town.world.committee).send(end, input.clone()).await.fine();
    assert_eq!(ended.text("/endRotationPlan/rotationPlan/state"), "ENDED");
    let states: Vec<_> = town.slots(&app, &first).await.iter().map(|slot| slot["state"].clone()).collect();
    assert_eq!(states, ["ANNOUNCED", "EXCUSED", "EXCUSED", "EXCUSED", "EXCUSED", "EXCUSED"]);
    assert_eq!(
        app.client(town.world.committee).send(end, input).await.code().as_deref(),
        Some("STATE_REFUSED")
    );
    town.step(&app, "publishRotationPlan", &second).await.fine();
}

#[tokio::test]
async fn drafts_are_the_committees_and_other_alliances_see_nothing() {
    let app = TestApp::new().await;
    let (here, there) = (Town::build(&app, "632223", 2).await, Town::build(&app, "632224", 2).await);
    let plan = here.draft(&app, "2026-01", 2).await;
    here.step(&app, "generateRotation", &plan).await.fine();
    let slot = here.slot(&app, &plan, 1).await;
    let query = "query($plan: ID!, $slot: ID!) {
        rotationPlan(id: $plan) { name } rotationSlot(id: $slot) { number } node(id: $slot) { id }
    }";
    let ask = json!({ "plan": plan, "slot": slot });
    let nothing = json!({ "rotationPlan": null, "rotationSlot": null, "node": null });
    for early in [here.world.staff, here.world.observer, there.world.committee, here.world.stranger] {
        assert_eq!(app.client(early).send(query, ask.clone()).await.at(""), &nothing);
    }
    let seen = app.client(here.world.approver).send(query, ask.clone()).await.fine();
    assert_eq!(seen.text("/rotationPlan/name"), "年度轮值");
    here.step(&app, "publishRotationPlan", &plan).await.fine();
    for told in [here.world.staff, here.world.observer, here.world.county_committee] {
        let seen = app.client(told).send(query, ask.clone()).await.fine();
        assert_eq!(seen.at("/rotationSlot/number"), 1);
    }
    for outsider in [there.world.committee, there.world.staff, here.world.stranger] {
        assert_eq!(app.client(outsider).send(query, ask.clone()).await.at(""), &nothing);
        let list = app.client(outsider).run("{ rotationSlots { totalCount nodes { id } } }").await;
        assert_eq!(list.at("/rotationSlots/totalCount"), 0);
        let refused = step(&app, outsider, "generateRotation", &plan).await;
        assert_eq!(refused.code().as_deref(), Some("NOT_FOUND"));
    }
    for inside in [here.world.staff, here.world.manager, here.world.approver, here.world.observer] {
        for mutation in ["generateRotation", "publishRotationPlan"] {
            let refused = step(&app, inside, mutation, &plan).await;
            assert_eq!(refused.code().as_deref(), Some("FORBIDDEN"));
        }
    }
    let anonymous = app.anonymous().run("{ rotationSlots { totalCount } }").await;
    assert_eq!(anonymous.code().as_deref(), Some("UNAUTHENTICATED"));
}

#[tokio::test]
async fn bad_plans_are_refused_by_name() {
    let app = TestApp::new().await;
    let (town, other) = (Town::build(&app, "632223", 2).await, Town::build(&app, "632224", 1).await);
    let committee = app.client(town.world.committee);
    let good = json!({
        "allianceId": id::encode(town.world.town), "name": "轮值", "firstMonth": "2026-01", "slotCount": 2,
        "teamIds": town.team_ids(),
    });
    let cases = [
        ("name", json!(" "), "REQUIRED", "input.name"),
        ("name", json!("长".repeat(129)), "TOO_LONG", "input.name"),
        ("slotCount", json!(0), "OUT_OF_RANGE", "input.slotCount"),
        ("slotCount", json!(61), "OUT_OF_RANGE", "input.slotCount"),
        ("cadenceEvery", json!(0), "OUT_OF_RANGE", "input.cadenceEvery"),
        ("teamIds", json!([]), "REQUIRED", "input.teamIds"),
        ("teamIds", json!([town.team(1), town.team(1)]), "ALREADY_EXISTS", "input.teamIds.1"),
        ("teamIds", json!(["?"]), "ID_MALFORMED", "input.teamIds.0"),
        ("firstMonth", json!("2199-01"), "OUT_OF_RANGE", "input.anchorOn"),
        ("anchorOn", json!("2026-01-01"), "MALFORMED", "input.firstMonth"),
        ("firstMonth", json!(null), "REQUIRED", "input.anchorOn"),
    ];
    for (field, value, code, path) in cases {
        let mut input = good.clone();
        input[field] = value;
        let refused = committee.send(CREATE, json!({ "input": input })).await;
        assert_eq!(refused.code().as_deref(), Some(code), "{field}");
        assert_eq!(refused.text("/createRotationPlan/userErrors/0/field"), path);
    }
    let mut foreign = good.clone();
    foreign["teamIds"] = json!([other.team(1)]);
    let refused = committee.send(CREATE, json!({ "input": foreign })).await;
    assert_eq!(refused.code().as_deref(), Some("NOT_FOUND"));
    for outsider in [town.world.staff, town.world.approver] {
        let refused = app.client(outsider).send(CREATE, json!({ "input": good.clone() })).await;
        assert_eq!(refused.code().as_deref(), Some("FORBIDDEN"));
    }
    // One key, one plan.
    let once = committee.keyed("k", 1).send(CREATE, json!({ "input": good.clone() })).await.fine();
    let again = committee.keyed("k", 1).send(CREATE, json!({ "input": good })).await.fine();
    assert_eq!(once, again);
    assert_eq!(committee.run("{ rotationPlans { totalCount } }").await.at("/rotationPlans/totalCount"), 1);
}

#[tokio::test]
async fn a_list_of_turns_reads_with_few_statements() {
    let app = TestApp::new().await;
    let town = Town::build(&app, "632223", 12).await;
    town.published(&app, "2026-01", 12).await;
    let query = "{ rotationSlots(first: 50) { totalCount nodes {
        number startsAt isCurrent team { name leadOrganization { name } } plan { name } alliance { name }
        checkIns { headCount } dockings { heldAt } handover { id } openSwap { id }
        availableTransitions { mutation available blockers { code } }
    } } }";
    let client = app.client(town.world.staff);
    let (answer, statements) = app.statements(async || client.run(query).await).await;
    let answer = answer.fine();
    assert_eq!(answer.at("/rotationSlots/totalCount"), 12);
    assert!(statements.len() <= 14, "{} statements:\n{}", statements.len(), statements.join("\n"));
    let first = &answer.at("/rotationSlots/nodes/0/availableTransitions");
    let step = |mutation: &str| {
        first
            .as_array()
            .expect("steps")
            .iter()
            .find(|step| step["mutation"] == mutation)
            .cloned()
            .expect("a step")
    };
    assert_eq!(step("recordCheckIn")["available"], true);
    assert_eq!(step("offerHandover")["blockers"][0]["code"], "STATE_REFUSED");
    assert_eq!(step("excuseRotationSlot")["blockers"][0]["code"], "FORBIDDEN");
}
