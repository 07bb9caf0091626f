//! What a change of a problem costs: how many statements stand between the beginning and the end of its unit of work. What is read
//! ahead of that holds nobody up and is not counted. The hot verbs take at most five.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use concord::domain::{
    Ctx, Result,
    governance::alliance::{self, AllianceChange},
    list::{
        deadline::Limit,
        deadline_policy::{self, PolicyChange, Rule},
        follow_up::{self, Answer, NewFollowUp, WhichFollowUp},
        priority_task::Edit,
        problem::{
            edit::{self, ProblemChange},
            escalation,
            extend::extend,
            merge, moves,
            on_account::{self, NewHold},
            parts::{self, WhichPart},
            register, round,
            tiers::{self, Settled},
        },
        supervision,
    },
};
use concord_entities::{
    breach::Clock,
    follow_up::{Kind, Solved},
    id::{AccountId, OrganizationId, ProblemId},
    problem::{Severity, State, Tier},
    problem_responsible::Unit,
    problem_tier_move::Forum,
};
use concord_tests::{TestApp, World};

use crate::{
    problem::{pothole, problem_in, show_closure, which},
    problem_part::bring,
};

/// How many statements each verb takes; one that is a matter of two lists, or of whatever hangs on a problem, is on none of the
/// hot paths.
const TAKES: [(&str, usize); 35] = [
    ("registerProblem", 4),
    ("triageProblem", 4),
    ("assignProblem", 4),
    ("assignProblem to three", 4),
    ("acceptProblem", 3),
    ("declineProblem", 5),
    ("recallProblem", 5),
    ("startProblem", 3),
    ("reassignProblem", 4),
    ("holdProblem", 4),
    ("resumeProblem", 5),
    ("resumeProblem of three", 5),
    ("moveProblemTier", 5),
    ("moveProblemTier of three", 5),
    ("moveProblemTier before assignment", 4),
    ("submitProblem", 4),
    ("submitProblem, reporters asked", 7),
    ("verifyProblem", 4),
    ("returnProblem", 4),
    ("returnProblem of three", 5),
    ("signOffProblem", 4),
    ("strikeOffProblem", 5),
    ("rejectProblem", 4),
    ("withdrawProblem", 4),
    ("reopenProblem", 5),
    ("mergeProblem", 5),
    ("escalateProblem", 8),
    ("recallEscalation", 5),
    ("addProblemPart", 4),
    ("removeProblemPart", 5),
    ("updateProblem", 4),
    ("extendProblem", 4),
    ("requestFollowUp", 5),
    ("issueSupervisionNotice", 5),
    ("answerSupervisionNotice", 5),
];

struct Bench<'app> {
    app: &'app TestApp,
    world: &'app World,
    taken: BTreeMap<&'static str, usize>,
}

impl Bench<'_> {
    async fn count<T>(
        &mut self,
        name: &'static str,
        who: AccountId,
        verb: impl AsyncFnOnce(&Ctx) -> Result<T>,
    ) -> T {
        let ctx = self.app.ctx(who);
        let (done, within) = self.app.statements_within(async || verb(&ctx).await).await;
        let takes = TAKES.iter().find(|(known, _)| *known == name).map(|(_, takes)| *takes);
        assert_eq!(Some(within.len()), takes, "{name}: {within:#?}");
        self.taken.insert(name, within.len());
        done.unwrap_or_else(|error| panic!("{name}: {error:?}"))
    }

    async fn problem(&self, state: State) -> ProblemId {
        problem_in(self.app, self.world, state).await.id
    }

    /// One that two units share, both done, submitted.
    async fn submitted_by_two(&self) -> ProblemId {
        let (app, world, id) = (self.app, self.world, self.problem(State::Triaged).await);
        let [lead, joint] = [1, 2].map(|at| world.members[at]);
        let committee = app.ctx(world.committee);
        moves::assign_jointly(&committee, which(id), lead, &[joint], None).await.expect("assigned");
        let (staff, other) = (app.ctx(world.staff), app.ctx(world.other_staff));
        let part = WhichPart { problem: which(id), organization: joint };
        parts::accept(&other, part).await.expect("accepted");
        parts::start(&other, part).await.expect("started");
        bring(app, world.other_staff, id).await;
        parts::finish(&other, part).await.expect("done");
        moves::accept(&staff, which(id)).await.expect("accepted");
        moves::start(&staff, which(id), None).await.expect("started");
        show_closure(app, world, id).await;
        moves::submit(&staff, which(id)).await.expect("submitted");
        id
    }

    /// One that three units share, taken to a state in which the leading one works on it.
    async fn shared(&self) -> ProblemId {
        let (world, id) = (self.world, self.problem(State::Triaged).await);
        let [lead, one, other] = [1, 2, 3].map(|at| world.members[at]);
        let committee = self.app.ctx(world.committee);
        moves::assign_jointly(&committee, which(id), lead, &[one, other], None).await.expect("assigned");
        let staff = self.app.ctx(world.staff);
        moves::accept(&staff, which(id)).await.expect("accepted");
        moves::start(&staff, which(id), None).await.expect("started");
        id
    }
}

