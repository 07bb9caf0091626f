//! Faces of regions.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use concord_entities::{
    id::{RegionId, TypedId},
    region,
};
use sea_orm::EntityTrait;
use uuid::Uuid;

use crate::{
    domain::{
        self, Ctx,
        page::{List, Order},
        territory::region::{self as verbs, Filter, NewRegion},
    },
    graphql::{
        connection::{args, connection},
        ctx,
        error::{OrApiError, payload},
        id, loaders,
        node::Node,
        scalar::DateTime,
    },
};

/// The place of a region in the tree.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::region::Level")]
pub enum RegionLevel {
    /// Province (省).
    Province,
    /// Prefecture or city (市、州).
    Prefecture,
    /// County or district (区、县).
    County,
    /// Township or subdistrict (街道、镇、乡).
    Township,
    /// Village or community (社区、村).
    Village,
    /// Natural village (屯).
    NaturalVillage,
    /// Compound (小区).
    Compound,
    /// Building.
    Building,
}

/// A node of the territorial tree, from province down to building (行政区划).
#[derive(Clone)]
pub struct Region(pub region::Model);

impl From<region::Model> for Region {
    fn from(row: region::Model) -> Self {
        Self(row)
    }
}

impl Node for Region {
    const NOUN: &'static str = RegionId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find(ctx, id.into()).await?.map(Self))
    }
}

/// A node of the territorial tree, from province down to building (行政区划).
#[Object]
impl Region {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// Official division code of 2, 4, 6, 9 or 12 digits; absent below the village level.
    async fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Its place in the tree.
    async fn level(&self) -> RegionLevel {
        self.0.level.into()
    }

    /// The next larger region.
    async fn parent(&self, context: &Context<'_>) -> Result<Option<Region>> {
        match self.0.parent_id {
            Some(parent) => Ok(loaders::one(context, parent).await?.map(Region)),
            None => Ok(None),
        }
    }

    /// The regions directly below it.
    async fn children(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "In which order.", default_with = "RegionOrder::Code")] order_by: RegionOrder,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<RegionConnection> {
        let (by, id, args) = (region::Column::ParentId, region::Column::Id, args(first, after, last, before));
        // Regions are public to everyone signed in, and nobody else sees one.
        let list = move |_: &Ctx| Ok(List::new(by, id, (region::Entity::find(), order_by.of()), &args));
        Ok(loaders::nested(context, self.0.id, &[], list).await?.into())
    }

    /// When it was first recorded.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }
}

connection!(RegionConnection, RegionEdge, Region, region::Entity);

/// Which regions a list shows; every condition holds.
#[derive(InputObject, Default)]
pub struct RegionFilter {
    /// Only those directly below this region.
    parent_id: Option<ID>,
    /// Only those of these levels.
    level: Option<Vec<RegionLevel>>,
    /// Only those whose name contains this text.
    name_contains: Option<String>,
    /// Only those below this region, however deep.
    within_id: Option<ID>,
}

/// The order of a list of regions.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionOrder {
    /// As the tree goes: by the codes from the root.
    Code,
    /// By name.
    Name,
}

impl RegionOrder {
    fn of(self) -> Order<region::Column> {
        let column = match self {
            Self::Code => region::Column::Path,
            Self::Name => region::Column::Name,
        };
        Order { column, descending: false }
    }
}

#[derive(Default)]
pub struct RegionQuery;

#[Object]
impl RegionQuery {
    /// One region; null where there is none.
    async fn region(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Identifier of the region.")] id: ID,
    ) -> Result<Option<Region>> {
        let ctx = ctx(context);
        let id = id::decode(&id, "id").or_api_error(ctx)?;
        Ok(verbs::find(ctx, id).await.or_api_error(ctx)?.map(Region))
    }

    /// The region of an official division code; null where there is none.
    async fn region_by_code(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Official code of 2, 4, 6, 9 or 12 digits.")] code: String,
    ) -> Result<Option<Region>> {
        let ctx = ctx(context);
        Ok(verbs::find_by_code(ctx, &code).await.or_api_error(ctx)?.map(Region))
    }

    /// The regions, open to everyone who signed in.
    async fn regions(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which ones.")] filter: Option<RegionFilter>,
        #[graphql(desc = "In which order.", default_with = "RegionOrder::Code")] order_by: RegionOrder,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<RegionConnection> {
        let ctx = ctx(context);
        let filter = filter.unwrap_or_default();
        let filter = Filter {
            parent: id::decode_optional(filter.parent_id.as_ref(), "filter.parentId").or_api_error(ctx)?,
            levels: filter.level.unwrap_or_default().into_iter().map(Into::into).collect(),
            name_contains: filter.name_contains,
            within: id::decode_optional(filter.within_id.as_ref(), "filter.withinId").or_api_error(ctx)?,
        };
        let page = verbs::list(ctx, &filter, order_by.of(), &args(first, after, last, before)).await;
        Ok(page.or_api_error(ctx)?.into())
    }
}

/// What a region is recorded with.
#[derive(InputObject)]
pub struct RecordRegionInput {
    /// The next larger region; only a platform administrator may leave it out.
    parent_id: Option<ID>,
    /// Official code; only a platform administrator may give one, and its length must fit the level.
    code: Option<String>,
    /// Name, at most 128 characters.
    name: String,
    /// Its place in the tree, below its parent's.
    level: RegionLevel,
}

payload!(
    /// What came of recording a region.
    RecordRegionPayload {
        /// The region.
        region: Region
    }
);

#[derive(Default)]
pub struct RegionMutation;

#[Object]
impl RegionMutation {
    /// Records a region: a committee natural villages, compounds and buildings of its territory, a platform administrator any.
    async fn record_region(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What it is recorded with.")] input: RecordRegionInput,
    ) -> Result<RecordRegionPayload> {
        let ctx = ctx(context);
        let result = async {
            let new = NewRegion {
                parent_id: id::decode_optional(input.parent_id.as_ref(), "parentId")?,
                code: input.code,
                name: input.name,
                level: input.level.into(),
            };
            verbs::record(ctx, new).await
        }
        .await;
        RecordRegionPayload::of(ctx, result).await
    }
}
