//! One way to read a list: a keyset window over (sort key, id), forward or backward, with the count as a query of its own
//! that runs only when somebody asks.

mod along;
mod below;
mod each;
mod needs;

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use sea_orm::{
    ColumnTrait, ColumnType, ConnectionTrait, EntityTrait, ExprTrait, IdenStatic, IntoSimpleExpr, ModelTrait,
    PaginatorTrait, QueryFilter, QueryResult, QueryTrait, Select, Value,
    sea_query::{self, Alias, Expr, Func, OverStatement, SelectStatement, SimpleExpr, WindowStatement},
};
use uuid::Uuid;

pub use self::{
    along::{Along, Kind, Related},
    below::{Below, Branch, Child, Given, List, find_below},
    each::{among, fetch_each},
    needs::{Chosen, Layout, Needs},
};

use self::{along::Places, needs::Placed};
use super::{
    context::Ctx,
    error::{Code, Error, Result},
};

/// Items of a page when the caller names no number.
pub const DEFAULT: u64 = 20;
/// Most items of a page.
pub const MOST: u64 = 100;

/// Years that both databases can compare.
const YEARS: std::ops::RangeInclusive<i32> = 1..=9999;

/// The last day of those years.
const LAST_DAY: NaiveDate = NaiveDate::from_ymd_opt(9999, 12, 31).expect("a day");

/// The Relay arguments of a list, unchecked.
#[derive(Clone, Debug, Default)]
pub struct Args {
    pub first: Option<i32>,
    pub after: Option<String>,
    pub last: Option<i32>,
    pub before: Option<String>,
}

/// The order of a list: a column, then the id. The column holds no NULLs, or dates: what has none counts as due on the
/// last day there is.
#[derive(Clone, Copy, Debug)]
pub struct Order<C> {
    pub column: C,
    pub descending: bool,
}

/// One page, with what it takes to count the whole list.
#[derive(Clone)]
pub struct Page<E: EntityTrait> {
    pub items: Vec<(String, E::Model)>,
    pub has_next: bool,
    pub has_previous: bool,
    pub whole: Whole<E>,
    /// What was read along.
    pub related: Related,
}

/// A whole list, of which a page is read.
#[derive(Clone)]
pub struct Whole<E: EntityTrait> {
    /// Nothing where the request counts no list.
    select: Option<Arc<Select<E>>>,
    /// Of the lists of many parents, the one whose rows have this value.
    of: Option<(E::Column, Uuid)>,
}

/// Keeps a list to be counted.
fn kept<E: EntityTrait>(ctx: &Ctx, select: &Select<E>) -> Option<Arc<Select<E>>> {
    (!ctx.needs.counts_nothing).then(|| Arc::new(select.clone()))
}

impl<E: EntityTrait<Model: Send + Sync>> Whole<E> {
    /// Counts it.
    pub async fn count(&self, ctx: &Ctx) -> Result<u64> {
        let kept = self.select.as_deref().ok_or_else(|| Error::internal("a count that was not foreseen"))?;
        let mut select = kept.clone();
        if let Some((by, parent)) = self.of {
            select = select.filter(by.eq(parent));
        }
        Ok(select.count(ctx.read()).await?)
    }
}

/// How many items a page wants, and from which end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub limit: u64,
    pub backward: bool,
}

impl Window {
    /// In which direction the database sorts.
    fn direction<C>(self, order: Order<C>) -> sea_query::Order {
        if order.descending == self.backward { sea_query::Order::Asc } else { sea_query::Order::Desc }
    }
}

/// Checks what a page wants.
pub fn window(args: &Args) -> Result<Window> {
    Ok(match (args.first, args.last) {
        (Some(_), Some(_)) => return Err(Error::invalid(Code::PageInvalid, "last")),
        (None, Some(last)) => Window { limit: size(last, "last")?, backward: true },
        (first, None) => {
            let limit = first.map_or(Ok(DEFAULT), |first| size(first, "first"))?;
            Window { limit, backward: false }
        }
    })
}

/// Reads one page of `select`.
pub async fn fetch<E>(
    ctx: &Ctx,
    select: Select<E>,
    order: Order<E::Column>,
    id: E::Column,
    args: &Args,
) -> Result<Page<E>>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E> + Send + Sync,
{
    Box::pin(fetch_chosen(ctx, select, order, id, args, (&[], Chosen::all()))).await
}

