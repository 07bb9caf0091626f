//! Rows of the rotation table.

use std::collections::HashMap;

use chrono::Datelike;
use concord_entities::{
    check_in, docking, handover,
    id::{OrganizationId, RegionId, RotationSlotId, ServiceTeamId},
    priority_task, problem, problem_responsible, region,
    rotation_slot::{self, Column, Model, State},
    service_team, service_team_member, task_list,
};
use sea_orm::{
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::Expr,
};

use super::{Ledger, Place, Rows, joined, names};
use crate::domain::{
    Ctx, Result,
    list::{problem as problems, statistics, task_read},
    page::{self, Order},
    rotation::{check_in as check_ins, docking as dockings, handover as handovers, plan, slot},
};

pub const TITLES: [&str; 18] = [
    "期次",
    "月份(起止)",
    "服务队",
    "牵头单位",
    "成员单位",
    "队长/职务",
    "联络员/电话",
    "对接镇领导",
    "对接社区/站所支部",
    "报到时间/地点/人数",
    "对接会日期",
    "重点任务数",
    "认领/销号问题数",
    "服务次数",
    "交接日期/接收队/双方签字",
    "评价",
    "调换说明",
    "备注",
];

/// What stands beside a turn from which its team was excused.
pub const EXCUSED: &str = "免轮";

/// What the turns of a page name.
struct Beside {
    teams: HashMap<ServiceTeamId, service_team::Model>,
    members: Vec<service_team_member::Model>,
    names: HashMap<OrganizationId, String>,
    regions: HashMap<RegionId, String>,
    check_ins: Vec<check_in::Model>,
    dockings: Vec<docking::Model>,
    handovers: Vec<handover::Model>,
    next: HashMap<RotationSlotId, ServiceTeamId>,
    tasks: HashMap<RotationSlotId, i64>,
}

pub async fn rows(ledger: &Ledger, ctx: &Ctx, place: Place) -> Result<Rows> {
    let (from, to) = ledger.span.days();
    let select = slot::visible(ctx)
        .filter(Column::AllianceId.eq(ledger.alliance.id))
        .filter(Column::StartsOn.gte(from))
        .filter(Column::StartsOn.lt(to));
    let order = Order { column: Column::StartsOn, descending: false };
    let page = page::fetch(ctx, select, order, Column::Id, &place.args()).await?;
    let slots: Vec<&Model> = page.items.iter().map(|(_, row)| row).collect();
    let beside = beside(ledger, ctx, &slots).await?;
    let mut rows = Vec::with_capacity(slots.len());
    for slot in slots {
        rows.push(cells(ledger, ctx, slot, &beside).await?);
    }
    Ok((rows, place.next(&page.items, page.has_next)))
}

async fn beside(ledger: &Ledger, ctx: &Ctx, slots: &[&Model]) -> Result<Beside> {
    let ids: Vec<RotationSlotId> = slots.iter().map(|slot| slot.id).collect();
    let check_ins = check_ins::visible(ctx)
        .filter(check_in::Column::SlotId.is_in(ids.iter().copied()))
        .order_by_asc(check_in::Column::CameAt)
        .all(ctx.read())
        .await?;
    let dockings = dockings::visible(ctx)
        .filter(docking::Column::SlotId.is_in(ids.iter().copied()))
        .order_by_asc(docking::Column::HeldAt)
        .all(ctx.read())
        .await?;
    let handovers = handovers::visible(ctx)
        .filter(handover::Column::SlotId.is_in(ids.iter().copied()))
        .all(ctx.read())
        .await?;
    let next: HashMap<RotationSlotId, ServiceTeamId> = slot::visible(ctx)
        .filter(Column::Id.is_in(handovers.iter().map(|row| row.next_slot_id)))
        .all(ctx.read())
        .await?
        .into_iter()
        .map(|row: rotation_slot::Model| (row.id, row.team_id))
        .collect();
    let wanted = slots.iter().map(|slot| slot.team_id).chain(next.values().copied());
    let teams: HashMap<ServiceTeamId, service_team::Model> =
        plan::teams_by_id(ctx.read(), ledger.alliance.id, wanted)
            .await?
            .into_iter()
            .map(|team| (team.id, team))
            .collect();
    let members = plan::members(ctx.read(), teams.keys().copied()).await?;
    let units = members.iter().map(|row| row.organization_id);
    let units = units.chain(teams.values().map(|team| team.lead_organization_id));
    let names = names(ctx, units.chain(dockings.iter().filter_map(|row| row.organization_id))).await?;
    let regions: HashMap<RegionId, String> = region::Entity::find()
        .filter(region::Column::Id.is_in(dockings.iter().filter_map(|row| row.region_id)))
        .all(ctx.read())
        .await?
        .into_iter()
        .map(|row| (row.id, row.name))
        .collect();
    let tasks: Vec<(Option<RotationSlotId>, i64)> = task_read::visible(ctx)
        .inner_join(task_list::Entity)
        .filter(task_list::Column::SlotId.is_in(ids))
        .select_only()
        .column(task_list::Column::SlotId)
        .column_as(Expr::cust("COUNT(*)"), "tasks")
        .filter(priority_task::Column::State.ne(priority_task::State::Cancelled))
        .group_by(task_list::Column::SlotId)
        .into_tuple()
        .all(ctx.read())
        .await?;
    let tasks = tasks.into_iter().filter_map(|(id, count)| Some((id?, count))).collect();
    Ok(Beside { teams, members, names, regions, check_ins, dockings, handovers, next, tasks })
}

