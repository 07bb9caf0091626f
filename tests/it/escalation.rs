//! Escalation: the town hands a problem up, the county settles it, hands it back or lets it be recalled; each side sees of the
//! other number, state and dates, and strike-off in the town is earned in the town.

use concord::{
    domain::{
        chain,
        governance::{
            membership::{self, Contact},
            organization::{self, NewOrganization},
        },
        identity::{
            account::{self, NewAccount},
            seat::{self, NewSeat},
        },
        list::{
            evidence::{self, NewEvidence, Subject},
            problem::{self, escalation, merge, moves, reporter, round},
            recount,
        },
    },
    graphql::id,
};
use concord_entities::{
    evidence::Stage,
    id::{AccountId, OrganizationId, ProblemId},
    organization::Kind,
    problem::{Model, State, Tier},
    seat::Role,
};
use concord_tests::{Answer, TestApp, World};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::{
    erasure::traces,
    problem::{count, problem_in, step, upload, which},
    problem_round::finish,
};

/// People of the county: who handles, verifies and strikes off there.
pub struct County {
    unit: OrganizationId,
    staff: AccountId,
    verifier: AccountId,
    pub approver: AccountId,
}

impl County {
    pub async fn build(app: &TestApp, world: &World) -> Self {
        let system = app.system();
        let unit = async |name: &str| {
            let new = NewOrganization {
                name: name.to_owned(),
                short_name: None,
                kind: Kind::GovernmentUnit,
                credit_code: None,
                region_id: None,
            };
            let unit = organization::record(&system, new).await.expect("an organisation").id;
            membership::admit(&system, world.county, unit, Contact::default()).await.expect("a membership");
            unit
        };
        let (works, checks) = (unit("县住建局").await, unit("县督查室").await);
        let person = async |name: &str, role, organization_id| {
            let new = NewAccount {
                username: name.to_owned(),
                display_name: name.to_owned(),
                password_hash: Some("!".to_owned()),
                ..NewAccount::default()
            };
            let account_id = account::create(&system, new).await.expect("an account").id;
            let new =
                NewSeat { account_id, alliance_id: world.county, role, organization_id, region_id: None };
            seat::grant(&system, new).await.expect("a seat");
            account_id
        };
        Self {
            unit: works,
            staff: person("county.staff", Role::MemberStaff, Some(works)).await,
            verifier: person("county.verifier", Role::Verifier, Some(checks)).await,
            approver: person("county.approver", Role::Approver, Some(checks)).await,
        }
    }

    /// Brings a problem of the county's list to its strike-off.
    async fn settle(&self, app: &TestApp, world: &World, of: ProblemId) {
        self.verified(app, world, of).await;
        moves::strike_off(&app.ctx(self.approver), which(of)).await.expect("struck off");
    }

    /// Brings a problem of the county's list to its verification.
    pub async fn verified(&self, app: &TestApp, world: &World, of: ProblemId) {
        self.assign(app, world, of).await;
        let staff = app.ctx(self.staff);
        moves::accept(&staff, which(of)).await.expect("accepted");
        moves::start(&staff, which(of), None).await.expect("started");
        let new = NewEvidence {
            subject: Subject::Problem(of),
            files: vec![upload(app, self.staff, "县里已修").await],
            stage: Stage::Closure,
            note: None,
        };
        evidence::add(&staff, new).await.expect("evidence");
        moves::submit(&staff, which(of)).await.expect("submitted");
        moves::verify(&app.ctx(self.verifier), which(of), "县级核验").await.expect("verified");
    }

    async fn assign(&self, app: &TestApp, world: &World, of: ProblemId) {
        let triage = moves::Triage {
            tier: Tier::Hard,
            measures: "全线重铺".to_owned(),
            criterion: "通车".to_owned(),
            is_complex: true,
        };
        let committee = app.ctx(world.county_committee);
        moves::triage(&committee, which(of), triage).await.expect("triaged");
        moves::assign(&committee, which(of), self.unit, None).await.expect("assigned");
    }
}

