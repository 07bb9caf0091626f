//! The events of one object or one caller's reach, in the order they happened. Nothing is hidden from a history but what
//! the caller may not see; nothing is ever removed from it.

use concord_entities::{
    event, event_seal,
    id::{AccountId, EventId},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Select};
use serde_json::Value;
use uuid::Uuid;

use super::audience;
use crate::domain::{
    Ctx, Result,
    page::{self, Along, Order, Page},
};

/// The events that the caller may read.
pub fn visible(ctx: &Ctx) -> Select<event::Entity> {
    event::Entity::find().filter(audience::seen(ctx))
}

/// One event, if the caller may read it.
pub async fn find(ctx: &Ctx, id: EventId) -> Result<Option<event::Model>> {
    Ok(visible(ctx).filter(event::Column::Id.eq(id)).one(ctx.read()).await?)
}

/// Some events, as far as the caller may read them.
pub async fn find_all(ctx: &Ctx, ids: &[EventId]) -> Result<Vec<event::Model>> {
    Ok(visible(ctx).filter(page::among(ctx, event::Column::Id, ids.iter().copied())).all(ctx.read()).await?)
}

/// What happened to one object. An object that the caller may not see has no history, like one that never was.
pub async fn of(
    ctx: &Ctx,
    noun: &str,
    subject: Uuid,
    newest_first: bool,
    args: &page::Args,
    along: &[Along<event::Column>],
) -> Result<Page<event::Entity>> {
    ctx.require_signed_in()?;
    let (select, order) = of_noun(ctx, noun, newest_first);
    let select = select.filter(event::Column::SubjectId.eq(subject));
    page::fetch_along(ctx, select, order, event::Column::Id, args, along).await
}

/// What happened to objects of one noun.
pub fn of_noun(ctx: &Ctx, noun: &str, newest_first: bool) -> (Select<event::Entity>, Order<event::Column>) {
    let order = Order { column: event::Column::OccurredAt, descending: newest_first };
    let seen = audience::seen_of_noun(ctx, noun);
    (event::Entity::find().filter(seen).filter(event::Column::SubjectKind.eq(noun)), order)
}

/// The positions of events; one that waits for its seal has none yet.
pub async fn positions(ctx: &Ctx, ids: &[EventId]) -> Result<Vec<(EventId, i64)>> {
    let rows = event_seal::Entity::find()
        .filter(page::among(ctx, event_seal::Column::EventId, ids.iter().copied()))
        .all(ctx.read())
        .await?;
    Ok(rows.into_iter().map(|row| (row.event_id, row.position)).collect())
}

/// A detail of an event: a name of the schema, and the value as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    pub name: String,
    pub value: String,
}

/// The details that a dashboard may hold: states and figures, never words that people typed.
const IMPERSONAL: [&str; 13] = [
    "from",
    "to",
    "number",
    "round",
    "month",
    "monthOn",
    "percent",
    "dueOn",
    "dueOnBefore",
    "state",
    "year",
    "seq",
    "slotNumber",
];

/// The details of an event as the caller may read them, by name; none after an erasure.
pub fn details(ctx: &Ctx, event: &event::Model) -> Vec<Detail> {
    let Some(Ok(Value::Object(map))) = event.payload.as_deref().map(serde_json::from_str) else {
        return Vec::new();
    };
    let is_key = ctx.is_key();
    map.into_iter()
        .filter(|(name, value)| {
            !is_key || IMPERSONAL.contains(&name.as_str()) || value.is_number() || value.is_boolean()
        })
        .filter_map(|(name, value)| {
            let value = match value {
                Value::Null => return None,
                Value::String(text) => text,
                other => other.to_string(),
            };
            Some(Detail { name, value })
        })
        .collect()
}

/// Whoever acted, where it was a person.
pub fn actor(event: &event::Model) -> Option<AccountId> {
    event.actor_id
}
