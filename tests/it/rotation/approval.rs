//! Where a body oversees the alliance, a rotation is published only once that has approved it.

use concord::domain::{
    governance::{
        alliance::{self, NewAlliance},
        membership::{self, Contact},
        service_team::{self, NewTeam},
    },
    identity::seat::{self, NewSeat},
};
use concord::graphql::id;
use concord_entities::{id::AccountId, seat::Role};
use concord_tests::{Answer, TestApp, World};
use serde_json::json;

use super::{CREATE, PLAN, step};

/// A town with an oversight body, a committee and an approver, and a drafted plan of one team.
async fn overseen(app: &TestApp, world: &World) -> (AccountId, AccountId, String) {
    let system = app.system();
    let town = alliance::found(
        &system,
        NewAlliance {
            name: "州直机关联盟".to_owned(),
            region_id: world.town_region,
            parent_id: None,
            committee_organization_id: Some(world.members[0]),
            oversight_organization_id: Some(world.members[3]),
            time_zone: "Asia/Shanghai".to_owned(),
            number_pattern: "销〔{year}〕{seq:4}号".to_owned(),
            check_in_working_day: 5,
        },
    )
    .await
    .expect("an alliance")
    .id;
    for member in [0, 1, 3] {
        membership::admit(&system, town, world.members[member], Contact::default())
            .await
            .expect("a membership");
    }
    for (account_id, role, member) in
        [(world.committee, Role::Committee, 0), (world.approver, Role::Approver, 3)]
    {
        let organization_id = Some(world.members[member]);
        let new = NewSeat { account_id, alliance_id: town, role, organization_id, region_id: None };
        seat::grant(&system, new).await.expect("a seat");
    }
    let team = service_team::form(
        &system,
        town,
        NewTeam {
            name: "机关服务队".to_owned(),
            lead_organization_id: world.members[1],
            member_organization_ids: vec![world.members[1]],
            captain_name: "李队长".to_owned(),
            captain_title: None,
            captain_phone: None,
            liaison_name: None,
            liaison_phone: None,
        },
    )
    .await
    .expect("a team");
    let input = json!({
        "allianceId": id::encode(town), "name": "轮值", "firstMonth": "2026-02", "slotCount": 2,
        "teamIds": [id::encode(team.id)],
    });
    let made = app.client(world.committee).send(CREATE, json!({ "input": input })).await.fine();
    (world.committee, world.approver, made.text("/createRotationPlan/rotationPlan/id"))
}

#[tokio::test]
async fn an_overseen_plan_goes_through_approval() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (committee, approver, plan) = overseen(&app, &world).await;
    let is = |answer: Answer, code: &str| assert_eq!(answer.code().as_deref(), Some(code), "{:#}", answer.0);
    is(step(&app, committee, "submitRotationPlan", &plan).await, "ROTATION_INCOMPLETE");
    step(&app, committee, "generateRotation", &plan).await.fine();
    is(step(&app, committee, "publishRotationPlan", &plan).await, "APPROVAL_REQUIRED");
    is(step(&app, approver, "approveRotationPlan", &plan).await, "STATE_REFUSED");
    let offered = "query($id: ID!) { rotationPlan(id: $id) {
        availableTransitions { mutation to available blockers { code message } } } }";
    let seen = app.client(committee).send(offered, json!({ "id": plan })).await.fine();
    let steps = seen.at("/rotationPlan/availableTransitions").as_array().expect("steps").clone();
    let codes = |mutation: &str| -> Vec<String> {
        let step = steps.iter().find(|step| step["mutation"] == mutation).expect("a step");
        let blockers = step["blockers"].as_array().expect("blockers");
        assert_eq!(step["available"], blockers.is_empty());
        blockers.iter().map(|blocker| blocker["code"].as_str().expect("a code").to_owned()).collect()
    };
    assert_eq!(codes("submitRotationPlan"), Vec::<String>::new());
    assert_eq!(codes("publishRotationPlan"), ["APPROVAL_REQUIRED"]);
    assert_eq!(codes("approveRotationPlan"), ["FORBIDDEN", "STATE_REFUSED"]);
    step(&app, committee, "submitRotationPlan", &plan).await.fine();
    // What was submitted stays as it is.
    is(step(&app, committee, "generateRotation", &plan).await, "STATE_REFUSED");
    is(step(&app, committee, "approveRotationPlan", &plan).await, "FORBIDDEN");
    let back = "mutation($input: ReturnRotationPlanInput!) {
        returnRotationPlan(input: $input) { rotationPlan { state } userErrors { code field } }
    }";
    let send_back = |reason: &str| json!({ "input": { "planId": plan, "reason": reason } });
    is(app.client(approver).send(back, send_back("")).await, "REQUIRED");
    let returned = app.client(approver).send(back, send_back("请错开两会")).await.fine();
    assert_eq!(returned.text("/returnRotationPlan/rotationPlan/state"), "DRAFT");
    step(&app, committee, "submitRotationPlan", &plan).await.fine();
    step(&app, approver, "approveRotationPlan", &plan).await.fine();
    is(step(&app, approver, "publishRotationPlan", &plan).await, "FORBIDDEN");
    step(&app, committee, "publishRotationPlan", &plan).await.fine();
    let seen = app.client(committee).send(PLAN, json!({ "id": plan })).await.fine();
    assert_eq!(seen.text("/rotationPlan/state"), "PUBLISHED");
    // One team alone follows itself; the report says so.
    assert_eq!(seen.at("/rotationPlan/fairnessReport/backToBack"), &json!([2]));
}

#[tokio::test]
async fn without_an_oversight_body_there_is_nobody_to_submit_to() {
    let app = TestApp::new().await;
    let town = super::Town::build(&app, "632223", 1).await;
    let plan = town.draft(&app, "2026-01", 1).await;
    let refused = town.step(&app, "submitRotationPlan", &plan).await;
    assert_eq!(refused.code().as_deref(), Some("APPROVAL_NOT_NEEDED"));
}
