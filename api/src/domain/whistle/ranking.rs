//! The monthly ranking of departments by the three rates, over problems and, apart, over whistles. A month is ranked once, some
//! days after it is over, and stays as it was then, with the rows behind every figure; before that it is drawn from what
//! is there. Whoever has nothing to be ranked by has no place.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, Months, NaiveDate, NaiveTime};
use concord_entities::{
    alliance,
    id::{AllianceId, OrganizationId, RankingId},
    problem, problem_responsible as part, ranking,
    ranking_item::{self, Figure},
    ranking_place::{self, Over},
    whistle_response as call,
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, Iterable, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select,
    sea_query::{Alias, Expr, Func, LockType, Query, SelectStatement},
};
use uuid::Uuid;

use super::{statistics as whistles, visible_calls};
use crate::domain::{
    Code, Ctx, Error, Event, Fact, Result, governance,
    list::{
        due,
        problem::{self as problems, zone},
        statistics::{Measure as Problems, Period, Statistics, start_of},
    },
    page::{self, Along, Order, Page},
    scope,
};

/// How many days after its end a month is ranked: what was called last is due by then.
const GRACE: Days = Days::new(5);
/// Most alliances ranked by one look.
const BATCH: usize = 20;

/// What a department came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    pub organization_id: OrganizationId,
    /// 1 for the best; equal scores share a place.
    pub place: Option<i32>,
    pub score: Option<f64>,
    /// The place and the department, by which places are sorted: the best first, those without a place last.
    pub key: String,
    figures: BTreeMap<Figure, i32>,
}

impl Place {
    fn new(
        organization_id: OrganizationId,
        place: Option<i32>,
        score: Option<f64>,
        figures: BTreeMap<Figure, i32>,
    ) -> Self {
        // Padded, so that cursors compare as numbers do.
        let key = format!("{:010} {organization_id}", place.unwrap_or(i32::MAX));
        Self { organization_id, place, score, key, figures }
    }

    pub fn get(&self, figure: Figure) -> i32 {
        self.figures.get(&figure).copied().unwrap_or_default()
    }
}

/// A ranking, taken or as it stands.
#[derive(Clone, Debug)]
pub struct Ranking {
    pub alliance_id: AllianceId,
    pub month: NaiveDate,
    pub over: Over,
    /// The one that was taken.
    pub taken: Option<ranking::Model>,
    pub places: Vec<Place>,
}

/// Opens the ranking of an alliance's month, with those below it; nothing where the alliance is not to be seen.
pub async fn of(ctx: &Ctx, alliance: AllianceId, month: NaiveDate, over: Over) -> Result<Option<Ranking>> {
    ctx.require_signed_in()?;
    let Some(alliance) = governance::alliance::find_of_reach(ctx, alliance).await? else { return Ok(None) };
    let taken = ranking::Entity::find()
        .filter(scope::in_alliances(ctx, ranking::Column::AllianceId))
        .filter(ranking::Column::AllianceId.eq(alliance.id))
        .filter(ranking::Column::MonthOn.eq(month))
        .one(ctx.read())
        .await?;
    let places = match &taken {
        Some(taken) => {
            let rows = ranking_place::Entity::find()
                .filter(ranking_place::Column::RankingId.eq(taken.id))
                .filter(ranking_place::Column::Noun.eq(over))
                .all(ctx.read())
                .await?;
            rows.into_iter().map(kept).collect()
        }
        None => {
            let zones = due::zones(ctx).await?;
            let mut counted = Counted::new();
            for figure in Figure::iter() {
                let pairs = pairs(ctx, &zones, alliance.id, period(month)?, over, figure)?;
                count(ctx.read(), pairs, figure, &mut counted).await?;
            }
            ranked(counted)
        }
    };
    Ok(Some(Ranking { alliance_id: alliance.id, month, over, taken, places: in_order(places) }))
}

