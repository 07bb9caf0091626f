//! What the library leaves out of an answer, put in its place: the language wants the keys of an object in the order of the
//! selection, null where a field failed, or in its parent's place where null may not stand, and an object even where nothing of
//! it is shown. The library puts keys in the order in which they were ready, leaves out what failed, and makes null of an object
//! without keys.

use std::{collections::HashMap, iter::once};

use async_graphql::{
    Name, PathSegment, Positioned, Response, Value,
    indexmap::IndexMap,
    parser::types::{DocumentOperations, ExecutableDocument, Field, OperationType, Selection, SelectionSet},
    registry::{MetaType, MetaTypeName},
};

use super::values::Types;

/// Asked for where a selection may come to nothing, and taken out again.
const HIDDEN: &str = "__shown";

/// Makes every selection of an object show something.
pub fn fill(document: &mut ExecutableDocument) {
    for fragment in document.fragments.values_mut() {
        fill_below(&mut fragment.node.selection_set.node);
    }
    let operations = match &mut document.operations {
        DocumentOperations::Single(operation) => vec![operation],
        DocumentOperations::Multiple(operations) => operations.values_mut().collect(),
    };
    for operation in operations {
        // A subscription has one root field, and no other beside it.
        if operation.node.ty != OperationType::Subscription {
            fill_one(&mut operation.node.selection_set);
        }
        fill_below(&mut operation.node.selection_set.node);
    }
}

fn fill_below(set: &mut SelectionSet) {
    for selection in &mut set.items {
        match &mut selection.node {
            Selection::Field(field) => {
                fill_one(&mut field.node.selection_set);
                fill_below(&mut field.node.selection_set.node);
            }
            Selection::InlineFragment(fragment) => fill_below(&mut fragment.node.selection_set.node),
            Selection::FragmentSpread(_) => {}
        }
    }
}

fn fill_one(set: &mut Positioned<SelectionSet>) {
    let is_certain = |selection: &Positioned<Selection>| match &selection.node {
        Selection::Field(field) => field.node.directives.is_empty(),
        _ => false,
    };
    if set.node.items.is_empty() || set.node.items.iter().any(is_certain) {
        return;
    }
    let field = Field {
        alias: Some(Positioned::new(Name::new(HIDDEN), set.pos)),
        name: Positioned::new(Name::new("__typename"), set.pos),
        arguments: Vec::new(),
        directives: Vec::new(),
        selection_set: Positioned::new(SelectionSet::default(), set.pos),
    };
    set.node.items.push(Positioned::new(Selection::Field(Positioned::new(field, set.pos)), set.pos));
}

/// Where fields failed, as far as the errors tell.
#[derive(Default)]
struct Failed<'a> {
    here: bool,
    keys: HashMap<&'a str, Failed<'a>>,
    items: HashMap<usize, Failed<'a>>,
}

impl<'a> Failed<'a> {
    fn of(paths: impl Iterator<Item = &'a [PathSegment]>) -> Option<Self> {
        let mut all = None;
        for path in paths.filter(|path| !path.is_empty()) {
            let mut place: &mut Self = all.get_or_insert_default();
            for segment in path {
                place = match segment {
                    PathSegment::Field(key) => place.keys.entry(key.as_str()).or_default(),
                    PathSegment::Index(index) => place.items.entry(*index).or_default(),
                };
            }
            place.here = true;
        }
        all
    }
}

/// What one key of an object shows.
struct Shown<'a> {
    key: &'a Name,
    of: &'a str,
    sets: Vec<&'a SelectionSet>,
}

/// Puts an answer of a document in order. Without types every field may be null.
pub fn complete(
    types: Option<&Types>,
    document: &ExecutableDocument,
    operation: Option<&str>,
    response: &mut Response,
) {
    let found = document
        .operations
        .iter()
        .find(|(name, _)| operation.is_none() || name.map(Name::as_str) == operation);
    let Some((_, found)) = found else { return };
    let root = match found.node.ty {
        OperationType::Query => "Query",
        OperationType::Mutation => "Mutation",
        OperationType::Subscription => "Subscription",
    };
    let failed = Failed::of(response.errors.iter().map(|error| error.path.as_slice()));
    let walk = Walk { types, document };
    if response.data == Value::Null {
        return;
    }
    walk.values(root, &[&found.node.selection_set.node], &mut once((&mut response.data, failed.as_ref())));
}

struct Walk<'a> {
    types: Option<&'a Types>,
    document: &'a ExecutableDocument,
}

