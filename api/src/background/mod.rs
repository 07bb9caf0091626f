//! The hands: they act on what was recorded. Each is safe to run on several nodes at once and after a crash; none is
//! needed for the correctness of an answer.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinHandle};

use crate::domain::{App, Ctx, Result, chain, idempotency, identity::api_key};

/// How often the last use of keys is written down.
const KEY_USES_EVERY: Duration = Duration::from_secs(10);

/// The running hands; `stop` waits until each has put down what it held.
pub struct Hands {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Hands {
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            // A hand that panicked has logged it; stopping goes on.
            let _ = task.await;
        }
    }
}

/// Starts the hands; without `working` this node only tails events for its own subscribers.
pub fn spawn(app: &Arc<App>, working: bool) -> Hands {
    let (stop, mut stopped) = watch::channel(false);
    let mut tasks = vec![tokio::spawn(keep_key_uses(app.clone(), stopped.clone()))];
    if working {
        let ctx = Ctx::system(app);
        tasks.push(tokio::spawn(async move {
            let pause = Duration::from_millis(ctx.app.config.background.poll_interval_ms);
            loop {
                if let Err(error) = run_once(&ctx).await {
                    tracing::error!(error = ?error, "background work failed");
                }
                tokio::select! {
                    _ = stopped.wait_for(|stop| *stop) => return,
                    () = ctx.app.committed.notified() => {}
                    () = tokio::time::sleep(pause) => {}
                }
            }
        }));
    }
    Hands { stop, tasks }
}

/// Writes down on every node which keys it was asked with, because each notes its own.
async fn keep_key_uses(app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    loop {
        let stopping = tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => true,
            () = tokio::time::sleep(KEY_USES_EVERY) => false,
        };
        if let Err(error) = api_key::flush_last_used(&app).await {
            tracing::warn!(error = ?error, "the last use of keys could not be written down");
        }
        if stopping {
            return;
        }
    }
}

/// Does once everything that waits to be done: what `serve` repeats, and what tests call.
pub async fn run_once(ctx: &Ctx) -> Result<()> {
    while chain::seal(ctx).await? > 0 {}
    idempotency::sweep(ctx).await?;
    api_key::flush_last_used(&ctx.app).await?;
    // rotation
    // list
    while crate::domain::list::due::notify(ctx).await? > 0 {}
    // fact
    Ok(())
}