fn kept(row: ranking_place::Model) -> Place {
    let figures = BTreeMap::from([
        (Figure::ResponseDue, row.response_due),
        (Figure::Responded, row.responded),
        (Figure::Answered, row.answered),
        (Figure::Resolved, row.resolved),
        (Figure::Satisfied, row.satisfied),
        (Figure::ResponseExcluded, row.response_excluded),
        (Figure::AnswerExcluded, row.answer_excluded),
    ]);
    Place::new(row.organization_id, row.place, row.score, figures)
}

/// The best first, those without a place last.
fn in_order(mut places: Vec<Place>) -> Vec<Place> {
    places.sort_by(|one, other| one.key.cmp(&other.key));
    places
}

/// The days of a month.
fn period(month: NaiveDate) -> Result<Period> {
    let end = month.checked_add_months(Months::new(1)).and_then(|next| next.pred_opt());
    Period::new(month, end.unwrap_or(month)).map_err(|_| {
        Error::invalid(Code::OutOfRange, "month").with("least", "1980-01").with("most", "9990-12")
    })
}

/// The departments and the rows that make up a figure, within what the caller may see.
fn pairs(
    ctx: &Ctx,
    zones: &[String],
    of: AllianceId,
    period: Period,
    over: Over,
    figure: Figure,
) -> Result<SelectStatement> {
    Ok(match over {
        Over::Whistles => {
            let holds = |measure| whistles::condition(ctx, zones, measure, period);
            visible_calls(ctx)
                .filter(scope::at_or_below(call::Column::AllianceId, of))
                .filter(any(of_calls(figure).iter().map(|measure| holds(*measure))))
                .select_only()
                .column(call::Column::OrganizationId)
                .column(call::Column::Id)
                .into_query()
        }
        Over::Problems => {
            // Of each problem the parts of each unit that is responsible for it, one by one.
            let unit = (Alias::new(UNIT), part::Column::OrganizationId);
            let one = Query::select().expr(Expr::col(unit.clone())).to_owned();
            let statistics = Statistics::new(Condition::all(), Some(one), zones.to_vec());
            let holds = |measure| statistics.condition(ctx, measure, period);
            let mut query = problems::visible(ctx)
                .filter(scope::at_or_below(problem::Column::AllianceId, of))
                .filter(any(of_problems(figure).iter().map(|measure| holds(*measure))))
                .select_only()
                .into_query();
            query
                .join_as(
                    sea_orm::JoinType::InnerJoin,
                    part::Entity,
                    Alias::new(UNIT),
                    Expr::col((Alias::new(UNIT), part::Column::ProblemId))
                        .eq(Expr::col((problem::Entity, problem::Column::Id))),
                )
                .column(unit)
                .column((problem::Entity, problem::Column::Id));
            query
        }
    })
}

/// What the parts are called whose units are ranked.
const UNIT: &str = "unit_of";

fn any(conditions: impl Iterator<Item = Condition>) -> Condition {
    conditions.fold(Condition::any(), Condition::add)
}

const fn of_calls(figure: Figure) -> &'static [whistles::Measure] {
    use whistles::Measure as M;
    match figure {
        Figure::ResponseDue => &[M::ResponseDue],
        Figure::Responded => &[M::ReportedInTime],
        Figure::Answered => &[M::Evaluated],
        Figure::Resolved => &[M::Resolved],
        Figure::Satisfied => &[M::Satisfied],
        Figure::ResponseExcluded => &[M::CalledExcused, M::CalledRerouted, M::CalledPending],
        Figure::AnswerExcluded => &[M::Excused, M::Unevaluated],
    }
}

const fn of_problems(figure: Figure) -> &'static [Problems] {
    use Problems as M;
    match figure {
        Figure::ResponseDue => &[M::ResponseDue],
        Figure::Responded => &[M::AcceptedInTime],
        Figure::Answered => &[M::Answered],
        Figure::Resolved => &[M::Resolved],
        Figure::Satisfied => &[M::Satisfied],
        Figure::ResponseExcluded => &[M::ResponseWithoutDeadline, M::ResponsePending],
        Figure::AnswerExcluded => &[M::Unreachable, M::ClosedUnasked, M::Excluded],
    }
}

