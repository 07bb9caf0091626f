//! What a document and its variables give, held against the schema's types before anything runs. The library finds most of it
//! only when a field asks for its argument, and takes a string where the language wants the name of an enum's value.

use std::sync::Arc;

use async_graphql::{
    OutputType, SubscriptionType, Value,
    parser::types::{ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet},
    registry::{MetaType, MetaTypeName, Registry},
};
use serde_json::{Map, Value as Json};

use super::{Mutation, Query, Subscription, overlap};

/// A value that its type does not take.
#[derive(Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Whether it stands in the document itself rather than in a variable.
    pub literal: bool,
    /// Where it was given, and what its type is.
    pub detail: String,
}

/// The types of the schema.
#[derive(Clone)]
pub struct Types(Arc<Registry>);

impl Default for Types {
    fn default() -> Self {
        let mut registry = Registry::default();
        <Query as OutputType>::create_type_info(&mut registry);
        <Mutation as OutputType>::create_type_info(&mut registry);
        <Subscription as SubscriptionType>::create_type_info(&mut registry);
        Self(Arc::new(registry))
    }
}

impl Types {
    /// Checks every literal of a document, and the values for the variables of the operation that runs.
    pub fn check(
        &self,
        document: &ExecutableDocument,
        operation_name: Option<&str>,
        variables: &Map<String, Json>,
    ) -> Result<(), Misfit> {
        for (name, operation) in document.operations.iter() {
            let operation = &operation.node;
            for definition in &operation.variable_definitions {
                if let Some(default) = &definition.node.default_value {
                    let (name, expected) = (&definition.node.name.node, &definition.node.var_type.node);
                    self.value(&expected.to_string(), &default.node, true, &format!("${name}"))?;
                }
            }
            let root = match operation.ty {
                OperationType::Query => "Query",
                OperationType::Mutation => "Mutation",
                OperationType::Subscription => "Subscription",
            };
            self.selections(self.find(root), &operation.selection_set.node)?;
            if operation_name.is_none() || operation_name == name.map(async_graphql::Name::as_str) {
                self.variables(operation, variables)?;
            }
        }
        for fragment in document.fragments.values() {
            let on = self.find(&fragment.node.type_condition.node.on.node);
            self.selections(on, &fragment.node.selection_set.node)?;
        }
        overlap::check(self, document)
    }

    fn variables(&self, operation: &OperationDefinition, given: &Map<String, Json>) -> Result<(), Misfit> {
        for definition in &operation.variable_definitions {
            let (name, expected) = (&definition.node.name.node, &definition.node.var_type.node);
            let Some(value) = given.get(name.as_str()) else { continue };
            // Every JSON value is one of GraphQL's.
            let Ok(value) = Value::from_json(value.clone()) else { continue };
            self.value(&expected.to_string(), &value, false, &format!("${name}"))?;
        }
        Ok(())
    }

    /// What is unknown is passed over: validation tells of it.
    fn selections(&self, parent: Option<&MetaType>, set: &SelectionSet) -> Result<(), Misfit> {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    let Some(known) = parent.and_then(|parent| parent.field_by_name(&field.name.node)) else {
                        continue;
                    };
                    for (name, value) in &field.arguments {
                        let Some(argument) = known.args.get(name.node.as_str()) else { continue };
                        // Variables are checked where they are given.
                        if let Ok(value) = value.node.clone().into_const_with(|_| Ok::<_, ()>(Value::Null)) {
                            self.value(&argument.ty, &value, true, &name.node)?;
                        }
                    }
                    let inner = self.find(MetaTypeName::concrete_typename(&known.ty));
                    self.selections(inner, &field.selection_set.node)?;
                }
                Selection::InlineFragment(fragment) => {
                    let on = fragment.node.type_condition.as_ref();
                    let on = on.map_or(parent, |on| self.find(&on.node.on.node));
                    self.selections(on, &fragment.node.selection_set.node)?;
                }
                Selection::FragmentSpread(_) => {}
            }
        }
        Ok(())
    }

    fn value(&self, expected: &str, value: &Value, literal: bool, path: &str) -> Result<(), Misfit> {
        let misfit = || Misfit { literal, detail: format!("{path}: {expected}") };
        match (MetaTypeName::create(expected), value) {
            (_, Value::Null) => Ok(()),
            (MetaTypeName::NonNull(inner), value) => self.value(inner, value, literal, path),
            (MetaTypeName::List(item), Value::List(values)) => {
                let at = |(index, value)| self.value(item, value, literal, &format!("{path}.{index}"));
                values.iter().enumerate().try_for_each(at)
            }
            (MetaTypeName::List(item), value) => self.value(item, value, literal, path),
            (MetaTypeName::Named(name), value) => match (self.find(name), value) {
                (Some(MetaType::InputObject { oneof: true, .. }), Value::Object(fields))
                    if fields.len() != 1 =>
                {
                    Err(misfit())
                }
                (Some(MetaType::InputObject { input_fields, .. }), Value::Object(fields)) => {
                    for (name, value) in fields {
                        if let Some(field) = input_fields.get(name.as_str()) {
                            self.value(&field.ty, value, literal, &format!("{path}.{name}"))?;
                        }
                    }
                    Ok(())
                }
                (Some(MetaType::InputObject { .. }), _) => Err(misfit()),
                (Some(MetaType::Enum { .. }), Value::String(_)) if literal => Err(misfit()),
                (Some(MetaType::Scalar { is_valid: Some(is_valid), .. }), value) => {
                    let fits = match name {
                        "Int" => is_int(value),
                        _ => is_valid(value),
                    };
                    if fits { Ok(()) } else { Err(misfit()) }
                }
                _ => Ok(()),
            },
        }
    }

    /// The names of a type's fields.
    pub fn fields(&self, name: &str) -> impl Iterator<Item = &str> {
        let fields = match self.find(name) {
            Some(MetaType::Object { fields, .. }) => Some(fields),
            _ => None,
        };
        fields.into_iter().flat_map(|fields| fields.keys().map(String::as_str))
    }

    /// A type by its name.
    pub fn find(&self, name: &str) -> Option<&MetaType> {
        self.0.types.get(name)
    }
}

