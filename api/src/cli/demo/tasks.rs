//! The task lists: one for each past month, the current month's with a task in every state, and the next month's in draft.

use std::collections::BTreeMap;

use chrono::{DateTime, Days as Span, NaiveDate, TimeDelta, Utc};
use concord_entities::{
    evidence::Stage,
    id::{OrganizationId, PriorityTaskId, TaskListId},
};
use serde::Deserialize;

use super::{
    days::{MONTHS_BEHIND, ZONE, local},
    pictures,
    story::{Agenda, Cue as On, Story, missing},
};
use crate::domain::{
    Error, Result,
    governance::membership::{self, Contact},
    list::{
        carry_over,
        cascade::{self as decompose, NewPart},
        evidence::{self, NewEvidence, Subject},
        priority_task::{self, NewPriorityTask},
        task_list::{self, NewTaskList},
        task_milestone::NewMilestone,
    },
};

/// What the months' tasks say; `当班` as lead stands for the unit that leads the team on duty.
const PAST: &str = include_str!("works.csv");
const CURRENT: &str = include_str!("works-now.csv");
const NEXT: &str = include_str!("works-next.csv");
const ON_DUTY: &str = "当班";
/// How many tasks a past month's list has.
const PER_MONTH: usize = 4;

/// A task as the files tell it.
#[derive(Clone, Debug, Deserialize)]
struct Work {
    title: String,
    content: String,
    criterion: String,
    source: String,
    lead: String,
    joint: String,
    community: Option<usize>,
}

/// How far a task gets before the story ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Draft,
    Published,
    Acknowledged,
    InProgress,
    Submitted,
    Returned,
    Completed,
    /// Returned once, then completed.
    CompletedLater,
    Cancelled,
}

/// Fates of the current month's tasks, in the order of their file: one of each.
const CURRENT_FATES: [Fate; 8] = [
    Fate::InProgress,
    Fate::Submitted,
    Fate::Acknowledged,
    Fate::Returned,
    Fate::Completed,
    Fate::Published,
    Fate::Cancelled,
    Fate::CompletedLater,
];

/// A step of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Acknowledge,
    /// Progress in percent.
    Report(i32),
    Submit,
    Return,
    Complete,
    Cancel,
}

impl Fate {
    fn steps(self) -> &'static [Step] {
        use Step::{Acknowledge, Cancel, Complete, Report, Return, Submit};
        match self {
            Self::Draft | Self::Published => &[],
            Self::Acknowledged => &[Acknowledge],
            Self::InProgress => &[Acknowledge, Report(20), Report(55)],
            Self::Submitted => &[Acknowledge, Report(40), Report(95), Submit],
            Self::Returned => &[Acknowledge, Report(80), Submit, Return],
            Self::Completed => &[Acknowledge, Report(50), Report(100), Submit, Complete],
            Self::CompletedLater => &[Acknowledge, Report(90), Submit, Return, Report(100), Submit, Complete],
            Self::Cancelled => &[Acknowledge, Cancel],
        }
    }
}

/// What happens to the lists; tasks are named by their place in the book.
#[derive(Clone, Copy, Debug)]
pub enum Cue {
    /// Of the month of this turn.
    Draft(u32),
    Publish(u32),
    /// What the month leaves unfinished goes on in the next.
    CarryOver(u32),
    /// The county gives its towns a part of a task of its own.
    Cascade,
    Take(usize, Step),
}

/// A task of the story.
#[derive(Debug)]
struct Entry {
    turn: u32,
    work: Work,
    fate: Fate,
    due_on: NaiveDate,
    id: Option<PriorityTaskId>,
    lead: Option<OrganizationId>,
}

/// All lists and tasks of the story.
#[derive(Debug, Default)]
pub struct Book {
    pub lists: BTreeMap<u32, TaskListId>,
    entries: Vec<Entry>,
}

impl Book {
    /// The first task that ends in progress: the one to try things on.
    pub fn in_progress(&self) -> Option<PriorityTaskId> {
        self.entries
            .iter()
            .find(|entry| entry.turn == MONTHS_BEHIND + 1 && entry.fate == Fate::InProgress)
            .and_then(|entry| entry.id)
    }
}

fn read(text: &str) -> Result<Vec<Work>> {
    csv::Reader::from_reader(text.as_bytes())
        .deserialize()
        .collect::<std::result::Result<_, _>>()
        .map_err(Error::internal)
}

