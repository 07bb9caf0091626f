//! Two steps at once that exclude each other: whoever comes first wins, whichever that is, and the other is told why. The model
//! (`model.rs`) takes one command after the other; here each pair is taken from the same state in both orders of starting.

use concord::domain::{
    Code, Result,
    list::{
        problem::{
            self, escalation, moves,
            moves::Which,
            on_account::{self, NewHold},
        },
        recount,
    },
};
use concord_entities::problem::{Model, State};
use concord_tests::{TestApp, World};
use futures_util::future::BoxFuture;

use crate::problem::{problem_in, show_closure};

type Step = for<'a> fn(&'a TestApp, &'a World, Which) -> BoxFuture<'a, Result<Model>>;

macro_rules! steps {
    ($($name:ident: $who:ident, |$ctx:ident, $world:ident, $which:ident| $verb:expr;)+) => {$(
        fn $name<'a>(app: &'a TestApp, $world: &'a World, $which: Which) -> BoxFuture<'a, Result<Model>> {
            Box::pin(async move {
                let $ctx = app.ctx($world.$who);
                $verb.await
            })
        }
    )+};
}

steps! {
    assign: committee, |ctx, world, which| moves::assign(&ctx, which, world.members[1], None);
    reject: committee, |ctx, world, which| moves::reject(&ctx, which, "不属本镇");
    escalate: committee, |ctx, world, which| escalation::escalate(&ctx, which, "超出镇级权限");
    accept: staff, |ctx, world, which| moves::accept(&ctx, which);
    recall: committee, |ctx, world, which| moves::recall(&ctx, which, "派错单位");
    submit: staff, |ctx, world, which| moves::submit(&ctx, which);
    hold: approver, |ctx, world, which| on_account::hold(&ctx, which, NewHold {
        reason: "待拨款".to_owned(),
        organization_id: None,
        review_on: "2026-03-01".parse().expect("a day"),
    });
    verify: verifier, |ctx, world, which| moves::verify(&ctx, which, "已平整");
    send_back: verifier, |ctx, world, which| moves::send_back(&ctx, which, "不平整");
    strike_off: approver, |ctx, world, which| moves::strike_off(&ctx, which);
}

#[tokio::test]
async fn of_two_steps_that_exclude_each_other_one_wins() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let pairs: [(State, Step, Step); 6] = [
        (State::Triaged, assign, reject),
        (State::Triaged, assign, escalate),
        (State::Assigned, accept, recall),
        (State::InProgress, submit, hold),
        (State::Submitted, verify, send_back),
        (State::Verified, strike_off, strike_off),
    ];
    for (from, one, other) in pairs {
        for (first, second) in [(one, other), (other, one)] {
            let row = problem_in(&app, &world, from).await;
            if from == State::InProgress {
                show_closure(&app, &world, row.id).await;
            }
            // As each of them read it.
            let now = problem::find(&app.system(), row.id).await.expect("a read");
            let version = now.expect("a problem").version;
            let which = Which { id: row.id, expected_version: Some(version) };
            let (won, lost) = futures_util::join!(first(&app, &world, which), second(&app, &world, which));
            let refused = match (&won, &lost) {
                (Ok(_), Err(refused)) | (Err(refused), Ok(_)) => refused.code(),
                both => panic!("from {from:?}: {both:?}"),
            };
            let is_told = match refused {
                Code::VersionConflict | Code::StateRefused => true,
                // The unit from which it was recalled has no part in it any more.
                Code::Forbidden => from == State::Assigned,
                _ => false,
            };
            assert!(is_told, "from {from:?}: {refused:?}");
        }
    }
    assert_eq!(recount::first_difference(&app.app.read).await.expect("a recount"), None);
}
