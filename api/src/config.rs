//! Settings: the embedded defaults, then a file, then `CONCORD__SECTION__KEY`. Unknown keys are refused; secrets do not print.

use std::path::PathBuf;

use figment::{
    Figment,
    providers::{Env, Format, Toml},
};
use serde::{Deserialize, Serialize};

use crate::{
    domain::identity::{issuer::IssuerSettings, password},
    http, outbound, storage,
};

/// The defaults, with what each setting means.
pub const DEFAULTS: &str = include_str!("../config.default.toml");

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub database: Database,
    pub data: Data,
    pub http: http::Settings,
    pub roles: Roles,
    pub background: Background,
    pub identity: Identity,
    pub outbound: outbound::Settings,
    pub files: Files,
    pub storage: Storage,
    pub log: Log,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    pub url: Secret,
    pub max_connections: u32,
    pub acquire_timeout_ms: u64,
    pub statement_timeout_ms: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    pub directory: PathBuf,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roles {
    pub http: bool,
    pub background: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Background {
    pub poll_interval_ms: u64,
    pub checkpoint_seconds: i64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    pub issuer: String,
    pub audience: String,
    pub access_token_seconds: i64,
    pub refresh_token_days: i64,
    pub session_days: i64,
    pub invitation_hours: i64,
    pub lockout_attempts: i32,
    pub lockout_minutes: i64,
    pub argon2_memory_kib: u32,
    pub argon2_passes: u32,
    pub argon2_lanes: u32,
    pub argon2_concurrency: usize,
    pub argon2_wait_ms: u64,
    pub issuers: Vec<IssuerSettings>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    pub max_bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StorageKind {
    Local,
    S3,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    pub kind: StorageKind,
    pub endpoint: String,
    pub bucket: String,
    pub region: String,
    pub access_key: Secret,
    pub secret_key: Secret,
    pub prefix: String,
    pub virtual_hosted: bool,
    pub allow_http: bool,
    pub allow_networks: Vec<ipnet::IpNet>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub filter: String,
    pub format: LogFormat,
    pub otlp_endpoint: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Text,
    Json,
}

/// A setting that must not show in logs.
#[derive(Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_empty() { "\"\"" } else { "***" })
    }
}

impl Config {
    /// The embedded defaults alone.
    pub fn defaults() -> Self {
        Figment::from(Toml::string(DEFAULTS)).extract().expect("the embedded defaults load; a test proves it")
    }

    /// Reads the settings: defaults, `file` if given, environment.
    pub fn load(file: Option<&std::path::Path>) -> Result<Self, Box<figment::Error>> {
        let mut figment = Figment::from(Toml::string(DEFAULTS));
        if let Some(file) = file {
            figment = figment.merge(Toml::file_exact(file));
        }
        figment.merge(Env::prefixed("CONCORD__").split("__")).extract().map_err(Box::new)
    }

    /// What is set to a value with which Concord could not serve; each names its key, what is wrong, and what would do.
    pub fn faults(&self) -> Vec<String> {
        let (http, database) = (&self.http, &self.database);
        let cost = &http.cost;
        let whole = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
        let bounds: [(&str, u64, u64, u64); 31] = [
            ("database.max_connections", database.max_connections.into(), 1, 10_000),
            ("database.acquire_timeout_ms", database.acquire_timeout_ms, 10, 600_000),
            ("database.statement_timeout_ms", database.statement_timeout_ms, 10, 3_600_000),
            ("http.drain_timeout_ms", http.drain_timeout_ms, 0, 600_000),
            ("http.body_bytes", whole(http.body_bytes), 1_024, 1 << 30),
            ("http.body_timeout_ms", http.body_timeout_ms, 10, 600_000),
            ("http.batch_operations", whole(http.batch_operations), 0, 100),
            ("http.deadline_ms", http.deadline_ms, 10, 600_000),
            ("http.errors_per_answer", whole(http.errors_per_answer), 1, 1_000),
            ("http.streams", whole(http.streams), 1, 10_000_000),
            ("http.operations_per_socket", whole(http.operations_per_socket), 1, 10_000),
            ("http.message_bytes", whole(http.message_bytes), 1_024, 1 << 30),
            ("http.init_timeout_ms", http.init_timeout_ms, 10, 600_000),
            ("http.heartbeat_ms", http.heartbeat_ms, 100, 3_600_000),
            ("http.limits.document_bytes", whole(http.limits.document_bytes), 1_024, 1 << 30),
            ("http.limits.tokens", whole(http.limits.tokens), 100, 1_000_000),
            ("http.limits.selections", whole(http.limits.selections), 100, 1_000_000),
            ("http.limits.depth", whole(http.limits.depth), 3, 100),
            ("http.limits.json_nesting", whole(http.limits.json_nesting), 4, 100),
            ("http.limits.nodes", http.limits.nodes, 100, 1_000_000),
            ("http.cost.user.capacity", cost.user.capacity, 10, u64::MAX),
            ("http.cost.user.restore_per_s", cost.user.restore_per_s, 1, u64::MAX),
            ("http.cost.key.capacity", cost.key.capacity, 10, u64::MAX),
            ("http.cost.key.restore_per_s", cost.key.restore_per_s, 1, u64::MAX),
            ("http.cost.anonymous.capacity", cost.anonymous.capacity, 10, u64::MAX),
            ("http.cost.anonymous.restore_per_s", cost.anonymous.restore_per_s, 1, u64::MAX),
            ("http.cost.remembered", cost.remembered, 1, u64::MAX),
            ("background.poll_interval_ms", self.background.poll_interval_ms, 10, 3_600_000),
            (
                "background.checkpoint_seconds",
                u64::try_from(self.background.checkpoint_seconds).unwrap_or_default(),
                1,
                86_400,
            ),
            ("files.max_bytes", self.files.max_bytes, 1, 1 << 30),
            ("outbound.total_timeout_ms", self.outbound.total_timeout_ms, 10, 600_000),
        ];
        let mut faults: Vec<String> = bounds
            .into_iter()
            .filter(|(_, value, least, most)| !(least..=most).contains(&value))
            .map(|(key, value, least, most)| {
                format!("{key} is {value} and must lie between {least} and {most}")
            })
            .collect();
        faults.extend(http.cors_origins.iter().filter(|origin| !is_origin(origin)).map(|origin| {
            format!("http.cors_origins has `{origin}`; an origin is written like https://town.example.cn")
        }));
        faults.extend(
            http::origin::TrustedProxies::parse(&http.trusted_proxies)
                .err()
                .map(|error| format!("http.trusted_proxies: {error}")),
        );
        if !self.roles.http && !self.roles.background {
            faults.push("roles: neither http nor background is on, so nothing would be done".to_owned());
        }
        if self.storage.kind == StorageKind::S3 {
            let missing = [("endpoint", &self.storage.endpoint), ("bucket", &self.storage.bucket)];
            faults.extend(
                missing
                    .into_iter()
                    .filter(|(_, value)| value.is_empty())
                    .map(|(key, _)| format!("storage.{key} must be given where storage.kind is \"s3\"")),
            );
        }
        faults.extend(
            password::Settings::from(&self.identity)
                .check()
                .err()
                .map(|error| format!("identity.argon2_…: {error}")),
        );
        faults
    }

