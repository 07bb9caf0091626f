//! Objects of lists, all their fields resolved in one place.
//!
//! The library gives every field of every object a boxed future and a place among those that are waited for. In lists that is
//! most of what resolving costs, although nearly no field waits for anything. Here the fields of an object share one box.

use std::borrow::Cow;

use async_graphql::{
    ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult, Value,
    indexmap::IndexMap,
    parser::types::{Field, Selection},
    registry::Registry,
    resolver_utils::resolve_container,
};
use futures_util::future::join_all;

/// An object whose fields are resolved together. It is the same type to whoever reads the schema.
#[derive(Clone)]
pub struct AtOnce<T>(pub T);

impl<T> AtOnce<T> {
    /// The face of a row.
    pub fn of(row: impl Into<T>) -> Self {
        Self(row.into())
    }
}

impl<T: ObjectType> OutputType for AtOnce<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn qualified_type_name() -> String {
        T::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        let selected = &ctx.item.node.items;
        let mut fields: Vec<&Positioned<Field>> = Vec::with_capacity(selected.len());
        for selection in selected {
            let Selection::Field(field) = &selection.node else {
                return resolve_container(ctx, &self.0).await;
            };
            // What a fragment, a directive or a second field of the name has to add, the library knows.
            let key = &field.node.response_key().node;
            let is_known = fields.iter().any(|known| known.node.response_key().node == *key);
            if is_known || !field.node.directives.is_empty() {
                return resolve_container(ctx, &self.0).await;
            }
            fields.push(field);
        }
        let resolved = join_all(fields.iter().map(|field| async move {
            if field.node.name.node == "__typename" {
                return Ok(Some(Value::String(self.0.introspection_type_name().into_owned())));
            }
            self.0.resolve_field(&ctx.with_field(field)).await
        }));
        let mut values = IndexMap::with_capacity(fields.len());
        for (field, value) in fields.iter().zip(resolved.await) {
            let value = value.unwrap_or_else(|error| {
                ctx.add_error(error);
                None
            });
            values.insert(field.node.response_key().node.clone(), value.unwrap_or_default());
        }
        Ok(Value::Object(values))
    }
}
