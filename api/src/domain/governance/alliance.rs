//! Alliances: founded by a platform administrator under a region and perhaps a parent; run by their committee.

use concord_entities::{
    account, alliance, alliance_closure,
    id::{AllianceId, OrganizationId, RegionId},
    organization, problem, region,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, QuerySelect, QueryTrait,
    Select,
    sea_query::{Expr, SimpleExpr},
};

use crate::domain::{
    Action, Actor, Ctx, Error, Event, Fact, HELD, Result, Target, Tx,
    error::Code,
    number_pattern::{NumberPattern, NumberPatternError},
    page::{self, Order, Page},
    scope, text,
};

/// How deep alliances may stand below each other.
const DEEPEST: i32 = 8;
/// How many approvers sign a problem off where an alliance says nothing, and at most.
const SIGN_OFFS: i32 = 1;
const MOST_SIGN_OFFS: i32 = 3;
/// For how many hours an assignment may be declined where an alliance says nothing, and at most.
const OBJECTION_HOURS: i32 = 24;
const MOST_OBJECTION_HOURS: i32 = 720;

/// The alliances that the caller may see; a platform administrator sees all of them.
pub fn visible(ctx: &Ctx) -> Select<alliance::Entity> {
    let mut seen = Condition::any().add(scope::in_alliances(ctx, alliance::Column::Id));
    if let Some(administrator) = administrator(ctx) {
        seen = seen.add(administrator);
    }
    alliance::Entity::find().filter(seen)
}

/// A condition that holds where the caller is the platform itself or an active administrator of it.
pub fn administrator(ctx: &Ctx) -> Option<SimpleExpr> {
    let id = match ctx.actor {
        Actor::System => return Some(Expr::val(1).eq(1)),
        Actor::Account { id, .. } => id,
        Actor::Anonymous | Actor::Key(_) => return None,
    };
    let administrator = account::Entity::find()
        .select_only()
        .column(account::Column::Id)
        .filter(account::Column::Id.eq(id))
        .filter(account::Column::IsPlatformAdmin.into_expr().eq(Expr::Constant(true.into())))
        .filter(account::Column::State.into_expr().eq(scope::word(account::State::Active)))
        .into_query();
    Some(Expr::exists(administrator))
}

/// One alliance, if the caller may see it.
pub async fn find(ctx: &Ctx, id: AllianceId) -> Result<Option<alliance::Model>> {
    Ok(visible(ctx).filter(alliance::Column::Id.eq(id)).one(ctx.read()).await?)
}

/// One alliance, if the caller reads what is on its lists; an administrator of the platform runs alliances and reads none.
pub async fn find_of_reach(ctx: &Ctx, id: AllianceId) -> Result<Option<alliance::Model>> {
    let read = alliance::Entity::find().filter(scope::in_alliances(ctx, alliance::Column::Id));
    Ok(read.filter(alliance::Column::Id.eq(id)).one(ctx.read()).await?)
}

/// The alliances that the caller may see, by name; with `parent`, those directly below it.
pub async fn list(
    ctx: &Ctx,
    parent: Option<AllianceId>,
    args: &page::Args,
) -> Result<Page<alliance::Entity>> {
    ctx.require_signed_in()?;
    let mut select = visible(ctx);
    if let Some(parent) = parent {
        select = select.filter(alliance::Column::ParentId.eq(parent));
    }
    page::fetch(ctx, select, BY_NAME, alliance::Column::Id, args).await
}

/// The order of a list of alliances.
pub const BY_NAME: Order<alliance::Column> = Order { column: alliance::Column::Name, descending: false };

/// What an alliance is founded with.
#[derive(Clone, Debug)]
pub struct NewAlliance {
    pub name: String,
    pub region_id: RegionId,
    pub parent_id: Option<AllianceId>,
    pub committee_organization_id: Option<OrganizationId>,
    pub oversight_organization_id: Option<OrganizationId>,
    pub time_zone: String,
    pub number_pattern: String,
    pub check_in_working_day: i32,
}

