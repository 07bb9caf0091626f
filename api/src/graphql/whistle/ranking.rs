//! Faces of the monthly ranking of departments by the three rates.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result};
use chrono::Datelike;
use concord_entities::ranking_item::Figure;

use super::{call::WhistleResponseConnection, statistics::share};
use crate::{
    domain::whistle::ranking::{self as verbs, Behind, Place, Ranking},
    graphql::{
        connection::{args, held, held_connection},
        ctx,
        error::OrApiError,
        governance::{alliance::Alliance, organization::Organization},
        id,
        list::problem::{ALONG, ProblemConnection},
        loaders,
        scalar::{DateTime, YearMonth},
    },
};

/// What departments are ranked by.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::ranking_place::Over")]
pub enum RankingOver {
    /// Their parts of problems.
    Problems,
    /// Their calls to whistles.
    Whistles,
}

/// A figure of a department in a ranking.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::ranking_item::Figure")]
pub enum RankingFigure {
    /// First contacts that were due: parts of problems made responsible in the month, calls made in it.
    ResponseDue,
    /// Of these, in time.
    Responded,
    /// Valid answers of the month: of reporters for problems, of the town for whistles.
    Answered,
    /// Of these, that it is solved.
    Resolved,
    /// Of these, satisfied.
    Satisfied,
    /// Left out of the response: without a deadline or with time left; excused or re-routed calls.
    ResponseExcluded,
    /// Left out of the answers: reporters not reached or not asked, answers that were excluded; calls that were excused or not evaluated yet.
    AnswerExcluded,
}

/// A rate of a department in a ranking.
pub struct RankingRate {
    numerator: i32,
    denominator: i32,
    excluded: i32,
}

/// A rate of a department in a ranking.
#[Object]
impl RankingRate {
    /// The share from 0 to 1; null where the denominator is 0.
    async fn value(&self) -> Option<f64> {
        share(self.numerator.into(), self.denominator.into())
    }

    /// How many of the denominator.
    async fn numerator(&self) -> i32 {
        self.numerator
    }

    /// Of how many.
    async fn denominator(&self) -> i32 {
        self.denominator
    }

    /// How many were left out.
    async fn excluded(&self) -> i32 {
        self.excluded
    }
}

/// A department in a ranking.
#[derive(Clone)]
pub struct DepartmentRank {
    ranking: Arc<Ranking>,
    place: Place,
}

impl DepartmentRank {
    fn rate(&self, numerator: Figure, denominator: Figure, excluded: Figure) -> RankingRate {
        RankingRate {
            numerator: self.place.get(numerator),
            denominator: self.place.get(denominator),
            excluded: self.place.get(excluded),
        }
    }

    fn behind(&self, figure: RankingFigure) -> Behind<'_> {
        let organization = self.place.organization_id;
        Behind { ranking: &self.ranking, organization, figure: figure.into() }
    }
}

/// A department in a ranking.
#[Object]
impl DepartmentRank {
    /// The department.
    async fn organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        Ok(loaders::one(context, self.place.organization_id).await?.map(Organization))
    }

    /// 1 for the best; equal scores share a place. Null where there was nothing to rank by.
    async fn place(&self) -> Option<i32> {
        self.place.place
    }

    /// The mean of those of its three rates that have a denominator, from 0 to 1.
    async fn score(&self) -> Option<f64> {
        self.place.score
    }

    /// Response rate (响应率): first contact in time ÷ due.
    async fn response_rate(&self) -> RankingRate {
        self.rate(Figure::Responded, Figure::ResponseDue, Figure::ResponseExcluded)
    }

    /// Resolution rate (解决率): solved ÷ valid answers.
    async fn resolution_rate(&self) -> RankingRate {
        self.rate(Figure::Resolved, Figure::Answered, Figure::AnswerExcluded)
    }

    /// Satisfaction rate (满意率): satisfied ÷ valid answers.
    async fn satisfaction_rate(&self) -> RankingRate {
        self.rate(Figure::Satisfied, Figure::Answered, Figure::AnswerExcluded)
    }

    /// The problems behind a figure, by year and number: those counted when the ranking was taken, as they are now. Empty in a
    /// ranking over whistles.
    async fn problems(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which figure.")] figure: RankingFigure,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<ProblemConnection> {
        let (ctx, along) = (ctx(context), loaders::asked(context, &ALONG));
        let args = args(first, after, last, before);
        let page = self.behind(figure).problems(ctx, &args, &along).await;
        Ok(loaders::fed(context, page)?.into())
    }

    /// The calls behind a figure, the latest first: those counted when the ranking was taken, as they are now. Empty in a ranking
    /// over problems.
    async fn whistle_responses(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which figure.")] figure: RankingFigure,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<WhistleResponseConnection> {
        let ctx = ctx(context);
        let page = self.behind(figure).calls(ctx, &args(first, after, last, before)).await;
        Ok(page.or_api_error(ctx)?.into())
    }
}

