//! Evidence files: stored as received under their SHA-256, in a local folder or in S3-compatible object storage.
//!
//! A file is hashed, measured and recognised while it streams into a temporary file, and only then gets its place; one
//! that is refused leaves no trace. This file deliberately does not know who may read what, and never changes a byte.

use std::{
    fmt,
    io::ErrorKind,
    path::{Path, PathBuf},
    str::FromStr,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{AsyncReadExt, AsyncWriteExt},
};

mod bucket;
mod media;

use bucket::Bucket;
pub use media::{MediaType, sniff};

/// How many bytes are read at a time.
const CHUNK_BYTES: usize = 64 * 1_024;
/// After how long a temporary file is taken for the remains of a crash.
const ABANDONED_AFTER: Duration = Duration::from_hours(24);
const TEMPORARY: &str = "incoming";
const DIR_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// The SHA-256 of a file in lower-case hexadecimal: the only name by which a file can be asked for.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sha256Hex(String);

impl Sha256Hex {
    /// Writes a digest.
    pub fn from_digest(digest: [u8; 32]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |value: u8| char::from(*DIGITS.get(usize::from(value)).unwrap_or(&b'0'));
        Self(digest.into_iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect())
    }

    /// Gives the 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Gives the two levels of folders and the name under which a file lies.
    fn parts(&self) -> [&str; 3] {
        [self.0.get(..2).unwrap_or_default(), self.0.get(2..4).unwrap_or_default(), &self.0]
    }
}

/// The text is not a SHA-256 in lower-case hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 in lower-case hexadecimal")]
pub struct NotADigest;

impl FromStr for Sha256Hex {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let good = text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if good { Ok(Self(text.to_owned())) } else { Err(NotADigest) }
    }
}

impl TryFrom<String> for Sha256Hex {
    type Error = NotADigest;

    fn try_from(text: String) -> Result<Self, NotADigest> {
        text.parse()
    }
}

impl From<Sha256Hex> for String {
    fn from(digest: Sha256Hex) -> Self {
        digest.0
    }
}

impl fmt::Display for Sha256Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Sha256Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where files are kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The local folder; with object storage only unfinished uploads lie there.
    pub folder: PathBuf,
    #[serde(default)]
    pub s3: Option<S3Settings>,
}

/// S3-compatible object storage.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3Settings {
    /// The URL of the service; of the bucket itself when `virtual_hosted` is set.
    pub endpoint: String,
    pub bucket: String,
    #[serde(default = "default_region")]
    pub region: String,
    pub access_key: String,
    pub secret_key: String,
    /// What stands in front of every object's name.
    #[serde(default)]
    pub prefix: String,
    #[serde(default)]
    pub virtual_hosted: bool,
    #[serde(default)]
    pub allow_http: bool,
    /// Networks that the service may be in although they are not public, as CIDR.
    #[serde(default, deserialize_with = "crate::outbound::networks")]
    pub allow: Vec<IpNet>,
}

fn default_region() -> String {
    "us-east-1".into()
}

impl fmt::Debug for S3Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Settings")
            .field("endpoint", &self.endpoint)
            .field("bucket", &self.bucket)
            .field("region", &self.region)
            .field("access_key", &self.access_key)
            .field("secret_key", &"***")
            .field("prefix", &self.prefix)
            .field("virtual_hosted", &self.virtual_hosted)
            .field("allow_http", &self.allow_http)
            .field("allow", &self.allow)
            .finish()
    }
}

/// Why a file could be neither stored nor read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("larger than {limit} bytes")]
    TooLarge { limit: u64 },
    #[error("not one of the accepted types of file")]
    Unsupported,
    #[error("there is no such file")]
    NotFound,
    #[error("the stored file {0} is damaged")]
    Damaged(Sha256Hex),
    #[error("the upload broke off: {0}")]
    Source(String),
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("object storage: {0}")]
    Bucket(String),
    #[error("the settings of the file storage are not usable: {0}")]
    Settings(String),
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_path_buf();
    move |source| Error::Io { path, source }
}

/// A file that was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub sha256: Sha256Hex,
    pub size: u64,
    pub media_type: MediaType,
}

/// A file on its way to a reader; the last chunk comes only when the whole has its digest.
pub struct Download {
    pub size: u64,
    pub chunks: BoxStream<'static, Result<Bytes, Error>>,
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download").field("size", &self.size).finish_non_exhaustive()
    }
}

/// The place where files are kept; shared by every request.
#[derive(Debug)]
pub enum Store {
    Local(Folder),
    S3 { incoming: Folder, bucket: Bucket },
}