const FIELDS: &str =
    "query($id: ID!) { problem(id: $id) { number title state isOpen reason channel reporterName
    leadOrganization { name } recordedBy { name }
    escalation { state escalatedAt endedAt linkedProblem { number state recordedAt dueOn closedAt } }
    origin { state linkedProblem { number state closedAt } }
    availableTransitions { mutation available blockers { code } } } }";

async fn seen(app: &TestApp, who: AccountId, of: ProblemId) -> Answer {
    app.client(who).send(FIELDS, json!({ "id": id::encode(of) })).await
}

async fn row(app: &TestApp, of: ProblemId) -> Model {
    problem::find(&app.system(), of).await.expect("a read").expect("a problem")
}

/// The problem as which the county took it up.
async fn above(app: &TestApp, world: &World) -> Model {
    use concord_entities::problem::{Column, Entity};
    let found = Entity::find()
        .filter(Column::AllianceId.eq(world.county))
        .order_by_asc(Column::Ordinal)
        .all(&app.app.read)
        .await;
    found.expect("a read").pop().expect("a problem above")
}

async fn escalated(app: &TestApp, world: &World, state: State) -> (Model, Model) {
    let row = problem_in(app, world, state).await;
    let row = escalation::escalate(&app.ctx(world.committee), which(row.id), "超出镇级权限").await;
    (row.expect("escalated"), above(app, world).await)
}

async fn assert_counted(app: &TestApp, when: &str) {
    assert_eq!(recount::first_difference(&app.app.read).await.expect("a recount"), None, "{when}");
}

#[tokio::test]
async fn what_had_passed_stays_on_record_when_a_problem_goes_up() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::Assigned).await;
    assert!(row.due_on.is_some());
    app.advance(chrono::TimeDelta::days(60));
    let up = escalation::escalate(&app.ctx(world.committee), which(row.id), "超出镇级权限").await;
    let up = up.expect("escalated");
    assert_eq!((up.due_on, up.due_is_provisional, up.lead_organization_id), (None, false, None));
    let breach = "SELECT COUNT(*) AS n FROM breach WHERE clock = 'resolution'";
    assert_eq!(crate::problem::count(&app, breach).await, 1);
    assert_counted(&app, "escalated").await;
}

fn offered(answer: &Answer, mutation: &str) -> Value {
    let all = answer.at("/problem/availableTransitions").as_array().expect("a list").clone();
    all.into_iter().find(|found| found["mutation"] == mutation).unwrap_or(Value::Null)
}

#[tokio::test]
async fn what_the_county_strikes_off_comes_back_to_be_confirmed_in_the_town() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let county = County::build(&app, &world).await;
    let (below, up) = escalated(&app, &world, State::InProgress).await;
    assert_eq!((below.state, below.is_open, below.lead_organization_id), (State::Escalated, true, None));
    assert_eq!(up.state, State::Registered);
    let from_town = seen(&app, world.staff, below.id).await.fine();
    let link = json!({ "state": "OPEN", "escalatedAt": "2026-01-05T01:00:00Z", "endedAt": null, "linkedProblem":
        { "number": up.number, "state": "REGISTERED", "recordedAt": "2026-01-05T01:00:00Z", "dueOn": null, "closedAt": null } });
    assert_eq!(from_town.at("/problem/escalation"), &link);
    assert!(from_town.at("/problem/origin").is_null());
    // The town sees nothing else of it, by whatever way.
    for who in [world.committee, world.staff, world.observer] {
        assert!(seen(&app, who, up.id).await.at("/problem").is_null());
    }
    let from_county = seen(&app, county.staff, up.id).await.fine();
    assert_eq!(from_county.at("/problem/title"), "路面坑洼");
    assert_eq!(from_county.at("/problem/channel"), "ESCALATION");
    assert!(
        from_county.at("/problem/reporterName").is_null() && from_county.at("/problem/recordedBy").is_null()
    );
    let origin = json!({ "state": "OPEN",
        "linkedProblem": { "number": below.number, "state": "ESCALATED", "closedAt": null } });
    assert_eq!(from_county.at("/problem/origin"), &origin);
    assert!(seen(&app, county.staff, below.id).await.at("/problem").is_null());
    assert_counted(&app, "escalated").await;
    let counts = "query($id: ID!) { alliance(id: $id) { problemCounts { open escalated } } }";
    let told = app.client(world.observer).send(counts, json!({ "id": id::encode(world.town) })).await.fine();
    assert_eq!(told.at("/alliance/problemCounts"), &json!({ "open": 1, "escalated": 1 }));

    county.settle(&app, &world, up.id).await;
    let back = row(&app, below.id).await;
    assert_eq!((back.state, back.is_open), (State::Triaged, true));
    let from_town = seen(&app, world.staff, below.id).await.fine();
    assert_eq!(from_town.at("/problem/escalation/state"), "RESOLVED");
    assert_eq!(from_town.at("/problem/escalation/linkedProblem/state"), "STRUCK_OFF");
    assert_eq!(from_town.at("/problem/escalation/linkedProblem/closedAt"), "2026-01-05T01:00:00Z");
    // What was shown above closes nothing here.
    finish(&app, &world, below.id).await;
    assert_eq!(row(&app, below.id).await.state, State::StruckOff);
    assert_counted(&app, "confirmed").await;
    app.run_background().await;
    let told = "SELECT COUNT(*) AS n FROM event WHERE kind = 'problem_escalation_resolved'";
    assert_eq!(count(&app, told).await, 1);
    let inbox = "{ inbox(first: 50) { nodes { event { kind } } } }";
    let told = app.client(world.committee).run(inbox).await.fine();
    assert!(told.0.to_string().contains("PROBLEM_ESCALATION_RESOLVED"));
}

