//! An order is one decision: one bad item of a list refuses the whole and changes nothing. What is refused names the item at fault, whatever
//! is wrong with it.

use chrono::TimeDelta;
use concord::graphql::id;
use concord_entities::id::{OrganizationId, RegionId};
use concord_tests::{Answer, TestApp, World};
use serde_json::{Value, json};

use crate::{
    mobilization::{assert_counted, drafted, issued, send},
    problem::count,
};

/// The code of a refusal, and the input that it names. What is not to be seen is an error of the whole request.
fn refused(answer: &Answer, mutation: &str) -> (String, String) {
    let error = &answer.0["errors"][0]["extensions"];
    let told = if error.is_null() { &answer.at(&format!("/{mutation}/userErrors"))[0] } else { error };
    let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    (text("code"), text("field"))
}

/// A good item with one thing changed.
fn with(good: &Value, name: &str, value: impl Into<Value>) -> Value {
    let mut item = good.clone();
    item[name] = value.into();
    item
}

/// Places that are none of the order's, and what each is told.
fn bad_places(app: &TestApp, world: &World, other: &World) -> [(Value, &'static str); 5] {
    [
        (json!("nonsense"), "ID_MALFORMED"),
        (json!(id::encode(world.town)), "NOT_FOUND"),
        (json!(id::encode(app.system().new_id::<RegionId>())), "NOT_FOUND"),
        (json!(id::encode(world.town_region)), "REGION_ABOVE_COMMUNITY"),
        (json!(id::encode(other.communities[0])), "OUTSIDE_MOBILIZATION"),
    ]
}

/// The path as it is told with a code.
fn path(code: &str, field: &str) -> String {
    if code == "NOT_FOUND" { field.to_owned() } else { format!("input.{field}") }
}

/// A bad item, what it is told, and the input in it that is at fault.
type Bad = (Value, &'static str, &'static str);

fn bad_needs(app: &TestApp, world: &World, other: &World, good: &Value) -> Vec<Bad> {
    let places = bad_places(app, world, other);
    let mut bad: Vec<Bad> =
        places.into_iter().map(|(place, code)| (with(good, "regionId", place), code, "regionId")).collect();
    bad.extend([
        (with(good, "needed", -1), "OUT_OF_RANGE", "needed"),
        (with(good, "needed", 100_001), "OUT_OF_RANGE", "needed"),
        (with(good, "work", " "), "REQUIRED", "work"),
        (with(good, "work", "长".repeat(201)), "TOO_LONG", "work"),
        (good.clone(), "ALREADY_EXISTS", "regionId"),
    ]);
    bad
}

fn bad_units(app: &TestApp, world: &World, other: &World, good: &Value) -> Vec<Bad> {
    let unit = |value: Value| with(good, "organizationId", value);
    vec![
        (unit(json!("nonsense")), "ID_MALFORMED", "organizationId"),
        (unit(json!(id::encode(world.town_region))), "NOT_FOUND", "organizationId"),
        (unit(json!(id::encode(app.system().new_id::<OrganizationId>()))), "NOT_A_MEMBER", "organizationId"),
        (unit(json!(id::encode(other.members[1]))), "NOT_A_MEMBER", "organizationId"),
        (with(good, "quota", 0), "OUT_OF_RANGE", "quota"),
        (with(good, "quota", -1), "OUT_OF_RANGE", "quota"),
        (with(good, "quota", 100_001), "OUT_OF_RANGE", "quota"),
        (good.clone(), "ALREADY_ORDERED", "organizationId"),
    ]
}

fn bad_shifts(app: &TestApp, world: &World, other: &World, good: &Value) -> Vec<Bad> {
    let now = app.app.now();
    let at = |hours: i64| (now + TimeDelta::hours(hours)).to_rfc3339();
    let places = bad_places(app, world, other);
    let mut bad: Vec<Bad> =
        places.into_iter().map(|(place, code)| (with(good, "regionId", place), code, "regionId")).collect();
    bad.extend([
        (with(good, "startsAt", at(-24 * 32)), "OUT_OF_RANGE", "startsAt"),
        (with(good, "startsAt", at(24 * 367)), "OUT_OF_RANGE", "startsAt"),
        (with(good, "endsAt", at(0)), "OUT_OF_RANGE", "endsAt"),
        (with(good, "endsAt", at(-1)), "OUT_OF_RANGE", "endsAt"),
        (with(good, "endsAt", at(24 * 32)), "OUT_OF_RANGE", "endsAt"),
        (with(good, "needed", 0), "OUT_OF_RANGE", "needed"),
        (with(good, "needed", 100_001), "OUT_OF_RANGE", "needed"),
        (good.clone(), "ALREADY_EXISTS", "startsAt"),
    ]);
    bad
}

#[tokio::test]
async fn what_is_refused_of_a_list_names_its_item() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let other = World::build(&app, "632224").await;
    let now = app.app.now();
    let need = json!({ "regionId": id::encode(world.communities[0]), "needed": 3, "work": "除雪" });
    let unit = json!({ "organizationId": id::encode(world.members[4]), "quota": 3 });
    let shift = json!({ "regionId": id::encode(world.communities[0]), "needed": 2,
        "startsAt": now.to_rfc3339(), "endsAt": (now + TimeDelta::hours(8)).to_rfc3339() });
    let lists = [
        ("needs", 2_000_usize, &need, bad_needs(&app, &world, &other, &need)),
        ("units", 1_500, &unit, bad_units(&app, &world, &other, &unit)),
        ("shifts", 500, &shift, bad_shifts(&app, &world, &other, &shift)),
    ];
    let amends = |list: &str| match list {
        "needs" => ("amendMobilizationNeeds", "AmendMobilizationNeedsInput"),
        "units" => ("callMobilizationUnits", "CallMobilizationUnitsInput"),
        _ => ("addMobilizationShifts", "AddMobilizationShiftsInput"),
    };
    let orders = [drafted(&app, &world).await, issued(&app, &world).await];
    let tables = ["mobilization", "mobilization_need", "mobilization_unit", "mobilization_shift", "event"];
    let rows = async || {
        let mut all = Vec::new();
        for table in tables {
            all.push(count(&app, &format!("SELECT COUNT(*) AS n FROM {table}")).await);
        }
        all
    };
    let before = rows().await;
    for (list, most, good, bad) in &lists {
        let (mutation, of) = amends(list);
        for order in &orders {
            let ask = async |items: Vec<Value>| {
                let mut input = json!({ "mobilizationId": id::encode(order.id) });
                input[*list] = items.into();
                let answer = send(&app, world.committee, mutation, of, "mobilization { id }", input).await;
                refused(&answer, mutation)
            };
            for (item, code, name) in bad {
                let told = ask(vec![(*good).clone(), item.clone()]).await;
                let expected = path(code, &format!("{list}.1.{name}"));
                assert_eq!(told, ((*code).to_owned(), expected), "{list}: {item}");
            }
            let whole = format!("input.{list}");
            assert_eq!(ask(vec![]).await, ("REQUIRED".to_owned(), whole.clone()));
            assert_eq!(ask(vec![(*good).clone(); most + 1]).await, ("OUT_OF_RANGE".to_owned(), whole));
        }
    }
    // Drafting takes the same, but for shifts, and tells the same; there no need is taken back.
    let regions = json!([id::encode(world.communities[0]), id::encode(world.town_region)]);
    let draft = async |list: &str, items: Value| {
        let mut input = json!({ "allianceId": id::encode(world.town), "title": "除雪保畅", "reason": "暴雪红色预警",
            "regionIds": [id::encode(world.town_region)] });
        input[list] = items;
        let mutation = "draftMobilization";
        let answer =
            send(&app, world.committee, mutation, "DraftMobilizationInput", "mobilization { id }", input)
                .await;
        refused(&answer, mutation)
    };
    for (list, most, good, bad) in &lists[..2] {
        for (item, code, name) in bad {
            let told = draft(list, json!([good, item])).await;
            let expected = path(code, &format!("{list}.1.{name}"));
            assert_eq!(told, ((*code).to_owned(), expected), "{list}: {item}");
        }
        let told = draft(list, vec![(*good).clone(); most + 1].into()).await;
        assert_eq!(told, ("OUT_OF_RANGE".to_owned(), format!("input.{list}")));
    }
    let told = draft("needs", json!([need, with(&need, "needed", 0)])).await;
    assert_eq!(told, ("OUT_OF_RANGE".to_owned(), "input.needs.1.needed".to_owned()));
    for (region, code) in [
        (json!("nonsense"), "ID_MALFORMED"),
        (json!(id::encode(world.town)), "NOT_FOUND"),
        (json!(id::encode(app.system().new_id::<RegionId>())), "NOT_FOUND"),
        (json!(id::encode(other.town_region)), "OUTSIDE_TERRITORY"),
        (regions[1].clone(), "ALREADY_EXISTS"),
    ] {
        let told = draft("regionIds", json!([regions[0], regions[1], region])).await;
        assert_eq!(told, (code.to_owned(), path(code, "regionIds.2")), "{region}");
    }
    assert_eq!(rows().await, before);
    assert_counted(&app).await;
}
