//! Proof of the outbound walls: refused forms, rebinding, redirects, limits, proxies.

use std::{
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
};

use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path},
};

use super::*;

/// Answers by name; `flip.example` is public the first time and loopback afterwards.
#[derive(Default)]
struct Names {
    asked: AtomicUsize,
}

impl Lookup for Names {
    fn lookup(&self, host: String) -> BoxFuture<'static, Result<Vec<IpAddr>, Error>> {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        let answer: Vec<&str> = match host.trim_end_matches('.') {
            "localhost" | "server.example" => vec!["127.0.0.1"],
            "private.example" => vec!["10.1.2.3"],
            "mixed.example" => vec!["93.184.216.34", "192.168.0.1"],
            "mapped.example" => vec!["::ffff:127.0.0.1"],
            "six.example" => vec!["fd00::1"],
            "nat64.example" => vec!["64:ff9b::7f00:1"],
            "flip.example" if asked == 0 => vec!["127.0.0.1"],
            "metadata.example" | "flip.example" => vec!["169.254.169.254"],
            "empty.example" => vec![],
            _ => return Box::pin(async { Err(Error::Lookup) }),
        };
        let answer = answer.into_iter().map(|text| text.parse().unwrap()).collect();
        Box::pin(async move { Ok(answer) })
    }
}

fn client(settings: &Settings) -> Client {
    Client::with_lookup(settings, Arc::new(Names::default())).unwrap()
}

fn plain() -> Settings {
    Settings { allow_http: true, ..Settings::default() }
}

fn loopback() -> Settings {
    Settings { allow: vec!["127.0.0.0/8".parse().unwrap()], ..plain() }
}

const FORMS: &[&str] = &[
    // Loopback in all its spellings.
    "http://127.0.0.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://127.255.255.254/",
    "http://2130706433/",
    "http://017700000001/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://0177.0x0.0.1/",
    "http://127.0.0.1./",
    "http://%31%32%37.0.0.1/",
    "http://127%2e0%2e0%2e1/",
    "http://①②⑦.⓪.⓪.①/",
    "http://127。0。0。1/",
    "http://localhost/",
    "http://LOCALHOST/",
    "http://localhost./",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[64:ff9b:1::1]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:a00:1::1]/",
    "http://[2001:0:7f00:1::1]/",
    "http://[2600::5efe:10.0.0.1]/",
    // Unspecified, private, shared, link-local.
    "http://0/",
    "http://0.0.0.0/",
    "http://0.1.2.3/",
    "http://[::]/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.1.1/",
    "http://3232235777/",
    "http://100.64.0.1/",
    "http://100.100.100.200/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://168.63.129.16/",
    "http://[fe80::1]/",
    "http://[fc00::1]/",
    "http://[fd00:ec2::254]/",
    "http://[fec0::1]/",
    // Special purpose.
    "http://192.0.0.1/",
    "http://192.0.2.1/",
    "http://192.88.99.1/",
    "http://198.18.0.1/",
    "http://198.51.100.1/",
    "http://203.0.113.1/",
    "http://224.0.0.1/",
    "http://239.255.255.250/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://[ff02::1]/",
    "http://[2001:db8::1]/",
    "http://[2001:2::1]/",
    "http://[3fff::1]/",
    "http://[100::1]/",
    // Names whose answers are not public.
    "http://private.example/",
    "http://metadata.example/",
    "http://mixed.example/",
    "http://mapped.example/",
    "http://six.example/",
    "http://nat64.example/",
    "http://flip.example/",
    "http://empty.example/",
    "http://unknown.example/",
    // Shapes.
    "http://user@server.example/",
    "http://user:secret@server.example/",
    "http://@server.example/",
    "http://:@server.example/",
    "http://127.0.0.1@server.example/",
    "http://server.example\\@127.0.0.1/",
    "http://server.example:0/",
    "http:///",
    "http://./",
    "http://[::1%25eth0]/",
    "http://server.example:99999/",
    " http://server.example/",
    "http://server.example/\r\nHost: inside",
    "http://server\t.example/",
    "//server.example/",
    "server.example",
    "ftp://server.example/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_INFO",
    "data:text/plain,hello",
    "unix:/run/docker.sock",
    "javascript:1",
    "http://256.256.256.256/",
    "",
];

#[tokio::test]
async fn every_form_of_an_inner_address_is_refused() {
    const { assert!(FORMS.len() >= 40) };
    let client = client(&plain());
    for form in FORMS {
        let refusal = client.get(form, 1_024).await.unwrap_err();
        assert!(
            matches!(refusal, Error::Url(_) | Error::Address { .. } | Error::Lookup),
            "{form} was answered with {refusal:?}"
        );
    }
}

#[test]
fn public_addresses_pass() {
    for address in [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2400:3200::1",
        "2606:4700:4700::1111",
        "2001:200::1",
        "64:ff9b::101:101",
        "::ffff:1.1.1.1",
    ] {
        assert_eq!(not_public(address.parse().unwrap()), None, "{address}");
    }
}

