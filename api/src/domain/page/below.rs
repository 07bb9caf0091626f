//! Lists below an object, and below their own rows, in the object's own statement (PostgreSQL): one LATERAL join for each
//! level. Lists that stand side by side are zipped by number, so that none multiplies another.

use std::{
    any::Any,
    collections::{HashMap, HashSet},
    sync::Arc,
};

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, IdenStatic, JoinType, ModelTrait,
    QueryResult, QueryTrait, Select,
    sea_query::{Alias, Asterisk, DynIden, Expr, Func, IntoIden, Query, SelectStatement, SimpleExpr},
};
use uuid::Uuid;

use super::{
    Along, Args, Order, PLACE, Page, Related, Whole, Window,
    along::{self, Places},
    assemble, bound, kept, keys,
    needs::{Chosen, Layout, Placed},
    numbered, own, sorted, window,
};
use crate::domain::{Ctx, Error, Result};

/// A list below other rows: the column that names the parent, what is in the list and in which order, and the part of it
/// that is wanted.
pub struct List<E: EntityTrait> {
    pub by: E::Column,
    pub id: E::Column,
    pub select: Select<E>,
    pub order: Order<E::Column>,
    pub args: Args,
    pub along: Vec<Along<E::Column>>,
}

impl<E: EntityTrait> List<E> {
    /// A list that reads nothing along.
    pub fn new(
        by: E::Column,
        id: E::Column,
        (select, order): (Select<E>, Order<E::Column>),
        args: &Args,
    ) -> Self {
        Self { by, id, select, order, args: args.clone(), along: Vec::new() }
    }
}

/// A list that is read below the rows of another, whatever it lists.
pub trait Below: Send {
    /// The list as a source of a statement; `parent` is the column there that its rows name. Where it stands beside others
    /// its rows have numbers, else the statement is to be sorted by `order`.
    fn source(
        &mut self,
        ctx: &Ctx,
        parent: SimpleExpr,
        prefix: &str,
        is_numbered: bool,
    ) -> Result<SelectStatement>;

    /// Sorts the statement by what its rows are not numbered by.
    fn order(&self, statement: &mut SelectStatement);

    /// Whether nothing is read below its rows.
    fn is_leaf(&self) -> bool;

    /// Finds its columns in the rows of the statement.
    fn locate(&mut self, ctx: &Ctx, layout: &Layout) -> Result<()>;

    /// Takes what a row of the statement has of the list of one parent.
    fn read(&mut self, row: &QueryResult, parent: Uuid) -> Result<()>;

    /// Hands out what was read: by field and parent a `Page<E>`, and what came along.
    fn finish(self: Box<Self>, ctx: &Ctx, give: &mut Given) -> Result<()>;
}

/// What was read below an object, until the fields that ask for it come.
#[derive(Default)]
pub struct Given {
    pub pages: HashMap<(usize, Uuid), Box<dyn Any + Send>>,
    pub related: Vec<Related>,
}

/// A list and what is below its rows.
pub struct Branch<E: EntityTrait> {
    /// What tells its field from the others of the request.
    field: usize,
    by: E::Column,
    id: E::Column,
    order: Order<E::Column>,
    args: Args,
    along: Vec<Along<E::Column>>,
    /// What is in it, until its statement is made.
    select: Option<Select<E>>,
    /// The same, to be counted.
    whole: Option<Arc<Select<E>>>,
    window: Window,
    children: Vec<Child>,
    chosen: Chosen<E>,
    prefix: String,
    is_numbered: bool,
    places: Option<Located<E>>,
    rows: HashMap<Uuid, Vec<(i64, E::Model)>>,
    seen: HashSet<(Uuid, Uuid)>,
    related: Related,
}

/// Where a list stands in the rows of the statement.
struct Located<E: EntityTrait> {
    id: usize,
    /// The number of a row, where rows have numbers.
    number: Option<usize>,
    row: Placed<E>,
    along: Places,
}

/// A list below the rows of another, and the column of those rows that its own rows name.
pub struct Child {
    parent: &'static str,
    below: Box<dyn Below>,
    /// Where that column stands in the rows of the statement.
    place: usize,
}

impl Child {
    pub fn new(parent: &'static str, below: Box<dyn Below>) -> Self {
        Self { parent, below, place: 0 }
    }

