//! The key ring: the private keys with which Concord signs its own tokens and its checkpoints, kept as files outside
//! the database, so that nobody who can write the database can sign.
//!
//! `keys.json` lists every key with its public half; each private key stands beside it as PKCS#8 PEM. Changes happen
//! under a file lock and by rename, so processes may start and rotate at the same time. The newest key signs, older
//! ones verify until they are retired. This file deliberately knows nothing about claims.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use aws_lc_rs::{
    agreement::{ECDH_P256, PrivateKey},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chrono::{DateTime, Utc};
use jsonwebtoken::{DecodingKey, EncodingKey, crypto};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

mod files;

use files::Folder;

/// How often the ring looks for keys that another process made or retired.
const RELOAD_SECONDS: i64 = 30;
/// How soon it looks again when a token names a key that it does not know.
const RELOAD_UNKNOWN_SECONDS: i64 = 2;
/// How many seeds are tried for a P-256 key; one in 2^32 is unusable.
const SEED_ATTEMPTS: usize = 8;

/// The algorithm of a signing key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Algorithm {
    #[default]
    #[serde(rename = "EdDSA")]
    EdDsa,
    #[serde(rename = "ES256")]
    Es256,
}

impl Algorithm {
    /// Gives the name that stands in the header of a token.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
        }
    }

    const fn jose(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
        }
    }
}

/// Why the key ring cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{} is open to other users (mode {mode:04o}); run: chmod {wanted:o} '{}'", path.display(), path.display())]
    Permissions { path: PathBuf, mode: u32, wanted: u32 },
    #[error("{} is not usable: {reason}", path.display())]
    Content { path: PathBuf, reason: String },
    #[error("there is no signing key in {}", .0.display())]
    Missing(PathBuf),
    #[error("no key has the id {0}")]
    UnknownKey(String),
    #[error("the key {0} is the one that signs; rotate first")]
    ActiveKey(String),
    #[error("the key cannot be made or used")]
    Crypto,
}

/// One key as the manifest tells it; the private half is not here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The RFC 7638 thumbprint of the public key.
    pub kid: String,
    #[serde(rename = "alg")]
    pub algorithm: Algorithm,
    pub created_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<DateTime<Utc>>,
    x: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    y: Option<String>,
}

impl Entry {
    fn new(algorithm: Algorithm, public: &[u8], created_at: DateTime<Utc>) -> Result<Self, Error> {
        let (x, y) = match algorithm {
            Algorithm::EdDsa => (URL_SAFE_NO_PAD.encode(public), None),
            Algorithm::Es256 => {
                let point =
                    public.strip_prefix(&[4]).filter(|point| point.len() == 64).ok_or(Error::Crypto)?;
                let (x, y) = point.split_at(32);
                (URL_SAFE_NO_PAD.encode(x), Some(URL_SAFE_NO_PAD.encode(y)))
            }
        };
        let kid = thumbprint(algorithm, &x, y.as_deref());
        Ok(Self { kid, algorithm, created_at, retired_at: None, x, y })
    }

    fn jwk(&self) -> Value {
        let mut jwk = match self.algorithm {
            Algorithm::EdDsa => json!({ "kty": "OKP", "crv": "Ed25519", "x": self.x }),
            Algorithm::Es256 => json!({ "kty": "EC", "crv": "P-256", "x": self.x, "y": self.y }),
        };
        if let Some(fields) = jwk.as_object_mut() {
            fields.insert("kid".into(), self.kid.clone().into());
            fields.insert("alg".into(), self.algorithm.name().into());
            fields.insert("use".into(), "sig".into());
        }
        jwk
    }

    /// Whether this key signed `message` for `purpose`.
    fn verifies(&self, key: &DecodingKey, purpose: &str, message: &[u8], signed: &Signed) -> bool {
        crypto::verify(&signed.signature, &framed(purpose, message), key, self.algorithm.jose())
            .unwrap_or(false)
    }

    fn decoding_key(&self) -> Result<DecodingKey, Error> {
        let key = match (self.algorithm, &self.y) {
            (Algorithm::EdDsa, None) => DecodingKey::from_ed_components(&self.x),
            (Algorithm::Es256, Some(y)) => DecodingKey::from_ec_components(&self.x, y),
            _ => return Err(Error::Crypto),
        };
        key.map_err(|_| Error::Crypto)
    }
}

/// Published keys, such as `/.well-known/jwks.json` serves them: enough to verify, not to sign.
pub struct PublicKeys(Vec<(Entry, DecodingKey)>);

