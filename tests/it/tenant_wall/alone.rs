//! Answers that an alliance next door must not move: the same question before it was and after, with its counts, cursors
//! and order.

use super::*;

/// Questions whose answer others do move, and why.
const MOVED: [(&str, &str); 2] = [
    ("query.regions", "the division of the country is no alliance's secret"),
    ("query.regionByCode", "the same"),
];

/// Questions that nobody here gets an answer to, and why.
const UNANSWERED: [(&str, &str); 1] = [(
    "query.strikeOffCertificate",
    "no specimen is struck off and vouched for; `certificate.rs` asks as everybody",
)];

/// Every query by everybody who was there before the alliance.
pub async fn unmoved(wall: &Wall, roots: &[Root]) -> Report {
    let (alone, both) = (wall.alone.thaw().await, wall.both.thaw().await);
    let mut report = Report::default();
    for root in roots {
        let may_move = MOVED.iter().any(|(moved, _)| *moved == root.label());
        let (mut is_answered, mut is_moved) = (false, false);
        for given in questions(wall, root) {
            // Once far, then only as far as an order shows.
            let depth = if is_answered { 0 } else { 1 };
            let selection = wall.contract.selection(wall.contract.named(&root.field["type"]), depth);
            let document = wall.contract.document(root, &given, &selection);
            for (name, who) in &wall.settled {
                let before = who.client(&alone).send(&document, given.clone().into()).await;
                let after = who.client(&both).send(&document, given.clone().into()).await;
                is_answered |= after.0["errors"].is_null() && is_full(&after.0["data"][&root.name]);
                let what = format!("{} {} asked by {name}", root.label(), Value::from(given.clone()));
                let holds = same(&what, (&still(after), "?"), (&still(before), "?"));
                if may_move {
                    is_moved |= holds.is_err();
                } else {
                    report.case("answers unmoved", holds);
                }
            }
        }
        let may_be_silent = UNANSWERED.iter().any(|(silent, _)| *silent == root.label());
        if is_answered == may_be_silent || may_move != is_moved {
            report.faults.push(format!("{}: answered {is_answered}, moved {is_moved}", root.label()));
        }
    }
    report
}

/// An answer without the head of all changes: a position is the whole platform's, so everybody's work moves it.
fn still(mut answer: Answer) -> Answer {
    if let Some(page) = answer.0["data"]["changes"].as_object_mut() {
        page.remove("position");
    }
    answer
}

/// The arguments to ask with: what is needed; every identifier as well; a short page; the other end; every order.
fn questions(wall: &Wall, root: &Root) -> Vec<Map<String, Value>> {
    let contract = &wall.contract;
    let is_id = |path: &str, of: &Value| !path.contains('.') && contract.named(of) == "ID";
    let mut plain = contract.arguments(root, &wall.here, &|_, _| false);
    let mut narrow = contract.arguments(root, &wall.here, &is_id);
    for given in [&mut plain, &mut narrow] {
        given.entry("number").and_modify(|number| *number = json!(wall.own_number));
    }
    let mut found = vec![plain.clone()];
    if narrow != plain {
        found.push(narrow);
    }
    let with = |name: &str, value: Value| {
        let mut given = plain.clone();
        given.insert(name.to_owned(), value);
        given
    };
    for argument in root.field["args"].as_array().into_iter().flatten() {
        match argument["name"].as_str().expect("a name") {
            name @ ("first" | "last") => found.extend(Some(with(name, json!(2)))),
            "orderBy" => {
                let orders = contract.values(contract.named(&argument["type"]));
                found.extend(orders.map(|order| with("orderBy", json!(order))));
            }
            _ => {}
        }
    }
    found
}
