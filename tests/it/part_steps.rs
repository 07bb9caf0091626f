//! Every step of a joint unit's part, by everybody, in every state, held against the tables of states and of rights; and that
//! no part moves while its problem is not with its units.

use std::collections::BTreeSet;

use concord::{
    domain::{
        Action,
        list::{
            problem::{
                self, moves,
                on_account::{self, NewHold},
                parts::{self, WhichPart},
            },
            problem_part_states::{REOPEN, STEPS, reopened},
        },
        policy::{self, Grant},
    },
    graphql::id,
};
use concord_entities::{
    id::{AccountId, ProblemId},
    problem::{Model, State},
    problem_responsible::{self, PartState},
    seat::Role,
};
use concord_tests::{Answer, TestApp, World};
use sea_orm::{EntityTrait, Iterable};
use serde_json::json;

use crate::{
    problem::{problem_in, which},
    problem_part::bring,
    transitions::{input_type, people},
};

/// The unit that leads, and the one whose part it is: that with a manager and staff.
const LEAD: usize = 2;
const UNIT: usize = 1;

fn of(world: &World, problem: ProblemId) -> WhichPart {
    WhichPart { problem: which(problem), organization: world.members[UNIT] }
}

/// A problem of two units, of which one has its part in a state.
async fn part_in(app: &TestApp, world: &World, state: PartState) -> ProblemId {
    let id = problem_in(app, world, State::Triaged).await.id;
    let (lead, joint) = (world.members[LEAD], [world.members[UNIT]]);
    moves::assign_jointly(&app.ctx(world.committee), which(id), lead, &joint, None).await.expect("assigned");
    let (staff, part) = (app.ctx(world.staff), of(world, id));
    if state == PartState::Declined {
        parts::decline(&staff, part, "不属本单位").await.expect("declined");
    }
    if matches!(state, PartState::Accepted | PartState::InProgress | PartState::Done) {
        parts::accept(&staff, part).await.expect("accepted");
    }
    if matches!(state, PartState::InProgress | PartState::Done) {
        parts::start(&staff, part).await.expect("started");
        bring(app, world.staff, id).await;
    }
    if state == PartState::Done {
        parts::finish(&staff, part).await.expect("finished");
    }
    id
}

/// What is kept of a problem and of the part.
async fn kept(app: &TestApp, world: &World, id: ProblemId) -> (Model, problem_responsible::Model) {
    let row = problem::find(&app.system(), id).await.expect("a read").expect("a problem");
    let part = problem_responsible::Entity::find_by_id((id, world.members[UNIT]));
    (row, part.one(&app.app.read).await.expect("a read").expect("a part"))
}

async fn take(
    app: &TestApp,
    world: &World,
    who: AccountId,
    (mutation, of): (&str, &str),
    id: ProblemId,
) -> Answer {
    let mut input = json!({ "problemId": id::encode(id), "organizationId": id::encode(world.members[UNIT]) });
    if of.contains("Reason") {
        input["reason"] = json!("情况说明");
    }
    let query =
        format!("mutation($input: {of}!) {{ {mutation}(input: $input) {{ userErrors {{ code }} }} }}");
    app.client(who).send(&query, json!({ "input": input })).await
}

fn may(role: Option<Role>, unit: Option<usize>, action: Action) -> bool {
    match role.map_or(Grant::Never, |role| policy::grant(role, action)) {
        Grant::Any => true,
        Grant::Never => false,
        Grant::Own => unit == Some(UNIT),
    }
}

#[tokio::test]
async fn every_step_of_a_part_by_everybody_in_every_state_goes_by_the_tables() {
    let app = TestApp::narrow().await;
    let world = World::build(&app, "632223").await;
    let sdl = app.schema.sdl();
    let (mut tried, mut taken) = (0, BTreeSet::new());
    for state in PartState::iter() {
        let mut id = part_in(&app, &world, state).await;
        for step in &STEPS {
            let of = input_type(&sdl, step.mutation);
            for (who, role, unit) in people(&world) {
                let before = kept(&app, &world, id).await;
                assert_eq!(before.1.state, state);
                let answer = take(&app, &world, who, (step.mutation, &of), id).await;
                let what = format!("{} in {state:?} by {role:?}: {}", step.mutation, answer.0);
                tried += 1;
                let code = answer.code();
                let after = kept(&app, &world, id).await;
                if !may(role, unit, step.action) {
                    assert_eq!(code.as_deref(), Some("FORBIDDEN"), "{what}");
                } else if !step.from.contains(&state) {
                    assert_eq!(code.as_deref(), Some("STATE_REFUSED"), "{what}");
                } else {
                    assert_eq!(code, None, "{what}");
                    let to = if step.mutation == REOPEN.mutation { reopened(state) } else { step.to };
                    assert_eq!(after.1.state, to, "{what}");
                    // A change of a part is one of its problem, whose own state stays.
                    let whole = (after.0.state, after.0.version);
                    assert_eq!(whole, (before.0.state, before.0.version + 1), "{what}");
                    taken.insert((step.mutation, state));
                    id = part_in(&app, &world, state).await;
                    continue;
                }
                assert_eq!(after, before, "{what}");
            }
        }
    }
    assert_eq!(tried, 5 * 5 * 10);
    let all: BTreeSet<_> =
        STEPS.iter().flat_map(|step| step.from.iter().map(|from| (step.mutation, *from))).collect();
    assert_eq!(taken, all);
}

#[tokio::test]
async fn no_part_moves_while_its_problem_is_not_with_its_units() {
    let app = TestApp::narrow().await;
    let world = World::build(&app, "632223").await;
    let sdl = app.schema.sdl();
    let (committee, lead) = (app.ctx(world.committee), app.ctx(world.other_staff));
    for state in [State::OnAccount, State::Submitted, State::Verified, State::StruckOff] {
        let id = part_in(&app, &world, PartState::Done).await;
        moves::accept(&lead, which(id)).await.expect("accepted");
        moves::start(&lead, which(id), None).await.expect("started");
        if state == State::OnAccount {
            let hold = NewHold {
                reason: "待解冻".to_owned(),
                organization_id: None,
                review_on: "2026-03-01".parse().expect("a day"),
            };
            on_account::hold(&committee, which(id), hold).await.expect("held");
        } else {
            moves::submit(&lead, which(id)).await.expect("submitted");
        }
        if matches!(state, State::Verified | State::StruckOff) {
            moves::verify(&app.ctx(world.verifier), which(id), "已平整").await.expect("verified");
        }
        if state == State::StruckOff {
            moves::strike_off(&app.ctx(world.approver), which(id)).await.expect("struck off");
        }
        let before = kept(&app, &world, id).await;
        assert_eq!(before.0.state, state);
        // Of all steps, the part's own state allows the committee's.
        for step in &STEPS {
            let of = input_type(&sdl, step.mutation);
            for (who, role, unit) in people(&world) {
                let answer = take(&app, &world, who, (step.mutation, &of), id).await;
                let code = if may(role, unit, step.action) { "STATE_REFUSED" } else { "FORBIDDEN" };
                let what = format!("{} in {state:?} by {role:?}: {}", step.mutation, answer.0);
                assert_eq!(answer.code().as_deref(), Some(code), "{what}");
            }
        }
        assert_eq!(kept(&app, &world, id).await, before);
    }
}
