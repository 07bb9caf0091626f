//! Live tails: the table first, then this process's feed, without a gap and without a duplicate. The feed only wakes a
//! follower; what it hands out comes from the table, in a statement that carries the caller's rights, so nothing outlives
//! them. A follower that lags is told so with the last position it got, and resumes there.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use concord_entities::{event, event_seal, hand_cursor, inbox_entry};
use futures_util::{Stream, stream};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::{
    changes::{self, Filter},
    inbox,
};
use crate::domain::{
    Code, Ctx, Error, Result,
    feed::{Heads, Sealed, Told},
};

/// Events read from the table at once.
const BATCH: u64 = 100;
/// How long a silent follower goes without another look at its rights.
const IDLE: Duration = Duration::from_secs(5);

/// Beginnings of kinds after which a follower's rights are looked at again.
const RIGHTS: [&str; 8] =
    ["account_", "api_key_", "membership_", "password_", "refresh_token_", "seat_", "session_", "signed_"];
/// Kinds that take no right from anybody, and come by the thousands.
const HARMLESS: [&str; 2] = ["session_refreshed", "signed_in"];

/// Whether a follower's rights are looked at again after an event of this kind.
pub(in crate::domain) fn is_about_rights(kind: &str) -> bool {
    !HARMLESS.contains(&kind) && RIGHTS.iter().any(|beginning| kind.starts_with(beginning))
}

/// Why and where a tail ended: give the position as `after` to go on.
#[derive(Debug)]
pub struct Ended {
    pub error: Error,
    pub position: i64,
}

/// The changes after a position, and then as they come.
pub async fn changes(
    ctx: &Ctx,
    filter: Filter,
    after: Option<i64>,
) -> Result<impl Stream<Item = Result<Sealed, Ended>> + use<>> {
    if filter == Filter::default() {
        return Err(Error::invalid(Code::Required, "allianceId"));
    }
    let position = start(ctx, after).await?;
    changes::require_visible(ctx, filter).await?;
    let listen = |ctx: &Ctx| ctx.app.feed.listen();
    Ok(tail(Follower {
        ctx: ctx.clone(),
        source: Changed(filter),
        position,
        read: position,
        waiting: VecDeque::new(),
        listener: None,
        listen,
        ended: false,
    }))
}

/// What comes into the caller's inbox after a position, and then as it comes.
pub async fn inbox(
    ctx: &Ctx,
    after: Option<i64>,
) -> Result<impl Stream<Item = Result<inbox_entry::Model, Ended>> + use<>> {
    ctx.account_id()?;
    let position = start(ctx, after).await?;
    changes::require_visible(ctx, Filter::default()).await?;
    let listen = |ctx: &Ctx| ctx.app.feed.listen_inbox();
    Ok(tail(Follower {
        ctx: ctx.clone(),
        source: Received,
        position,
        read: position,
        waiting: VecDeque::new(),
        listener: None,
        listen,
        ended: false,
    }))
}

/// Makes sure that the feed runs from here on, and tells from where to read.
async fn start(ctx: &Ctx, after: Option<i64>) -> Result<i64> {
    let heads = heads(ctx, &mut *ctx.app.feed.heads.lock().await).await?;
    match after {
        Some(after) if after < 0 => {
            Err(Error::invalid(Code::OutOfRange, "after").with("least", 0).with("most", i64::MAX))
        }
        Some(after) => changes::require_known(ctx, after).await.map(|()| after),
        None => Ok(heads.sealed),
    }
}

/// Where a follower reads, and what wakes it.
trait Source: Send {
    type Item: Send;
    type Ring: Clone + Send + Sync + 'static;

    /// The items after a position, the position read up to, and whether there is more at once.
    fn read(
        &self,
        ctx: &Ctx,
        after: i64,
    ) -> impl Future<Output = Result<(Vec<Self::Item>, i64, bool)>> + Send;
    fn position(item: &Self::Item) -> i64;
    fn rung(ring: &Self::Ring) -> i64;
    /// Whether the ring may bring something for this follower.
    fn concerns(&self, ctx: &Ctx, ring: &Self::Ring) -> bool;
}

struct Changed(Filter);

impl Source for Changed {
    type Item = Sealed;
    type Ring = Arc<Sealed>;

    async fn read(&self, ctx: &Ctx, after: i64) -> Result<(Vec<Sealed>, i64, bool)> {
        changes::require_visible(ctx, self.0).await?;
        let page = changes::after_position(ctx, self.0, after, BATCH).await?;
        Ok((page.events, page.position, page.has_more))
    }

    fn position(item: &Sealed) -> i64 {
        item.position
    }

    fn rung(ring: &Arc<Sealed>) -> i64 {
        ring.position
    }

    fn concerns(&self, _: &Ctx, ring: &Arc<Sealed>) -> bool {
        self.0.fits(&ring.event) || is_about_rights(&ring.event.kind)
    }
}

struct Received;

impl Source for Received {
    type Item = inbox_entry::Model;
    type Ring = Arc<Told>;

    async fn read(&self, ctx: &Ctx, after: i64) -> Result<(Vec<inbox_entry::Model>, i64, bool)> {
        changes::require_visible(ctx, Filter::default()).await?;
        let told = inbox::cursor(ctx).await?;
        let mut entries = inbox::visible(ctx)
            .filter(inbox_entry::Column::Position.gt(after))
            .order_by_asc(inbox_entry::Column::Position)
            .limit(BATCH + 1)
            .all(ctx.read())
            .await?;
        let most = usize::try_from(BATCH).unwrap_or(usize::MAX);
        let has_more = entries.len() > most;
        entries.truncate(most);
        let last = entries.last().map_or(after, |entry| entry.position);
        Ok((entries, if has_more { last } else { last.max(told) }, has_more))
    }