/// Reads of one page of `select` what the request needs, and in the same statement the objects that its rows point to.
pub async fn fetch_along<E>(
    ctx: &Ctx,
    select: Select<E>,
    order: Order<E::Column>,
    id: E::Column,
    args: &Args,
    along: &[Along<E::Column>],
) -> Result<Page<E>>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E> + Send + Sync,
{
    let chosen = Chosen::of(ctx, own(order, id, along));
    Box::pin(fetch_chosen(ctx, select, order, id, args, (along, chosen))).await
}

/// The columns that a list reads for itself.
fn own<C: Copy>(order: Order<C>, id: C, along: &[Along<C>]) -> impl Iterator<Item = C> {
    [id, order.column].into_iter().chain(along.iter().map(|along| along.by))
}

async fn fetch_chosen<E>(
    ctx: &Ctx,
    select: Select<E>,
    order: Order<E::Column>,
    id: E::Column,
    args: &Args,
    (along, chosen): (&[Along<E::Column>], Chosen<E>),
) -> Result<Page<E>>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E> + Send + Sync,
{
    let window = window(args)?;
    let whole = Whole { select: kept(ctx, &select), of: None };
    let mut query = along::join(ctx, chosen.narrow(select), along).into_query();
    bound(&mut query, order, id, args)?;
    for key in keys(order, id) {
        query.order_by_expr(key, window.direction(order));
    }
    query.limit(window.limit + 1);
    let rows = ctx.read().query_all(&query).await?;
    let Some(first) = rows.first() else {
        return Ok(assemble(ctx, Vec::new(), whole, order, id, (window, args)));
    };
    let layout = Layout::of(first);
    let reads = (Places::of(ctx, &layout, "", along)?, chosen.placed(&layout, "")?);
    page(ctx, rows.iter(), whole, order, id, (window, args), &reads)
}

/// Narrows a statement to what lies between the cursors.
fn bound<C: ColumnTrait>(query: &mut SelectStatement, order: Order<C>, id: C, args: &Args) -> Result<()> {
    let place = || Expr::tuple(keys(order, id));
    let bound = |(value, id): (Value, Value)| Expr::tuple([Expr::value(value), Expr::value(id)]);
    if let Some(after) = &args.after {
        let bound = bound(decode(after, order, "after")?);
        query.and_where(if order.descending { place().lt(bound) } else { place().gt(bound) });
    }
    if let Some(before) = &args.before {
        let bound = bound(decode(before, order, "before")?);
        query.and_where(if order.descending { place().gt(bound) } else { place().lt(bound) });
    }
    Ok(())
}

/// The place of a row in its list, beside the columns of any table.
const PLACE: &str = "place_below_parent";

/// Numbers the rows of a list, those of each parent for themselves where they are told apart.
fn numbered<C: ColumnTrait>(
    query: &mut SelectStatement,
    order: Order<C>,
    id: C,
    window: Window,
    parent: Option<SimpleExpr>,
) {
    let mut over = WindowStatement::new();
    if let Some(parent) = parent {
        over.add_partition_by(parent);
    }
    for key in keys(order, id) {
        over.order_by_expr(key, window.direction(order));
    }
    query.expr_window_as(Expr::cust("ROW_NUMBER()"), over, Alias::new(PLACE));
}

/// Makes a page of the rows of a window, of which one more than the limit was read.
fn page<'a, E>(
    ctx: &Ctx,
    rows: impl Iterator<Item = &'a QueryResult>,
    whole: Whole<E>,
    order: Order<E::Column>,
    id: E::Column,
    window: (Window, &Args),
    (along, placed): &(Places, Placed<E>),
) -> Result<Page<E>>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E>,
{
    let mut related = Related::default();
    let mut models = Vec::new();
    for row in rows {
        models.push(placed.read(row)?);
        related.read(row, along)?;
    }
    Ok(Page { related, ..assemble(ctx, models, whole, order, id, window) })
}

/// Makes a page of what was read for it.
fn assemble<E>(
    ctx: &Ctx,
    mut models: Vec<E::Model>,
    whole: Whole<E>,
    order: Order<E::Column>,
    id: E::Column,
    (Window { limit, backward }, args): (Window, &Args),
) -> Page<E>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E>,
{
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = models.len() > limit;
    models.truncate(limit);
    if backward {
        models.reverse();
    }
    let cursor = |model: &E::Model| {
        if ctx.needs.marks_nothing { String::new() } else { encode(model, order, id) }
    };
    Page {
        items: models.into_iter().map(|model| (cursor(&model), model)).collect(),
        related: Related::default(),
        has_next: if backward { args.before.is_some() } else { more },
        has_previous: if backward { more } else { args.after.is_some() },
        whole,
    }
}

