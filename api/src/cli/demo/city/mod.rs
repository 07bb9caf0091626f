//! The city's story: Jiamusi's mobilisation (红色动员令). Its 674 grid branches stand with their 4,001 groups, its 1,200 units are paired with
//! its communities, an order is issued over the whole city, and once the demo serves, 26,000 people check in at about two hundred a
//! second, so that the board fills while one watches.

mod branches;
mod register;

use std::{ops::Range, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use concord_entities::{
    alliance,
    id::{AllianceId, MobilizationId, OrganizationId, RegionId},
    membership, mobilization,
    organization::Kind,
    seat::Role,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use self::register::CITY;
use super::{
    Which,
    handout::{self, Handout, Part},
    stage::Stage,
    story::{Cast, PASSWORD, Person, missing},
};
use crate::{
    domain::{
        App, Ctx, Result,
        governance::{
            alliance::{self as alliances, NewAlliance},
            membership::{self as memberships, Contact},
            organization::{self as organizations, NewOrganization},
        },
        identity::{
            account::{self, NewAccount},
            api_key::{self, NewApiKey},
            seat::{self, NewSeat},
            session,
        },
        mobilization::{
            check_in::{self, NewCheckIn},
            home_report::{self, NewHomeReport},
            order::{self, NewMobilization, NewNeed, NewUnit},
            pairing::{self, NewPairing},
        },
        territory::region,
    },
    import::{
        Options,
        members::{self, Roster},
    },
};

/// How many people come.
const PEOPLE: usize = 26_000;
/// How many of them come together, and how long after each other such groups come.
const TOGETHER: usize = 50;
const APART: Duration = Duration::from_millis(250);
/// How many people each community needs, and each unit is to send: together a little less than come.
const NEEDED: i32 = 17;
const QUOTA: i32 = 22;
/// How many of them have reported to a community before anything is ordered.
const AT_HOME: usize = 200;
const DAY: TimeDelta = TimeDelta::days(1);
/// A subdistrict that has an alliance of its own.
const SUBDISTRICT: (&str, &str) = ("230803007", "西林街道");

/// Who is shown on the terminal.
pub const PARTS: &[Part] = &[
    (
        "city",
        "市委 the city's committee: 动员令与到岗 the order and who is there",
        "{ mobilization(id: \"<mobilization>\") { number title state coverage(below: \"<city>\", level: COUNTY) { region { name } needed present uncovered surplus } } }",
    ),
    (
        "town",
        "街道党工委 a subdistrict's committee: 只见本街道 sees and receives people there alone",
        "{ mobilization(id: \"<mobilization>\") { number state coverage { region { name } needed present uncovered } } }",
    ),
    (
        "city",
        "市委 the city's committee: 双报到、网格党支部与两个覆盖 who reported home; branches, groups and what they cover",
        "{ alliance(id: \"<alliance>\") { homeReportCount partyBranchCounts { branches groups joint temporary members } branchCoverage { communities: figures(kind: COMMUNITY) { total organizationCovered workCovered uncovered } compounds: figures(kind: COMPOUND) { total organizationCovered } } } }",
    ),
    (
        "unit",
        "成员单位经办人 staff of a called unit: 本单位应到实到 what is asked of the unit",
        "{ mobilizations(filter: { organizationId: \"<organization>\" }) { nodes { number title state } } inbox(first: 3) { unreadCount nodes { kind } } }",
    ),
];
/// What the dashboard asks for.
pub const DASHBOARD: &str =
    "{ mobilization(id: \"<mobilization>\") { coverage { region { name } needed present uncovered } } }";
/// What stands above the line that watches.
pub const WATCH: &str = "# 看着覆盖板填满 watch the board fill, county by county";
/// How one watches.
pub const BOARD: &str = "subscription { mobilizationCoverage(mobilizationId: \"<mobilization>\", below: \"<city>\", level: COUNTY) { position rows { region { name } needed present uncovered } } }";

/// Tells the story up to `end`: the order has just been issued, and nobody has come.
pub async fn tell(stage: &Stage, end: DateTime<Utc>) -> Result<Handout> {
    stage.enter(end - DAY * 30);
    let system = stage.system();
    register::bring_in(&system).await?;
    let mut cast = Cast::default();
    let city = region::id_of_code(CITY);
    let committee =
        organizations::record(&system, unit("中共佳木斯市委员会", Kind::TownCommittee, city)).await?.id;
    let alliance_id = alliances::found(
        &system,
        NewAlliance {
            name: "佳木斯市区域化党建联盟".to_owned(),
            region_id: city,
            parent_id: None,
            committee_organization_id: Some(committee),
            oversight_organization_id: None,
            time_zone: "Asia/Shanghai".to_owned(),
            number_pattern: "佳销〔{year}〕{seq:4}号".to_owned(),
            check_in_working_day: 5,
        },
    )
    .await?
    .id;
    cast.alliances.insert("city", alliance_id);
    memberships::admit(&system, alliance_id, committee, Contact::default()).await?;
    let roster = Roster { units: Some(register::roster()), ..Roster::default() };
    let report = members::run(&system, alliance_id, &roster, Options::default()).await?;
    if report.refused() > 0 {
        return Err(missing("rows of its roster"));
    }
    let units = units(&stage.app, alliance_id, committee).await?;
    let shown = *units.first().ok_or_else(|| missing("a unit"))?;
    let hash = session::hash_new(&stage.app, "city", PASSWORD, "password").await?;
    join(&system, &mut cast, "city", ("市委组织部", Role::Committee, Some(committee)), alliance_id, &hash)
        .await?;
    join(&system, &mut cast, "unit", ("单位联络员", Role::MemberStaff, Some(shown)), alliance_id, &hash)
        .await?;
    let clerk = stage.hand(cast.people.get("city").ok_or_else(|| missing("the committee"))?.id);
    let town = found(&system, SUBDISTRICT, alliance_id).await?;
    join(&system, &mut cast, "town", ("西林街道党工委", Role::Committee, None), town, &hash).await?;
    stage.advance(end - DAY * 25);
    branches::establish(&clerk, alliance_id, &units).await?;
    stage.advance(end - DAY * 20);
    pair(&clerk, alliance_id, &units).await?;
    report_home(&clerk, alliance_id, &units).await?;
    stage.advance(end - TimeDelta::minutes(2));
    let order = issue(&clerk, alliance_id, &units).await?;
    stage.advance(end);
    crate::background::run_once(&system).await?;
    stage.draw_secrets();
    let key = NewApiKey {
        name: "佳木斯市指挥大屏".to_owned(),
        alliances: vec![alliance_id],
        expires_at: end + DAY * 365,
        documents: None,
    };
    let (_, dashboard_key) = api_key::create(&clerk, key).await?;
    let ids = [
        ("alliance", handout::text(alliance_id)),
        ("city", handout::text(city)),
        ("mobilization", handout::text(order)),
        ("organization", handout::text(shown)),
    ];
    Ok(Handout {
        complete: true,
        story: Which::City,
        told_at: end,
        url: String::new(),
        accounts: handout::accounts(&cast),
        dashboard_key,
        calendar_feed: String::new(),
        certified_number: String::new(),
        ids: ids.into_iter().map(|(name, id)| (name.to_owned(), id)).collect(),
    })
}

/// The alliance of a subdistrict, below the city's.
async fn found(system: &Ctx, (code, name): (&str, &str), above: AllianceId) -> Result<AllianceId> {
    let new = NewAlliance {
        name: format!("{name}党建联盟"),
        region_id: region::id_of_code(code),
        parent_id: Some(above),
        committee_organization_id: None,
        oversight_organization_id: None,
        time_zone: "Asia/Shanghai".to_owned(),
        number_pattern: format!("{name}销〔{{year}}〕{{seq:4}}号"),
        check_in_working_day: 5,
    };
    alliances::found(system, new).await.map(|alliance| alliance.id)
}

fn unit(name: &str, kind: Kind, region: RegionId) -> NewOrganization {
    NewOrganization {
        name: name.to_owned(),
        short_name: None,
        kind,
        credit_code: None,
        region_id: Some(region),
    }
}

/// The members that can be called, in one order on every run.
async fn units(app: &App, alliance: AllianceId, committee: OrganizationId) -> Result<Vec<OrganizationId>> {
    let rows = membership::Entity::find()
        .select_only()
        .column(membership::Column::OrganizationId)
        .filter(membership::Column::AllianceId.eq(alliance))
        .filter(membership::Column::OrganizationId.ne(committee))
        .order_by_asc(membership::Column::Id)
        .into_tuple()
        .all(&app.read)
        .await?;
    Ok(rows)
}

async fn join(
    system: &Ctx,
    cast: &mut Cast,
    part: &'static str,
    (display_name, role, organization_id): (&str, Role, Option<OrganizationId>),
    alliance_id: AllianceId,
    hash: &str,
) -> Result<()> {
    let new = NewAccount {
        username: part.to_owned(),
        display_name: display_name.to_owned(),
        password_hash: Some(hash.to_owned()),
        ..NewAccount::default()
    };
    let row = account::create(system, new).await?;
    let seat = NewSeat { account_id: row.id, alliance_id, role, organization_id, region_id: None };
    seat::grant(system, seat).await?;
    let person = Person {
        id: row.id,
        username: row.username,
        display_name: row.display_name,
        role: Some(role),
        unit: None,
    };
    cast.people.insert(part, person);
    Ok(())
}

/// Some of those who will come have reported to their home communities before (双报到).
async fn report_home(clerk: &Ctx, alliance_id: AllianceId, units: &[OrganizationId]) -> Result<()> {
    let communities = register::communities();
    for number in 0..AT_HOME {
        let new = NewHomeReport {
            alliance_id,
            person: person(number),
            organization_id: unit_of(number, units).ok_or_else(|| missing("a unit"))?,
            region_id: home_of(number, &communities),
        };
        home_report::report(clerk, new).await?;
    }
    Ok(())
}

/// What the story calls somebody.
fn person(number: usize) -> String {
    format!("JM{number:05}")
}

// Steps that share no factor with the numbers of places and units spread the people over all of them.

/// The community of somebody.
fn home_of(number: usize, communities: &[&str]) -> RegionId {
    communities.get(number * 379 % communities.len()).map(|code| region::id_of_code(code)).unwrap_or_default()
}

/// The unit of somebody.
fn unit_of(number: usize, units: &[OrganizationId]) -> Option<OrganizationId> {
    units.get(number * 7 % units.len()).copied()
}

/// Every community has its unit before there is any order (包保).
async fn pair(clerk: &Ctx, alliance_id: AllianceId, units: &[OrganizationId]) -> Result<()> {
    for (code, unit) in register::communities().into_iter().zip(units.iter().cycle()) {
        let region_id = region::id_of_code(code);
        let new = NewPairing { alliance_id, organization_id: *unit, region_id, since: None, until: None };
        pairing::pair(clerk, new).await?;
    }
    Ok(())
}

/// The order over the whole city.
async fn issue(clerk: &Ctx, alliance_id: AllianceId, units: &[OrganizationId]) -> Result<MobilizationId> {
    let needs = register::communities().into_iter().map(|code| NewNeed {
        region_id: region::id_of_code(code),
        needed: NEEDED,
        work: "值守排查".to_owned(),
    });
    let new = NewMobilization {
        alliance_id,
        title: "红色动员令：全市党员干部到社区和村报到".to_owned(),
        reason: "汛情将至，社区和村需要人手值守、排查、转移群众".to_owned(),
        region_ids: vec![region::id_of_code(CITY)],
        needs: needs.collect(),
        units: units.iter().map(|unit| NewUnit { organization_id: *unit, quota: QUOTA }).collect(),
    };
    let id = order::draft(clerk, new).await?.id;
    order::issue(clerk, crate::domain::mobilization::Which { id, expected_version: None }).await?;
    Ok(id)
}

/// Lets the people come once the demo serves. Whoever came before a restart comes again, and is counted once.
pub fn let_people_come(app: &Arc<App>) {
    let app = app.clone();
    tokio::spawn(async move {
        if let Err(error) = come(&app).await {
            tracing::error!(error = ?error, "the people of the demo do not come");
        }
    });
}

async fn come(app: &Arc<App>) -> Result<()> {
    let arrivals = Arrivals::of(app).await?;
    for first in (0..PEOPLE).step_by(TOGETHER) {
        arrivals.come(first..PEOPLE.min(first + TOGETHER)).await?;
        tokio::time::sleep(APART).await;
    }
    tracing::info!(people = PEOPLE, "everybody of the demo has come");
    Ok(())
}

/// The people of the story, who come to its order: each to one community, with one unit.
pub struct Arrivals {
    system: Ctx,
    order: MobilizationId,
    units: Vec<OrganizationId>,
    communities: Vec<&'static str>,
}

impl Arrivals {
    /// Those of a story that was told.
    pub async fn of(app: &Arc<App>) -> Result<Self> {
        let order = mobilization::Entity::find().one(&app.read).await?.ok_or_else(|| missing("the order"))?;
        let alliance = alliance::Entity::find_by_id(order.alliance_id).one(&app.read).await?;
        let committee = alliance
            .and_then(|found| found.committee_organization_id)
            .ok_or_else(|| missing("the committee"))?;
        let units = units(app, order.alliance_id, committee).await?;
        Ok(Self { system: Ctx::system(app), order: order.id, units, communities: register::communities() })
    }

    /// Some of them come together.
    pub async fn come(&self, people: Range<usize>) -> Result<()> {
        let group = people.map(|number| {
            Ok(NewCheckIn {
                person: person(number),
                region_id: home_of(number, &self.communities),
                organization_id: unit_of(number, &self.units),
                at: None,
                shift_id: None,
            })
        });
        check_in::check_in_many(&self.system, self.order, group.collect()).await.map(drop)
    }
}
