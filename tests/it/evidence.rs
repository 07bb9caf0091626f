//! Evidence: who may add it and when, and that it hangs on exactly one thing.

use concord::{
    domain::identity::seat::{self, NewSeat},
    graphql::id,
};
use concord_entities::{id::AccountId, problem::State, seat::Role};
use concord_tests::{Answer, TestApp, World};
use serde_json::{Value, json};

use crate::problem::{count, problem_in, upload};

const ADD: &str = "mutation($input: AddEvidenceInput!) { addEvidence(input: $input) {
    evidence { id stage round note sha256 size mediaType name url organization { name } addedBy { name } }
    userErrors { code field } } }";

async fn add(app: &TestApp, who: AccountId, subject: &Value, files: Value, stage: &str) -> Answer {
    let input = json!({ "subject": subject, "fileIds": files, "stage": stage, "note": "现场" });
    app.client(who).send(ADD, json!({ "input": input })).await
}

#[tokio::test]
async fn those_concerned_add_evidence_and_others_do_not() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::InProgress).await;
    let subject = json!({ "problemId": id::encode(row.id) });
    // The responsible unit, whoever registered it, a verifier, the committee.
    for who in [world.staff, world.manager, world.grid_officer, world.verifier, world.committee] {
        let file = json!([id::encode(upload(&app, who, "照片").await)]);
        let answer = add(&app, who, &subject, file, "PROGRESS").await.fine();
        assert_eq!(answer.text("/addEvidence/evidence/0/stage"), "PROGRESS");
    }
    for who in [world.other_staff, world.officer, world.approver, world.observer] {
        let file = json!([id::encode(upload(&app, who, "照片").await)]);
        let answer = add(&app, who, &subject, file, "PROGRESS").await;
        assert_eq!(answer.code().as_deref(), Some("FORBIDDEN"));
    }
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM evidence").await, 5);
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM event WHERE kind = 'evidence_added'").await, 5);
}

#[tokio::test]
async fn a_file_is_attached_once_and_only_by_who_sent_it() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::InProgress).await;
    let subject = json!({ "problemId": id::encode(row.id) });
    let file = id::encode(upload(&app, world.staff, "照片").await);
    let stolen = add(&app, world.manager, &subject, json!([file]), "CLOSURE").await;
    assert_eq!(stolen.code().as_deref(), Some("NOT_FOUND"));
    let twice = add(&app, world.staff, &subject, json!([file, file]), "CLOSURE").await;
    assert_eq!(twice.code().as_deref(), Some("ALREADY_EXISTS"));
    let answer = add(&app, world.staff, &subject, json!([file]), "CLOSURE").await.fine();
    assert_eq!(answer.at("/addEvidence/evidence/0/size"), 6);
    assert_eq!(answer.text("/addEvidence/evidence/0/mediaType"), "text/plain; charset=utf-8");
    let again = add(&app, world.staff, &subject, json!([file]), "CLOSURE").await;
    assert_eq!(again.code().as_deref(), Some("NOT_FOUND"));
    let none = add(&app, world.staff, &subject, json!([]), "CLOSURE").await;
    assert_eq!(none.text("/addEvidence/userErrors/0/field"), "input.fileIds");
    let malformed = add(&app, world.staff, &subject, json!(["?"]), "CLOSURE").await;
    assert_eq!(malformed.text("/addEvidence/userErrors/0/field"), "input.fileIds.0");
}

#[tokio::test]
async fn a_replay_answers_with_the_same_evidence() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::InProgress).await;
    let files = [upload(&app, world.staff, "一").await, upload(&app, world.staff, "二").await];
    let input = json!({ "input": {
        "subject": { "problemId": id::encode(row.id) }, "stage": "CLOSURE",
        "fileIds": files.map(id::encode),
    } });
    let client = app.client(world.staff);
    let ids = |answer: &Answer| -> Vec<String> {
        let rows = answer.at("/addEvidence/evidence").as_array().expect("a list").clone();
        let mut ids: Vec<_> = rows.iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect();
        ids.sort_unstable();
        ids
    };
    let first = client.keyed("k", 1).send(ADD, input.clone()).await.fine();
    let again = client.keyed("k", 1).send(ADD, input).await.fine();
    assert_eq!(ids(&first).len(), 2);
    assert_eq!(ids(&first), ids(&again));
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM evidence").await, 2);
}

#[tokio::test]
async fn closure_evidence_belongs_to_the_work_and_nothing_is_added_to_what_is_closed() {
    let app = TestApp::new().await;
    let (world, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let assigned = problem_in(&app, &world, State::Assigned).await;
    let subject = json!({ "problemId": id::encode(assigned.id) });
    let file = json!([id::encode(upload(&app, world.staff, "照片").await)]);
    let early = add(&app, world.staff, &subject, file.clone(), "CLOSURE").await;
    assert_eq!(early.code().as_deref(), Some("STATE_REFUSED"));
    let closed = problem_in(&app, &world, State::StruckOff).await;
    let closed = json!({ "problemId": id::encode(closed.id) });
    let late = add(&app, world.staff, &closed, file.clone(), "PROGRESS").await;
    assert_eq!(late.code().as_deref(), Some("STATE_REFUSED"));
    // The refusals left the file free.
    add(&app, world.staff, &subject, file, "PROGRESS").await.fine();

    let theirs = json!([id::encode(upload(&app, there.staff, "照片").await)]);
    let foreign = add(&app, there.staff, &subject, theirs, "PROGRESS").await;
    assert_eq!(foreign.code().as_deref(), Some("NOT_FOUND"));
}

#[tokio::test]
async fn who_verifies_for_one_unit_and_works_for_another_brings_evidence_in_the_other_s_name() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::InProgress).await;
    let subject = json!({ "problemId": id::encode(row.id) });
    let both = crate::whistle::person(&app, "both", world.town, Role::Verifier, Some(world.members[6])).await;
    let name = async |who| {
        let file = json!([id::encode(upload(&app, who, "照片").await)]);
        let answer = add(&app, who, &subject, file, "CLOSURE").await.fine();
        answer.text("/addEvidence/evidence/0/organization/name")
    };
    // As long as they only verify, it is what the verifying unit found.
    assert_eq!(name(both).await, "成员单位6-632223");
    let new = NewSeat {
        account_id: both,
        alliance_id: world.town,
        role: Role::MemberStaff,
        organization_id: Some(world.members[1]),
        region_id: None,
    };
    seat::grant(&app.system(), new).await.expect("a seat");
    assert_eq!(name(both).await, "成员单位1-632223");
    // Evidence of somebody who works for a responsible unit stays that unit's: they do not verify it either.
    concord::domain::list::problem::moves::submit(&app.ctx(world.staff), crate::problem::which(row.id))
        .await
        .expect("submitted");
    let both = app.ctx(both);
    let verified =
        concord::domain::list::problem::moves::verify(&both, crate::problem::which(row.id), "已平整");
    assert_eq!(verified.await.expect_err("a part in it").code().text(), "NOT_INDEPENDENT");
}
