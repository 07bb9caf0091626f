//! Rows of the closure ledger.

use std::collections::HashMap;

use concord_entities::{
    evidence, follow_up,
    id::{EventId, OrganizationId, ProblemId},
    problem::{Channel, Column, Model, Severity, State, Tier},
    problem_responsible::{self, Duty},
    problem_setback, supervision_notice,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};

use super::{Ledger, Place, Rows, Span, joined, meant, names, people, word};
use crate::domain::{
    Ctx, Result,
    list::{problem, statistics},
    page::{self, Along, Kind, Order},
    privacy,
};

pub const TITLES: [&str; 30] = [
    "序号",
    "编号",
    "登记日期",
    "问题来源",
    "反映人(脱敏)",
    "社区/网格",
    "地点",
    "类别",
    "问题描述",
    "难易/紧急",
    "包联领导",
    "牵头单位",
    "配合单位",
    "责任人",
    "经办人/电话",
    "整改措施",
    "销号标准",
    "交办日期",
    "完成时限",
    "延期",
    "进展(日期)",
    "佐证材料",
    "申请销号日期",
    "核验人/意见",
    "审批人",
    "销号日期",
    "回访结果/满意度",
    "挂账原因/复核日期",
    "督办情况",
    "备注",
];

const ALONG: [Along<Column>; 2] = [
    Along { kind: Kind::Organization, by: Column::LeadOrganizationId },
    Along { kind: Kind::Region, by: Column::RegionId },
];

pub async fn rows(ledger: &Ledger, ctx: &Ctx, place: Place) -> Result<Rows> {
    let of = problem::visible(ctx).filter(Column::AllianceId.eq(ledger.alliance.id));
    let select = match ledger.span {
        Span::Year(year) => of.filter(Column::Year.eq(year)),
        Span::Month(_) => {
            let (from, to) = ledger.span.days();
            let begins = |day| statistics::start_of(ledger.zone, day);
            of.filter(Column::RecordedAt.gte(begins(from))).filter(Column::RecordedAt.lt(begins(to)))
        }
    };
    let order = Order { column: Column::Ordinal, descending: false };
    let page = page::fetch_along(ctx, select, order, Column::Id, &place.args(), &ALONG).await?;
    let ids: Vec<ProblemId> = page.items.iter().map(|(_, row)| row.id).collect();
    let leads = page.related.organizations.iter().map(|unit| (unit.id, unit.name.clone())).collect();
    let regions: HashMap<_, _> =
        page.related.regions.iter().map(|region| (region.id, region.name.clone())).collect();
    let (joint, evidence) = (joint_units(ctx, &ids).await?, pieces(ctx, &ids).await?);
    let people = people(
        ctx,
        page.items.iter().flat_map(|(_, row)| [row.handler_id, row.verifier_id, row.approver_id]),
    )
    .await?;
    let (extended, asked, notices) =
        (extensions(ctx, &ids).await?, answers(ctx, &ids).await?, notices(ctx, &ids).await?);
    let beside = Beside { leads, regions, joint, evidence, people, extended, asked, notices };
    let rows =
        page.items.iter().zip(place.rows + 1..).map(|((_, row), number)| cells(ledger, number, row, &beside));
    Ok((rows.collect(), place.next(&page.items, page.has_next)))
}

/// What the rows of a page name.
struct Beside {
    leads: HashMap<OrganizationId, String>,
    regions: HashMap<concord_entities::id::RegionId, String>,
    joint: HashMap<ProblemId, Vec<String>>,
    evidence: HashMap<ProblemId, i64>,
    people: HashMap<concord_entities::id::AccountId, concord_entities::account::Model>,
    extended: HashMap<ProblemId, usize>,
    asked: HashMap<ProblemId, String>,
    notices: HashMap<ProblemId, Vec<String>>,
}

/// How often each problem was given more time, for however many of its units at once.
async fn extensions(ctx: &Ctx, ids: &[ProblemId]) -> Result<HashMap<ProblemId, usize>> {
    use problem_setback::{Column, Entity, Kind};
    let extended: Vec<(ProblemId, EventId)> = Entity::find()
        .select_only()
        .columns([Column::ProblemId, Column::EventId])
        .distinct()
        .filter(Column::ProblemId.is_in(ids.iter().copied()))
        .filter(Column::Kind.eq(Kind::Extended))
        .into_tuple()
        .all(ctx.read())
        .await?;
    let mut found = HashMap::new();
    for (id, _) in extended {
        *found.entry(id).or_default() += 1;
    }
    Ok(found)
}