type Counted = BTreeMap<OrganizationId, BTreeMap<Figure, i32>>;

async fn count(
    db: &impl ConnectionTrait,
    pairs: SelectStatement,
    figure: Figure,
    counted: &mut Counted,
) -> Result<()> {
    let (rows, unit) = (Alias::new("pairs"), Alias::new("organization_id"));
    let query = Query::select()
        .column(unit.clone())
        .expr_as(Func::count(Expr::val(1)), Alias::new("n"))
        .from_subquery(pairs, rows)
        .group_by_col(unit)
        .to_owned();
    for row in db.query_all(&query).await? {
        let many: i64 = row.try_get("", "n")?;
        let unit: OrganizationId = row.try_get("", "organization_id")?;
        counted.entry(unit).or_default().insert(figure, i32::try_from(many).unwrap_or(i32::MAX));
    }
    Ok(())
}

/// The mean of the rates that have a denominator.
fn score(figures: &BTreeMap<Figure, i32>) -> Option<f64> {
    let get = |figure| figures.get(&figure).copied().unwrap_or_default();
    let rates = [
        (Figure::Responded, Figure::ResponseDue),
        (Figure::Resolved, Figure::Answered),
        (Figure::Satisfied, Figure::Answered),
    ];
    let rates: Vec<f64> = rates
        .into_iter()
        .filter(|(_, of)| get(*of) > 0)
        .map(|(some, of)| f64::from(get(some)) / f64::from(get(of)))
        .collect();
    let many = i32::try_from(rates.len()).ok().filter(|many| *many > 0)?;
    Some(rates.iter().sum::<f64>() / f64::from(many))
}

/// Gives the places: equal scores share one, and the next is as many further.
fn ranked(counted: Counted) -> Vec<Place> {
    let scores: Vec<f64> = counted.values().filter_map(score).collect();
    let place_of = |own: f64| {
        let better = scores.iter().filter(|other| **other > own).count();
        i32::try_from(better).unwrap_or(i32::MAX).saturating_add(1)
    };
    let place = |(organization_id, figures): (OrganizationId, BTreeMap<Figure, i32>)| {
        let score = score(&figures);
        Place::new(organization_id, score.map(place_of), score, figures)
    };
    counted.into_iter().map(place).collect()
}

/// Which rows of a ranking.
#[derive(Clone, Copy, Debug)]
pub struct Behind<'a> {
    pub ranking: &'a Ranking,
    pub organization: OrganizationId,
    pub figure: Figure,
}

impl Behind<'_> {
    /// Their identifiers: those that were kept, or those that are counted now.
    async fn ids(&self, ctx: &Ctx) -> Result<SelectStatement> {
        let Self { ranking, organization, figure } = *self;
        if let Some(taken) = &ranking.taken {
            return Ok(ranking_item::Entity::find()
                .select_only()
                .column(ranking_item::Column::SubjectId)
                .filter(ranking_item::Column::RankingId.eq(taken.id))
                .filter(ranking_item::Column::Noun.eq(ranking.over))
                .filter(ranking_item::Column::Figure.eq(figure))
                .filter(ranking_item::Column::OrganizationId.eq(organization))
                .into_query());
        }
        let zones = due::zones(ctx).await?;
        let pairs = pairs(ctx, &zones, ranking.alliance_id, period(ranking.month)?, ranking.over, figure)?;
        let rows = Alias::new("pairs");
        Ok(Query::select()
            .column((rows.clone(), Alias::new("id")))
            .from_subquery(pairs, rows.clone())
            .and_where(Expr::col((rows, Alias::new("organization_id"))).eq(Uuid::from(organization)))
            .to_owned())
    }

    /// The problems, as the caller may see them now, by year and number.
    pub async fn problems(
        &self,
        ctx: &Ctx,
        args: &page::Args,
        along: &[Along<problem::Column>],
    ) -> Result<Page<problem::Entity>> {
        let select = match self.ranking.over {
            Over::Problems => {
                problems::visible(ctx).filter(problem::Column::Id.in_subquery(self.ids(ctx).await?))
            }
            Over::Whistles => nothing(problems::visible(ctx)),
        };
        let order = Order { column: problem::Column::Ordinal, descending: false };
        page::fetch_along(ctx, select, order, problem::Column::Id, args, along).await
    }

    /// The calls, as the caller may see them now, the latest first.
    pub async fn calls(&self, ctx: &Ctx, args: &page::Args) -> Result<Page<call::Entity>> {
        let select = match self.ranking.over {
            Over::Whistles => visible_calls(ctx).filter(call::Column::Id.in_subquery(self.ids(ctx).await?)),
            Over::Problems => nothing(visible_calls(ctx)),
        };
        let order = Order { column: call::Column::CalledAt, descending: true };
        page::fetch(ctx, select, order, call::Column::Id, args).await
    }
}

