//! Every step of a problem, by everybody, in every state, held against the table of states and the table of rights; and steps
//! that exclude each other, taken at once.

use std::collections::{BTreeMap, BTreeSet};

use concord::{
    domain::{
        Action, Code, Error,
        list::{
            problem::{self, escalation, merge, moves, on_account},
            problem_states::STEPS,
        },
        policy::{self, Grant},
    },
    graphql::id,
    messages::{self, Locale},
};
use concord_entities::{
    id::AccountId,
    problem::{Model, State},
    seat::Role,
};
use concord_tests::{Answer, TestApp, World};
use sea_orm::{ActiveEnum, Iterable};
use serde_json::{Value, json};

use super::problem::{count, problem_in, show_closure, triage, which};

/// Steps that need more than one problem on one list; `escalation.rs` takes them.
const ELSEWHERE: [&str; 1] = ["returnEscalation"];

/// A problem in a state, by its verbs; nothing where only an import leads there.
async fn brought(app: &TestApp, world: &World, state: State) -> Option<Model> {
    let committee = app.ctx(world.committee);
    Some(match state {
        State::ClosedAtSource => return None,
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
    })
}

/// The name of a mutation's input type, as the schema says.
fn input_type(sdl: &str, mutation: &str) -> String {
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

/// Whether the table of rights lets somebody take a step on a problem that the first unit leads and a grid officer registered.
fn may(role: Option<Role>, is_lead: bool, is_registrar: bool, action: Action, row: &Model) -> bool {
    let Some(role) = role else { return false };
    match policy::grant(role, action) {
        Grant::Any => true,
        Grant::Never => false,
        Grant::Own if action == Action::WithdrawProblem => is_registrar,
        Grant::Own => is_lead && row.lead_organization_id.is_some(),
    }
}

#[tokio::test]
async fn every_step_by_everybody_in_every_state_goes_by_the_tables() {
    let app = TestApp::narrow().await;
    let world = World::build(&app, "632223").await;
    let sdl = app.schema.sdl();
    // Who, in which role, for the leading unit, as the registrar.
    let people = [
        (world.committee, Some(Role::Committee), false, false),
        (world.approver, Some(Role::Approver), false, false),
        (world.manager, Some(Role::MemberManager), true, false),
        (world.staff, Some(Role::MemberStaff), true, false),
        (world.other_staff, Some(Role::MemberStaff), false, false),
        (world.officer, Some(Role::CommunityOfficer), false, false),
        (world.grid_officer, Some(Role::GridOfficer), false, true),
        (world.verifier, Some(Role::Verifier), false, false),
        (world.observer, Some(Role::Observer), false, false),
        (world.county_committee, None, false, false),
    ];
    let survivor = problem_in(&app, &world, State::Registered).await;
    let (mut tried, mut taken): (usize, BTreeMap<&str, usize>) = (0, BTreeMap::new());
    for state in State::iter() {
        let Some(mut row) = brought(&app, &world, state).await else { continue };
        for step in STEPS.iter().filter(|step| !ELSEWHERE.contains(&step.mutation)) {
            let of = input_type(&sdl, step.mutation);
            for (who, role, is_lead, is_registrar) in people {
                let input = input(&world, step.mutation, &row, &survivor);
                let answer = take(&app, who, step.mutation, &of, input).await;
                let what = format!("{} in {state:?} by {role:?}: {}", step.mutation, answer.0);
                tried += 1;
                let code = answer.code();
                let code = code.as_deref();
                if !may(role, is_lead, is_registrar, step.action, &row) {
                    assert_eq!(code, Some("FORBIDDEN"), "{what}");
                } else if !step.from.contains(&state) {
                    assert_eq!(code, Some("STATE_REFUSED"), "{what}");
                } else if code.is_none() {
                    let to = answer.text(&format!("/{}/problem/state", step.mutation));
                    let expected = step.to.to_value().to_ascii_uppercase();
                    assert_eq!(to, expected, "{what}");
                    *taken.entry(step.mutation).or_default() += 1;
                    row = brought(&app, &world, state).await.expect("another one");
                    continue;
                } else {
                    // Something else is missing, and says so.
                    let known = [
                        "EVIDENCE_MISSING",
                        "NOT_INDEPENDENT",
                        "FORBIDDEN",
                        "SIGN_OFFS_COMPLETE",
                        "SIGN_OFF_NOT_WANTED",
                        "SIGN_OFFS_MISSING",
                    ];
                    assert!(code.is_some_and(|code| known.contains(&code)), "{what}");
                }
                // A refused step leaves no trace.
                let now = concord::domain::list::problem::find(&app.system(), row.id).await.expect("a read");
                assert_eq!(now.as_ref(), Some(&row), "{what}");
            }
        }
    }
    assert!(tried > 2_400, "{tried}");
    let never: BTreeSet<&str> =
        STEPS.iter().map(|step| step.mutation).filter(|step| !taken.contains_key(step)).collect();
    // More than one sign-off is wanted for the one, another list for the other.
    assert_eq!(never, BTreeSet::from(["returnEscalation", "signOffProblem"]), "{taken:?}");
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
