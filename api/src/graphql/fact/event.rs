//! Faces of events: one object's history, changes by position, and their live tail.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{
    Context, Enum, ErrorExtensions, ID, Object, Result, SimpleObject, Subscription, dataloader::Loader,
};
use concord_entities::{
    event,
    id::{EventId, TypedId},
};
use futures_util::{Stream, StreamExt, try_join};
use uuid::Uuid;

use crate::{
    domain::{
        self, Ctx, Error, Event as EventKind,
        fact::{
            changes::{self, Changes, Filter},
            follow::{self, Ended},
            history,
        },
        feed::Sealed,
        page::{Along, Args, Below, Kind, List},
        privacy,
    },
    graphql::{
        ahead,
        at_once::AtOnce,
        connection::{args, connection},
        ctx,
        error::{OrApiError, api_error},
        governance::{alliance::Alliance, organization::Organization},
        id,
        identity::batch::InClear,
        loaders::{self, KnownOrganization, Loaders},
        node::{self, AnyNode, Node},
        scalar::DateTime,
    },
};

/// Whether a person or the platform itself acted.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "concord_entities::event::ActorKind", name = "ActorKind")]
pub enum ActorKind {
    /// A person.
    Account,
    /// The platform: an operator's command or a background hand.
    System,
}

/// Something that happened: who, when, to what, from what to what, and why. Events are never changed or removed; an
/// erasure takes their details only.
#[derive(Clone)]
pub struct Event {
    row: event::Model,
    position: Option<i64>,
}

impl From<event::Model> for Event {
    fn from(row: event::Model) -> Self {
        Self { row, position: None }
    }
}

impl From<Sealed> for Event {
    fn from(sealed: Sealed) -> Self {
        Self { row: sealed.event, position: Some(sealed.position) }
    }
}

impl Node for Event {
    const NOUN: &'static str = EventId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(history::find(ctx, id.into()).await?.map(Self::from))
    }
}

/// One detail of an event.
#[derive(SimpleObject)]
pub struct EventDetail {
    /// What it is, in the schema's names, such as `from`, `to` or `reason`.
    name: String,
    /// Its value as text; lists and objects as JSON.
    value: String,
}

/// Endings of the names of details that hold identifiers, and the nouns they name.
const IDENTIFIERS: [(&str, &str); 24] = [
    ("accountid", "account"),
    ("handlerid", "account"),
    ("sessionid", "session"),
    ("allianceid", "alliance"),
    ("organizationid", "organization"),
    ("regionid", "region"),
    ("teamid", "service_team"),
    ("planid", "rotation_plan"),
    ("slotid", "rotation_slot"),
    ("swapid", "rotation_swap"),
    ("checkinid", "check_in"),
    ("dockingid", "docking"),
    ("handoverid", "handover"),
    ("tasklistid", "task_list"),
    ("responseid", "whistle_response"),
    ("officerid", "grid_officer"),
    ("branchid", "party_branch"),
    ("problemid", "problem"),
    ("taskid", "priority_task"),
    ("whistleid", "whistle"),
    ("noticeid", "supervision_notice"),
    ("followupid", "follow_up"),
    ("survivorid", "problem"),
    ("duplicateid", "problem"),
];

/// The value of a detail as clients know it: identifiers leave only in their global form.
fn outward(name: &str, value: String) -> String {
    let name = name.to_ascii_lowercase();
    let noun =
        |name: &str| IDENTIFIERS.iter().find(|(ending, _)| name.ends_with(ending)).map(|(_, noun)| *noun);
    if let Ok(raw) = Uuid::parse_str(&value) {
        return noun(&name).map_or(value, |noun| id::encode_raw(noun, raw).to_string());
    }
    let Some(noun) = name.strip_suffix('s').and_then(noun) else { return value };
    let Ok(several) = serde_json::from_str::<Vec<Uuid>>(&value) else { return value };
    let outward: Vec<String> = several.into_iter().map(|raw| id::encode_raw(noun, raw).to_string()).collect();
    serde_json::Value::from(outward).to_string()
}

/// Something that happened: who, when, to what, from what to what, and why. Events are never changed or removed; an
/// erasure takes their details only.
#[Object]
impl Event {
    /// Global identifier; the same on every delivery, so that a repeated one is recognised.
    pub async fn id(&self) -> ID {
        id::encode(self.row.id)
    }

    /// What happened; null where a newer version of the platform recorded a kind that this one does not know.
    async fn kind(&self) -> Option<EventKind> {
        EventKind::parse(&self.row.kind)
    }

