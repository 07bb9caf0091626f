//! `docs/walkthrough.md`, run block by block against the real server: what the page sends is sent, what it shows comes back.

use std::{collections::BTreeMap, time::Duration};

use chrono::{Days, Utc};
use concord_tests::process::{Program, Served};
use futures_util::StreamExt;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

const PAGE: &str = "docs/walkthrough.md";
/// How long something may take that follows by itself: an inbox entry, an event of a stream.
const PATIENCE: Duration = Duration::from_secs(20);

/// A fenced block, and the JSON that is shown below it.
struct Block<'a> {
    line: usize,
    language: &'a str,
    text: String,
    shown: Option<Value>,
}

impl Block<'_> {
    /// The directives in the comments on top: a word and what follows it.
    fn directives(&self) -> impl Iterator<Item = (&str, &str)> {
        self.text
            .lines()
            .map_while(|line| line.strip_prefix("# "))
            .map(|line| line.split_once(' ').unwrap_or((line, "")))
    }

    fn directive(&self, word: &str) -> Option<&str> {
        self.directives().find(|(found, _)| *found == word).map(|(_, rest)| rest)
    }
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut open: Option<Block<'_>> = None;
    for (line, text) in (1..).zip(page.lines()) {
        match (&mut open, text.strip_prefix("```")) {
            (None, Some(language)) => {
                open = Some(Block { line, language, text: String::new(), shown: None });
            }
            (Some(_), Some(_)) => {
                let block = open.take().expect("it is open");
                if block.language == "json" {
                    let shown = serde_json::from_str(&block.text);
                    let above =
                        blocks.last_mut().unwrap_or_else(|| panic!("line {line}: JSON below nothing"));
                    assert!(above.shown.is_none(), "line {line}: two answers to one block");
                    above.shown = Some(shown.unwrap_or_else(|error| panic!("line {line}: {error}")));
                } else {
                    blocks.push(block);
                }
            }
            (Some(block), None) => {
                block.text.push_str(text);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// Whether `found` is what the page shows: every field shown is there, `…` stands for any text.
fn fits(shown: &Value, found: &Value) -> bool {
    match (shown, found) {
        (Value::Object(shown), Value::Object(found)) => {
            shown.iter().all(|(name, shown)| found.get(name).is_some_and(|found| fits(shown, found)))
        }
        (Value::Array(shown), Value::Array(found)) => {
            shown.len() == found.len() && shown.iter().zip(found).all(|(shown, found)| fits(shown, found))
        }
        (Value::String(shown), found) if shown == "…" => !found.is_null(),
        (Value::String(shown), Value::String(found)) => match shown.split_once('…') {
            Some((head, tail)) => found.starts_with(head) && found.ends_with(tail),
            None => shown == found,
        },
        (shown, found) => shown == found,
    }
}

/// What a reader of the page has: a server, a folder, and what they kept of the answers.
struct Reader {
    program: Program,
    folder: tempfile::TempDir,
    served: Option<Served>,
    client: reqwest::Client,
    kept: BTreeMap<String, String>,
    /// A stream that is being followed, and what it has to bring.
    followed: Option<(usize, Value, UnboundedReceiver<Value>)>,
}

impl Reader {
    fn new() -> Self {
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
            folder: tempfile::tempdir().expect("a temporary folder"),
            served: None,
            client: reqwest::Client::new(),
            kept: kept.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            followed: None,
        }
    }

    fn url(&self) -> &str {
        &self.served.as_ref().expect("the server runs").url
    }

    fn keep(&mut self, block: &Block<'_>, answer: &Value) {
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

    async fn shell(&mut self, block: &Block<'_>) {
        let data = self.folder.path().join("town").display().to_string();
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
        let settings: Vec<(&str, &str)> =
            upper.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let output = self.program.shell(&script, &settings);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "line {}: {:?}\n{told}", block.line, output.status);
        if block.directive("keep").is_some() {
            let answer = serde_json::from_slice(&output.stdout);
            self.keep(block, &answer.unwrap_or_else(|error| panic!("line {}: {error}: {told}", block.line)));
        }
        if let Some(line) = serves {
            let arguments: Vec<&str> = line.split_whitespace().skip(1).collect();
            self.served = Some(Served::start(&self.program, &arguments, &[]).await);
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

    fn request(&self, block: &Block<'_>, token: Option<&str>) -> reqwest::RequestBuilder {
        let mut request = self.client.post(format!("{}/graphql", self.url())).json(&self.body(&block.text));
        if let Some(name) = token {
            let token = self.kept.get(name).unwrap_or_else(|| panic!("line {}: who is {name}?", block.line));
            request = request.bearer_auth(token);
        }
        request
    }

    async fn ask(&mut self, block: &Block<'_>) {
        let begun = std::time::Instant::now();
        let answer = loop {
            let sent = self.request(block, block.directive("as")).send().await.expect("an answer");
            let answer: Value = sent.json().await.expect("JSON");
            let found = if answer["errors"].is_null() { &answer["data"] } else { &answer };
            let fits = block.shown.as_ref().is_none_or(|shown| fits(shown, found));
            // The page says where something follows by itself.
            if fits || block.directive("until").is_none() || begun.elapsed() > PATIENCE {
                break answer;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        match &block.shown {
            Some(shown) => {
                let found = if answer["errors"].is_null() { &answer["data"] } else { &answer };
                assert!(fits(shown, found), "line {}: shown {shown:#}, found {answer:#}", block.line);
            }
            None => assert!(answer["errors"].is_null(), "line {}: {answer:#}", block.line),
        }
        // Where the page shows no refusal, nothing was refused.
        let refused = answer.to_string().matches("\"code\":").count();
        let shown = block.shown.as_ref().map_or(0, |shown| shown.to_string().matches("\"code\":").count());
        assert_eq!(refused, shown, "line {}: {answer:#}", block.line);
        if answer["errors"].is_null() && shown == 0 {
            self.keep(block, &answer["data"]);
        }
    }

    async fn follow(&mut self, block: &Block<'_>, who: &str) {
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

    async fn read(&mut self, block: &Block<'_>) {
        match (block.language, block.directive("follow").map(str::to_owned)) {
            ("sh", _) => self.shell(block).await,
            ("graphql", Some(who)) => self.follow(block, &who).await,
            ("graphql", None) => self.ask(block).await,
            (other, _) => panic!("line {}: nobody runs a block of {other:?}", block.line),
        }
    }
}

#[tokio::test]
async fn the_page_is_true() {
    let mut reader = Reader::new();
    let page = std::fs::read_to_string(concord_tests::process::root().join(PAGE)).expect("the page");
    for block in blocks(&page) {
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

#[tokio::test]
async fn the_commands_of_the_readme_run_it_for_real() {
    let page = std::fs::read_to_string(concord_tests::process::root().join("README.md")).expect("the page");
    let mut blocks = blocks(&page);
    let place = blocks.iter().position(|block| block.text.contains("concord serve")).expect("the commands");
    let mut block = blocks.swap_remove(place);
    block.text = block
        .text
        .replace("/var/lib/concord", "town-data")
        .replace("$PASSWORD", "a long first password")
        .replace("REGISTER", "api/src/cli/demo/regions");
    let mut reader = Reader::new();
    reader.read(&block).await;
    let sdl = reader.client.get(format!("{}/schema.graphql", reader.url())).send().await.expect("an answer");
    assert!(sdl.text().await.expect("a text").contains("type Query"));
}

#[test]
fn every_command_of_the_pages_is_one_of_the_program() {
    let program = Program::new(env!("CARGO_BIN_EXE_concord-under-test"));
    let mut tried = std::collections::BTreeSet::new();
    for name in ["README.md", "README.zh-CN.md", "docs/operating.md", "docs/walkthrough.md"] {
        let page = std::fs::read_to_string(concord_tests::process::root().join(name)).expect("the page");
        for block in blocks(&page).iter().filter(|block| block.language == "sh") {
            for line in block.text.lines() {
                let words: Vec<&str> = line.split_whitespace().collect();
                let at = words.iter().position(|word| matches!(*word, "concord" | "concord_run"));
                let Some(rest) = at.and_then(|at| words.get(at + 1..)) else { continue };
                // A command and its own, such as `import regions`.
                let plain = |word: &&&str| word.chars().all(|letter| letter.is_ascii_lowercase());
                let command: Vec<&str> = rest.iter().take_while(plain).copied().collect();
                if !command.is_empty() {
                    tried.insert(command.join(" "));
                }
            }
        }
    }
    assert!(tried.len() >= 5, "{tried:?}");
    for command in &tried {
        let output = program.shell(&format!("concord {command} --help"), &[]);
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(!program.shell("concord wash --help", &[]).status.success());
}

#[tokio::test]
async fn traces_reach_a_collector_that_is_configured() {
    use wiremock::{Mock, MockServer, ResponseTemplate, matchers};
    let collector = MockServer::start().await;
    let taken = Mock::given(matchers::method("POST")).and(matchers::path("/v1/traces"));
    taken.respond_with(ResponseTemplate::new(200)).mount(&collector).await;
    let program = Program::new(env!("CARGO_BIN_EXE_concord-under-test"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().display().to_string();
    let settings = [("CONCORD__LOG__OTLP_ENDPOINT", collector.uri())];
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    let served = Served::start(&program, &["serve", "--data", &data], &settings).await;
    let ask = reqwest::Client::new()
        .post(format!("{}/graphql", served.url))
        .json(&json!({ "query": "{ __typename }" }));
    assert!(ask.send().await.expect("an answer").status().is_success());
    let begun = std::time::Instant::now();
    while collector.received_requests().await.unwrap_or_default().is_empty() {
        assert!(begun.elapsed() < PATIENCE, "no trace has come");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let spans = collector.received_requests().await.unwrap_or_default();
    assert!(spans.iter().all(|request| request.url.path() == "/v1/traces" && !request.body.is_empty()));
}

#[test]
fn imports_tell_scripts_by_their_exit_code() {
    let program = Program::new(env!("CARGO_BIN_EXE_concord-under-test"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().display();
    let code = |script: &str| {
        program.shell(&script.replace("@data", &format!("--data {data}/d")), &[]).status.code()
    };
    assert_eq!(code("concord migrate @data && concord check @data"), Some(0));
    assert_eq!(code("concord import regions api/src/cli/demo/regions @data"), Some(0));
    assert_eq!(code("concord import regions api/src/cli/demo/regions --dry-run @data"), Some(0));
    assert_eq!(code("concord import calendar api/src/domain/calendar/holidays-cn.csv @data"), Some(0));
    std::fs::write(folder.path().join("bad.csv"), "date,name,kind\n2026-13-40,x,off\n").expect("a file");
    assert_eq!(code(&format!("concord import calendar {data}/bad.csv @data")), Some(1), "a bad row");
    assert_eq!(code(&format!("concord import regions {data} @data")), Some(1), "no register there");
    assert_ne!(code("concord import members docs/examples/town --alliance 没有 @data"), Some(0));
    assert_ne!(
        code(
            "concord import problems tests/data/nyc311-requests.csv --mapping docs/examples/nyc311.toml --alliance 没有 @data"
        ),
        Some(0)
    );
    assert_eq!(code("concord import wash @data"), Some(2), "called wrongly");
    assert_eq!(code("concord verify @data"), Some(0));
    assert_eq!(code("CONCORD__DATABASE__MAX_CONNECTIONS=0 concord serve @data"), Some(2));
    assert_eq!(code("CONCORD__HTTP__HEARTBEAT_MS=0 concord check @data"), Some(1));
}

#[test]
fn what_is_not_shown_does_not_fit() {
    let shown = json!({ "a": [{ "state": "DONE" }], "n": "西海销〔…〕0001号", "id": "…" });
    let found =
        |state: &str, number: &str| json!({ "a": [{ "state": state, "more": 1 }], "n": number, "id": "x" });
    assert!(fits(&shown, &found("DONE", "西海销〔2026〕0001号")));
    assert!(!fits(&shown, &found("OPEN", "西海销〔2026〕0001号")));
    assert!(!fits(&shown, &found("DONE", "西海销〔2026〕0002号")));
    assert!(!fits(&shown, &json!({ "a": [], "n": "西海销〔2026〕0001号", "id": "x" })));
    assert!(!fits(&shown, &json!({ "a": [{ "state": "DONE" }], "n": "西海销〔2026〕0001号", "id": null })));
    assert_eq!(blocks("```sh\nx\n```\n\n```graphql\ny\n```\n```json\n{}\n```\n").len(), 2);
}
