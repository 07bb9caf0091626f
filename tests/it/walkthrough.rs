//! `docs/walkthrough.md`, run block by block against the real server: what the page sends is sent, what it shows comes back.

use std::{collections::BTreeMap, time::Duration};

use chrono::{Days, Utc};
use concord_tests::{
    database::{self, Home},
    process::{Program, Served},
};
use futures_util::StreamExt;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::page::{self, Block, Runner, WALKTHROUGH, fits};

/// How long something may take that follows by itself: an inbox entry, an event of a stream.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a reader of the page has: a server, a folder, a database, and what they kept of the answers.
struct Reader {
    program: Program,
    home: Home,
    served: Option<Served>,
    client: reqwest::Client,
    kept: BTreeMap<String, String>,
    /// A stream that is being followed, and what it has to bring.
    followed: Option<(usize, Value, UnboundedReceiver<Value>)>,
}

impl Reader {
    async fn new() -> Self {
        let zone = chrono_tz::Asia::Shanghai;
        let now = Utc::now().with_timezone(&zone);
        let kept = [
            ("today", now.date_naive().to_string()),
            ("now", now.to_rfc3339()),
            ("month", now.format("%Y-%m").to_string()),
            ("due", (now.date_naive() + Days::new(20)).to_string()),
            ("until", (now + Days::new(300)).to_rfc3339()),
        ];
        Self {
            program: Program::new(env!("CARGO_BIN_EXE_concord-under-test")),
            home: database::empty().await,
            served: None,
            client: reqwest::Client::new(),
            kept: kept.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            followed: None,
        }
    }

    fn url(&self) -> &str {
        &self.served.as_ref().expect("the server runs").url
    }

    fn keep(&mut self, block: &Block, answer: &Value) {
        let kept: Vec<(String, String)> = block
            .directives()
            .filter(|(word, _)| *word == "keep")
            .map(|(_, rest)| {
                let (name, pointer) = rest.split_once(" = ").expect("keep NAME = POINTER");
                let found = answer.pointer(pointer).and_then(Value::as_str);
                (
                    name.to_owned(),
                    found
                        .unwrap_or_else(|| panic!("line {}: no {pointer} in {answer:#}", block.line))
                        .to_owned(),
                )
            })
            .collect();
        self.kept.extend(kept);
    }

    async fn shell(&mut self, block: &Block) {
        let data = self.home.directory.path().join("town").display().to_string();
        let mut script = block.text.replace("town-data", &data);
        let serves = script.lines().find(|line| line.starts_with("concord serve")).map(str::to_owned);
        if let Some(line) = &serves {
            script = script.replace(line, "");
        }
        if let Some(served) = &self.served {
            script = script.replace("http://127.0.0.1:8080", &served.url);
        }
        let upper: Vec<(String, String)> =
            self.kept.iter().map(|(name, value)| (name.to_uppercase(), value.clone())).collect();
        let mut settings = self.home.settings();
        settings.extend(upper.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let output = self.program.shell(&script, &settings);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "line {}: {:?}\n{told}", block.line, output.status);
        if block.directive("keep").is_some() {
            let answer = serde_json::from_slice(&output.stdout);
            let answer = answer.unwrap_or_else(|error| panic!("line {}: {error}: {told}", block.line));
            let shown = block.shown.as_ref();
            assert!(shown.is_none_or(|shown| fits(shown, &answer)), "line {}: found {answer:#}", block.line);
            self.keep(block, &answer);
        }
        if let Some(line) = serves {
            let arguments: Vec<&str> = line.split_whitespace().skip(1).collect();
            self.served = Some(Served::start(&self.program, &arguments, &self.home.settings()).await);
        }
    }

    /// The body of a request: the text, and of what was kept the variables that it declares.
    fn body(&self, text: &str) -> Value {
        let declared = |name: &str| text.contains(&format!("${name}:"));
        let variables: Map<String, Value> = self
            .kept
            .iter()
            .filter(|(name, _)| declared(name))
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect();
        json!({ "query": text, "variables": variables })
    }

    fn request(&self, block: &Block, token: Option<&str>) -> reqwest::RequestBuilder {
        let mut request = self.client.post(format!("{}/graphql", self.url())).json(&self.body(&block.text));
        if let Some(name) = token {
            let token = self.kept.get(name).unwrap_or_else(|| panic!("line {}: who is {name}?", block.line));
            request = request.bearer_auth(token);
        }
        request
    }

    async fn ask(&mut self, block: &Block) {
        let shown = block.shown.as_ref();
        let shown = shown.unwrap_or_else(|| panic!("line {}: the page shows no answer", block.line));
        let begun = std::time::Instant::now();
        let answer = loop {
            let sent = self.request(block, block.directive("as")).send().await.expect("an answer");
            let answer: Value = sent.json().await.expect("JSON");
            let found = if answer["errors"].is_null() { &answer["data"] } else { &answer };
            // The page says where something follows by itself.
            if fits(shown, found) || block.directive("until").is_none() || begun.elapsed() > PATIENCE {
                break answer;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        let found = if answer["errors"].is_null() { &answer["data"] } else { &answer };
        assert!(fits(shown, found), "line {}: shown {shown:#}, found {answer:#}", block.line);
        // Where the page shows no refusal, nothing was refused.
        let refusals = |value: &Value| value.to_string().matches("\"code\":").count();
        assert_eq!(refusals(&answer), refusals(shown), "line {}: {answer:#}", block.line);
        if refusals(shown) == 0 {
            self.keep(block, &answer["data"]);
        }
    }

    async fn follow(&mut self, block: &Block, who: &str) {
        let who = who.strip_prefix("as ").expect("follow as NAME");
        let request = self.request(block, Some(who)).header("Accept", "text/event-stream");
        let response = request.send().await.expect("a stream");
        assert!(response.status().is_success(), "line {}: {response:?}", block.line);
        let (tell, told) = unbounded_channel();
        tokio::spawn(async move {
            let (mut chunks, mut text) = (response.bytes_stream(), String::new());
            while let Some(Ok(chunk)) = chunks.next().await {
                text.push_str(&String::from_utf8_lossy(&chunk));
                while let Some(end) = text.find("\n\n") {
                    let event: String = text.drain(..end + 2).collect();
                    let data = event.lines().find_map(|line| line.strip_prefix("data: "));
                    let payload = data.and_then(|data| serde_json::from_str::<Value>(data).ok());
                    if payload.is_some_and(|payload| tell.send(payload["data"].clone()).is_err()) {
                        return;
                    }
                }
            }
        });
        let shown = block.shown.clone().expect("a stream shows what it brings");
        self.followed = Some((block.line, shown, told));
    }

    async fn read(&mut self, block: &Block) {
        match (block.language.as_str(), block.directive("follow").map(str::to_owned)) {
            ("sh", _) => self.shell(block).await,
            ("graphql", Some(who)) => self.follow(block, &who).await,
            ("graphql", None) => self.ask(block).await,
            (other, _) => panic!("line {}: nobody runs a block of {other:?}", block.line),
        }
    }
}

#[tokio::test]
async fn the_page_is_true() {
    let mut reader = Reader::new().await;
    for block in page::blocks_of(WALKTHROUGH, Runner::Walkthrough) {
        reader.read(&block).await;
    }
    let (line, shown, mut told) = reader.followed.take().expect("the page follows a stream");
    let brought = tokio::time::timeout(PATIENCE, async {
        while let Some(payload) = told.recv().await {
            if fits(&shown, &payload) {
                return true;
            }
        }
        false
    });
    assert!(brought.await.unwrap_or_default(), "line {line}: the stream did not bring {shown:#}");
}
