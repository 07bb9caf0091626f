//! The hands: they act on what was recorded. Each is safe to run on several nodes at once and after a crash; none is
//! needed for the correctness of an answer.

mod bell;
mod worker;

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinSet};

use self::worker::Worker;
use crate::domain::{
    App, Ctx, Result, chain,
    fact::{follow, inbox},
    idempotency,
};

/// How often the hands that follow the clock look.
const CLOCK: Duration = Duration::from_secs(3);

/// Does once everything that waits to be done: what `spawn` repeats, and what tests call.
pub async fn run_once(ctx: &Ctx) -> Result<()> {
    follow_events(ctx).await?;
    follow_clock(ctx).await?;
    // The clock's hands record events of their own.
    follow_events(ctx).await?;
    follow::tail_tables(ctx).await?;
    Ok(())
}

/// Seals what was committed, and tells the people concerned.
async fn follow_events(ctx: &Ctx) -> Result<()> {
    while chain::seal(ctx).await? > 0 {}
    while inbox::project(ctx).await? > 0 {}
    Ok(())
}

/// Does what time alone makes due.
async fn follow_clock(ctx: &Ctx) -> Result<()> {
    idempotency::sweep(ctx).await?;
    // rotation
    // list
    // fact
    Ok(())
}

/// Starts the hands that this process's roles ask for; they end soon after `shutdown` becomes true.
pub fn spawn(app: &Arc<App>, shutdown: &watch::Receiver<bool>) -> JoinSet<()> {
    let (ring, rung) = watch::channel(());
    let mut tasks = JoinSet::new();
    bell::spawn(&mut tasks, app, &Arc::new(ring), shutdown);
    let poll = Duration::from_millis(app.config.background.poll_interval_ms.max(1));
    let worker =
        |name, period, bell| Worker { name, period, bell, ctx: Ctx::system(app), shutdown: shutdown.clone() };
    if app.config.roles.background {
        tasks.spawn(worker("events", poll, Some(rung.clone())).run(async |ctx| follow_events(ctx).await));
        tasks.spawn(worker("clock", CLOCK, None).run(async |ctx| follow_clock(ctx).await));
    }
    if app.config.roles.http {
        // Only a process that answers clients has listeners to feed.
        let tail = worker("tail", poll, Some(rung));
        tasks.spawn(tail.run(async |ctx| follow::tail_tables(ctx).await.map(drop)));
    }
    tasks
}
