//! Faces of the facets of both lists; each is counted only when asked for.

use async_graphql::{Context, Object, Result, SimpleObject};
use concord_entities::id::{OrganizationId, RegionId};

use super::{
    counts::{ProblemStateCount, TaskStateCount},
    problem::{ProblemSeverity, ProblemTier},
};
use crate::{
    domain::list::{
        facets::{self as verbs, Count},
        problem::Filter,
        task_read::Filter as TaskFilter,
    },
    graphql::{
        ctx, error::OrApiError, governance::organization::Organization, loaders, territory::region::Region,
    },
};

/// How many problems have a tier.
#[derive(SimpleObject)]
pub struct ProblemTierCount {
    /// The tier; null for those that have none yet.
    tier: Option<ProblemTier>,
    /// How many.
    count: i64,
}

/// How many problems are of an urgency.
#[derive(SimpleObject)]
pub struct ProblemSeverityCount {
    /// The urgency.
    severity: ProblemSeverity,
    /// How many.
    count: i64,
}

/// How many problems are of a category.
#[derive(SimpleObject)]
pub struct CategoryCount {
    /// The category.
    category: String,
    /// How many.
    count: i64,
}

/// How many items an organisation has to do with.
#[derive(SimpleObject)]
pub struct OrganizationCount {
    /// The organisation, where the caller may see it.
    organization: Option<Organization>,
    /// How many.
    count: i64,
}

/// How many items lie in a region.
#[derive(SimpleObject)]
pub struct RegionCount {
    /// The region.
    region: Option<Region>,
    /// How many, not counting the regions below it.
    count: i64,
}

async fn organizations(
    context: &Context<'_>,
    counts: Vec<Count<OrganizationId>>,
) -> Result<Vec<OrganizationCount>> {
    let mut found = loaders::many(context, counts.iter().map(|count| count.value)).await?;
    let face = |of: Count<OrganizationId>| OrganizationCount {
        organization: found.remove(&of.value).map(Organization),
        count: of.count,
    };
    Ok(counts.into_iter().map(face).collect())
}

async fn regions(context: &Context<'_>, counts: Vec<Count<RegionId>>) -> Result<Vec<RegionCount>> {
    let mut found = loaders::many(context, counts.iter().map(|count| count.value)).await?;
    let face =
        |of: Count<RegionId>| RegionCount { region: found.remove(&of.value).map(Region), count: of.count };
    Ok(counts.into_iter().map(face).collect())
}

/// How many problems of a list fall under each value of a facet, the most frequent first. Each facet keeps all filters of
/// the list but its own.
pub struct ProblemFacets(pub Filter);

/// How many problems of a list fall under each value of a facet, the most frequent first. Each facet keeps all filters of
/// the list but its own.
#[Object]
impl ProblemFacets {
    /// By state, whatever `states` says.
    async fn states(&self, context: &Context<'_>) -> Result<Vec<ProblemStateCount>> {
        let ctx = ctx(context);
        let counts = verbs::problem_states(ctx, &self.0).await.or_api_error(ctx)?;
        Ok(counts
            .into_iter()
            .map(|of| ProblemStateCount { state: of.value.into(), count: of.count })
            .collect())
    }

    /// By tier, whatever `tier` says.
    async fn tiers(&self, context: &Context<'_>) -> Result<Vec<ProblemTierCount>> {
        let ctx = ctx(context);
        let counts = verbs::problem_tiers(ctx, &self.0).await.or_api_error(ctx)?;
        let face =
            |of: Count<Option<_>>| ProblemTierCount { tier: of.value.map(Into::into), count: of.count };
        Ok(counts.into_iter().map(face).collect())
    }

    /// By urgency, whatever `severity` says.
    async fn severities(&self, context: &Context<'_>) -> Result<Vec<ProblemSeverityCount>> {
        let ctx = ctx(context);
        let counts = verbs::problem_severities(ctx, &self.0).await.or_api_error(ctx)?;
        let face = |of: Count<concord_entities::problem::Severity>| ProblemSeverityCount {
            severity: of.value.into(),
            count: of.count,
        };
        Ok(counts.into_iter().map(face).collect())
    }

    /// The 20 most frequent categories, whatever `category` says.
    async fn categories(&self, context: &Context<'_>) -> Result<Vec<CategoryCount>> {
        let ctx = ctx(context);
        let counts = verbs::problem_categories(ctx, &self.0).await.or_api_error(ctx)?;
        Ok(counts.into_iter().map(|of| CategoryCount { category: of.value, count: of.count }).collect())
    }

    /// The 20 organisations with most of the problems, leading or sharing, whatever `organizationId` says.
    async fn organizations(&self, context: &Context<'_>) -> Result<Vec<OrganizationCount>> {
        let ctx = ctx(context);
        organizations(context, verbs::problem_organizations(ctx, &self.0).await.or_api_error(ctx)?).await
    }

    /// The 20 regions with most of the problems, whatever `regionId` says.
    async fn regions(&self, context: &Context<'_>) -> Result<Vec<RegionCount>> {
        let ctx = ctx(context);
        regions(context, verbs::problem_regions(ctx, &self.0).await.or_api_error(ctx)?).await
    }
}

/// How many tasks of a list fall under each value of a facet, the most frequent first. Each facet keeps all filters of the
/// list but its own.
pub struct PriorityTaskFacets(pub TaskFilter);

/// How many tasks of a list fall under each value of a facet, the most frequent first. Each facet keeps all filters of the
/// list but its own.
#[Object]
impl PriorityTaskFacets {
    /// By state, whatever `states` says.
    async fn states(&self, context: &Context<'_>) -> Result<Vec<TaskStateCount>> {
        let ctx = ctx(context);
        let counts = verbs::task_states(ctx, &self.0).await.or_api_error(ctx)?;
        Ok(counts.into_iter().map(|of| TaskStateCount { state: of.value.into(), count: of.count }).collect())
    }

    /// The 20 organisations that lead most of the tasks, whatever `leadOrganizationId` says.
    async fn lead_organizations(&self, context: &Context<'_>) -> Result<Vec<OrganizationCount>> {
        let ctx = ctx(context);
        organizations(context, verbs::task_leads(ctx, &self.0).await.or_api_error(ctx)?).await
    }

    /// The 20 regions with most of the tasks, whatever `regionId` says.
    async fn regions(&self, context: &Context<'_>) -> Result<Vec<RegionCount>> {
        let ctx = ctx(context);
        regions(context, verbs::task_regions(ctx, &self.0).await.or_api_error(ctx)?).await
    }
}