/// Founds an alliance.
pub async fn found(ctx: &Ctx, new: NewAlliance) -> Result<alliance::Model> {
    let tx = ctx.begin().await?;
    require_platform_admin(&tx).await?;
    let name = text::required(&new.name, "name", 200)?;
    let time_zone = time_zone(&new.time_zone)?;
    let check_in_working_day = text::within(new.check_in_working_day, "checkInWorkingDay", 1, 20)?;
    let number_pattern = number_pattern(&new.number_pattern)?;
    if region::Entity::find_by_id(new.region_id).one(&tx.db).await?.is_none() {
        return Err(Error::NotFound("region"));
    }
    for organization in new.committee_organization_id.into_iter().chain(new.oversight_organization_id) {
        if organization::Entity::find_by_id(organization).one(&tx.db).await?.is_none() {
            return Err(Error::NotFound("organization"));
        }
    }
    let row = alliance::ActiveModel {
        id: Set(ctx.new_id()),
        name: Set(name),
        region_id: Set(new.region_id),
        parent_id: Set(new.parent_id),
        committee_organization_id: Set(new.committee_organization_id),
        oversight_organization_id: Set(new.oversight_organization_id),
        time_zone: Set(time_zone),
        number_pattern: Set(number_pattern),
        check_in_working_day: Set(check_in_working_day),
        sign_offs: Set(SIGN_OFFS),
        objection_hours: Set(OBJECTION_HOURS),
        follow_up_on_submission: Set(false),
        created_at: Set(ctx.now()),
        version: Set(1),
    };
    let row = row.insert(&tx.db).await?;
    let mut pairs = vec![closure(row.id, row.id, 0)];
    if let Some(parent) = row.parent_id {
        let above = alliance_closure::Entity::find()
            .filter(alliance_closure::Column::DescendantId.eq(parent))
            .all(&tx.db)
            .await?;
        if above.is_empty() {
            return Err(Error::NotFound("alliance"));
        }
        if above.iter().any(|pair| pair.depth + 1 >= DEEPEST) {
            return Err(Error::invalid(Code::OutOfRange, "parentId").with("least", 0).with("most", DEEPEST));
        }
        pairs.extend(above.into_iter().map(|pair| closure(pair.ancestor_id, row.id, pair.depth + 1)));
    }
    alliance_closure::Entity::insert_many(pairs).exec_without_returning(&tx.db).await?;
    tx.record(
        Fact::of(Event::AllianceFounded, row.id)
            .alliance(row.id)
            .organizations(row.committee_organization_id)
            .detail("name", row.name.clone()),
    )
    .await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Holds an alliance that the caller reads, for what changes within it one after the other.
pub async fn hold(tx: &Tx<'_>, id: AllianceId) -> Result<alliance::Model> {
    alliance::Entity::find()
        .filter(scope::in_alliances(tx.ctx, alliance::Column::Id))
        .filter(alliance::Column::Id.eq(id))
        .lock(HELD)
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound("alliance"))
}

fn closure(ancestor: AllianceId, descendant: AllianceId, depth: i32) -> alliance_closure::ActiveModel {
    alliance_closure::ActiveModel {
        ancestor_id: Set(ancestor),
        descendant_id: Set(descendant),
        depth: Set(depth),
    }
}

/// What a committee may change of its alliance; absent means unchanged.
#[derive(Clone, Debug, Default)]
pub struct AllianceChange {
    pub name: Option<String>,
    pub number_pattern: Option<String>,
    pub check_in_working_day: Option<i32>,
    pub sign_offs: Option<i32>,
    pub objection_hours: Option<i32>,
    pub follow_up_on_submission: Option<bool>,
}

