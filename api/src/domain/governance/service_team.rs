//! Service teams (服务队): formed by active members of an alliance, led by one of them. A unit is in at most one standing
//! team of an alliance. Which team is on duty when is the rotation's business.

use std::collections::HashMap;

use concord_entities::{
    alliance,
    id::{AllianceId, OrganizationId, ServiceTeamId},
    organization, rotation_slot, service_team, service_team_member,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
};

use super::{alliance as alliances, alliance::expect_version, membership};
use crate::domain::{
    Action, Code, Ctx, Error, Event, Fact, Result, Target, Tx,
    page::{self, Order, Page},
    scope, text,
};

/// Most units of one team.
const MOST_MEMBERS: usize = 200;

/// The teams of the alliances that the caller may see.
pub fn visible(ctx: &Ctx) -> Select<service_team::Entity> {
    service_team::Entity::find().filter(scope::in_alliances(ctx, service_team::Column::AllianceId))
}

/// One team, if the caller may see it.
pub async fn find(ctx: &Ctx, id: ServiceTeamId) -> Result<Option<service_team::Model>> {
    Ok(visible(ctx).filter(service_team::Column::Id.eq(id)).one(ctx.read()).await?)
}

/// Which teams a list shows.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub alliance: Option<AllianceId>,
    /// Only teams that this unit is in.
    pub organization: Option<OrganizationId>,
    /// Standing teams or disbanded ones; both when absent.
    pub standing: Option<bool>,
    pub name_contains: Option<String>,
}

/// The teams that the caller may see.
pub async fn list(
    ctx: &Ctx,
    filter: &Filter,
    order: Order<service_team::Column>,
    args: &page::Args,
) -> Result<Page<service_team::Entity>> {
    ctx.require_signed_in()?;
    page::fetch(ctx, listed(ctx, filter)?, order, service_team::Column::Id, args).await
}

/// What such a list holds.
pub fn listed(ctx: &Ctx, filter: &Filter) -> Result<Select<service_team::Entity>> {
    let mut select = visible(ctx);
    if let Some(alliance) = filter.alliance {
        select = select.filter(service_team::Column::AllianceId.eq(alliance));
    }
    if let Some(organization) = filter.organization {
        let teams = service_team_member::Entity::find()
            .select_only()
            .column(service_team_member::Column::TeamId)
            .filter(service_team_member::Column::OrganizationId.eq(organization))
            .into_query();
        select = select.filter(service_team::Column::Id.in_subquery(teams));
    }
    match filter.standing {
        Some(true) => select = select.filter(service_team::Column::EndedAt.is_null()),
        Some(false) => select = select.filter(service_team::Column::EndedAt.is_not_null()),
        None => {}
    }
    if let Some(part) = text::optional(filter.name_contains.as_deref(), "filter.nameContains", 128)? {
        select = select.filter(text::contains(service_team::Column::Name, &part));
    }
    Ok(select)
}

/// The units of each team, the lead first; teams are not checked against the wall here.
pub async fn members(
    db: &impl ConnectionTrait,
    teams: &[ServiceTeamId],
) -> Result<HashMap<ServiceTeamId, Vec<OrganizationId>>> {
    let rows = service_team_member::Entity::find()
        .find_also_related(service_team::Entity)
        .filter(service_team_member::Column::TeamId.is_in(teams.iter().copied()))
        .order_by_asc(service_team_member::Column::JoinedAt)
        .order_by_asc(service_team_member::Column::OrganizationId)
        .all(db)
        .await?;
    let mut found: HashMap<ServiceTeamId, Vec<OrganizationId>> = HashMap::new();
    for (member, team) in rows {
        let units = found.entry(member.team_id).or_default();
        if team.is_some_and(|team| team.lead_organization_id == member.organization_id) {
            units.insert(0, member.organization_id);
        } else {
            units.push(member.organization_id);
        }
    }
    Ok(found)
}

