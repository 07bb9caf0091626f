//! GraphQL over server-sent events, one connection for each operation: `next` for answers, `complete` at the end.
//!
//! A stream that ends without `complete` tells the client to come back: so it ends on drain and when a token expires.

use std::pin::Pin;
use std::time::Duration;

use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{Error, HttpResponse};
use futures_util::StreamExt;
use futures_util::stream::{self, LocalBoxStream};
use tokio::time::{Instant, Interval, MissedTickBehavior, Sleep};

use super::answer::Answer;
use super::drain::Drain;
use super::operation::Paid;
use super::{Backend, Door, RequestMeta, Session, StreamSlot};

/// Lives as long as a stream without expiry could.
const FOREVER: Duration = Duration::from_hours(24 * 365);

/// The response whose body is the operation's answers.
pub fn respond<B: Backend>(
    door: Door<B>,
    session: Session<B::Actor>,
    meta: RequestMeta,
    paid: Paid,
    slot: StreamSlot,
) -> HttpResponse {
    let heartbeat = Duration::from_millis(door.settings.heartbeat_ms.max(1));
    let mut heartbeat = tokio::time::interval_at(Instant::now() + heartbeat, heartbeat);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let language = meta.locale.tag();
    let events = Events {
        drain: door.drain.clone(),
        expiry: Box::pin(tokio::time::sleep(session.expires_in.unwrap_or(FOREVER))),
        answers: door.answers(session, meta, paid),
        heartbeat,
        phase: Phase::Opening,
        _slot: slot,
    };
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/event-stream; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_LANGUAGE, language))
        // A compressor or a buffering proxy would hold events back.
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(stream::unfold(events, Events::next))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Opening,
    Running,
    Ended,
}

struct Events {
    answers: LocalBoxStream<'static, Answer>,
    heartbeat: Interval,
    expiry: Pin<Box<Sleep>>,
    drain: Drain,
    phase: Phase,
    _slot: StreamSlot,
}

impl Events {
    async fn next(mut self) -> Option<(Result<Bytes, Error>, Self)> {
        let event = match self.phase {
            // Headers leave at once, whenever the first event may come.
            Phase::Opening => {
                self.phase = Phase::Running;
                Bytes::from_static(b":\n\n")
            }
            Phase::Running => {
                tokio::select! {
                    biased;
                    () = self.drain.begun() => return None,
                    () = &mut self.expiry => return None,
                    answer = self.answers.next() => if let Some(answer) = answer {
                        next_event(&answer)
                    } else {
                        self.phase = Phase::Ended;
                        Bytes::from_static(b"event: complete\ndata:\n\n")
                    },
                    _ = self.heartbeat.tick() => Bytes::from_static(b":\n\n"),
                }
            }
            Phase::Ended => return None,
        };
        Some((Ok(event), self))
    }
}

fn next_event(answer: &Answer) -> Bytes {
    // JSON has no raw line breaks, so one data line holds it.
    let json = answer.to_json();
    let mut event = Vec::with_capacity(json.len() + 24);
    event.extend_from_slice(b"event: next\ndata: ");
    event.extend_from_slice(&json);
    event.extend_from_slice(b"\n\n");
    Bytes::from(event)
}
