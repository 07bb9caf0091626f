//! Measures a parsed document: how much it selects when fragments are expanded, how deep, how many nodes it pages over.
//!
//! Every fragment is walked once and remembered, so doubling fragments cost nothing. It knows no schema: validation follows.

use std::collections::HashMap;

use async_graphql::parser::types::{
    Directive, ExecutableDocument, Field, FragmentDefinition, OperationDefinition, OperationType, Selection,
    SelectionSet,
};
use async_graphql::{Name, Positioned, Value};
use serde_json::{Map, Value as Json};

use super::admission::{self, Limits};
use super::refusal::{DoorCode, Refusal};

/// What a connection counts for when neither `first` nor `last` is given.
const DEFAULT_PAGE: u64 = 20;

type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// The argument as a constant. The library's type for values with variables has no public name, so it is converted.
macro_rules! literal_of {
    ($value:expr, $variable:expr) => {{
        let variable = $variable;
        let converted: Result<Value, std::convert::Infallible> =
            $value.node.clone().into_const_with(|name| Ok(variable(&name)));
        match converted {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }};
}
/// What admission needs to know about one operation, whatever its variables.
#[derive(Clone, Debug)]
pub struct OperationFacts {
    /// Query, mutation or subscription.
    pub kind: OperationType,
    /// The fields at the root, fragments expanded, `__typename` included.
    pub root_fields: Vec<Name>,
    /// Fields selected with all fragments expanded.
    pub selections: usize,
    /// Whether its variables are all of built-in scalar types.
    pub plain_variables: bool,
}

/// The size of a selection set, relative to where it stands.
#[derive(Clone, Copy, Debug, Default)]
struct Shape {
    selections: usize,
    /// Levels of fields outside introspection.
    depth: usize,
    /// Levels of fields below `__schema` and `__type`.
    introspection_depth: usize,
    /// Levels of selection sets, fragments counted.
    nesting: usize,
}

enum Memo {
    Walking,
    Done(Shape),
}

/// Checks a document against every limit that needs no variables; gives the facts of each operation by name.
pub fn measure(
    document: &ExecutableDocument,
    limits: &Limits,
) -> Result<HashMap<Option<Name>, OperationFacts>, Refusal> {
    if document.fragments.len() > limits.fragments {
        return Err(Refusal::over(DoorCode::TooManyFragments, limits.fragments));
    }
    let mut walker =
        Walker { fragments: &document.fragments, limits, memo: HashMap::new(), aliases: 0, directives: 0 };
    let mut operations = HashMap::new();
    let mut selections = 0_usize;
    for (name, operation) in document.operations.iter() {
        let shape = walker.operation(&operation.node)?;
        // Validation walks every operation, not only the one that will run.
        selections = selections.saturating_add(shape.selections);
        if selections > limits.selections {
            return Err(Refusal::over(DoorCode::TooManySelections, limits.selections));
        }
        if shape.depth > limits.depth {
            return Err(Refusal::over(DoorCode::TooDeep, limits.depth));
        }
        if shape.introspection_depth > limits.introspection_depth {
            return Err(Refusal::over(DoorCode::IntrospectionTooDeep, limits.introspection_depth));
        }
        let mut root_fields = Vec::new();
        collect_root_fields(&document.fragments, &operation.node.selection_set.node, &mut root_fields);
        operations.insert(
            name.cloned(),
            OperationFacts {
                kind: operation.node.ty,
                root_fields,
                selections: shape.selections,
                plain_variables: operation
                    .node
                    .variable_definitions
                    .iter()
                    .all(|variable| admission::is_plain(&variable.node.var_type.node)),
            },
        );
    }
    for name in document.fragments.keys() {
        if !walker.memo.contains_key(name.as_str()) {
            // No operation uses it, but validation walks it all the same.
            selections = selections.saturating_add(walker.fragment(name, 0)?.selections);
        }
    }
    if selections > limits.selections {
        return Err(Refusal::over(DoorCode::TooManySelections, limits.selections));
    }
    Ok(operations)
}

struct Walker<'a> {
    fragments: &'a Fragments,
    limits: &'a Limits,
    memo: HashMap<&'a str, Memo>,
    aliases: usize,
    directives: usize,
}