/// What the rows of a list are sorted by.
fn keys<C: ColumnTrait>(order: Order<C>, id: C) -> [SimpleExpr; 2] {
    [key(order.column), id.into_simple_expr()]
}

/// What rows are sorted by: the column, with the last day in place of a date that is missing.
fn key<C: ColumnTrait>(column: C) -> SimpleExpr {
    sorted(column, column.into_simple_expr())
}

/// The same of an expression that has the column's values.
fn sorted<C: ColumnTrait>(column: C, expr: SimpleExpr) -> SimpleExpr {
    if may_lack_date(column) { Func::coalesce([expr, Expr::value(LAST_DAY)]).into() } else { expr }
}

fn may_lack_date<C: ColumnTrait>(column: C) -> bool {
    let definition = column.def();
    definition.is_null() && matches!(definition.get_column_type(), ColumnType::Date)
}

fn size(asked: i32, field: &'static str) -> Result<u64> {
    u64::try_from(asked)
        .ok()
        .filter(|size| (1..=MOST).contains(size))
        .ok_or_else(|| Error::invalid(Code::PageInvalid, field).with("most", MOST))
}

/// Writes the place of a row: the column's name, its value, the id.
fn encode<M>(
    model: &M,
    order: Order<<M::Entity as EntityTrait>::Column>,
    id: <M::Entity as EntityTrait>::Column,
) -> String
where
    M: ModelTrait,
{
    let id = match model.get(id) {
        Value::Uuid(Some(id)) => id,
        _ => Uuid::nil(),
    };
    let value = match model.get(order.column) {
        Value::ChronoDate(None) => LAST_DAY.into(),
        value => value,
    };
    write(order.column.as_str(), &value, id)
}

/// Writes the cursor of a row: the column's name, its value, the id.
pub fn write(column: &str, value: &Value, id: Uuid) -> String {
    let (tag, text) = match value {
        Value::ChronoDateTimeUtc(Some(at)) => ('t', at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)),
        Value::ChronoDate(Some(on)) => ('d', on.to_string()),
        Value::Int(Some(number)) => ('i', number.to_string()),
        Value::BigInt(Some(number)) => ('l', number.to_string()),
        Value::String(Some(text)) => ('s', text.as_str().to_owned()),
        Value::Uuid(Some(raw)) => ('u', raw.to_string()),
        _ => ('-', String::new()),
    };
    URL_SAFE_NO_PAD.encode(format!("{column}\n{tag}{text}\n{id}"))
}

fn decode<C: ColumnTrait>(cursor: &str, order: Order<C>, field: &'static str) -> Result<(Value, Value)> {
    read(cursor, order.column.as_str())
        // A value of another type would be an error of the database, not of the caller.
        .filter(|(value, _)| fits(value, order.column.def().get_column_type()))
        .ok_or_else(|| Error::invalid(Code::CursorMalformed, field))
}

fn fits(value: &Value, column: &ColumnType) -> bool {
    matches!(
        (value, column),
        (
            Value::ChronoDateTimeUtc(_),
            ColumnType::TimestampWithTimeZone | ColumnType::Timestamp | ColumnType::DateTime
        ) | (Value::ChronoDate(_), ColumnType::Date)
            | (Value::Int(_), ColumnType::Integer)
            | (Value::BigInt(_), ColumnType::BigInteger)
            | (Value::String(_), ColumnType::String(_) | ColumnType::Text)
            | (Value::Uuid(_), ColumnType::Uuid)
    )
}

/// Reads a cursor that was written for `column`.
pub fn read(cursor: &str, column: &str) -> Option<(Value, Value)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (name, rest) = text.split_once('\n')?;
    let (value, id) = rest.rsplit_once('\n')?;
    if name != column {
        return None;
    }
    let mut chars = value.chars();
    let tag = chars.next()?;
    let value = chars.as_str();
    let value: Value = match tag {
        't' => value.parse::<DateTime<Utc>>().ok().filter(|at| YEARS.contains(&at.year()))?.into(),
        'd' => value.parse::<NaiveDate>().ok().filter(|on| YEARS.contains(&on.year()))?.into(),
        'i' => value.parse::<i32>().ok()?.into(),
        'l' => value.parse::<i64>().ok()?.into(),
        's' if !value.contains('\0') => value.to_owned().into(),
        'u' => Uuid::parse_str(value).ok()?.into(),
        _ => return None,
    };
    Some((value, Uuid::parse_str(id).ok()?.into()))
}