fn nothing<E: EntityTrait>(select: Select<E>) -> Select<E> {
    select.filter(Expr::val(1).eq(0))
}

/// The hand: takes the rankings of the months that are over, each once; tells how many.
pub async fn take(ctx: &Ctx) -> Result<usize> {
    let today = ctx.now().date_naive();
    // The newest month that may be due anywhere; where it was taken, all before it were.
    let newest = month_before(today.checked_sub_days(GRACE).unwrap_or(today) + chrono::TimeDelta::days(1));
    let taken = ranking::Entity::find()
        .select_only()
        .column(ranking::Column::AllianceId)
        .filter(ranking::Column::MonthOn.gte(newest))
        .into_query();
    let founded_since =
        newest.checked_add_months(Months::new(1)).unwrap_or(newest).and_time(NaiveTime::MIN).and_utc();
    let behind = alliance::Entity::find()
        .filter(alliance::Column::CreatedAt.lt(founded_since))
        .filter(alliance::Column::Id.not_in_subquery(taken))
        .all(ctx.read())
        .await?;
    let (mut done, mut zones) = (0, None);
    for alliance in behind {
        let last: Option<NaiveDate> = ranking::Entity::find()
            .select_only()
            .column(ranking::Column::MonthOn)
            .filter(ranking::Column::AllianceId.eq(alliance.id))
            .order_by_desc(ranking::Column::MonthOn)
            .limit(1)
            .into_tuple()
            .one(ctx.read())
            .await?;
        let there = zone(&alliance.time_zone);
        let founded = first_of(alliance.created_at.with_timezone(&there).date_naive());
        let month = last.and_then(|last| last.checked_add_months(Months::new(1))).unwrap_or(founded);
        let over = month.checked_add_months(Months::new(1)).and_then(|next| next.checked_add_days(GRACE));
        if over.is_none_or(|day| start_of(there, day) > ctx.now()) {
            continue;
        }
        if zones.is_none() {
            zones = Some(due::zones(ctx).await?);
        }
        take_one(ctx, zones.as_deref().unwrap_or_default(), alliance.id, month).await?;
        done += 1;
        if done == BATCH {
            break;
        }
    }
    Ok(done)
}

