//! Rows of the task list.

use std::collections::HashMap;

use concord_entities::{
    evidence,
    id::{OrganizationId, PriorityTaskId},
    priority_task::{Column, Model, State},
    task_co_organizer, task_list, task_milestone,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, sea_query::Expr};

use super::{Ledger, Place, Rows, joined, meant, names, word};
use crate::domain::{
    Ctx, Result,
    list::task_read,
    page::{self, Along, Kind, Order},
};

pub const TITLES: [&str; 20] = [
    "序号",
    "编号",
    "任务名称",
    "来源(文件/会议/需求)",
    "工作内容",
    "目标/完成标准",
    "牵头领导",
    "牵头单位",
    "责任人",
    "配合单位",
    "对接社区",
    "开始/完成时限",
    "当月节点",
    "进展(日期)",
    "完成率",
    "问题/需协调事项",
    "佐证",
    "验收人",
    "结果(完成/结转/取消)",
    "备注",
];

/// What stands behind the day of a milestone that has been reached.
pub const REACHED: &str = "，已达到";

/// How a task ended.
const RESULTS: [(State, &str); 3] =
    [(State::Completed, "完成"), (State::CarriedOver, "结转"), (State::Cancelled, "取消")];

const ALONG: [Along<Column>; 2] = [
    Along { kind: Kind::Organization, by: Column::LeadOrganizationId },
    Along { kind: Kind::Region, by: Column::RegionId },
];

pub async fn rows(ledger: &Ledger, ctx: &Ctx, place: Place) -> Result<Rows> {
    let (from, to) = ledger.span.days();
    let lists = task_list::Entity::find()
        .select_only()
        .column(task_list::Column::Id)
        .filter(task_list::Column::AllianceId.eq(ledger.alliance.id))
        .filter(task_list::Column::MonthOn.gte(from))
        .filter(task_list::Column::MonthOn.lt(to))
        .into_query();
    let select = task_read::visible(ctx)
        .filter(Column::AllianceId.eq(ledger.alliance.id))
        .filter(Column::TaskListId.in_subquery(lists));
    let order = Order { column: Column::Place, descending: false };
    let page = page::fetch_along(ctx, select, order, Column::Id, &place.args(), &ALONG).await?;
    let ids: Vec<PriorityTaskId> = page.items.iter().map(|(_, row)| row.id).collect();
    let leads: HashMap<OrganizationId, String> =
        page.related.organizations.iter().map(|unit| (unit.id, unit.name.clone())).collect();
    let regions: HashMap<_, _> =
        page.related.regions.iter().map(|region| (region.id, region.name.clone())).collect();
    let joined_units = co_organizers(ctx, &ids).await?;
    let milestones = milestones(ctx, &ids).await?;
    let latest: HashMap<_, _> = task_read::latest_progress(ctx, &ids)
        .await?
        .into_iter()
        .map(|row| (row.task_id, format!("{}({})", row.note, ledger.day(row.reported_at))))
        .collect();
    let pieces = pieces(ctx, &ids).await?;
    let cells = |number: usize, row: &Model| {
        let unit = [row.lead_organization_id];
        vec![
            number.to_string(),
            String::new(),
            row.title.clone(),
            row.source.clone().unwrap_or_default(),
            row.content.clone(),
            row.criterion.clone().unwrap_or_default(),
            String::new(),
            leads.get(&row.lead_organization_id).cloned().unwrap_or_default(),
            row.responsible_name.as_deref().map(|name| ledger.viewer.name(&unit, name)).unwrap_or_default(),
            joined_units.get(&row.id).map(|units| units.join("、")).unwrap_or_default(),
            row.region_id.and_then(|id| regions.get(&id).cloned()).unwrap_or_default(),
            joined([row.starts_on.map(|on| on.to_string()).unwrap_or_default(), row.due_on.to_string()], "/"),
            milestones.get(&row.id).map(|steps| steps.join("\n")).unwrap_or_default(),
            latest.get(&row.id).cloned().unwrap_or_default(),
            format!("{}%", row.percent),
            String::new(),
            pieces.get(&row.id).map(|count| format!("{count}件")).unwrap_or_default(),
            String::new(),
            word(&RESULTS, row.state).to_owned(),
            row.reason.clone().unwrap_or_default(),
        ]
    };
    let rows = page.items.iter().zip(place.rows + 1..).map(|((_, row), number)| cells(number, row)).collect();
    Ok((rows, place.next(&page.items, page.has_next)))
}

async fn co_organizers(ctx: &Ctx, ids: &[PriorityTaskId]) -> Result<HashMap<PriorityTaskId, Vec<String>>> {
    use task_co_organizer::{Column, Entity};
    let rows = Entity::find()
        .filter(Column::TaskId.is_in(ids.iter().copied()))
        .order_by_asc(Column::OrganizationId)
        .all(ctx.read())
        .await?;
    let names = names(ctx, rows.iter().map(|row| row.organization_id)).await?;
    let mut found: HashMap<PriorityTaskId, Vec<String>> = HashMap::new();
    for row in rows {
        let name = names.get(&row.organization_id).cloned().unwrap_or_default();
        found.entry(row.task_id).or_default().push(name);
    }
    Ok(found)
}

async fn milestones(ctx: &Ctx, ids: &[PriorityTaskId]) -> Result<HashMap<PriorityTaskId, Vec<String>>> {
    use task_milestone::{Column, Entity};
    let rows = Entity::find()
        .filter(Column::TaskId.is_in(ids.iter().copied()))
        .order_by_asc(Column::DueOn)
        .order_by_asc(Column::Id)
        .all(ctx.read())
        .await?;
    let mut found: HashMap<PriorityTaskId, Vec<String>> = HashMap::new();
    for row in rows {
        let reached = if row.reached_at.is_some() { REACHED } else { "" };
        found.entry(row.task_id).or_default().push(format!("{}({}{reached})", row.title, row.due_on));
    }
    Ok(found)
}

async fn pieces(ctx: &Ctx, ids: &[PriorityTaskId]) -> Result<HashMap<PriorityTaskId, i64>> {
    use evidence::{Column, Entity};
    let rows: Vec<(Option<PriorityTaskId>, i64)> = Entity::find()
        .select_only()
        .column(Column::TaskId)
        .column_as(Expr::cust("COUNT(*)"), "pieces")
        .filter(Column::TaskId.is_in(ids.iter().copied()))
        .group_by(Column::TaskId)
        .into_tuple()
        .all(ctx.read())
        .await?;
    Ok(rows.into_iter().filter_map(|(id, count)| Some((id?, count))).collect())
}

/// The end of a task that a word of the list means.
pub fn result_of(text: &str) -> Option<State> {
    meant(&RESULTS, text)
}
