//! The county above the town: a department, a verifier and two approvers, since the county wants two sign-offs. It settles
//! one problem that the town handed up, and hands another back.

use concord_entities::{
    escalation::{self, Column},
    id::{AllianceId, ProblemId},
    organization::Kind,
    problem::Tier,
    seat::Role,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{
    problems::show,
    small,
    story::{PASSWORD, Story, missing},
};
use crate::domain::{
    Ctx, Result,
    governance::{
        alliance::{self, AllianceChange},
        membership::{self, Contact},
    },
    identity::{
        account::{self, NewAccount},
        seat::{self, NewSeat},
        session,
    },
    list::problem::{
        escalation as handed_up,
        moves::{self, Triage, Which},
    },
};

/// Who handles, and who looks at it afterwards.
const DEPARTMENT: &str = "海晏县交通运输局";
const INSPECTORATE: &str = "海晏县督查考核中心";
/// Its people, by the names of their accounts.
const STAFF: &str = "county_staff";
const VERIFIER: &str = "county_verifier";
const APPROVER: &str = "county_approver";
const LEADER: &str = "county_leader";
/// How many sign-offs the county wants.
const SIGN_OFFS: i32 = 2;

/// What the county does with what the town handed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    TakeUp,
    Work,
    Show,
    Verify,
    SignOff,
    StrikeOff,
    HandBack,
}

/// The county's units and people.
pub async fn open(story: &mut Story<'_>) -> Result<()> {
    let (system, county) = (story.stage.system(), story.alliance("county")?);
    let change = AllianceChange { sign_offs: Some(SIGN_OFFS), ..AllianceChange::default() };
    alliance::update(&system, county, 1, change).await?;
    for (name, kind) in [(DEPARTMENT, Kind::GovernmentUnit), (INSPECTORATE, Kind::PublicInstitution)] {
        let unit = small::unit(story, name, kind).await?;
        membership::admit(&system, county, unit, Contact::default()).await?;
        story.cast.units.insert(name.to_owned(), unit);
    }
    let hash = session::hash_new(&story.stage.app, "county", PASSWORD, "password").await?;
    let there = (county, hash.as_str());
    join(story, there, (STAFF, "县交通局经办人"), (Role::MemberStaff, Some(DEPARTMENT))).await?;
    join(story, there, (VERIFIER, "县督查专员"), (Role::Verifier, Some(INSPECTORATE))).await?;
    join(story, there, (APPROVER, "县委办审批人"), (Role::Approver, None)).await?;
    join(story, there, (LEADER, "县分管领导"), (Role::Approver, None)).await
}

/// Nobody is asked to sign in as them, so the handout leaves them out.
async fn join(
    story: &mut Story<'_>,
    (county, hash): (AllianceId, &str),
    (part, name): (&'static str, &str),
    (role, unit): (Role, Option<&str>),
) -> Result<()> {
    let system = story.stage.system();
    let new = NewAccount {
        username: part.to_owned(),
        display_name: name.to_owned(),
        password_hash: Some(hash.to_owned()),
        ..NewAccount::default()
    };
    let account_id = account::create(&system, new).await?.id;
    let organization_id = unit.map(|unit| story.unit(unit)).transpose()?;
    let seat = NewSeat { account_id, alliance_id: county, role, organization_id, region_id: None };
    seat::grant(&system, seat).await?;
    story.cast.county.insert(part, account_id);
    Ok(())
}

/// The hand of somebody of the county.
fn hand(story: &Story<'_>, part: &'static str) -> Result<Ctx> {
    story.cast.county.get(part).map(|id| story.stage.hand(*id)).ok_or_else(|| missing(part))
}

/// The problem as which the county took up one of the town's.
async fn above(story: &Story<'_>, of: ProblemId) -> Result<Which> {
    let link = escalation::Entity::find()
        .filter(Column::ProblemId.eq(of))
        .filter(Column::State.eq(escalation::State::Open))
        .one(&story.stage.app.read)
        .await?
        .ok_or_else(|| missing("a problem that was handed up"))?;
    Ok(Which { id: link.parent_problem_id, expected_version: None })
}

pub async fn play(story: &Story<'_>, of: ProblemId, serial: usize, step: Step) -> Result<()> {
    let which = above(story, of).await?;
    let (county, staff) = (story.of("county")?, hand(story, STAFF)?);
    match step {
        Step::TakeUp => {
            let triage = Triage {
                tier: Tier::Hard,
                measures: "会同公安交警论证，列入县级道路安全整治计划实施。".to_owned(),
                criterion: "设施验收合格并移交养护单位。".to_owned(),
                is_complex: true,
            };
            moves::triage(&county, which, triage).await?;
            moves::assign(&county, which, story.unit(DEPARTMENT)?, None).await?;
        }
        Step::Work => {
            moves::accept(&staff, which).await?;
            moves::start(&staff, which, None).await?;
        }
        Step::Show => {
            show(&staff, which.id, serial, "县级部门施工完成照片").await?;
            moves::submit(&staff, which).await?;
        }
        Step::Verify => {
            moves::verify(&hand(story, VERIFIER)?, which, "现场验收合格，资料齐全。").await?;
        }
        Step::SignOff => {
            moves::sign_off(&hand(story, APPROVER)?, which).await?;
        }
        // The second sign-off is the strike-off.
        Step::StrikeOff => {
            moves::strike_off(&hand(story, LEADER)?, which).await?;
        }
        Step::HandBack => {
            let reason = "属镇级职责，请由镇牵头与养护单位对接解决。";
            handed_up::hand_back(&county, which, reason).await?;
        }
    }
    Ok(())
}
