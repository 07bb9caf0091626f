//! How far an order is seen. Whoever reads its alliance sees the whole of it. Whoever reads an alliance below it that
//! it reaches sees what concerns the territory of that one: what lies outside does not exist for them.

use concord_entities::{
    account, alliance, alliance_closure,
    id::{AccountId, AllianceId, MobilizationId},
    mobilization::{self, State},
    mobilization_region, region, seat,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, ExprTrait, FromQueryResult,
    IntoSimpleExpr, JoinType, Order, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Alias, Expr, Func, IntoIden, Query, SelectStatement, SimpleExpr},
};

use crate::domain::{
    Ctx, Result, Tx,
    list::task_list::drafts_of,
    scope::{self, Reach},
};

/// Names under which the tables of a reach stand beside those of the statement that asks.
const ORDERED: &str = "ordered";
const REACHED: &str = "reached";
const TERRITORY: &str = "reached_territory";
const PLACE: &str = "reached_place";

/// States of an order that others than those who write it see.
const TOLD: [State; 2] = [State::Issued, State::StoodDown];

fn of(table: &'static str, column: impl IntoIden) -> Expr {
    Expr::col((Alias::new(table), column))
}

/// Holds where a path is that of a place or of something that lies in it.
fn lies_in(path: SimpleExpr, place: SimpleExpr) -> SimpleExpr {
    let length = Func::cust("LENGTH").arg(place.clone());
    let head: SimpleExpr = Func::cust("SUBSTR").arg(path).arg(1).arg(length).into();
    head.eq(place)
}

/// What of orders the caller sees whole: those of the alliances they read; of drafts, those that they write or approve.
pub fn whole(ctx: &Ctx) -> Condition {
    use mobilization::Column;
    scope::in_alliances(ctx, Column::AllianceId)
        .add(Condition::any().add(Column::State.is_in(TOLD)).add(drafts_of(ctx, Column::AllianceId)))
}

/// The identifiers of those, as a subquery of whatever hangs on them.
pub fn whole_ids(ctx: &Ctx) -> SelectStatement {
    mobilization::Entity::find()
        .select_only()
        .column(mobilization::Column::Id)
        .filter(whole(ctx))
        .into_query()
}

/// What of orders the caller sees, whole or in part.
pub fn seen(ctx: &Ctx) -> Condition {
    let Some(read) = read(ctx) else { return whole(ctx) };
    let of_it =
        of(ORDERED, mobilization::Column::Id).equals((mobilization::Entity, mobilization::Column::Id));
    let reached = reaching().expr(Expr::val(1)).and_where(of_it).cond_where(read).take();
    Condition::any().add(whole(ctx)).add(Expr::exists(reached))
}

/// What of rows that belong to orders and to places the caller sees: all of an order that they see whole, of another those within the
/// territories that it reaches.
pub fn placed(ctx: &Ctx, order: impl IntoSimpleExpr, place: impl IntoSimpleExpr) -> Condition {
    let order = order.into_simple_expr();
    let all = Condition::any().add(order.clone().in_subquery(whole_ids(ctx)));
    match read(ctx) {
        Some(read) => all.add(under(order, place, read)),
        None => all,
    }
}

/// The same of regions over which orders stand: of an order seen in part, those that hold a territory that is seen, or lie in one.
pub fn over(ctx: &Ctx, order: impl IntoSimpleExpr, path: impl IntoSimpleExpr) -> Condition {
    let (order, path) = (order.into_simple_expr(), path.into_simple_expr());
    let all = Condition::any().add(order.clone().in_subquery(whole_ids(ctx)));
    let Some(read) = read(ctx) else { return all };
    let territory = || SimpleExpr::from(of(TERRITORY, region::Column::Path));
    let reached = reaching()
        .expr(Expr::val(1))
        .and_where(of(ORDERED, mobilization::Column::Id).eq(order))
        .and_where(lies_in(path.clone(), territory()).or(lies_in(territory(), path)))
        .cond_where(read)
        .take();
    all.add(Expr::exists(reached))
}

/// The alliance that an order reaches, for conditions of `under`.
pub fn reached_alliance() -> SimpleExpr {
    of(REACHED, alliance::Column::Id)
}

/// Holds for rows of an order and a place where the order reaches an alliance of these, in whose territory the place lies.
pub fn under(order: impl IntoSimpleExpr, place: impl IntoSimpleExpr, of_these: Condition) -> SimpleExpr {
    let at = of(PLACE, region::Column::Id).eq(place.into_simple_expr());
    let within = reaching()
        .expr(Expr::val(1))
        .join_as(JoinType::InnerJoin, region::Entity, Alias::new(PLACE), at)
        .and_where(of(ORDERED, mobilization::Column::Id).eq(order.into_simple_expr()))
        .and_where(lies_in(of(PLACE, region::Column::Path), of(TERRITORY, region::Column::Path)))
        .cond_where(of_these)
        .take();
    Expr::exists(within)
}

