//! The contract guard: the schema is what `schema.graphql` says, and says of everything in it what it is for.

use concord::graphql;
use serde_json::Value;

use crate::golden;

#[test]
fn the_schema_is_the_one_committed() {
    golden::check_at(&golden::root().join("schema.graphql"), &graphql::sdl());
}

#[test]
fn a_changed_contract_is_noticed() {
    let sdl = graphql::sdl();
    let gone = sdl.replacen("unreadCount", "unread", 1);
    assert!(golden::same(&sdl, &gone).is_err(), "a renamed field");
    let optional = sdl.replacen("ID!", "ID", 1);
    assert!(golden::same(&sdl, &optional).is_err(), "a field that may be null");
    assert!(golden::same(&sdl, &format!("{sdl}\nscalar Stray\n")).is_err(), "another type");
    assert!(golden::same(&sdl, &sdl).is_ok());
}

const INTROSPECTION: &str = "{ __schema { types { kind name description
    fields(includeDeprecated: true) { name description args { name description } }
    inputFields { name description }
    enumValues(includeDeprecated: true) { name description } } } }";

/// What stands in the schema without a description.
fn undescribed(types: &[Value]) -> Vec<String> {
    let mut found = Vec::new();
    let mut look = |path: String, value: &Value| {
        if value["description"].as_str().unwrap_or_default().trim().is_empty() {
            found.push(path);
        }
    };
    for kind in types {
        let name = kind["name"].as_str().expect("a name");
        if name.starts_with("__") || name == "ID" {
            continue;
        }
        // The roots are places, not things.
        if !["Query", "Mutation", "Subscription"].contains(&name) {
            look(name.to_owned(), kind);
        }
        for part in ["fields", "inputFields", "enumValues"] {
            for member in kind[part].as_array().into_iter().flatten() {
                let path = format!("{name}.{}", member["name"].as_str().expect("a name"));
                look(path.clone(), member);
                for argument in member["args"].as_array().into_iter().flatten() {
                    look(format!("{path}({})", argument["name"].as_str().expect("a name")), argument);
                }
            }
        }
    }
    found
}

async fn types() -> Vec<Value> {
    let answer = graphql::schema().execute(INTROSPECTION).await;
    let answer = serde_json::to_value(answer).expect("an answer");
    answer["data"]["__schema"]["types"].as_array().expect("types").clone()
}

#[tokio::test]
async fn everything_in_the_schema_is_described() {
    let found = undescribed(&types().await);
    assert!(found.is_empty(), "without a description:\n{}", found.join("\n"));
}

#[tokio::test]
async fn a_missing_description_is_noticed() {
    let mut types = types().await;
    let alliance = types.iter_mut().find(|kind| kind["name"] == "Alliance").expect("alliances");
    alliance["fields"][0]["description"] = Value::Null;
    assert_eq!(undescribed(&types).len(), 1);
}