#[tokio::test]
async fn the_county_hands_a_problem_back_with_its_reason() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let county = County::build(&app, &world).await;
    let (below, up) = escalated(&app, &world, State::Triaged).await;
    county.assign(&app, &world, up.id).await;
    let (id_up, id_below) = (json!(id::encode(up.id)), json!(id::encode(below.id)));
    let reason = json!({ "reason": "属镇级事权" });
    // What came from below is neither rejected nor withdrawn nor merged away above.
    let other = problem_in(&app, &world, State::Registered).await;
    moves::recall(&app.ctx(world.county_committee), which(up.id), "再议").await.expect("recalled");
    for mutation in ["rejectProblem", "withdrawProblem"] {
        let refused = step(&app, world.county_committee, mutation, &id_up, reason.clone()).await;
        assert_eq!(refused.code().as_deref(), Some("ESCALATED_FROM_BELOW"));
    }
    let seen_above = seen(&app, world.county_committee, up.id).await.fine();
    assert_eq!(offered(&seen_above, "rejectProblem")["blockers"][0]["code"], "ESCALATED_FROM_BELOW");
    assert_eq!(offered(&seen_above, "returnEscalation")["available"], true);
    // What did not come from below is not offered to be handed back.
    assert!(offered(&seen(&app, world.committee, other.id).await, "returnEscalation").is_null());
    for who in [county.staff, county.approver, county.verifier] {
        let refused = step(&app, who, "returnEscalation", &id_up, reason.clone()).await;
        assert_eq!(refused.code().as_deref(), Some("FORBIDDEN"));
    }
    let refused = step(&app, world.committee, "returnEscalation", &id_up, reason.clone()).await;
    assert_eq!(refused.code().as_deref(), Some("NOT_FOUND"));
    let blank = step(&app, world.county_committee, "returnEscalation", &id_up, json!({ "reason": "" })).await;
    assert_eq!(blank.code().as_deref(), Some("REQUIRED"));
    step(&app, world.county_committee, "returnEscalation", &id_up, reason.clone()).await.fine();
    let from_town = seen(&app, world.staff, below.id).await.fine();
    assert_eq!(from_town.at("/problem/state"), "TRIAGED");
    assert_eq!(from_town.at("/problem/reason"), "属镇级事权");
    assert_eq!(from_town.at("/problem/escalation/state"), "RETURNED");
    assert_eq!(from_town.at("/problem/escalation/linkedProblem/state"), "REJECTED");
    assert_eq!(row(&app, up.id).await.state, State::Rejected);
    let again = step(&app, world.county_committee, "returnEscalation", &id_up, reason.clone()).await;
    assert_eq!(again.code().as_deref(), Some("STATE_REFUSED"));
    // Handed up anew, it gets another number there, and the last escalation is shown.
    step(&app, world.committee, "escalateProblem", &id_below, reason).await.fine();
    let from_town = seen(&app, world.staff, below.id).await.fine();
    assert_eq!(from_town.at("/problem/escalation/state"), "OPEN");
    assert_eq!(from_town.at("/problem/escalation/linkedProblem/number"), "西海销〔2026〕0002号");
    assert_counted(&app, "handed back").await;
}