impl<'a> Walker<'a> {
    fn operation(&mut self, operation: &'a OperationDefinition) -> Result<Shape, Refusal> {
        self.directives(&operation.directives)?;
        if operation.variable_definitions.len() > self.limits.variables {
            return Err(Refusal::over(DoorCode::TooManyVariables, self.limits.variables));
        }
        for variable in &operation.variable_definitions {
            self.directives(&variable.node.directives)?;
            if let Some(default) = &variable.node.default_value {
                self.list_literals(&default.node)?;
            }
        }
        self.set(&operation.selection_set.node, 1)
    }

    fn fragment(&mut self, name: &str, level: usize) -> Result<Shape, Refusal> {
        // An undefined fragment is left for validation to name.
        let Some((name, fragment)) = self.fragments.get_key_value(name) else { return Ok(Shape::default()) };
        match self.memo.get(name.as_str()) {
            Some(Memo::Walking) => Err(Refusal::new(DoorCode::FragmentCycle).with("fragment", name)),
            Some(Memo::Done(shape)) => Ok(*shape),
            None => {
                self.memo.insert(name, Memo::Walking);
                self.directives(&fragment.node.directives)?;
                let shape = self.set(&fragment.node.selection_set.node, level + 1)?;
                self.memo.insert(name, Memo::Done(shape));
                Ok(shape)
            }
        }
    }

    fn set(&mut self, set: &'a SelectionSet, level: usize) -> Result<Shape, Refusal> {
        self.nesting(level)?;
        let mut total = Shape::default();
        for selection in &set.items {
            let (shape, below) = match &selection.node {
                Selection::Field(field) => self.field(&field.node, level)?,
                Selection::FragmentSpread(spread) => {
                    self.directives(&spread.node.directives)?;
                    let mut shape = self.fragment(&spread.node.fragment_name.node, level)?;
                    // A spread of nothing still is visited: fragments of undefined fragments could double unseen.
                    shape.selections = shape.selections.max(1);
                    (shape, shape.nesting)
                }
                Selection::InlineFragment(inline) => {
                    self.directives(&inline.node.directives)?;
                    let shape = self.set(&inline.node.selection_set.node, level + 1)?;
                    (shape, shape.nesting)
                }
            };
            total.selections = total.selections.saturating_add(shape.selections);
            total.depth = total.depth.max(shape.depth);
            total.introspection_depth = total.introspection_depth.max(shape.introspection_depth);
            total.nesting = total.nesting.max(below);
        }
        total.nesting += 1;
        self.nesting(level - 1 + total.nesting)?;
        Ok(total)
    }

    fn field(&mut self, field: &'a Field, level: usize) -> Result<(Shape, usize), Refusal> {
        self.directives(&field.directives)?;
        if field.alias.is_some() {
            self.aliases += 1;
            if self.aliases > self.limits.aliases {
                return Err(Refusal::over(DoorCode::TooManyAliases, self.limits.aliases));
            }
        }
        for (_, value) in &field.arguments {
            self.list_literals(&literal_of!(value, |_: &Name| Value::Null))?;
        }
        let child = if field.selection_set.node.items.is_empty() {
            Shape::default()
        } else {
            self.set(&field.selection_set.node, level + 1)?
        };
        let depth = 1 + child.depth.max(child.introspection_depth);
        let introspection = is_introspection(&field.name.node);
        let shape = Shape {
            selections: child.selections.saturating_add(1),
            depth: if introspection { 0 } else { depth },
            introspection_depth: if introspection { depth } else { 0 },
            nesting: child.nesting,
        };
        Ok((shape, child.nesting))
    }

    fn nesting(&self, level: usize) -> Result<(), Refusal> {
        if level > self.limits.nesting {
            return Err(Refusal::over(DoorCode::NestingTooDeep, self.limits.nesting));
        }
        Ok(())
    }

    fn directives(&mut self, directives: &[Positioned<Directive>]) -> Result<(), Refusal> {
        if directives.len() > self.limits.directives_per_field {
            return Err(Refusal::over(DoorCode::TooManyFieldDirectives, self.limits.directives_per_field));
        }
        self.directives += directives.len();
        if self.directives > self.limits.directives {
            return Err(Refusal::over(DoorCode::TooManyDirectives, self.limits.directives));
        }
        for directive in directives {
            for (_, value) in &directive.node.arguments {
                self.list_literals(&literal_of!(value, |_: &Name| Value::Null))?;
            }
        }
        Ok(())
    }

