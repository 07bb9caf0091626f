//! Relay connections over `domain::page`: edges, nodes, page info, and a count that is taken only when asked for.

use async_graphql::SimpleObject;

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

/// Gathers the Relay arguments of a list.
pub fn args(
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
) -> crate::domain::page::Args {
    crate::domain::page::Args { first, after, last, before }
}