fn is_int(value: &Value) -> bool {
    matches!(value, Value::Number(number) if number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()))
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use serde_json::json;

    use super::*;

    fn check(text: &str, variables: Json) -> Option<(bool, String)> {
        let Json::Object(variables) = variables else { panic!("not an object") };
        let document = parse_query(text).unwrap();
        let misfit = Types::default().check(&document, None, &variables).err()?;
        Some((misfit.literal, misfit.detail))
    }

    #[test]
    fn literals_that_no_type_takes_are_told_before_anything_runs() {
        for (text, detail) in [
            ("{ organizations(first: 2147483648) { totalCount } }", "first: Int"),
            ("{ organizations(first: 99999999999999999999) { totalCount } }", "first: Int"),
            ("{ organizations(first: 1.5) { totalCount } }", "first: Int"),
            ("{ ... on Query { organizations(first: 2147483648) { totalCount } } }", "first: Int"),
            (
                "{ ...all } fragment all on Query { organizations(first: 2147483648) { totalCount } }",
                "first: Int",
            ),
            (
                "query($first: Int = 2147483648) { organizations(first: $first) { totalCount } }",
                "$first: Int",
            ),
            (
                "{ problems(filter: { states: [\"REGISTERED\"] }) { totalCount } }",
                "filter.states.0: ProblemState",
            ),
            (
                "mutation($id: ID!) { createTaskList(input: { allianceId: $id, month: \"2026-13\", title: \"\" }) { userErrors { code } } }",
                "input.month: YearMonth",
            ),
            (
                "mutation($id: ID!) { createApiKey(input: { name: \"\", allianceIds: [$id], expiresAt: \"soon\" }) { secret } }",
                "input.expiresAt: DateTime",
            ),
        ] {
            assert_eq!(check(text, json!({})), Some((true, detail.to_owned())), "{text}");
        }
    }

    #[test]
    fn variables_are_held_against_their_types_too() {
        let text = "mutation($input: CreateRotationPlanInput!) { createRotationPlan(input: $input) { userErrors { code } } }";
        let given = |slots: i64, anchor: &str| json!({ "input": { "slotCount": slots, "anchorOn": anchor } });
        assert_eq!(check(text, given(12, "2026-11-26")), None);
        assert_eq!(
            check(text, given(1 << 31, "2026-11-26")),
            Some((false, "$input.slotCount: Int".to_owned()))
        );
        assert_eq!(check(text, given(12, "26.11.2026")), Some((false, "$input.anchorOn: Date".to_owned())));
        for wrong in [json!("x"), json!([{ "slotCount": 12 }]), json!(7)] {
            assert_eq!(
                check(text, json!({ "input": wrong })),
                Some((false, "$input: CreateRotationPlanInput".to_owned()))
            );
        }
        // Of many the place tells which one.
        let text = "mutation($input: CheckInManyToMobilizationInput!) { checkInManyToMobilization(input: $input) { userErrors { code } } }";
        let items =
            json!([{ "person": "V1", "at": "2026-11-26T01:00:00Z" }, { "person": "V2", "at": "today" }]);
        assert_eq!(
            check(text, json!({ "input": { "items": items } })),
            Some((false, "$input.items.1.at: DateTime".to_owned()))
        );
        // A string is how JSON names an enum's value, and a verb tells of an id that is not one.
        let text = "query($states: [ProblemState!], $id: ID!) { problems(filter: { states: $states, handlerId: $id }) { totalCount } }";
        assert_eq!(check(text, json!({ "states": ["REGISTERED"], "id": "nonsense" })), None);
    }

    #[test]
    fn what_fits_and_what_is_unknown_passes() {
        for text in [
            "{ organizations(first: 2147483647) { totalCount } __typename }",
            "{ problems(filter: { states: [REGISTERED] }) { totalCount } }",
            "{ nothing(first: 99999999999) { here(id: 1) } }",
            // Any text is an ID to GraphQL; the verb tells of one that is not ours.
            "{ problem(id: \"nonsense\") { number } }",
            "query($first: Int) { organizations(first: $first) { totalCount } }",
        ] {
            assert_eq!(check(text, json!({})), None, "{text}");
        }
    }
}
