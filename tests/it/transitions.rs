//! Every step of a problem, by everybody, in every state, held against the table of states and the table of rights; and steps
//! that exclude each other, taken at once. Steps of parts stand in `part_steps.rs`, those of priority tasks in `task_steps.rs`.

use std::collections::BTreeSet;

use concord::{
    domain::{
        Action, Code, Error,
        governance::alliance::{self, AllianceChange},
        list::{
            problem::{
                self, escalation, merge, moves, on_account, parts,
                take_over::{Destination, Origin},
            },
            problem_states::{
                ADD_PART, MOVE_TIER, REASSIGN, REMOVE_PART, RETURN_ESCALATION, SIGN_OFF, STEPS,
            },
        },
        policy::{self, Grant},
    },
    graphql::id,
    messages::{self, Locale},
};
use concord_entities::{
    id::AccountId,
    organization::Kind,
    problem::{self as problems, Model, State},
    seat::Role,
};
use concord_tests::{Answer, TestApp, World};
use sea_orm::{ActiveEnum, ColumnTrait, EntityTrait, Iterable, QueryFilter};
use serde_json::{Value, json};

use super::{
    counts::source,
    problem::{count, problem_in, show_closure, triage, which},
};

/// Everybody, with their role in the town and the unit for which they have it, by its place among the members.
pub const fn people(world: &World) -> [(AccountId, Option<Role>, Option<usize>); 10] {
    [
        (world.committee, Some(Role::Committee), Some(0)),
        (world.approver, Some(Role::Approver), Some(0)),
        (world.manager, Some(Role::MemberManager), Some(1)),
        (world.staff, Some(Role::MemberStaff), Some(1)),
        (world.other_staff, Some(Role::MemberStaff), Some(2)),
        (world.officer, Some(Role::CommunityOfficer), None),
        (world.grid_officer, Some(Role::GridOfficer), None),
        (world.verifier, Some(Role::Verifier), Some(6)),
        (world.observer, Some(Role::Observer), None),
        (world.county_committee, None, None),
    ]
}

/// A problem in a state, by its verbs; by an import where only that leads there.
async fn brought(app: &TestApp, world: &World, state: State) -> Model {
    let committee = app.ctx(world.committee);
    match state {
        State::ClosedAtSource => {
            let origin = Origin { source: "12345".to_owned(), organization_kind: Kind::GovernmentUnit };
            let mut to = Destination::open(&committee, world.town, origin, false).await.expect("a list");
            to.take(vec![source("closed", Some(app.app.now()))]).await.expect("taken over");
            let closed = problems::Entity::find().filter(problems::Column::State.eq(state));
            closed.one(&app.app.read).await.expect("a read").expect("a problem")
        }
        State::OnAccount => {
            let row = problem_in(app, world, State::InProgress).await;
            let hold = on_account::NewHold {
                reason: "待解冻".to_owned(),
                organization_id: None,
                review_on: "2026-03-01".parse().expect("a day"),
            };
            on_account::hold(&committee, which(row.id), hold).await.expect("held")
        }
        State::Rejected => {
            let row = problem_in(app, world, State::Registered).await;
            moves::reject(&committee, which(row.id), "不属实").await.expect("rejected")
        }
        State::Withdrawn => {
            let row = problem_in(app, world, State::Registered).await;
            moves::withdraw(&committee, which(row.id), "重复").await.expect("withdrawn")
        }
        State::Merged => {
            let row = problem_in(app, world, State::Registered).await;
            let other = problem_in(app, world, State::Registered).await;
            merge::merge(&committee, which(row.id), other.id, "同一问题").await.expect("merged")
        }
        State::Escalated => {
            let row = problem_in(app, world, State::Triaged).await;
            escalation::escalate(&committee, which(row.id), "超出权限").await.expect("escalated")
        }
        State::InProgress => {
            let row = problem_in(app, world, state).await;
            show_closure(app, world, row.id).await;
            problem::find(&app.system(), row.id).await.expect("a read").expect("a problem")
        }
        other => problem_in(app, world, other).await,
    }
}

/// The name of a mutation's input type, as the schema says.
pub fn input_type(sdl: &str, mutation: &str) -> String {
    let rest = sdl.split(&format!("\t{mutation}(")).nth(1).expect("a mutation");
    let rest = rest.split("input: ").nth(1).expect("an input");
    rest.split('!').next().expect("a type").to_owned()
}