impl Store {
    /// Opens the place that the settings name, and creates its folder.
    pub async fn open(settings: &Settings) -> Result<Self, Error> {
        let folder = Folder::open(&settings.folder).await?;
        match &settings.s3 {
            None => Ok(Self::Local(folder)),
            Some(s3) => Ok(Self::S3 { incoming: folder, bucket: Bucket::open(s3)? }),
        }
    }

    /// Stores a stream of at most `limit` bytes; the same bytes are stored once, however often they come.
    pub async fn put<S, B, E>(&self, chunks: S, limit: u64) -> Result<Stored, Error>
    where
        S: Stream<Item = Result<B, E>>,
        B: AsRef<[u8]>,
        E: fmt::Display,
    {
        match self {
            Self::Local(folder) => {
                let (temporary, stored) = folder.receive(chunks, limit).await?;
                folder.keep(temporary, &stored.sha256).await?;
                Ok(stored)
            }
            Self::S3 { incoming, bucket } => {
                let (temporary, stored) = incoming.receive(chunks, limit).await?;
                bucket.upload(&temporary.path, &stored).await?;
                Ok(stored)
            }
        }
    }

    /// Reads a file.
    pub async fn get(&self, sha256: &Sha256Hex) -> Result<Download, Error> {
        let (size, chunks) = match self {
            Self::Local(folder) => folder.read(sha256).await?,
            Self::S3 { bucket, .. } => bucket.read(sha256).await?,
        };
        Ok(Download { size, chunks: verified(chunks, sha256.clone()) })
    }

    /// Tells whether a file is there.
    pub async fn exists(&self, sha256: &Sha256Hex) -> Result<bool, Error> {
        match self {
            Self::Local(folder) => {
                let path = folder.place(sha256);
                fs::try_exists(&path).await.map_err(io(&path))
            }
            Self::S3 { bucket, .. } => Ok(bucket.size(sha256).await?.is_some()),
        }
    }

    /// Removes a file for good; one that is not there is removed already.
    pub async fn remove(&self, sha256: &Sha256Hex) -> Result<(), Error> {
        match self {
            Self::Local(folder) => folder.remove(sha256).await,
            Self::S3 { bucket, .. } => bucket.remove(sha256).await,
        }
    }

    /// Deletes what uploads left behind in a crash a day ago or earlier, and tells how many.
    pub async fn sweep(&self, now: DateTime<Utc>) -> Result<usize, Error> {
        match self {
            Self::Local(folder) | Self::S3 { incoming: folder, .. } => folder.sweep(now).await,
        }
    }
}

/// Passes chunks on one behind, so that the end is withheld when the whole turns out to be another file.
fn verified(
    chunks: BoxStream<'static, Result<Bytes, Error>>,
    sha256: Sha256Hex,
) -> BoxStream<'static, Result<Bytes, Error>> {
    let start = Some((chunks, Sha256::new(), None::<Bytes>));
    let verified = stream::try_unfold(start, move |state| {
        let sha256 = sha256.clone();
        async move {
            let Some((mut chunks, mut hasher, mut held)) = state else {
                return Ok(None);
            };
            while let Some(chunk) = chunks.next().await.transpose()? {
                hasher.update(&chunk);
                if let Some(ready) = held.replace(chunk) {
                    return Ok(Some((ready, Some((chunks, hasher, held)))));
                }
            }
            if Sha256Hex::from_digest(hasher.finalize().into()) != sha256 {
                tracing::error!(file.sha256 = %sha256, "a stored file does not have its digest");
                return Err(Error::Damaged(sha256));
            }
            Ok(held.map(|last| (last, None)))
        }
    });
    verified.boxed()
}

/// A temporary file that disappears unless it is given its place.
#[derive(Debug)]
struct Temporary {
    path: PathBuf,
    placed: bool,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.placed
            && let Err(error) = std::fs::remove_file(&self.path)
        {
            tracing::warn!(error = %error, "a temporary file could not be removed");
        }
    }
}

/// A folder with the files of `aabb…` in `aa/bb/`, and unfinished ones in a folder of their own.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    counter: AtomicU64,
}

impl Folder {
    async fn open(root: &Path) -> Result<Self, Error> {
        let incoming = root.join(TEMPORARY);
        DirBuilder::new().recursive(true).mode(DIR_MODE).create(&incoming).await.map_err(io(&incoming))?;
        Ok(Self { root: root.to_path_buf(), counter: AtomicU64::new(0) })
    }

    fn place(&self, sha256: &Sha256Hex) -> PathBuf {
        let mut path = self.root.clone();
        path.extend(sha256.parts());
        path
    }

