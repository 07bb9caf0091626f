//! Files: received over HTTP with a preflight header, an hour the uploader's alone, handed out as attachments to whoever
//! may see what they hang on, and pictures without their place and time to all but those who judge them.

use std::io::Cursor;

use actix_web::{App, body::to_bytes, http::StatusCode, test, web};
use chrono::TimeDelta;
use concord::{
    domain::{Ctx, Error, file},
    graphql::id,
    http::files,
};
use concord_entities::{
    id::{AccountId, StoredFileId},
    problem::State,
};
use concord_tests::{TestApp, World};
use exif::{Field, In, Rational, Tag, Value as Exif, experimental::Writer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::problem::{count, problem_in, upload};

/// What a request came to.
pub struct Reply {
    pub status: StatusCode,
    pub headers: actix_web::http::header::HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    fn code(&self) -> String {
        self.json()["errors"][0]["extensions"]["code"].as_str().expect("a code").to_owned()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).expect("a header").to_str().expect("a text")
    }
}

/// A request to upload or download, by somebody.
pub async fn request(ctx: Ctx, request: test::TestRequest) -> Reply {
    let (up, down) = (ctx.clone(), ctx);
    let service = test::init_service(
        App::new()
            .route(
                "/files",
                web::post().to(move |request, payload| files::upload(up.clone(), request, payload)),
            )
            .route("/files/{id}", web::get().to(move |path| files::download(down.clone(), path))),
    )
    .await;
    let response = test::call_service(&service, request.to_request()).await;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = to_bytes(response.into_body()).await.unwrap_or_default().to_vec();
    Reply { status, headers, body }
}

async fn send(app: &TestApp, who: AccountId, name: &str, bytes: Vec<u8>) -> Reply {
    let uri = format!("/files?name={name}");
    let post = test::TestRequest::post().uri(&uri).insert_header((files::UPLOAD_HEADER, "1"));
    request(app.ctx(who), post.set_payload(bytes)).await
}

async fn fetch(app: &TestApp, who: AccountId, id: &str) -> Reply {
    request(app.ctx(who), test::TestRequest::get().uri(&format!("/files/{id}"))).await
}

/// A small picture that tells when, where and how it was taken.
fn photo() -> Vec<u8> {
    let mut jpeg = Vec::new();
    let pixels =
        image::RgbImage::from_fn(8, 4, |x, _| image::Rgb([u8::try_from(x * 30).expect("small"), 0, 0]));
    pixels.write_to(&mut Cursor::new(&mut jpeg), image::ImageFormat::Jpeg).expect("a picture");
    let field = |tag, value| Field { tag, ifd_num: In::PRIMARY, value };
    let degrees = |degrees, minutes| {
        let part = |num| Rational { num, denom: 1 };
        Exif::Rational(vec![part(degrees), part(minutes), part(0)])
    };
    let fields = [
        field(Tag::Orientation, Exif::Short(vec![6])),
        field(Tag::DateTimeOriginal, Exif::Ascii(vec![b"2026:01:04 16:30:00".to_vec()])),
        field(Tag::OffsetTimeOriginal, Exif::Ascii(vec![b"+08:00".to_vec()])),
        field(Tag::GPSLatitudeRef, Exif::Ascii(vec![b"N".to_vec()])),
        field(Tag::GPSLatitude, degrees(36, 57)),
        field(Tag::GPSLongitudeRef, Exif::Ascii(vec![b"E".to_vec()])),
        field(Tag::GPSLongitude, degrees(100, 54)),
    ];
    let mut writer = Writer::new();
    fields.iter().for_each(|field| writer.push_field(field));
    let mut block = Cursor::new(Vec::new());
    writer.write(&mut block, false).expect("a block");
    let block = block.into_inner();
    let length = u16::try_from(block.len() + 8).expect("short").to_be_bytes();
    let (head, rest) = jpeg.split_at(2);
    [head, &[0xff, 0xe1], &length, b"Exif\0\0", &block, rest].concat()
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn an_upload_is_told_by_its_digest_and_waits_an_hour_for_its_sender() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let reply = send(&app, world.staff, "a%2Fb%E7%85%A7.txt", "坑洼".into()).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", String::from_utf8_lossy(&reply.body));
    let told = reply.json();
    assert_eq!(told["sha256"], hex("坑洼".as_bytes()));
    assert_eq!((&told["size"], &told["name"]), (&json!(6), &json!("b照.txt")));
    let id = told["id"].as_str().expect("an id").to_owned();

    let mine = fetch(&app, world.staff, &id).await;
    assert_eq!((mine.status, mine.body.as_slice()), (StatusCode::OK, "坑洼".as_bytes()));
    assert_eq!(mine.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(mine.header("x-content-type-options"), "nosniff");
    assert!(mine.header("content-security-policy").starts_with("sandbox"));
    assert!(mine.header("content-disposition").starts_with("attachment;"));
    for other in [world.manager, world.committee, world.stranger] {
        let reply = fetch(&app, other, &id).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::NOT_FOUND, "NOT_FOUND"));
    }

    app.advance(TimeDelta::minutes(61));
    assert_eq!(fetch(&app, world.staff, &id).await.status, StatusCode::NOT_FOUND);
    let row = problem_in(&app, &world, State::InProgress).await;
    let late = "mutation($input: AddEvidenceInput!) { addEvidence(input: $input) { userErrors { code } } }";
    let input =
        json!({ "subject": { "problemId": id::encode(row.id) }, "fileIds": [id], "stage": "CLOSURE" });
    let answer = app.client(world.staff).send(late, json!({ "input": input })).await;
    assert_eq!(answer.code().as_deref(), Some("NOT_FOUND"));
}

