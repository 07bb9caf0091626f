//! Faces of "my organisation's open items": tasks and problems as one list, across alliances.

use async_graphql::{Context, ID, Object, Result, Union};
use sea_orm::sea_query::SelectStatement;

use super::{priority_task::PriorityTask, problem::Problem};
use crate::{
    domain::list::open_item::{self as reads, Item, OpenItems},
    graphql::{
        connection::{PageInfo, args},
        ctx,
        error::OrApiError,
        id,
    },
};

/// A priority task or a problem on which work remains.
#[derive(Union, Clone)]
pub enum OpenItem {
    PriorityTask(PriorityTask),
    Problem(Problem),
}

impl From<Item> for OpenItem {
    fn from(item: Item) -> Self {
        match item {
            Item::Task(row) => Self::PriorityTask(row.into()),
            Item::Problem(row) => Self::Problem(row.into()),
        }
    }
}

/// One item of a list and its place in it.
pub struct OpenItemEdge {
    cursor: String,
    node: OpenItem,
}

/// One item of a list and its place in it.
#[Object]
impl OpenItemEdge {
    /// The place; give it as `after` or `before` to go on from here.
    async fn cursor(&self) -> &str {
        &self.cursor
    }

    /// The item.
    async fn node(&self) -> &OpenItem {
        &self.node
    }
}

/// One page of a list.
pub struct OpenItemConnection {
    edges: Vec<OpenItemEdge>,
    has_next: bool,
    has_previous: bool,
    all: SelectStatement,
}

impl From<OpenItems> for OpenItemConnection {
    fn from(page: OpenItems) -> Self {
        Self {
            edges: page
                .items
                .into_iter()
                .map(|(cursor, item)| OpenItemEdge { cursor, node: item.into() })
                .collect(),
            has_next: page.has_next,
            has_previous: page.has_previous,
            all: page.all,
        }
    }
}

/// One page of a list.
#[Object]
impl OpenItemConnection {
    /// The items with their places.
    async fn edges(&self) -> &[OpenItemEdge] {
        &self.edges
    }

    /// The items.
    async fn nodes(&self) -> Vec<&OpenItem> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }

    /// Where this page stands in the list.
    async fn page_info(&self) -> PageInfo {
        PageInfo {
            has_next_page: self.has_next,
            has_previous_page: self.has_previous,
            start_cursor: self.edges.first().map(|edge| edge.cursor.clone()),
            end_cursor: self.edges.last().map(|edge| edge.cursor.clone()),
        }
    }

    /// How many items the whole list has; counted only when asked for.
    async fn total_count(&self, context: &Context<'_>) -> Result<u64> {
        let ctx = ctx(context);
        reads::count(ctx, self.all.clone()).await.or_api_error(ctx)
    }
}

#[derive(Default)]
pub struct OpenItemQuery;

#[Object]
impl OpenItemQuery {
    /// The open tasks and problems that an organisation of the viewer leads or shares, in all alliances where the viewer
    /// has a seat, first what is due first; a problem without a date stands at the day it was recorded.
    async fn my_open_items(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only those of this organisation; all that the viewer acts for by default.")]
        organization_id: Option<ID>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<OpenItemConnection> {
        let ctx = ctx(context);
        let organization =
            id::decode_optional(organization_id.as_ref(), "organizationId").or_api_error(ctx)?;
        let page = reads::list(ctx, organization, &args(first, after, last, before)).await;
        Ok(page.or_api_error(ctx)?.into())
    }
}