pub fn agenda(story: &mut Story<'_>, agenda: &mut Agenda) -> Result<()> {
    let (current, next) = (MONTHS_BEHIND + 1, MONTHS_BEHIND + 2);
    let past = read(PAST)?;
    let mut book = Book::default();
    for turn in 1..current {
        let from = usize::try_from(turn).unwrap_or_default() * PER_MONTH;
        for (row, work) in past.iter().cycle().skip(from).take(PER_MONTH).enumerate() {
            let fate = match (turn, row) {
                (2, 3) => Fate::Cancelled,
                (4, 1) => Fate::CompletedLater,
                (MONTHS_BEHIND, 2) => Fate::InProgress,
                _ => Fate::Completed,
            };
            let last = story.days.working_day_before(story.days.month(turn + 1));
            let days = u64::try_from(row).unwrap_or_default() * 3;
            let due_on = last.checked_sub_days(Span::new(days)).unwrap_or(last);
            book.entries.push(Entry { turn, work: work.clone(), fate, due_on, id: None, lead: None });
        }
    }
    let today = story.days.end.with_timezone(&ZONE).date_naive();
    let last = story.days.month(next).pred_opt().unwrap_or(today);
    for ((row, work), fate) in (0_u64..).zip(read(CURRENT)?).zip(CURRENT_FATES) {
        let due_on = today.checked_add_days(Span::new(2 + row)).unwrap_or(today).min(last);
        book.entries.push(Entry { turn: current, work, fate, due_on, id: None, lead: None });
    }
    for work in read(NEXT)? {
        let due_on = story.days.working_day(story.days.month(next), 8);
        book.entries.push(Entry { turn: next, work, fate: Fate::Draft, due_on, id: None, lead: None });
    }
    schedule(story, &book, agenda);
    story.cast.tasks = book;
    Ok(())
}

/// Lists are drafted and published shortly before their month; the next month's draft lies on the table when the story ends.
fn schedule(story: &Story<'_>, book: &Book, agenda: &mut Agenda) {
    let days = &story.days;
    let mut add = |at: DateTime<Utc>, cue: Cue| agenda.push((at, On::Task(cue)));
    let published = |turn: u32| local(days.month(turn) - TimeDelta::days(3), 16, 0);
    for turn in 1..=MONTHS_BEHIND + 1 {
        add(published(turn) - TimeDelta::hours(30), Cue::Draft(turn));
        add(published(turn), Cue::Publish(turn));
    }
    for turn in 1..=MONTHS_BEHIND {
        let at = local(days.working_day(days.month(turn + 1), 1), 10, 30);
        add(at.min(days.end - TimeDelta::minutes(40)), Cue::CarryOver(turn));
    }
    add(published(MONTHS_BEHIND + 1) + TimeDelta::minutes(30), Cue::Cascade);
    add(days.end - TimeDelta::minutes(50), Cue::Draft(MONTHS_BEHIND + 2));
    for (index, entry) in book.entries.iter().enumerate() {
        let from = published(entry.turn);
        let to = days.end.min(local(entry.due_on, 18, 0));
        let steps = entry.fate.steps();
        let parts = i32::try_from(steps.len()).unwrap_or_default() + 1;
        let mut last = from;
        for (place, step) in (1_i32..).zip(steps) {
            let at = days.in_office(from + (to - from) * place / parts);
            last = at.max(last + TimeDelta::minutes(6)).min(days.end);
            add(last, Cue::Take(index, *step));
        }
    }
}

pub async fn play(story: &mut Story<'_>, cue: Cue) -> Result<()> {
    match cue {
        Cue::Draft(turn) => draft(story, turn).await,
        Cue::Publish(turn) => {
            let list = *story.cast.tasks.lists.get(&turn).ok_or_else(|| missing("a list"))?;
            task_list::publish(&story.of("committee")?, list, None).await?;
            Ok(())
        }
        Cue::CarryOver(turn) => {
            let list = *story.cast.tasks.lists.get(&turn).ok_or_else(|| missing("a list"))?;
            carry_over::carry_over(&story.of("committee")?, list, None).await?;
            Ok(())
        }
        Cue::Cascade => cascade(story).await,
        Cue::Take(index, step) => take(story, index, step).await,
    }
}

/// The county's task of the month, led by the town's committee until the county has units of its own, and the town's part.
async fn cascade(story: &Story<'_>) -> Result<()> {
    let (county, hand) = (story.alliance("county")?, story.of("county")?);
    let unit = story.unit(super::units::COMMITTEE.1)?;
    membership::admit(&story.stage.system(), county, unit, Contact::default()).await?;
    let month_on = story.days.month(MONTHS_BEHIND + 1);
    let title = format!("海晏县{}重点任务清单", month_on.format("%Y年%-m月"));
    let list = task_list::create(&hand, NewTaskList { alliance_id: county, month_on, title }).await?;
    let new = NewPriorityTask {
        task_list_id: list.id,
        title: "城乡供暖安全排查".to_owned(),
        content: "逐户排查供暖管网和燃煤炉具，建立隐患台账并限期整改。".to_owned(),
        criterion: Some("排查率百分之百，重大隐患清零。".to_owned()),
        source: Some("县安委会会议".to_owned()),
        lead_organization_id: unit,
        co_organization_ids: Vec::new(),
        region_id: None,
        starts_on: Some(month_on),
        due_on: story.days.working_day_before(story.days.month(MONTHS_BEHIND + 2)),
        responsible_name: None,
        milestones: Vec::new(),
    };
    let task = priority_task::create(&hand, new).await?;
    let part = NewPart {
        alliance_id: story.town()?,
        weight: 1,
        title: Some("西海镇供暖安全排查".to_owned()),
        due_on: None,
        lead_organization_id: Some(unit),
    };
    task_list::publish(&hand, list.id, None).await?;
    decompose::decompose(&hand, task.id, None, vec![part]).await?;
    Ok(())
}