#[tokio::test]
async fn what_nobody_attached_is_swept_and_what_others_share_stays() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    // The same bytes twice: once attached, once not.
    let row = problem_in(&app, &world, State::InProgress).await;
    let kept = upload(&app, world.staff, "同一内容").await;
    upload(&app, world.staff, "同一内容").await;
    upload(&app, world.staff, "另一内容").await;
    let input = json!({ "input": {
        "subject": { "problemId": id::encode(row.id) }, "fileIds": [id::encode(kept)], "stage": "CLOSURE",
    } });
    let add = "mutation($input: AddEvidenceInput!) { addEvidence(input: $input) { userErrors { code } } }";
    app.client(world.staff).send(add, input).await.fine();
    let there = async |text: &str| {
        let digest = hex(text.as_bytes()).parse().expect("a digest");
        app.app.files.exists(&digest).await.expect("an answer")
    };
    app.run_background().await;
    assert!(there("另一内容").await, "an hour has not passed");
    app.advance(TimeDelta::minutes(60));
    app.run_background().await;
    assert!(!there("另一内容").await);
    assert!(there("同一内容").await);
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM stored_file").await, 1);
    assert_eq!(fetch(&app, world.committee, id::encode(kept).as_str()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_picture_tells_when_and_where_only_to_those_who_judge_it() {
    let app = TestApp::new().await;
    let (world, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let row = problem_in(&app, &world, State::InProgress).await;
    let original = photo();
    let reply = send(&app, world.staff, "p.jpg", original.clone()).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", String::from_utf8_lossy(&reply.body));
    let file = reply.json()["id"].as_str().expect("an id").to_owned();
    let add = "mutation($input: AddEvidenceInput!) { addEvidence(input: $input) { userErrors { code } } }";
    let input =
        json!({ "subject": { "problemId": id::encode(row.id) }, "fileIds": [file], "stage": "CLOSURE" });
    app.client(world.staff).send(add, json!({ "input": input })).await.fine();

    let query =
        "query($id: ID!) { problem(id: $id) { evidence { sha256 url capturedAt latitude longitude } } }";
    let ask = json!({ "id": id::encode(row.id) });
    for who in [world.verifier, world.approver, world.committee] {
        let answer = app.client(who).send(query, ask.clone()).await;
        let seen = answer.at("/problem/evidence/0");
        assert_eq!(seen["capturedAt"], "2026-01-04T08:30:00Z");
        assert!((seen["latitude"].as_f64().expect("a number") - 36.95).abs() < 1e-9);
        assert!((seen["longitude"].as_f64().expect("a number") - 100.9).abs() < 1e-9);
        assert_eq!(seen["sha256"], hex(&original));
        let reply = fetch(&app, who, &file).await;
        assert_eq!(reply.body, original);
    }
    for who in [world.staff, world.grid_officer, world.observer, world.county_committee] {
        let answer = app.client(who).send(query, ask.clone()).await;
        let seen = answer.at("/problem/evidence/0");
        assert!(["capturedAt", "latitude", "longitude"].iter().all(|field| seen[*field].is_null()));
        let reply = fetch(&app, who, &file).await;
        assert_eq!(reply.header("content-type"), "image/jpeg");
        assert_ne!(reply.body, original);
        assert!(!reply.body.windows(4).any(|window| window == b"Exif"));
        // Turned as its taker held the camera.
        let copy = image::load_from_memory(&reply.body).expect("a picture");
        assert_eq!((copy.width(), copy.height()), (4, 8));
    }
    for who in [there.committee, there.verifier, world.stranger] {
        assert_eq!(fetch(&app, who, &file).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn uploads_that_cannot_be_taken_are_refused_and_leave_nothing() {
    let app = TestApp::with(|config| config.files.max_bytes = 1_000).await;
    let world = World::build(&app, "632223").await;
    let plain = test::TestRequest::post().uri("/files").set_payload("text");
    let reply = request(app.ctx(world.staff), plain).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::FORBIDDEN, "UPLOAD_HEADER_MISSING"));
    let post = || test::TestRequest::post().uri("/files").insert_header((files::UPLOAD_HEADER, "1"));
    let reply = request(app.anonymous().ctx, post().set_payload("text")).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"));
    let reply = send(&app, world.stranger, "a.txt", b"text".to_vec()).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::FORBIDDEN, "FORBIDDEN"));

    let fits = send(&app, world.staff, "a.txt", vec![b'a'; 1_000]).await;
    assert_eq!(fits.status, StatusCode::CREATED);
    let reply = send(&app, world.staff, "a.txt", vec![b'b'; 1_001]).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "FILE_TOO_LARGE"));
    for (bytes, code) in [
        (b"<html><script>".to_vec(), "FILE_TYPE_REFUSED"),
        (b"MZ\x90\0\x03\0\0\0".to_vec(), "FILE_TYPE_REFUSED"),
        (Vec::new(), "FILE_TYPE_REFUSED"),
        (b"\x89PNG\r\n\x1a\n and then nothing".to_vec(), "PICTURE_UNREADABLE"),
    ] {
        let reply = send(&app, world.staff, "a.png", bytes).await;
        assert_eq!(reply.code(), code);
    }
    // A picture of 60,000 by 60,000 pixels in a few bytes.
    let mut bomb = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xea\x60\0\0\xea\x60\x08\x06\0\0\0".to_vec();
    bomb.extend_from_slice(&[0x6c, 0x8a, 0x2b, 0x3f]);
    assert_eq!(send(&app, world.staff, "b.png", bomb).await.code(), "PICTURE_UNREADABLE");
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM stored_file").await, 1);
    for id in ["x", "..%2F..%2Fetc%2Fpasswd", id::encode(world.town).as_str()] {
        assert_eq!(fetch(&app, world.staff, id).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_person_holds_at_most_a_hundred_waiting_files() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    for number in 0..100 {
        upload(&app, world.staff, &format!("{number}")).await;
    }
    let reply = send(&app, world.staff, "a.txt", b"one more".to_vec()).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_FILES"));
    app.advance(TimeDelta::minutes(61));
    assert_eq!(send(&app, world.staff, "a.txt", b"one more".to_vec()).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_dashboards_key_gets_no_files() {
    let app = TestApp::new().await;
    let key = app.key(concord_entities::id::ApiKeyId(uuid::Uuid::nil()));
    let opened = file::open(&key.ctx, StoredFileId(uuid::Uuid::nil())).await;
    assert!(matches!(opened, Err(Error::Forbidden)));
    let chunks = futures_util::stream::iter([Ok::<_, std::convert::Infallible>(b"text".to_vec())]);
    assert!(matches!(file::receive(&key.ctx, chunks, None).await, Err(Error::Forbidden)));
}
