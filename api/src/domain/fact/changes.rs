//! Sealed events in the order of their positions, from a position on: how a program keeps a copy up to date.
//!
//! A position is given once, under a lock, after the event has committed, and without gaps; so whoever has read up to a
//! position has missed nothing before it. What the caller may not read is left out, and rights gained later do not bring
//! back what was passed over.

use concord_entities::{
    account, event, event_organization, event_seal,
    id::{AllianceId, OrganizationId},
    session,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use uuid::Uuid;

use super::audience;
use crate::domain::{
    Actor, Code, Ctx, Error, Result, chain,
    feed::Sealed,
    governance::{alliance, organization},
};

/// Events of a page when the caller names no number.
pub const DEFAULT: u64 = 50;
/// Most events of a page.
pub const MOST: u64 = 100;

/// Whose changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub alliance: Option<AllianceId>,
    pub organization: Option<OrganizationId>,
}

impl Filter {
    /// Whether an event is one of those asked for; rights are another matter.
    pub fn fits(&self, event: &event::Model) -> bool {
        self.alliance.is_none_or(|alliance| event.alliance_id == Some(alliance))
            && self.organization.is_none_or(|own| chain::organizations(event).contains(&own))
    }
}

/// Some events, and the position to go on from.
#[derive(Clone, Debug)]
pub struct Changes {
    pub events: Vec<Sealed>,
    pub position: i64,
    pub has_more: bool,
}

/// Reads the changes after a position.
pub async fn read(ctx: &Ctx, filter: Filter, after: i64, first: Option<i32>) -> Result<Changes> {
    if after < 0 {
        return Err(Error::invalid(Code::OutOfRange, "after").with("least", 0).with("most", i64::MAX));
    }
    let first = match first {
        None => DEFAULT,
        Some(first) => u64::try_from(first)
            .ok()
            .filter(|first| (1..=MOST).contains(first))
            .ok_or_else(|| Error::invalid(Code::PageInvalid, "first").with("most", MOST))?,
    };
    require_visible(ctx, filter).await?;
    require_known(ctx, after).await?;
    after_position(ctx, filter, after, first).await
}

/// The changes after a position, without asking whether the caller may name what the filter names: the statement itself
/// leaves out what the caller may not read.
pub(super) async fn after_position(ctx: &Ctx, filter: Filter, after: i64, first: u64) -> Result<Changes> {
    // Read before the page: whatever is sealed in between comes with the next page.
    let head = head(ctx).await?;
    let mut select = event_seal::Entity::find()
        .find_both_related(event::Entity)
        .filter(event_seal::Column::Position.gt(after))
        .filter(audience::seen(ctx));
    if let Some(alliance) = filter.alliance {
        select = select.filter(event_seal::Column::ChainId.eq(Uuid::from(alliance)));
    }
    if let Some(organization) = filter.organization {
        let concerned = event_organization::Entity::find()
            .select_only()
            .column(event_organization::Column::Position)
            .filter(event_organization::Column::OrganizationId.eq(organization))
            .filter(event_organization::Column::Position.gt(after))
            .into_query();
        select = select.filter(event_seal::Column::Position.in_subquery(concerned));
    }
    let rows = select.order_by_asc(event_seal::Column::Position).limit(first + 1).all(ctx.read()).await?;
    let most = usize::try_from(first).unwrap_or(usize::MAX);
    let has_more = rows.len() > most;
    let events: Vec<Sealed> =
        rows.into_iter().take(most).map(|(seal, event)| Sealed { position: seal.position, event }).collect();
    let last = events.last().map_or(after, |sealed| sealed.position);
    let position = if has_more { last } else { last.max(head) };
    Ok(Changes { events, position, has_more })
}

/// Turns away a position that was never given: whoever holds it read another database, and would wait for nothing.
pub async fn require_known(ctx: &Ctx, after: i64) -> Result<()> {
    let head = head(ctx).await?;
    if after <= head { Ok(()) } else { Err(Error::invalid(Code::PositionAhead, "after").with("most", head)) }
}

/// The last position given.
pub async fn head(ctx: &Ctx) -> Result<i64> {
    let last = event_seal::Entity::find()
        .order_by_desc(event_seal::Column::Position)
        .limit(1)
        .one(ctx.read())
        .await?;
    Ok(last.map_or(0, |seal| seal.position))
}

/// Turns away whoever may not see what the filter names: foreign equals missing.
pub async fn require_visible(ctx: &Ctx, filter: Filter) -> Result<()> {
    ctx.require_signed_in()?;
    if let Actor::Account { id, session } = ctx.actor {
        let mut live =
            account::Entity::find_by_id(id).filter(account::Column::State.eq(account::State::Active));
        if let Some(session) = session {
            let running = session::Entity::find_by_id(session)
                .select_only()
                .column(session::Column::AccountId)
                .filter(session::Column::EndedAt.is_null())
                .into_query();
            live = live.filter(account::Column::Id.in_subquery(running));
        }
        live.one(ctx.read()).await?.ok_or(Error::Unauthenticated)?;
    }
    if let Some(id) = filter.alliance {
        alliance::find(ctx, id).await?.ok_or(Error::NotFound("alliance"))?;
    }
    if let Some(id) = filter.organization {
        organization::find(ctx, id).await?.ok_or(Error::NotFound("organization"))?;
    }
    Ok(())
}