/// What a step is asked with, beside the problem.
fn input(world: &World, mutation: &str, row: &Model, survivor: &Model) -> Value {
    let problem = json!(id::encode(row.id));
    let mut input = match mutation {
        "triageProblem" => triage(),
        "assignProblem" => json!({ "leadOrganizationId": id::encode(world.members[1]) }),
        "verifyProblem" => json!({ "verdict": "已平整" }),
        "holdProblem" => json!({ "reason": "待解冻", "reviewOn": "2026-03-01" }),
        "mergeProblem" => {
            let survivor = id::encode(survivor.id);
            return json!({ "duplicateId": problem, "survivorId": survivor, "reason": "同一问题" });
        }
        "reassignProblem" => json!({ "handlerId": id::encode(world.manager) }),
        "moveProblemTier" => json!({ "tier": "BIG", "forum": "COMMITTEE", "reason": "另议" }),
        "addProblemPart" => json!({ "organizationId": id::encode(world.members[2]) }),
        "removeProblemPart" => {
            json!({ "organizationId": id::encode(world.members[2]), "reason": "情况说明" })
        }
        "acceptProblem" | "startProblem" | "resumeProblem" | "submitProblem" | "signOffProblem"
        | "strikeOffProblem" => json!({}),
        _ => json!({ "reason": "情况说明" }),
    };
    input["problemId"] = problem;
    input
}

async fn take(app: &TestApp, who: AccountId, mutation: &str, of: &str, input: Value) -> Answer {
    let query = format!(
        "mutation($input: {of}!) {{ {mutation}(input: $input) {{ problem {{ state version }} userErrors {{ code }} }} }}"
    );
    app.client(who).send(&query, json!({ "input": input })).await
}

/// Whether the table of rights lets somebody take a step on a problem.
fn may(world: &World, person: (AccountId, Option<Role>, Option<usize>), action: Action, row: &Model) -> bool {
    let (who, Some(role), unit) = person else { return false };
    match policy::grant(role, action) {
        Grant::Any => true,
        Grant::Never => false,
        Grant::Own if action == Action::WithdrawProblem => row.recorded_by == Some(who),
        Grant::Own => unit.is_some_and(|unit| row.lead_organization_id == Some(world.members[unit])),
    }
}

async fn want_sign_offs(app: &TestApp, world: &World, sign_offs: i32) {
    let row = alliance::find(&app.system(), world.town).await.expect("a read").expect("the town");
    let change = AllianceChange { sign_offs: Some(sign_offs), ..AllianceChange::default() };
    alliance::update(&app.ctx(world.committee), world.town, row.version, change).await.expect("settled");
}

#[tokio::test]
async fn every_step_by_everybody_in_every_state_goes_by_the_tables() {
    let app = TestApp::narrow().await;
    let world = World::build(&app, "632223").await;
    let sdl = app.schema.sdl();
    let survivor = problem_in(&app, &world, State::Registered).await;
    // Those after which the state stays as it is come last.
    let stay = [REASSIGN, MOVE_TIER, ADD_PART, REMOVE_PART];
    let steps = STEPS.iter().map(|step| (step, false)).chain(stay.iter().map(|step| (step, true)));
    let (mut tried, mut taken): (usize, BTreeSet<(&str, State)>) = (0, BTreeSet::new());
    for state in State::iter() {
        let mut row = brought(&app, &world, state).await;
        assert_eq!(row.state, state);
        for (step, stays) in steps.clone() {
            let of = input_type(&sdl, step.mutation);
            let is_open_to = step.from.contains(&state);
            // One approver signs off only where another one strikes off.
            if step.mutation == SIGN_OFF.mutation && is_open_to {
                want_sign_offs(&app, &world, 2).await;
            }
            if step.mutation == REMOVE_PART.mutation && is_open_to {
                let committee = app.ctx(world.committee);
                row = parts::add(&committee, which(row.id), world.members[2]).await.expect("a part");
            }
            for person in people(&world) {
                let input = input(&world, step.mutation, &row, &survivor);
                let answer = take(&app, person.0, step.mutation, &of, input).await;
                let what = format!("{} in {state:?} by {:?}: {}", step.mutation, person.1, answer.0);
                tried += 1;
                let code = answer.code();
                let code = code.as_deref();
                if !may(&world, person, step.action, &row) {
                    assert_eq!(code, Some("FORBIDDEN"), "{what}");
                } else if !is_open_to {
                    assert_eq!(code, Some("STATE_REFUSED"), "{what}");
                } else if step.mutation == RETURN_ESCALATION.mutation {
                    // None of these came from below; `escalation.rs` hands one back.
                    assert_eq!(code, Some("NOT_ESCALATED"), "{what}");
                } else if code.is_none() {
                    let to = answer.text(&format!("/{}/problem/state", step.mutation));
                    let expected = if stays { state } else { step.to };
                    assert_eq!(to, expected.to_value().to_ascii_uppercase(), "{what}");
                    taken.insert((step.mutation, state));
                    row = brought(&app, &world, state).await;
                    continue;
                } else {
                    // What has passed, a verifier does not send back.
                    let refused = (step.mutation, state, person.1, code);
                    let known = ("returnProblem", State::Verified, Some(Role::Verifier), Some("FORBIDDEN"));
                    assert_eq!(refused, known, "{what}");
                }
                // A refused step leaves no trace.
                let now = problem::find(&app.system(), row.id).await.expect("a read");
                assert_eq!(now.as_ref(), Some(&row), "{what}");
            }
            if step.mutation == SIGN_OFF.mutation && is_open_to {
                want_sign_offs(&app, &world, 1).await;
            }
        }
    }
    assert_eq!(tried, 14 * 24 * 10);
    // Everything was taken from everywhere.
    let all: BTreeSet<(&str, State)> = steps
        .filter(|(step, _)| step.mutation != RETURN_ESCALATION.mutation)
        .flat_map(|(step, _)| step.from.iter().map(|from| (step.mutation, *from)))
        .collect();
    assert_eq!(taken, all);
}

