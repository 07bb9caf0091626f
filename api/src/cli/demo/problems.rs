//! The closure list: half a year of problems struck off, and problems in every state when the story ends, some of them
//! declined or returned on the way. A neighbour has a list of its own that nobody in the town sees.

use chrono::{TimeDelta, Utc};
use concord_entities::{
    evidence::Stage,
    follow_up::{Kind, Solved},
    id::{OrganizationId, ProblemId},
    problem::{Channel, Severity, Tier},
    problem_tier_move::Forum,
};
use serde::Deserialize;

use super::{
    county, further,
    opening::SHOWN,
    pictures,
    story::{Agenda, Cue as On, Story, missing},
};
use crate::domain::{
    Ctx, Error, Result,
    list::{
        evidence::{self, NewEvidence, Subject},
        follow_up::{self, Answer, NewFollowUp, WhichFollowUp},
        problem::{
            self, NewProblem, escalation, merge,
            moves::{self, Triage, Which},
            on_account::{self, NewHold},
            parts::{self, WhichPart},
            tiers::{self, Settled},
        },
    },
};

/// What the problems say.
const MATTERS: &str = include_str!("matters.csv");
/// Who wrongly got the problem that is declined before it comes to the right unit.
const WRONG_UNIT: &str = "州林草局";
/// Who shares the problem that several units handle.
pub const JOINT_UNIT: &str = "州环卫公司";

/// How far a problem gets before the story ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    Registered,
    Triaged,
    Assigned,
    Declined,
    Accepted,
    InProgress,
    OnAccount,
    Shared,
    Submitted,
    Returned,
    Verified,
    StruckOff,
    StruckOffAfterReturn,
    StruckOffAfterDecline,
    Rejected,
    Withdrawn,
    Merged,
    Escalated,
    Reopened,
    /// More time was granted once and refused once.
    Extended,
    /// Held on account and taken off again.
    Resumed,
    /// Late, and the notice about it answered.
    Supervised,
    /// One of its joint units declined its part.
    PartDeclined,
    FollowedUpByLink,
    FollowedUpByVisit,
    /// Its reporter was called three times in vain.
    Unreachable,
    /// Struck off by the county with two sign-offs, then in the town.
    ResolvedAbove,
    /// Handed back by the county.
    ReturnedAbove,
    /// Assigned with others in one go.
    AssignedTogether,
}

/// A problem as the file tells it.
#[derive(Clone, Debug, Deserialize)]
pub struct Matter {
    fate: Fate,
    /// Days between its registration and the end of the story.
    age: f64,
    title: String,
    description: String,
    category: String,
    place: String,
    community: usize,
    channel: Channel,
    severity: Severity,
    tier: Option<Tier>,
    complex: String,
    pub unit: String,
    measures: String,
    criterion: String,
}

/// A step of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Register,
    Triage,
    Assign,
    AssignWrongly,
    AssignJointly,
    MoveTier,
    TakePart,
    FinishPart,
    Hold,
    Accept,
    Decline,
    Start,
    Submit,
    SendBack,
    Verify,
    StrikeOff,
    Reject,
    Withdraw,
    Merge,
    Escalate,
    FollowUp,
    Further(further::Step),
    /// Of the county, about what it took up.
    Above(county::Step),
}

/// The straight way of a problem, each step with the hours since registration.
const WAY: [(Step, i32); 8] = [
    (Step::Register, 0),
    (Step::Triage, 3),
    (Step::Assign, 5),
    (Step::Accept, 22),
    (Step::Start, 30),
    (Step::Submit, 76),
    (Step::Verify, 98),
    (Step::StrikeOff, 104),
];

