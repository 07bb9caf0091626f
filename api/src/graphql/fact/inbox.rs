//! Faces of a person's inbox.

use async_graphql::{
    Context, Enum, ID, InputObject, MergedObject, Object, OneofObject, Result, SimpleObject, Subscription,
};
use concord_entities::{
    id::{InboxEntryId, TypedId},
    inbox_entry,
};
use futures_util::{Stream, StreamExt};
use uuid::Uuid;

use super::event::{Event, EventOf, ended};
use crate::{
    domain::{
        self, Ctx, Error,
        fact::{
            follow,
            inbox::{self as verbs, Marked},
        },
    },
    graphql::{
        connection::{args, connection},
        ctx,
        error::{OrApiError, UserError, user_error},
        governance::alliance::Alliance,
        id, loaders,
        node::{self, AnyNode, Node},
        scalar::DateTime,
    },
};

/// Why something shows in an inbox.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "concord_entities::inbox_entry::Kind", name = "InboxKind")]
pub enum InboxKind {
    /// It is the reader's turn: work was assigned, or something waits for their check or decision.
    Assigned,
    /// Work came back.
    Returned,
    /// A due date nears.
    Due,
    /// A list or a rotation was published.
    Published,
    /// Turns of the rotation were swapped.
    Swapped,
    /// An assignment was taken back.
    Recalled,
    /// What the reader raised was settled: struck off, or not taken on.
    Closed,
}

/// Something that a person should look at (待办).
#[derive(Clone)]
pub struct InboxEntry(pub inbox_entry::Model);

impl From<inbox_entry::Model> for InboxEntry {
    fn from(row: inbox_entry::Model) -> Self {
        Self(row)
    }
}

impl Node for InboxEntry {
    const NOUN: &'static str = InboxEntryId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find(ctx, id.into()).await?.map(Self))
    }
}

/// Something that a person should look at (待办).
#[Object]
impl InboxEntry {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// Why it is shown.
    async fn kind(&self) -> InboxKind {
        self.0.kind.into()
    }

    /// Where it happened.
    async fn alliance(&self, context: &Context<'_>) -> Result<Option<Alliance>> {
        match self.0.alliance_id {
            Some(alliance) => Ok(loaders::one(context, alliance).await?.map(Alliance)),
            None => Ok(None),
        }
    }

    /// What happened, where the reader may still see it.
    async fn event(&self, context: &Context<'_>) -> Result<Option<Event>> {
        Ok(loaders::one(context, EventOf(self.0.event_id)).await?.map(Event::from))
    }

    /// Position of what happened; give it as `after` to go on from here.
    async fn position(&self) -> i64 {
        self.0.position
    }

    /// Global identifier of the object to look at; `nodes` reads many of them at once.
    async fn subject_id(&self) -> ID {
        id::encode_raw(&self.0.subject_kind, self.0.subject_id)
    }

    /// The object to look at, where the reader may see it.
    async fn subject(&self, context: &Context<'_>) -> Result<Option<AnyNode>> {
        node::subject(context, &self.0.subject_kind, self.0.subject_id).await
    }

    /// When it came in.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it was read; null while it is unread.
    async fn read_at(&self) -> Option<DateTime> {
        self.0.read_at.map(DateTime::from)
    }
}

connection!(InboxEntryConnection, InboxEntryEdge, InboxEntry, inbox_entry::Entity);

#[derive(Default)]
pub struct InboxCount;

#[Object]
impl InboxCount {
    /// How many entries of the whole inbox are unread, whatever the filter.
    async fn unread_count(&self, context: &Context<'_>) -> Result<u64> {
        let ctx = ctx(context);
        verbs::unread_count(ctx).await.or_api_error(ctx)
    }
}

/// One page of the caller's inbox.
#[derive(MergedObject)]
pub struct InboxConnection(InboxEntryConnection, InboxCount);

/// Which entries of the inbox.
#[derive(InputObject, Default)]
pub struct InboxFilter {
    /// Only unread ones, or only read ones.
    unread: Option<bool>,
    /// Only those shown for this reason.
    kind: Option<InboxKind>,
    /// Only those of this alliance.
    alliance_id: Option<ID>,
}

#[derive(Default)]
pub struct InboxQuery;

#[Object]
impl InboxQuery {
    /// The caller's inbox, newest first.
    async fn inbox(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which entries.")] filter: Option<InboxFilter>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<InboxConnection> {
        let ctx = ctx(context);
        let asked = filter.unwrap_or_default();
        let filter = verbs::Filter {
            unread: asked.unread,
            kind: asked.kind.map(Into::into),
            alliance: id::decode_optional(asked.alliance_id.as_ref(), "filter.allianceId")
                .or_api_error(ctx)?,
        };
        let page = verbs::list(ctx, filter, &args(first, after, last, before)).await.or_api_error(ctx)?;
        Ok(InboxConnection(page.into(), InboxCount))
    }
}

/// What to mark as read: some entries, or everything up to a position.
#[derive(OneofObject)]
pub enum MarkInboxReadInput {
    /// These entries, at most 100.
    EntryIds(Vec<ID>),
    /// Everything up to this position, such as that of the newest entry on screen.
    UpToPosition(i64),
}

/// What came of marking entries as read.
#[derive(SimpleObject)]
pub struct MarkInboxReadPayload {
    /// How many entries are unread now.
    unread_count: Option<u64>,
    /// What the caller can mend; empty when the change was made.
    user_errors: Vec<UserError>,
}

#[derive(Default)]
pub struct InboxMutation;

#[Object]
impl InboxMutation {
    /// Marks entries of the caller's own inbox as read.
    async fn mark_inbox_read(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What to mark.")] input: MarkInboxReadInput,
    ) -> Result<MarkInboxReadPayload> {
        let ctx = ctx(context);
        let done = async {
            let marked = match input {
                MarkInboxReadInput::EntryIds(ids) => Marked::Entries(id::decode_all(&ids, "entryIds")?),
                MarkInboxReadInput::UpToPosition(position) => Marked::UpTo(position),
            };
            match verbs::mark_read(ctx, marked).await {
                // Carried out before; what counts is how the inbox stands now.
                Ok(_) | Err(Error::Replayed(_)) => verbs::unread_count(ctx).await,
                Err(error) => Err(error),
            }
        }
        .await;
        Ok(match done {
            Ok(unread) => MarkInboxReadPayload { unread_count: Some(unread), user_errors: Vec::new() },
            Err(error) => {
                MarkInboxReadPayload { unread_count: None, user_errors: vec![user_error(ctx, &error)?] }
            }
        })
    }
}

#[derive(Default)]
pub struct InboxSubscription;

#[Subscription]
impl InboxSubscription {
    /// What comes into the caller's inbox, as it comes. Begins after the position given, else now; ends like `changes`.
    async fn inbox(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The last position already read.")] after: Option<i64>,
    ) -> Result<impl Stream<Item = Result<InboxEntry>> + use<>> {
        let ctx = ctx(context).clone();
        let entries = follow::inbox(&ctx, after).await.or_api_error(&ctx)?;
        Ok(entries.map(move |item| item.map(InboxEntry).map_err(|end| ended(&ctx, &end))))
    }
}
