//! The opening: the register, four alliances, the 127 members of the town's, the people of every role, twelve teams, and the
//! year's rotation with a blocked month, and what the hotline's ledger held.

use chrono::TimeDelta;
use concord_entities::{
    id::{AllianceId, OrganizationId, RegionId},
    organization::Kind,
    rotation_plan::CadenceUnit,
    seat::Role,
};

use super::{
    county, ledger, register, rules,
    story::{PASSWORD, Person, Story, Turn, missing},
    units::{self, TEAMS, Unit},
};
use crate::domain::{
    Actor, Ctx, Result,
    credit_code::CreditCode,
    governance::{
        alliance::{self, AllianceChange, NewAlliance},
        membership::{self, Contact},
        organization::{self, NewOrganization},
        service_team::{self, NewTeam},
    },
    identity::{
        account::{self, Invitation, NewAccount},
        link, session,
    },
    rotation::{self, block, generate, plan::NewPlan, publish},
    territory::region,
};

/// Units outside the teams' leads whose people work on tasks and problems in the story.
const WORKING: [&str; 18] = [
    "州供水公司",
    "州供热公司",
    "州燃气公司",
    "州供电公司",
    "州环卫公司",
    "州通信公司",
    "州市政养护中心",
    "州生态环境局",
    "州交通运输局",
    "州市场监管局",
    "州林草局",
    "城南物业",
    "城北物业",
    "城东物业",
    "城西物业",
    "州第一医院",
    "西海民族小学",
    "青年志愿队",
];

/// The unit whose manager and staff the demo shows: it leads the team on duty when the story ends.
pub const SHOWN: &str = "州住房城乡建设局";
/// The unit for which the oversight body's approver acts, and the one that verifies.
const OVERSIGHT: &str = "州直机关工委";
const VERIFYING: &str = "社区治理评估中心";

/// The turn that its team cannot take, and the two that change places.
pub const BLOCKED: u32 = 11;
pub const SWAPPED: (u32, u32) = (3, 4);

pub async fn play(story: &mut Story<'_>) -> Result<()> {
    places(story).await?;
    story.stage.advance(story.stage.now() + TimeDelta::hours(1));
    alliances(story).await?;
    story.stage.advance(story.stage.now() + TimeDelta::days(1));
    people(story).await?;
    Box::pin(county::open(story)).await?;
    rules::limits(story).await?;
    story.stage.advance(story.stage.now() + TimeDelta::days(2));
    teams(story).await?;
    story.stage.advance(story.stage.now() + TimeDelta::days(3));
    Box::pin(plan(story)).await?;
    rules::day_off(story).await?;
    story.stage.advance(story.stage.now() + TimeDelta::days(1));
    Box::pin(ledger::bring_in(story)).await
}

/// The register, brought in by the platform's own hand.
async fn places(story: &mut Story<'_>) -> Result<()> {
    register::bring_in(&story.stage.system()).await?;
    story.cast.communities =
        register::communities(register::TOWN).iter().map(|(code, _)| region::id_of_code(code)).collect();
    Ok(())
}

/// The alliances of prefecture, county and town with the town's members, and a neighbour in another county.
async fn alliances(story: &mut Story<'_>) -> Result<()> {
    let system = story.stage.system();
    let names: Vec<String> =
        register::communities(register::TOWN).iter().map(|(_, name)| (*name).to_owned()).collect();
    let roster = units::members(&names);
    let mut ids = Vec::with_capacity(roster.len());
    for unit in &roster {
        let id = record(&system, unit, story).await?;
        story.cast.units.insert(unit.short_name.clone(), id);
        ids.push(id);
    }
    let of_kind = |kind: Kind| -> Vec<OrganizationId> {
        roster.iter().zip(&ids).filter(|(unit, _)| unit.kind == kind).map(|(_, id)| *id).collect()
    };
    story.cast.community_units = of_kind(Kind::CommunityCommittee);
    story.cast.station_units = of_kind(Kind::StationOrOffice);
    let prefecture =
        found(&system, "海北州区域化党建联盟", "北联", region_of(register::PREFECTURE), None, None, None)
            .await?;
    let county = found(
        &system,
        "海晏县区域化党建联盟",
        "晏联",
        region_of(register::COUNTY),
        Some(prefecture),
        None,
        None,
    )
    .await?;
    let committee = Some(story.unit(units::COMMITTEE.1)?);
    let oversight = Some(story.unit(OVERSIGHT)?);
    let town = found(
        &system,
        "西海镇区域化党建联盟",
        "西海",
        region_of(register::TOWN),
        Some(county),
        committee,
        oversight,
    )
    .await?;
    // Offices are closed at night: a unit has two days to object.
    let change = AllianceChange { objection_hours: Some(48), ..AllianceChange::default() };
    alliance::update(&system, town, 1, change).await?;
    for (unit, id) in roster.iter().zip(&ids) {
        let contact = Contact {
            name: Some(unit.liaison.clone()),
            title: Some(unit.title.to_owned()),
            phone: Some(unit.phone.clone()),
        };
        membership::admit(&system, town, *id, contact).await?;
    }
    let neighbour = neighbour(&system, prefecture).await?;
    story.cast.alliances =
        [("prefecture", prefecture), ("county", county), ("town", town), ("neighbour", neighbour)].into();
    Ok(())
}

