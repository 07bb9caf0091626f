//! The one door through which Concord calls other people's servers: external key sets, webhooks, bots, object storage.
//!
//! An address is looked up once, every answer is checked, and the connection goes to the checked answers only, so a name
//! that changes its mind between check and connect gains nothing. Redirects are never followed, proxies of the
//! environment are ignored, bodies are counted while they stream. It deliberately does not sign, retry or cache.

use std::{
    error::Error as StdError,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use hickory_resolver::{TokioResolver, config::LookupIpStrategy};
use ipnet::IpNet;
use reqwest::{
    ClientBuilder, Method,
    dns::{Addrs, Name, Resolve, Resolving},
    header::HeaderMap,
    redirect,
};
use serde::{Deserialize, Deserializer};
use url::{Host, Url};

/// The longest URL that is called.
pub const MAX_URL_LENGTH: usize = 2_048;
/// How many addresses of one name are considered.
const MAX_ADDRESSES: usize = 16;
const USER_AGENT: &str = concat!("concord/", env!("CARGO_PKG_VERSION"));
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);

/// What outbound calls may reach and how long they may take.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Networks that are reachable although they are not public, as CIDR.
    #[serde(deserialize_with = "networks")]
    pub allow: Vec<IpNet>,
    /// Whether plain `http:` is called too.
    pub allow_http: bool,
    pub connect_timeout_ms: u64,
    pub total_timeout_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { allow: Vec::new(), allow_http: false, connect_timeout_ms: 3_000, total_timeout_ms: 10_000 }
    }
}

/// Reads networks from their CIDR text.
pub(crate) fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    Vec::<String>::deserialize(deserializer)?
        .iter()
        .map(|text| {
            text.parse().map_err(|_| {
                serde::de::Error::custom(format!("{text:?} is not a network such as 10.0.0.0/8"))
            })
        })
        .collect()
}

/// Why a call was not made or did not succeed; none of them carries the remote's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the URL is refused: {0}")]
    Url(&'static str),
    #[error("the address {address} is refused: {reason}")]
    Address { address: IpAddr, reason: &'static str },
    #[error("the name has no address")]
    Lookup,
    #[error("no answer in time")]
    Timeout,
    #[error("the connection failed")]
    Connect,
    #[error("the answer is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("the exchange failed")]
    Exchange,
    #[error("the client cannot be built: {0}")]
    Setup(String),
}

/// Turns a name into addresses; the checks are made on its answers, so it decides nothing.
pub trait Lookup: Send + Sync + 'static {
    fn lookup(&self, host: String) -> BoxFuture<'static, Result<Vec<IpAddr>, Error>>;
}

/// Looks names up as the host is configured to, in process and without blocking a thread.
struct SystemLookup(TokioResolver);

impl SystemLookup {
    fn new() -> Result<Self, Error> {
        let mut builder = TokioResolver::builder_tokio().map_err(|error| Error::Setup(error.to_string()))?;
        let options = builder.options_mut();
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        options.timeout = LOOKUP_TIMEOUT;
        options.attempts = 1;
        builder.build().map(Self).map_err(|error| Error::Setup(error.to_string()))
    }
}

impl Lookup for SystemLookup {
    fn lookup(&self, host: String) -> BoxFuture<'static, Result<Vec<IpAddr>, Error>> {
        let resolver = self.0.clone();
        Box::pin(async move {
            let answer = resolver.lookup_ip(host).await.map_err(|_| Error::Lookup)?;
            Ok(answer.iter().collect())
        })
    }
}

/// Decides which URLs and addresses may be called.
#[derive(Debug, Clone)]
struct Policy {
    allow: Vec<IpNet>,
    allow_http: bool,
}

impl Policy {
    fn check_address(&self, address: IpAddr) -> Result<(), Error> {
        let canonical = address.to_canonical();
        if self.allow.iter().any(|net| net.contains(&canonical)) {
            return Ok(());
        }
        match not_public(canonical) {
            Some(reason) => Err(Error::Address { address: canonical, reason }),
            None => Ok(()),
        }
    }

