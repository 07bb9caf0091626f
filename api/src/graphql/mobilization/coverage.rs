//! Faces of what is covered: sums by region.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use concord_entities::region;

use crate::{
    domain::{
        self,
        mobilization::{
            coverage::{Sums, View},
            live::Line,
        },
    },
    graphql::{
        id, loaders,
        territory::region::{Region, RegionLevel},
    },
};

/// How many people a region needs and has. What is missing and what is too many is counted place by place: a community with too
/// many does not make up for one with too few.
#[derive(Clone)]
pub struct CoverageRow {
    sums: Sums,
    region: Option<Arc<region::Model>>,
}

impl From<Line> for CoverageRow {
    fn from(line: Line) -> Self {
        Self { sums: line.sums, region: line.region }
    }
}

impl From<Sums> for CoverageRow {
    fn from(sums: Sums) -> Self {
        Self { sums, region: None }
    }
}

/// How many people a region needs and has. What is missing and what is too many is counted place by place: a community with too
/// many does not make up for one with too few.
#[Object]
impl CoverageRow {
    /// The region.
    async fn region(&self, context: &Context<'_>) -> Result<Option<Region>> {
        match &self.region {
            Some(known) => Ok(Some(Region(region::Model::clone(known)))),
            None => Ok(loaders::one(context, self.sums.region).await?.map(Region)),
        }
    }

    /// How many people its places need.
    async fn needed(&self) -> i64 {
        self.sums.needed
    }

    /// How many are present.
    async fn present(&self) -> i64 {
        self.sums.present
    }

    /// How many are missing: over its places, what each needs less what it has, where that is more than none.
    async fn uncovered(&self) -> i64 {
        self.sums.uncovered
    }

    /// How many are more than needed, over its places.
    async fn surplus(&self) -> i64 {
        self.sums.surplus
    }
}

/// Reads what coverage is asked for.
pub fn view(below: Option<&ID>, level: Option<RegionLevel>) -> domain::Result<View> {
    Ok(View { below: id::decode_optional(below, "below")?, level: level.map(Into::into) })
}
