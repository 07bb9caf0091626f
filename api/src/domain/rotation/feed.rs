//! The rotation as a private calendar address: made by a person for a plan, shown once, revocable. What it shows is what
//! that person may see at that moment. The text itself is written in `ical`; the route belongs to the door.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use concord_entities::{
    account,
    calendar_feed::{self, Column, Model},
    id::{CalendarFeedId, OrganizationId, RotationPlanId, ServiceTeamId, TypedId},
    organization, rotation_plan, rotation_slot, service_team,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, ExprTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select, sea_query::Expr,
};
use sha2::{Digest, Sha256};

use super::{
    ical::{self, FeedEvent, FeedStatus},
    plan, timetable,
};
use crate::{
    domain::{Actor, Code, Ctx, Error, Event, Fact, Result, idempotency},
    messages,
};

/// Most live addresses of one person.
const MOST: u64 = 50;

/// The addresses that the caller made.
pub fn visible(ctx: &Ctx) -> Select<calendar_feed::Entity> {
    let own = match ctx.actor {
        Actor::Account { id, .. } => Condition::all().add(Column::AccountId.eq(id)),
        Actor::System => Condition::all(),
        Actor::Anonymous | Actor::Key(_) => Condition::all().add(Expr::val(1).eq(0)),
    };
    calendar_feed::Entity::find().filter(own)
}

/// One address, if the caller made it.
pub async fn find(ctx: &Ctx, id: CalendarFeedId) -> Result<Option<Model>> {
    Ok(visible(ctx).filter(Column::Id.eq(id)).one(ctx.read()).await?)
}

/// The caller's live addresses, newest first.
pub async fn list(ctx: &Ctx) -> Result<Vec<Model>> {
    ctx.account_id()?;
    Ok(visible(ctx)
        .filter(Column::RevokedAt.is_null())
        .order_by_desc(Column::CreatedAt)
        .limit(MOST)
        .all(ctx.read())
        .await?)
}

/// A new address with its path, which is told this once.
#[derive(Clone, Debug)]
pub struct Made {
    pub feed: Model,
    pub path: String,
}

/// Makes a private address of a plan's calendar.
pub async fn create(ctx: &Ctx, plan_id: RotationPlanId) -> Result<Made> {
    idempotency::refuse(ctx)?;
    let account_id = ctx.account_id()?;
    let tx = ctx.begin().await?;
    let plan = plan::visible(ctx)
        .filter(rotation_plan::Column::Id.eq(plan_id))
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound(RotationPlanId::NOUN))?;
    let live = visible(ctx).filter(Column::RevokedAt.is_null()).count(&tx.db).await?;
    if live >= MOST {
        return Err(Error::invalid(Code::OutOfRange, "planId").with("least", 0).with("most", MOST));
    }
    let secret = URL_SAFE_NO_PAD.encode(ctx.app.random_bytes::<32>());
    let row = calendar_feed::ActiveModel {
        id: Set(ctx.new_id()),
        account_id: Set(account_id),
        plan_id: Set(plan_id),
        hash: Set(hash(&secret)),
        created_at: Set(ctx.now()),
        revoked_at: Set(None),
    };
    let row = row.insert(&tx.db).await?;
    tx.record(
        Fact::of(Event::CalendarFeedCreated, row.id)
            .alliance(plan.alliance_id)
            .detail("planId", plan_id.to_string()),
    )
    .await?;
    tx.commit(row.id).await?;
    Ok(Made { feed: row, path: format!("/feeds/{secret}.ics") })
}

fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret).to_vec()
}

/// Revokes an address; whoever still has it finds nothing there.
pub async fn revoke(ctx: &Ctx, id: CalendarFeedId) -> Result<Model> {
    let tx = ctx.begin().await?;
    let row = visible(ctx)
        .filter(Column::Id.eq(id))
        .lock_exclusive()
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound(CalendarFeedId::NOUN))?;
    if row.revoked_at.is_some() {
        return Err(Error::refused(Code::StateRefused).with("state", "REVOKED"));
    }
    let plan = rotation_plan::Entity::find_by_id(row.plan_id).one(&tx.db).await?;
    let mut row = row.into_active_model();
    row.revoked_at = Set(Some(ctx.now()));
    let row = row.update(&tx.db).await?;
    let mut fact = Fact::of(Event::CalendarFeedRevoked, id).detail("planId", row.plan_id.to_string());
    if let Some(plan) = plan {
        fact = fact.alliance(plan.alliance_id);
    }
    tx.record(fact).await?;
    tx.commit(id).await?;
    Ok(row)
}

