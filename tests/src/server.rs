//! The product behind real sockets: what a client outside the process meets.

use std::{
    net::SocketAddr,
    sync::{Arc, mpsc},
    thread::JoinHandle,
};

use concord::{
    background,
    domain::App,
    http::{Door, backend::Product, drain::Drain, server},
};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::sync::mpsc as channel;

use crate::Answer;

/// A served app with its background hands; stopped when dropped.
pub struct Server {
    pub address: SocketAddr,
    pub http: reqwest::Client,
    drain: Drain,
    handle: actix_web::dev::ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves `app` on a free port.
    pub fn start(app: Arc<App>) -> Self {
        let (tell, told) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let mut settings = app.config.http.clone();
                settings.listen = SocketAddr::from(([127, 0, 0, 1], 0));
                let product = Product::new(app.clone(), None);
                let door = Door::new(product, settings).expect("the settings hold");
                let bound = server::bind(door, Product::routes).expect("a free port");
                let hands = background::spawn(&app);
                let address = *bound.addresses.first().expect("an address");
                tell.send((address, bound.drain.clone(), bound.server.handle())).expect("somebody waits");
                bound.server.await.expect("the server ends well");
                hands.stop().await;
            });
        });
        let (address, drain, handle) = told.recv().expect("the server starts");
        Self { address, http: reqwest::Client::new(), drain, handle, thread: Some(thread) }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sends one operation, with a bearer token if given.
    pub async fn send(&self, token: Option<&str>, query: &str, variables: Value) -> Answer {
        let body = json!({ "query": query, "variables": variables });
        let mut request = self.http.post(self.url("/graphql")).header("Accept-Language", "en").json(&body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        Answer(request.send().await.expect("an answer").json().await.expect("JSON"))
    }

    /// Follows a subscription over server-sent events; each `next` event's payload comes through the channel.
    pub async fn subscribe(&self, token: Option<&str>, query: &str) -> channel::UnboundedReceiver<Value> {
        let mut request = self
            .http
            .post(self.url("/graphql"))
            .header("Accept", "text/event-stream")
            .json(&json!({ "query": query }));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.expect("a stream");
        assert!(response.status().is_success(), "{response:?}");
        let (tell, told) = channel::unbounded_channel();
        tokio::spawn(async move {
            let mut chunks = response.bytes_stream();
            let mut text = String::new();
            while let Some(Ok(chunk)) = chunks.next().await {
                text.push_str(&String::from_utf8_lossy(&chunk));
                while let Some(end) = text.find("\n\n") {
                    let event: String = text.drain(..end + 2).collect();
                    let data = event.lines().find_map(|line| line.strip_prefix("data: "));
                    if let Some(payload) = data.and_then(|data| serde_json::from_str(data).ok())
                        && tell.send(payload).is_err()
                    {
                        return;
                    }
                }
            }
        });
        told
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.drain.begin();
        let handle = self.handle.clone();
        let stopping = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(handle.stop(false));
        });
        let _ = stopping.join();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
