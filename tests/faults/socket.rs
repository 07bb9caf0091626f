//! A `graphql-transport-ws` client, as small as these tests need it.

use std::{net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest},
};

/// Longest wait for the server's next word.
const PATIENCE: Duration = Duration::from_secs(30);

/// An open socket that said who it is.
pub struct Socket(WebSocketStream<TcpStream>);

/// What the server said.
#[derive(Debug)]
pub enum Heard {
    Message(Value),
    /// The close code; none where the connection just ended.
    Closed(Option<u16>),
}

impl Socket {
    /// Connects, with a receive buffer of the size given, and waits for the acknowledgement.
    pub async fn open(address: SocketAddr, token: &str, buffer: Option<u32>) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        if let Some(buffer) = buffer {
            socket.set_recv_buffer_size(buffer).expect("a buffer");
        }
        let stream = socket.connect(address).await.expect("a connection");
        let mut request = format!("ws://{address}/graphql").into_client_request().expect("a request");
        let protocol = "graphql-transport-ws".parse().expect("a header");
        request.headers_mut().insert("Sec-WebSocket-Protocol", protocol);
        let (stream, _) = tokio_tungstenite::client_async(request, stream).await.expect("an upgrade");
        let mut socket = Self(stream);
        let payload = json!({ "authorization": format!("Bearer {token}") });
        socket.say(json!({ "type": "connection_init", "payload": payload })).await;
        match socket.hear().await {
            Heard::Message(message) if message["type"] == "connection_ack" => socket,
            other => panic!("no acknowledgement: {other:?}"),
        }
    }

    /// Begins an operation.
    pub async fn subscribe(&mut self, query: &str, variables: Value) {
        let payload = json!({ "query": query, "variables": variables });
        self.say(json!({ "id": "1", "type": "subscribe", "payload": payload })).await;
    }

    async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.expect("it is sent");
    }

    /// The next message; pings are answered on the way.
    pub async fn hear(&mut self) -> Heard {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("something comes");
            match next {
                Some(Ok(Message::Text(text))) => {
                    return Heard::Message(serde_json::from_str(&text).expect("JSON"));
                }
                Some(Ok(Message::Close(frame))) => {
                    return Heard::Closed(frame.map(|frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Heard::Closed(None),
            }
        }
    }

    /// Hears nothing but pings until it is closed, and tells the code.
    pub async fn idle(mut self) -> Option<u16> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }
}
