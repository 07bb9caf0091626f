//! Objects that a list's rows point to, read in the list's own statement: joined where the selection asks for them, so that
//! no second statement follows. What is seen along is seen anyway: the caller sees the row that names it.

use std::collections::HashSet;

use concord_entities::{account, alliance, organization, region, task_list};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, IdenStatic, JoinType, QueryResult, QuerySelect, QueryTrait, Select,
    sea_query::{Alias, Expr, IntoIden},
};
use uuid::Uuid;

use super::needs::{Chosen, Layout, Placed};
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
                let clear = Expr::case(clear, Expr::Constant(1.into())).finally(Expr::Constant(0.into()));
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

/// What comes along, where it stands in the rows of a statement: of each the place of its id.
pub(super) struct Places(Vec<(Kind, usize, Object)>);

enum Object {
    /// And whether the caller sees the person by full name.
    Account(Placed<account::Entity>, usize),
    Alliance(Placed<alliance::Entity>),
    Organization(Placed<organization::Entity>),
    Region(Placed<region::Entity>),
    TaskList(Placed<task_list::Entity>),
}

impl Places {
    /// Finds them in the rows of a list whose names stand behind a prefix.
    pub(super) fn of<C>(ctx: &Ctx, layout: &Layout, list: &str, along: &[Along<C>]) -> Result<Self> {
        let found = along.iter().enumerate().map(|(place, Along { kind, .. })| {
            let prefix = format!("{list}{}", prefix(place));
            let object = match kind {
                Kind::Account => {
                    let chosen = chosen_of::<account::Entity>(ctx, account::Column::Id);
                    Object::Account(chosen.placed(layout, &prefix)?, layout.place(&prefix, CLEAR)?)
                }
                Kind::Alliance => {
                    let chosen = chosen_of::<alliance::Entity>(ctx, alliance::Column::Id);
                    Object::Alliance(chosen.placed(layout, &prefix)?)
                }
                Kind::Organization => {
                    let chosen = chosen_of::<organization::Entity>(ctx, organization::Column::Id);
                    Object::Organization(chosen.placed(layout, &prefix)?)
                }
                Kind::Region => {
                    let chosen = chosen_of::<region::Entity>(ctx, region::Column::Id);
                    Object::Region(chosen.placed(layout, &prefix)?)
                }
                Kind::TaskList => {
                    let chosen = chosen_of::<task_list::Entity>(ctx, task_list::Column::Id);
                    Object::TaskList(chosen.placed(layout, &prefix)?)
                }
            };
            Ok((*kind, layout.place(&prefix, "id")?, object))
        });
        Ok(Self(found.collect::<Result<_>>()?))
    }
}

impl Related {
    /// Takes what one row brought along.
    pub(super) fn read(&mut self, row: &QueryResult, places: &Places) -> Result<()> {
        for (kind, id, object) in &places.0 {
            let Some(id) = row.try_get_by_index::<Option<Uuid>>(*id)? else { continue };
            if !self.seen.insert((*kind, id)) {
                continue;
            }
            match object {
                Object::Account(placed, clear) => {
                    let clear = row.try_get_by_index::<i32>(*clear)? == 1;
                    self.accounts.push((placed.read(row)?, clear));
                }
                Object::Alliance(placed) => self.alliances.push(placed.read(row)?),
                Object::Organization(placed) => self.organizations.push(placed.read(row)?),
                Object::Region(placed) => self.regions.push(placed.read(row)?),
                Object::TaskList(placed) => self.task_lists.push(placed.read(row)?),
            }
        }
        Ok(())
    }
}