fn region_of(code: &str) -> RegionId {
    region::id_of_code(code)
}

async fn record(system: &Ctx, unit: &Unit, story: &Story<'_>) -> Result<OrganizationId> {
    let community = unit.community.as_ref().and_then(|name| {
        let at = register::communities(register::TOWN).iter().position(|(_, known)| known == name)?;
        story.cast.communities.get(at).copied()
    });
    let new = NewOrganization {
        name: unit.name.clone(),
        short_name: Some(unit.short_name.clone()),
        kind: unit.kind,
        credit_code: Some(unit.credit_code.to_string()),
        region_id: Some(community.unwrap_or_else(|| region_of(register::TOWN))),
    };
    Ok(organization::record(system, new).await?.id)
}

async fn found(
    system: &Ctx,
    name: &str,
    short: &str,
    region_id: RegionId,
    parent_id: Option<AllianceId>,
    committee_organization_id: Option<OrganizationId>,
    oversight_organization_id: Option<OrganizationId>,
) -> Result<AllianceId> {
    let new = NewAlliance {
        name: name.to_owned(),
        region_id,
        parent_id,
        committee_organization_id,
        oversight_organization_id,
        time_zone: "Asia/Shanghai".to_owned(),
        number_pattern: format!("{short}销〔{{year}}〕{{seq:4}}号"),
        check_in_working_day: 5,
    };
    Ok(alliance::found(system, new).await?.id)
}

/// A town of another county with an alliance of its own, which sees nothing of the story.
async fn neighbour(system: &Ctx, prefecture: AllianceId) -> Result<AllianceId> {
    let new = NewOrganization {
        name: "中共沙柳河镇委员会".to_owned(),
        short_name: Some("沙柳河镇党委".to_owned()),
        kind: Kind::TownCommittee,
        credit_code: CreditCode::fictitious("632224", 1).map(|code| code.to_string()),
        region_id: Some(region_of(register::NEIGHBOUR_TOWN)),
    };
    let committee = organization::record(system, new).await?.id;
    let region = region_of(register::NEIGHBOUR_TOWN);
    let id =
        found(system, "沙柳河镇区域化党建联盟", "沙柳河", region, Some(prefecture), Some(committee), None)
            .await?;
    membership::admit(system, id, committee, Contact::default()).await?;
    Ok(id)
}

/// Name of a part, where it plays, its role, the unit and the community it acts for.
type Part = (&'static str, AllianceId, Role, Option<&'static str>, Option<RegionId>);

/// One person per role, and somebody in each unit that works in the story. Everybody is invited, and takes the invitation up.
async fn people(story: &mut Story<'_>) -> Result<()> {
    let system = story.stage.system();
    let (town, county, neighbour) = (story.town()?, story.alliance("county")?, story.alliance("neighbour")?);
    let hash = session::hash_new(&story.stage.app, "admin", PASSWORD, "password").await?;
    let admin = NewAccount {
        username: "admin".to_owned(),
        display_name: "平台管理员".to_owned(),
        password_hash: Some(hash),
        is_platform_admin: true,
        ..NewAccount::default()
    };
    let admin = account::create(&system, admin).await?;
    let person = Person {
        id: admin.id,
        username: admin.username,
        display_name: admin.display_name,
        role: None,
        unit: None,
    };
    story.cast.people.insert("admin", person);
    let community = story.cast.communities.first().copied();
    let community_unit = Some("城南社区");
    let parts: [Part; 10] = [
        ("committee", town, Role::Committee, Some(units::COMMITTEE.1), None),
        ("approver", town, Role::Approver, Some(OVERSIGHT), None),
        ("manager", town, Role::MemberManager, Some(SHOWN), None),
        ("staff", town, Role::MemberStaff, Some(SHOWN), None),
        ("officer", town, Role::CommunityOfficer, community_unit, community),
        ("grid", town, Role::GridOfficer, None, community),
        ("verifier", town, Role::Verifier, Some(VERIFYING), None),
        ("observer", town, Role::Observer, None, None),
        ("county", county, Role::Committee, None, None),
        ("neighbour", neighbour, Role::Committee, None, None),
    ];
    for (serial, (part, alliance_id, role, unit, region_id)) in (301..).zip(parts) {
        let invitation = Invitation {
            username: part.to_owned(),
            display_name: units::person(serial),
            phone: Some(units::phone(serial)),
            alliance_id,
            role,
            organization_id: unit.map(|unit| story.unit(unit)).transpose()?,
            region_id,
        };
        let person = join(&system, invitation, unit).await?;
        story.cast.people.insert(part, person);
    }
    // From here on the committee invites; it looks after the town's people.
    let committee = story.of("committee")?;
    let shown = story.of("staff")?.account_id()?;
    // Swaps are for managers, so the teams' lead units have those.
    let leads = units::leads().map(|short| (short, Role::MemberManager));
    for (serial, (short, role)) in (401..).zip(leads.chain(WORKING.map(|short| (short, Role::MemberStaff)))) {
        let unit = story.unit(short)?;
        let id = if short == SHOWN {
            shown
        } else {
            let invitation = Invitation {
                username: format!("unit{serial}"),
                display_name: units::person(serial),
                phone: Some(units::phone(serial)),
                alliance_id: town,
                role,
                organization_id: Some(unit),
                region_id: None,
            };
            join(&committee, invitation, None).await?.id
        };
        story.cast.staff.insert(unit, id);
    }
    Ok(())
}