/// Finds standing teams of an alliance, all of them or none; for verbs that build on teams.
pub async fn require_standing(
    db: &impl ConnectionTrait,
    alliance: AllianceId,
    teams: &[ServiceTeamId],
) -> Result<Vec<service_team::Model>> {
    let found = service_team::Entity::find()
        .filter(service_team::Column::AllianceId.eq(alliance))
        .filter(service_team::Column::EndedAt.is_null())
        .filter(service_team::Column::Id.is_in(teams.iter().copied()))
        .all(db)
        .await?;
    if teams.iter().all(|wanted| found.iter().any(|team| team.id == *wanted)) {
        Ok(found)
    } else {
        Err(Error::NotFound("service_team"))
    }
}

/// What a team is formed with.
#[derive(Clone, Debug)]
pub struct NewTeam {
    pub name: String,
    pub lead_organization_id: OrganizationId,
    /// All units; the lead may be left out.
    pub member_organization_ids: Vec<OrganizationId>,
    pub captain_name: String,
    pub captain_title: Option<String>,
    pub captain_phone: Option<String>,
    pub liaison_name: Option<String>,
    pub liaison_phone: Option<String>,
}

/// Forms a team.
pub async fn form(ctx: &Ctx, alliance_id: AllianceId, new: NewTeam) -> Result<service_team::Model> {
    let tx = ctx.begin().await?;
    lock_alliance(&tx, alliance_id).await?;
    ctx.require(&tx.db, Action::ManageServiceTeams, Target::alliance(alliance_id)).await?;
    let row = insert(&tx, alliance_id, new).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Forms a team within a unit of work whose rights were checked and that holds the alliance.
pub async fn insert(tx: &Tx<'_>, alliance_id: AllianceId, new: NewTeam) -> Result<service_team::Model> {
    let name = text::required(&new.name, "name", 128)?;
    refuse_namesake(tx, alliance_id, &name, None).await?;
    let units = units(new.lead_organization_id, new.member_organization_ids)?;
    membership::require_all_active(&tx.db, alliance_id, &units, "memberOrganizationIds").await?;
    refuse_elsewhere(tx, alliance_id, &units, None).await?;
    let row = service_team::ActiveModel {
        id: Set(tx.ctx.new_id()),
        alliance_id: Set(alliance_id),
        name: Set(name),
        lead_organization_id: Set(new.lead_organization_id),
        captain_name: Set(text::required(&new.captain_name, "captainName", 64)?),
        captain_title: Set(text::optional(new.captain_title.as_deref(), "captainTitle", 64)?),
        captain_phone: Set(text::optional(new.captain_phone.as_deref(), "captainPhone", 32)?),
        liaison_name: Set(text::optional(new.liaison_name.as_deref(), "liaisonName", 64)?),
        liaison_phone: Set(text::optional(new.liaison_phone.as_deref(), "liaisonPhone", 32)?),
        created_at: Set(tx.ctx.now()),
        ended_at: Set(None),
        version: Set(1),
    };
    let row = row.insert(&tx.db).await?;
    join(tx, &row, &units).await?;
    tx.record(
        Fact::of(Event::ServiceTeamFormed, row.id)
            .alliance(alliance_id)
            .organizations(units)
            .detail("name", row.name.clone()),
    )
    .await?;
    Ok(row)
}

/// What changes of a team: absent stays, an inner absence clears.
#[derive(Clone, Debug, Default)]
pub struct TeamChange {
    pub name: Option<String>,
    pub lead_organization_id: Option<OrganizationId>,
    /// All units from now on.
    pub member_organization_ids: Option<Vec<OrganizationId>>,
    pub captain_name: Option<String>,
    pub captain_title: Option<Option<String>>,
    pub captain_phone: Option<Option<String>>,
    pub liaison_name: Option<Option<String>>,
    pub liaison_phone: Option<Option<String>>,
}

/// Changes a team.
pub async fn update(
    ctx: &Ctx,
    id: ServiceTeamId,
    expected_version: i64,
    change: TeamChange,
) -> Result<service_team::Model> {
    let tx = ctx.begin().await?;
    let row = open(&tx, id).await?;
    expect_version(expected_version, row.version)?;
    let row = amend(&tx, row, change).await?;
    tx.commit(id).await?;
    Ok(row)
}

/// Changes a team within a unit of work whose rights were checked and that holds the alliance.
pub async fn amend(tx: &Tx<'_>, row: service_team::Model, change: TeamChange) -> Result<service_team::Model> {
    let (id, alliance_id, version) = (row.id, row.alliance_id, row.version + 1);
    let before = members(&tx.db, &[id]).await?.remove(&id).unwrap_or_default();
    let lead = change.lead_organization_id.unwrap_or(row.lead_organization_id);
    let units = units(lead, change.member_organization_ids.unwrap_or_else(|| before.clone()))?;
    let joining: Vec<OrganizationId> = units.iter().copied().filter(|unit| !before.contains(unit)).collect();
    let leaving: Vec<OrganizationId> = before.iter().copied().filter(|unit| !units.contains(unit)).collect();
    membership::require_all_active(&tx.db, alliance_id, &joining, "memberOrganizationIds").await?;
    refuse_elsewhere(tx, alliance_id, &joining, Some(id)).await?;
    let mut row = row.into_active_model();
    if let Some(name) = change.name {
        let name = text::required(&name, "name", 128)?;
        refuse_namesake(tx, alliance_id, &name, Some(id)).await?;
        row.name = Set(name);
    }
    row.lead_organization_id = Set(lead);
    if let Some(name) = change.captain_name {
        row.captain_name = Set(text::required(&name, "captainName", 64)?);
    }
    if let Some(title) = change.captain_title {
        row.captain_title = Set(text::optional(title.as_deref(), "captainTitle", 64)?);
    }
    if let Some(phone) = change.captain_phone {
        row.captain_phone = Set(text::optional(phone.as_deref(), "captainPhone", 32)?);
    }
    if let Some(name) = change.liaison_name {
        row.liaison_name = Set(text::optional(name.as_deref(), "liaisonName", 64)?);
    }
    if let Some(phone) = change.liaison_phone {
        row.liaison_phone = Set(text::optional(phone.as_deref(), "liaisonPhone", 32)?);
    }
    row.version = Set(version);
    let row = row.update(&tx.db).await?;
    if !leaving.is_empty() {
        service_team_member::Entity::delete_many()
            .filter(service_team_member::Column::TeamId.eq(id))
            .filter(service_team_member::Column::OrganizationId.is_in(leaving.iter().copied()))
            .exec(&tx.db)
            .await?;
    }
    join(tx, &row, &joining).await?;
    let mut fact = Fact::of(Event::ServiceTeamUpdated, id).alliance(alliance_id).organizations(units);
    for (name, units) in [("joined", joining), ("left", leaving)] {
        if !units.is_empty() {
            let ids: Vec<String> = units.iter().map(ToString::to_string).collect();
            fact = fact.organizations(units).detail(name, ids);
        }
    }
    tx.record(fact).await?;
    Ok(row)
}

/// Disbands a team that has no turns left; its name and units are free again.
pub async fn disband(
    ctx: &Ctx,
    id: ServiceTeamId,
    expected_version: Option<i64>,
    reason: Option<&str>,
) -> Result<service_team::Model> {
    let tx = ctx.begin().await?;
    let row = open(&tx, id).await?;
    if let Some(expected) = expected_version {
        expect_version(expected, row.version)?;
    }
    let reason = text::optional(reason, "reason", 1000)?;
    let over =
        [rotation_slot::State::HandedOver, rotation_slot::State::Missed, rotation_slot::State::Excused];
    let ahead = rotation_slot::Entity::find()
        .filter(rotation_slot::Column::TeamId.eq(id))
        .filter(rotation_slot::Column::State.is_not_in(over))
        .one(&tx.db)
        .await?;
    if ahead.is_some() {
        return Err(Error::refused(Code::TeamInRotation));
    }
    let units = members(&tx.db, &[id]).await?.remove(&id).unwrap_or_default();
    let (alliance_id, version) = (row.alliance_id, row.version + 1);
    let mut row = row.into_active_model();
    row.ended_at = Set(Some(ctx.now()));
    row.version = Set(version);
    let row = row.update(&tx.db).await?;
    tx.record(
        Fact::of(Event::ServiceTeamDisbanded, id)
            .alliance(alliance_id)
            .organizations(units)
            .reason(reason.as_deref()),
    )
    .await?;
    tx.commit(id).await?;
    Ok(row)
}

/// Finds a standing team that the caller may change, and holds it and its alliance.
async fn open(tx: &Tx<'_>, id: ServiceTeamId) -> Result<service_team::Model> {
    let seen = async || -> Result<service_team::Model> {
        visible(tx.ctx)
            .filter(service_team::Column::Id.eq(id))
            .lock_exclusive()
            .one(&tx.db)
            .await?
            .ok_or(Error::NotFound("service_team"))
    };
    let alliance = visible(tx.ctx)
        .filter(service_team::Column::Id.eq(id))
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound("service_team"))?
        .alliance_id;
    // The alliance first, as in forming: two changes that wait for each other would never end.
    lock_alliance(tx, alliance).await?;
    let row = seen().await?;
    tx.ctx.require(&tx.db, Action::ManageServiceTeams, Target::alliance(alliance)).await?;
    if row.ended_at.is_some() {
        return Err(Error::refused(Code::StateRefused).with("state", "disbanded"));
    }
    Ok(row)
}