    fn locate(&mut self, ctx: &Ctx, layout: &Layout, prefix: &str) -> Result<()> {
        self.place = layout.place(prefix, self.parent)?;
        self.below.locate(ctx, layout)
    }
}

impl<E: EntityTrait> Branch<E> {
    /// Plans to read `list`, for the field told, with the lists below its rows.
    pub fn new(field: usize, list: List<E>, children: Vec<Child>) -> Result<Self> {
        let List { by, id, select, order, args, along } = list;
        let window = window(&args)?;
        // What is wrong with one list is told by its own field, not by the statement that reads all.
        bound(&mut Query::select(), order, id, &args)?;
        Ok(Self {
            field,
            by,
            id,
            order,
            args,
            along,
            select: Some(select),
            whole: None,
            window,
            children,
            chosen: Chosen::all(),
            prefix: String::new(),
            is_numbered: false,
            places: None,
            rows: HashMap::new(),
            seen: HashSet::new(),
            related: Related::default(),
        })
    }
}

impl<E> Below for Branch<E>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E> + Send + Sync + 'static,
{
    fn source(
        &mut self,
        ctx: &Ctx,
        parent: SimpleExpr,
        prefix: &str,
        is_numbered: bool,
    ) -> Result<SelectStatement> {
        self.is_numbered = is_numbered;
        prefix.clone_into(&mut self.prefix);
        let select = self.select.take().ok_or_else(|| Error::internal("a list that was read before"))?;
        self.whole = kept(ctx, &select);
        let Self { by, id, order, ref args, ref along, .. } = *self;
        self.chosen = Chosen::of(ctx, own(order, id, along));
        let mut inner = along::join(ctx, self.chosen.narrow(select), along).into_query();
        bound(&mut inner, order, id, args)?;
        inner.and_where(by.into_expr().eq(parent));
        if is_numbered {
            numbered(&mut inner, order, id, self.window, None);
        }
        for key in keys(order, id) {
            inner.order_by_expr(key, self.window.direction(order));
        }
        inner.limit(self.window.limit + 1);
        let table = Alias::new(format!("{prefix}row")).into_iden();
        let mut outer = Query::select();
        for name in along::names(ctx, &self.chosen, along).chain(is_numbered.then(|| PLACE.to_owned())) {
            outer.expr_as(
                Expr::col((table.clone(), Alias::new(&name))),
                Alias::new(format!("{prefix}{name}")),
            );
        }
        outer.from_subquery(inner, table.clone());
        join(ctx, &mut outer, table, &mut self.children, prefix, is_numbered)?;
        Ok(outer)
    }

    fn order(&self, statement: &mut SelectStatement) {
        let Self { id, order, .. } = *self;
        if !self.is_numbered {
            let direction = self.window.direction(order);
            let [column, id] = [order.column, id].map(|column| format!("{}{}", self.prefix, column.as_str()));
            statement.order_by_expr(sorted(order.column, Expr::col(Alias::new(column))), direction.clone());
            statement.order_by_expr(Expr::col(Alias::new(id)), direction);
        }
        for child in &self.children {
            child.below.order(statement);
        }
    }

    fn is_leaf(&self) -> bool {
        self.children.is_empty()
    }

    fn locate(&mut self, ctx: &Ctx, layout: &Layout) -> Result<()> {
        let chosen = std::mem::replace(&mut self.chosen, Chosen::all());
        self.places = Some(Located {
            id: layout.place(&self.prefix, self.id.as_str())?,
            number: self.is_numbered.then(|| layout.place(&self.prefix, PLACE)).transpose()?,
            row: chosen.placed(layout, &self.prefix)?,
            along: Places::of(ctx, layout, &self.prefix, &self.along)?,
        });
        self.children.iter_mut().try_for_each(|child| child.locate(ctx, layout, &self.prefix))
    }

    fn read(&mut self, row: &QueryResult, parent: Uuid) -> Result<()> {
        let rows = self.rows.entry(parent).or_default();
        let Some(places) = &self.places else { return Ok(()) };
        let Some(id) = row.try_get_by_index::<Option<Uuid>>(places.id)? else { return Ok(()) };
        if self.seen.insert((parent, id)) {
            // Rows without numbers come in their order.
            let number = places.number.map(|number| row.try_get_by_index(number)).transpose()?;
            rows.push((number.unwrap_or_default(), places.row.read(row)?));
            self.related.read(row, &places.along)?;
        }
        read(&mut self.children, row)
    }

