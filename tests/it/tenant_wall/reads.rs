//! Questions: every identifier that a query takes, and every edge that leads on from an object.

use super::*;

/// Arguments that make no difference to anybody, and why.
const UNREACHED: [(&str, &str); 1] = [(
    "query.strikeOffCertificate(problemId)",
    "no specimen is struck off and vouched for; `certificate.rs` asks as everybody",
)];

/// Edges behind which nothing is to be found, and why.
const NO_EDGE: [(&str, &str); 11] = [
    ("Organization.warnings", "remarks on the unit's own code, which lead to nothing else"),
    ("Problem.deadlineMoves", "drawn from the problem's own events, of which the specimen has none"),
    ("Problem.mergedInto", "the specimen is the one that goes on"),
    (
        "Problem.onAccount",
        "the problem is not held; where one is, it names a unit and a person of its own alliance",
    ),
    (
        "FollowUp.excludedBy",
        "an answer is excluded once, and the specimen is there for that; `statistics/excluded.rs` asks for the person",
    ),
    ("GridCell.parent", "the specimen stands above the other one"),
    ("GridNetwork.overlaps", "no two cells overlap; where two do, they are of the same network"),
    ("GridOfficer.alsoHolds", "there is one post"),
    ("PartyBranch.parent", "the specimen stands above the other one"),
    (
        "SupervisionNotice.whistleResponse",
        "the notice is about a problem; where one is about a call, `whistle_supervision.rs` asks as others too",
    ),
    ("WhistleResponse.insteadOf", "the one call came in nobody's place"),
];

/// Every identifier of every query.
pub async fn roots(wall: &Wall, roots: &[Root]) -> Report {
    let app = wall.both.thaw().await;
    let mut report = Report::default();
    for root in roots {
        for place in wall.contract.places(root) {
            let mut nouns = 0;
            for noun in wall.nouns(&place) {
                nouns += usize::from(read(wall, &app, root, &place, &noun, &mut report).await);
            }
            let what = format!("{}({})", root.label(), place.path);
            report.reach(&what, nouns == wall.nouns(&place).len(), &UNREACHED);
        }
    }
    report
}

/// One identifier of one noun, asked for by everybody; whether somebody inside got an answer to it.
async fn read(
    wall: &Wall,
    app: &TestApp,
    root: &Root,
    place: &Place,
    noun: &str,
    report: &mut Report,
) -> bool {
    let (id, none) = (wall.there.id(Some(noun)), wall.nothing.id(Some(noun)));
    let given = wall.contract.named(&root.field["type"]);
    let selection = wall.contract.selection(given, usize::from(!given.ends_with("Connection")));
    let ask = async |who: Who, of: &Objects, id: &str| {
        let given = wall.given(root, place, of, id);
        who.client(app).send(&wall.contract.document(root, &given, &selection), given.into()).await
    };
    let mut is_reached = false;
    for (_, owner) in &wall.owners {
        let found = ask(*owner, &wall.there, &id).await;
        let is_answered = found.0["errors"].is_null() && is_full(&found.0["data"][&root.name]);
        if is_answered && text(&found, &id) != text(&ask(*owner, &wall.there, &none).await, &none) {
            is_reached = true;
            break;
        }
    }
    if !is_reached {
        report
            .faults
            .extend(place.noun.is_none().then(|| format!("{}: no {noun} for its owner", root.label())));
        return false;
    }
    let is_alone = wall.given(root, place, &wall.there, &id) == wall.given(root, place, &wall.here, &id);
    for (name, who) in &wall.foreigners {
        for (whose, of) in [("all foreign", &wall.there), ("else their own", &wall.here)] {
            if is_alone && whose != "all foreign" {
                continue;
            }
            let what = format!("{}({}: {noun}) asked by {name}, {whose}", root.label(), place.path);
            let foreign = ask(*who, of, &id).await;
            let holds = if PUBLIC.iter().any(|(public, _)| *public == noun) {
                shows_nothing(wall, &what, &foreign)
            } else {
                same(&what, (&foreign, &id), (&ask(*who, of, &none).await, &none))
            };
            report.case("identifiers of queries", holds);
        }
    }
    true
}

/// Every edge from every object to another.
pub async fn edges(wall: &Wall) -> Report {
    let app = wall.both.thaw().await;
    let mut report = Report::default();
    for (of, noun) in wall.contract.nodes() {
        let (id, none) = (wall.there.id(Some(&noun)), wall.nothing.id(Some(&noun)));
        for field in wall.contract.fields(&of) {
            let (name, to) = (field["name"].as_str().expect("a name"), wall.contract.named(&field["type"]));
            if ["SCALAR", "ENUM"].contains(&wall.contract.kind(to)) {
                continue;
            }
            let selection = wall.contract.selection(to, 0);
            let document =
                format!("query($id: ID!) {{ node(id: $id) {{ ... on {of} {{ {name} {selection} }} }} }}");
            let ask = async |who: Who, id: &str| who.client(&app).send(&document, json!({ "id": id })).await;
            let mut is_reached = false;
            for (_, owner) in &wall.owners {
                is_reached = is_reached || is_full(&ask(*owner, &id).await.0["data"]["node"][name]);
            }
            let what = format!("{of}.{name}");
            report.reach(&what, is_reached, &NO_EDGE);
            if !is_reached || PUBLIC.iter().any(|(public, _)| *public == noun) {
                continue;
            }
            for (by, who) in &wall.foreigners {
                let (foreign, missing) = (ask(*who, &id).await, ask(*who, &none).await);
                let holds = same(&format!("{what} asked by {by}"), (&foreign, &id), (&missing, &none));
                report.case("edges", holds);
            }
        }
    }
    report
}
