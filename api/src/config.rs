//! Settings: the embedded defaults, then a file, then `CONCORD__SECTION__KEY`. Unknown keys are refused; secrets do not print.

use std::path::PathBuf;

use figment::{
    Figment,
    providers::{Env, Format, Toml},
};
use serde::{Deserialize, Serialize};

use crate::{domain::identity::issuer::IssuerSettings, http, outbound, storage};

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
    pub due_notice_days: i32,
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
    fn secrets_do_not_print() {
        assert_eq!(format!("{:?}", Secret::new("postgres://u:p@h/d")), "***");
    }
}