/// What marks an answer that was taken out of the rates.
const EXCLUDED: &str = "（不计入）";

/// What the reporter of each problem last answered, and whether that counts.
async fn answers(ctx: &Ctx, ids: &[ProblemId]) -> Result<HashMap<ProblemId, String>> {
    use follow_up::{Column, Entity, Solved};
    let rows = Entity::find()
        .filter(Column::ProblemId.is_in(ids.iter().copied()))
        .filter(Column::State.ne(follow_up::State::Due))
        .order_by_asc(Column::DoneAt)
        .order_by_asc(Column::Id)
        .all(ctx.read())
        .await?;
    let word = |row: &follow_up::Model| {
        let solved = match row.solved {
            Some(Solved::Yes) => "已解决",
            Some(Solved::Partly) => "部分解决",
            Some(Solved::No) => "未解决",
            None => "未联系上",
        };
        let satisfied = row.is_satisfied.map(|yes| if yes { "满意" } else { "不满意" });
        let said = joined([solved.to_owned(), satisfied.unwrap_or_default().to_owned()], "/");
        if row.excluded_at.is_some() { said + EXCLUDED } else { said }
    };
    Ok(rows.iter().map(|row| (row.problem_id, word(row))).collect())
}

/// Numbers of the supervision notices about each problem.
async fn notices(ctx: &Ctx, ids: &[ProblemId]) -> Result<HashMap<ProblemId, Vec<String>>> {
    use supervision_notice::{Column, Entity};
    let rows: Vec<(ProblemId, String)> = Entity::find()
        .select_only()
        .column(Column::ProblemId)
        .column(Column::Number)
        .filter(Column::ProblemId.is_in(ids.iter().copied()))
        .order_by_asc(Column::Year)
        .order_by_asc(Column::Seq)
        .into_tuple()
        .all(ctx.read())
        .await?;
    let mut found: HashMap<ProblemId, Vec<String>> = HashMap::new();
    for (id, number) in rows {
        found.entry(id).or_default().push(number);
    }
    Ok(found)
}

/// Names of the units that share in each problem.
async fn joint_units(ctx: &Ctx, ids: &[ProblemId]) -> Result<HashMap<ProblemId, Vec<String>>> {
    use problem_responsible::{Column, Entity};
    let rows = Entity::find()
        .filter(Column::ProblemId.is_in(ids.iter().copied()))
        .filter(Column::Duty.eq(Duty::Joint))
        .order_by_asc(Column::OrganizationId)
        .all(ctx.read())
        .await?;
    let names = names(ctx, rows.iter().map(|row| row.organization_id)).await?;
    let mut found: HashMap<ProblemId, Vec<String>> = HashMap::new();
    for row in rows {
        let name = names.get(&row.organization_id).cloned().unwrap_or_default();
        found.entry(row.problem_id).or_default().push(name);
    }
    Ok(found)
}

/// How many pieces of evidence there are of each problem.
async fn pieces(ctx: &Ctx, ids: &[ProblemId]) -> Result<HashMap<ProblemId, i64>> {
    use evidence::{Column, Entity};
    let rows: Vec<(Option<ProblemId>, i64)> = Entity::find()
        .select_only()
        .column(Column::ProblemId)
        .column_as(Expr::cust("COUNT(*)"), "pieces")
        .filter(Column::ProblemId.is_in(ids.iter().copied()))
        .group_by(Column::ProblemId)
        .into_tuple()
        .all(ctx.read())
        .await?;
    Ok(rows.into_iter().filter_map(|(id, count)| Some((id?, count))).collect())
}