    fn finish(self: Box<Self>, ctx: &Ctx, give: &mut Given) -> Result<()> {
        let Self { field, by, id, order, args, whole: all, window, children, rows, related, .. } = *self;
        for (parent, mut rows) in rows {
            rows.sort_by_key(|(place, _)| *place);
            let whole = Whole { select: all.clone(), of: Some((by, parent)) };
            let rows = rows.into_iter().map(|(_, row)| row).collect();
            let page: Page<E> = assemble(ctx, rows, whole, order, id, (window, &args));
            give.pages.insert((field, parent), Box::new(page));
        }
        give.related.push(related);
        children.into_iter().try_for_each(|child| child.below.finish(ctx, give))
    }
}

/// Joins lists to the rows of `table`, side by side.
fn join(
    ctx: &Ctx,
    query: &mut SelectStatement,
    table: DynIden,
    children: &mut [Child],
    prefix: &str,
    is_numbered: bool,
) -> Result<()> {
    let all = Alias::new(format!("{prefix}below"));
    if let [child] = children {
        let parent = Expr::col((table, Alias::new(child.parent)));
        let source = child.below.source(ctx, parent, &format!("{prefix}0_"), is_numbered)?;
        query.column((all.clone(), Asterisk));
        query.join_lateral(JoinType::LeftJoin, source, all, Condition::all());
        return Ok(());
    }
    let mut zipped: Option<SelectStatement> = None;
    let mut number = Expr::value(0);
    for (at, child) in children.iter_mut().enumerate() {
        let below = format!("{prefix}{at}_");
        let parent = Expr::col((table.clone(), Alias::new(child.parent)));
        let source = child.below.source(ctx, parent, &below, true)?;
        let side = Alias::new(format!("{below}side"));
        // Rows that nothing multiplies have their numbers already.
        let (counted, count) = if child.below.is_leaf() {
            (source, Alias::new(format!("{below}{PLACE}")))
        } else {
            let count = Alias::new(format!("{below}number"));
            let counted = Query::select()
                .column((side.clone(), Asterisk))
                .expr_as(Expr::cust("ROW_NUMBER() OVER ()"), count.clone())
                .from_subquery(source, side.clone())
                .to_owned();
            (counted, count)
        };
        let mine = Expr::col((side.clone(), count));
        zipped = Some(match zipped {
            None => Query::select().column(Asterisk).from_subquery(counted, side).to_owned(),
            Some(mut beside) => beside
                .join_subquery(
                    JoinType::FullOuterJoin,
                    counted,
                    side,
                    Condition::all().add(number.clone().eq(mine.clone())),
                )
                .to_owned(),
        });
        number = if at == 0 { mine } else { Func::coalesce([number, mine]).into() };
    }
    if let Some(zipped) = zipped {
        query.column((all.clone(), Asterisk));
        query.join_lateral(JoinType::LeftJoin, zipped, all, Condition::all());
    }
    Ok(())
}

fn read(children: &mut [Child], row: &QueryResult) -> Result<()> {
    for child in children {
        if let Some(parent) = row.try_get_by_index::<Option<Uuid>>(child.place)? {
            child.below.read(row, parent)?;
        }
    }
    Ok(())
}

/// Reads one row, with the objects that it points to and the lists below it, in one statement.
pub async fn find_below<E: EntityTrait>(
    ctx: &Ctx,
    select: Select<E>,
    along: &[Along<E::Column>],
    mut children: Vec<Child>,
) -> Result<Option<(E::Model, Given)>> {
    let chosen = Chosen::of(ctx, along.iter().map(|along| along.by));
    let mut query = along::join(ctx, chosen.narrow(select), along).into_query();
    join(ctx, &mut query, E::default().into_iden(), &mut children, "", false)?;
    for child in &children {
        child.below.order(&mut query);
    }
    let rows = ctx.read().query_all(&query).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let layout = Layout::of(first);
    let mut related = Related::default();
    related.read(first, &Places::of(ctx, &layout, "", along)?)?;
    let row = chosen.placed(&layout, "")?.read(first)?;
    children.iter_mut().try_for_each(|child| child.locate(ctx, &layout, ""))?;
    for row in &rows {
        read(&mut children, row)?;
    }
    let mut given = Given { related: vec![related], ..Given::default() };
    for child in children {
        child.below.finish(ctx, &mut given)?;
    }
    Ok(Some((row, given)))
}
