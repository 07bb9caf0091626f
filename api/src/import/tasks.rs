//! The task list (重点任务清单) as towns keep it: brought in by the same columns in which it is written, as drafts of the list of a
//! month, which the committee publishes. What a task may be is the domain's own verbs' to say; here texts become values. What a
//! list tells of people and of work that others did is not taken over: progress is reported here, by those who may. A task is
//! known by its title and its lead unit, so that a second run changes nothing.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use concord_entities::{
    id::{AllianceId, OrganizationId},
    priority_task, task_list,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::{
    Options, Report, RowError, Source,
    csv::{Column, Row, Table, optional, required},
    known::{Members, Places},
};
use crate::domain::{
    Action, Code, Ctx, Error, Result, Target, Tx,
    governance::alliance::hold,
    ledger::{REACHED, result_of},
    list::{
        carry_over::open_of_month,
        priority_task::{NewPriorityTask, insert},
        task_milestone::NewMilestone,
    },
};

/// Most bytes of a file.
pub const MOST_BYTES: u64 = 16 << 20;
/// Most rows of a file.
const MOST_ROWS: u64 = 2_000;

const TITLE: usize = 0;
const SOURCE: usize = 1;
const CONTENT: usize = 2;
const CRITERION: usize = 3;
const LEAD: usize = 4;
const JOINT: usize = 5;
const REGION: usize = 6;
const PERIOD: usize = 7;
const MILESTONES: usize = 8;
const RESULT: usize = 9;

const COLUMNS: [Column; 10] = [
    required(&["任务名称"]),
    optional(&["来源(文件/会议/需求)", "来源（文件/会议/需求）", "来源"]),
    required(&["工作内容"]),
    optional(&["目标/完成标准", "完成标准"]),
    required(&["牵头单位"]),
    optional(&["配合单位"]),
    optional(&["对接社区"]),
    required(&["开始/完成时限", "完成时限"]),
    optional(&["当月节点"]),
    optional(&["结果(完成/结转/取消)", "结果（完成/结转/取消）", "结果"]),
];

/// The column behind an input that the domain refused.
fn behind(field: &str) -> usize {
    match field {
        "content" => CONTENT,
        "criterion" => CRITERION,
        "source" => SOURCE,
        "leadOrganizationId" => LEAD,
        "coOrganizationIds" => JOINT,
        "regionId" => REGION,
        "startsOn" | "dueOn" => PERIOD,
        field if field.starts_with("milestones") => MILESTONES,
        _ => TITLE,
    }
}

/// One row of the file.
#[derive(Clone, Debug)]
pub struct Line {
    pub line: u64,
    /// The places of the columns in the file.
    columns: [usize; COLUMNS.len()],
    pub title: String,
    source: Option<String>,
    content: String,
    criterion: Option<String>,
    lead: String,
    joint: Option<String>,
    region: Option<String>,
    starts_on: Option<NaiveDate>,
    due_on: NaiveDate,
    milestones: Vec<NewMilestone>,
}

/// Reads a whole file: every row that is a task to be done. Those of tasks that have ended are left, and those that cannot be read
/// refused.
pub fn read(source: &Source, report: &mut Report) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut table = match Table::open(source, &COLUMNS, MOST_ROWS) {
        Ok(table) => table,
        Err(error) => {
            report.refuse(error);
            return lines;
        }
    };
    let columns: [usize; COLUMNS.len()] = table.all_places();
    loop {
        let (line, ended, read) = match table.next_row() {
            None => return lines,
            Some(Err(error)) => {
                report.refuse(error);
                continue;
            }
            Some(Ok(row)) => (row.line, ended(&row), line(&row, columns)),
        };
        match (ended, read) {
            (Some(state), _) => {
                let left = Error::refused(Code::StateRefused).with("state", state);
                report.leave(table.refusal(line, table.place(RESULT), left));
            }
            (None, Ok(read)) => lines.push(read),
            (None, Err((column, error))) => {
                report.refuse(table.refusal(line, table.place(column), error));
            }
        }
    }
}

