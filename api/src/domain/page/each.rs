//! The same list of many parents in one statement: of each parent the page that the arguments ask for.

use std::{collections::HashMap, fmt::Write};

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, ExprTrait, IdenStatic, IntoSimpleExpr, JoinType,
    ModelTrait, QueryResult, QueryTrait, Value,
    sea_query::{Alias, ArrayType, Asterisk, Condition, Expr, Func, Query, SimpleExpr},
};
use uuid::Uuid;

use super::{
    List, PLACE, Page, Whole,
    along::{self, Places},
    assemble, bound, kept, keys,
    needs::{Chosen, Layout},
    numbered, own, page, window,
};
use crate::domain::{Ctx, Error, Result};

/// Reads of each of `parents` one page of its list.
pub async fn fetch_each<E>(ctx: &Ctx, list: List<E>, parents: &[Uuid]) -> Result<HashMap<Uuid, Page<E>>>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E> + Send + Sync,
{
    let List { by, id, select, order, args, along } = list;
    let window = window(&args)?;
    let all = kept(ctx, &select);
    let [row, parent, place] = ["row_of", "parent", PLACE].map(Alias::new);
    let chosen = Chosen::of(ctx, own(order, id, &along).chain([by]));
    let mut query = along::join(ctx, chosen.narrow(select), &along).into_query();
    bound(&mut query, order, id, &args)?;
    let lateral = ctx.app.backend() == DbBackend::Postgres;
    numbered(&mut query, order, id, window, (!lateral).then(|| by.into_simple_expr()));
    let mut outer = Query::select();
    outer.column((row.clone(), Asterisk));
    if lateral {
        query.and_where(by.into_simple_expr().eq(Expr::col(parent.clone())));
        for key in keys(order, id) {
            query.order_by_expr(key, window.direction(order));
        }
        query.limit(window.limit + 1);
        let parents = Func::cust("UNNEST").arg(array(parents.iter().copied()));
        let on = Condition::all();
        outer.from_function(parents, parent).join_lateral(JoinType::InnerJoin, query, row, on);
    } else {
        query.and_where(among(ctx, by, parents.iter().copied()));
        outer.from_subquery(query, row.clone()).and_where(Expr::col((row, place)).lte(window.limit + 1));
    }
    let rows = ctx.read().query_all(&outer).await?;
    let mut lists: HashMap<Uuid, Vec<(i64, &QueryResult)>> =
        parents.iter().map(|parent| (*parent, Vec::new())).collect();
    let whole = |parent| Whole { select: all.clone(), of: Some((by, parent)) };
    let Some(first) = rows.first() else {
        let none = |parent| (parent, assemble(ctx, Vec::new(), whole(parent), order, id, (window, &args)));
        return Ok(lists.into_keys().map(none).collect());
    };
    let layout = Layout::of(first);
    let reads = (Places::of(ctx, &layout, "", &along)?, chosen.placed(&layout, "")?);
    let [parent, place] = [layout.place("", by.as_str())?, layout.place("", PLACE)?];
    for row in &rows {
        let list = lists.get_mut(&row.try_get_by_index(parent)?);
        let list = list.ok_or_else(|| Error::internal("a row of another parent"))?;
        list.push((row.try_get_by_index(place)?, row));
    }
    lists
        .into_iter()
        .map(|(parent, mut list)| {
            list.sort_unstable_by_key(|(place, _)| *place);
            let rows = list.into_iter().map(|(_, row)| row);
            Ok((parent, page(ctx, rows, whole(parent), order, id, (window, &args), &reads)?))
        })
        .collect()
}

/// A condition that holds where the column has one of many values: one text, however many there are, so that it stays
/// prepared.
pub fn among<C, I>(ctx: &Ctx, column: C, ids: I) -> SimpleExpr
where
    C: ColumnTrait,
    I: IntoIterator<Item: Into<Uuid>>,
{
    let ids = ids.into_iter().map(Into::into);
    if ctx.app.backend() == DbBackend::Postgres {
        return column.into_simple_expr().eq(Func::cust("ANY").arg(array(ids)));
    }
    let mut listed = String::from("[");
    for id in ids {
        let comma = if listed.len() > 1 { "," } else { "" };
        let _ = write!(listed, "{comma}\"{}\"", id.simple());
    }
    listed.push(']');
    column.into_simple_expr().in_subquery(
        Query::select()
            .expr(Expr::cust("UNHEX(value)"))
            .from_function(Func::cust("JSON_EACH").arg(listed), Alias::new("listed"))
            .to_owned(),
    )
}

fn array(ids: impl Iterator<Item = Uuid>) -> Value {
    Value::Array(ArrayType::Uuid, Some(Box::new(ids.map(Value::from).collect())))
}
