//! Where a request comes from: its id and its client's address, believed from headers only behind trusted proxies.
//!
//! It also sets the headers that every answer carries. It refuses nothing.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, web};
use ipnet::IpNet;

use super::{Backend, Door};

/// The header of the request's id, both ways.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const REQUEST_ID_MAX: usize = 128;

/// Networks whose forwarding headers are believed.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Arc<[IpNet]>);

impl TrustedProxies {
    /// Reads networks in CIDR notation; a bare address is a network of one.
    pub fn parse(networks: &[String]) -> Result<Self, String> {
        let parse = |text: &String| {
            let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            network.map_err(|_| format!("`{text}` is not a network in CIDR notation"))
        };
        networks.iter().map(parse).collect::<Result<Vec<_>, _>>().map(|networks| Self(networks.into()))
    }

    /// Whether the address belongs to a trusted proxy.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The nearest address that no trusted proxy has: proxies append, so the list is read from its end.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.contains(peer) {
            return peer;
        }
        let values: Vec<&str> =
            headers.get_all(FORWARDED_FOR).filter_map(|value| value.to_str().ok()).collect();
        let mut nearest = peer;
        for hop in values.iter().flat_map(|value| value.split(',')).rev() {
            let Ok(address) = hop.trim().parse::<IpAddr>() else { return nearest };
            nearest = address.to_canonical();
            if !self.contains(nearest) {
                return nearest;
            }
        }
        nearest
    }
}

/// What is known about where a request comes from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The request's id.
    pub request_id: String,
    /// The client's address.
    pub client: IpAddr,
}

impl Origin {
    fn of<B: Backend>(door: &Door<B>, peer: Option<IpAddr>, headers: &HeaderMap) -> Self {
        let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)).to_canonical();
        let given =
            headers.get(REQUEST_ID).and_then(|value| value.to_str().ok()).filter(|id| is_request_id(id));
        let request_id = match given {
            Some(id) if door.trusted_proxies.contains(peer) => id.to_owned(),
            _ => door.backend.new_id(),
        };
        Self { request_id, client: door.trusted_proxies.client(peer, headers) }
    }

    /// The origin that the middleware found.
    pub fn from_request<B: Backend>(request: &HttpRequest, door: &Door<B>) -> Self {
        let known = request.extensions().get::<Self>().cloned();
        known.unwrap_or_else(|| Self::of(door, request.peer_addr().map(|peer| peer.ip()), request.headers()))
    }
}

fn is_request_id(id: &str) -> bool {
    (1..=REQUEST_ID_MAX).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':'))
}

/// Finds the origin, hands it on, and sets the request's id and the security headers on the answer.
pub async fn middleware<B: Backend>(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let door = request.app_data::<web::Data<Door<B>>>().cloned();
    let origin =
        door.map(|door| Origin::of(&door, request.peer_addr().map(|peer| peer.ip()), request.headers()));
    if let Some(origin) = origin.clone() {
        request.extensions_mut().insert(origin);
    }
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    if let Some(id) = origin.and_then(|origin| HeaderValue::from_str(&origin.request_id).ok()) {
        headers.insert(REQUEST_ID, id);
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ] {
        // A page with a policy of its own keeps it.
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &[&str], peer: &str, forwarded: &[&'static str]) -> String {
        let trusted: Vec<String> = trusted.iter().map(ToString::to_string).collect();
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, HeaderValue::from_static(value));
        }
        TrustedProxies::parse(&trusted).unwrap().client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn forwarding_is_believed_only_from_trusted_proxies() {
        assert_eq!(client(&[], "203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(client(&["10.0.0.0/8"], "203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(client(&["10.0.0.0/8"], "10.1.1.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(client(&["10.0.0.0/8"], "10.1.1.1", &["1.2.3.4, 198.51.100.1, 10.2.2.2"]), "198.51.100.1");
        assert_eq!(client(&["10.0.0.0/8"], "10.1.1.1", &["1.2.3.4", "198.51.100.1"]), "198.51.100.1");
        assert_eq!(client(&["10.0.0.0/8"], "10.1.1.1", &["1.2.3.4, unknown"]), "10.1.1.1");
        assert_eq!(client(&["10.0.0.0/8"], "10.1.1.1", &[]), "10.1.1.1");
        assert!(TrustedProxies::parse(&["10.0.0.0/40".to_owned()]).is_err());
    }

    #[test]
    fn request_ids_are_plain() {
        assert!(is_request_id("01HZX-abc_1.2:3"));
        for id in ["", "a b", "a\"b", "ä", &"x".repeat(129)] {
            assert!(!is_request_id(id), "{id}");
        }
    }
}