/// How many problems the team's units accepted, and how many of theirs were struck off, in the days of a turn.
async fn problems_of(
    ledger: &Ledger,
    ctx: &Ctx,
    slot: &Model,
    units: &[OrganizationId],
) -> Result<(u64, u64)> {
    let theirs = problem_responsible::Entity::find()
        .select_only()
        .column(problem_responsible::Column::ProblemId)
        .filter(problem_responsible::Column::OrganizationId.is_in(units.iter().copied()))
        .into_query();
    let of = problems::visible(ctx)
        .filter(problem::Column::AllianceId.eq(ledger.alliance.id))
        .filter(problem::Column::Id.in_subquery(theirs));
    let begins = |day| statistics::start_of(ledger.zone, day);
    let (from, to) = (begins(slot.starts_on), begins(slot.ends_on));
    let within = |column: problem::Column| of.clone().filter(column.gte(from)).filter(column.lt(to));
    let accepted = within(problem::Column::AcceptedAt).count(ctx.read()).await?;
    Ok((accepted, within(problem::Column::StruckOffAt).count(ctx.read()).await?))
}

async fn cells(ledger: &Ledger, ctx: &Ctx, slot: &Model, beside: &Beside) -> Result<Vec<String>> {
    let name = |id: OrganizationId| beside.names.get(&id).cloned().unwrap_or_default();
    let team = beside.teams.get(&slot.team_id);
    let units: Vec<OrganizationId> = beside
        .members
        .iter()
        .filter(|row| row.team_id == slot.team_id)
        .map(|row| row.organization_id)
        .chain(team.map(|team| team.lead_organization_id))
        .collect();
    let others = units.iter().filter(|unit| team.is_none_or(|team| team.lead_organization_id != **unit));
    let viewer = &ledger.viewer;
    let contact = |name: Option<&str>, beside: String| {
        joined([name.map(|name| viewer.name(&units, name)).unwrap_or_default(), beside], "/")
    };
    let dockings = || beside.dockings.iter().filter(|row| row.slot_id == slot.id);
    let docked = dockings().filter_map(|row| {
        row.region_id
            .and_then(|id| beside.regions.get(&id).cloned())
            .or_else(|| row.organization_id.map(name))
    });
    let came = beside.check_ins.iter().filter(|row| row.slot_id == slot.id).map(|row| {
        let at = row.came_at.with_timezone(&ledger.zone).format("%Y-%m-%d %H:%M");
        format!("{at}/{}/{}人", row.place, row.head_count)
    });
    let handed = beside.handovers.iter().filter(|row| row.slot_id == slot.id).map(|row| {
        let next = beside.next.get(&row.next_slot_id).and_then(|id| beside.teams.get(id));
        let signed = if row.acknowledged_at.is_some() { "双方已签" } else { "待接收" };
        let to = next.map(|team| team.name.clone()).unwrap_or_default();
        joined([ledger.day(row.offered_at).to_string(), to, signed.to_owned()], "/")
    });
    let (accepted, struck_off) = problems_of(ledger, ctx, slot, &units).await?;
    let last = slot.ends_on.pred_opt().unwrap_or(slot.ends_on);
    let phone = team.and_then(|team| team.liaison_phone.as_deref());
    Ok(vec![
        slot.number.to_string(),
        format!("{}年{}月({}至{last})", slot.starts_on.year(), slot.starts_on.month(), slot.starts_on),
        team.map(|team| team.name.clone()).unwrap_or_default(),
        team.map(|team| name(team.lead_organization_id)).unwrap_or_default(),
        joined(others.map(|unit| name(*unit)), "、"),
        contact(
            team.map(|team| team.captain_name.as_str()),
            team.and_then(|team| team.captain_title.clone()).unwrap_or_default(),
        ),
        contact(
            team.and_then(|team| team.liaison_name.as_deref()),
            phone.map(|phone| viewer.phone(&units, phone)).unwrap_or_default(),
        ),
        String::new(),
        joined(docked, "、"),
        joined(came, "\n"),
        joined(dockings().map(|row| ledger.day(row.held_at).to_string()), "、"),
        beside.tasks.get(&slot.id).copied().unwrap_or_default().to_string(),
        format!("{accepted}/{struck_off}"),
        String::new(),
        joined(handed, "\n"),
        String::new(),
        slot.reason.clone().unwrap_or_default(),
        state(slot.state).to_owned(),
    ])
}

const fn state(of: State) -> &'static str {
    match of {
        State::Scheduled => "已排定",
        State::Announced => "已公布",
        State::CheckedIn => "已报到",
        State::InService => "服务中",
        State::HandingOver => "交接中",
        State::HandedOver => "已交接",
        State::Missed => "未到",
        State::Excused => EXCUSED,
    }
}
