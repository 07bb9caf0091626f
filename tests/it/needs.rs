//! A list reads the columns that are asked for. Every field must show the same alone, beside the objects that come along,
//! and beside everything else.

use concord::graphql::{self, id};
use concord_entities::problem::State;
use concord_tests::{Client, TestApp, World};
use serde_json::{Value, json};

use crate::{priority_task::published, problem::problem_in};

/// Where the objects of a type come from: `*` stands for what is asked of them.
const PLACES: [(&str, &str, &str); 12] = [
    ("Problem", "problem(id: $problem) { * }", "/problem"),
    ("Problem", "problems(first: 3) { nodes { * } }", "/problems/nodes"),
    ("Alliance", "problem(id: $problem) { alliance { * } }", "/problem/alliance"),
    ("Organization", "problem(id: $problem) { leadOrganization { * } }", "/problem/leadOrganization"),
    (
        "Organization",
        "problem(id: $problem) { responsibleOrganizations { * } }",
        "/problem/responsibleOrganizations",
    ),
    ("Region", "problem(id: $problem) { region { * } }", "/problem/region"),
    ("Event", "problem(id: $problem) { history(first: 3) { nodes { * } } }", "/problem/history/nodes"),
    ("PriorityTask", "priorityTask(id: $task) { * }", "/priorityTask"),
    ("PriorityTask", "priorityTasks(first: 3) { nodes { * } }", "/priorityTasks/nodes"),
    ("TaskList", "priorityTask(id: $task) { taskList { * } }", "/priorityTask/taskList"),
    (
        "Membership",
        "alliance(id: $alliance) { members(first: 5) { nodes { * } } }",
        "/alliance/members/nodes",
    ),
    ("Event", "history(id: $task) { nodes { * } }", "/history/nodes"),
];

/// What every field of a type is asked for with: a leaf for itself, an object for its identifier.
async fn fields(name: &str) -> Vec<(String, String)> {
    let query = format!(
        "{{ __type(name: \"{name}\") {{ fields {{ name args {{ name }} type {{ ...T }} }} }} }}
        fragment T on __Type {{ kind name fields {{ name }} ofType {{ kind name fields {{ name }}
            ofType {{ kind name fields {{ name }} ofType {{ kind name fields {{ name }} }} }} }} }}"
    );
    let answer = serde_json::to_value(graphql::schema().execute(query).await).expect("an answer");
    let fields = answer["data"]["__type"]["fields"].as_array().expect("fields").clone();
    fields
        .iter()
        .map(|field| {
            let name = field["name"].as_str().expect("a name").to_owned();
            let mut of = &field["type"];
            while !of["ofType"].is_null() {
                of = &of["ofType"];
            }
            let has = |field: &str| {
                of["fields"]
                    .as_array()
                    .is_some_and(|fields| fields.iter().any(|known| known["name"] == field))
            };
            let asked = if of["fields"].is_null() && of["kind"] != "UNION" {
                name.clone()
            } else if has("nodes") {
                format!("{name} {{ totalCount edges {{ cursor }} }}")
            } else if has("id") {
                format!("{name} {{ id }}")
            } else {
                format!("{name} {{ __typename }}")
            };
            (name, asked)
        })
        .collect()
}

/// The objects at a place, one or many.
async fn shown(client: &Client<'_>, ask: &Value, query: &str, at: &str) -> Vec<Value> {
    let text = format!(
        "query({}) {{ {query} }}",
        [("problem", "$problem: ID!"), ("task", "$task: ID!"), ("alliance", "$alliance: ID!")]
            .iter()
            .filter(|(name, _)| query.contains(&format!("${name}")))
            .map(|(_, variable)| *variable)
            .collect::<Vec<_>>()
            .join(" ")
    )
    .replace("query()", "query");
    let answer = client.send(&text, ask.clone()).await.fine();
    match answer.at(at) {
        Value::Array(objects) => objects.clone(),
        object => vec![object.clone()],
    }
}

#[tokio::test]
async fn a_field_shows_the_same_whatever_stands_beside_it() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let problem = problem_in(&app, &world, State::StruckOff).await;
    problem_in(&app, &world, State::InProgress).await;
    let task = published(&app, &world).await;
    let ask = json!({
        "problem": id::encode(problem.id), "task": task, "alliance": id::encode(world.town),
    });
    let client = app.client(world.committee);
    let mut compared = 0;
    for (name, query, at) in PLACES {
        let fields = fields(name).await;
        let along: Vec<&str> = fields
            .iter()
            .filter(|(_, asked)| asked.ends_with("{ id }"))
            .map(|(_, asked)| asked.as_str())
            .collect();
        let everything: Vec<&str> = fields.iter().map(|(_, asked)| asked.as_str()).collect();
        let whole = shown(&client, &ask, &query.replace('*', &everything.join(" ")), at).await;
        assert!(whole.iter().all(Value::is_object), "{name}: {whole:?}");
        for (field, asked) in &fields {
            for beside in [String::new(), along.join(" ")] {
                let part = shown(&client, &ask, &query.replace('*', &format!("{asked} {beside}")), at).await;
                assert_eq!(part.len(), whole.len(), "{name}.{field}");
                for (part, whole) in part.iter().zip(&whole) {
                    assert_eq!(part[field], whole[field], "{name}.{field} beside {beside:?} in {query}");
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 500, "{compared}");
}
