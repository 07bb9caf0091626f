//! Faces of private calendar addresses.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use concord_entities::{
    calendar_feed,
    id::{CalendarFeedId, TypedId},
};
use uuid::Uuid;

use super::plan::RotationPlan;
use crate::{
    domain::{self, Ctx, rotation::feed as verbs},
    graphql::{
        ctx,
        error::{OrApiError, UserError, payload, user_error},
        id, loaders,
        node::Node,
        scalar::DateTime,
    },
};

/// A private, revocable address of a rotation's iCalendar feed; its secret is shown only when it is made.
#[derive(Clone)]
pub struct CalendarFeed(pub calendar_feed::Model);

impl From<calendar_feed::Model> for CalendarFeed {
    fn from(row: calendar_feed::Model) -> Self {
        Self(row)
    }
}

impl Node for CalendarFeed {
    const NOUN: &'static str = CalendarFeedId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find(ctx, id.into()).await?.map(Self))
    }
}

/// A private, revocable address of a rotation's iCalendar feed; its secret is shown only when it is made.
#[Object]
impl CalendarFeed {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// The rotation plan it shows, while its maker may see it.
    async fn plan(&self, context: &Context<'_>) -> Result<Option<RotationPlan>> {
        Ok(loaders::one(context, self.0.plan_id).await?.map(RotationPlan))
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it was revoked.
    async fn revoked_at(&self) -> Option<DateTime> {
        self.0.revoked_at.map(Into::into)
    }
}

#[derive(Default)]
pub struct CalendarFeedQuery;

#[Object]
impl CalendarFeedQuery {
    /// The caller's own live calendar addresses, newest first.
    async fn calendar_feeds(&self, context: &Context<'_>) -> Result<Vec<CalendarFeed>> {
        let ctx = ctx(context);
        Ok(verbs::list(ctx).await.or_api_error(ctx)?.into_iter().map(CalendarFeed).collect())
    }
}

/// A calendar address that is wished for.
#[derive(InputObject)]
pub struct CreateCalendarFeedInput {
    /// The rotation plan.
    plan_id: ID,
}

/// A calendar address that is taken back.
#[derive(InputObject)]
pub struct RevokeCalendarFeedInput {
    /// The address.
    calendar_feed_id: ID,
}

/// What came of making a calendar address.
#[derive(SimpleObject)]
pub struct CreateCalendarFeedPayload {
    /// The address.
    calendar_feed: Option<CalendarFeed>,
    /// Path of the feed on this server, with its secret; shown this once.
    path: Option<String>,
    /// What the caller can mend; empty when the change was made.
    user_errors: Vec<UserError>,
}

payload!(
    /// What came of revoking a calendar address.
    RevokeCalendarFeedPayload {
        /// The address.
        calendar_feed: CalendarFeed
    }
);

#[derive(Default)]
pub struct CalendarFeedMutation;

#[Object]
impl CalendarFeedMutation {
    /// Makes a private address under which calendars follow a rotation; it shows what its maker may see. Takes no idempotency
    /// key, for it answers with a secret.
    async fn create_calendar_feed(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Of which plan.")] input: CreateCalendarFeedInput,
    ) -> Result<CreateCalendarFeedPayload> {
        let ctx = ctx(context);
        let result = async { verbs::create(ctx, id::decode(&input.plan_id, "planId")?).await }.await;
        Ok(match result {
            Ok(made) => CreateCalendarFeedPayload {
                calendar_feed: Some(CalendarFeed(made.feed)),
                path: Some(made.path),
                user_errors: Vec::new(),
            },
            Err(error) => CreateCalendarFeedPayload {
                calendar_feed: None,
                path: None,
                user_errors: vec![user_error(ctx, &error)?],
            },
        })
    }

    /// Revokes one of the caller's own calendar addresses.
    async fn revoke_calendar_feed(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which address.")] input: RevokeCalendarFeedInput,
    ) -> Result<RevokeCalendarFeedPayload> {
        let ctx = ctx(context);
        let result =
            async { verbs::revoke(ctx, id::decode(&input.calendar_feed_id, "calendarFeedId")?).await }.await;
        RevokeCalendarFeedPayload::of(ctx, result).await
    }
}
