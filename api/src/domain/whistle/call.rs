//! Calling units to a whistle: each with a deadline to report in and one to resolve the matter.

use chrono::{DateTime, TimeDelta, Utc};
use concord_entities::{
    alliance, alliance_closure,
    id::{AllianceId, OrganizationId},
    membership,
    whistle::Model,
    whistle_response::{self, Column, Entity, State},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, ExprTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QuerySelect,
};

use super::states::{report_in_within, resolve_within};
use crate::domain::{Code, Error, Result, Tx, list::deadline::remind_at};

/// Most units called at once, and most open calls of a whistle.
const MOST: usize = 30;
/// How far ahead a deadline lies at most.
const FARTHEST: TimeDelta = TimeDelta::days(366);
/// How many hours before the deadline to resolve the matter a unit is reminded; halfway where there is less time.
const REMIND_HOURS: i32 = 24;

/// A unit to call; what is absent goes by the kind of whistle.
#[derive(Clone, Copy, Debug)]
pub struct NewCall {
    pub organization_id: OrganizationId,
    pub report_in_by: Option<DateTime<Utc>>,
    pub resolve_by: Option<DateTime<Utc>>,
}

/// How the units are called.
pub(super) struct As<'a> {
    /// As members of this alliance.
    pub alliance: AllianceId,
    pub is_backstop: bool,
    /// The refused call in whose place they are called.
    pub instead_of: Option<&'a whistle_response::Model>,
    /// The name of the input, without the place in it; nothing where there is one unit only.
    pub list: Option<&'static str>,
}

impl As<'_> {
    fn field(&self, index: usize, name: &str) -> String {
        match self.list {
            Some(list) => format!("{list}.{index}.{name}"),
            None => name.to_owned(),
        }
    }
}

/// Calls units to a whistle under lock.
pub(super) async fn call(
    tx: &Tx<'_>,
    whistle: &Model,
    units: &[NewCall],
    how: As<'_>,
) -> Result<Vec<whistle_response::Model>> {
    if units.is_empty() {
        return Err(Error::invalid(Code::Required, how.list.unwrap_or("organizationId")));
    }
    let called: Vec<OrganizationId> = Entity::find()
        .select_only()
        .column(Column::OrganizationId)
        .filter(Column::WhistleId.eq(whistle.id))
        .filter(Column::IsOpen.eq(true))
        .into_tuple()
        .all(&tx.db)
        .await?;
    if units.len() + called.len() > MOST {
        return Err(Error::invalid(Code::OutOfRange, how.list.unwrap_or("organizationId"))
            .with("least", 1)
            .with("most", MOST.saturating_sub(called.len())));
    }
    let members = membership::Entity::find()
        .find_both_related(alliance::Entity)
        .filter(membership::Column::AllianceId.eq(how.alliance))
        .filter(membership::Column::State.eq(membership::State::Active))
        .filter(membership::Column::OrganizationId.is_in(units.iter().map(|unit| unit.organization_id)))
        .all(&tx.db)
        .await?;
    // The town that blew is nobody's department, whoever calls.
    let own = if how.alliance == whistle.alliance_id {
        None
    } else {
        let town = alliance::Entity::find_by_id(whistle.alliance_id).one(&tx.db).await?;
        town.and_then(|town| town.committee_organization_id)
    };
    let now = tx.ctx.now();
    let mut rows: Vec<whistle_response::Model> = Vec::with_capacity(units.len());
    for (index, unit) in units.iter().enumerate() {
        let id = unit.organization_id;
        let wrong = |code| Err(Error::invalid(code, how.field(index, "organizationId")));
        let Some((_, alliance)) = members.iter().find(|(member, _)| member.organization_id == id) else {
            return wrong(Code::NotAMember);
        };
        if alliance.committee_organization_id == Some(id) || own == Some(id) {
            return wrong(Code::CallsItself);
        }
        if called.contains(&id) || rows.iter().any(|row| row.organization_id == id) {
            return wrong(Code::AlreadyCalled);
        }
        let report_in = unit.report_in_by.unwrap_or(now + report_in_within(whistle.kind));
        // Who quarrels about whose it is does not hold up the clock.
        let carried = how.instead_of.map(|before| before.resolve_due_at).filter(|due| *due > report_in);
        let usual = || std::cmp::max(now + resolve_within(whistle.kind), report_in);
        let resolve = unit.resolve_by.or(carried).unwrap_or_else(usual);
        for (name, at, least) in [("reportInBy", report_in, now), ("resolveBy", resolve, report_in)] {
            if at < least || at <= now || at > now + FARTHEST {
                return Err(Error::invalid(Code::OutOfRange, how.field(index, name))
                    .with("least", least.to_rfc3339())
                    .with("most", (now + FARTHEST).to_rfc3339()));
            }
        }
        rows.push(whistle_response::Model {
            id: tx.ctx.new_id(),
            alliance_id: whistle.alliance_id,
            whistle_id: whistle.id,
            member_alliance_id: how.alliance,
            organization_id: id,
            state: State::Called,
            is_open: true,
            is_backstop: how.is_backstop || whistle.backstop_organization_id == Some(id),
            from_id: how.instead_of.map(|before| before.id),
            refusals: how.instead_of.map_or(0, |before| before.refusals + 1),
            called_at: now,
            called_by: tx.ctx.author(),
            report_in_due_at: report_in,
            report_in_settled: false,
            resolve_due_at: resolve,
            resolve_settled: false,
            remind_at: Some(remind_at(now, resolve, REMIND_HOURS)),
            reported_in_at: None,
            reported_in_by: None,
            place: None,
            head_count: None,
            on_site_at: None,
            on_site_by: None,
            claimed_at: None,
            claimed_by: None,
            claim: None,
            returned_count: 0,
            evaluated_at: None,
            evaluated_by: None,
            solved: None,
            score: None,
            evaluation: None,
            refused_at: None,
            refused_by: None,
            reason: None,
            proposed_organization_id: None,
            ended_at: None,
            ended_by: None,
            version: 1,
        });
    }
    let inserted = rows.iter().map(fresh);
    Entity::insert_many(inserted).exec_without_returning(&tx.db).await?;
    Ok(rows)
}

fn fresh(row: &whistle_response::Model) -> whistle_response::ActiveModel {
    row.clone().into_active_model().reset_all()
}

/// Whether an alliance may call its members to a whistle: the town that blew it, and those above as far as it was escalated.
pub(super) async fn may_call(tx: &Tx<'_>, whistle: &Model, alliance: AllianceId) -> Result<()> {
    use alliance_closure::Column as Pair;
    if alliance == whistle.alliance_id {
        return Ok(());
    }
    let no = || Error::NotFound("alliance");
    let top = whistle.escalated_to_id.ok_or_else(no)?;
    let between = alliance_closure::Entity::find().filter(
        Condition::any()
            .add(Pair::AncestorId.eq(alliance).and(Pair::DescendantId.eq(whistle.alliance_id)))
            .add(Pair::AncestorId.eq(top).and(Pair::DescendantId.eq(alliance))),
    );
    if between.count(&tx.db).await? == 2 { Ok(()) } else { Err(no()) }
}