    /// When.
    async fn occurred_at(&self) -> DateTime {
        self.row.occurred_at.into()
    }

    /// Its place among all events, without gaps; null until it is sealed, which takes less than a second.
    async fn position(&self, context: &Context<'_>) -> Result<Option<i64>> {
        match self.position {
            Some(position) => Ok(Some(position)),
            None => loaders::one(context, self.row.id).await,
        }
    }

    /// Whether a person or the platform acted.
    async fn actor_kind(&self) -> ActorKind {
        self.row.actor_kind.into()
    }

    /// Name of whoever acted; masked like `张**` outside their own organisation, unless the viewer may read contacts, and
    /// for dashboards; null where the platform acted.
    async fn actor_name(&self, context: &Context<'_>) -> Result<Option<String>> {
        let Some(actor) = history::actor(&self.row) else {
            return Ok(None);
        };
        // Both at once, so that they join the batches of the events beside this one.
        let (account, known) =
            try_join!(loaders::one(context, actor), loaders::one(context, InClear(actor)))?;
        Ok(account.map(|account| {
            let name = account.display_name;
            if known.unwrap_or(false) { name } else { privacy::mask_name(&name) }
        }))
    }

    /// The alliance it happened in; null for what concerns the platform itself.
    async fn alliance(&self, context: &Context<'_>) -> Result<Option<Alliance>> {
        match self.row.alliance_id {
            Some(alliance) => Ok(loaders::one(context, alliance).await?.map(Alliance)),
            None => Ok(None),
        }
    }

    /// Global identifier of the object it happened to; `nodes` reads many of them at once.
    async fn subject_id(&self) -> ID {
        id::encode_raw(&self.row.subject_kind, self.row.subject_id)
    }

    /// The object it happened to, where the caller may see it.
    async fn subject(&self, context: &Context<'_>) -> Result<Option<AnyNode>> {
        node::subject(context, &self.row.subject_kind, self.row.subject_id).await
    }

    /// Global identifiers of the organisations that it concerns, as far as the caller knows them.
    async fn organization_ids(&self, context: &Context<'_>) -> Result<Vec<ID>> {
        Ok(self.organizations(context).await?.iter().map(|unit| id::encode(unit.0.id)).collect())
    }

    /// The organisations that it concerns, as far as the caller knows them.
    async fn organizations(&self, context: &Context<'_>) -> Result<Vec<Organization>> {
        let concerned = domain::chain::organizations(&self.row);
        let found = loaders::many(context, concerned.iter().copied().map(KnownOrganization)).await?;
        let known = concerned.iter().filter_map(|id| found.get(&KnownOrganization(*id)));
        Ok(known.cloned().map(Organization).collect())
    }

    /// What changed and why, by name; empty after an erasure. Dashboards get states and figures only.
    async fn details(&self, context: &Context<'_>) -> Vec<AtOnce<EventDetail>> {
        history::details(ctx(context), &self.row)
            .into_iter()
            .map(|detail| EventDetail { value: outward(&detail.name, detail.value), name: detail.name })
            .map(AtOnce)
            .collect()
    }

    /// Whether its details were erased.
    async fn is_erased(&self) -> bool {
        self.row.payload.is_none()
    }
}

/// What a list of events reads along when it is asked for.
pub const ALONG: [(&str, Along<event::Column>); 2] = [
    ("actorName", Along { kind: Kind::Account, by: event::Column::ActorId }),
    ("alliance", Along { kind: Kind::Alliance, by: event::Column::AllianceId }),
];

/// What happened to objects of one noun.
pub fn history_of(
    noun: &'static str,
    newest_first: bool,
    args: Args,
) -> impl Fn(&Ctx) -> domain::Result<List<event::Entity>> {
    let (by, id) = (event::Column::SubjectId, event::Column::Id);
    move |ctx| Ok(List::new(by, id, history::of_noun(ctx, noun, newest_first), &args))
}

/// Plans the history of an object, so that the object's statement reads it along.
pub fn history_plan(context: &Context<'_>, noun: &'static str) -> Option<Box<dyn Below>> {
    let newest_first = ahead::argument(context, "newestFirst", Some(|| true))?;
    ahead::plan(context, history_of(noun, newest_first, ahead::args(context)?), &ALONG, &[])
}

connection!(EventConnection, EventEdge, Event, event::Entity);

/// Changes after a position.
pub struct ChangesPage(Changes);