/// The column at fault among those that are read, and why.
type Fault = (usize, Error);

/// How a row says that its task has ended.
fn ended(row: &Row<'_>) -> Option<String> {
    row.unguarded(RESULT).filter(|text| result_of(text).is_some()).map(str::to_owned)
}

fn line(row: &Row<'_>, columns: [usize; COLUMNS.len()]) -> Result<Line, Fault> {
    let text = |column: usize| row.unguarded(column).map(str::to_owned);
    let needed = |column: usize| text(column).ok_or_else(|| (column, Error::refused(Code::Required)));
    let malformed =
        |column, expected: &str| (column, Error::refused(Code::Malformed).with("expected", expected));
    if text(RESULT).is_some() {
        return Err(malformed(RESULT, "完成、结转、取消"));
    }
    let days = needed(PERIOD)?;
    let (starts_on, due_on) = period(&days).ok_or_else(|| malformed(PERIOD, "2026-01-01/2026-01-31"))?;
    let milestones = row.unguarded(MILESTONES).unwrap_or_default().lines().map(str::trim);
    let milestones = milestones.filter(|text| !text.is_empty()).map(milestone).collect::<Option<_>>();
    Ok(Line {
        line: row.line,
        columns,
        title: needed(TITLE)?,
        source: text(SOURCE),
        content: needed(CONTENT)?,
        criterion: text(CRITERION),
        lead: needed(LEAD)?,
        joint: text(JOINT),
        region: text(REGION),
        starts_on,
        due_on,
        milestones: milestones.ok_or_else(|| malformed(MILESTONES, "开工(2026-01-15)"))?,
    })
}

/// First and last day, or the last day alone.
fn period(text: &str) -> Option<(Option<NaiveDate>, NaiveDate)> {
    let (first, last) = match text.split_once(['/', '／']) {
        Some((first, last)) => (Some(first), last),
        None => (None, text),
    };
    let day = |text: &str| text.trim().parse::<NaiveDate>().ok();
    match first {
        Some(first) => Some((Some(day(first)?), day(last)?)),
        None => Some((None, day(last)?)),
    }
}

/// A milestone with its day behind it; that it was reached is not taken over.
fn milestone(text: &str) -> Option<NewMilestone> {
    let (title, day) = text.strip_suffix([')', '）'])?.rsplit_once(['(', '（'])?;
    let day = day.strip_suffix(REACHED).unwrap_or(day);
    Some(NewMilestone { title: title.trim().to_owned(), due_on: day.trim().parse().ok()? })
}

/// Imports a file of tasks onto the list of a month in one unit of work; where there is no list yet, it is drafted. A dry run does
/// the same and takes it all back.
pub async fn run(
    ctx: &Ctx,
    alliance: AllianceId,
    month_on: NaiveDate,
    source: &Source,
    options: Options<'_>,
) -> Result<Report> {
    let mut report = Report::default();
    let lines = read(source, &mut report);
    let tx = ctx.begin().await?;
    let alliance = hold(&tx, alliance).await?;
    for action in [Action::ManageTaskList, Action::CreatePriorityTask] {
        ctx.require(&tx.db, action, Target::alliance(alliance.id)).await?;
    }
    let list = open_of_month(&tx, alliance.id, month_on).await?;
    let mut work = Work {
        tx: &tx,
        units: Members::load(&tx, alliance.id).await?,
        places: Places::load(&tx, &alliance).await?,
        standing: standing(&tx, &list).await?,
        told: HashMap::new(),
        list,
    };
    for (line, done) in lines.iter().zip(1..) {
        match work.take(line).await {
            Ok(true) => report.imported += 1,
            Ok(false) => report.unchanged += 1,
            Err((column, error @ Error::Refused(_))) => {
                let place = line.columns.get(column).copied().unwrap_or_default();
                report.refuse(RowError {
                    file: source.name.clone(),
                    line: line.line,
                    column: u64::try_from(place).unwrap_or_default(),
                    error,
                });
            }
            Err((_, error)) => return Err(error),
        }
        (options.progress)(done);
    }
    report.errors.sort_by_key(|error| (error.line, error.column));
    // A file that brings nothing drafts no list either.
    if !options.dry_run && report.imported > 0 {
        tx.commit(Uuid::from(alliance.id)).await?;
    }
    Ok(report)
}