fn cells(ledger: &Ledger, number: usize, row: &Model, beside: &Beside) -> Vec<String> {
    let viewer = &ledger.viewer;
    // One that comes from elsewhere began there.
    let began = if row.external_source.is_some() { row.occurred_at } else { row.recorded_at };
    let person = |who, unit| viewer.person(&beside.people, who, unit);
    let lead: Vec<OrganizationId> = row.lead_organization_id.into_iter().collect();
    let phone = row.handler_id.and_then(|id| beside.people.get(&id)?.phone.as_deref());
    let is_closed = matches!(row.state, State::StruckOff | State::ClosedAtSource);
    let moved = [row.closed_at, row.verified_at, row.submitted_at, row.accepted_at, row.assigned_at];
    let latest = moved.into_iter().flatten().max().unwrap_or(row.recorded_at);
    vec![
        number.to_string(),
        row.number.clone(),
        ledger.day(began).to_string(),
        channel(row.channel).to_owned(),
        row.reporter_name.as_deref().map(privacy::mask_name).unwrap_or_default(),
        row.region_id.and_then(|id| beside.regions.get(&id).cloned()).unwrap_or_default(),
        row.place.clone().unwrap_or_default(),
        row.category.clone(),
        described(row),
        joined([row.tier.map(tier).unwrap_or_default().to_owned(), severity(row.severity).to_owned()], "/"),
        String::new(),
        row.lead_organization_id.and_then(|id| beside.leads.get(&id).cloned()).unwrap_or_default(),
        beside.joint.get(&row.id).map(|units| units.join("、")).unwrap_or_default(),
        String::new(),
        joined(
            [
                person(row.handler_id, row.lead_organization_id),
                phone.map(|phone| viewer.phone(&lead, phone)).unwrap_or_default(),
            ],
            "/",
        ),
        row.measures.clone().unwrap_or_default(),
        row.criterion.clone().unwrap_or_default(),
        ledger.day_text(row.assigned_at),
        row.due_on.map(|on| on.to_string()).unwrap_or_default(),
        beside.extended.get(&row.id).map(|count| format!("{count}次")).unwrap_or_default(),
        format!("{}({})", state(row.state), ledger.day(latest)),
        beside.evidence.get(&row.id).map(|count| format!("{count}件")).unwrap_or_default(),
        ledger.day_text(row.submitted_at),
        joined(
            [person(row.verifier_id, row.verifier_organization_id), row.verdict.clone().unwrap_or_default()],
            "/",
        ),
        person(row.approver_id, None),
        ledger.day_text(row.closed_at.filter(|_| is_closed)),
        beside.asked.get(&row.id).cloned().unwrap_or_default(),
        joined(
            [
                row.held_reason.clone().unwrap_or_default(),
                row.review_on.map(|on| on.to_string()).unwrap_or_default(),
            ],
            "/",
        ),
        beside.notices.get(&row.id).map(|numbers| numbers.join("、")).unwrap_or_default(),
        row.reason.clone().unwrap_or_default(),
    ]
}

/// Title and description in one cell: the first line is the title.
fn described(row: &Model) -> String {
    let title = row.title.replace(['\r', '\n'], " ");
    if row.description == row.title { title } else { format!("{title}\n{}", row.description) }
}

const CHANNELS: [(Channel, &str); 9] = [
    (Channel::Escalation, "下级提级"),
    (Channel::GridOfficer, "网格员"),
    (Channel::Patrol, "巡查"),
    (Channel::Resident, "群众来访"),
    (Channel::Hotline, "热线"),
    (Channel::Online, "网络"),
    (Channel::MemberOrganization, "成员单位"),
    (Channel::Inspection, "督查检查"),
    (Channel::Import, "导入"),
];
const TIERS: [(Tier, &str); 3] = [(Tier::Small, "小事"), (Tier::Big, "大事"), (Tier::Hard, "难事")];
const SEVERITIES: [(Severity, &str); 3] =
    [(Severity::LifeSafety, "危及生命财产"), (Severity::Utilities, "水电气暖"), (Severity::Ordinary, "一般")];

fn channel(of: Channel) -> &'static str {
    word(&CHANNELS, of)
}

fn tier(of: Tier) -> &'static str {
    word(&TIERS, of)
}

fn severity(of: Severity) -> &'static str {
    word(&SEVERITIES, of)
}

/// The channel that a word of the ledger means.
pub fn channel_of(word: &str) -> Option<Channel> {
    meant(&CHANNELS, word)
}

/// The tier that a word of the ledger means.
pub fn tier_of(word: &str) -> Option<Tier> {
    meant(&TIERS, word)
}

/// The urgency that a word of the ledger means.
pub fn severity_of(word: &str) -> Option<Severity> {
    meant(&SEVERITIES, word)
}

const fn state(of: State) -> &'static str {
    match of {
        State::Registered => "登记",
        State::Triaged => "研判",
        State::Assigned => "交办",
        State::Accepted => "签收",
        State::InProgress => "办理中",
        State::OnAccount => "挂账",
        State::Escalated => "提级办理",
        State::Merged => "并案",
        State::Submitted => "申请销号",
        State::Verified => "核验通过",
        State::StruckOff => "已销号",
        State::Rejected => "不予受理",
        State::Withdrawn => "撤回",
        State::ClosedAtSource => "来源已办结",
    }
}