impl PublicKeys {
    /// Reads a JWK set; a key whose id is not its own thumbprint is none.
    pub fn parse(text: &[u8]) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Jwk {
            kid: String,
            alg: Algorithm,
            x: String,
            y: Option<String>,
        }
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Jwk>,
        }
        let set: Set = serde_json::from_slice(text).map_err(|_| Error::Crypto)?;
        let read = |Jwk { kid, alg, x, y }: Jwk| {
            if thumbprint(alg, &x, y.as_deref()) != kid {
                return Err(Error::UnknownKey(kid));
            }
            let entry =
                Entry { kid, algorithm: alg, created_at: DateTime::UNIX_EPOCH, retired_at: None, x, y };
            let key = entry.decoding_key()?;
            Ok((entry, key))
        };
        set.keys.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Verifies what a key ring signed for a purpose.
    pub fn verify_for(&self, purpose: &str, message: &[u8], signed: &Signed) -> bool {
        let named = self.0.iter().find(|(entry, _)| entry.kid == signed.kid);
        named.is_some_and(|(entry, key)| entry.verifies(key, purpose, message, signed))
    }
}

/// RFC 7638: the digest of the required members in lexicographic order.
fn thumbprint(algorithm: Algorithm, x: &str, y: Option<&str>) -> String {
    let members = match algorithm {
        Algorithm::EdDsa => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#),
        Algorithm::Es256 => {
            format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{}"}}"#, y.unwrap_or_default())
        }
    };
    URL_SAFE_NO_PAD.encode(Sha256::digest(members))
}

/// A private key that was just made, with its public half.
struct Fresh {
    entry: Entry,
    pem: String,
}

fn generate(algorithm: Algorithm, now: DateTime<Utc>, random: &dyn Fn(&mut [u8])) -> Result<Fresh, Error> {
    for _ in 0..SEED_ATTEMPTS {
        let mut seed = [0; 32];
        random(&mut seed);
        let (public, document) = match algorithm {
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| Error::Crypto)?;
                (pair.public_key().as_ref().to_vec(), pair.to_pkcs8v1())
            }
            Algorithm::Es256 => {
                // A seed outside the order of the curve is no key: take the next one.
                let Ok(public) = PrivateKey::from_private_key(&ECDH_P256, &seed)
                    .and_then(|key| Ok(key.compute_public_key()?))
                else {
                    continue;
                };
                let signing = &ECDSA_P256_SHA256_FIXED_SIGNING;
                let pair = EcdsaKeyPair::from_private_key_and_public_key(signing, &seed, public.as_ref())
                    .map_err(|_| Error::Crypto)?;
                (public.as_ref().to_vec(), pair.to_pkcs8v1())
            }
        };
        let document = document.map_err(|_| Error::Crypto)?;
        return Ok(Fresh { entry: Entry::new(algorithm, &public, now)?, pem: pem(document.as_ref()) });
    }
    Err(Error::Crypto)
}

fn pem(pkcs8: &[u8]) -> String {
    let encoded = STANDARD.encode(pkcs8);
    let mut text = String::from("-----BEGIN PRIVATE KEY-----\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END PRIVATE KEY-----\n");
    text
}

/// Reads a private key and gives it with its public half, from which the caller sees whether it is the expected one.
fn read_private(algorithm: Algorithm, pem: &[u8]) -> Option<(EncodingKey, Vec<u8>)> {
    match algorithm {
        Algorithm::EdDsa => {
            let key = EncodingKey::from_ed_pem(pem).ok()?;
            let pair = Ed25519KeyPair::from_pkcs8(key.as_bytes()).ok()?;
            Some((key, pair.public_key().as_ref().to_vec()))
        }
        Algorithm::Es256 => {
            let key = EncodingKey::from_ec_pem(pem).ok()?;
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_bytes()).ok()?;
            Some((key, pair.public_key().as_ref().to_vec()))
        }
    }
}

struct State {
    entries: Vec<Entry>,
    public: HashMap<String, DecodingKey>,
    active: Entry,
    private: EncodingKey,
}

impl State {
    /// Reads the manifest and the key that signs; gives nothing when there is no manifest yet.
    fn read(folder: &Folder) -> Result<Option<Self>, Error> {
        let Some(entries) = folder.read_manifest()? else {
            return Ok(None);
        };
        let mut public = HashMap::new();
        for entry in &entries {
            if entry.kid != thumbprint(entry.algorithm, &entry.x, entry.y.as_deref()) {
                return Err(folder.manifest_error("the id of a key does not match the key"));
            }
            let key =
                entry.decoding_key().map_err(|_| folder.manifest_error("a public key cannot be read"))?;
            public.insert(entry.kid.clone(), key);
        }
        let active = entries.iter().rfind(|entry| entry.retired_at.is_none());
        let active = active.ok_or_else(|| folder.manifest_error("every key is retired"))?.clone();
        let (path, pem) = folder.read_private(&active.kid)?;
        let bad = |reason: &str| Error::Content { path: path.clone(), reason: reason.into() };
        let (private, derived) = read_private(active.algorithm, &pem)
            .ok_or_else(|| bad("not a PKCS#8 PEM of the algorithm listed"))?;
        if Entry::new(active.algorithm, &derived, active.created_at)?.kid != active.kid {
            return Err(bad("the private key does not belong to the listed public key"));
        }
        Ok(Some(Self { entries, public, active, private }))
    }
}

