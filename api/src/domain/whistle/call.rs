//! Calling units to a whistle: each with a deadline to report in and one to resolve the matter.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use concord_entities::{
    alliance, alliance_closure, deadline_policy,
    id::{AllianceId, OrganizationId, WhistleResponseId},
    membership,
    whistle::Model,
    whistle_breach::Clock,
    whistle_response::{self, Column, Entity, State},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, ExprTrait, IntoActiveModel, JoinType,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, RelationTrait,
};

use super::deadlines;
use crate::domain::{
    Code, Error, Result, Tx,
    list::{deadline::remind_at, deadline_policy::Policy, problem::zone},
};

/// Most units called at once, and most open calls of a whistle.
const MOST: usize = 30;
/// How far ahead a deadline lies at most.
const FARTHEST: TimeDelta = TimeDelta::days(366);

/// A unit to call; what is absent goes by the kind of whistle, as the alliance that calls sets it.
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

/// Who of some units can be called to a whistle.
pub(super) struct Callable {
    members: Vec<OrganizationId>,
    /// The towns' own: of whoever blew, and of whoever calls.
    committees: Vec<OrganizationId>,
    /// In open calls of the whistle.
    called: Vec<OrganizationId>,
    zone: Tz,
    /// What the alliance that calls sets for deadlines.
    policy: Policy,
}

impl Callable {
    /// Of these units, as members of an alliance; none of them leaves it until the unit of work ends.
    pub(super) async fn among(
        tx: &Tx<'_>,
        whistle: &Model,
        of: AllianceId,
        units: &[OrganizationId],
    ) -> Result<Self> {
        let called = Entity::find()
            .select_only()
            .column(Column::OrganizationId)
            .filter(Column::WhistleId.eq(whistle.id))
            .filter(Column::IsOpen.eq(true))
            .into_tuple()
            .all(&tx.db)
            .await?;
        let members = membership::Entity::find()
            .filter(membership::Column::AllianceId.eq(of))
            .filter(membership::Column::State.eq(membership::State::Active))
            .filter(membership::Column::OrganizationId.is_in(units.iter().copied()))
            .order_by_asc(membership::Column::Id)
            .lock_shared()
            .all(&tx.db)
            .await?;
        let alliances = alliance::Entity::find()
            .join_rev(JoinType::LeftJoin, deadline_policy::Relation::Alliance.def())
            .select_also(deadline_policy::Entity)
            .filter(alliance::Column::Id.is_in([whistle.alliance_id, of]))
            .all(&tx.db)
            .await?;
        let committees = alliances.iter().filter_map(|(row, _)| row.committee_organization_id).collect();
        let calls = alliances.into_iter().find(|(row, _)| row.id == of);
        let (row, policy) = calls.ok_or(Error::NotFound("alliance"))?;
        Ok(Self {
            members: members.into_iter().map(|member| member.organization_id).collect(),
            zone: zone(&row.time_zone),
            policy: policy.map_or_else(Policy::default, Policy::from),
            committees,
            called,
        })
    }

    /// Why a unit cannot be called, if it cannot. The town that blew is nobody's department, whoever calls.
    pub(super) fn blocks(&self, unit: OrganizationId) -> Option<Code> {
        if !self.members.contains(&unit) {
            Some(Code::NotAMember)
        } else if self.committees.contains(&unit) {
            Some(Code::CallsItself)
        } else {
            self.called.contains(&unit).then_some(Code::AlreadyCalled)
        }
    }

    /// An instant as clocks show it where the alliance is.
    fn told(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.zone).to_rfc3339()
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
    let wanted: Vec<OrganizationId> = units.iter().map(|unit| unit.organization_id).collect();
    let callable = Callable::among(tx, whistle, how.alliance, &wanted).await?;
    let called = callable.called.len();
    if units.len() + called > MOST {
        return Err(Error::invalid(Code::OutOfRange, how.list.unwrap_or("organizationId"))
            .with("least", 1)
            .with("most", MOST.saturating_sub(called)));
    }
    let policy = &callable.policy;
    let now = tx.ctx.now();
    // Calls of one instant are read in the order in which they were made.
    let mut ids: Vec<WhistleResponseId> = units.iter().map(|_| tx.ctx.new_id()).collect();
    ids.sort_unstable();
    let mut rows: Vec<whistle_response::Model> = Vec::with_capacity(units.len());
    for (index, (unit, response)) in units.iter().zip(ids).enumerate() {
        let id = unit.organization_id;
        let twice = rows.iter().any(|row| row.organization_id == id).then_some(Code::AlreadyCalled);
        if let Some(code) = callable.blocks(id).or(twice) {
            return Err(Error::invalid(code, how.field(index, "organizationId")));
        }
        let due = |clock| deadlines::due(&policy.whistle_rules, clock, whistle.kind, now, callable.zone);
        // Who quarrels about whose it is does not hold up the clock.
        let carried = how.instead_of.map(|before| before.resolve_due_at).filter(|due| *due > now);
        let known = unit.resolve_by.or(carried);
        let report_in = unit.report_in_by.unwrap_or_else(|| {
            let usual = due(Clock::ReportIn);
            known.map_or(usual, |resolve| Ord::min(usual, resolve))
        });
        let resolve = known.unwrap_or_else(|| Ord::max(due(Clock::Resolve), report_in));
        let within = |name, at: DateTime<Utc>, least: DateTime<Utc>, most: DateTime<Utc>| {
            if at > now && (least..=most).contains(&at) {
                return Ok(());
            }
            Err(Error::invalid(Code::OutOfRange, how.field(index, name))
                .with("least", callable.told(least))
                .with("most", callable.told(most)))
        };
        let farthest = now + FARTHEST;
        // Of two instants that the caller names, the second is held against the first.
        if unit.report_in_by.is_some() && unit.resolve_by.is_some() {
            within("reportInBy", report_in, now, farthest)?;
            within("resolveBy", resolve, report_in, farthest)?;
        } else if unit.report_in_by.is_some() {
            within("reportInBy", report_in, now, known.unwrap_or(farthest))?;
        } else {
            within("resolveBy", resolve, now, farthest)?;
        }
        rows.push(whistle_response::Model {
            id: response,
            alliance_id: whistle.alliance_id,
            whistle_id: whistle.id,
            member_alliance_id: how.alliance,
            organization_id: id,
            state: State::Called,
            is_open: true,
            is_backstop: whistle.backstop_organization_id == Some(id),
            from_id: how.instead_of.map(|before| before.id),
            refusals: how.instead_of.map_or(0, |before| before.refusals + 1),
            called_at: now,
            called_by: tx.ctx.author(),
            report_in_due_at: report_in,
            report_in_settled: false,
            resolve_due_at: resolve,
            resolve_settled: false,
            remind_at: Some(remind_at(now, resolve, policy.whistle_remind_hours)),
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
