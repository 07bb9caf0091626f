//! Objects that a list's rows point to, read in the list's own statement: joined where the selection asks for them, so that
//! no second statement follows. What is seen along is seen anyway: the caller sees the row that names it.

use std::collections::HashSet;

use concord_entities::{account, alliance, organization, region, task_list};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, IdenStatic, JoinType, QueryResult, QuerySelect, QueryTrait, Select,
    sea_query::{Alias, Expr, IntoIden},
};
use uuid::Uuid;

use super::needs::Chosen;
use crate::domain::{Ctx, Result, identity};

/// What can be read along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Account,
    Alliance,
    Organization,
    Region,
    TaskList,
}

/// A column that points to an object which is to be read along.
#[derive(Clone, Copy, Debug)]
pub struct Along<C> {
    pub kind: Kind,
    pub by: C,
}

/// What was read along, each object once.
#[derive(Clone, Debug, Default)]
pub struct Related {
    /// People, and whether the caller sees them by full name.
    pub accounts: Vec<(account::Model, bool)>,
    pub alliances: Vec<alliance::Model>,
    pub organizations: Vec<organization::Model>,
    pub regions: Vec<region::Model>,
    pub task_lists: Vec<task_list::Model>,
    seen: HashSet<(Kind, Uuid)>,
}

/// Names of the columns of a list with what is read along.
pub(super) fn names<E: EntityTrait>(
    ctx: &Ctx,
    chosen: &Chosen<E>,
    along: &[Along<E::Column>],
) -> impl Iterator<Item = String> {
    let along = along.iter().enumerate().flat_map(|(place, Along { kind, .. })| {
        let names = match kind {
            Kind::Account => {
                let mut names = own(&chosen_of::<account::Entity>(ctx, account::Column::Id));
                names.push(CLEAR);
                names
            }
            Kind::Alliance => own(&chosen_of::<alliance::Entity>(ctx, alliance::Column::Id)),
            Kind::Organization => own(&chosen_of::<organization::Entity>(ctx, organization::Column::Id)),
            Kind::Region => own(&chosen_of::<region::Entity>(ctx, region::Column::Id)),
            Kind::TaskList => own(&chosen_of::<task_list::Entity>(ctx, task_list::Column::Id)),
        };
        names.into_iter().map(move |name| format!("{}{name}", prefix(place)))
    });
    own(chosen).into_iter().map(str::to_owned).chain(along.collect::<Vec<_>>())
}

fn own<E: EntityTrait>(chosen: &Chosen<E>) -> Vec<&'static str> {
    chosen.columns().iter().map(IdenStatic::as_str).collect()
}

fn chosen_of<E: EntityTrait>(ctx: &Ctx, id: E::Column) -> Chosen<E> {
    Chosen::of(ctx, [id])
}

/// Whether the caller sees a person by full name, beside the person's columns.
const CLEAR: &str = "is_clear";

fn prefix(place: usize) -> String {
    format!("along{place}_")
}

/// Joins what is to be read along; a row that points to nothing stays.
pub(super) fn join<E: EntityTrait>(
    ctx: &Ctx,
    mut select: Select<E>,
    along: &[Along<E::Column>],
) -> Select<E> {
    for (place, Along { kind, by }) in along.iter().enumerate() {
        select = match kind {
            Kind::Account => {
                let table = Alias::new(prefix(place)).into_iden();
                let clear = identity::account::is_clear(ctx, Expr::col((table, account::Column::Id)));
                let clear = Expr::case(clear, 1).finally(0);
                join_one::<E, account::Entity>(ctx, select, place, *by, account::Column::Id)
                    .expr_as(clear, format!("{}{CLEAR}", prefix(place)))
            }
            Kind::Alliance => join_one::<E, alliance::Entity>(ctx, select, place, *by, alliance::Column::Id),
            Kind::Organization => {
                join_one::<E, organization::Entity>(ctx, select, place, *by, organization::Column::Id)
            }
            Kind::Region => join_one::<E, region::Entity>(ctx, select, place, *by, region::Column::Id),
            Kind::TaskList => {
                join_one::<E, task_list::Entity>(ctx, select, place, *by, task_list::Column::Id)
            }
        };
    }
    select
}

fn join_one<E: EntityTrait, R: EntityTrait>(
    ctx: &Ctx,
    mut select: Select<E>,
    place: usize,
    by: E::Column,
    id: R::Column,
) -> Select<E> {
    let table = Alias::new(prefix(place)).into_iden();
    let on = Expr::col((table.clone(), id)).eq(Expr::col((E::default(), by)));
    QueryTrait::query(&mut select).join_as(JoinType::LeftJoin, R::default(), table.clone(), on);
    for column in chosen_of::<R>(ctx, id).columns() {
        let name = format!("{}{}", prefix(place), column.as_str());
        let expr = column.select_as(Expr::col((table.clone(), column)));
        select = select.expr_as(expr, name);
    }
    select
}

impl Related {
    /// Takes what one row brought along.
    pub(super) fn read<C: Copy>(
        &mut self,
        ctx: &Ctx,
        row: &QueryResult,
        list: &str,
        along: &[Along<C>],
    ) -> Result<()> {
        for (place, Along { kind, .. }) in along.iter().enumerate() {
            let prefix = format!("{list}{}", prefix(place));
            let Some(id) = row.try_get::<Option<Uuid>>(&prefix, "id")? else { continue };
            if !self.seen.insert((*kind, id)) {
                continue;
            }
            match kind {
                Kind::Account => {
                    let clear = row.try_get::<i32>(&prefix, CLEAR)? == 1;
                    let person = chosen_of::<account::Entity>(ctx, account::Column::Id).read(row, &prefix)?;
                    self.accounts.push((person, clear));
                }
                Kind::Alliance => {
                    let chosen = chosen_of::<alliance::Entity>(ctx, alliance::Column::Id);
                    self.alliances.push(chosen.read(row, &prefix)?);
                }
                Kind::Organization => {
                    let chosen = chosen_of::<organization::Entity>(ctx, organization::Column::Id);
                    self.organizations.push(chosen.read(row, &prefix)?);
                }
                Kind::Region => {
                    let chosen = chosen_of::<region::Entity>(ctx, region::Column::Id);
                    self.regions.push(chosen.read(row, &prefix)?);
                }
                Kind::TaskList => {
                    let chosen = chosen_of::<task_list::Entity>(ctx, task_list::Column::Id);
                    self.task_lists.push(chosen.read(row, &prefix)?);
                }
            }
        }
        Ok(())
    }
}
