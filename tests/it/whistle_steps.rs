//! Every step of a whistle and of a call, by everybody, in every state, held against the tables of states and of rights; and
//! steps that exclude each other, taken at once.

use std::collections::{BTreeMap, BTreeSet};

use concord::{
    domain::{
        Action,
        policy::{self, Grant},
        whistle::{
            self, answer,
            states::{ANSWERS, STEPS, by_unit},
            steps,
        },
    },
    graphql::id,
};
use concord_entities::{
    id::AccountId,
    seat::Role,
    whistle::{Kind, Model, State},
    whistle_response::{self, State as Answered},
};
use concord_tests::{TestApp, World};
use sea_orm::{ActiveEnum, Iterable};
use serde_json::{Value, json};

use crate::whistle::{approved, bring, call, calls, flood, send, sounded, which};

/// Who, in which role, for the called unit, as the applicant.
fn people(world: &World) -> [(AccountId, Option<Role>, bool, bool); 10] {
    [
        (world.committee, Some(Role::Committee), false, false),
        (world.approver, Some(Role::Approver), false, false),
        (world.manager, Some(Role::MemberManager), true, false),
        (world.staff, Some(Role::MemberStaff), true, false),
        (world.other_staff, Some(Role::MemberStaff), false, false),
        (world.officer, Some(Role::CommunityOfficer), false, true),
        (world.grid_officer, Some(Role::GridOfficer), false, false),
        (world.verifier, Some(Role::Verifier), false, false),
        (world.observer, Some(Role::Observer), false, false),
        (world.county_committee, None, false, false),
    ]
}

fn may(role: Option<Role>, is_unit: bool, is_applicant: bool, action: Action) -> bool {
    let Some(role) = role else { return false };
    match policy::grant(role, action) {
        Grant::Any => true,
        Grant::Never => false,
        Grant::Own if action == Action::WithdrawWhistle => is_applicant,
        Grant::Own => is_unit,
    }
}

async fn whistle_in(app: &TestApp, world: &World, state: State) -> Model {
    let (committee, approver) = (app.ctx(world.committee), app.ctx(world.approver));
    let applied = async || {
        whistle::apply(&app.ctx(world.officer), flood(world, Kind::Enforcement)).await.expect("applied")
    };
    match state {
        State::Applied => applied().await,
        State::Approved => approved(app, world, Kind::Enforcement).await,
        State::Rejected => {
            steps::reject(&approver, which(applied().await.id), "不必").await.expect("rejected")
        }
        State::Withdrawn => {
            steps::withdraw(&committee, which(applied().await.id), "不必").await.expect("withdrawn")
        }
        State::Sounded => sounded(app, world, Kind::Enforcement, &[world.members[1]], None).await.0,
        State::CalledOff => {
            let row = sounded(app, world, Kind::Enforcement, &[world.members[1]], None).await.0;
            steps::call_off(&committee, which(row.id), "解除").await.expect("called off")
        }
        State::Released => {
            let (row, made) = sounded(app, world, Kind::Enforcement, &[world.members[1]], None).await;
            bring(app, &app.ctx(world.staff), &committee, made[0].id, Answered::Released).await;
            whistle::find(&app.system(), row.id).await.expect("a read").expect("a whistle")
        }
    }
}

async fn call_in(app: &TestApp, world: &World, state: Answered) -> whistle_response::Model {
    let (committee, staff) = (app.ctx(world.committee), app.ctx(world.staff));
    // Another unit's call keeps the whistle sounding.
    let units = [world.members[1], world.members[5]];
    let (row, made) = sounded(app, world, Kind::Enforcement, &units, Some(world.members[4])).await;
    let made = made.into_iter().find(|row| row.organization_id == world.members[1]).expect("the unit's");
    match state {
        Answered::Excused => {
            answer::excuse(&committee, call(made.id), "无需").await.expect("excused");
        }
        Answered::Refused | Answered::Rerouted => {
            answer::refuse(&staff, call(made.id), "不属", world.members[2]).await.expect("refused");
            if state == Answered::Rerouted {
                let to = Some(world.members[3]);
                answer::reroute(&committee, call(made.id), to, None, None).await.expect("re-routed");
            }
        }
        other => bring(app, &staff, &committee, made.id, other).await,
    }
    calls(app, row.id).await.into_iter().find(|row| row.id == made.id).expect("a call")
}

/// The name of a mutation's input type, as the schema says.
fn input_type(sdl: &str, mutation: &str) -> String {
    let rest = sdl.split(&format!("\t{mutation}(")).nth(1).expect("a mutation");
    let rest = rest.split("input: ").nth(1).expect("an input");
    rest.split('!').next().expect("a type").to_owned()
}

fn input(world: &World, mutation: &str) -> Value {
    match mutation {
        "soundWhistle" | "callWhistleUnits" => {
            json!({ "calls": [{ "organizationId": id::encode(world.members[2]) }] })
        }
        "reportInToWhistle" => json!({ "place": "现场", "headCount": 2 }),
        "claimWhistleResolved" => json!({ "claim": "已办" }),
        "refuseWhistleCall" => {
            json!({ "reason": "不属", "proposedOrganizationId": id::encode(world.members[2]) })
        }
        "evaluateWhistleCall" => json!({ "solved": "YES", "score": 4, "words": "好" }),
        "approveWhistle" | "arriveAtWhistle" | "releaseWhistleCall" | "rerouteWhistleCall" => json!({}),
        _ => json!({ "reason": "情况说明" }),
    }
}