    /// Opens a temporary file under a name that nobody else has, not even another process in the same folder.
    async fn temporary(&self) -> Result<(Temporary, File), Error> {
        loop {
            let number = self.counter.fetch_add(1, Ordering::Relaxed);
            let path = self.root.join(TEMPORARY).join(format!("{}-{number}.part", std::process::id()));
            let mut options = OpenOptions::new();
            match options.write(true).create_new(true).mode(FILE_MODE).open(&path).await {
                Ok(file) => return Ok((Temporary { path, placed: false }, file)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(io(&path)(error)),
            }
        }
    }

    async fn receive<S, B, E>(&self, chunks: S, limit: u64) -> Result<(Temporary, Stored), Error>
    where
        S: Stream<Item = Result<B, E>>,
        B: AsRef<[u8]>,
        E: fmt::Display,
    {
        let (temporary, mut file) = self.temporary().await?;
        let mut chunks = std::pin::pin!(chunks);
        let mut hasher = Sha256::new();
        let mut sniffer = media::Sniffer::default();
        let mut size = 0_u64;
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| Error::Source(error.to_string()))?;
            let chunk = chunk.as_ref();
            size = size.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
            if size > limit {
                return Err(Error::TooLarge { limit });
            }
            hasher.update(chunk);
            sniffer.feed(chunk);
            file.write_all(chunk).await.map_err(io(&temporary.path))?;
        }
        let media_type = sniffer.finish().ok_or(Error::Unsupported)?;
        file.flush().await.map_err(io(&temporary.path))?;
        file.sync_all().await.map_err(io(&temporary.path))?;
        let sha256 = Sha256Hex::from_digest(hasher.finalize().into());
        Ok((temporary, Stored { sha256, size, media_type }))
    }

    /// Moves a received file to its place; over an equal one too, which mends a damaged copy.
    async fn keep(&self, mut temporary: Temporary, sha256: &Sha256Hex) -> Result<(), Error> {
        let path = self.place(sha256);
        let folders: Vec<&Path> = path.ancestors().skip(1).take(3).collect();
        if let Some(folder) = folders.first() {
            DirBuilder::new().recursive(true).mode(DIR_MODE).create(folder).await.map_err(io(folder))?;
        }
        fs::rename(&temporary.path, &path).await.map_err(io(&path))?;
        temporary.placed = true;
        // The names have to survive a crash as well: that of the file and those of the folders just made.
        for folder in folders {
            let opened = File::open(folder).await.map_err(io(folder))?;
            opened.sync_all().await.map_err(io(folder))?;
        }
        Ok(())
    }

    async fn read(
        &self,
        sha256: &Sha256Hex,
    ) -> Result<(u64, BoxStream<'static, Result<Bytes, Error>>), Error> {
        let path = self.place(sha256);
        let file = match File::open(&path).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(Error::NotFound),
            other => other.map_err(io(&path))?,
        };
        let size = file.metadata().await.map_err(io(&path))?.len();
        let chunks = stream::try_unfold((file, path), |(mut file, path)| async move {
            let mut buffer = vec![0; CHUNK_BYTES];
            let read = file.read(&mut buffer).await.map_err(io(&path))?;
            buffer.truncate(read);
            Ok((read > 0).then(|| (Bytes::from(buffer), (file, path))))
        });
        Ok((size, chunks.boxed()))
    }

    async fn remove(&self, sha256: &Sha256Hex) -> Result<(), Error> {
        let path = self.place(sha256);
        match fs::remove_file(&path).await {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(io(&path)(error)),
            Err(_) => return Ok(()),
            Ok(()) => {}
        }
        let folder = path.parent().unwrap_or(&self.root);
        File::open(folder).await.map_err(io(folder))?.sync_all().await.map_err(io(folder))
    }

    async fn sweep(&self, now: DateTime<Utc>) -> Result<usize, Error> {
        let folder = self.root.join(TEMPORARY);
        let mut entries = fs::read_dir(&folder).await.map_err(io(&folder))?;
        let mut swept = 0;
        while let Some(entry) = entries.next_entry().await.map_err(io(&folder))? {
            let path = entry.path();
            // Another node may finish or sweep the same file meanwhile.
            let Ok(modified) = entry.metadata().await.and_then(|metadata| metadata.modified()) else {
                continue;
            };
            let age = (now - DateTime::<Utc>::from(modified)).to_std().unwrap_or_default();
            if age >= ABANDONED_AFTER && fs::remove_file(&path).await.is_ok() {
                swept += 1;
            }
        }
        Ok(swept)
    }
}

#[cfg(test)]
mod tests;
