//! What happens to some problems beside the straight way: more time asked for, a pause, an answered notice, a part that is
//! declined, reporters asked by link and visit or in vain, and several assigned in one go.

use chrono::TimeDelta;
use concord_entities::{
    extension,
    follow_up::{self as asked, Kind, Solved},
    id::ExtensionId,
};
use sea_orm::{ColumnTrait, QueryFilter};

use super::{
    problems::{Fate, Matter, handler},
    story::{Story, missing},
};
use crate::domain::{
    Actor, Ctx, Result, bulk,
    list::{
        extension as more_time,
        follow_up::{self, Answer, NewFollowUp, WhichFollowUp, link},
        problem::{
            self,
            moves::{self, Which},
            on_account::{self, NewHold},
            parts::{self, WhichPart},
        },
        supervision,
    },
    page,
};

/// The two that share a problem with the unit that leads; the second declines its part.
const JOINT: [&str; 2] = [super::problems::JOINT_UNIT, "州供电公司"];

/// A step of one problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    AskForTime,
    Grant,
    AskForMore,
    Refuse,
    Pause,
    Resume,
    AnswerNotices,
    AssignToThree,
    DeclinePart,
    AskByLink,
    PlanVisit,
    TryToCall,
    NoteVisit,
}

pub async fn take(story: &Story<'_>, matter: &Matter, which: Which, step: Step) -> Result<()> {
    let (committee, officer) = (story.of("committee")?, story.of("officer")?);
    match step {
        Step::AskForTime => {
            ask_for_time(story, matter, which, 10, "防水材料需外地调运，预计晚到一周，申请延期。").await
        }
        Step::AskForMore => {
            ask_for_time(story, matter, which, 30, "拟与明年改造项目合并实施，申请再次延期。").await
        }
        Step::Grant => {
            let id = waiting(&committee, which).await?;
            more_time::grant(&committee, id, None, Some("情况属实，同意延期。"), None).await?;
            Ok(())
        }
        Step::Refuse => {
            let id = waiting(&committee, which).await?;
            more_time::refuse(&committee, id, "材料已到场，应按期完成，不同意再次延期。", None).await?;
            Ok(())
        }
        Step::Pause => {
            let new = NewHold {
                reason: "循环泵返厂检修，待配件到货后继续。".to_owned(),
                organization_id: None,
                review_on: story.stage.now().date_naive() + TimeDelta::days(14),
            };
            on_account::hold(&committee, which, new).await?;
            Ok(())
        }
        Step::Resume => {
            on_account::resume(&committee, which).await?;
            Ok(())
        }
        Step::AnswerNotices => answer_notices(&handler(story, matter)?, which).await,
        Step::AssignToThree => {
            let joint = JOINT.map(|short| story.unit(short));
            let joint = joint.into_iter().collect::<Result<Vec<_>>>()?;
            moves::assign_jointly(&committee, which, story.unit(&matter.unit)?, &joint, None).await?;
            Ok(())
        }
        Step::DeclinePart => {
            let organization = story.unit(JOINT[1])?;
            let part = WhichPart { problem: which, organization };
            let reason = "该处线路产权属小区业主，不在本公司维护范围。";
            parts::decline(&story.staff(organization)?, part, reason).await?;
            Ok(())
        }
        Step::AskByLink => {
            request(&committee, which, Kind::Link).await?;
            let (_, issued) = link::issue(&officer, due(&officer, which).await?).await?;
            // Whoever reported it answers without an account.
            let reporter = Ctx { actor: Actor::Anonymous, ..officer };
            link::answer(&reporter, &issued.secret, content("修得很快，已经好了。", None)).await?;
            Ok(())
        }
        Step::PlanVisit => request(&committee, which, Kind::Visit).await,
        Step::NoteVisit => {
            let answer = content("问题解决了，谢谢。", Some("入户走访"));
            follow_up::record_answer(&officer, due(&officer, which).await?, answer).await?;
            Ok(())
        }
        Step::TryToCall => {
            if open(&officer, which).await?.is_none() {
                request(&committee, which, Kind::Call).await?;
            }
            follow_up::record_try(&officer, due(&officer, which).await?, Some("电话无人接听")).await?;
            Ok(())
        }
    }
}

/// The leading unit asks for so many days beyond its due date.
async fn ask_for_time(
    story: &Story<'_>,
    matter: &Matter,
    which: Which,
    days: i64,
    reason: &str,
) -> Result<()> {
    let unit = handler(story, matter)?;
    let row = problem::find(&unit, which.id).await?.ok_or_else(|| missing("a problem"))?;
    let due_on = row.due_on.ok_or_else(|| missing("a due date"))?;
    more_time::request(&unit, which.id, due_on + TimeDelta::days(days), reason).await?;
    Ok(())
}

/// The request of a problem that waits for the committee.
async fn waiting(committee: &Ctx, which: Which) -> Result<ExtensionId> {
    let request = more_time::visible(committee)
        .filter(extension::Column::ProblemId.eq(which.id))
        .filter(extension::Column::State.eq(extension::State::Asked))
        .one(committee.read())
        .await?;
    Ok(request.ok_or_else(|| missing("a request for more time"))?.id)
}

/// Whatever notices a unit has about a problem; where the calendar of a year is unknown, there may be none.
async fn answer_notices(unit: &Ctx, which: Which) -> Result<()> {
    let filter = supervision::Filter {
        problem_id: Some(which.id),
        answered: Some(false),
        ..supervision::Filter::default()
    };
    let args = page::Args { first: Some(100), ..page::Args::default() };
    for (_, notice) in supervision::list(unit, filter, &args).await?.items {
        let answer = "因备件采购超期，现已到货，三日内办结；今后提前储备常用备件。";
        supervision::answer(unit, notice.id, answer, None).await?;
    }
    Ok(())
}

async fn request(committee: &Ctx, problem: Which, kind: Kind) -> Result<()> {
    let new = NewFollowUp { problem, reporter_problem_id: None, kind, due_on: None };
    follow_up::request(committee, new).await?;
    Ok(())
}

/// The follow-up of a problem that somebody is to do, if any.
async fn open(officer: &Ctx, which: Which) -> Result<Option<WhichFollowUp>> {
    let filter = follow_up::Filter {
        problem_id: Some(which.id),
        state: Some(asked::State::Due),
        ..follow_up::Filter::default()
    };
    let page = follow_up::list(officer, filter, &page::Args::default()).await?;
    let first = page.items.into_iter().next();
    Ok(first.map(|(_, row)| WhichFollowUp { id: row.id, expected_version: None }))
}

async fn due(officer: &Ctx, which: Which) -> Result<WhichFollowUp> {
    open(officer, which).await?.ok_or_else(|| missing("a follow-up"))
}

/// What somebody says who is satisfied.
fn content(words: &str, note: Option<&str>) -> Answer {
    Answer {
        solved: Solved::Yes,
        satisfied: true,
        words: Some(words.to_owned()),
        note: note.map(str::to_owned),
    }
}

/// The committee assigns what came in together in one go, as `assignProblems` does.
pub async fn assign_together(story: &Story<'_>) -> Result<()> {
    let committee = story.of("committee")?;
    let all = story.cast.problems.of(Fate::AssignedTogether);
    bulk::begin(&committee, all.len()).await?;
    for (index, (matter, id)) in all.into_iter().enumerate() {
        let which = Which { id, expected_version: None };
        moves::assign(&bulk::item(&committee, index)?, which, story.unit(&matter.unit)?, None).await?;
    }
    Ok(())
}
