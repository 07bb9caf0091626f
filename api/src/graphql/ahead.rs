//! Which lists below an object its selection asks for, so that the object's statement reads them along.

use async_graphql::{
    Context, InputType, Positioned,
    parser::types::{Field, Selection, SelectionSet},
};
use sea_orm::{DbBackend, EntityTrait, IdenStatic, ModelTrait};

use super::ctx;
use crate::domain::{
    self, Ctx,
    page::{Along, Args, Below, Branch, Child, List},
};

/// Plans the list that a field asks for; nothing where its arguments are not in order, which the field itself then tells.
pub type Plan = for<'a> fn(&Context<'a>) -> Option<Box<dyn Below>>;

/// Most lists side by side in one statement; what is beyond them is read by its own fields.
const SIDES: usize = 4;

/// What tells a field of the document from the others; all arguments of one are the same.
pub fn field(context: &Context<'_>) -> usize {
    std::ptr::from_ref(context.item).addr()
}

/// An argument of a field, as its resolver gets it.
pub fn argument<T: InputType>(context: &Context<'_>, name: &str, default: Option<fn() -> T>) -> Option<T> {
    context.param_value(name, default).ok().map(|(_, value)| value)
}

/// The Relay arguments of a field.
pub fn args(context: &Context<'_>) -> Option<Args> {
    Some(Args {
        first: argument(context, "first", None)?,
        after: argument(context, "after", None)?,
        last: argument(context, "last", None)?,
        before: argument(context, "before", None)?,
    })
}

/// Plans a list: what it reads along, and the lists below the objects that come along.
pub fn plan<E>(
    context: &Context<'_>,
    list: impl Fn(&Ctx) -> domain::Result<List<E>>,
    along: &[(&str, Along<E::Column>)],
    below: &[(&str, &[(&str, Plan)])],
) -> Option<Box<dyn Below>>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E> + Send + Sync,
{
    let items = items(context);
    let wanted = |name: &str| name.is_empty() || !selected(context, &items, name).is_empty();
    let along: Vec<_> = along.iter().filter(|(name, _)| wanted(name)).collect();
    let mut children = Vec::new();
    for (name, plans) in below {
        let Some((_, Along { by, .. })) = along.iter().find(|(field, _)| field == name) else { continue };
        let objects = sets(selected(context, &items, name));
        children.extend(planned(context, &objects, by.as_str(), plans));
    }
    let list =
        List { along: along.into_iter().map(|(_, along)| *along).collect(), ..list(ctx(context)).ok()? };
    Some(Box::new(Branch::new(field(context), list, children).ok()?))
}

/// Plans the lists directly below an object, where the database can read them in its statement.
pub fn below(context: &Context<'_>, plans: &[(&str, Plan)]) -> Vec<Child> {
    if plans.is_empty() || ctx(context).app.backend() != DbBackend::Postgres {
        return Vec::new();
    }
    planned(context, &[&context.item.node.selection_set.node], "id", plans)
}

fn planned<'a>(
    context: &Context<'a>,
    sets: &[&'a SelectionSet],
    parent: &'static str,
    plans: &[(&str, Plan)],
) -> Vec<Child> {
    let asked = plans.iter().flat_map(|(name, plan)| {
        selected(context, sets, name).into_iter().filter_map(|field| plan(&context.with_field(field)))
    });
    asked.take(SIDES).map(|below| Child::new(parent, below)).collect()
}

/// The selections of a connection's items.
fn items<'a>(context: &Context<'a>) -> Vec<&'a SelectionSet> {
    let own = [&context.item.node.selection_set.node];
    let edges = sets(selected(context, &own, "edges"));
    let mut items = sets(selected(context, &own, "nodes"));
    items.extend(sets(selected(context, &edges, "node")));
    items
}

fn sets(fields: Vec<&Positioned<Field>>) -> Vec<&SelectionSet> {
    fields.into_iter().map(|field| &field.node.selection_set.node).collect()
}

/// The fields of one name, those in fragments included.
fn selected<'a>(context: &Context<'a>, sets: &[&'a SelectionSet], name: &str) -> Vec<&'a Positioned<Field>> {
    let mut found = Vec::new();
    for selection in sets.iter().flat_map(|set| &set.items) {
        match &selection.node {
            Selection::Field(field) if field.node.name.node == name => found.push(field),
            Selection::Field(_) => {}
            Selection::InlineFragment(fragment) => {
                found.extend(selected(context, &[&fragment.node.selection_set.node], name));
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = context.query_env.fragments.get(&spread.node.fragment_name.node) {
                    found.extend(selected(context, &[&fragment.node.selection_set.node], name));
                }
            }
        }
    }
    found
}