impl Fate {
    fn steps(self) -> Vec<(Step, i32)> {
        let [register, triage, assign, accept, start, submit, verify, strike_off] = WAY;
        let wrongly = (Step::AssignWrongly, 5);
        let decline = (Step::Decline, 20);
        let later = |(step, hours): (Step, i32), by: i32| (step, hours + by);
        match self {
            Self::Registered => vec![register],
            Self::Triaged => vec![register, triage],
            Self::Assigned => vec![register, triage, assign],
            Self::Declined => vec![register, triage, assign, decline],
            Self::Accepted => vec![register, triage, assign, accept],
            Self::InProgress => vec![register, triage, assign, accept, start],
            Self::OnAccount => vec![register, triage, assign, accept, start, (Step::Hold, 76)],
            Self::Shared => {
                let [jointly, moved] = [(Step::AssignJointly, 5), (Step::MoveTier, 8)];
                let [part, done] = [(Step::TakePart, 31), (Step::FinishPart, 70)];
                vec![register, triage, jointly, moved, accept, start, part, done]
            }
            Self::Submitted => vec![register, triage, assign, accept, start, submit],
            Self::Returned => vec![register, triage, assign, accept, start, submit, (Step::SendBack, 98)],
            Self::Verified => vec![register, triage, assign, accept, start, submit, verify],
            Self::StruckOff => WAY.to_vec(),
            Self::StruckOffAfterReturn => {
                let mut steps = Self::Returned.steps();
                steps.extend([later(submit, 70), later(verify, 70), later(strike_off, 70)]);
                steps
            }
            Self::StruckOffAfterDecline => {
                let mut steps = vec![register, triage, wrongly, decline];
                steps.extend([assign, accept, start, submit, verify, strike_off].map(|step| later(step, 24)));
                steps
            }
            Self::Rejected => vec![register, (Step::Reject, 20)],
            Self::Withdrawn => vec![register, (Step::Withdraw, 8)],
            Self::Merged => vec![register, (Step::Merge, 6)],
            Self::Escalated => vec![register, triage, (Step::Escalate, 24)],
            Self::Reopened => {
                let mut steps = WAY.to_vec();
                steps.push((Step::FollowUp, 150));
                steps
            }
            Self::AssignedTogether => vec![register, triage],
            _ => self.further(),
        }
    }

    /// The same of those whose way leads aside.
    fn further(self) -> Vec<(Step, i32)> {
        use further::Step as F;
        let [register, triage, assign, accept, start, submit, verify, strike_off] = WAY;
        let begun = [register, triage, assign, accept, start];
        let end = [submit, verify, strike_off];
        let late = |by: i32, steps: &[(Step, i32)]| -> Vec<(Step, i32)> {
            steps.iter().map(|(step, hours)| (*step, hours + by)).collect()
        };
        let aside = |steps: &[(F, i32)]| -> Vec<(Step, i32)> {
            steps.iter().map(|(step, hours)| (Step::Further(*step), *hours)).collect()
        };
        match self {
            Self::Extended => {
                let asked = [(F::AskForTime, 80), (F::Grant, 104), (F::AskForMore, 250), (F::Refuse, 274)];
                [begun.to_vec(), aside(&asked), late(220, &end)].concat()
            }
            Self::Resumed => {
                [begun.to_vec(), aside(&[(F::Pause, 76), (F::Resume, 220)]), late(220, &end)].concat()
            }
            // The limit has passed by then, and the hands have told so.
            Self::Supervised => [begun.to_vec(), aside(&[(F::AnswerNotices, 150)]), late(90, &end)].concat(),
            Self::PartDeclined => {
                let mut steps = vec![register, triage, (Step::Further(F::AssignToThree), 5), accept];
                steps.extend([(Step::Further(F::DeclinePart), 24), start, (Step::TakePart, 31)]);
                steps
            }
            Self::FollowedUpByLink => [WAY.to_vec(), aside(&[(F::AskByLink, 130)])].concat(),
            Self::FollowedUpByVisit => {
                [WAY.to_vec(), aside(&[(F::PlanVisit, 130), (F::NoteVisit, 154)])].concat()
            }
            Self::Unreachable => {
                [WAY.to_vec(), aside(&[130, 154, 178].map(|hours| (F::TryToCall, hours)))].concat()
            }
            Self::ResolvedAbove => {
                use county::Step::{Show, SignOff, StrikeOff, TakeUp, Verify, Work};
                let mut steps = vec![register, triage, (Step::Escalate, 24)];
                let above =
                    [(TakeUp, 40), (Work, 60), (Show, 120), (Verify, 140), (SignOff, 150), (StrikeOff, 156)];
                steps.extend(above.map(|(step, hours)| (Step::Above(step), hours)));
                [steps, late(170, &[assign, accept, start]), late(170, &end)].concat()
            }
            Self::ReturnedAbove => {
                let mut steps = vec![register, triage, (Step::Escalate, 24)];
                steps.push((Step::Above(county::Step::HandBack), 48));
                [steps, late(60, &[assign, accept, start])].concat()
            }
            _ => Vec::new(),
        }
    }
}

