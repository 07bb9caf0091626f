//! Relay connections over `domain::page`: edges, nodes, page info, and a count that is taken only when asked for.

use async_graphql::SimpleObject;
use uuid::Uuid;

use crate::domain::{self, Code, Error, page};

/// Where a page stands in its list.
#[derive(SimpleObject, Clone, Debug)]
pub struct PageInfo {
    /// Whether there are items after this page.
    pub has_next_page: bool,
    /// Whether there are items before this page.
    pub has_previous_page: bool,
    /// Cursor of the first item.
    pub start_cursor: Option<String>,
    /// Cursor of the last item.
    pub end_cursor: Option<String>,
}

/// Declares a connection: `connection!(AllianceConnection, AllianceEdge, Alliance, alliance::Entity);`
///
/// A fifth type counts the list by facets, where the field that reads it says which list that is.
macro_rules! connection {
    ($connection:ident, $edge:ident, $node:ident, $entity:ty $(, $facets:ty)?) => {
        /// One item of a list and its place in it.
        #[derive(Clone)]
        pub struct $edge {
            cursor: String,
            node: $node,
        }

        /// One item of a list and its place in it.
        #[async_graphql::Object]
        impl $edge {
            /// The place; give it as `after` or `before` to go on from here.
            async fn cursor(&self) -> &str {
                &self.cursor
            }

            /// The item.
            async fn node(&self) -> $crate::graphql::at_once::AtOnce<&$node> {
                $crate::graphql::at_once::AtOnce(&self.node)
            }
        }

        /// One page of a list.
        pub struct $connection {
            edges: Vec<$edge>,
            has_next: bool,
            has_previous: bool,
            whole: $crate::domain::page::Whole<$entity>,
            $(facets: Option<$facets>,)?
        }

        $(
            impl $connection {
                /// The same page of a list whose facets are known.
                #[must_use]
                pub fn with(self, facets: $facets) -> Self {
                    Self { facets: Some(facets), ..self }
                }
            }
        )?

        impl From<$crate::domain::page::Page<$entity>> for $connection {
            fn from(page: $crate::domain::page::Page<$entity>) -> Self {
                Self {
                    edges: page
                        .items
                        .into_iter()
                        .map(|(cursor, model)| $edge { cursor, node: model.into() })
                        .collect(),
                    has_next: page.has_next,
                    has_previous: page.has_previous,
                    whole: page.whole,
                    $(facets: None::<$facets>,)?
                }
            }
        }

        /// One page of a list.
        #[async_graphql::Object]
        impl $connection {
            /// The items with their places.
            async fn edges(&self) -> Vec<$crate::graphql::at_once::AtOnce<&$edge>> {
                self.edges.iter().map($crate::graphql::at_once::AtOnce).collect()
            }

            /// The items.
            async fn nodes(&self) -> Vec<$crate::graphql::at_once::AtOnce<&$node>> {
                self.edges.iter().map(|edge| $crate::graphql::at_once::AtOnce(&edge.node)).collect()
            }

            /// Where this page stands in the list.
            async fn page_info(&self) -> $crate::graphql::connection::PageInfo {
                $crate::graphql::connection::PageInfo {
                    has_next_page: self.has_next,
                    has_previous_page: self.has_previous,
                    start_cursor: self.edges.first().map(|edge| edge.cursor.clone()),
                    end_cursor: self.edges.last().map(|edge| edge.cursor.clone()),
                }
            }

            /// How many items the whole list has; counted only when asked for.
            async fn total_count(&self, context: &async_graphql::Context<'_>) -> async_graphql::Result<u64> {
                use $crate::graphql::error::OrApiError;
                let ctx = $crate::graphql::ctx(context);
                self.whole.count(ctx).await.or_api_error(ctx)
            }

            $(
                /// How many items of the list fall under each value of a facet, with all filters but the facet's own; each
                /// facet is counted only when asked for. Null where the list cannot be filtered.
                async fn facets(&self) -> Option<&$facets> {
                    self.facets.as_ref()
                }
            )?
        }
    };
}
pub(crate) use connection;