/// Changes an alliance's settings.
pub async fn update(
    ctx: &Ctx,
    id: AllianceId,
    expected_version: i64,
    change: AllianceChange,
) -> Result<alliance::Model> {
    let tx = ctx.begin().await?;
    let row = visible(ctx)
        .filter(alliance::Column::Id.eq(id))
        .lock_exclusive()
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound("alliance"))?;
    ctx.require(&tx.db, Action::UpdateAlliance, Target::alliance(id)).await?;
    expect_version(expected_version, row.version)?;
    let version = row.version + 1;
    let mut row = row.into_active_model();
    if let Some(name) = change.name {
        row.name = Set(text::required(&name, "name", 200)?);
    }
    if let Some(pattern) = change.number_pattern {
        let pattern = number_pattern(&pattern)?;
        require_fresh_numbers(&tx, id, &pattern).await?;
        row.number_pattern = Set(pattern);
    }
    if let Some(day) = change.check_in_working_day {
        row.check_in_working_day = Set(text::within(day, "checkInWorkingDay", 1, 20)?);
    }
    if let Some(wanted) = change.sign_offs {
        row.sign_offs = Set(text::within(wanted, "signOffs", 1, MOST_SIGN_OFFS)?);
    }
    if let Some(hours) = change.objection_hours {
        row.objection_hours = Set(text::within(hours, "objectionHours", 0, MOST_OBJECTION_HOURS)?);
    }
    if let Some(wanted) = change.follow_up_on_submission {
        row.follow_up_on_submission = Set(wanted);
    }
    row.version = Set(version);
    let row = row.update(&tx.db).await?;
    tx.record(Fact::of(Event::AllianceUpdated, id).alliance(id)).await?;
    tx.commit(id).await?;
    Ok(row)
}

/// Turns away an edit of something that changed since the caller read it.
pub fn expect_version(expected: i64, current: i64) -> Result<()> {
    if expected == current {
        Ok(())
    } else {
        Err(Error::invalid(Code::VersionConflict, "expectedVersion").with("current", current))
    }
}

/// Only a platform administrator, or the platform itself, passes.
pub async fn require_platform_admin(tx: &Tx<'_>) -> Result<()> {
    if tx.ctx.actor == Actor::System {
        return Ok(());
    }
    let id = tx.ctx.account_id()?;
    let account = account::Entity::find_by_id(id).one(&tx.db).await?;
    match account {
        Some(account) if account.is_platform_admin && account.state == account::State::Active => Ok(()),
        _ => Err(Error::Forbidden),
    }
}

fn time_zone(name: &str) -> Result<String> {
    name.parse::<chrono_tz::Tz>()
        .map(|zone| zone.name().to_owned())
        .map_err(|_| Error::invalid(Code::Malformed, "timeZone").with("expected", "Asia/Shanghai"))
}

/// A new pattern must not write a number again that an old one wrote.
async fn require_fresh_numbers(tx: &Tx<'_>, id: AllianceId, pattern: &str) -> Result<()> {
    let pattern = NumberPattern::parse(pattern).map_err(Error::internal)?;
    let given: Vec<(i32, i32, String)> = problem::Entity::find()
        .select_only()
        .columns([problem::Column::Year, problem::Column::Seq, problem::Column::Number])
        .filter(problem::Column::AllianceId.eq(id))
        .into_tuple()
        .all(&tx.db)
        .await?;
    // Numbers still to come: those of the last year behind its last one, and those of the years after it.
    let last = given.iter().map(|(year, seq, _)| (*year, *seq)).max();
    let again = given.iter().find(|(year, _, number)| {
        let would_be = pattern.sequence(*year, number).and_then(|seq| i32::try_from(seq).ok());
        would_be.is_some_and(|seq| last.is_some_and(|last| (*year, seq) > last))
    });
    match again {
        Some((_, _, number)) => {
            Err(Error::invalid(Code::NumberPatternTaken, "numberPattern").with("number", number.clone()))
        }
        None => Ok(()),
    }
}

fn number_pattern(pattern: &str) -> Result<String> {
    NumberPattern::parse(pattern).map(|pattern| pattern.as_str().to_owned()).map_err(|error| match error {
        NumberPatternError::TooLong { .. } => Error::invalid(Code::TooLong, "numberPattern")
            .with("most", crate::domain::number_pattern::MAX_LENGTH),
        _ => Error::invalid(Code::Malformed, "numberPattern").with("expected", "西海销〔{year}〕{seq:4}号"),
    })
}
