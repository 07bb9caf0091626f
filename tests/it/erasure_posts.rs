//! Erasure of those who hold posts: officers of grid cells, instructors, secretaries of branches. Posts and counts stay, the person leaves
//! no trace.

use chrono::TimeDelta;
use concord::{
    domain::{
        branch::{
            host::NewHost,
            instructor::{self, NewInstructor},
            steps::{self, NewBranch, Secretary},
        },
        chain::{self, Marks},
        grid::officer::{self, NewOfficer},
    },
    graphql::id,
};
use concord_entities::{grid_network::Kind, grid_officer::Role, id::AccountId};
use concord_tests::{Answer, TestApp, World};
use serde_json::{Value, json};

use crate::{
    branch::{established, new_branch, which},
    erasure::traces,
    grid::{drawn, network_of, new_cell, new_officer},
};

const NAME: &str = "张三丰";
const PHONE: &str = "13912345678";

/// Sends one of the erasures.
async fn erase(
    app: &TestApp,
    who: AccountId,
    (verb, of, shown): (&str, &str, &str),
    id: &str,
    reason: &str,
) -> Answer {
    let input = format!("Erase{}Input", verb.trim_start_matches("erase"));
    let query = format!(
        "mutation($input: {input}!) {{ {verb}(input: $input) {{ {shown} userErrors {{ code field }} }} }}"
    );
    let mut given = json!({ "reason": reason });
    given[of] = Value::from(id);
    app.client(who).send(&query, json!({ "input": given })).await
}

const OFFICER: (&str, &str, &str) =
    ("eraseGridOfficer", "officerId", "officer { person { name phone } role until version }");
const INSTRUCTOR: (&str, &str, &str) =
    ("eraseBranchInstructor", "instructorId", "instructor { person { name phone } until version }");
const SECRETARY: (&str, &str, &str) =
    ("eraseBranchSecretary", "branchId", "branch { secretary { name phone } memberCount version }");

/// The chain holds, with so many events erased.
async fn holds_together(app: &TestApp, erased: u64) {
    app.run_background().await;
    let found = chain::verify(&app.app.read, &Marks::default()).await.expect("the walk ends");
    assert_eq!((found.first_break, found.erased), (None, erased));
}

#[tokio::test]
async fn whoever_held_a_grid_cell_is_erased_from_every_post_that_has_ended() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let beyond = World::build(&app, "632224").await;
    let committee = app.ctx(world.committee);
    let network = network_of(&app, &world, Kind::Governance).await;
    let cell = drawn(&app, &world, &network, new_cell("Z-1", &world.communities)).await;
    let assign = async |new: NewOfficer| officer::assign(&committee, cell.id, new).await.expect("a post");
    let post = assign(new_officer(world.members[1], Role::GridOfficer, NAME)).await;
    let second = assign(new_officer(world.members[1], Role::SecurityDirector, NAME)).await;
    let other = assign(new_officer(world.members[1], Role::PoliceOfficer, "李四光")).await;
    let id = id::encode(post.id);
    let standing = erase(&app, world.committee, OFFICER, &id, "本人要求").await;
    assert_eq!(standing.code().as_deref(), Some("STATE_REFUSED"));
    app.advance(TimeDelta::days(2));
    for row in [&post, &second, &other] {
        officer::end(&committee, row.id, None, None).await.expect("ended");
    }
    for (who, expected) in
        [(world.manager, "FORBIDDEN"), (world.county_committee, "FORBIDDEN"), (beyond.committee, "NOT_FOUND")]
    {
        assert_eq!(erase(&app, who, OFFICER, &id, "要求").await.code().as_deref(), Some(expected));
    }
    for (reason, expected) in [(" ", "REQUIRED"), ("张三丰要求", "REASON_NAMES_ERASED")] {
        let answer = erase(&app, world.committee, OFFICER, &id, reason).await;
        assert_eq!(answer.code().as_deref(), Some(expected));
    }
    let answer = erase(&app, world.committee, OFFICER, &id, "本人要求").await.fine();
    assert_eq!(answer.at("/eraseGridOfficer/officer/person"), &json!({ "name": "已注销", "phone": null }));
    assert_eq!(answer.text("/eraseGridOfficer/officer/role"), "GRID_OFFICER");
    assert_eq!(traces(&app, &[NAME]).await, Vec::<String>::new());
    assert_eq!(traces(&app, &["李四光"]).await.len(), 1);
    for row in [&post, &second] {
        let again = erase(&app, world.committee, OFFICER, &id::encode(row.id), "再来").await;
        assert_eq!(again.code().as_deref(), Some("NOTHING_TO_ERASE"));
    }
    // Nobody is hidden where nobody is named.
    let query = "query($id: ID!) { node(id: $id) { ... on GridOfficer { person { name masked } } } }";
    let shown = app.client(world.observer).send(query, json!({ "id": id })).await;
    assert_eq!(shown.text("/node/person/name"), "已注销");
    holds_together(&app, 0).await;
}

