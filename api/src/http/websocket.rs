//! `graphql-transport-ws` on one socket: the handshake, the operations, and the close codes that its clients know.
//!
//! Queries, mutations and subscriptions pass the same admission and cost as over HTTP. A client that stops reading stops
//! its own operations: nothing is queued beyond the socket's small buffer.

use std::cell::RefCell;
use std::collections::HashMap;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::time::Duration;

use actix_web::http::header;
use actix_web::rt::task::JoinHandle;
use actix_web::{HttpRequest, HttpResponse, web};
use actix_ws::{CloseCode, CloseReason, Item, Message, MessageStream, ProtocolError};
use futures_util::StreamExt;
use serde::Serialize;
use serde_json::{Map, Value as Json};
use tokio::time::{Instant, MissedTickBehavior, Sleep, timeout};

use super::answer::Answer;
use super::negotiation;
use super::parameters;
use super::refusal::{DoorCode, Refusal};
use super::{Backend, Door, RequestMeta, Session, StreamSlot};

const PROTOCOL: &str = "graphql-transport-ws";
/// A peer that takes nothing for this long is gone.
const SEND_PATIENCE: Duration = Duration::from_secs(10);
/// How long a closing peer may still talk before the connection is dropped.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);
const FOREVER: Duration = Duration::from_hours(24 * 365);
/// Frames of one fragmented message; empty ones have no bytes to count.
const FRAMES_PER_MESSAGE: usize = 1_024;
const OPERATION_ID_MAX: usize = 256;

/// Why a socket ends.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Close(u16, String);

impl Close {
    fn new(code: u16, reason: impl Into<String>) -> Self {
        Self(code, reason.into())
    }

    fn bad_request(reason: impl Into<String>) -> Self {
        Self::new(4400, reason)
    }
}

/// Upgrades the connection and serves it in a task of its own.
pub fn accept<B: Backend>(
    request: &HttpRequest,
    payload: web::Payload,
    door: &Door<B>,
    meta: RequestMeta,
) -> Result<HttpResponse, Refusal> {
    let (response, sender, messages) = actix_ws::handle_with_protocols(request, payload, &[PROTOCOL])
        .map_err(|fault| Refusal::new(DoorCode::BadUpgrade).with("detail", fault))?;
    let refused = if !response.headers().contains_key(header::SEC_WEBSOCKET_PROTOCOL) {
        Some(Close::new(4406, "Subprotocol not acceptable"))
    } else if door.drain.has_begun() {
        Some(Close::new(1012, "Service restart"))
    } else {
        None
    };
    let slot = door.stream_slot();
    let door = door.clone();
    let messages = messages.max_frame_size(door.settings.message_bytes);
    actix_web::rt::spawn(async move {
        let mut messages = messages;
        let close = match (refused, slot) {
            (Some(close), _) => Some(close),
            (None, None) => Some(Close::new(1013, "Try again later")),
            (None, Some(slot)) => Socket::new(door, meta, sender.clone(), slot).serve(&mut messages).await,
        };
        if let Some(Close(code, description)) = close {
            finish(
                sender,
                messages,
                CloseReason { code: CloseCode::from(code), description: Some(description) },
            )
            .await;
        }
    });
    Ok(response)
}

/// Says why, and reads on for a moment: a connection dropped with unread bytes would be reset before the peer reads it.
async fn finish(sender: actix_ws::Session, mut messages: MessageStream, reason: CloseReason) {
    if timeout(SEND_PATIENCE, sender.close(Some(reason))).await.is_ok() {
        let rest = async { while let Some(Ok(_)) = messages.recv().await {} };
        let _ = timeout(CLOSE_PATIENCE, rest).await;
    }
}

/// Joins continuation frames and bounds what they add up to.
#[derive(Default)]
struct Assembler {
    partial: Option<Vec<u8>>,
    frames: usize,
}

enum Assembled {
    Text(String),
    Control,
    Closed,
    Pending,
}

