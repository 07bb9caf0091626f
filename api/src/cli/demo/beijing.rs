//! Beijing's small story: a subdistrict blows the whistle and the district's departments report in (街乡吹哨、部门报到). One whistle
//! was answered, evaluated and released; one was refused twice and went to the backstop unit; an emergency sounds as the story
//! ends.

use chrono::TimeDelta;
use concord_entities::{
    id::{AccountId, AllianceId, OrganizationId, WhistleId, WhistleResponseId},
    organization::Kind as Unit,
    region::Level,
    seat::Role,
    whistle::Kind,
    whistle_response::{self, Solved},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::story::{self, Agenda, PASSWORD, Person, Story, missing};
use crate::domain::{
    Ctx, Result,
    governance::{
        alliance::{self, NewAlliance},
        membership::{self, Contact},
        organization::{self, NewOrganization},
    },
    identity::{
        account::{self, NewAccount},
        seat::{self, NewSeat},
        session,
    },
    territory::region::{self, NewRegion},
    whistle::{
        self, NewCall, NewWhistle, Which,
        answer::{self, Evaluation, ReportIn, WhichCall},
        steps,
    },
};

/// The departments, in the order of the roster.
const DEPARTMENTS: [&str; 5] =
    ["区城市管理委", "区城管执法局", "区市场监管局", "区消防救援支队", "区住房城乡建设委"];
const MANAGEMENT: usize = 0;
const ENFORCEMENT: usize = 1;
const MARKETS: usize = 2;
const FIRE: usize = 3;
const HOUSING: usize = 4;

/// What there is of it.
#[derive(Default)]
pub struct Book {
    pub alliance: Option<AllianceId>,
    /// The whistle that was answered.
    pub whistle: Option<WhistleId>,
    units: Vec<OrganizationId>,
    staff: Vec<AccountId>,
    refused: Option<WhistleId>,
    emergency: Option<WhistleId>,
}

/// What happens, in order.
#[derive(Clone, Copy, Debug)]
pub enum Cue {
    Opening,
    Blow,
    ReportIn,
    Resolve,
    Release,
    BlowAgain,
    Refuse,
    RefuseAgain,
    Emergency,
    FirstOnSite,
}

/// When, in minutes before the story ends.
const BEFORE: [(Cue, i64); 10] = [
    (Cue::Opening, 13 * 1440),
    (Cue::Blow, 12 * 1440),
    (Cue::ReportIn, 12 * 1440 - 40),
    (Cue::Resolve, 10 * 1440),
    (Cue::Release, 9 * 1440),
    (Cue::BlowAgain, 5 * 1440),
    (Cue::Refuse, 5 * 1440 - 180),
    (Cue::RefuseAgain, 4 * 1440),
    (Cue::Emergency, 20),
    (Cue::FirstOnSite, 6),
];

pub fn agenda(story: &Story<'_>, agenda: &mut Agenda) {
    let at = |minutes| story.days.end - TimeDelta::minutes(minutes);
    agenda.extend(BEFORE.map(|(cue, minutes)| (at(minutes), story::Cue::Whistle(cue))));
}

pub async fn play(story: &mut Story<'_>, cue: Cue) -> Result<()> {
    match cue {
        Cue::Opening => Box::pin(open(story)).await,
        Cue::Blow => {
            let id = blow(
                story,
                Kind::Enforcement,
                ("背街小巷违建与占道经营", "违建、无照经营与消防隐患并存，需联合执法"),
                &[ENFORCEMENT, MARKETS, FIRE],
                Some(MANAGEMENT),
            )
            .await?;
            story.cast.whistles.whistle = Some(id);
            Ok(())
        }
        Cue::ReportIn => {
            each(story, story.cast.whistles.whistle, async |unit, call| {
                let with = ReportIn { place: "东华门街道办事处".to_owned(), head_count: 4 };
                answer::report_in(&unit, call, &with).await?;
                answer::arrive(&unit, call).await.map(drop)
            })
            .await
        }
        Cue::Resolve => {
            each(story, story.cast.whistles.whistle, async |unit, call| {
                answer::claim(&unit, call, "违建已拆除，无照摊位已清退，隐患当场整改").await.map(drop)
            })
            .await
        }
        Cue::Release => {
            let town = story.of("beijing")?;
            each(story, story.cast.whistles.whistle, async |_, call| {
                let given =
                    Evaluation {
                        solved: Solved::Yes, score: 5, words: "到场及时，处置到位".to_owned()
                    };
                answer::evaluate(&town, call, &given).await?;
                answer::release(&town, call).await.map(drop)
            })
            .await
        }
        Cue::BlowAgain => {
            let title = ("老旧平房院落排水不畅", "雨后积水，权属不清，需专业部门牵头");
            let id = blow(story, Kind::PriorityWork, title, &[HOUSING], Some(MANAGEMENT)).await?;
            story.cast.whistles.refused = Some(id);
            Ok(())
        }
        Cue::Refuse => {
            let call = refuse(story, HOUSING, ENFORCEMENT, "直管公房以外，不属本委职责").await?;
            let to = Some(unit(story, ENFORCEMENT)?);
            answer::reroute(&story.of("beijing")?, call, to, None, None).await.map(drop)
        }
        // The second refusal calls the backstop unit.
        Cue::RefuseAgain => refuse(story, ENFORCEMENT, HOUSING, "排水设施维护不属执法事项").await.map(drop),
        Cue::Emergency => {
            let title = ("胡同内燃气泄漏", "居民闻到燃气味，已疏散周边住户");
            let id = blow(story, Kind::Emergency, title, &[FIRE, MANAGEMENT], None).await?;
            story.cast.whistles.emergency = Some(id);
            Ok(())
        }
        Cue::FirstOnSite => {
            let of = story.cast.whistles.emergency.ok_or_else(|| missing("the emergency"))?;
            let call = call_of(story, of, FIRE).await?;
            let staff = hand(story, FIRE)?;
            let with = ReportIn { place: "锡拉胡同口".to_owned(), head_count: 8 };
            answer::report_in(&staff, call, &with).await?;
            answer::arrive(&staff, call).await.map(drop)
        }
    }
}

fn unit(story: &Story<'_>, place: usize) -> Result<OrganizationId> {
    story.cast.whistles.units.get(place).copied().ok_or_else(|| missing("a department"))
}

/// The hand of whoever does a department's work.
fn hand(story: &Story<'_>, place: usize) -> Result<Ctx> {
    let staff = story.cast.whistles.staff.get(place).ok_or_else(|| missing("a department's staff"))?;
    Ok(story.stage.hand(*staff))
}

/// The open call of a department.
async fn call_of(story: &Story<'_>, of: WhistleId, place: usize) -> Result<WhichCall> {
    let call = calls(story, of).await?.into_iter().find(|(at, _)| *at == place);
    let (_, id) = call.ok_or_else(|| missing("a call"))?;
    Ok(WhichCall { id, expected_version: None })
}

/// The open calls of a whistle, each with the place of its department.
async fn calls(story: &Story<'_>, of: WhistleId) -> Result<Vec<(usize, WhistleResponseId)>> {
    let rows = whistle_response::Entity::find()
        .filter(whistle_response::Column::WhistleId.eq(of))
        .filter(whistle_response::Column::IsOpen.eq(true))
        .all(&story.stage.app.read)
        .await?;
    let units = &story.cast.whistles.units;
    let place = |row: &whistle_response::Model| units.iter().position(|unit| *unit == row.organization_id);
    let mut found: Vec<_> = rows.iter().filter_map(|row| Some((place(row)?, row.id))).collect();
    found.sort_unstable();
    Ok(found)
}

/// Lets every department that is called do something.
async fn each(
    story: &Story<'_>,
    of: Option<WhistleId>,
    work: impl AsyncFn(Ctx, WhichCall) -> Result<()>,
) -> Result<()> {
    let of = of.ok_or_else(|| missing("a whistle"))?;
    for (place, id) in calls(story, of).await? {
        work(hand(story, place)?, WhichCall { id, expected_version: None }).await?;
    }
    Ok(())
}

async fn refuse(story: &Story<'_>, by: usize, to: usize, reason: &str) -> Result<WhichCall> {
    let of = story.cast.whistles.refused.ok_or_else(|| missing("a whistle"))?;
    let call = call_of(story, of, by).await?;
    answer::refuse(&hand(story, by)?, call, reason, unit(story, to)?).await?;
    Ok(call)
}

/// The subdistrict applies, its leader approves, and it blows.
async fn blow(
    story: &Story<'_>,
    kind: Kind,
    (title, description): (&str, &str),
    departments: &[usize],
    backstop: Option<usize>,
) -> Result<WhistleId> {
    let alliance_id = story.cast.whistles.alliance.ok_or_else(|| missing("the subdistrict"))?;
    let town = story.of("beijing")?;
    let new = NewWhistle {
        alliance_id,
        kind,
        title: title.to_owned(),
        description: description.to_owned(),
        place: Some("东华门街道".to_owned()),
        region_id: None,
        problem_id: None,
    };
    let id = whistle::apply(&town, new).await?.id;
    let which = Which { id, expected_version: None };
    steps::approve(&story.of("beijing_leader")?, which).await?;
    let call = |place: &usize| {
        Ok(NewCall { organization_id: unit(story, *place)?, report_in_by: None, resolve_by: None })
    };
    let calls = departments.iter().map(call).collect::<Result<Vec<_>>>()?;
    let backstop = backstop.map(|place| unit(story, place)).transpose()?;
    steps::sound(&town, which, &calls, backstop).await?;
    Ok(id)
}

/// The district and its subdistrict, the departments, and somebody in each.
async fn open(story: &mut Story<'_>) -> Result<()> {
    let system = story.stage.system();
    let mut parent_id = None;
    let mut places = Vec::new();
    for (code, name, level) in [
        ("11", "北京市", Level::Province),
        ("1101", "市辖区", Level::Prefecture),
        ("110101", "东城区", Level::County),
        ("110101001", "东华门街道", Level::Township),
    ] {
        let new = NewRegion { parent_id, code: Some(code.to_owned()), name: name.to_owned(), level };
        let id = region::record(&system, new).await?.id;
        parent_id = Some(id);
        places.push(id);
    }
    let [.., county, town] = places.as_slice() else { return Err(missing("the regions of Beijing")) };
    let record = async |name: &str, kind| {
        let new = NewOrganization {
            name: name.to_owned(),
            short_name: None,
            kind,
            credit_code: None,
            region_id: Some(*county),
        };
        organization::record(&system, new).await.map(|unit| unit.id)
    };
    let committee = record("中共东华门街道工作委员会", Unit::TownCommittee).await?;
    let found = |name: &str, short: &str, region_id, parent_id, committee| NewAlliance {
        name: name.to_owned(),
        region_id,
        parent_id,
        committee_organization_id: committee,
        oversight_organization_id: None,
        time_zone: "Asia/Shanghai".to_owned(),
        number_pattern: format!("{short}销〔{{year}}〕{{seq:4}}号"),
        check_in_working_day: 5,
    };
    let district =
        alliance::found(&system, found("东城区党建工作协调委员会", "东城", *county, None, None)).await?.id;
    let new = found("东华门街道党建工作协调委员会", "东华门", *town, Some(district), Some(committee));
    let alliance_id = alliance::found(&system, new).await?.id;
    membership::admit(&system, alliance_id, committee, Contact::default()).await?;
    story.cast.whistles.alliance = Some(alliance_id);
    let hash = session::hash_new(&story.stage.app, "beijing", PASSWORD, "password").await?;
    let join = async |username: &str, name: &str, role, organization_id| {
        let new = NewAccount {
            username: username.to_owned(),
            display_name: name.to_owned(),
            password_hash: Some(hash.clone()),
            ..NewAccount::default()
        };
        let row = account::create(&system, new).await?;
        let seat = NewSeat { account_id: row.id, alliance_id, role, organization_id, region_id: None };
        seat::grant(&system, seat).await?;
        Ok::<_, crate::domain::Error>(row)
    };
    for (index, name) in DEPARTMENTS.iter().enumerate() {
        let unit = record(name, Unit::GovernmentUnit).await?;
        membership::admit(&system, alliance_id, unit, Contact::default()).await?;
        let staff =
            join(&format!("bureau{}", index + 1), "报到联络员", Role::MemberStaff, Some(unit)).await?;
        story.cast.whistles.units.push(unit);
        story.cast.whistles.staff.push(staff.id);
        if index == ENFORCEMENT {
            cast(story, "bureau", staff, Role::MemberStaff, Some(name));
        }
    }
    let clerk = join("beijing", "街道吹哨专员", Role::Committee, Some(committee)).await?;
    cast(story, "beijing", clerk, Role::Committee, Some("东华门街道工委"));
    let leader = join("beijing_leader", "街道主任", Role::Approver, None).await?;
    cast(story, "beijing_leader", leader, Role::Approver, None);
    Ok(())
}

fn cast(
    story: &mut Story<'_>,
    part: &'static str,
    row: concord_entities::account::Model,
    role: Role,
    unit: Option<&str>,
) {
    let person = Person {
        id: row.id,
        username: row.username,
        display_name: row.display_name,
        role: Some(role),
        unit: unit.map(str::to_owned),
    };
    story.cast.people.insert(part, person);
}