impl<'a> Walk<'a> {
    /// Completes values of one type and one selection; tells for each whether it may stand.
    fn values<'v>(
        &self,
        of: &str,
        sets: &[&'a SelectionSet],
        values: &mut dyn Iterator<Item = (&'v mut Value, Option<&'v Failed<'v>>)>,
    ) -> bool {
        let (of, may_be_null) = match MetaTypeName::create(of) {
            MetaTypeName::NonNull(of) => (of, false),
            _ => (of, true),
        };
        let mut shown = None;
        let mut stand = true;
        for (value, failed) in values {
            let here = failed.is_some_and(|failed| failed.here);
            let holds = match (&mut *value, MetaTypeName::create(of)) {
                _ if here => false,
                (Value::Null, _) => may_be_null || failed.is_none(),
                (Value::List(items), of) => {
                    let of = match of {
                        MetaTypeName::List(of) | MetaTypeName::NonNull(of) | MetaTypeName::Named(of) => of,
                    };
                    let items = items.iter_mut().enumerate();
                    let mut items =
                        items.map(|(index, item)| (item, failed.and_then(|failed| failed.items.get(&index))));
                    self.values(of, sets, &mut items)
                }
                (Value::Object(map), MetaTypeName::Named(name)) if !sets.is_empty() => {
                    self.object(shown.get_or_insert_with(|| self.shown(name, sets)), map, failed)
                }
                _ => true,
            };
            if !holds {
                *value = Value::Null;
                stand &= may_be_null;
            }
        }
        stand
    }

    fn object(
        &self,
        shown: &[Shown<'a>],
        map: &mut IndexMap<Name, Value>,
        failed: Option<&Failed<'_>>,
    ) -> bool {
        map.shift_remove(HIDDEN);
        if let Some(failed) = failed {
            for Shown { key, .. } in shown {
                if failed.keys.contains_key(key.as_str()) && !map.contains_key(*key) {
                    map.insert((*key).clone(), Value::Null);
                }
            }
        }
        let is_ordered =
            map.len() == shown.len() && map.keys().zip(shown).all(|(key, shown)| key == shown.key);
        if !is_ordered {
            let place = |key: &Name| shown.iter().position(|shown| shown.key == key);
            map.sort_by_cached_key(|key, _| place(key));
        }
        let mut stand = true;
        let mut rest = shown.iter();
        for (key, value) in map.iter_mut() {
            // Both are in the same order; what is shown may have keys that are not there.
            let Some(shown) = rest.find(|shown| shown.key == key) else { break };
            let failed = failed.and_then(|failed| failed.keys.get(key.as_str()));
            stand &= self.values(shown.of, &shown.sets, &mut once((value, failed)));
        }
        stand
    }

    fn find(&self, name: &str) -> Option<&'a MetaType> {
        self.types.and_then(|types| types.find(name))
    }

    /// The keys that a selection shows, in its order, whatever the object's type turns out to be.
    fn shown(&self, name: &str, sets: &[&'a SelectionSet]) -> Vec<Shown<'a>> {
        let mut shown = Vec::new();
        for set in sets {
            self.gather(self.find(name), set, &mut shown);
        }
        shown
    }

    fn gather(&self, on: Option<&'a MetaType>, set: &'a SelectionSet, shown: &mut Vec<Shown<'a>>) {
        for selection in &set.items {
            let (condition, below) = match &selection.node {
                Selection::Field(field) => {
                    let (field, key) = (&field.node, &field.node.response_key().node);
                    if key.as_str() == HIDDEN {
                        continue;
                    }
                    let set = &field.selection_set.node;
                    if let Some(known) = shown.iter_mut().find(|shown| shown.key == key) {
                        known.sets.push(set);
                        continue;
                    }
                    let of =
                        on.and_then(|on| on.field_by_name(&field.name.node)).map_or("String", |of| &*of.ty);
                    let sets = if set.items.is_empty() { Vec::new() } else { vec![set] };
                    shown.push(Shown { key, of, sets });
                    continue;
                }
                Selection::InlineFragment(fragment) => {
                    (fragment.node.type_condition.as_ref(), &fragment.node.selection_set.node)
                }
                Selection::FragmentSpread(spread) => {
                    let Some(fragment) = self.document.fragments.get(&spread.node.fragment_name.node) else {
                        continue;
                    };
                    (Some(&fragment.node.type_condition), &fragment.node.selection_set.node)
                }
            };
            let on = condition.map_or(on, |condition| self.find(&condition.node.on.node));
            self.gather(on, below, shown);
        }
    }
}