#[tokio::test]
async fn the_town_recalls_until_the_county_has_assigned() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let county = County::build(&app, &world).await;
    let (below, up) = escalated(&app, &world, State::Assigned).await;
    let id_below = json!(id::encode(below.id));
    let reason = json!({ "reason": "镇里已自行解决" });
    for who in [world.approver, world.staff, world.verifier, world.county_committee] {
        for mutation in ["recallEscalation", "escalateProblem"] {
            let refused = step(&app, who, mutation, &id_below, reason.clone()).await;
            assert_eq!(refused.code().as_deref(), Some("FORBIDDEN"), "{mutation}");
        }
    }
    let stale = json!({ "reason": "镇里已自行解决", "expectedVersion": 1 });
    let stale = step(&app, world.committee, "recallEscalation", &id_below, stale).await;
    assert_eq!(stale.code().as_deref(), Some("VERSION_CONFLICT"));
    step(&app, world.committee, "recallEscalation", &id_below, reason.clone()).await.fine();
    assert_eq!(row(&app, below.id).await.state, State::Triaged);
    assert_eq!(row(&app, up.id).await.state, State::Withdrawn);
    assert_counted(&app, "recalled").await;
    let again = step(&app, world.committee, "recallEscalation", &id_below, reason.clone()).await;
    assert_eq!(again.code().as_deref(), Some("STATE_REFUSED"));
    // Once somebody above is responsible, only those above hand it back.
    step(&app, world.committee, "escalateProblem", &id_below, reason.clone()).await.fine();
    let second = above(&app, &world).await;
    county.assign(&app, &world, second.id).await;
    let late = step(&app, world.committee, "recallEscalation", &id_below, reason).await;
    assert_eq!(late.code().as_deref(), Some("ESCALATION_TAKEN"));
    assert_eq!(row(&app, below.id).await.state, State::Escalated);
}

/// What blocks a step for somebody; nothing where it is not offered at all.
async fn blockers(app: &TestApp, who: AccountId, of: ProblemId, mutation: &str) -> Vec<String> {
    let query =
        "query($id: ID!) { problem(id: $id) { availableTransitions { mutation blockers { code } } } }";
    let seen = app.client(who).send(query, json!({ "id": id::encode(of) })).await.fine();
    let all = seen.at("/problem/availableTransitions").as_array().expect("a list").clone();
    let found = all.into_iter().find(|one| one["mutation"] == mutation);
    let codes = found.map(|one| one["blockers"].as_array().expect("blockers").clone());
    let text = |one: &Value| one["code"].as_str().expect("a code").to_owned();
    codes.unwrap_or_else(|| vec![json!({ "code": "NOT_OFFERED" })]).iter().map(text).collect()
}