async fn draft(story: &mut Story<'_>, turn: u32) -> Result<()> {
    let committee = story.of("committee")?;
    let month_on = story.days.month(turn);
    let title = format!("西海镇{}重点任务清单", month_on.format("%Y年%-m月"));
    let list =
        task_list::create(&committee, NewTaskList { alliance_id: story.town()?, month_on, title }).await?;
    story.cast.tasks.lists.insert(turn, list.id);
    let entries: Vec<(usize, Work, NaiveDate)> = story
        .cast
        .tasks
        .entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.turn == turn)
        .map(|(index, entry)| (index, entry.work.clone(), entry.due_on))
        .collect();
    for (index, work, due_on) in entries {
        let lead = if work.lead == ON_DUTY {
            let slot = story.cast.slots.get(&turn).ok_or_else(|| missing("a turn"))?;
            *story.cast.leads.get(slot.team).ok_or_else(|| missing("a lead"))?
        } else {
            story.unit(&work.lead)?
        };
        let joint = work.joint.split(';').filter(|short| !short.is_empty());
        let co_organization_ids = joint
            .map(|short| story.unit(short))
            .filter(|unit| !matches!(unit, Ok(unit) if *unit == lead))
            .collect::<Result<Vec<_>>>()?;
        let milestones = if index.is_multiple_of(3) {
            let half = month_on + (due_on - month_on) / 2;
            vec![NewMilestone { title: "完成摸底并形成台账".to_owned(), due_on: half }]
        } else {
            Vec::new()
        };
        let new = NewPriorityTask {
            task_list_id: list.id,
            title: work.title,
            content: work.content,
            criterion: Some(work.criterion),
            source: Some(work.source),
            lead_organization_id: lead,
            co_organization_ids,
            region_id: work.community.map(|index| story.community(index)).transpose()?,
            starts_on: Some(month_on),
            due_on,
            responsible_name: Some(super::units::person(501 + u32::try_from(index).unwrap_or_default())),
            milestones,
        };
        let task = priority_task::create(&committee, new).await?;
        let entry = story.cast.tasks.entries.get_mut(index).ok_or_else(|| missing("a task"))?;
        (entry.id, entry.lead) = (Some(task.id), Some(lead));
    }
    Ok(())
}

async fn take(story: &Story<'_>, index: usize, step: Step) -> Result<()> {
    let entry = story.cast.tasks.entries.get(index).ok_or_else(|| missing("a task"))?;
    let (id, lead) = entry.id.zip(entry.lead).ok_or_else(|| missing("a task that was written"))?;
    let (committee, unit) = (story.of("committee")?, story.staff(lead)?);
    match step {
        Step::Acknowledge => priority_task::acknowledge(&unit, id, None).await?,
        Step::Report(percent) => {
            let note = match percent {
                ..=30 => "已召开协调会，明确分工和时间节点，完成摸底排查。",
                31..=60 => "按计划推进过半，成员单位党员参与三十余人次，问题清单同步整改。",
                61..=94 => "主要工作完成，正在收尾并整理佐证材料。",
                _ => "全部完成，佐证材料已上传。",
            };
            if percent == 100 && index.is_multiple_of(4) {
                let file = pictures::send(&unit, index, "任务完成照片.png").await?;
                let new = NewEvidence {
                    subject: Subject::Task(id),
                    files: vec![file],
                    stage: Stage::Closure,
                    note: Some("完成情况照片".to_owned()),
                };
                evidence::add(&unit, new).await?;
            }
            priority_task::report_progress(&unit, id, None, note, Some(percent)).await?
        }
        Step::Submit => priority_task::submit(&unit, id, None, Some("任务已完成，请镇党委验收。")).await?,
        Step::Return => {
            let reason = "佐证材料不全，缺少后两周的检查记录，请补齐后再报。";
            priority_task::return_for_rework(&committee, id, None, reason).await?
        }
        Step::Complete => priority_task::complete(&committee, id, None).await?,
        Step::Cancel => {
            priority_task::cancel(&committee, id, None, "因天气原因活动取消，并入下季度安排。").await?
        }
    };
    Ok(())
}
