//! A problem under lock: taken within what the caller may see, their right and the step's place checked, with what the verbs need of
//! its alliance and of the caller's seats, in one statement. What the verbs do with it stands in `moves` and beside it.

use chrono::NaiveDate;
use chrono_tz::Tz;
use concord_entities::{
    account, alliance,
    id::{AccountId, AllianceId, OrganizationId, ProblemId, SeatId},
    problem::{self, Column, Model, State},
    seat::{self, Role},
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, ExprTrait, FromQueryResult, IdenStatic, Iterable,
    JoinType, QueryFilter, QueryOrder, QueryResult, QuerySelect, QueryTrait,
    sea_query::{Alias, Expr, Query, SelectStatement, SimpleExpr, UnionType},
};

use super::{fact, visible, zone};
use crate::domain::{
    Action, Actor, Code, Ctx, Error, Event, Fact, HELD, Result, Standing, Tx,
    governance::alliance::expect_version,
    list::{
        extension,
        problem_states::{self as states, Concerned, Policy},
        transition::Step,
    },
    policy,
};

/// Which problem to move, and the version at which the caller read it, where they care.
#[derive(Clone, Copy, Debug)]
pub struct Which {
    pub id: ProblemId,
    pub expected_version: Option<i64>,
}

/// A problem under lock in a unit of work, its mover's right and the step's place checked.
pub(in crate::domain::list) struct Held<'ctx> {
    pub(in crate::domain::list) tx: Tx<'ctx>,
    pub(in crate::domain::list) row: Model,
    /// The day that it is in the problem's alliance.
    pub(in crate::domain::list) today: NaiveDate,
    /// What its alliance settles.
    pub(super) policy: Policy,
    /// Whether the alliance wants reporters asked once closure is asked for.
    pub(super) follows_up: bool,
    /// All seats of the caller in whatever alliance, those that ended while the problem was there with them: nobody becomes
    /// independent by laying down a role.
    seats: Vec<seat::Model>,
    standing: Standing,
}

impl Held<'_> {
    /// The caller's active seats in the problem's alliance.
    pub(super) fn seats_here(&self) -> Vec<seat::Model> {
        here(&self.seats, self.row.alliance_id)
    }

    /// All units that the caller acts for, in whatever alliance.
    pub(in crate::domain::list) fn own_units(&self) -> Vec<OrganizationId> {
        self.seats.iter().filter_map(|seat| seat.organization_id).collect()
    }

    /// The zone of the problem's alliance.
    pub(in crate::domain::list) fn zone(&self) -> Tz {
        self.policy.zone
    }

    /// As what the caller acts.
    pub(super) fn role(&self) -> Option<Role> {
        self.standing.role
    }

    /// Nobody gives a unit that they act for more time.
    pub(super) fn gives_not_to_own_unit(&self) -> Result<()> {
        let lead = self.row.lead_organization_id;
        if lead.is_some() && self.seats_here().iter().any(|seat| seat.organization_id == lead) {
            Err(Error::refused(Code::NotIndependent))
        } else {
            Ok(())
        }
    }

    /// The caller, who must be a person.
    pub(in crate::domain::list) fn account(&self) -> Result<AccountId> {
        self.standing.account_id.ok_or(Error::Forbidden)
    }

    /// Writes the change and its event, and commits.
    pub(super) async fn settle(
        self,
        step: &Step<State>,
        event: Event,
        change: problem::ActiveModel,
        about: impl FnOnce(Fact, &Model) -> Fact,
    ) -> Result<Model> {
        let row = self.change(step, event, change, about).await?;
        self.tx.commit(row.id).await?;
        Ok(row)
    }

    /// Writes the change and its event, for a unit of work that goes on.
    pub(in crate::domain::list) async fn change(
        &self,
        step: &Step<State>,
        event: Event,
        change: problem::ActiveModel,
        about: impl FnOnce(Fact, &Model) -> Fact,
    ) -> Result<Model> {
        let (row, told) = self.write(step, event, change, about).await?;
        self.tx.record(told).await?;
        Ok(row)
    }

    /// Writes the change, and gives what is to be recorded of it.
    pub(in crate::domain::list) async fn write(
        &self,
        step: &Step<State>,
        event: Event,
        change: problem::ActiveModel,
        about: impl FnOnce(Fact, &Model) -> Fact,
    ) -> Result<(Model, Fact)> {
        let Self { tx, row: before, today, .. } = self;
        let closed = !states::is_open(step.to);
        let row = problem::ActiveModel {
            state: Set(step.to),
            rested_on: Set(states::rested_on(before, step.to, *today)),
            is_open: Set(!closed),
            closed_at: Set(closed.then(|| tx.ctx.now())),
            closed_on: Set(closed.then_some(*today)),
            version: Set(before.version + 1),
            ..change
        }
        .update(&tx.db)
        .await?;
        if closed && before.assigned_at.is_some() {
            extension::end_with_assignment(tx, row.id, None).await?;
        }
        let told = fact(event, &row)
            .organizations(before.lead_organization_id)
            .moved(before.state.to_value(), row.state.to_value())
            .detail("title", row.title.clone());
        let told = about(told, &row);
        Ok((row, told))
    }
}

/// Takes the problem under a lock and checks version, right and state.
pub(in crate::domain::list) async fn hold<'ctx>(
    ctx: &'ctx Ctx,
    which: Which,
    step: &Step<State>,
) -> Result<Held<'ctx>> {
    let held = take(ctx.begin().await?, which, step.action).await?;
    step.check(held.row.state)?;
    Ok(held)
}