/// The departments of an alliance and of those below it, ranked for a month (月度排名).
pub struct DepartmentRanking(Arc<Ranking>);

/// The departments of an alliance and of those below it, ranked for a month (月度排名).
#[Object]
impl DepartmentRanking {
    /// The alliance.
    async fn alliance(&self, context: &Context<'_>) -> Result<Option<Alliance>> {
        Ok(loaders::one(context, self.0.alliance_id).await?.map(Alliance))
    }

    /// The month.
    async fn month(&self) -> YearMonth {
        YearMonth(self.0.month)
    }

    /// What the departments are ranked by.
    async fn over(&self) -> RankingOver {
        self.0.over.into()
    }

    /// When the ranking was taken, five days after the end of the month: from then on no edit changes it. Null while it is drawn from
    /// what is there now.
    async fn taken_at(&self) -> Option<DateTime> {
        self.0.taken.as_ref().map(|taken| taken.taken_at.into())
    }

    /// How many departments it has.
    async fn department_count(&self) -> usize {
        self.0.places.len()
    }

    /// The departments, the best first, those of one place in a fixed order; those that had nothing to be ranked by come last. Until
    /// the ranking is taken each page is drawn anew, and a department that moved in between may stand on two pages or on none.
    async fn departments(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only this organisation.")] organization_id: Option<ID>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<DepartmentRankConnection> {
        let ctx = ctx(context);
        let only = id::decode_optional(organization_id.as_ref(), "organizationId").or_api_error(ctx)?;
        let is_wanted = |place: &&Place| only.is_none_or(|unit| place.organization_id == unit);
        let places: Vec<&Place> = self.0.places.iter().filter(is_wanted).collect();
        let args = args(first, after, last, before);
        let page = held(&places, "rank", |place| &place.key, &args).or_api_error(ctx)?;
        let show = |place: &&Place| DepartmentRank { ranking: self.0.clone(), place: (*place).clone() };
        Ok(page.map(show).into())
    }
}

held_connection!(DepartmentRankConnection, DepartmentRankEdge, DepartmentRank);

#[derive(Default)]
pub struct RankingQuery;

#[Object]
impl RankingQuery {
    /// The monthly ranking of departments by the three rates, over problems or, apart, over whistles; null where there is no such
    /// alliance or the caller may not see it.
    async fn department_ranking(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The alliance, with those below it.")] alliance_id: ID,
        #[graphql(desc = "The month.")] month: YearMonth,
        #[graphql(desc = "What to rank by.")] over: RankingOver,
    ) -> Result<Option<DepartmentRanking>> {
        let ctx = ctx(context);
        let alliance = id::decode(&alliance_id, "allianceId").or_api_error(ctx)?;
        let month = month.0.with_day(1).unwrap_or(month.0);
        let found = verbs::of(ctx, alliance, month, over.into()).await.or_api_error(ctx)?;
        Ok(found.map(|ranking| DepartmentRanking(Arc::new(ranking))))
    }
}