#[tokio::test]
async fn every_step_of_a_whistle_by_everybody_in_every_state_goes_by_the_tables() {
    let app = TestApp::narrow().await;
    let world = World::build(&app, "632223").await;
    let sdl = app.schema.sdl();
    let (mut tried, mut taken): (usize, BTreeMap<&str, usize>) = (0, BTreeMap::new());
    for state in State::iter() {
        let mut row = whistle_in(&app, &world, state).await;
        for step in &STEPS {
            let of = input_type(&sdl, step.mutation);
            for (who, role, is_unit, is_applicant) in people(&world) {
                let mut input = input(&world, step.mutation);
                input["whistleId"] = json!(id::encode(row.id));
                let answer = send(&app, who, step.mutation, &of, input).await;
                let what = format!("{} in {state:?} by {role:?}: {}", step.mutation, answer.0);
                tried += 1;
                let code = answer.code();
                let returns = step.action == Action::ReturnWhistleEscalation;
                // Of those above the county's committee would hand it back, and is told that nobody handed it up.
                let is_told = returns && who == world.county_committee;
                if !(may(role, is_unit, is_applicant, step.action) || is_told) {
                    assert_eq!(code.as_deref(), Some("FORBIDDEN"), "{what}");
                } else if !step.from.contains(&state) {
                    assert_eq!(code.as_deref(), Some("STATE_REFUSED"), "{what}");
                } else if returns {
                    // The way back is told in `whistle_supervision.rs`: none of these was handed up.
                    assert_eq!(code.as_deref(), Some("NOT_ESCALATED"), "{what}");
                } else {
                    let to = answer.text(&format!("/{}/whistle/state", step.mutation));
                    assert_eq!(to, step.to.to_value().to_ascii_uppercase(), "{what}");
                    *taken.entry(step.mutation).or_default() += 1;
                    row = whistle_in(&app, &world, state).await;
                    continue;
                }
                let now = whistle::find(&app.system(), row.id).await.expect("a read");
                assert_eq!(now.as_ref(), Some(&row), "{what}");
            }
        }
    }
    assert_eq!(tried, 7 * 8 * 10);
    assert_eq!(taken.len(), STEPS.len() - 1, "{taken:?}");
}

#[tokio::test]
async fn every_step_of_a_call_by_everybody_in_every_state_goes_by_the_tables() {
    let app = TestApp::narrow().await;
    let world = World::build(&app, "632223").await;
    let sdl = app.schema.sdl();
    let (mut tried, mut taken): (usize, BTreeSet<&str>) = (0, BTreeSet::new());
    for state in Answered::iter() {
        let mut row = call_in(&app, &world, state).await;
        assert_eq!(row.state, state);
        for step in &ANSWERS {
            let of = input_type(&sdl, step.mutation);
            for (who, role, is_unit, _) in people(&world) {
                let mut input = input(&world, step.mutation);
                input["responseId"] = json!(id::encode(row.id));
                let answer = send(&app, who, step.mutation, &of, input).await;
                let what = format!("{} in {state:?} by {role:?}: {}", step.mutation, answer.0);
                tried += 1;
                let code = answer.code();
                if !may(role, is_unit && by_unit(step.action), false, step.action) {
                    assert_eq!(code.as_deref(), Some("FORBIDDEN"), "{what}");
                } else if !step.from.contains(&state) {
                    assert_eq!(code.as_deref(), Some("STATE_REFUSED"), "{what}");
                } else {
                    // A re-routing answers with the new call.
                    let to = if step.to == Answered::Rerouted { Answered::Called } else { step.to };
                    let told = answer.text(&format!("/{}/response/state", step.mutation));
                    assert_eq!(told, to.to_value().to_ascii_uppercase(), "{what}");
                    taken.insert(step.mutation);
                    row = call_in(&app, &world, state).await;
                    continue;
                }
                let now = whistle::find_call(&app.system(), row.id).await.expect("a read");
                assert_eq!(now.as_ref(), Some(&row), "{what}");
            }
        }
    }
    assert_eq!(tried, 9 * 9 * 10);
    assert_eq!(taken.len(), ANSWERS.len(), "{taken:?}");
}

#[tokio::test]
async fn of_steps_of_a_call_that_exclude_each_other_one_wins() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let sdl = app.schema.sdl();
    for (state, contenders) in [
        (
            Answered::Called,
            [
                (world.staff, "reportInToWhistle"),
                (world.manager, "refuseWhistleCall"),
                (world.committee, "excuseWhistleCall"),
                (world.manager, "reportInToWhistle"),
            ],
        ),
        (
            Answered::ClaimedResolved,
            [
                (world.committee, "evaluateWhistleCall"),
                (world.committee, "returnWhistleClaim"),
                (world.committee, "evaluateWhistleCall"),
                (world.committee, "returnWhistleClaim"),
            ],
        ),
        (
            Answered::Refused,
            [
                (world.committee, "rerouteWhistleCall"),
                (world.committee, "excuseWhistleCall"),
                (world.committee, "rerouteWhistleCall"),
                (world.committee, "rerouteWhistleCall"),
            ],
        ),
    ] {
        for _ in 0..5 {
            let row = call_in(&app, &world, state).await;
            let all = contenders.map(|(who, mutation)| {
                let mut input = input(&world, mutation);
                input["responseId"] = json!(id::encode(row.id));
                input["expectedVersion"] = json!(row.version);
                let of = input_type(&sdl, mutation);
                let app = &app;
                async move { send(app, who, mutation, &of, input).await.code() }
            });
            let codes = futures_util::future::join_all(all).await;
            let won = codes.iter().filter(|code| code.is_none()).count();
            assert_eq!(won, 1, "{state:?}: {codes:?}");
            let lost = ["VERSION_CONFLICT", "STATE_REFUSED"];
            assert!(codes.iter().flatten().all(|code| lost.contains(&code.as_str())), "{state:?}: {codes:?}");
        }
    }
}
