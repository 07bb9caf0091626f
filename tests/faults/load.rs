//! People at work: writers that register problems as fast as they are answered and note what they were told of each.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::town::{GRID_OFFICER, PASSWORD, Town};

const SIGN_IN: &str =
    "mutation($input: SignInInput!) { signIn(input: $input) { tokens { accessToken } userErrors { code } } }";
pub const REGISTER: &str = "mutation($input: RegisterProblemInput!) { registerProblem(input: $input) { problem { id number } userErrors { code } } }";
pub const CHECK_IN: &str = "mutation($input: CheckInToMobilizationInput!) { checkInToMobilization(input: $input) { outcome userErrors { code } } }";
/// Longest wait for one answer.
const ANSWER: Duration = Duration::from_secs(15);
/// How long a writer goes on asking what became of a write after it was told to stop.
const RESOLVE: Duration = Duration::from_secs(20);
/// Longest wait for acknowledgements.
const PATIENCE: Duration = Duration::from_mins(3);
/// Fewest acknowledgements of a round that counts.
pub const ENOUGH: usize = 200;

/// What came of a request.
#[derive(Clone, Debug)]
pub enum Told {
    Done(Value),
    /// It was refused with this code, so nothing may have changed.
    Refused(String),
    /// No answer, or one that says that nobody knows.
    Unknown(String),
}

/// Somebody with a token, who knows the addresses of one or more nodes.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    nodes: Arc<Vec<SocketAddr>>,
    turn: Arc<AtomicUsize>,
    username: &'static str,
    token: Arc<Mutex<Option<String>>>,
}

impl Client {
    pub fn new(nodes: &[SocketAddr], username: &'static str) -> Self {
        let http = reqwest::Client::builder().timeout(ANSWER).no_proxy().build().expect("a client");
        let (nodes, turn) = (Arc::new(nodes.to_vec()), Arc::new(AtomicUsize::new(0)));
        Self { http, nodes, turn, username, token: Arc::default() }
    }

    /// Sends an operation as whoever this is, signing in first where that is needed.
    pub async fn send(&self, query: &str, variables: Value, key: Option<&str>) -> Told {
        for _ in 0..3 {
            let token = match self.token().await {
                Ok(token) => token,
                Err(told) => return told,
            };
            match self.ask(query, &variables, Some(&token), key).await {
                // The token has run out, or the clock says so.
                Told::Refused(code) if code == "UNAUTHENTICATED" => self.forget(),
                told => return told,
            }
        }
        Told::Refused("UNAUTHENTICATED".to_owned())
    }

    /// An access token.
    pub async fn token(&self) -> Result<String, Told> {
        let kept = self.token.lock().expect("no panics while held").clone();
        if let Some(token) = kept {
            return Ok(token);
        }
        let input = json!({ "input": { "username": self.username, "password": PASSWORD } });
        match self.ask(SIGN_IN, &input, None, None).await {
            Told::Done(data) => {
                let token = data["signIn"]["tokens"]["accessToken"].as_str().expect("a token").to_owned();
                *self.token.lock().expect("no panics while held") = Some(token.clone());
                Ok(token)
            }
            // Whatever came of it, the operation itself was not sent.
            Told::Refused(code) | Told::Unknown(code) => Err(Told::Refused(code)),
        }
    }

    fn forget(&self) {
        *self.token.lock().expect("no panics while held") = None;
    }

    async fn ask(&self, query: &str, variables: &Value, token: Option<&str>, key: Option<&str>) -> Told {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let url = format!("http://{}/graphql", self.nodes[turn % self.nodes.len()]);
        let mut request = self.http.post(url).json(&json!({ "query": query, "variables": variables }));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) if error.is_connect() => return Told::Refused("NO_CONNECTION".to_owned()),
            Err(error) => return Told::Unknown(error.to_string()),
        };
        match answer.json().await {
            Ok(answer) => read(answer),
            Err(error) => Told::Unknown(error.to_string()),
        }
    }
}

fn read(mut answer: Value) -> Told {
    let refused = answer["errors"][0]["extensions"]["code"].as_str().map(str::to_owned);
    let user = answer["data"].as_object().and_then(|data| data.values().next());
    let user = user.and_then(|payload| payload["userErrors"][0]["code"].as_str()).map(str::to_owned);
    match refused.or(user) {
        None => Told::Done(answer["data"].take()),
        Some(code) if ["OUTCOME_UNKNOWN", "DEADLINE_EXCEEDED"].contains(&code.as_str()) => {
            Told::Unknown(code)
        }
        Some(code) => Told::Refused(code),
    }
}

/// A write, by its title, and the object that it was told to have made.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    pub title: String,
    pub number: String,
}

/// Everything that the writers were told.
#[derive(Default, Debug)]
pub struct Ledger {
    pub acknowledged: Vec<Acknowledged>,
    /// Titles, with the code of the refusal.
    pub refused: Vec<(String, String)>,
    /// Titles of which nobody told to the end.
    pub unknown: Vec<String>,
    /// The people who were told to be checked in, each once.
    pub checked_in: Vec<String>,
    /// Requests without an answer, or with one that left it open; each was sent again.
    pub doubts: usize,
}

impl Ledger {
    /// Takes over what other writers were told.
    pub fn add(&mut self, other: Self) {
        self.acknowledged.extend(other.acknowledged);
        self.refused.extend(other.refused);
        self.unknown.extend(other.unknown);
        self.checked_in.extend(other.checked_in);
        self.doubts += other.doubts;
    }
}

