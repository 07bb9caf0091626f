//! Whether fields that answer under one name ask for one thing, wherever they stand. The library compares the fields of one
//! selection set, and merges what fragments bring beside them without a look at their arguments.

use std::collections::BTreeMap;

use async_graphql::{
    parser::types::{ExecutableDocument, Field, OperationType, Selection, SelectionSet},
    registry::{MetaType, MetaTypeName},
};

use super::values::{Misfit, Types};

/// A field, and the name of the type whose field it is.
type Placed<'a> = (&'a str, &'a Field);

/// Refuses a document in which two fields of one object answer under one name and differ.
pub fn check(types: &Types, document: &ExecutableDocument) -> Result<(), Misfit> {
    for (_, operation) in document.operations.iter() {
        let root = match operation.node.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        };
        merged(types, document, &[(root, &operation.node.selection_set.node)])?;
    }
    Ok(())
}

fn merged(
    types: &Types,
    document: &ExecutableDocument,
    sets: &[(&str, &SelectionSet)],
) -> Result<(), Misfit> {
    let mut found: BTreeMap<&str, Vec<Placed<'_>>> = BTreeMap::new();
    for (parent, set) in sets {
        collect(document, parent, set, &mut found);
    }
    for (name, fields) in &found {
        for group in groups(types, fields) {
            let [first, others @ ..] = group.as_slice() else { continue };
            if others.iter().any(|other| !is_alike(first.1, other.1)) {
                let detail =
                    format!("{name}: two fields answer under this name and ask for different things");
                return Err(Misfit { literal: true, detail });
            }
            let below: Vec<(&str, &SelectionSet)> = group
                .iter()
                .filter_map(|(parent, field)| {
                    let known = types.find(parent)?.field_by_name(&field.name.node)?;
                    Some((MetaTypeName::concrete_typename(&known.ty), &field.selection_set.node))
                })
                .collect();
            if below.iter().any(|(_, set)| !set.items.is_empty()) {
                merged(types, document, &below)?;
            }
        }
    }
    Ok(())
}

/// Fields by the name they answer under, fragments expanded.
fn collect<'a>(
    document: &'a ExecutableDocument,
    parent: &'a str,
    set: &'a SelectionSet,
    found: &mut BTreeMap<&'a str, Vec<Placed<'a>>>,
) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => {
                found.entry(&field.node.response_key().node).or_default().push((parent, &field.node));
            }
            Selection::InlineFragment(fragment) => {
                let on = fragment.node.type_condition.as_ref().map_or(parent, |on| &on.node.on.node);
                collect(document, on, &fragment.node.selection_set.node, found);
            }
            Selection::FragmentSpread(spread) => {
                // One that is not there is told by validation; none leads back to itself, which admission has seen to.
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    let on = &fragment.node.type_condition.node.on.node;
                    collect(document, on, &fragment.node.selection_set.node, found);
                }
            }
        }
    }
}

/// Which of them can be fields of one object: those of one type, with those of an interface or a union.
fn groups<'a>(types: &Types, fields: &[Placed<'a>]) -> Vec<Vec<Placed<'a>>> {
    let is_abstract = |parent: &str| {
        matches!(types.find(parent), Some(MetaType::Interface { .. } | MetaType::Union { .. }))
    };
    let (shared, own): (Vec<_>, Vec<_>) = fields.iter().copied().partition(|(parent, _)| is_abstract(parent));
    let mut by_type: BTreeMap<&str, Vec<Placed<'a>>> = BTreeMap::new();
    for field in own {
        by_type.entry(field.0).or_insert_with(|| shared.clone()).push(field);
    }
    if by_type.is_empty() { vec![shared] } else { by_type.into_values().collect() }
}

fn is_alike(left: &Field, right: &Field) -> bool {
    left.name.node == right.name.node
        && left.arguments.len() == right.arguments.len()
        && left
            .arguments
            .iter()
            .all(|(name, value)| right.get_argument(&name.node).is_some_and(|other| other.node == value.node))
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn detail(text: &str) -> Option<String> {
        check(&Types::default(), &parse_query(text).unwrap()).err().map(|misfit| misfit.detail)
    }

    #[test]
    fn fields_that_differ_under_one_name_are_found_through_fragments() {
        for (text, name) in [
            (
                "{ alliance(id: 1) { ...F members(first: 1, orderBy: NEWEST) { nodes { id } } } }
                 fragment F on Alliance { members(first: 1, orderBy: OLDEST) { nodes { id } } }",
                "members",
            ),
            ("{ me { ... on Account { name: id } name: username } }", "name"),
            (
                "{ alliance(id: 1) { ...A ...B } }
                 fragment A on Alliance { members { nodes { organization { x: name } } } }
                 fragment B on Alliance { members { nodes { organization { x: shortName } } } }",
                "x",
            ),
        ] {
            let expected = format!("{name}: two fields answer under this name and ask for different things");
            assert_eq!(detail(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_alike_or_of_different_objects_passes() {
        for text in [
            "{ me { id id username } me { username } }",
            "{ alliance(id: 1) { ...F members(orderBy: NEWEST, first: 1) { nodes { id } } } }
             fragment F on Alliance { members(first: 1, orderBy: NEWEST) { nodes { state } } }",
            "{ node(id: 1) { id ... on Alliance { x: name } ... on Organization { x: shortName } } }",
            "{ nothing { here } ...missing }",
        ] {
            assert_eq!(detail(text), None, "{text}");
        }
    }
}