#[tokio::test]
async fn what_came_back_down_is_the_upper_alliances_own_when_it_is_opened_again() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let county = County::build(&app, &world).await;
    let (down, up) = escalated(&app, &world, State::Triaged).await;
    let committee = app.ctx(world.county_committee);
    // While the town waits for it, it is handed back and ends no other way.
    for mutation in ["rejectProblem", "mergeProblem"] {
        assert_eq!(
            blockers(&app, world.county_committee, up.id, mutation).await,
            ["ESCALATED_FROM_BELOW"],
            "{mutation}"
        );
    }
    assert!(blockers(&app, world.county_committee, up.id, "returnEscalation").await.is_empty());
    assert!(blockers(&app, world.committee, down.id, "recallEscalation").await.is_empty());
    county.assign(&app, &world, up.id).await;
    assert_eq!(blockers(&app, world.committee, down.id, "recallEscalation").await, ["ESCALATION_TAKEN"]);
    moves::recall(&committee, which(up.id), "改派").await.expect("recalled");
    county.settle(&app, &world, up.id).await;
    round::reopen(&committee, which(up.id), "再次下沉").await.expect("reopened");
    assert_eq!(blockers(&app, world.county_committee, up.id, "returnEscalation").await, ["NOT_OFFERED"]);
    for mutation in ["rejectProblem", "mergeProblem"] {
        assert!(blockers(&app, world.county_committee, up.id, mutation).await.is_empty(), "{mutation}");
    }
    let new =
        problem::NewProblem { alliance_id: world.county, region_id: None, ..crate::problem::pothole(&world) };
    let other = problem::register(&committee, new).await.expect("registered");
    let merged = merge::merge(&committee, which(up.id), other.id, "同一处").await.expect("merged");
    assert_eq!(merged.state, State::Merged);
    assert_eq!(recount::first_difference(&app.app.read).await.expect("a recount"), None);
}

#[tokio::test]
async fn an_alliance_without_one_above_hands_nothing_up() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (_, up) = escalated(&app, &world, State::Triaged).await;
    let committee = app.ctx(world.county_committee);
    let triage = moves::Triage {
        tier: Tier::Hard,
        measures: "重铺".to_owned(),
        criterion: "通车".to_owned(),
        is_complex: true,
    };
    moves::triage(&committee, which(up.id), triage).await.expect("triaged");
    let reason = json!({ "reason": "再上报" });
    let id_up = json!(id::encode(up.id));
    let answer = step(&app, world.county_committee, "escalateProblem", &id_up, reason.clone()).await;
    assert_eq!(answer.code().as_deref(), Some("NO_PARENT_ALLIANCE"));
    assert_eq!(
        blockers(&app, world.county_committee, up.id, "escalateProblem").await,
        ["NO_PARENT_ALLIANCE"]
    );
    assert_eq!(row(&app, up.id).await.state, State::Triaged);
    let early = problem_in(&app, &world, State::Registered).await;
    let early = step(&app, world.committee, "escalateProblem", &json!(id::encode(early.id)), reason).await;
    assert_eq!(early.code().as_deref(), Some("STATE_REFUSED"));
    // Nobody registers a problem as one that came from below.
    let new = problem::NewProblem {
        channel: concord_entities::problem::Channel::Escalation,
        ..crate::problem::pothole(&world)
    };
    let refused = problem::register(&app.ctx(world.committee), new).await.expect_err("it is refused");
    assert_eq!(refused.code().text(), "MALFORMED");
}

#[tokio::test]
async fn an_erased_reporter_is_gone_above_as_well() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let new = problem::NewProblem {
        description: "张三丰家门口坑洼".to_owned(),
        title: "张三丰家门口".to_owned(),
        ..crate::problem::pothole(&world)
    };
    let below = problem::register(&app.ctx(world.grid_officer), new).await.expect("registered");
    let triage = moves::Triage {
        tier: Tier::Hard,
        measures: "重铺".to_owned(),
        criterion: "通车".to_owned(),
        is_complex: true,
    };
    moves::triage(&app.ctx(world.committee), which(below.id), triage).await.expect("triaged");
    escalation::escalate(&app.ctx(world.committee), which(below.id), "超出权限").await.expect("escalated");
    let up = above(&app, &world).await;
    assert_eq!(up.description, "张三丰家门口坑洼");
    assert_eq!((up.reporter_name, up.reporter_phone), (None, None));
    reporter::erase(&app.ctx(world.committee), which(below.id), "本人要求").await.expect("erased");
    assert_eq!(traces(&app, &["张三丰", "13912345678"]).await, Vec::<String>::new());
    assert_eq!(above(&app, &world).await.description, "**家门口坑洼");
    // Either chain says itself what it lost.
    app.run_background().await;
    let found = chain::verify(&app.app.read, &chain::Marks::default()).await.expect("the walk ends");
    assert!(found.first_break.is_none(), "{:?}", found.first_break);
    assert!(found.erased > 0);
}
