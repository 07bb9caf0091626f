//! The bell: after a commit it wakes the hands of this process, and on PostgreSQL those of the others. It carries nothing;
//! whoever misses a ring looks again one poll interval later.

use std::{sync::Arc, time::Duration};

use sea_orm::{ConnectionTrait, DbBackend, sqlx::postgres::PgListener};
use tokio::{sync::watch, task::JoinSet};

use crate::domain::App;

/// Name of the channel between nodes.
const CHANNEL: &str = "concord_committed";
/// A node rings the others at most this often: `NOTIFY` makes commits wait for each other.
const QUIET: Duration = Duration::from_millis(20);
/// How long to wait before listening again after the connection broke.
const RETRY: Duration = Duration::from_secs(2);

pub(super) fn spawn(
    tasks: &mut JoinSet<()>,
    app: &Arc<App>,
    ring: &Arc<watch::Sender<()>>,
    shutdown: &watch::Receiver<bool>,
) {
    tasks.spawn(until(shutdown.clone(), pass_on(app.clone(), ring.clone())));
    if app.backend() == DbBackend::Postgres {
        tasks.spawn(until(shutdown.clone(), hear_others(app.clone(), ring.clone())));
    }
}

async fn until(mut shutdown: watch::Receiver<bool>, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        _ = shutdown.wait_for(|stop| *stop) => {}
    }
}

/// Rings for this process's own commits.
async fn pass_on(app: Arc<App>, ring: Arc<watch::Sender<()>>) {
    loop {
        app.committed.notified().await;
        ring.send_replace(());
        if app.backend() == DbBackend::Postgres {
            // Outside any transaction of ours, so that no verb waits for it.
            if let Err(error) = app.write.execute_unprepared(&format!("NOTIFY {CHANNEL}")).await {
                tracing::warn!(%error, "the other nodes were not rung");
            }
            tokio::time::sleep(QUIET).await;
        }
    }
}

/// Rings for the commits of other nodes.
async fn hear_others(app: Arc<App>, ring: Arc<watch::Sender<()>>) {
    loop {
        if let Err(error) = listen(&app, &ring).await {
            tracing::warn!(%error, "other nodes are not heard; polling goes on");
        }
        tokio::time::sleep(RETRY).await;
    }
}

async fn listen(app: &App, ring: &watch::Sender<()>) -> Result<(), sea_orm::sqlx::Error> {
    let mut listener = PgListener::connect(app.config.database_url().reveal()).await?;
    listener.listen(CHANNEL).await?;
    loop {
        listener.recv().await?;
        ring.send_replace(());
    }
}