/// What happens to the closure list; problems are named by their place in the book.
#[derive(Clone, Copy, Debug)]
pub enum Cue {
    Take(usize, Step),
    AssignTogether,
    Neighbour,
}

/// All problems of the story.
#[derive(Debug, Default)]
pub struct Book {
    entries: Vec<(Matter, Option<ProblemId>)>,
    pub neighbour: Option<ProblemId>,
}

impl Book {
    /// A problem in progress at the unit that the demo shows: the one to try things on.
    pub fn in_progress(&self) -> Option<ProblemId> {
        self.entries
            .iter()
            .find(|(matter, _)| matter.fate == Fate::InProgress && matter.unit == SHOWN)
            .and_then(|(_, id)| *id)
    }

    /// The first that has come to a fate.
    pub fn first(&self, fate: Fate) -> Option<ProblemId> {
        self.of(fate).first().map(|(_, id)| *id)
    }

    /// What has come to a fate, as far as it is registered.
    pub fn of(&self, fate: Fate) -> Vec<(&Matter, ProblemId)> {
        let those = self.entries.iter().filter(|(matter, _)| matter.fate == fate);
        those.filter_map(|(matter, id)| Some((matter, (*id)?))).collect()
    }
}

pub fn agenda(story: &mut Story<'_>, agenda: &mut Agenda) -> Result<()> {
    let matters: Vec<Matter> = csv::Reader::from_reader(MATTERS.as_bytes())
        .deserialize()
        .collect::<std::result::Result<_, _>>()
        .map_err(Error::internal)?;
    let days = &story.days;
    let mut together = days.in_office(days.end - TimeDelta::hours(20));
    for (index, matter) in matters.iter().enumerate() {
        let age = std::time::Duration::from_secs_f64(matter.age * 86_400.0);
        let registered = days.end - TimeDelta::from_std(age).map_err(Error::internal)?;
        let mut last = chrono::DateTime::<Utc>::MIN_UTC;
        for (step, hours) in matter.fate.steps() {
            let at = days.in_office(registered + TimeDelta::hours(i64::from(hours)));
            last =
                if step == Step::Register { at } else { at.max(last + TimeDelta::minutes(7)) }.min(days.end);
            agenda.push((last, On::Problem(Cue::Take(index, step))));
        }
        if matter.fate == Fate::AssignedTogether {
            together = together.max(last + TimeDelta::minutes(9)).min(days.end);
        }
    }
    agenda.push((together, On::Problem(Cue::AssignTogether)));
    agenda.push((days.in_office(days.end - TimeDelta::days(6)), On::Problem(Cue::Neighbour)));
    story.cast.problems =
        Book { entries: matters.into_iter().map(|matter| (matter, None)).collect(), neighbour: None };
    Ok(())
}

pub async fn play(story: &mut Story<'_>, cue: Cue) -> Result<()> {
    match cue {
        Cue::Take(index, Step::Register) => Box::pin(register(story, index)).await,
        Cue::Take(index, step) => Box::pin(take(story, index, step)).await,
        Cue::AssignTogether => Box::pin(further::assign_together(story)).await,
        Cue::Neighbour => {
            let new = NewProblem {
                alliance_id: story.alliance("neighbour")?,
                title: "沙柳河镇湿地步道木板破损".to_owned(),
                description: "步道木板断裂两处。".to_owned(),
                category: "公共安全".to_owned(),
                place: Some("沙柳河湿地步道".to_owned()),
                region_id: None,
                channel: Channel::Patrol,
                reporter_name: None,
                reporter_phone: None,
                severity: Severity::Ordinary,
                occurred_at: None,
                evidence: Vec::new(),
            };
            story.cast.problems.neighbour = Some(problem::register(&story.of("neighbour")?, new).await?.id);
            Ok(())
        }
    }
}