    fn check_url(&self, text: &str) -> Result<Url, Error> {
        if text.len() > MAX_URL_LENGTH {
            return Err(Error::Url("longer than 2048 bytes"));
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
            return Err(Error::Url("contains whitespace, a control character or a backslash"));
        }
        let url = Url::parse(text).map_err(|_| Error::Url("not a URL"))?;
        match url.scheme() {
            "https" => {}
            "http" if self.allow_http => {}
            _ => return Err(Error::Url("the scheme is not allowed")),
        }
        if !url.username().is_empty() || url.password().is_some() || authority(text).contains('@') {
            return Err(Error::Url("contains user information"));
        }
        if url.port() == Some(0) {
            return Err(Error::Url("port 0"));
        }
        match url.host() {
            Some(Host::Ipv4(address)) => self.check_address(address.into())?,
            Some(Host::Ipv6(address)) => self.check_address(address.into())?,
            Some(Host::Domain(name)) if !name.trim_end_matches('.').is_empty() => {}
            _ => return Err(Error::Url("no host")),
        }
        Ok(url)
    }
}

/// The part between `//` and the path, where an empty `@` would otherwise pass unseen.
fn authority(text: &str) -> &str {
    let rest = text.split_once("//").map_or(text, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Networks of IPv4 that are not the public internet.
const V4_NOT_PUBLIC: &[(Ipv4Addr, u8, &str)] = &[
    (Ipv4Addr::UNSPECIFIED, 8, "unspecified"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "carrier-grade NAT"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(168, 63, 129, 16), 32, "cloud metadata"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "protocol assignments"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "6to4 relay"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "benchmarking"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved or broadcast"),
];

/// Networks inside the global unicast range of IPv6 that are not the public internet.
const V6_NOT_PUBLIC: &[(Ipv6Addr, u8, &str)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "Teredo or protocol assignments"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "documentation"),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, "6to4"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "documentation"),
];

const V6_GLOBAL_UNICAST: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
const V6_NAT64: (Ipv6Addr, u8) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// Tells why an address is not on the public internet, or nothing when it is.
pub fn not_public(address: IpAddr) -> Option<&'static str> {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4_not_public(v4),
        IpAddr::V6(v6) => v6_not_public(v6),
    }
}

fn v4_not_public(address: Ipv4Addr) -> Option<&'static str> {
    let bits = u32::from(address);
    V4_NOT_PUBLIC
        .iter()
        .find(|(net, length, _)| (bits ^ u32::from(*net)) >> (32 - length) == 0)
        .map(|(_, _, reason)| *reason)
}

fn v6_within(address: Ipv6Addr, net: Ipv6Addr, length: u8) -> bool {
    (u128::from(address) ^ u128::from(net)) >> (128 - length) == 0
}

fn v6_not_public(address: Ipv6Addr) -> Option<&'static str> {
    let [.., a, b, c, d] = address.octets();
    let embedded = Ipv4Addr::new(a, b, c, d);
    if v6_within(address, V6_NAT64.0, V6_NAT64.1) {
        // An IPv6-only host reaches public IPv4 servers through this prefix, so only the embedded address decides.
        return v4_not_public(embedded);
    }
    if !v6_within(address, V6_GLOBAL_UNICAST.0, V6_GLOBAL_UNICAST.1) {
        return Some("not global unicast");
    }
    let [_, _, _, _, isatap_flags, isatap, _, _] = address.segments();
    if isatap == 0x5efe && isatap_flags & 0xfcff == 0 && v4_not_public(embedded).is_some() {
        return Some("ISATAP of an address that is not public");
    }
    V6_NOT_PUBLIC
        .iter()
        .find(|(net, length, _)| v6_within(address, *net, *length))
        .map(|(_, _, reason)| *reason)
}

/// Hands the HTTP client only addresses that passed the policy.
struct CheckedResolver {
    lookup: Arc<dyn Lookup>,
    policy: Arc<Policy>,
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let answer = self.lookup.lookup(name.as_str().to_owned());
        let policy = Arc::clone(&self.policy);
        Box::pin(async move {
            let addresses = answer.await?;
            if addresses.is_empty() {
                return Err(Error::Lookup.into());
            }
            // One bad answer refuses the name: an honest public name has no private address beside it.
            for address in &addresses {
                policy.check_address(*address)?;
            }
            let addresses: Vec<SocketAddr> = addresses
                .into_iter()
                .take(MAX_ADDRESSES)
                .map(|address| SocketAddr::new(address, 0))
                .collect();
            let addresses: Addrs = Box::new(addresses.into_iter());
            Ok(addresses)
        })
    }
}

