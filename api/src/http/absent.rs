//! Variables that a client declared and did not give. GraphQL takes their default; where there is none, the argument or the
//! field that names them is as if it were not there, and takes its own. The library sees null instead.

use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned};
use async_graphql_value::Value;
use serde_json::{Map, Value as Json};

/// Adds the defaults of what is absent, and gives the names of what has none.
pub fn fill(operation: &OperationDefinition, given: &mut Map<String, Json>) -> Vec<Name> {
    let mut absent = Vec::new();
    for definition in &operation.variable_definitions {
        let name = &definition.node.name.node;
        if given.contains_key(name.as_str()) {
            continue;
        }
        match &definition.node.default_value {
            Some(default) => {
                // A default is a constant, and every constant is JSON.
                given.insert(name.to_string(), default.node.clone().into_json().unwrap_or(Json::Null));
            }
            None => absent.push(name.clone()),
        }
    }
    absent
}

/// The document without what names variables that are absent, and without their definitions.
pub fn without(document: &ExecutableDocument, absent: &[Name]) -> ExecutableDocument {
    let mut document = document.clone();
    match &mut document.operations {
        DocumentOperations::Single(operation) => in_operation(&mut operation.node, absent),
        DocumentOperations::Multiple(operations) => {
            for operation in operations.values_mut() {
                in_operation(&mut operation.node, absent);
            }
        }
    }
    for fragment in document.fragments.values_mut() {
        in_directives(&mut fragment.node.directives, absent);
        in_set(&mut fragment.node.selection_set.node, absent);
    }
    document
}

fn in_operation(operation: &mut OperationDefinition, absent: &[Name]) {
    operation.variable_definitions.retain(|definition| !absent.contains(&definition.node.name.node));
    in_directives(&mut operation.directives, absent);
    in_set(&mut operation.selection_set.node, absent);
}

fn in_set(set: &mut SelectionSet, absent: &[Name]) {
    for selection in &mut set.items {
        match &mut selection.node {
            Selection::Field(field) => in_field(&mut field.node, absent),
            Selection::InlineFragment(fragment) => {
                in_directives(&mut fragment.node.directives, absent);
                in_set(&mut fragment.node.selection_set.node, absent);
            }
            Selection::FragmentSpread(spread) => in_directives(&mut spread.node.directives, absent),
        }
    }
}

fn in_field(field: &mut Field, absent: &[Name]) {
    in_arguments(&mut field.arguments, absent);
    in_directives(&mut field.directives, absent);
    in_set(&mut field.selection_set.node, absent);
}

fn in_directives(directives: &mut [Positioned<Directive>], absent: &[Name]) {
    for directive in directives {
        in_arguments(&mut directive.node.arguments, absent);
    }
}

fn in_arguments(arguments: &mut Vec<(Positioned<Name>, Positioned<Value>)>, absent: &[Name]) {
    arguments.retain(|(_, value)| !is_absent(&value.node, absent));
    for (_, value) in arguments {
        in_value(&mut value.node, absent);
    }
}

fn in_value(value: &mut Value, absent: &[Name]) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !is_absent(value, absent));
            for value in fields.values_mut() {
                in_value(value, absent);
            }
        }
        Value::List(items) => {
            for item in items {
                if is_absent(item, absent) {
                    *item = Value::Null;
                } else {
                    in_value(item, absent);
                }
            }
        }
        _ => {}
    }
}

fn is_absent(value: &Value, absent: &[Name]) -> bool {
    matches!(value, Value::Variable(name) if absent.contains(name))
}