/// A key that verifies, or the reason why there is none.
pub(crate) enum Found {
    Key(Algorithm, DecodingKey),
    Retired,
    Unknown,
}

/// A signature over something that is not a token, with the id of the key that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    pub kid: String,
    /// Base64url without padding.
    pub signature: String,
}

struct Loaded {
    state: Arc<State>,
    checked_at: DateTime<Utc>,
}

/// The keys of one installation; shared by every request, reloaded when another process changes the files.
pub struct KeyRing {
    folder: Folder,
    loaded: RwLock<Loaded>,
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRing").field("keys", &self.list()).finish_non_exhaustive()
    }
}

impl KeyRing {
    /// Opens the ring in `dir`, and creates the folder and its first key when there is none.
    pub fn open(
        dir: &Path,
        algorithm: Algorithm,
        now: DateTime<Utc>,
        random: &dyn Fn(&mut [u8]),
    ) -> Result<Self, Error> {
        let folder = Folder::new(dir);
        if let Some(state) = State::read(&folder)? {
            return Ok(Self::with(folder, state, now));
        }
        folder.create()?;
        {
            let _lock = folder.lock()?;
            // Another process may have been first while this one waited for the lock.
            if folder.read_manifest()?.is_none() {
                let fresh = generate(algorithm, now, random)?;
                folder.write_private(&fresh.entry.kid, &fresh.pem)?;
                folder.write_manifest(&[fresh.entry])?;
            }
        }
        let state = State::read(&folder)?.ok_or_else(|| Error::Missing(dir.to_path_buf()))?;
        Ok(Self::with(folder, state, now))
    }

    /// Opens the ring in `dir` without ever writing there.
    pub fn load(dir: &Path, now: DateTime<Utc>) -> Result<Self, Error> {
        let folder = Folder::new(dir);
        let state = State::read(&folder)?.ok_or_else(|| Error::Missing(dir.to_path_buf()))?;
        Ok(Self::with(folder, state, now))
    }

    fn with(folder: Folder, state: State, now: DateTime<Utc>) -> Self {
        Self { folder, loaded: RwLock::new(Loaded { state: Arc::new(state), checked_at: now }) }
    }

    /// Makes a new key that signs from now on, and gives its id; the older ones go on verifying.
    pub fn rotate(
        &self,
        algorithm: Algorithm,
        now: DateTime<Utc>,
        random: &dyn Fn(&mut [u8]),
    ) -> Result<String, Error> {
        let fresh = generate(algorithm, now, random)?;
        let kid = fresh.entry.kid.clone();
        {
            let _lock = self.folder.lock()?;
            let mut entries = self.entries_on_disk()?;
            if entries.iter().any(|entry| entry.kid == kid) {
                return Err(Error::Crypto);
            }
            self.folder.write_private(&kid, &fresh.pem)?;
            entries.push(fresh.entry);
            self.folder.write_manifest(&entries)?;
        }
        self.reload(now)?;
        Ok(kid)
    }

    /// Ends a key: tokens signed with it are refused from now on, and its private half is deleted.
    pub fn retire(&self, kid: &str, now: DateTime<Utc>) -> Result<(), Error> {
        {
            let _lock = self.folder.lock()?;
            let mut entries = self.entries_on_disk()?;
            if entries
                .iter()
                .rfind(|entry| entry.retired_at.is_none())
                .is_some_and(|active| active.kid == kid)
            {
                return Err(Error::ActiveKey(kid.to_owned()));
            }
            let entry = entries.iter_mut().find(|entry| entry.kid == kid);
            let entry = entry.ok_or_else(|| Error::UnknownKey(kid.to_owned()))?;
            entry.retired_at.get_or_insert(now);
            self.folder.write_manifest(&entries)?;
            self.folder.delete_private(kid)?;
        }
        self.reload(now)
    }

    /// Takes in the public halves of keys that are not here, as retired ones, so that what they signed can be verified.
    pub fn remember(&self, keys: Vec<Entry>, now: DateTime<Utc>) -> Result<(), Error> {
        {
            let _lock = self.folder.lock()?;
            let mut entries = self.entries_on_disk()?;
            let unknown = keys.into_iter().filter(|key| !entries.iter().any(|entry| entry.kid == key.kid));
            let unknown: Vec<Entry> =
                unknown.map(|key| Entry { retired_at: Some(key.retired_at.unwrap_or(now)), ..key }).collect();
            // Older than the one that signs: the newest that is not retired does.
            entries.splice(0..0, unknown);
            self.folder.write_manifest(&entries)?;
        }
        self.reload(now)
    }