    fn position(item: &inbox_entry::Model) -> i64 {
        item.position
    }

    fn rung(ring: &Arc<Told>) -> i64 {
        ring.position
    }

    fn concerns(&self, ctx: &Ctx, ring: &Arc<Told>) -> bool {
        ctx.account_id().is_ok_and(|own| ring.accounts.contains(&own))
    }
}

struct Follower<S: Source, L> {
    ctx: Ctx,
    source: S,
    /// The last position handed out.
    position: i64,
    /// Everything up to here has been read from the table.
    read: i64,
    waiting: VecDeque<S::Item>,
    /// Set once the follower has caught up with the table.
    listener: Option<Receiver<S::Ring>>,
    listen: L,
    ended: bool,
}

fn tail<S, L>(follower: Follower<S, L>) -> impl Stream<Item = Result<S::Item, Ended>>
where
    S: Source,
    L: Fn(&Ctx) -> Receiver<S::Ring> + Send,
{
    stream::unfold(follower, |mut follower| async move {
        let item = follower.next().await?;
        Some((item, follower))
    })
}

impl<S, L> Follower<S, L>
where
    S: Source,
    L: Fn(&Ctx) -> Receiver<S::Ring> + Send,
{
    async fn next(&mut self) -> Option<Result<S::Item, Ended>> {
        loop {
            if self.ended {
                return None;
            }
            if let Some(item) = self.waiting.pop_front() {
                self.position = S::position(&item);
                return Some(Ok(item));
            }
            if let Err(error) = self.fill().await {
                self.ended = true;
                return Some(Err(Ended { error, position: self.position }));
            }
        }
    }

    /// Waits for a ring, where the table has been read to its end, and reads on.
    async fn fill(&mut self) -> Result<()> {
        if let Some(mut listener) = self.listener.take() {
            self.wait(&mut listener).await?;
        }
        // Listening begins before reading: what is sealed in between rings.
        let listener = (self.listen)(&self.ctx);
        let (items, read, has_more) = self.source.read(&self.ctx, self.read).await?;
        self.read = read;
        self.waiting = items.into();
        self.listener = (!has_more).then_some(listener);
        Ok(())
    }

    async fn wait(&self, listener: &mut Receiver<S::Ring>) -> Result<()> {
        loop {
            match tokio::time::timeout(IDLE, listener.recv()).await {
                // Rights may have lapsed by the clock alone.
                Err(_) => return Ok(()),
                Ok(Ok(ring)) if S::rung(&ring) <= self.read => {}
                Ok(Ok(ring)) => {
                    if self.source.concerns(&self.ctx, &ring) {
                        return Ok(());
                    }
                }
                // A feed that is gone leaves its listeners behind like one that is too fast.
                Ok(Err(RecvError::Lagged(_) | RecvError::Closed)) => {
                    return Err(Error::refused(Code::Lagged));
                }
            }
        }
    }
}

/// Where this process's feed stands; the first look begins at the tables' ends.
async fn heads(ctx: &Ctx, heads: &mut Option<Heads>) -> Result<Heads> {
    if let Some(heads) = *heads {
        return Ok(heads);
    }
    let told = inbox::cursor(ctx).await?;
    let first = Heads { sealed: changes::head(ctx).await?, told };
    *heads = Some(first);
    Ok(first)
}

/// Hands to this process's feed whatever was sealed, by any node, since the last look; tells how many events.
pub async fn tail_tables(ctx: &Ctx) -> Result<usize> {
    let feed = &ctx.app.feed;
    let mut kept = feed.heads.lock().await;
    let mut at = heads(ctx, &mut kept).await?;
    let mut published = 0;
    loop {
        let rows = event_seal::Entity::find()
            .find_both_related(event::Entity)
            .filter(event_seal::Column::Position.gt(at.sealed))
            .order_by_asc(event_seal::Column::Position)
            .limit(BATCH)
            .all(ctx.read())
            .await?;
        let is_last = u64::try_from(rows.len()).unwrap_or(u64::MAX) < BATCH;
        for (seal, event) in rows {
            at.sealed = seal.position;
            published += 1;
            feed.publish(Sealed { position: seal.position, event });
        }
        *kept = Some(at);
        if is_last {
            break;
        }
    }
    let told = inbox::cursor(ctx).await?;
    if told > at.told {
        let accounts = inbox_entry::Entity::find()
            .select_only()
            .column(inbox_entry::Column::AccountId)
            .distinct()
            .filter(inbox_entry::Column::Position.gt(at.told))
            .filter(inbox_entry::Column::Position.lte(told))
            .into_tuple()
            .all(ctx.read())
            .await?;
        at.told = told;
        *kept = Some(at);
        feed.tell(Told { position: told, accounts });
    }
    Ok(published)
}

/// How far a hand has read.
pub(super) async fn cursor(ctx: &Ctx, name: &str) -> Result<i64> {
    let row = hand_cursor::Entity::find_by_id(name.to_owned()).one(ctx.read()).await?;
    Ok(row.map_or(0, |row| row.position))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_signs_in_takes_no_right_from_anybody() {
        assert!(
            ["signed_out", "seat_ended", "membership_suspended", "refresh_token_reused"]
                .map(is_about_rights)
                .iter()
                .all(|is| *is)
        );
        assert!(
            !["signed_in", "session_refreshed", "problem_registered"].map(is_about_rights).contains(&true)
        );
    }
}