/// Invites somebody, who sets their password by the link.
async fn join(inviter: &Ctx, invitation: Invitation, unit: Option<&str>) -> Result<Person> {
    let role = Some(invitation.role);
    let (row, link) = account::invite(inviter, invitation).await?;
    let guest = Ctx { actor: Actor::Anonymous, ..inviter.clone() };
    link::redeem(&guest, &link.secret, PASSWORD).await?;
    Ok(Person {
        id: row.id,
        username: row.username,
        display_name: row.display_name,
        role,
        unit: unit.map(str::to_owned),
    })
}

/// The committee forms twelve teams of all units that do not themselves dock with them.
async fn teams(story: &mut Story<'_>) -> Result<()> {
    let (town, committee) = (story.town()?, story.of("committee")?);
    let names: Vec<String> =
        register::communities(register::TOWN).iter().map(|(_, name)| (*name).to_owned()).collect();
    let dealt: Vec<Unit> = units::members(&names).into_iter().skip(units::DOCKED).collect();
    for place in 0..TEAMS {
        let units: Vec<&Unit> = dealt.iter().skip(place).step_by(TEAMS).collect();
        let lead = units.first().ok_or_else(|| missing("a lead"))?;
        let lead_organization_id = story.unit(&lead.short_name)?;
        let member_organization_ids =
            units.iter().map(|unit| story.unit(&unit.short_name)).collect::<Result<Vec<_>>>()?;
        let serial = u32::try_from(place).unwrap_or_default();
        let new = NewTeam {
            name: format!("第{}服务队", CHINESE.get(place).copied().unwrap_or_default()),
            lead_organization_id,
            member_organization_ids,
            captain_name: units::person(201 + serial),
            captain_title: Some("队长".to_owned()),
            captain_phone: Some(units::phone(201 + serial)),
            liaison_name: Some(lead.liaison.clone()),
            liaison_phone: Some(lead.phone.clone()),
        };
        let team = service_team::form(&committee, town, new).await?;
        story.cast.teams.push(team.id);
        story.cast.leads.push(lead_organization_id);
    }
    Ok(())
}

const CHINESE: [&str; TEAMS] = ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"];

/// The year's rotation: drafted, one month blocked, generated, approved by the oversight body, published.
async fn plan(story: &mut Story<'_>) -> Result<()> {
    let (town, committee, approver) = (story.town()?, story.of("committee")?, story.of("approver")?);
    let count = i32::try_from(TEAMS).unwrap_or_default();
    let new = NewPlan {
        alliance_id: town,
        name: format!("西海镇{}年度服务队轮值计划", story.days.anchor.format("%Y")),
        anchor_on: story.days.anchor,
        cadence_unit: CadenceUnit::Month,
        cadence_every: 1,
        slot_count: count,
        team_ids: story.cast.teams.clone(),
    };
    let id = rotation::plan::create(&committee, new).await?.id;
    let blocked = usize::try_from(BLOCKED).unwrap_or_default();
    let team = story.cast.teams.get(blocked - 1).copied().ok_or_else(|| missing("the blocked team"))?;
    let number = i32::try_from(BLOCKED).unwrap_or_default();
    let reason = "牵头单位当月承担全州安全生产综合督查任务，不安排轮值";
    block::block(&committee, id, team, block::Which::Number(number), reason).await?;
    generate::generate(&committee, id, None).await?;
    story.stage.advance(story.stage.now() + TimeDelta::days(1));
    publish::submit(&committee, id, None).await?;
    story.stage.advance(story.stage.now() + TimeDelta::days(2));
    publish::approve(&approver, id, None).await?;
    story.stage.advance(story.stage.now() + TimeDelta::days(1));
    publish::publish(&committee, id, None).await?;
    for slot in rotation::plan::slots_of(committee.read(), id).await? {
        let team = story.cast.teams.iter().position(|team| *team == slot.team_id).unwrap_or_default();
        let number = u32::try_from(slot.number).unwrap_or_default();
        story.cast.slots.insert(number, Turn { id: slot.id, team });
    }
    story.cast.plan = Some(id);
    Ok(())
}