impl Assembler {
    fn take(&mut self, message: Message, limit: usize) -> Result<Assembled, Close> {
        let binary = || Close::bad_request("Only text messages are understood");
        match message {
            Message::Text(text) if self.partial.is_none() => Ok(Assembled::Text(text.to_string())),
            Message::Continuation(Item::FirstText(bytes)) if self.partial.is_none() => {
                self.partial = Some(Vec::new());
                self.frames = 0;
                self.extend(&bytes, limit)?;
                Ok(Assembled::Pending)
            }
            Message::Continuation(Item::Continue(bytes)) => {
                self.extend(&bytes, limit)?;
                Ok(Assembled::Pending)
            }
            Message::Continuation(Item::Last(bytes)) => {
                self.extend(&bytes, limit)?;
                let whole = self.partial.take().unwrap_or_default();
                String::from_utf8(whole).map(Assembled::Text).map_err(|_| Close::new(1007, "Not UTF-8"))
            }
            Message::Binary(_) | Message::Continuation(Item::FirstBinary(_)) => Err(binary()),
            Message::Text(_) | Message::Continuation(_) => Err(Close::new(1002, "Unexpected continuation")),
            Message::Close(_) => Ok(Assembled::Closed),
            Message::Ping(_) | Message::Pong(_) | Message::Nop => Ok(Assembled::Control),
        }
    }

    fn extend(&mut self, bytes: &[u8], limit: usize) -> Result<(), Close> {
        let partial = self.partial.as_mut().ok_or_else(|| Close::new(1002, "Unexpected continuation"))?;
        self.frames += 1;
        if partial.len() + bytes.len() > limit || self.frames > FRAMES_PER_MESSAGE {
            return Err(Close::new(1009, "Message too big"));
        }
        partial.extend_from_slice(bytes);
        Ok(())
    }
}

/// Running operations by the client's id. An operation leaves before it says `complete`, so its id is free at once.
type Operations = Rc<RefCell<HashMap<String, (u64, JoinHandle<()>)>>>;

struct Socket<B: Backend> {
    door: Door<B>,
    meta: RequestMeta,
    sender: actix_ws::Session,
    /// Whether a credential was accepted, or none was brought.
    acknowledged: bool,
    credential: Option<String>,
    initialising: bool,
    operations: Operations,
    started: u64,
    expiry: Pin<Box<Sleep>>,
    _slot: StreamSlot,
}

impl<B: Backend> Drop for Socket<B> {
    fn drop(&mut self) {
        for (_, (_, task)) in self.operations.borrow_mut().drain() {
            task.abort();
        }
    }
}

impl<B: Backend> Socket<B> {
    fn new(door: Door<B>, meta: RequestMeta, sender: actix_ws::Session, slot: StreamSlot) -> Self {
        metrics::counter!("graphql_sockets_total").increment(1);
        Self {
            door,
            meta,
            sender,
            acknowledged: false,
            credential: None,
            initialising: false,
            operations: Operations::default(),
            started: 0,
            expiry: Box::pin(tokio::time::sleep(FOREVER)),
            _slot: slot,
        }
    }