#[tokio::test]
async fn of_steps_that_exclude_each_other_one_wins() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let sdl = app.schema.sdl();
    let survivor = problem_in(&app, &world, State::Registered).await;
    for (state, contenders) in [
        (
            State::Assigned,
            [
                (world.staff, "acceptProblem"),
                (world.manager, "declineProblem"),
                (world.committee, "recallProblem"),
                (world.committee, "escalateProblem"),
            ],
        ),
        (
            State::Verified,
            [
                (world.approver, "strikeOffProblem"),
                (world.approver, "returnProblem"),
                (world.committee, "returnProblem"),
                (world.committee, "mergeProblem"),
            ],
        ),
        (
            State::Registered,
            [
                (world.grid_officer, "withdrawProblem"),
                (world.committee, "rejectProblem"),
                (world.committee, "mergeProblem"),
                (world.committee, "rejectProblem"),
            ],
        ),
    ] {
        for _ in 0..5 {
            let row = problem_in(&app, &world, state).await;
            let before = "SELECT COUNT(*) AS n FROM event WHERE kind LIKE 'problem_%'";
            let had = count(&app, before).await;
            let all = contenders.map(|(who, mutation)| {
                let mut input = input(&world, mutation, &row, &survivor);
                input["expectedVersion"] = json!(row.version);
                let of = input_type(&sdl, mutation);
                let app = &app;
                async move { take(app, who, mutation, &of, input).await.code() }
            });
            let codes = futures_util::future::join_all(all).await;
            let won = codes.iter().filter(|code| code.is_none()).count();
            assert_eq!(won, 1, "{state:?}: {codes:?}");
            let lost = ["VERSION_CONFLICT", "STATE_REFUSED", "FORBIDDEN", "MERGE_REFUSED"];
            assert!(codes.iter().flatten().all(|code| lost.contains(&code.as_str())), "{state:?}: {codes:?}");
            let made = count(&app, before).await - had;
            assert!((1..=2).contains(&made), "{state:?}: {made} events, {codes:?}");
        }
    }
}

#[test]
fn states_are_told_in_chinese_words() {
    fn check<S: ActiveEnum<Value = String> + Iterable>() {
        for state in S::iter() {
            let refused = Error::refused(Code::StateRefused).with("state", state.to_value());
            let told = messages::of(&refused, Locale::ZhCn);
            assert!(!told.contains(|letter: char| letter.is_ascii_alphabetic()), "{told}");
        }
    }
    check::<concord_entities::membership::State>();
    check::<concord_entities::priority_task::State>();
    check::<concord_entities::task_list::State>();
    check::<concord_entities::follow_up::State>();
    check::<concord_entities::problem::State>();
    check::<concord_entities::problem_responsible::PartState>();
    check::<concord_entities::escalation::State>();
    check::<concord_entities::extension::State>();
    check::<concord_entities::handover_item::State>();
    check::<concord_entities::rotation_slot::State>();
    check::<concord_entities::rotation_plan::State>();
    check::<concord_entities::rotation_swap::State>();
    check::<concord_entities::whistle::State>();
    check::<concord_entities::whistle_response::State>();
    check::<concord_entities::mobilization::State>();
    check::<concord_entities::mobilization_unit::State>();
    check::<concord_entities::account::State>();
    check::<concord_entities::seat::State>();
    // Nor is a pattern told.
    let refused = Error::invalid(Code::Malformed, "person").with("expected", "token");
    assert!(messages::of(&refused, Locale::ZhCn).contains("1 至 64 位字母、数字"));
}