fn first_of(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

fn month_before(day: NaiveDate) -> NaiveDate {
    first_of(day).checked_sub_months(Months::new(1)).unwrap_or(day)
}

async fn take_one(ctx: &Ctx, zones: &[String], of: AllianceId, month: NaiveDate) -> Result<()> {
    let tx = ctx.begin().await?;
    // The alliance's row keeps two nodes from passing each other; who comes second looks again.
    alliance::Entity::find_by_id(of).lock(LockType::NoKeyUpdate).one(&tx.db).await?;
    let there = ranking::Entity::find()
        .filter(ranking::Column::AllianceId.eq(of))
        .filter(ranking::Column::MonthOn.eq(month));
    if there.one(&tx.db).await?.is_some() {
        return Ok(());
    }
    let id: RankingId = ctx.new_id();
    let mut departments = 0;
    for over in Over::iter() {
        let mut counted = Counted::new();
        for figure in Figure::iter() {
            let pairs = pairs(ctx, zones, of, period(month)?, over, figure)?;
            keep(&tx.db, id, over, figure, pairs.clone()).await?;
            count(&tx.db, pairs, figure, &mut counted).await?;
        }
        let rows: Vec<_> = ranked(counted).iter().map(|place| row(id, over, place)).collect();
        departments += rows.len();
        for some in rows.chunks(1000) {
            ranking_place::Entity::insert_many(some.to_vec()).exec_without_returning(&tx.db).await?;
        }
    }
    // Last: it closes what was written before it.
    let taken = ranking::ActiveModel {
        id: Set(id),
        alliance_id: Set(of),
        month_on: Set(month),
        taken_at: Set(ctx.now()),
    };
    taken.insert(&tx.db).await?;
    // Of a month in which nothing was there to rank nobody is told.
    if departments > 0 {
        let told = Fact::of(Event::RankingTaken, of).alliance(of).detail("monthOn", month.to_string());
        tx.record(told.detail("places", departments)).await?;
    }
    tx.commit(id).await
}

fn row(id: RankingId, over: Over, place: &Place) -> ranking_place::ActiveModel {
    ranking_place::ActiveModel {
        ranking_id: Set(id),
        noun: Set(over),
        organization_id: Set(place.organization_id),
        place: Set(place.place),
        score: Set(place.score),
        response_due: Set(place.get(Figure::ResponseDue)),
        responded: Set(place.get(Figure::Responded)),
        answered: Set(place.get(Figure::Answered)),
        resolved: Set(place.get(Figure::Resolved)),
        satisfied: Set(place.get(Figure::Satisfied)),
        response_excluded: Set(place.get(Figure::ResponseExcluded)),
        answer_excluded: Set(place.get(Figure::AnswerExcluded)),
    }
}

/// Keeps the rows behind a figure.
async fn keep(
    db: &impl ConnectionTrait,
    id: RankingId,
    over: Over,
    figure: Figure,
    pairs: SelectStatement,
) -> Result<()> {
    use ranking_item::Column as Item;
    let rows = Alias::new("pairs");
    let chosen = Query::select()
        .expr(Expr::value(Uuid::from(id)))
        .expr(Expr::value(over.to_value()))
        .expr(Expr::value(figure.to_value()))
        .columns([(rows.clone(), Alias::new("organization_id")), (rows.clone(), Alias::new("id"))])
        .from_subquery(pairs, rows)
        .to_owned();
    let mut insert = Query::insert();
    insert
        .into_table(ranking_item::Entity)
        .columns([Item::RankingId, Item::Noun, Item::Figure, Item::OrganizationId, Item::SubjectId])
        .select_from(chosen)
        .map_err(Error::internal)?;
    db.execute(&insert).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(number: u128, figures: &[(Figure, i32)]) -> (OrganizationId, BTreeMap<Figure, i32>) {
        (OrganizationId(Uuid::from_u128(number)), figures.iter().copied().collect())
    }

    #[test]
    fn equal_scores_share_a_place_and_who_has_no_rate_has_none() {
        let good = [(Figure::ResponseDue, 2), (Figure::Responded, 2)];
        let poor = [(Figure::ResponseDue, 2), (Figure::Responded, 1), (Figure::Answered, 1)];
        let none = [(Figure::ResponseExcluded, 3)];
        let counted = [unit(1, &poor), unit(2, &good), unit(3, &none), unit(4, &good)].into_iter().collect();
        let places = in_order(ranked(counted));
        let told: Vec<_> =
            places.iter().map(|place| (place.organization_id.0.as_u128(), place.place)).collect();
        assert_eq!(told, [(2, Some(1)), (4, Some(1)), (1, Some(3)), (3, None)]);
        // One half, none, none: each rate counts alike.
        assert!((places[2].score.expect("a score") - 0.5 / 3.0).abs() < 1e-9);
    }
}
