//! The hands: they act on what was recorded. Each is safe to run on several nodes at once and after a crash; none is
//! needed for the correctness of an answer.

mod bell;
mod worker;

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use tokio::{sync::watch, task::JoinSet};

use self::worker::Worker;
use crate::domain::{
    App, Ctx, Error, Result,
    chain::{self, checkpoint},
    fact::{follow, inbox},
    file, idempotency,
    identity::{api_key, session},
};

/// How often the hands that follow the clock look.
const CLOCK: Duration = Duration::from_secs(3);
/// How often the last use of keys is written down.
const KEY_USES: Duration = Duration::from_secs(10);

/// How long the last checkpoint may hold up a stop.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long it waits before it is tried again.
const AGAIN: Duration = Duration::from_millis(5);

/// The running hands; `stop` waits until each has put down what it held.
pub struct Hands {
    shutdown: watch::Sender<bool>,
    tasks: JoinSet<()>,
    /// Who makes the last checkpoint, where this process makes any.
    last: Option<Ctx>,
}

impl Hands {
    pub async fn stop(mut self) {
        self.shutdown.send_replace(true);
        // A hand that panicked has logged it; stopping goes on.
        while self.tasks.join_next().await.is_some() {}
        let Some(ctx) = self.last else { return };
        let last = async {
            loop {
                match checkpoint::make(&ctx, TimeDelta::zero()).await {
                    // A connection ends with the worker that opened it; the pool has others, or opens one.
                    Err(Error::Unavailable(_)) => tokio::time::sleep(AGAIN).await,
                    made => break made,
                }
            }
        };
        let made = tokio::time::timeout(FAREWELL, last).await;
        if !matches!(made, Ok(Ok(_))) {
            tracing::warn!(?made, "no checkpoint was made on leaving; the next start makes it");
        }
    }
}

/// Does once everything that waits to be done: what `spawn` repeats, and what tests call.
pub async fn run_once(ctx: &Ctx) -> Result<()> {
    seal_events(ctx).await?;
    tell_people(ctx).await?;
    follow_clock(ctx).await?;
    // The clock's hands record events of their own.
    seal_events(ctx).await?;
    tell_people(ctx).await?;
    make_checkpoint(ctx).await?;
    follow::tail_tables(ctx).await?;
    Ok(())
}

/// Seals what was committed.
async fn seal_events(ctx: &Ctx) -> Result<()> {
    while chain::seal(ctx).await? > 0 {}
    Ok(())
}

/// Tells the people concerned of what was sealed.
async fn tell_people(ctx: &Ctx) -> Result<()> {
    while inbox::project(ctx).await? > 0 {}
    Ok(())
}

/// Signs what the chains have come to, once in a while.
async fn make_checkpoint(ctx: &Ctx) -> Result<()> {
    let age = TimeDelta::seconds(ctx.app.config.background.checkpoint_seconds);
    checkpoint::make(ctx, age).await.map(drop)
}

/// Does what time alone makes due.
async fn follow_clock(ctx: &Ctx) -> Result<()> {
    idempotency::sweep(ctx).await?;
    session::sweep(ctx).await?;
    api_key::flush_last_used(&ctx.app).await?;
    // rotation
    crate::domain::rotation::slot::mark_missed(ctx).await?;
    crate::domain::rotation::handover_item::pass_on(ctx).await?;
    // list
    file::sweep(ctx).await?;
    while crate::domain::list::due::notify(ctx).await? > 0 {}
    while crate::domain::list::supervision::watch(ctx).await? > 0 {}
    while crate::domain::list::counts::settle(ctx).await? > 0 {}
    // whistle
    while crate::domain::whistle::watch::watch(ctx).await? > 0 {}
    while crate::domain::whistle::ranking::take(ctx).await? > 0 {}
    // mobilization
    crate::domain::mobilization::check_in::sweep(ctx).await?;
    // fact
    Ok(())
}

/// Starts the hands that this process's roles ask for.
pub fn spawn(app: &Arc<App>) -> Hands {
    let (stop, shutdown) = watch::channel(false);
    let (ring, bell) = watch::channel(());
    let mut tasks = JoinSet::new();
    bell::spawn(&mut tasks, app, &Arc::new(ring), &shutdown);
    let poll = Duration::from_millis(app.config.background.poll_interval_ms.max(1));
    let worker =
        |name, period, bell| Worker { name, period, bell, ctx: Ctx::system(app), shutdown: shutdown.clone() };
    if app.config.roles.background {
        // Each on its own: where much is recorded, whoever tells people has much to do, and seals do not wait for it.
        tasks.spawn(worker("seals", poll, Some(bell.clone())).run(async |ctx| seal_events(ctx).await));
        tasks.spawn(worker("inbox", poll, Some(bell.clone())).run(async |ctx| tell_people(ctx).await));
        tasks.spawn(worker("clock", CLOCK, None).run(async |ctx| follow_clock(ctx).await));
        tasks.spawn(worker("checkpoints", CLOCK, None).run(async |ctx| make_checkpoint(ctx).await));
    }
    if app.config.roles.http {
        // Only a process that answers clients has listeners to feed.
        let tail = worker("tail", poll, Some(bell));
        tasks.spawn(tail.run(async |ctx| follow::tail_tables(ctx).await.map(drop)));
        // Each node notes the keys that it was asked with.
        let uses = worker("key uses", KEY_USES, None);
        tasks.spawn(uses.run(async |ctx| api_key::flush_last_used(&ctx.app).await.map(drop)));
    }
    let last = app.config.roles.background.then(|| Ctx::system(app));
    Hands { shutdown: stop, tasks, last }
}