    /// Serves until the socket ends; gives the reason unless the peer is gone.
    async fn serve(mut self, messages: &mut MessageStream) -> Option<Close> {
        let beat = Duration::from_millis(self.door.settings.heartbeat_ms.max(1));
        let mut heartbeat = tokio::time::interval_at(Instant::now() + beat, beat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        let patience = Duration::from_millis(self.door.settings.init_timeout_ms);
        let mut init_timeout = pin!(tokio::time::sleep(patience));
        let drain = self.door.drain.clone();
        let mut drained = pin!(drain.begun());
        let mut assembler = Assembler::default();
        loop {
            let message = tokio::select! {
                message = messages.recv() => message,
                () = &mut drained => return Some(Close::new(1012, "Service restart")),
                () = &mut self.expiry => return Some(Close::new(4403, "Token expired")),
                () = &mut init_timeout, if !self.acknowledged => {
                    return Some(Close::new(4408, "Connection initialisation timeout"));
                }
                _ = heartbeat.tick() => {
                    // Every client answers pings; silence over three of them means that nobody is there.
                    let alive = heard.elapsed() < beat * 3;
                    let sent = alive && timeout(SEND_PATIENCE, self.sender.ping(b"")).await.is_ok_and(|sent| sent.is_ok());
                    if sent { continue; }
                    return None;
                }
            };
            heard = Instant::now();
            let message = match message? {
                Ok(message) => message,
                Err(ProtocolError::Overflow) => return Some(Close::new(1009, "Message too big")),
                Err(ProtocolError::Io(fault)) if fault.kind() == std::io::ErrorKind::InvalidData => {
                    return Some(Close::new(1007, "Not UTF-8"));
                }
                Err(ProtocolError::Io(_)) => return None,
                Err(_) => return Some(Close::new(1002, "Protocol error")),
            };
            if let Message::Ping(bytes) = &message {
                timeout(SEND_PATIENCE, self.sender.pong(bytes)).await.ok()?.ok()?;
            }
            let handled = match assembler.take(message, self.door.settings.message_bytes) {
                Ok(Assembled::Text(text)) => self.text(&text).await,
                Ok(Assembled::Closed) => Err(Close::new(1000, "")),
                Ok(Assembled::Control | Assembled::Pending) => Ok(()),
                Err(close) => Err(close),
            };
            if let Err(close) = handled {
                return Some(close);
            }
        }
    }

    async fn text(&mut self, text: &str) -> Result<(), Close> {
        let Ok(Json::Object(mut message)) =
            parameters::parse_json(text.as_bytes(), &self.door.settings.limits)
        else {
            return Err(Close::bad_request("Invalid message received"));
        };
        let kind = message.remove("type");
        match kind.as_ref().and_then(Json::as_str) {
            Some("connection_init") => self.init(message.remove("payload")).await,
            Some("ping") => {
                let payload = message.remove("payload").filter(Json::is_object);
                self.send(&Frame { id: None, kind: "pong", payload }).await
            }
            Some("pong") => Ok(()),
            Some("subscribe") => {
                let (id, payload) = (operation_id(&mut message)?, message.remove("payload"));
                self.subscribe(id, payload).await
            }
            Some("complete") => {
                let id = operation_id(&mut message)?;
                if let Some((_, task)) = self.operations.borrow_mut().remove(&id) {
                    task.abort();
                }
                Ok(())
            }
            _ => Err(Close::bad_request("Invalid message received")),
        }
    }

    async fn init(&mut self, payload: Option<Json>) -> Result<(), Close> {
        if self.initialising {
            return Err(Close::new(4429, "Too many initialisation requests"));
        }
        self.initialising = true;
        let payload = match payload {
            None | Some(Json::Null) => Map::new(),
            Some(Json::Object(payload)) => payload,
            Some(_) => return Err(Close::bad_request("Invalid message received")),
        };
        let credential = match payload.get("authorization").or_else(|| payload.get("Authorization")) {
            None | Some(Json::Null) => None,
            Some(value) => {
                let token = value.as_str().and_then(|value| negotiation::bearer(value).ok());
                Some(token.ok_or_else(|| Close::new(4403, "Forbidden"))?)
            }
        };
        self.credential = credential;
        let session = self.session().await?;
        if let Some(expires_in) = session.expires_in {
            self.expiry = Box::pin(tokio::time::sleep(expires_in));
        }
        self.acknowledged = true;
        self.send(&Frame::<()> { id: None, kind: "connection_ack", payload: None }).await
    }

    /// Who the peer is by now: the credential is looked at again for every operation, since a socket outlasts a sign-out.
    async fn session(&self) -> Result<Session<B::Actor>, Close> {
        self.door.session(self.credential.as_deref(), &self.meta).await.map_err(|refusal| {
            // Clients come back after 1013; 4403 would tell them that their token is bad.
            if refusal.is(DoorCode::Unavailable) {
                Close::new(1013, "Try again later")
            } else {
                Close::new(4403, "Forbidden")
            }
        })
    }

    async fn subscribe(&mut self, id: String, payload: Option<Json>) -> Result<(), Close> {
        if !self.acknowledged {
            return Err(Close::new(4401, "Unauthorized"));
        }
        let Some(Json::Object(payload)) = payload else {
            return Err(Close::bad_request("Invalid message received"));
        };
        if self.operations.borrow().contains_key(&id) {
            return Err(Close::new(4409, format!("Subscriber for {id} already exists")));
        }
        let parameters = parameters::from_object(payload)
            .map_err(|refusal| Close::bad_request(format!("Invalid payload: {}", refusal.code)))?;
        let session = self.session().await?;
        let meta = RequestMeta { request_id: self.door.backend.new_id(), ..self.meta.clone() };
        let limit = self.door.settings.operations_per_socket;
        let paid = if self.operations.borrow().len() >= limit {
            Err(Refusal::over(DoorCode::TooManySubscriptions, limit))
        } else {
            self.door
                .admit(&session, &meta, parameters, None)
                .and_then(|admitted| self.door.charge(&session, &meta, admitted))
        };
        let paid = match paid {
            Ok(paid) => paid,
            Err(refusal) => {
                let answer = Answer::refused(&self.door.backend, &meta, refusal);
                return self
                    .send(&Frame { id: Some(&id), kind: "error", payload: Some(&answer.errors) })
                    .await;
            }
        };
        self.started += 1;
        let operation = Operation {
            id: id.clone(),
            number: self.started,
            sender: self.sender.clone(),
            operations: Rc::clone(&self.operations),
        };
        let answers = self.door.clone().answers(session, meta, paid);
        let task = actix_web::rt::spawn(operation.run(answers));
        self.operations.borrow_mut().insert(id, (self.started, task));
        Ok(())
    }

    async fn send(&mut self, frame: &Frame<'_, impl Serialize>) -> Result<(), Close> {
        let sent = timeout(SEND_PATIENCE, self.sender.text(frame.to_text())).await;
        if sent.is_ok_and(|sent| sent.is_ok()) { Ok(()) } else { Err(Close::new(1006, "")) }
    }
}

fn operation_id(message: &mut Map<String, Json>) -> Result<String, Close> {
    match message.remove("id") {
        Some(Json::String(id)) if (1..=OPERATION_ID_MAX).contains(&id.len()) => Ok(id),
        _ => Err(Close::bad_request("Invalid message received")),
    }
}

struct Operation {
    id: String,
    number: u64,
    sender: actix_ws::Session,
    operations: Operations,
}

impl Operation {
    async fn run(mut self, answers: impl futures_util::Stream<Item = Answer>) {
        let mut answers = pin!(answers);
        let mut failed = false;
        while let Some(answer) = answers.next().await {
            let frame = if answer.is_request_error() {
                failed = true;
                self.leave();
                Frame { id: Some(&self.id), kind: "error", payload: Some(&answer.errors) }.to_text()
            } else {
                Frame { id: Some(&self.id), kind: "next", payload: Some(&answer) }.to_text()
            };
            // Waiting here is what holds a producer back; the heartbeat finds out when nobody reads any more.
            if self.sender.text(frame).await.is_err() || failed {
                break;
            }
        }
        self.leave();
        if !failed {
            let frame = Frame::<()> { id: Some(&self.id), kind: "complete", payload: None };
            // A peer that is gone needs no goodbye.
            let _ = self.sender.text(frame.to_text()).await;
        }
    }

    /// Frees the id unless the client has given it to another operation since.
    fn leave(&self) {
        let mut operations = self.operations.borrow_mut();
        if operations.get(&self.id).is_some_and(|(number, _)| *number == self.number) {
            operations.remove(&self.id);
        }
    }
}

#[derive(Serialize)]
struct Frame<'a, P> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<P>,
}

impl<P: Serialize> Frame<'_, P> {
    fn to_text(&self) -> String {
        serde_json::to_string(self).expect("frames have string keys only")
    }
}