/// Whoever the channel names writes the problem down.
fn registrar(story: &Story<'_>, channel: Channel) -> Result<Ctx> {
    match channel {
        Channel::GridOfficer => story.of("grid"),
        Channel::Patrol | Channel::Resident => story.of("officer"),
        Channel::MemberOrganization => story.of("staff"),
        _ => story.of("committee"),
    }
}

async fn register(story: &mut Story<'_>, index: usize) -> Result<()> {
    let (matter, _) = story.cast.problems.entries.get(index).cloned().ok_or_else(|| missing("a problem"))?;
    let ctx = registrar(story, matter.channel)?;
    let evidence = if matter.channel == Channel::GridOfficer {
        vec![pictures::send(&ctx, 1000 + index, "现场照片.png").await?]
    } else {
        Vec::new()
    };
    let serial = 601 + u32::try_from(index).unwrap_or_default();
    let spoken = matches!(matter.channel, Channel::Hotline | Channel::Resident | Channel::Online);
    let new = NewProblem {
        alliance_id: story.town()?,
        title: matter.title,
        description: matter.description,
        category: matter.category,
        place: Some(matter.place),
        region_id: Some(story.community(matter.community)?),
        channel: matter.channel,
        reporter_name: spoken.then(|| super::units::person(serial)),
        reporter_phone: spoken.then(|| super::units::phone(serial)),
        severity: matter.severity,
        occurred_at: Some(ctx.now() - TimeDelta::minutes(40)),
        evidence,
    };
    let id = problem::register(&ctx, new).await?.id;
    if let Some(entry) = story.cast.problems.entries.get_mut(index) {
        entry.1 = Some(id);
    }
    Ok(())
}