/// An answer whose body was read completely and stayed within its limit.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Response {
    /// Tells whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Calls other servers within the policy; cheap to clone.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    policy: Arc<Policy>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl Client {
    /// Builds a client that resolves names as the host does.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        Self::with_lookup(settings, Arc::new(SystemLookup::new()?))
    }

    /// Builds a client that resolves names through `lookup`.
    pub fn with_lookup(settings: &Settings, lookup: Arc<dyn Lookup>) -> Result<Self, Error> {
        let total = Duration::from_millis(settings.total_timeout_ms);
        Self::build(settings, lookup, |builder| builder.timeout(total))
    }

    /// Builds a client for large bodies: its total timeout limits each silence of the server, not the whole transfer.
    pub fn for_transfers(settings: &Settings) -> Result<Self, Error> {
        let silence = Duration::from_millis(settings.total_timeout_ms);
        Self::build(settings, Arc::new(SystemLookup::new()?), |builder| builder.read_timeout(silence))
    }

    fn build(
        settings: &Settings,
        lookup: Arc<dyn Lookup>,
        limit: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<Self, Error> {
        let policy = Arc::new(Policy { allow: settings.allow.clone(), allow_http: settings.allow_http });
        let builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .https_only(!settings.allow_http)
            .connect_timeout(Duration::from_millis(settings.connect_timeout_ms))
            .pool_max_idle_per_host(4)
            .pool_idle_timeout(Duration::from_secs(30))
            .dns_resolver(Arc::new(CheckedResolver { lookup, policy: Arc::clone(&policy) }));
        let http = limit(builder).build().map_err(|error| Error::Setup(error.to_string()))?;
        Ok(Self { http, policy })
    }

    /// Checks everything about a URL that needs no lookup; use it when somebody enters one.
    pub fn check(&self, url: &str) -> Result<Url, Error> {
        self.policy.check_url(url)
    }

    /// Fetches a URL, with an answer of at most `limit` bytes.
    pub async fn get(&self, url: &str, limit: usize) -> Result<Response, Error> {
        self.send(Method::GET, url, HeaderMap::new(), Bytes::new(), limit).await
    }

    /// Posts a body to a URL, with an answer of at most `limit` bytes.
    pub async fn post(
        &self,
        url: &str,
        headers: HeaderMap,
        body: Bytes,
        limit: usize,
    ) -> Result<Response, Error> {
        self.send(Method::POST, url, headers, body, limit).await
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: Bytes,
        limit: usize,
    ) -> Result<Response, Error> {
        // The HTTP client does not ask the resolver about literal addresses, so they are checked here.
        let url = self.check(url)?;
        let mut request = self.http.request(method, url).headers(headers);
        if !body.is_empty() {
            request = request.body(body);
        }
        let mut answer = request.send().await.map_err(|error| classify(&error))?;
        let too_large = || Error::TooLarge { limit };
        if answer
            .content_length()
            .is_some_and(|length| usize::try_from(length).map_or(true, |length| length > limit))
        {
            return Err(too_large());
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| classify(&error))? {
            if body.len().saturating_add(chunk.len()) > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            body: body.freeze(),
        })
    }

    /// Gives the HTTP client itself to a library that speaks a protocol of its own; its caller has to `check` the URL.
    pub(crate) fn transport(&self) -> reqwest::Client {
        self.http.clone()
    }
}

fn classify(error: &reqwest::Error) -> Error {
    let mut cause: Option<&(dyn StdError + 'static)> = error.source();
    while let Some(inner) = cause {
        if let Some(ours) = inner.downcast_ref::<Error>() {
            return ours.clone();
        }
        cause = inner.source();
    }
    if error.is_timeout() {
        Error::Timeout
    } else if error.is_connect() {
        Error::Connect
    } else {
        Error::Exchange
    }
}

#[cfg(test)]
mod tests;
