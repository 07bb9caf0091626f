//! One hand's loop: woken by the bell or by the clock, it works until told to stop. A failure or a panic is logged and
//! tried again, more and more slowly.

use std::{ops::ControlFlow, panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use tokio::sync::watch;

use crate::domain::{Ctx, Error, Result};

/// The first wait after a failure; it doubles with each further one.
const BACKOFF: Duration = Duration::from_millis(200);
/// How often the wait doubles: up to 3.2 seconds, because after an outage too nothing is more than five seconds late.
const DOUBLINGS: u32 = 4;

pub(super) struct Worker {
    pub(super) name: &'static str,
    /// How long it sleeps when no bell rings.
    pub(super) period: Duration,
    pub(super) bell: Option<watch::Receiver<()>>,
    pub(super) ctx: Ctx,
    pub(super) shutdown: watch::Receiver<bool>,
}

impl Worker {
    pub(super) async fn run<W>(mut self, work: W)
    where
        W: for<'a> AsyncFn(&'a Ctx) -> Result<()>,
    {
        let mut failures = 0_u32;
        while !*self.shutdown.borrow() {
            let done = AssertUnwindSafe(work(&self.ctx)).catch_unwind().await;
            match done.unwrap_or_else(|_| Err(Error::internal("a hand panicked"))) {
                Ok(()) => failures = 0,
                Err(error) => {
                    tracing::error!(hand = self.name, hand.failures = failures + 1, ?error, "a hand failed");
                    failures += 1;
                }
            }
            if self.sleep(failures).await.is_break() {
                break;
            }
        }
    }

    /// Sleeps until the bell rings or the period ends; after failures the bell is not heard.
    async fn sleep(&mut self, failures: u32) -> ControlFlow<()> {
        let period = match failures.checked_sub(1) {
            None => self.period,
            Some(doublings) => BACKOFF * 2_u32.pow(doublings.min(DOUBLINGS)),
        };
        // Nodes that started together should not look together.
        let [jitter] = self.ctx.app.random_bytes::<1>();
        let period = period + period * u32::from(jitter) / 1024;
        let bell = async {
            let heard = match &mut self.bell {
                Some(bell) if failures == 0 => bell.changed().await.is_ok(),
                _ => false,
            };
            if !heard {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = bell => ControlFlow::Continue(()),
            () = tokio::time::sleep(period) => ControlFlow::Continue(()),
            // A closed channel means that whoever started the hands is gone.
            _ = self.shutdown.wait_for(|stop| *stop) => ControlFlow::Break(()),
        }
    }
}