/// Takes the problem under a lock in a unit of work, and checks right and version.
pub(in crate::domain::list) async fn take(tx: Tx<'_>, which: Which, action: Action) -> Result<Held<'_>> {
    Ok(take_with(tx, which, action, None).await?.0)
}

/// The same with the problems that `beside` selects; all of them are locked in the order of `super::lock`.
pub(in crate::domain::list) async fn take_with(
    tx: Tx<'_>,
    which: Which,
    action: Action,
    beside: Option<SelectStatement>,
) -> Result<(Held<'_>, Vec<Model>)> {
    let ctx = tx.ctx;
    let there = |column: alliance::Column| {
        let select = Query::select()
            .column(column)
            .from(alliance::Entity)
            .and_where(
                Expr::col((alliance::Entity, alliance::Column::Id))
                    .equals((problem::Entity, Column::AllianceId)),
            )
            .to_owned();
        SimpleExpr::SubQuery(None, Box::new(select.into()))
    };
    let own = visible(ctx).filter(Column::Id.eq(which.id));
    let select = match beside {
        None => own,
        Some(beside) => {
            let own =
                own.select_only().column(Column::Id).into_query().union(UnionType::All, beside).to_owned();
            problem::Entity::find().filter(among(own, tx.db.get_database_backend())).order_by_asc(Column::Id)
        }
    };
    let mut select = select
        .expr_as(there(alliance::Column::TimeZone), "time_zone")
        .expr_as(there(alliance::Column::SignOffs), "sign_offs")
        .expr_as(there(alliance::Column::ObjectionHours), "objection_hours")
        .expr_as(there(alliance::Column::FollowUpOnSubmission), "follows_up")
        .into_query();
    if let Ok(account) = ctx.account_id() {
        with_seats(&mut select, account);
    }
    select.lock_with_tables(HELD, [problem::Entity]);
    let (mut found, mut others, mut seats) = (None, Vec::new(), Vec::new());
    for row in tx.db.query_all(&select).await? {
        let id: ProblemId = row.try_get("", "id")?;
        if id == which.id {
            seats.extend(seat_of(&row)?);
            found = Some(row);
        } else if others.last().is_none_or(|last: &Model| last.id != id) {
            others.push(Model::from_query_result(&row, "")?);
        }
    }
    let found = found.ok_or(Error::NotFound("problem"))?;
    let row = Model::from_query_result(&found, "")?;
    let zone = zone(&found.try_get::<String>("", "time_zone")?);
    let policy = Policy {
        sign_offs: found.try_get("", "sign_offs")?,
        objection_hours: found.try_get("", "objection_hours")?,
        zone,
    };
    let today = ctx.now().with_timezone(&zone).date_naive();
    let follows_up = found.try_get("", "follows_up")?;
    let standing = standing(ctx, &row, &seats, action)?;
    if let Some(expected) = which.expected_version {
        expect_version(expected, row.version)?;
    }
    Ok((Held { tx, row, today, policy, follows_up, seats, standing }, others))
}

/// The problems whose identifiers a subquery selects. PostgreSQL looks at a row that changed while it waited for its lock once more, and
/// would drop it where it stood in a subquery; an array is made once, before any lock.
fn among(ids: SelectStatement, backend: DbBackend) -> SimpleExpr {
    if backend == DbBackend::Postgres {
        let ids = SimpleExpr::SubQuery(None, Box::new(ids.into()));
        Expr::cust_with_exprs("\"problem\".\"id\" = ANY(ARRAY($1))", [ids])
    } else {
        Column::Id.in_subquery(ids)
    }
}

/// Under what name a column of a seat comes with a problem.
const SEAT: &str = "seat_";

/// Lets the caller's seats everywhere come along, those too that ended while the problem was there: rights are as fresh as the
/// problem's own place within `visible`.
fn with_seats(select: &mut SelectStatement, account: AccountId) {
    let active = account::Entity::find_by_id(account)
        .select_only()
        .column(account::Column::Id)
        .filter(account::Column::State.eq(account::State::Active))
        .into_query();
    let ended_since = seat::Column::EndedAt
        .into_expr()
        .gte(Expr::col((problem::Entity, Column::RecordedAt)))
        .or(seat::Column::State.ne(seat::State::Ended));
    let theirs = seat::Column::AccountId.in_subquery(active).and(ended_since);
    select.join(JoinType::LeftJoin, seat::Entity, theirs);
    for column in seat::Column::iter() {
        select.expr_as(column.into_expr(), Alias::new(format!("{SEAT}{}", column.as_str())));
    }
}

fn seat_of(row: &QueryResult) -> Result<Option<seat::Model>> {
    // Without any, or without an account, there is none.
    match row.try_get::<Option<SeatId>>(SEAT, "id") {
        Ok(Some(_)) => Ok(Some(seat::Model::from_query_result(row, SEAT)?)),
        _ => Ok(None),
    }
}

/// The seats of one alliance that give a right.
fn here(seats: &[seat::Model], alliance: AllianceId) -> Vec<seat::Model> {
    let active = |seat: &&seat::Model| seat.alliance_id == alliance && seat.state == seat::State::Active;
    seats.iter().filter(active).cloned().collect()
}

/// The caller's active seat that allows `action` on the problem. A suspended seat gives no right, but whom it binds to a unit
/// stays bound.
fn standing(ctx: &Ctx, row: &Model, seats: &[seat::Model], action: Action) -> Result<Standing> {
    let account = match ctx.actor {
        Actor::System => return Ok(Standing::default()),
        Actor::Anonymous => return Err(Error::Unauthenticated),
        Actor::Key(_) => return Err(Error::Forbidden),
        Actor::Account { id, .. } => id,
    };
    let target = Concerned::of(row).target(action);
    policy::standing(account, &here(seats, row.alliance_id), action, target).ok_or(Error::Forbidden)
}