#[tokio::test]
async fn instructors_and_secretaries_are_erased_and_what_they_served_stays() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let beyond = World::build(&app, "632224").await;
    let committee = app.ctx(world.committee);
    let new = NewInstructor {
        organization_id: world.members[1],
        name: NAME.to_owned(),
        phone: Some(PHONE.to_owned()),
        place: NewHost::Region(world.communities[0]),
        since: None,
    };
    let served = instructor::appoint(&committee, world.town, new).await.expect("appointed");
    let secretary = Secretary { name: Some(NAME.to_owned()), phone: Some(PHONE.to_owned()) };
    let new = NewBranch { secretary, member_count: Some(7), ..new_branch(&world, "甲") };
    let branch = established(&app, &world, new).await;
    let (instructor_id, branch_id) = (id::encode(served.id), id::encode(branch.id));
    let standing = erase(&app, world.committee, INSTRUCTOR, &instructor_id, "本人要求").await;
    assert_eq!(standing.code().as_deref(), Some("STATE_REFUSED"));
    app.advance(TimeDelta::days(2));
    instructor::end(&committee, served.id, None, None).await.expect("ended");
    // The reason for which a branch ended names its secretary: that event goes too.
    steps::end(&committee, which(branch.id), None, Some(&format!("书记{NAME}调离"))).await.expect("ended");
    for (what, id) in [(INSTRUCTOR, &instructor_id), (SECRETARY, &branch_id)] {
        for (who, expected) in [(world.staff, "FORBIDDEN"), (beyond.committee, "NOT_FOUND")] {
            assert_eq!(erase(&app, who, what, id, "要求").await.code().as_deref(), Some(expected));
        }
        let named = erase(&app, world.committee, what, id, &format!("{PHONE}来电")).await;
        assert_eq!(named.code().as_deref(), Some("REASON_NAMES_ERASED"));
    }
    let answer = erase(&app, world.committee, INSTRUCTOR, &instructor_id, "本人要求").await.fine();
    assert_eq!(
        answer.at("/eraseBranchInstructor/instructor/person"),
        &json!({ "name": "已注销", "phone": null })
    );
    let answer = erase(&app, world.committee, SECRETARY, &branch_id, "本人要求").await.fine();
    assert_eq!(
        answer.at("/eraseBranchSecretary/branch/secretary"),
        &json!({ "name": "已注销", "phone": null })
    );
    assert_eq!(answer.at("/eraseBranchSecretary/branch/memberCount"), 7);
    assert_eq!(traces(&app, &[NAME, PHONE]).await, Vec::<String>::new());
    for (what, id) in [(INSTRUCTOR, &instructor_id), (SECRETARY, &branch_id)] {
        let again = erase(&app, world.committee, what, id, "再来").await;
        assert_eq!(again.code().as_deref(), Some("NOTHING_TO_ERASE"));
    }
    holds_together(&app, 1).await;
}

#[tokio::test]
async fn an_erasure_takes_a_fixed_number_of_statements_however_many_posts_there_were() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.ctx(world.committee);
    let network = network_of(&app, &world, Kind::Governance).await;
    let mut posts = Vec::new();
    for (index, place) in world.communities.into_iter().enumerate() {
        let cell = drawn(&app, &world, &network, new_cell(&format!("Z-{index}"), &[place])).await;
        let new = new_officer(world.members[1], Role::GridOfficer, NAME);
        posts.push(officer::assign(&committee, cell.id, new).await.expect("a post"));
    }
    let new = NewInstructor {
        organization_id: world.members[1],
        name: NAME.to_owned(),
        phone: None,
        place: NewHost::Region(world.communities[0]),
        since: None,
    };
    let served = instructor::appoint(&committee, world.town, new).await.expect("appointed");
    let secretary = Secretary { name: Some(NAME.to_owned()), phone: None };
    let branch = established(&app, &world, NewBranch { secretary, ..new_branch(&world, "甲") }).await;
    app.advance(TimeDelta::days(1));
    for post in &posts {
        officer::end(&committee, post.id, None, None).await.expect("ended");
    }
    instructor::end(&committee, served.id, None, None).await.expect("ended");
    let (done, officers) =
        app.statements_within(async || officer::erase(&committee, posts[0].id, None, "本人要求").await).await;
    done.expect("erased");
    let (done, instructors) = app
        .statements_within(async || instructor::erase(&committee, served.id, None, "本人要求").await)
        .await;
    done.expect("erased");
    let (done, secretaries) = app
        .statements_within(async || steps::erase_secretary(&committee, which(branch.id), "本人要求").await)
        .await;
    done.expect("erased");
    assert_eq!([officers.len(), instructors.len(), secretaries.len()], [5; 3], "{officers:#?}");
    assert_eq!(traces(&app, &[NAME]).await, Vec::<String>::new());
    // What is on record of it the committee alone reads.
    let query = "query($id: ID!) { partyBranch(id: $id) { history { nodes { kind } } } }";
    for (who, expected) in [(world.committee, true), (world.staff, false)] {
        let told = app.client(who).send(query, json!({ "id": id::encode(branch.id) })).await;
        let told = told.at("/partyBranch/history/nodes").to_string();
        assert_eq!(told.contains("BRANCH_SECRETARY_ERASED"), expected, "{told}");
    }
}