/// Holds the alliance, so that two teams cannot take the same unit or name at once.
pub async fn lock_alliance(tx: &Tx<'_>, id: AllianceId) -> Result<alliance::Model> {
    alliances::visible(tx.ctx)
        .filter(alliance::Column::Id.eq(id))
        .lock_exclusive()
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound("alliance"))
}

fn units(lead: OrganizationId, members: Vec<OrganizationId>) -> Result<Vec<OrganizationId>> {
    let mut units = vec![lead];
    for member in members {
        if !units.contains(&member) {
            units.push(member);
        }
    }
    if units.len() > MOST_MEMBERS {
        let refused = Error::invalid(Code::OutOfRange, "memberOrganizationIds");
        return Err(refused.with("least", 1).with("most", MOST_MEMBERS));
    }
    Ok(units)
}

async fn refuse_namesake(
    tx: &Tx<'_>,
    alliance: AllianceId,
    name: &str,
    own: Option<ServiceTeamId>,
) -> Result<()> {
    let namesake = service_team::Entity::find()
        .filter(service_team::Column::AllianceId.eq(alliance))
        .filter(service_team::Column::EndedAt.is_null())
        .filter(service_team::Column::Name.eq(name))
        .one(&tx.db)
        .await?;
    match namesake {
        Some(team) if Some(team.id) != own => Err(Error::invalid(Code::AlreadyExists, "name")),
        _ => Ok(()),
    }
}