    /// Where evidence files are kept: in the data directory, or in the configured bucket.
    pub fn file_storage(&self) -> storage::Settings {
        let settings = &self.storage;
        let s3 = (settings.kind == StorageKind::S3).then(|| storage::S3Settings {
            endpoint: settings.endpoint.clone(),
            bucket: settings.bucket.clone(),
            region: settings.region.clone(),
            access_key: settings.access_key.reveal().to_owned(),
            secret_key: settings.secret_key.reveal().to_owned(),
            prefix: settings.prefix.clone(),
            virtual_hosted: settings.virtual_hosted,
            allow_http: settings.allow_http,
            allow: settings.allow_networks.clone(),
        });
        storage::Settings { folder: self.data.directory.join("files"), s3 }
    }

    /// The database to connect to: the configured one, or a SQLite file in the data directory.
    pub fn database_url(&self) -> Secret {
        if self.database.url.reveal().is_empty() {
            Secret::new(format!("sqlite://{}?mode=rwc", self.data.directory.join("concord.db").display()))
        } else {
            self.database.url.clone()
        }
    }
}

/// Whether a browser would send this as an origin: scheme, host and perhaps a port, nothing behind.
fn is_origin(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_complete_and_unknown_keys_are_refused() {
        assert_eq!(Config::defaults().http.listen.port(), 8080);
        let unknown =
            Figment::from(Toml::string(DEFAULTS)).merge(Toml::string("[http]\nprot = 1")).extract::<Config>();
        assert!(unknown.is_err());
    }

    #[test]
    fn what_could_not_serve_is_named() {
        assert_eq!(Config::defaults().faults(), Vec::<String>::new());
        for (key, text) in [
            ("database.max_connections", "[database]\nmax_connections = 0"),
            ("http.cors_origins", "[http]\ncors_origins = [\"*\"]"),
            ("http.cors_origins", "[http]\ncors_origins = [\"https://a.cn/\"]"),
            ("http.trusted_proxies", "[http]\ntrusted_proxies = [\"x\"]"),
            ("http.heartbeat_ms", "[http]\nheartbeat_ms = 0"),
            ("http.deadline_ms", "[http]\ndeadline_ms = 0"),
            ("http.cost.user.capacity", "[http.cost]\nuser = { capacity = 0, restore_per_s = 1 }"),
            ("background.poll_interval_ms", "[background]\npoll_interval_ms = 0"),
            ("background.checkpoint_seconds", "[background]\ncheckpoint_seconds = 0"),
            ("roles", "[roles]\nhttp = false\nbackground = false"),
            ("storage.endpoint", "[storage]\nkind = \"s3\"\nbucket = \"b\""),
            ("identity.argon2", "[identity]\nargon2_memory_kib = 1"),
            ("identity.argon2", "[identity]\nargon2_passes = 0"),
            ("identity.argon2", "[identity]\nargon2_concurrency = 0"),
        ] {
            let config: Config =
                Figment::from(Toml::string(DEFAULTS)).merge(Toml::string(text)).extract().expect("it loads");
            let faults = config.faults();
            assert!(faults.len() == 1 && faults[0].starts_with(key), "{text}: {faults:?}");
        }
    }

    #[test]
    fn secrets_do_not_print() {
        assert_eq!(format!("{:?}", Secret::new("postgres://u:p@h/d")), "***");
    }
}