#[test]
fn plain_http_needs_the_setting() {
    let strict = client(&Settings::default());
    assert_eq!(strict.check("http://server.example/"), Err(Error::Url("the scheme is not allowed")));
    assert!(strict.check("https://server.example:8443/keys?x=1#y").is_ok());
    assert!(client(&plain()).check("http://server.example/a@b?c=d@e").is_ok());
}

#[test]
fn an_overlong_url_is_refused() {
    let client = client(&Settings::default());
    let fits = format!("https://server.example/{}", "a".repeat(MAX_URL_LENGTH - 23));
    assert!(client.check(&fits).is_ok());
    assert!(client.check(&format!("{fits}a")).is_err());
}

#[test]
fn settings_read_networks_and_refuse_unknown_keys() {
    let settings: Settings = serde_json::from_str(r#"{"allow":["10.0.0.0/8","fd00::/8"]}"#).unwrap();
    assert_eq!(settings.allow.len(), 2);
    assert_eq!(settings.total_timeout_ms, 10_000);
    assert!(serde_json::from_str::<Settings>(r#"{"allow":["10.0.0.0/33"]}"#).is_err());
    assert!(serde_json::from_str::<Settings>(r#"{"permit":[]}"#).is_err());
}

async fn server() -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/ok"))
        .respond_with(ResponseTemplate::new(200).set_body_string("hello"))
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .and(path("/ok"))
        .respond_with(ResponseTemplate::new(204))
        .mount(&server)
        .await;
    Mock::given(path("/away"))
        .respond_with(ResponseTemplate::new(302).insert_header("location", "/ok").set_body_string("moved"))
        .mount(&server)
        .await;
    Mock::given(path("/slow"))
        .respond_with(ResponseTemplate::new(200).set_delay(Duration::from_secs(5)))
        .mount(&server)
        .await;
    server
}

#[tokio::test]
async fn an_allowed_server_is_called() {
    let server = server().await;
    let client = client(&loopback());
    let url = format!("http://server.example:{}/ok", server.address().port());
    let answer = client.get(&url, 5).await.unwrap();
    assert!(answer.is_success());
    assert_eq!(answer.body.as_ref(), b"hello");
    let answer = client.post(&url, HeaderMap::new(), Bytes::from_static(b"{}"), 5).await.unwrap();
    assert_eq!(answer.status, 204);
    // The literal address passes by the same setting.
    assert!(client.get(&format!("{}/ok", server.uri()), 5).await.is_ok());
}

#[tokio::test]
async fn proxies_of_the_environment_are_ignored() {
    // The environment of this process must not change under other tests, so a child process runs the call.
    let dead = "http://127.0.0.1:9";
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "outbound::tests::an_allowed_server_is_called"])
        .env("HTTP_PROXY", dead)
        .env("http_proxy", dead)
        .env("ALL_PROXY", dead)
        .env("all_proxy", dead)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let server = server().await;
    let answer = client(&loopback()).get(&format!("{}/away", server.uri()), 100).await.unwrap();
    assert_eq!(answer.status, 302);
    assert_eq!(answer.body.as_ref(), b"moved");
}

#[tokio::test]
async fn a_body_over_the_limit_is_cut_off() {
    let server = server().await;
    let refusal = client(&loopback()).get(&format!("{}/ok", server.uri()), 4).await.unwrap_err();
    assert_eq!(refusal, Error::TooLarge { limit: 4 });
}

#[tokio::test]
async fn an_endless_body_without_a_length_is_cut_off() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = [0; 1_024];
        let _ = socket.read(&mut request).await.unwrap();
        socket.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
        while socket.write_all(b"400\r\n").await.is_ok()
            && socket.write_all(&[b'a'; 1_024]).await.is_ok()
            && socket.write_all(b"\r\n").await.is_ok()
        {}
    });
    let refusal = client(&loopback()).get(&format!("http://{address}/"), 65_536).await.unwrap_err();
    assert_eq!(refusal, Error::TooLarge { limit: 65_536 });
    serving.await.unwrap();
}

#[tokio::test]
async fn a_slow_server_is_left() {
    let server = server().await;
    let settings = Settings { total_timeout_ms: 100, ..loopback() };
    let refusal = client(&settings).get(&format!("{}/slow", server.uri()), 100).await.unwrap_err();
    assert_eq!(refusal, Error::Timeout);
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_its_checked_answer_is_connected() {
    let server = server().await;
    let names = Arc::new(Names::default());
    let lookup: Arc<dyn Lookup> = names.clone();
    let client = Client::with_lookup(&loopback(), lookup).unwrap();
    let url = format!("http://flip.example:{}/ok", server.address().port());
    // Had the name been asked twice, the second answer would have been the metadata address.
    assert!(client.get(&url, 100).await.is_ok());
    assert_eq!(names.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_closed_port_is_a_connection_failure() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    assert_eq!(client(&loopback()).get(&format!("http://{address}/"), 10).await.unwrap_err(), Error::Connect);
}

#[tokio::test]
async fn the_system_lookup_refuses_localhost() {
    let client = Client::new(&plain()).unwrap();
    let refusal = client.get("http://localhost:9/", 10).await.unwrap_err();
    assert!(matches!(refusal, Error::Address { .. }), "{refusal:?}");
}