async fn take(story: &Story<'_>, index: usize, step: Step) -> Result<()> {
    let (matter, id) = story.cast.problems.entries.get(index).ok_or_else(|| missing("a problem"))?;
    let which =
        Which { id: id.ok_or_else(|| missing("a problem that was registered"))?, expected_version: None };
    let committee = story.of("committee")?;
    match step {
        Step::Register => {}
        Step::Triage => {
            let triage = Triage {
                tier: matter.tier.unwrap_or(Tier::Small),
                measures: matter.measures.clone(),
                criterion: matter.criterion.clone(),
                is_complex: matter.complex == "yes",
            };
            moves::triage(&committee, which, triage).await?;
        }
        Step::Assign => {
            moves::assign(&committee, which, story.unit(&matter.unit)?, None).await?;
        }
        Step::AssignWrongly => {
            moves::assign(&committee, which, story.unit(WRONG_UNIT)?, None).await?;
        }
        Step::AssignJointly => {
            let (lead, joint) = (story.unit(&matter.unit)?, story.unit(JOINT_UNIT)?);
            moves::assign_jointly(&committee, which, lead, &[joint], None).await?;
        }
        Step::MoveTier => {
            let reason = Some("两次协商未达成一致，提请居民议事会审议。".to_owned());
            tiers::move_tier(&committee, which, Tier::Hard, Settled { forum: Forum::Council, reason })
                .await?;
        }
        Step::TakePart => {
            let (unit, part) = joint_part(story, which)?;
            parts::accept(&unit, part).await?;
            parts::start(&unit, part).await?;
        }
        Step::FinishPart => {
            let (unit, part) = joint_part(story, which)?;
            show(&unit, which.id, 3000 + index, "配合单位完成现场照片").await?;
            parts::finish(&unit, part).await?;
        }
        Step::Hold => {
            let new = NewHold {
                reason: "须待明年春季管网改造后实施，冬季无法开挖。".to_owned(),
                organization_id: None,
                review_on: story.stage.now().date_naive() + TimeDelta::days(120),
            };
            on_account::hold(&committee, which, new).await?;
        }
        Step::Decline => {
            let wrongly = matter.fate == Fate::StruckOffAfterDecline;
            let (from, right) = if wrongly {
                (WRONG_UNIT, matter.unit.as_str())
            } else {
                (matter.unit.as_str(), "州供水公司")
            };
            let (from, right) = (story.staff(story.unit(from)?)?, story.unit(right)?);
            moves::decline(&from, which, "不属于本单位职责范围，建议由主管单位牵头办理。", Some(right))
                .await?;
        }
        Step::Accept => {
            moves::accept(&handler(story, matter)?, which).await?;
        }
        Step::Start => {
            moves::start(&handler(story, matter)?, which, None).await?;
        }
        Step::Submit => {
            let (unit, again) = (handler(story, matter)?, story.stage.now());
            let serial = 2000 + index + usize::try_from(again.timestamp() % 97).unwrap_or_default();
            show(&unit, which.id, serial, "整改后现场照片").await?;
            moves::submit(&unit, which).await?;
        }
        Step::SendBack => {
            let reason = "现场复核发现仍有一处未达到销号标准，退回重办。";
            moves::send_back(&story.of("verifier")?, which, reason).await?;
        }
        Step::Verify => {
            moves::verify(&story.of("verifier")?, which, "现场核验，符合销号标准。").await?;
        }
        Step::StrikeOff => {
            moves::strike_off(&story.of("approver")?, which).await?;
        }
        Step::Reject => {
            moves::reject(&committee, which, "不属于联盟受理范围，已告知反映人相应办理渠道。").await?;
        }
        Step::Merge => {
            let survivor =
                story.cast.problems.in_progress().ok_or_else(|| missing("a problem in progress"))?;
            merge::merge(&committee, which, survivor, "与在办问题为同一处，并案办理。").await?;
        }
        Step::Escalate => {
            escalation::escalate(&committee, which, "超出镇级权限，提请县级联盟统筹。").await?;
        }
        Step::FollowUp => {
            let asked =
                NewFollowUp { problem: which, reporter_problem_id: None, kind: Kind::Call, due_on: None };
            let asked = follow_up::request(&committee, asked).await?;
            let answer = Answer {
                solved: Solved::Partly,
                satisfied: false,
                words: Some("修好两天又响了。".to_owned()),
                note: Some("电话回访".to_owned()),
            };
            let asked = WhichFollowUp { id: asked.id, expected_version: None };
            follow_up::record_answer(&story.of("officer")?, asked, answer).await?;
        }
        Step::Withdraw => {
            moves::withdraw(&registrar(story, matter.channel)?, which, "经核实已现场解决，撤回登记。")
                .await?;
        }
        Step::Further(step) => Box::pin(further::take(story, matter, which, step)).await?,
        Step::Above(step) => Box::pin(county::play(story, which.id, 4000 + index, step)).await?,
    }
    Ok(())
}

/// A picture of what a unit did.
pub async fn show(unit: &Ctx, problem: ProblemId, serial: usize, note: &str) -> Result<()> {
    let file = pictures::send(unit, serial, "整改后照片.png").await?;
    let new = NewEvidence {
        subject: Subject::Problem(problem),
        files: vec![file],
        stage: Stage::Closure,
        note: Some(note.to_owned()),
    };
    evidence::add(unit, new).await?;
    Ok(())
}

/// The part of the unit that shares a problem, and whoever does its work.
fn joint_part(story: &Story<'_>, problem: Which) -> Result<(Ctx, WhichPart)> {
    let organization = story.unit(JOINT_UNIT)?;
    Ok((story.staff(organization)?, WhichPart { problem, organization }))
}

/// The hand of whoever does the leading unit's work.
pub fn handler(story: &Story<'_>, matter: &Matter) -> Result<Ctx> {
    let unit: OrganizationId = story.unit(&matter.unit)?;
    story.staff(unit)
}