    fn entries_on_disk(&self) -> Result<Vec<Entry>, Error> {
        self.folder.read_manifest()?.ok_or_else(|| Error::Missing(self.folder.path().to_path_buf()))
    }

    /// Reads the files again.
    pub fn reload(&self, now: DateTime<Utc>) -> Result<(), Error> {
        let state =
            State::read(&self.folder)?.ok_or_else(|| Error::Missing(self.folder.path().to_path_buf()))?;
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) =
            Loaded { state: Arc::new(state), checked_at: now };
        Ok(())
    }

    /// Lists all keys, oldest first.
    pub fn list(&self) -> Vec<Entry> {
        self.state().entries.clone()
    }

    /// Gives the id of the key that signs.
    pub fn active(&self) -> String {
        self.state().active.kid.clone()
    }

    /// Gives the public keys that verify today, as a JWK set.
    pub fn jwks(&self) -> Value {
        let state = self.state();
        let keys = state.entries.iter().filter(|entry| entry.retired_at.is_none()).map(Entry::jwk);
        json!({ "keys": keys.collect::<Vec<_>>() })
    }

    /// Signs `message` for one `purpose`, a word that keeps it from ever being taken for anything else.
    pub fn sign_for(&self, purpose: &str, message: &[u8]) -> Result<Signed, Error> {
        let state = self.state();
        let signature =
            crypto::sign(&framed(purpose, message), &state.private, state.active.algorithm.jose());
        Ok(Signed { kid: state.active.kid.clone(), signature: signature.map_err(|_| Error::Crypto)? })
    }

    /// Verifies what `sign_for` made; retired keys verify too, because what they signed before stays true.
    pub fn verify_for(&self, purpose: &str, message: &[u8], signed: &Signed) -> bool {
        let state = self.state();
        let Some(entry) = state.entries.iter().find(|entry| entry.kid == signed.kid) else {
            return false;
        };
        state.public.get(&signed.kid).is_some_and(|key| entry.verifies(key, purpose, message, signed))
    }

    /// Signs a token whose header is made for the key that signs.
    pub(crate) fn sign_token(&self, typ: &str, claims: &Value) -> Result<String, Error> {
        let state = self.state();
        let header = json!({ "alg": state.active.algorithm.name(), "kid": state.active.kid, "typ": typ });
        let message = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let signature = crypto::sign(message.as_bytes(), &state.private, state.active.algorithm.jose());
        Ok(format!("{message}.{}", signature.map_err(|_| Error::Crypto)?))
    }

    /// Finds the key that a token names, after looking for news when it is time to.
    pub(crate) fn find(&self, kid: &str, now: DateTime<Utc>) -> Found {
        self.refresh(now, RELOAD_SECONDS);
        let mut found = self.find_loaded(kid);
        if matches!(found, Found::Unknown) && self.refresh(now, RELOAD_UNKNOWN_SECONDS) {
            found = self.find_loaded(kid);
        }
        found
    }

    fn find_loaded(&self, kid: &str) -> Found {
        let state = self.state();
        let entry = state.entries.iter().find(|entry| entry.kid == kid);
        match (entry, state.public.get(kid)) {
            (Some(entry), _) if entry.retired_at.is_some() => Found::Retired,
            (Some(entry), Some(key)) => Found::Key(entry.algorithm, key.clone()),
            _ => Found::Unknown,
        }
    }

    /// Reloads when the last look is `seconds` ago; tells whether it did.
    fn refresh(&self, now: DateTime<Utc>, seconds: i64) -> bool {
        let due = |loaded: &Loaded| (now - loaded.checked_at).num_seconds().abs() >= seconds;
        if !due(&self.loaded.read().unwrap_or_else(PoisonError::into_inner)) {
            return false;
        }
        {
            let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
            if !due(&loaded) {
                return true;
            }
            // Taken before reading, so that one request reads and the others go on with the keys they have.
            loaded.checked_at = now;
        }
        if let Err(error) = self.reload(now) {
            tracing::warn!(error = %error, "the signing keys cannot be read again; the loaded ones stay in use");
        }
        true
    }

    fn state(&self) -> Arc<State> {
        Arc::clone(&self.loaded.read().unwrap_or_else(PoisonError::into_inner).state)
    }
}

/// A NUL byte never occurs in the signed part of a token, so neither can be passed off as the other.
fn framed(purpose: &str, message: &[u8]) -> Vec<u8> {
    let mut framed = Vec::with_capacity(purpose.len() + 1 + message.len());
    framed.extend_from_slice(purpose.as_bytes());
    framed.push(0);
    framed.extend_from_slice(message);
    framed
}

#[cfg(test)]
mod tests;