    fn list_literals(&self, value: &Value) -> Result<(), Refusal> {
        match value {
            Value::List(items) => {
                if items.len() > self.limits.list_items {
                    return Err(Refusal::over(DoorCode::ListTooLong, self.limits.list_items));
                }
                items.iter().try_for_each(|item| self.list_literals(item))
            }
            Value::Object(fields) => fields.values().try_for_each(|item| self.list_literals(item)),
            _ => Ok(()),
        }
    }
}

fn is_introspection(name: &str) -> bool {
    matches!(name, "__schema" | "__type")
}

fn collect_root_fields(fragments: &Fragments, set: &SelectionSet, into: &mut Vec<Name>) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => into.push(field.node.name.node.clone()),
            Selection::InlineFragment(inline) => {
                collect_root_fields(fragments, &inline.node.selection_set.node, into);
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = fragments.get(&spread.node.fragment_name.node) {
                    collect_root_fields(fragments, &fragment.node.selection_set.node, into);
                }
            }
        }
    }
}

/// How many nodes an operation can page over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pages {
    /// The largest product of page sizes along one path.
    pub widest: u64,
    /// All nodes of all connections together.
    pub total: u64,
    /// Whether the set itself selects `edges` or `nodes`, so that its field is a connection.
    connection: bool,
}

/// Multiplies page sizes along every path, with the values that the variables have in this request.
pub fn pages(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Map<String, Json>,
) -> Pages {
    let mut pager = Pager { fragments: &document.fragments, operation, variables, memo: HashMap::new() };
    pager.set(&operation.selection_set.node)
}

struct Pager<'a> {
    fragments: &'a Fragments,
    operation: &'a OperationDefinition,
    variables: &'a Map<String, Json>,
    memo: HashMap<&'a str, Pages>,
}

impl<'a> Pager<'a> {
    fn set(&mut self, set: &'a SelectionSet) -> Pages {
        let mut sum = Pages::default();
        for selection in &set.items {
            let part = match &selection.node {
                Selection::Field(field) => self.field(&field.node),
                Selection::InlineFragment(inline) => self.set(&inline.node.selection_set.node),
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node),
            };
            sum.widest = sum.widest.max(part.widest);
            sum.total = sum.total.saturating_add(part.total);
            sum.connection |= part.connection;
        }
        sum
    }

    fn fragment(&mut self, name: &str) -> Pages {
        let Some((name, fragment)) = self.fragments.get_key_value(name) else { return Pages::default() };
        if let Some(known) = self.memo.get(name.as_str()) {
            return *known;
        }
        let found = self.set(&fragment.node.selection_set.node);
        self.memo.insert(name, found);
        found
    }

    fn field(&mut self, field: &'a Field) -> Pages {
        let child = self.set(&field.selection_set.node);
        let connection = matches!(field.name.node.as_str(), "edges" | "nodes");
        let Some(size) = self.page_size(field, child.connection) else {
            return Pages { connection, ..child };
        };
        Pages {
            widest: size.saturating_mul(child.widest.max(1)),
            total: size.saturating_mul(child.total.saturating_add(1)),
            connection,
        }
    }

    fn page_size(&self, field: &Field, is_connection: bool) -> Option<u64> {
        let mut asked = None;
        for (name, value) in &field.arguments {
            let size = match name.node.as_str() {
                "first" | "last" => whole(&literal_of!(value, |name: &Name| self.variable(name))),
                "ids" => match literal_of!(value, |name: &Name| self.variable(name)) {
                    Value::List(items) => u64::try_from(items.len()).ok(),
                    _ => None,
                },
                _ => continue,
            };
            asked = asked.max(Some(size.unwrap_or(DEFAULT_PAGE)));
        }
        asked.or_else(|| is_connection.then_some(DEFAULT_PAGE))
    }

    fn variable(&self, name: &Name) -> Value {
        let given = self.variables.get(name.as_str()).and_then(|value| Value::from_json(value.clone()).ok());
        let default = || {
            let definition =
                self.operation.variable_definitions.iter().find(|known| known.node.name.node == *name)?;
            definition.node.default_value().cloned()
        };
        given.or_else(default).unwrap_or_default()
    }
}

fn whole(value: &Value) -> Option<u64> {
    match value {
        // A negative page is refused by its resolver; here it counts for nothing.
        Value::Number(number) => Some(number.as_u64().unwrap_or_default()),
        _ => None,
    }
}