fn settled() -> Settled {
    Settled { forum: Forum::default(), reason: Some("超出社区能力".to_owned()) }
}

fn held() -> NewHold {
    NewHold { reason: "待雨季后".to_owned(), organization_id: None, review_on: day("2026-03-01") }
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

#[tokio::test]
async fn a_change_of_a_problem_takes_a_fixed_number_of_statements() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let unit = |at: usize| -> OrganizationId { world.members[at] };
    let (committee, staff) = (world.committee, world.staff);
    // A hard matter has longer, so that a move to that tier moves deadlines.
    let longer = Rule {
        clock: Clock::Resolution,
        severity: None,
        tier: Some(Tier::Hard),
        is_complex: None,
        limit: Limit { amount: 30, unit: Unit::Days },
    };
    let change = PolicyChange { rules: Some(vec![longer]), ..PolicyChange::default() };
    deadline_policy::set(&app.ctx(committee), world.town, None, change).await.expect("a policy");
    let mut bench = Bench { app: &app, world: &world, taken: BTreeMap::new() };

    bench
        .count("registerProblem", world.grid_officer, async |ctx| register(ctx, pothole(&world)).await)
        .await;
    let id = bench.problem(State::Registered).await;
    let triage = moves::Triage {
        tier: Tier::Small,
        measures: "铺沥青".to_owned(),
        criterion: "路面平整".to_owned(),
        is_complex: false,
    };
    bench.count("triageProblem", committee, async |ctx| moves::triage(ctx, which(id), triage).await).await;
    bench
        .count("moveProblemTier before assignment", committee, async |ctx| {
            tiers::move_tier(ctx, which(id), Tier::Big, settled()).await
        })
        .await;
    bench
        .count("assignProblem", committee, async |ctx| moves::assign(ctx, which(id), unit(1), None).await)
        .await;
    bench.count("acceptProblem", staff, async |ctx| moves::accept(ctx, which(id)).await).await;
    bench.count("startProblem", staff, async |ctx| moves::start(ctx, which(id), None).await).await;
    bench
        .count("reassignProblem", world.manager, async |ctx| moves::reassign(ctx, which(id), staff).await)
        .await;
    bench
        .count("moveProblemTier", committee, async |ctx| {
            tiers::move_tier(ctx, which(id), Tier::Hard, settled()).await
        })
        .await;
    bench
        .count("extendProblem", committee, async |ctx| {
            extend(ctx, which(id), day("2026-03-01"), "材料未到").await
        })
        .await;
    let id = bench.problem(State::InProgress).await;
    bench.count("holdProblem", committee, async |ctx| on_account::hold(ctx, which(id), held()).await).await;
    app.advance(chrono::TimeDelta::days(1));
    bench.count("resumeProblem", committee, async |ctx| on_account::resume(ctx, which(id)).await).await;
    let version = moves_version(&app, id).await;
    bench
        .count("updateProblem", committee, async |ctx| {
            let change = ProblemChange {
                severity: Some(Severity::Utilities),
                place: Edit::default(),
                ..ProblemChange::default()
            };
            edit::update(ctx, id, version, change).await
        })
        .await;
    bench.count("addProblemPart", committee, async |ctx| parts::add(ctx, which(id), unit(3)).await).await;
    bench
        .count("removeProblemPart", committee, async |ctx| {
            parts::remove(ctx, which(id), unit(3), "不涉及").await
        })
        .await;
    let notice = bench
        .count("issueSupervisionNotice", committee, async |ctx| {
            supervision::issue(ctx, id, unit(1), "三日内办结", None).await
        })
        .await;
    bench
        .count("answerSupervisionNotice", staff, async |ctx| {
            supervision::answer(ctx, notice.id, "材料已到", None).await
        })
        .await;
    show_closure(&app, &world, id).await;
    bench.count("submitProblem", staff, async |ctx| moves::submit(ctx, which(id)).await).await;
    bench
        .count("returnProblem", world.verifier, async |ctx| moves::send_back(ctx, which(id), "重拍").await)
        .await;
    // What had passed by then is on record.
    app.run_background().await;
    bench.count("recallProblem", committee, async |ctx| moves::recall(ctx, which(id), "改派").await).await;
    let id = bench.problem(State::Submitted).await;
    bench.count("verifyProblem", world.verifier, async |ctx| moves::verify(ctx, which(id), "好").await).await;
    bench
        .count("strikeOffProblem", world.approver, async |ctx| moves::strike_off(ctx, which(id)).await)
        .await;
    let asks = NewFollowUp { problem: which(id), reporter_problem_id: None, kind: Kind::Call, due_on: None };
    let asked =
        bench.count("requestFollowUp", committee, async |ctx| follow_up::request(ctx, asks).await).await;
    bench.count("reopenProblem", committee, async |ctx| round::reopen(ctx, which(id), "复发").await).await;
    // An answer about a round that ended is one more of the reporter's, and moves nothing.
    let answer = Answer { solved: Solved::Yes, satisfied: true, words: None, note: None };
    let of = WhichFollowUp { id: asked.id, expected_version: None };
    follow_up::record_answer(&app.ctx(world.verifier), of, answer).await.expect("answered");

    let id = bench.problem(State::Assigned).await;
    bench
        .count("declineProblem", staff, async |ctx| moves::decline(ctx, which(id), "非本单位", None).await)
        .await;
    let id = bench.problem(State::Registered).await;
    bench.count("rejectProblem", committee, async |ctx| moves::reject(ctx, which(id), "不实").await).await;
    let id = bench.problem(State::Registered).await;
    bench
        .count("withdrawProblem", world.grid_officer, async |ctx| {
            moves::withdraw(ctx, which(id), "误报").await
        })
        .await;
    let [one, other] = [bench.problem(State::Registered).await, bench.problem(State::Registered).await];
    bench
        .count("mergeProblem", committee, async |ctx| merge::merge(ctx, which(one), other, "重复").await)
        .await;
    let id = bench.problem(State::InProgress).await;
    bench
        .count("escalateProblem", committee, async |ctx| {
            escalation::escalate(ctx, which(id), "超出权限").await
        })
        .await;
    bench
        .count("recallEscalation", committee, async |ctx| {
            escalation::recall(ctx, which(id), "自行解决").await
        })
        .await;

    // As many for three units as for one.
    let id = bench.problem(State::Triaged).await;
    bench
        .count("assignProblem to three", committee, async |ctx| {
            moves::assign_jointly(ctx, which(id), unit(1), &[unit(2), unit(3)], None).await
        })
        .await;
    let id = bench.shared().await;
    bench
        .count("moveProblemTier of three", committee, async |ctx| {
            tiers::move_tier(ctx, which(id), Tier::Hard, settled()).await
        })
        .await;
    on_account::hold(&app.ctx(committee), which(id), held()).await.expect("held");
    app.advance(chrono::TimeDelta::days(1));
    bench
        .count("resumeProblem of three", committee, async |ctx| on_account::resume(ctx, which(id)).await)
        .await;
    let id = bench.submitted_by_two().await;
    bench
        .count("returnProblem of three", world.verifier, async |ctx| {
            moves::send_back(ctx, which(id), "重拍").await
        })
        .await;

    let change = AllianceChange {
        follow_up_on_submission: Some(true),
        sign_offs: Some(2),
        ..AllianceChange::default()
    };
    alliance::update(&app.ctx(committee), world.town, 1, change).await.expect("a policy");
    let id = bench.problem(State::InProgress).await;
    for _ in 0..3 {
        let duplicate = bench.problem(State::Registered).await;
        merge::merge(&app.ctx(committee), which(duplicate), id, "重复").await.expect("merged");
    }
    show_closure(&app, &world, id).await;
    bench
        .count("submitProblem, reporters asked", staff, async |ctx| moves::submit(ctx, which(id)).await)
        .await;
    moves::verify(&app.ctx(world.verifier), which(id), "好").await.expect("verified");
    bench.count("signOffProblem", world.approver, async |ctx| moves::sign_off(ctx, which(id)).await).await;
    let missed: Vec<_> = TAKES.iter().filter(|(name, _)| !bench.taken.contains_key(name)).collect();
    assert!(missed.is_empty(), "{missed:?}");
}

async fn moves_version(app: &TestApp, id: ProblemId) -> i64 {
    let row = concord::domain::list::problem::find(&app.system(), id).await;
    row.expect("a read").expect("a problem").version
}
