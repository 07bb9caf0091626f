//! Regions are public knowledge: everyone who is signed in may read the tree. The platform records the official ones,
//! committees the natural villages, compounds and buildings of their own territory.

use concord_entities::{
    account, alliance,
    id::{AllianceId, RegionId},
    region::{self, Level},
    seat,
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbBackend,
    EntityTrait, ExprTrait, QueryFilter, sea_query::Expr,
};
use uuid::Uuid;

use crate::domain::{
    Action, Code, Ctx, Error, Event, Fact, Result, Tx,
    governance::alliance::require_platform_admin,
    page::{self, Order, Page},
    policy::{Grant, grant},
    text,
};

/// A region recorded by hand.
#[derive(Clone, Debug)]
pub struct NewRegion {
    pub parent_id: Option<RegionId>,
    pub code: Option<String>,
    pub name: String,
    pub level: Level,
}

/// Turns away a region that is not there, or lies outside an alliance's territory.
pub async fn require_within(db: &impl ConnectionTrait, id: RegionId, territory: RegionId) -> Result<()> {
    let regions = region::Entity::find().filter(region::Column::Id.is_in([id, territory])).all(db).await?;
    let path = |wanted| regions.iter().find(|region| region.id == wanted).map(|region| region.path.as_str());
    match (path(id), path(territory)) {
        (None, _) => Err(Error::NotFound("region").at("regionId")),
        (Some(inner), Some(outer)) if !inner.starts_with(outer) => {
            Err(Error::invalid(Code::OutsideTerritory, "regionId"))
        }
        _ => Ok(()),
    }
}

/// The same of a region that may be left out, where only the alliance is known.
pub async fn require_in_alliance(
    db: &impl ConnectionTrait,
    alliance: AllianceId,
    id: Option<RegionId>,
) -> Result<()> {
    let Some(id) = id else { return Ok(()) };
    let alliance =
        alliance::Entity::find_by_id(alliance).one(db).await?.ok_or(Error::NotFound("alliance"))?;
    require_within(db, id, alliance.region_id).await
}