async fn refuse_elsewhere(
    tx: &Tx<'_>,
    alliance: AllianceId,
    units: &[OrganizationId],
    own: Option<ServiceTeamId>,
) -> Result<()> {
    let taken = service_team_member::Entity::find()
        .find_also_related(service_team::Entity)
        .filter(service_team::Column::AllianceId.eq(alliance))
        .filter(service_team::Column::EndedAt.is_null())
        .filter(service_team_member::Column::OrganizationId.is_in(units.iter().copied()))
        .all(&tx.db)
        .await?;
    let Some((member, team)) = taken.into_iter().find(|(member, _)| Some(member.team_id) != own) else {
        return Ok(());
    };
    let unit = organization::Entity::find_by_id(member.organization_id).one(&tx.db).await?;
    Err(Error::invalid(Code::InAnotherTeam, "memberOrganizationIds")
        .with("organization", unit.map(|unit| unit.name).unwrap_or_default())
        .with("team", team.map(|team| team.name).unwrap_or_default()))
}

async fn join(tx: &Tx<'_>, team: &service_team::Model, units: &[OrganizationId]) -> Result<()> {
    if units.is_empty() {
        return Ok(());
    }
    let rows = units.iter().map(|unit| service_team_member::ActiveModel {
        team_id: Set(team.id),
        organization_id: Set(*unit),
        alliance_id: Set(team.alliance_id),
        joined_at: Set(tx.ctx.now()),
    });
    service_team_member::Entity::insert_many(rows).exec_without_returning(&tx.db).await?;
    Ok(())
}