/// Changes after a position.
#[Object]
impl ChangesPage {
    /// The events in the order of their positions.
    async fn events(&self) -> Vec<Event> {
        self.0.events.iter().cloned().map(Event::from).collect()
    }

    /// The position to give as `after` to go on from here. It grows also where nothing was to be seen.
    async fn position(&self) -> i64 {
        self.0.position
    }

    /// Whether more changes can be read at once.
    async fn has_more(&self) -> bool {
        self.0.has_more
    }
}

fn filter(ctx: &Ctx, alliance_id: Option<&ID>, organization_id: Option<&ID>) -> Result<Filter> {
    Ok(Filter {
        alliance: id::decode_optional(alliance_id, "allianceId").or_api_error(ctx)?,
        organization: id::decode_optional(organization_id, "organizationId").or_api_error(ctx)?,
    })
}

#[derive(Default)]
pub struct EventQuery;

#[Object]
impl EventQuery {
    /// What happened to one object, as far as the caller may see it. An object without visible history has an empty one.
    async fn history(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Global identifier of the object.")] id: ID,
        #[graphql(desc = "Whether the latest event comes first; it does by default.")] newest_first: Option<
            bool,
        >,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<EventConnection> {
        let ctx = ctx(context);
        let Some((noun, raw)) = id::split(&id) else {
            return Err(api_error(ctx, &Error::invalid(domain::Code::IdMalformed, "id")));
        };
        let (args, along) = (args(first, after, last, before), loaders::asked(context, &ALONG));
        let page = history::of(ctx, &noun, raw, newest_first.unwrap_or(true), &args, &along).await;
        Ok(loaders::fed(context, page)?.into())
    }

    /// What happened after a position, in order: the way to keep a copy up to date. Positions have no gaps and are given
    /// after the event has committed, so whoever goes on from the returned position misses nothing that they may see.
    async fn changes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The last position already read; from the beginning where none is given.")]
        after: Option<i64>,
        #[graphql(desc = "Only what happened in this alliance.")] alliance_id: Option<ID>,
        #[graphql(desc = "Only what concerns this organisation, in any alliance that the caller sees.")]
        organization_id: Option<ID>,
        #[graphql(desc = "How many events, 1 to 100; 50 by default.")] first: Option<i32>,
    ) -> Result<ChangesPage> {
        let ctx = ctx(context);
        let filter = filter(ctx, alliance_id.as_ref(), organization_id.as_ref())?;
        Ok(ChangesPage(changes::read(ctx, filter, after.unwrap_or(0), first).await.or_api_error(ctx)?))
    }
}

/// The end of a live tail: the code, and the position to go on from.
pub(super) fn ended(ctx: &Ctx, ended: &Ended) -> async_graphql::Error {
    api_error(ctx, &ended.error).extend_with(|_, extensions| extensions.set("position", ended.position))
}

#[derive(Default)]
pub struct EventSubscription;

#[Subscription]
impl EventSubscription {
    /// What happens in an alliance, or to an organisation, as it happens: name one of them. Begins after the position given,
    /// else now. Ends with `NOT_FOUND` when the caller may no longer see it, and with `LAGGED` when the client is too slow;
    /// `extensions.position` then tells from where to go on.
    async fn changes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What happens in this alliance.")] alliance_id: Option<ID>,
        #[graphql(desc = "What concerns this organisation, in any alliance that the caller sees.")]
        organization_id: Option<ID>,
        #[graphql(desc = "The last position already read.")] after: Option<i64>,
    ) -> Result<impl Stream<Item = Result<Event>> + use<>> {
        let ctx = ctx(context).clone();
        let filter = filter(&ctx, alliance_id.as_ref(), organization_id.as_ref())?;
        let changes = follow::changes(&ctx, filter, after).await.or_api_error(&ctx)?;
        Ok(changes.map(move |item| item.map(Event::from).map_err(|end| ended(&ctx, &end))))
    }
}

/// Key of an event as the caller may read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventOf(pub EventId);

impl Loader<EventOf> for Loaders {
    type Value = event::Model;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[EventOf]) -> Result<HashMap<EventOf, Self::Value>, Self::Error> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = history::find_all(&self.0, &ids).await.map_err(Arc::new)?;
        Ok(rows.into_iter().map(|row| (EventOf(row.id), row)).collect())
    }
}

impl Loader<EventId> for Loaders {
    type Value = i64;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[EventId]) -> Result<HashMap<EventId, i64>, Self::Error> {
        Ok(history::positions(&self.0, keys).await.map_err(Arc::new)?.into_iter().collect())
    }
}