/// Holds for reached alliances that the caller reads; nothing for whoever reads all, or none.
fn read(ctx: &Ctx) -> Option<Condition> {
    match scope::alliances(ctx) {
        Reach::All | Reach::None => None,
        Reach::Of(select) => Some(Condition::all().add(reached_alliance().in_subquery(*select))),
    }
}

/// Issued orders with the other alliances that they reach.
fn reaching() -> SelectStatement {
    reaching_ever().and_where(of(ORDERED, mobilization::Column::State).is_in(TOLD)).take()
}

/// Orders in whatever state with the other alliances that they reach: those below the order's own whose territory lies within one of the
/// order's regions, or holds one. An alliance beside the tree keeps to itself, whatever its territory.
fn reaching_ever() -> SelectStatement {
    let path = |table| of(table, region::Column::Path);
    let top = || Expr::col((mobilization_region::Entity, mobilization_region::Column::Path));
    let below = Query::select()
        .expr(Expr::val(1))
        .from(alliance_closure::Entity)
        .and_where(
            Expr::col((alliance_closure::Entity, alliance_closure::Column::AncestorId))
                .equals((Alias::new(ORDERED), mobilization::Column::AllianceId)),
        )
        .and_where(
            Expr::col((alliance_closure::Entity, alliance_closure::Column::DescendantId))
                .equals((Alias::new(REACHED), alliance::Column::Id)),
        )
        .take();
    Query::select()
        .from_as(mobilization::Entity, Alias::new(ORDERED))
        .inner_join(
            mobilization_region::Entity,
            Expr::col((mobilization_region::Entity, mobilization_region::Column::MobilizationId))
                .equals((Alias::new(ORDERED), mobilization::Column::Id)),
        )
        .join_as(
            JoinType::InnerJoin,
            alliance::Entity,
            Alias::new(REACHED),
            of(REACHED, alliance::Column::Id)
                .not_equals((Alias::new(ORDERED), mobilization::Column::AllianceId)),
        )
        .join_as(
            JoinType::InnerJoin,
            region::Entity,
            Alias::new(TERRITORY),
            of(TERRITORY, region::Column::Id).equals((Alias::new(REACHED), alliance::Column::RegionId)),
        )
        .and_where(Expr::exists(below))
        .and_where(lies_in(path(TERRITORY), top()).or(lies_in(top(), path(TERRITORY))))
        .take()
}

/// The other alliances that an order reaches, or would reach once it is issued; that never changes with the order.
pub async fn reached(ctx: &Ctx, order: MobilizationId) -> Result<Vec<AllianceId>> {
    let query = reaching_ever()
        .distinct()
        .expr(reached_alliance())
        .and_where(of(ORDERED, mobilization::Column::Id).eq(order))
        .take();
    let rows = ctx.read().query_all(&query).await?;
    rows.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect()
}

/// How much of an order somebody sees.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Within {
    /// All of it.
    #[default]
    Everything,
    /// What lies in these territories, each told by its path.
    Territories(Vec<String>),
}

impl Within {
    /// How much of an order the caller sees; nothing where they see none of it.
    pub async fn of(ctx: &Ctx, order: MobilizationId) -> Result<Option<Self>> {
        let all = mobilization::Entity::find()
            .select_only()
            .column(mobilization::Column::Id)
            .filter(mobilization::Column::Id.eq(order))
            .filter(whole(ctx));
        if all.into_tuple::<MobilizationId>().one(ctx.read()).await?.is_some() {
            return Ok(Some(Self::Everything));
        }
        let Some(read) = read(ctx) else { return Ok(None) };
        let paths = reaching()
            .distinct()
            .cond_where(read)
            .expr(of(TERRITORY, region::Column::Path))
            .and_where(of(ORDERED, mobilization::Column::Id).eq(order))
            .order_by((Alias::new(TERRITORY), region::Column::Path), Order::Asc)
            .take();
        let rows = ctx.read().query_all(&paths).await?;
        let mut tops: Vec<String> = Vec::new();
        for row in rows {
            let path: String = row.try_get_by_index(0)?;
            // What lies in a territory that is seen is seen with it.
            if tops.last().is_none_or(|above| !path.starts_with(above.as_str())) {
                tops.push(path);
            }
        }
        Ok((!tops.is_empty()).then_some(Self::Territories(tops)))
    }

    /// Whether a place is seen.
    pub fn holds(&self, path: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Territories(tops) => tops.iter().any(|top| path.starts_with(top.as_str())),
        }
    }

    /// The nearest place in which all that is seen lies, not above `territory`.
    pub fn top<'path>(&'path self, territory: &'path str) -> &'path str {
        match self {
            Self::Everything => territory,
            Self::Territories(tops) => tops
                .iter()
                .fold(None, |common: Option<&str>, top| {
                    Some(common.map_or(top.as_str(), |common| shared(common, top)))
                })
                .unwrap_or(territory),
        }
    }
}