/// The identifier of an official region follows from its code, so that an import needs no look-up and can run again.
pub fn id_of_code(code: &str) -> RegionId {
    let mut bytes = [0_u8; 16];
    for (target, source) in bytes.iter_mut().zip(b"CNR\0".iter().chain(code.as_bytes())) {
        *target = *source;
    }
    RegionId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// The step of a region in the paths of those below it.
pub fn step(code: Option<&str>, id: RegionId) -> String {
    code.map_or_else(|| Uuid::from(id).simple().to_string(), str::to_owned)
}

/// Records a region: the platform anything, a committee what lies below the village level in its own territory.
pub async fn record(ctx: &Ctx, new: NewRegion) -> Result<region::Model> {
    let tx = ctx.begin().await?;
    let parent = match new.parent_id {
        None => None,
        Some(parent) => {
            Some(region::Entity::find_by_id(parent).one(&tx.db).await?.ok_or(Error::NotFound("region"))?)
        }
    };
    let alliance = match require_platform_admin(&tx).await {
        Err(Error::Forbidden) => Some(committee_over(&tx, &new, parent.as_ref()).await?),
        other => {
            other?;
            None
        }
    };
    let name = text::required(&new.name, "name", 128)?;
    if let Some(code) = &new.code {
        let level = level_of_code(code)
            .ok_or_else(|| Error::invalid(Code::Malformed, "code").with("expected", "2, 4, 6, 9, 12"))?;
        if level != new.level {
            return Err(Error::invalid(Code::Malformed, "level").with("expected", level.to_value()));
        }
        if region::Entity::find().filter(region::Column::Code.eq(code)).one(&tx.db).await?.is_some() {
            return Err(Error::invalid(Code::AlreadyExists, "code"));
        }
    }
    if let Some(parent) = &parent
        && parent.level >= new.level
    {
        return Err(Error::invalid(Code::Malformed, "level").with("expected", "below its parent"));
    }
    // Official regions are told apart by their codes, all others by their names.
    let namesake = region::Entity::find()
        .filter(region::Column::Code.is_null())
        .filter(match new.parent_id {
            Some(parent) => region::Column::ParentId.eq(parent),
            None => region::Column::ParentId.is_null(),
        })
        .filter(region::Column::Name.eq(&name))
        .filter(region::Column::Level.eq(new.level))
        .one(&tx.db)
        .await?;
    if new.code.is_none() && namesake.is_some() {
        return Err(Error::invalid(Code::AlreadyExists, "name"));
    }
    let id = new.code.as_deref().map_or_else(|| ctx.new_id(), id_of_code);
    let above = parent.as_ref().map_or("/", |parent| parent.path.as_str());
    let row = region::ActiveModel {
        id: Set(id),
        parent_id: Set(new.parent_id),
        path: Set(format!("{above}{}/", step(new.code.as_deref(), id))),
        code: Set(new.code),
        name: Set(name),
        level: Set(new.level),
        created_at: Set(ctx.now()),
    };
    let row = row.insert(&tx.db).await?;
    let mut fact = Fact::of(Event::RegionRecorded, id).detail("name", row.name.clone());
    if let Some(alliance) = alliance {
        fact = fact.alliance(alliance);
    }
    tx.record(fact).await?;
    tx.commit(id).await?;
    Ok(row)
}

/// The level that an official code of this length stands for.
pub fn level_of_code(code: &str) -> Option<Level> {
    if !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match code.len() {
        2 => Some(Level::Province),
        4 => Some(Level::Prefecture),
        6 => Some(Level::County),
        9 => Some(Level::Township),
        12 => Some(Level::Village),
        _ => None,
    }
}

/// The caller's alliance whose territory holds the new region, where its committee may record it.
async fn committee_over(tx: &Tx<'_>, new: &NewRegion, parent: Option<&region::Model>) -> Result<AllianceId> {
    let account = tx.ctx.account_id()?;
    let Some(parent) = parent else {
        return Err(Error::Forbidden);
    };
    let run = seat::Entity::find()
        .inner_join(account::Entity)
        .find_also_related(alliance::Entity)
        .filter(account::Column::State.eq(account::State::Active))
        .filter(seat::Column::AccountId.eq(account))
        .filter(seat::Column::State.eq(seat::State::Active))
        .all(&tx.db)
        .await?;
    let run: Vec<&alliance::Model> = run
        .iter()
        .filter(|(seat, _)| grant(seat.role, Action::UpdateAlliance) == Grant::Any)
        .filter_map(|(_, alliance)| alliance.as_ref())
        .collect();
    let territories = region::Entity::find()
        .filter(region::Column::Id.is_in(run.iter().map(|alliance| alliance.region_id)))
        .all(&tx.db)
        .await?;
    let holds = |alliance: &&&alliance::Model| {
        territories.iter().any(|top| top.id == alliance.region_id && parent.path.starts_with(&top.path))
    };
    let alliance = run.iter().find(holds).ok_or(Error::Forbidden)?;
    // The official register is not a town's to write.
    if new.code.is_some() || new.level <= Level::Village {
        return Err(
            Error::invalid(Code::Malformed, "level").with("expected", "NATURAL_VILLAGE, COMPOUND, BUILDING")
        );
    }
    Ok(alliance.id)
}

/// One region.
pub async fn find(ctx: &Ctx, id: RegionId) -> Result<Option<region::Model>> {
    ctx.require_signed_in()?;
    Ok(region::Entity::find_by_id(id).one(ctx.read()).await?)
}

/// The region of an official code.
pub async fn find_by_code(ctx: &Ctx, code: &str) -> Result<Option<region::Model>> {
    ctx.require_signed_in()?;
    let code = text::required(code, "code", 12)?;
    Ok(region::Entity::find().filter(region::Column::Code.eq(code)).one(ctx.read()).await?)
}

/// Which regions a list shows.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub parent: Option<RegionId>,
    pub levels: Vec<Level>,
    pub name_contains: Option<String>,
    /// Only regions below this one, however deep.
    pub within: Option<RegionId>,
}

/// The regions, public to everyone signed in.
pub async fn list(
    ctx: &Ctx,
    filter: &Filter,
    order: Order<region::Column>,
    args: &page::Args,
) -> Result<Page<region::Entity>> {
    ctx.require_signed_in()?;
    let mut select = region::Entity::find();
    if let Some(parent) = filter.parent {
        select = select.filter(region::Column::ParentId.eq(parent));
    }
    if !filter.levels.is_empty() {
        select = select.filter(region::Column::Level.is_in(filter.levels.iter().copied()));
    }
    if let Some(part) = text::optional(filter.name_contains.as_deref(), "filter.nameContains", 128)? {
        select = select.filter(text::contains(region::Column::Name, &part));
    }
    if let Some(within) = filter.within {
        let top =
            region::Entity::find_by_id(within).one(ctx.read()).await?.ok_or(Error::NotFound("region"))?;
        select = select.filter(below(ctx.app.backend(), &top.path));
    }
    page::fetch(ctx, select, order, region::Column::Id, args).await
}

/// A condition that holds for every region below `path`, in the form that each engine answers from its index.
pub fn below(backend: DbBackend, path: &str) -> Condition {
    below_in(&Expr::col(region::Column::Path), backend, path)
}

/// The same of a path that stands in another column.
pub fn below_in(column: &Expr, backend: DbBackend, path: &str) -> Condition {
    let column = column.clone();
    if backend == DbBackend::Postgres {
        Condition::all().add(column.like(format!("{path}_%")))
    } else {
        // '0' follows '/', so the range holds exactly what begins with the path.
        let end = format!("{}0", path.strip_suffix('/').unwrap_or(path));
        Condition::all().add(column.clone().gt(path)).add(column.lt(end))
    }
}