/// The calendar behind a secret and its entity tag; nothing for a secret that is unknown, revoked, or whose owner has left
/// or may no longer see the plan.
pub async fn render(ctx: &Ctx, token: &str) -> Result<Option<(String, String)>> {
    if token.is_empty() || token.len() > 128 {
        return Ok(None);
    }
    let feed = calendar_feed::Entity::find()
        .inner_join(account::Entity)
        .filter(Column::Hash.eq(hash(token)))
        .filter(Column::RevokedAt.is_null())
        .filter(account::Column::State.eq(account::State::Active))
        .one(ctx.read())
        .await?;
    let Some(feed) = feed else { return Ok(None) };
    let owner = Ctx {
        actor: Actor::Account { id: feed.account_id, session: None },
        idempotency: None,
        ..ctx.clone()
    };
    let Some(plan) = plan::find(&owner, feed.plan_id).await? else { return Ok(None) };
    let body = body(&owner, &plan).await?;
    let tag = URL_SAFE_NO_PAD.encode(Sha256::digest(&body));
    Ok(Some((body, format!("\"{tag}\""))))
}

async fn body(ctx: &Ctx, row: &rotation_plan::Model) -> Result<String> {
    let alliance = plan::alliance_of(ctx, ctx.read(), row.alliance_id).await?;
    let slots = plan::slots_of(ctx.read(), row.id).await?;
    let teams: HashMap<ServiceTeamId, service_team::Model> =
        plan::teams_by_id(ctx.read(), alliance.id, slots.iter().map(|slot| slot.team_id))
            .await?
            .into_iter()
            .map(|team| (team.id, team))
            .collect();
    let members = plan::members(ctx.read(), teams.keys().copied()).await?;
    let wanted = members.iter().map(|member| member.organization_id);
    let wanted = wanted.chain(teams.values().map(|team| team.lead_organization_id));
    let names: HashMap<OrganizationId, String> = organization::Entity::find()
        .filter(organization::Column::Id.is_in(wanted))
        .all(ctx.read())
        .await?
        .into_iter()
        .map(|unit| (unit.id, unit.name))
        .collect();
    let say = |key: &str, args: &[(&'static str, String)]| {
        messages::find(ctx.locale, key, args).unwrap_or_default()
    };
    let told = matches!(row.state, rotation_plan::State::Published | rotation_plan::State::Ended);
    let events = slots
        .iter()
        .map(|slot| {
            let team = teams.get(&slot.team_id);
            let name = |id: &OrganizationId| names.get(id).cloned().unwrap_or_default();
            let lead = team.map(|team| name(&team.lead_organization_id)).unwrap_or_default();
            let units: Vec<String> = members
                .iter()
                .filter(|member| member.team_id == slot.team_id)
                .map(|member| name(&member.organization_id))
                .collect();
            FeedEvent {
                uid: format!("slot-{}@concord", slot.id),
                sequence: u32::try_from(slot.version).unwrap_or(u32::MAX),
                summary: team.map(|team| team.name.clone()).unwrap_or_default(),
                description: [
                    say("rotation-feed-lead", &[("name", lead)]),
                    say("rotation-feed-units", &[("names", units.join(", "))]),
                ]
                .join("\n"),
                starts_on: slot.starts_on,
                ends_on_exclusive: slot.ends_on,
                status: match slot.state {
                    rotation_slot::State::Excused => FeedStatus::Cancelled,
                    _ if told => FeedStatus::Confirmed,
                    _ => FeedStatus::Tentative,
                },
                updated_at: slot.updated_at,
            }
        })
        .collect();
    let feed = ical::Feed {
        name: say("rotation-feed-name", &[("alliance", alliance.name.clone()), ("plan", row.name.clone())]),
        time_zone: timetable::zone(&alliance),
        events,
    };
    Ok(ical::render(&feed))
}
