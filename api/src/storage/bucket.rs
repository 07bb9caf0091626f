//! Files in S3-compatible object storage, reached through the outbound walls.
//!
//! An object appears whole or not at all: small ones by one request, large ones by a multipart upload that is completed
//! at the end. It deliberately uses only the keys of its settings, never those of the machine it runs on.

use std::{path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, ObjectStoreExt, RetryConfig, WriteMultipart,
    aws::AmazonS3Builder,
    client::{HttpClient, HttpConnector},
    path::Path as ObjectPath,
};
use tokio::{fs::File, io::AsyncReadExt};

use super::{Error, S3Settings, Sha256Hex, Stored, io};
use crate::outbound;

/// The size of a part, and from which size on an upload has parts; S3 wants at least 5 MiB.
const PART_BYTES: usize = 5 * 1_024 * 1_024;
/// How many parts are on their way at once.
const PARALLEL_PARTS: usize = 2;
/// How long the service may be silent.
const SILENCE_MS: u64 = 30_000;

/// Gives the library our client, so that its connections pass the same checks as all others.
#[derive(Debug)]
struct Walled(reqwest::Client);

impl HttpConnector for Walled {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}

/// One bucket.
#[derive(Debug)]
pub struct Bucket {
    store: Arc<dyn ObjectStore>,
    prefix: ObjectPath,
}

impl Bucket {
    pub(super) fn open(settings: &S3Settings) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Settings(reason);
        let walls = outbound::Settings {
            allow: settings.allow.clone(),
            allow_http: settings.allow_http,
            total_timeout_ms: SILENCE_MS,
            ..outbound::Settings::default()
        };
        let client = outbound::Client::for_transfers(&walls).map_err(|error| wrong(error.to_string()))?;
        client.check(&settings.endpoint).map_err(|error| wrong(format!("endpoint: {error}")))?;
        let retry = RetryConfig {
            backoff: BackoffConfig::default(),
            max_retries: 3,
            retry_timeout: Duration::from_secs(30),
        };
        let store = AmazonS3Builder::new()
            .with_endpoint(settings.endpoint.trim_end_matches('/'))
            .with_bucket_name(&settings.bucket)
            .with_region(&settings.region)
            .with_access_key_id(&settings.access_key)
            .with_secret_access_key(&settings.secret_key)
            .with_virtual_hosted_style_request(settings.virtual_hosted)
            .with_allow_http(settings.allow_http)
            .with_disable_bulk_delete(true)
            .with_retry(retry)
            .with_http_connector(Walled(client.transport()))
            .build()
            .map_err(|error| wrong(error.to_string()))?;
        let prefix =
            ObjectPath::parse(&settings.prefix).map_err(|error| wrong(format!("prefix: {error}")))?;
        Ok(Self { store: Arc::new(store), prefix })
    }

    fn place(&self, sha256: &Sha256Hex) -> ObjectPath {
        sha256.parts().into_iter().fold(self.prefix.clone(), ObjectPath::join)
    }

    /// Tells the size of a file, or nothing when it is not there.
    pub(super) async fn size(&self, sha256: &Sha256Hex) -> Result<Option<u64>, Error> {
        match self.store.head(&self.place(sha256)).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }

    /// Copies a received file into the bucket, unless it is there already.
    pub(super) async fn upload(&self, path: &Path, stored: &Stored) -> Result<(), Error> {
        if self.size(&stored.sha256).await? == Some(stored.size) {
            return Ok(());
        }
        let place = self.place(&stored.sha256);
        let mut file = File::open(path).await.map_err(io(path))?;
        if usize::try_from(stored.size).is_ok_and(|size| size <= PART_BYTES) {
            let mut content = Vec::new();
            file.read_to_end(&mut content).await.map_err(io(path))?;
            self.store.put(&place, content.into()).await.map_err(|error| failed(&error))?;
            return Ok(());
        }
        let upload = self.store.put_multipart(&place).await.map_err(|error| failed(&error))?;
        let mut parts = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
        match send(&mut parts, &mut file, path).await {
            // Completing is what makes the object appear; a failure in a part aborts the upload.
            Ok(()) => parts.finish().await.map(|_| ()).map_err(|error| failed(&error)),
            Err(error) => {
                if let Err(abort) = parts.abort().await {
                    tracing::warn!(error = %abort, "an unfinished upload could not be aborted");
                }
                Err(error)
            }
        }
    }

    pub(super) async fn read(
        &self,
        sha256: &Sha256Hex,
    ) -> Result<(u64, BoxStream<'static, Result<Bytes, Error>>), Error> {
        let answer = match self.store.get(&self.place(sha256)).await {
            Err(object_store::Error::NotFound { .. }) => return Err(Error::NotFound),
            other => other.map_err(|error| failed(&error))?,
        };
        let size = answer.meta.size;
        Ok((size, answer.into_stream().map_err(|error| failed(&error)).boxed()))
    }

    pub(super) async fn remove(&self, sha256: &Sha256Hex) -> Result<(), Error> {
        match self.store.delete(&self.place(sha256)).await {
            Err(object_store::Error::NotFound { .. }) | Ok(()) => Ok(()),
            Err(error) => Err(failed(&error)),
        }
    }
}

async fn send(parts: &mut WriteMultipart, file: &mut File, path: &Path) -> Result<(), Error> {
    loop {
        let mut part = Vec::new();
        let limit = u64::try_from(PART_BYTES).unwrap_or(u64::MAX);
        (&mut *file).take(limit).read_to_end(&mut part).await.map_err(io(path))?;
        if part.is_empty() {
            return Ok(());
        }
        parts.wait_for_capacity(PARALLEL_PARTS).await.map_err(|error| failed(&error))?;
        parts.put(Bytes::from(part));
    }
}

fn failed(error: &object_store::Error) -> Error {
    Error::Bucket(error.to_string())
}