/// What two paths have in common, up to a whole step.
fn shared<'path>(one: &'path str, other: &str) -> &'path str {
    let same = one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
    let end = one.get(..same).and_then(|head| head.rfind('/')).map_or(0, |at| at + 1);
    one.get(..end).unwrap_or_default()
}

/// A seat that counts for what is done under an order.
#[derive(Clone, Debug)]
pub struct Sitting {
    pub seat: seat::Model,
    /// The path of the community that it is for.
    pub community: Option<String>,
    /// Of a seat in an alliance that the order reaches, the path of that one's territory, which it does not leave.
    pub territory: Option<String>,
}

/// The caller's active seats in an order's alliance and in those that it reaches. The statement also takes a turn with the order
/// (`turn`), so that its state, read next, stays until the unit of work ends.
pub async fn sittings(tx: &Tx<'_>, of_order: MobilizationId, account: AccountId) -> Result<Vec<Sitting>> {
    use seat::Column as Seat;
    let own = Query::select()
        .column((mobilization::Entity, mobilization::Column::AllianceId))
        .from(mobilization::Entity)
        .and_where(Expr::col((mobilization::Entity, mobilization::Column::Id)).eq(of_order))
        .take();
    let reached = || {
        reaching()
            .and_where(of(ORDERED, mobilization::Column::Id).eq(of_order))
            .and_where(of(REACHED, alliance::Column::Id).equals((seat::Entity, Seat::AllianceId)))
            .limit(1)
            .take()
    };
    let territory = reached().expr(of(TERRITORY, region::Column::Path)).take();
    let counts = Condition::any()
        .add(Seat::AllianceId.in_subquery(own))
        .add(Expr::exists(reached().expr(Expr::val(1)).take()));
    let mut query = seat::Entity::find()
        .inner_join(account::Entity)
        .left_join(region::Entity)
        .expr_as(Expr::col((region::Entity, region::Column::Path)), "community")
        .expr_as(SimpleExpr::SubQuery(None, Box::new(territory.into())), "territory")
        .filter(account::Column::State.eq(account::State::Active))
        .filter(Seat::AccountId.eq(account))
        .filter(Seat::State.eq(seat::State::Active))
        .filter(counts)
        .into_query();
    if let Some(turn) = turn(&tx.db, of_order, Turn::Shared) {
        query.expr_as(turn, Alias::new("turn"));
    }
    let rows = tx.db.query_all(&query).await?;
    rows.iter()
        .map(|row| {
            Ok(Sitting {
                seat: seat::Model::from_query_result(row, "")?,
                community: row.try_get("", "community")?,
                territory: row.try_get("", "territory")?,
            })
        })
        .collect()
}

/// How a unit of work takes its turn with an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Beside others: whoever checks people in.
    Shared,
    /// Alone: whoever stands it down. Those who came before are waited for, those who come after wait.
    Alone,
}

/// What takes a turn with an order until the unit of work ends, as part of a statement; nothing on SQLite, which has one writer at a
/// time. It is no lock of the row: those who share one let others in beside them, and whoever waits to be alone might wait for ever.
pub fn turn(db: &impl ConnectionTrait, of_order: MobilizationId, turn: Turn) -> Option<SimpleExpr> {
    if db.get_database_backend() == DbBackend::Sqlite {
        return None;
    }
    let name = match turn {
        Turn::Shared => "pg_advisory_xact_lock_shared",
        Turn::Alone => "pg_advisory_xact_lock",
    };
    // Half of an identifier: orders that share it would only wait for each other.
    let (_, half) = of_order.0.as_u64_pair();
    Some(Func::cust(name).arg(half.cast_signed()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(paths: &[&str]) -> Within {
        Within::Territories(paths.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_lies_in_a_territory_is_seen_and_nothing_beside_it() {
        let towns = within(&["/23/2308/230803/230803001/", "/23/2308/230803/230803002/"]);
        assert!(
            towns.holds("/23/2308/230803/230803001/230803001001/")
                && towns.holds("/23/2308/230803/230803002/")
        );
        assert!(!towns.holds("/23/2308/230803/") && !towns.holds("/23/2308/230803/230803003/"));
        assert!(Within::Everything.holds("/23/"));
    }

    #[test]
    fn the_top_is_what_all_that_is_seen_has_in_common() {
        let city = "/23/2308/";
        assert_eq!(Within::Everything.top(city), city);
        assert_eq!(within(&["/23/2308/230803/230803001/"]).top(city), "/23/2308/230803/230803001/");
        let towns = within(&["/23/2308/230803/230803001/", "/23/2308/230803/230803012/"]);
        assert_eq!(towns.top(city), "/23/2308/230803/");
        let counties = within(&["/23/2308/230803/230803001/", "/23/2308/230804/"]);
        assert_eq!(counties.top(city), city);
    }
}