/// What the rows of a list that is held in memory are sorted by, in cursors, with a page of it.
pub struct Held<T> {
    pub items: Vec<(String, T)>,
    pub has_next: bool,
    pub has_previous: bool,
    pub total: usize,
}

impl<T> Held<T> {
    /// The same page of faces.
    pub fn map<F>(self, face: impl Fn(T) -> F) -> Held<F> {
        let Self { items, has_next, has_previous, total } = self;
        let items = items.into_iter().map(|(cursor, item)| (cursor, face(item))).collect();
        Held { items, has_next, has_previous, total }
    }
}

/// A page of rows that are in memory, in the order of a key that no two share; `name` is the key's in cursors.
pub fn held<'rows, T>(
    rows: &'rows [T],
    name: &str,
    key: impl Fn(&T) -> &str,
    args: &page::Args,
) -> domain::Result<Held<&'rows T>> {
    let window = page::window(args)?;
    let bound = |cursor: &Option<String>, field: &'static str| match cursor {
        None => Ok(None),
        Some(cursor) => match page::read(cursor, name) {
            Some((sea_orm::Value::String(Some(key)), _)) => Ok(Some(key)),
            _ => Err(Error::invalid(Code::CursorMalformed, field)),
        },
    };
    let (after, before) = (bound(&args.after, "after")?, bound(&args.before, "before")?);
    let is_within = |row: &&T| {
        after.as_ref().is_none_or(|after| key(row) > after.as_str())
            && before.as_ref().is_none_or(|before| key(row) < before.as_str())
    };
    let within: Vec<&T> = rows.iter().filter(is_within).collect();
    let limit = usize::try_from(window.limit).unwrap_or(usize::MAX);
    let more = within.len() > limit;
    let shown = if window.backward {
        within.get(within.len().saturating_sub(limit)..)
    } else {
        within.get(..limit.min(within.len()))
    };
    let cursor = |row: &T| page::write(name, &key(row).to_owned().into(), Uuid::nil());
    Ok(Held {
        items: shown.unwrap_or_default().iter().map(|row| (cursor(row), *row)).collect(),
        has_next: if window.backward { before.is_some() } else { more },
        has_previous: if window.backward { more } else { after.is_some() },
        total: rows.len(),
    })
}

/// Declares the connection of a list that is held in memory: `held_connection!(OverlapConnection, OverlapEdge, Overlap);`
macro_rules! held_connection {
    ($connection:ident, $edge:ident, $node:ty) => {
        /// One item of a list and its place in it.
        #[derive(async_graphql::SimpleObject, Clone)]
        pub struct $edge {
            /// The place; give it as `after` or `before` to go on from here.
            cursor: String,
            /// The item.
            node: $node,
        }

        /// One page of a list.
        pub struct $connection($crate::graphql::connection::Held<$node>);

        impl From<$crate::graphql::connection::Held<$node>> for $connection {
            fn from(page: $crate::graphql::connection::Held<$node>) -> Self {
                Self(page)
            }
        }

        /// One page of a list.
        #[async_graphql::Object]
        impl $connection {
            /// The items with their places.
            async fn edges(&self) -> Vec<$edge> {
                let edge =
                    |(cursor, node): &(String, $node)| $edge { cursor: cursor.clone(), node: node.clone() };
                self.0.items.iter().map(edge).collect()
            }

            /// The items.
            async fn nodes(&self) -> Vec<$node> {
                self.0.items.iter().map(|(_, node)| node.clone()).collect()
            }

            /// Where this page stands in the list.
            async fn page_info(&self) -> $crate::graphql::connection::PageInfo {
                $crate::graphql::connection::PageInfo {
                    has_next_page: self.0.has_next,
                    has_previous_page: self.0.has_previous,
                    start_cursor: self.0.items.first().map(|(cursor, _)| cursor.clone()),
                    end_cursor: self.0.items.last().map(|(cursor, _)| cursor.clone()),
                }
            }

            /// How many items the whole list has.
            async fn total_count(&self) -> usize {
                self.0.total
            }
        }
    };
}
pub(crate) use held_connection;

/// Gathers the Relay arguments of a list.
pub fn args(
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
) -> crate::domain::page::Args {
    crate::domain::page::Args { first, after, last, before }
}
