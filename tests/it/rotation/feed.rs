//! The calendar feed: a private address, shown once, that follows the rotation until it is revoked.

use concord::domain::rotation::feed;
use concord_tests::TestApp;
use serde_json::json;

use super::{ASSIGN, Town};

const CREATE: &str = "mutation($input: CreateCalendarFeedInput!) {
    createCalendarFeed(input: $input) { calendarFeed { id } path userErrors { code field } }
}";

const REVOKE: &str = "mutation($input: RevokeCalendarFeedInput!) {
    revokeCalendarFeed(input: $input) { calendarFeed { revokedAt } userErrors { code } }
}";

/// The values of a content line's name, folding undone.
fn lines(text: &str, name: &str) -> Vec<String> {
    text.replace("\r\n ", "")
        .lines()
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::to_owned))
        .collect()
}

fn token(path: &str) -> String {
    path.strip_prefix("/feeds/").and_then(|rest| rest.strip_suffix(".ics")).expect("a feed's path").to_owned()
}

#[tokio::test]
async fn a_calendar_follows_the_rotation() {
    let app = TestApp::new().await;
    let town = Town::build(&app, "632223", 3).await;
    let plan = town.published(&app, "2026-02", 3).await;
    let staff = app.client(town.world.staff);
    let made = staff.send(CREATE, json!({ "input": { "planId": plan } })).await.fine();
    let secret = token(&made.text("/createCalendarFeed/path"));
    assert!(secret.len() >= 43);
    let nobody = app.anonymous().ctx;
    let (first, tag) = feed::render(&nobody, &secret).await.unwrap().expect("a calendar");
    assert_eq!(lines(&first, "SUMMARY"), super::teams(&[1, 2, 3]));
    assert_eq!(lines(&first, "DTSTART;VALUE=DATE"), ["20260201", "20260301", "20260401"]);
    assert_eq!(lines(&first, "STATUS"), ["CONFIRMED", "CONFIRMED", "CONFIRMED"]);
    let again = feed::render(&nobody, &secret).await.unwrap().expect("a calendar");
    assert_eq!(again, (first.clone(), tag.clone()));
    // A change moves an event under its old name; it never makes a second one.
    let input = json!({ "planId": plan, "slotNumber": 2, "teamId": town.team(3) });
    app.client(town.world.committee).send(ASSIGN, json!({ "input": input })).await.fine();
    let (second, changed) = feed::render(&nobody, &secret).await.unwrap().expect("a calendar");
    assert_ne!(tag, changed);
    assert_eq!(lines(&second, "UID"), lines(&first, "UID"));
    assert_eq!(lines(&second, "SUMMARY"), super::teams(&[1, 3, 3]));
    let sequence = |text: &str| -> Vec<i64> {
        lines(text, "SEQUENCE").iter().map(|number| number.parse().unwrap()).collect()
    };
    let (old, new) = (sequence(&first), sequence(&second));
    assert!(new[1] > old[1] && new[0] == old[0] && new[2] == old[2]);
}

#[tokio::test]
async fn an_address_is_shown_once_and_revoked_by_its_maker() {
    let app = TestApp::new().await;
    let town = Town::build(&app, "632223", 2).await;
    let plan = town.published(&app, "2026-02", 2).await;
    let staff = app.client(town.world.staff);
    let input = json!({ "input": { "planId": plan } });
    let keyed = staff.keyed("k", 1).send(CREATE, input.clone()).await;
    assert_eq!(keyed.code().as_deref(), Some("IDEMPOTENCY_KEY_REFUSED"));
    let outsider = app.client(town.world.stranger).send(CREATE, input.clone()).await;
    assert_eq!(outsider.code().as_deref(), Some("NOT_FOUND"));
    let anonymous = app.anonymous().send(CREATE, input.clone()).await;
    assert_eq!(anonymous.code().as_deref(), Some("UNAUTHENTICATED"));
    let made = staff.send(CREATE, input).await.fine();
    let secret = token(&made.text("/createCalendarFeed/path"));
    let feed = made.text("/createCalendarFeed/calendarFeed/id");
    let own = staff.run("{ calendarFeeds { id plan { name } revokedAt } }").await.fine();
    assert_eq!(
        own.at("/calendarFeeds"),
        &json!([{ "id": feed, "plan": { "name": "年度轮值" }, "revokedAt": null }])
    );
    let others = app.client(town.world.manager).run("{ calendarFeeds { id } }").await.fine();
    assert_eq!(others.at("/calendarFeeds"), &json!([]));
    let revoke = json!({ "input": { "calendarFeedId": feed } });
    let foreign = app.client(town.world.manager).send(REVOKE, revoke.clone()).await;
    assert_eq!(foreign.code().as_deref(), Some("NOT_FOUND"));
    let nobody = app.anonymous().ctx;
    assert!(feed::render(&nobody, &secret).await.unwrap().is_some());
    staff.send(REVOKE, revoke.clone()).await.fine();
    assert_eq!(staff.send(REVOKE, revoke).await.code().as_deref(), Some("STATE_REFUSED"));
    for token in [secret.as_str(), "", "unknown", &"x".repeat(500)] {
        assert!(feed::render(&nobody, token).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn an_address_shows_only_what_its_maker_may_still_see() {
    let app = TestApp::new().await;
    let town = Town::build(&app, "632223", 2).await;
    let plan = town.published(&app, "2026-02", 2).await;
    let made = app.client(town.world.staff).send(CREATE, json!({ "input": { "planId": plan } })).await.fine();
    let secret = token(&made.text("/createCalendarFeed/path"));
    let nobody = app.anonymous().ctx;
    assert!(feed::render(&nobody, &secret).await.unwrap().is_some());
    app.sql("UPDATE seat SET state = 'ended' WHERE role = 'member_staff'").await.expect("the seats end");
    assert!(feed::render(&nobody, &secret).await.unwrap().is_none());
}