/// What a task is known by: its title and its lead unit.
type Key = (String, OrganizationId);

/// The tasks that stand on a list, whatever became of them.
async fn standing(tx: &Tx<'_>, list: &task_list::Model) -> Result<HashSet<Key>> {
    use priority_task::{Column, Entity};
    let rows: Vec<Key> = Entity::find()
        .select_only()
        .columns([Column::Title, Column::LeadOrganizationId])
        .filter(Column::TaskListId.eq(list.id))
        .into_tuple()
        .all(&tx.db)
        .await?;
    Ok(rows.into_iter().collect())
}

/// An import under way.
struct Work<'a> {
    tx: &'a Tx<'a>,
    units: Members,
    places: Places,
    standing: HashSet<Key>,
    /// The lines of the tasks that the file has told so far.
    told: HashMap<Key, u64>,
    list: task_list::Model,
}

impl Work<'_> {
    /// Writes the task of a row, unless it is on the list already; tells whether it did.
    async fn take(&mut self, line: &Line) -> Result<bool, Fault> {
        let lead = self.units.named(&line.lead).map_err(|error| (LEAD, error))?;
        let key = (line.title.clone(), lead);
        if let Some(first) = self.told.insert(key.clone(), line.line) {
            return Err((TITLE, Error::refused(Code::ImportDuplicate).with("first", first)));
        }
        if self.standing.contains(&key) {
            return Ok(false);
        }
        let joint = line.joint.as_deref().map(|units| self.units.all_named(units));
        let joint = joint.transpose().map_err(|error| (JOINT, error))?.unwrap_or_default();
        let region_id = match &line.region {
            Some(place) => Some(self.places.named(place).map_err(|error| (REGION, error))?),
            None => None,
        };
        let new = NewPriorityTask {
            task_list_id: self.list.id,
            title: line.title.clone(),
            content: line.content.clone(),
            criterion: line.criterion.clone(),
            source: line.source.clone(),
            lead_organization_id: lead,
            co_organization_ids: joint,
            region_id,
            starts_on: line.starts_on,
            due_on: line.due_on,
            responsible_name: None,
            milestones: line.milestones.clone(),
        };
        insert(self.tx, &self.list, new)
            .await
            .map_err(|error| (behind(error.field().unwrap_or_default()), error))?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    #[test]
    fn days_are_read_as_they_are_written() {
        let (first, last) = (day("2026-01-05"), day("2026-01-31"));
        assert_eq!(period("2026-01-31"), Some((None, last)));
        for text in ["2026-01-05/2026-01-31", "2026-01-05 ／ 2026-01-31"] {
            assert_eq!(period(text), Some((Some(first), last)), "{text}");
        }
        for text in ["", "/2026-01-31", "2026-01-05/", "月底", "2026-02-30", "2026-01-05/2026-01-31/x"] {
            assert_eq!(period(text), None, "{text}");
        }
    }

    #[test]
    fn milestones_are_read_as_they_are_written() {
        let read = |text: &str| milestone(text).map(|read| (read.title, read.due_on));
        for (text, title) in [
            ("开工(2026-01-15)", "开工"),
            ("开工(一期)(2026-01-15，已达到)", "开工(一期)"),
            ("开工（2026-01-15）", "开工"),
        ] {
            assert_eq!(read(text), Some((title.to_owned(), day("2026-01-15"))), "{text}");
        }
        for text in ["", "开工", "开工()", "开工(月中)", "2026-01-15)", "开工(2026-01-15，快了)"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