impl Ledger {
    /// How much was told, in words.
    pub fn summary(&self) -> String {
        let mut codes: Vec<&str> = self.refused.iter().map(|(_, code)| code.as_str()).collect();
        codes.sort_unstable();
        codes.dedup();
        format!(
            "{} acknowledged, {} refused {codes:?}, {} sent again under their key, {} never told",
            self.acknowledged.len(),
            self.refused.len(),
            self.doubts,
            self.unknown.len()
        )
    }
}

/// Writers at work.
pub struct Load {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
    in_flight: Arc<AtomicUsize>,
    writers: Vec<JoinHandle<Ledger>>,
}

impl Load {
    /// Sets writers to work on the given nodes.
    pub async fn start(town: &Town, nodes: &[SocketAddr], writers: usize) -> Self {
        Self::start_with(town, nodes, writers, "").await
    }

    /// Sets writers to work whose problems have a long description.
    pub async fn start_with(town: &Town, nodes: &[SocketAddr], writers: usize, description: &str) -> Self {
        let client = Client::new(nodes, GRID_OFFICER);
        client.token().await.expect("they sign in");
        let stop = Arc::new(AtomicBool::new(false));
        let [acknowledged, refused, in_flight] = std::array::from_fn(|_| Arc::new(AtomicUsize::new(0)));
        let writers = (0..writers).map(|_| {
            let writer = Writer {
                client: client.clone(),
                alliance: town.alliance.clone(),
                mobilization: town.mobilization.clone(),
                community: town.community.clone(),
                description: format!("路面塌陷{description}"),
                stop: stop.clone(),
                acknowledged: acknowledged.clone(),
                refused: refused.clone(),
                in_flight: in_flight.clone(),
            };
            tokio::spawn(writer.work())
        });
        Self { writers: writers.collect(), stop, acknowledged, refused, in_flight }
    }

    /// Writes that were acknowledged so far.
    pub fn acknowledged(&self) -> usize {
        self.acknowledged.load(Ordering::SeqCst)
    }

    /// Writes that were refused so far.
    pub fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }

    /// Waits for so many more acknowledgements, and then for a moment with writes under way; tells how many are.
    pub async fn more(&self, acknowledgements: usize) -> usize {
        let (goal, started) = (self.acknowledged() + acknowledgements, Instant::now());
        loop {
            let under_way = self.in_flight.load(Ordering::SeqCst);
            if self.acknowledged() >= goal && under_way > 0 {
                return under_way;
            }
            assert!(started.elapsed() < PATIENCE, "{} of {goal} acknowledgements came", self.acknowledged());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Lets the writers finish, and ask again where they do not know what became of a write.
    pub async fn stop(self) -> Ledger {
        self.stop.store(true, Ordering::SeqCst);
        let mut ledger = Ledger::default();
        for writer in self.writers {
            ledger.add(writer.await.expect("a writer's ledger"));
        }
        ledger
    }
}

struct Writer {
    client: Client,
    alliance: String,
    mobilization: String,
    community: String,
    description: String,
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
    in_flight: Arc<AtomicUsize>,
}

impl Writer {
    async fn work(self) -> Ledger {
        let mut ledger = Ledger::default();
        while !self.stop.load(Ordering::SeqCst) {
            self.write(&mut ledger).await;
        }
        ledger
    }

    /// One write, asked again under the same key for as long as it is unknown what became of it.
    async fn write(&self, ledger: &mut Ledger) {
        let title = uuid::Uuid::new_v4().to_string();
        let mut doubtful = false;
        let mut stopping = None;
        loop {
            match self.send(&title).await {
                Told::Done(data) => {
                    let problem = &data["registerProblem"]["problem"];
                    let number = problem["number"].as_str().expect("a number").to_owned();
                    self.acknowledged.fetch_add(1, Ordering::SeqCst);
                    if self.check_in(&title).await {
                        ledger.checked_in.push(title.clone());
                    }
                    ledger.acknowledged.push(Acknowledged { title, number });
                    return;
                }
                Told::Refused(code) if !doubtful => {
                    ledger.refused.push((title, code));
                    self.refused.fetch_add(1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    return;
                }
                Told::Refused(_) => {}
                Told::Unknown(_) => {
                    doubtful = true;
                    ledger.doubts += 1;
                }
            }
            if self.stop.load(Ordering::SeqCst)
                && stopping.get_or_insert_with(Instant::now).elapsed() > RESOLVE
            {
                ledger.unknown.push(title);
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Somebody checks in, twice without a key: they count once all the same. Whether it was acknowledged.
    async fn check_in(&self, person: &str) -> bool {
        let input = json!({ "input": {
            "mobilizationId": self.mobilization, "person": person, "regionId": self.community,
        } });
        let first = self.client.send(CHECK_IN, input.clone(), None).await;
        let second = self.client.send(CHECK_IN, input, None).await;
        matches!(first, Told::Done(_)) || matches!(second, Told::Done(_))
    }

    async fn send(&self, title: &str) -> Told {
        let input = json!({ "input": {
            "allianceId": self.alliance, "title": title, "description": self.description,
            "category": "道路", "channel": "GRID_OFFICER",
        } });
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        let told = self.client.send(REGISTER, input, Some(title)).await;
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
        told
    }
}
