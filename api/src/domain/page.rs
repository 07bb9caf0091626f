//! One way to read a list: a keyset window over (sort key, id), forward or backward, with the count as a query of its own
//! that runs only when somebody asks.

mod along;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use sea_orm::{
    ColumnTrait, ColumnType, ConnectionTrait, EntityTrait, ExprTrait, FromQueryResult, IdenStatic,
    IntoSimpleExpr, ModelTrait, PaginatorTrait, QuerySelect, QueryTrait, Select, Value,
    sea_query::{Expr, Func, SimpleExpr},
};
use uuid::Uuid;

pub use self::along::{Along, Kind, Related};

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
pub struct Page<E: EntityTrait> {
    pub items: Vec<(String, E::Model)>,
    pub has_next: bool,
    pub has_previous: bool,
    pub all: Select<E>,
    /// What was read along.
    pub related: Related,
}

/// How many items a page wants, and from which end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub limit: u64,
    pub backward: bool,
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
    fetch_along(ctx, select, order, id, args, &[]).await
}

/// Reads one page of `select`, and in the same statement the objects that its rows point to.
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
    let Window { limit, backward } = window(args)?;
    let all = select.clone();
    let mut query = along::join(select, along).into_query();
    let place = || Expr::tuple([key(order.column), id.into_simple_expr()]);
    let bound = |(value, id): (Value, Value)| Expr::tuple([Expr::value(value), Expr::value(id)]);
    if let Some(after) = &args.after {
        let bound = bound(decode(after, order, "after")?);
        query.and_where(if order.descending { place().lt(bound) } else { place().gt(bound) });
    }
    if let Some(before) = &args.before {
        let bound = bound(decode(before, order, "before")?);
        query.and_where(if order.descending { place().gt(bound) } else { place().lt(bound) });
    }
    let direction = if order.descending == backward {
        sea_orm::sea_query::Order::Asc
    } else {
        sea_orm::sea_query::Order::Desc
    };
    query
        .order_by_expr(key(order.column), direction.clone())
        .order_by_expr(id.into_simple_expr(), direction)
        .limit(limit + 1);
    let rows = ctx.read().query_all(&query).await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    let mut related = Related::default();
    let mut items = Vec::with_capacity(rows.len().min(limit));
    for row in rows.iter().take(limit) {
        let model = E::Model::from_query_result(row, "")?;
        related.read(row, along)?;
        items.push((encode(&model, order, id), model));
    }
    if backward {
        items.reverse();
    }
    Ok(Page {
        items,
        related,
        has_next: if backward { args.before.is_some() } else { more },
        has_previous: if backward { more } else { args.after.is_some() },
        all,
    })
}

/// Counts a whole list.
pub async fn count<E>(db: &impl ConnectionTrait, all: Select<E>) -> Result<u64>
where
    E: EntityTrait,
    E::Model: Send + Sync,
    Select<E>: QuerySelect,
{
    Ok(all.count(db).await?)
}

/// What rows are sorted by: the column, with the last day in place of a date that is missing.
fn key<C: ColumnTrait>(column: C) -> SimpleExpr {
    let column_expr = column.into_simple_expr();
    if may_lack_date(column) {
        Func::coalesce([column_expr, Expr::value(LAST_DAY)]).into()
    } else {
        column_expr
    }
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
