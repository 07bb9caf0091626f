//! Proof of the file storage: places, limits, no traces, types, damage, object storage.

use std::{
    collections::HashMap,
    convert::Infallible,
    os::unix::fs::PermissionsExt,
    sync::{Arc, Mutex},
};

use futures_util::TryStreamExt;
use proptest::prelude::*;
use tempfile::TempDir;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers};

use super::*;

const LIMIT: u64 = 1_000;
const HELLO: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

fn chunks(parts: &[&[u8]]) -> impl Stream<Item = Result<Vec<u8>, Infallible>> + use<> {
    stream::iter(parts.iter().map(|part| Ok(part.to_vec())).collect::<Vec<_>>())
}

async fn local() -> (TempDir, Store) {
    let dir = TempDir::new().unwrap();
    let settings = Settings { folder: dir.path().join("files"), s3: None };
    let store = Store::open(&settings).await.unwrap();
    (dir, store)
}

async fn content(store: &Store, sha256: &Sha256Hex) -> Result<Vec<u8>, Error> {
    let download = store.get(sha256).await?;
    let bytes = download.chunks.try_collect::<Vec<_>>().await?.concat();
    assert_eq!(u64::try_from(bytes.len()).unwrap(), download.size);
    Ok(bytes)
}

fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[tokio::test]
async fn a_file_is_stored_under_its_digest() {
    let (dir, store) = local().await;
    let stored = store.put(chunks(&[b"he", b"", b"llo"]), 5).await.unwrap();
    assert_eq!(stored, Stored { sha256: HELLO.parse().unwrap(), size: 5, media_type: MediaType::Text });
    let path = dir.path().join("files/2c/f2").join(HELLO);
    assert_eq!(files(dir.path()), std::slice::from_ref(&path));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(store.exists(&stored.sha256).await.unwrap());
    assert_eq!(content(&store, &stored.sha256).await.unwrap(), b"hello");

    assert_eq!(store.put(chunks(&[b"hello"]), LIMIT).await.unwrap(), stored);
    assert_eq!(files(dir.path()).len(), 1);

    store.remove(&stored.sha256).await.unwrap();
    store.remove(&stored.sha256).await.unwrap();
    assert!(!store.exists(&stored.sha256).await.unwrap());
    assert!(matches!(store.get(&stored.sha256).await, Err(Error::NotFound)));
    assert!(files(dir.path()).is_empty());
}

#[tokio::test]
async fn a_refused_file_leaves_no_trace() {
    let (dir, store) = local().await;
    let too_large = store.put(chunks(&[b"hello", b"!"]), 5).await;
    assert!(matches!(too_large, Err(Error::TooLarge { limit: 5 })));
    for bytes in [&b""[..], b"\x7fELF", b"MZ\x90\0", b"<html>", b"a\0b"] {
        assert!(matches!(store.put(chunks(&[bytes]), LIMIT).await, Err(Error::Unsupported)));
    }
    let broken = stream::iter([Ok(b"hello".to_vec()), Err("connection reset")]);
    assert!(
        matches!(store.put(broken, LIMIT).await, Err(Error::Source(reason)) if reason == "connection reset")
    );
    assert!(files(dir.path()).is_empty());
}

#[tokio::test]
async fn an_upload_that_is_cancelled_leaves_no_trace() {
    let (dir, store) = local().await;
    let endless = stream::once(async { Ok::<_, Infallible>(b"hello".to_vec()) }).chain(stream::pending());
    let cancelled = tokio::time::timeout(Duration::from_millis(100), store.put(endless, LIMIT)).await;
    assert!(cancelled.is_err());
    assert!(files(dir.path()).is_empty());
}

#[tokio::test]
async fn equal_uploads_at_once_become_one_file() {
    let (dir, store) = local().await;
    let text = "合治".repeat(20_000);
    let all = (0..20).map(|_| store.put(chunks(&[text.as_bytes()]), 1_000_000));
    let all = futures_util::future::try_join_all(all).await.unwrap();
    assert!(all.windows(2).all(|pair| pair.first() == pair.last()));
    assert_eq!(files(dir.path()).len(), 1);
    assert_eq!(content(&store, &all.first().unwrap().sha256).await.unwrap(), text.as_bytes());
}

#[tokio::test]
async fn a_damaged_file_is_noticed_before_its_end_and_mended_by_a_new_upload() {
    let (dir, store) = local().await;
    let text = "a".repeat(200_000);
    let stored = store.put(chunks(&[text.as_bytes()]), 1_000_000).await.unwrap();
    let path = files(dir.path()).pop().unwrap();
    std::fs::write(&path, text.replacen('a', "b", 1)).unwrap();
    let mut download = store.get(&stored.sha256).await.unwrap();
    let mut read = 0;
    let error = loop {
        match download.chunks.next().await.unwrap() {
            Ok(chunk) => read += chunk.len(),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Damaged(_)) && read < text.len());
    store.put(chunks(&[text.as_bytes()]), 1_000_000).await.unwrap();
    assert_eq!(content(&store, &stored.sha256).await.unwrap(), text.as_bytes());
}

#[tokio::test]
async fn what_a_crash_left_behind_is_swept_after_a_day() {
    let (dir, store) = local().await;
    let rest = dir.path().join("files/incoming/1-1.part");
    std::fs::write(&rest, "rest").unwrap();
    let modified = DateTime::<Utc>::from(std::fs::metadata(&rest).unwrap().modified().unwrap());
    assert_eq!(store.sweep(modified + chrono::TimeDelta::hours(23)).await.unwrap(), 0);
    assert_eq!(store.sweep(modified - chrono::TimeDelta::hours(48)).await.unwrap(), 0);
    assert_eq!(store.sweep(modified + chrono::TimeDelta::hours(24)).await.unwrap(), 1);
    assert!(!rest.exists());
}

#[tokio::test]
async fn the_name_of_a_temporary_file_is_nobody_elses() {
    let (dir, store) = local().await;
    let taken = dir.path().join(format!("files/incoming/{}-0.part", std::process::id()));
    std::fs::write(&taken, "of another process").unwrap();
    store.put(chunks(&[b"hello"]), LIMIT).await.unwrap();
    assert_eq!(std::fs::read_to_string(taken).unwrap(), "of another process");
}

#[test]
fn a_name_is_a_digest_and_nothing_else() {
    assert!(HELLO.parse::<Sha256Hex>().is_ok());
    let long = format!("{HELLO}0");
    let upper = HELLO.to_uppercase();
    let climbing = format!("../../{}", &HELLO[6..]);
    let wide = "é".repeat(32);
    for text in [
        "",
        "..",
        &HELLO[1..],
        &long,
        &upper,
        &climbing,
        &wide,
        &HELLO.replace('2', "/"),
        &HELLO.replace('2', "\0"),
    ] {
        assert!(text.parse::<Sha256Hex>().is_err(), "{text}");
        assert!(serde_json::from_value::<Sha256Hex>(text.into()).is_err());
    }
    let digest: [u8; 32] = Sha256::digest("hello").into();
    assert_eq!(Sha256Hex::from_digest(digest).as_str(), HELLO);
    assert_eq!(Sha256Hex::from_digest([0xf0; 32]).to_string(), "f0".repeat(32));
}

/// A zip archive as far as the recogniser reads it.
fn zip(names: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for name in names {
        bytes.extend_from_slice(b"PK\x03\x04");
        bytes.extend_from_slice(&[20; 26]);
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(&[0xff; 600]);
    }
    bytes
}

fn accepted() -> Vec<(Vec<u8>, MediaType)> {
    vec![
        (b"\xff\xd8\xff\xe0\0\x10JFIF".to_vec(), MediaType::Jpeg),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(), MediaType::Png),
        (b"RIFF\x24\0\0\0WEBPVP8 ".to_vec(), MediaType::Webp),
        (b"GIF89a\x01\0".to_vec(), MediaType::Gif),
        (b"%PDF-1.7\n%\xe2\xe3".to_vec(), MediaType::Pdf),
        (b"\0\0\0\x20ftypisom\0\0\x02\0".to_vec(), MediaType::Mp4),
        (
            zip(&[
                "[Content_Types].xml",
                "_rels/.rels",
                "docProps/app.xml",
                "docProps/core.xml",
                "word/document.xml",
            ]),
            MediaType::Docx,
        ),
        (zip(&["word/numbering.xml"]), MediaType::Docx),
        (zip(&["docProps/app.xml", "xl/workbook.xml", "[Content_Types].xml"]), MediaType::Xlsx),
        ("编号,名称\r\n1,\"垃圾\"\n\t\u{c}".as_bytes().to_vec(), MediaType::Text),
        (b"\xef\xbb\xbfa,b\n1,2\n".to_vec(), MediaType::Text),
    ]
}

#[test]
fn the_accepted_types_are_recognised() {
    for (bytes, expected) in accepted() {
        assert_eq!(sniff(&bytes), Some(expected), "{expected:?}");
        assert_eq!(MediaType::from_mime(expected.mime()), Some(expected));
    }
    assert!(MediaType::Png.is_image() && !MediaType::Pdf.is_image());
}

#[test]
fn everything_else_is_refused() {
    let mut late = zip(&["[Content_Types].xml", "word/document.xml"]);
    late.extend(std::iter::repeat_n(0x55, 200_000));
    late.extend_from_slice(b"word/vbaProject.bin");
    for bytes in [
        b"".to_vec(),
        b"\x89PNG".to_vec(),
        b"GIF\x01\0".to_vec(),
        b"12345678WEBP\0".to_vec(),
        b"\0%PDF-1.7".to_vec(),
        b"\0\0\0\x20ftypheic\0\0\x02\0".to_vec(),
        b"II*\0\0\0\0\0".to_vec(),
        b"BM\0\0\0\0".to_vec(),
        b"\x7fELF\x02\x01".to_vec(),
        b"MZ\x90\0\x03".to_vec(),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec(),
        b"\x1f\x8b\x08\0".to_vec(),
        b"PK\x05\x06".to_vec(),
        b"PK\x03\x04".to_vec(),
        zip(&["evil.exe", "word/document.xml"]),
        zip(&["[Content_Types].xml", "_rels/.rels", "ppt/presentation.xml"]),
        zip(&["META-INF/MANIFEST.MF", "a.class"]),
        zip(&["[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"]),
        late,
        b"<!DOCTYPE html>".to_vec(),
        b"  \n<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(),
        b"\xef\xbb\xbf<?xml version='1.0'?>".to_vec(),
        b"#!/bin/sh\n".to_vec(),
        b"a\x1b[31m".to_vec(),
        b"caf\xe9".to_vec(),
        b"\xed\xa0\x80".to_vec(),
        "截断".as_bytes().split_last().unwrap().1.to_vec(),
    ] {
        assert_eq!(
            sniff(&bytes),
            None,
            "{:?}",
            String::from_utf8_lossy(&bytes).chars().take(40).collect::<String>()
        );
    }
}

#[test]
fn text_is_checked_to_its_end() {
    let mut text = vec![b'a'; 300_000];
    assert_eq!(sniff(&text), Some(MediaType::Text));
    text.push(0);
    assert_eq!(sniff(&text), None);
}

proptest! {
    #[test]
    fn the_cut_into_chunks_makes_no_difference(index in 0..64_usize, step in 1..7_usize) {
        let mut all = accepted();
        all.push((zip(&["word/document.xml", "word/vbaProject.bin"]), MediaType::Docx));
        let (bytes, _) = &all[index % all.len()];
        let mut sniffer = media::Sniffer::default();
        for chunk in bytes.chunks(step) {
            sniffer.feed(chunk);
        }
        prop_assert_eq!(sniffer.finish(), sniff(bytes));
    }

    #[test]
    fn no_bytes_make_the_recogniser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = sniff(&bytes);
        let _ = sniff(&[b"PK\x03\x04", bytes.as_slice()].concat());
    }
}

/// As much of S3 as the library speaks: objects, and uploads in parts.
#[derive(Clone, Default)]
struct FakeS3(Arc<Mutex<FakeState>>);

#[derive(Default)]
struct FakeState {
    objects: HashMap<String, Vec<u8>>,
    parts: HashMap<String, Vec<u8>>,
    log: Vec<String>,
    failing: bool,
}

impl Respond for FakeS3 {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut state = self.0.lock().unwrap();
        let key = request.url.path().to_owned();
        let query: HashMap<_, _> = request.url.query_pairs().into_owned().collect();
        let method = request.method.to_string();
        state.log.push(format!("{method} {key}?{}", request.url.query().unwrap_or_default()));
        let signed = request
            .headers
            .get("authorization")
            .is_some_and(|value| value.to_str().unwrap().starts_with("AWS4-HMAC-SHA256 Credential=access/"));
        if !signed {
            return ResponseTemplate::new(403);
        }
        if state.failing && method != "HEAD" && method != "DELETE" {
            return ResponseTemplate::new(403);
        }
        let xml = |body: &str| ResponseTemplate::new(200).set_body_string(body.to_owned());
        let object = |bytes: &Vec<u8>| {
            ResponseTemplate::new(200)
                .insert_header("etag", "\"tag\"")
                .insert_header("last-modified", "Wed, 01 Jan 2025 00:00:00 GMT")
                .set_body_bytes(bytes.clone())
        };
        match (
            method.as_str(),
            query.get("partNumber"),
            query.contains_key("uploads"),
            query.contains_key("uploadId"),
        ) {
            ("PUT", Some(number), ..) => {
                state.parts.insert(number.clone(), request.body.clone());
                ResponseTemplate::new(200).insert_header("etag", format!("\"{number}\"").as_str())
            }
            ("PUT", None, ..) => {
                state.objects.insert(key, request.body.clone());
                ResponseTemplate::new(200).insert_header("etag", "\"tag\"")
            }
            ("POST", _, true, _) => {
                xml("<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>")
            }
            ("POST", _, _, true) => {
                let whole = (1..=state.parts.len())
                    .flat_map(|number| state.parts[&number.to_string()].clone())
                    .collect();
                state.objects.insert(key, whole);
                xml("<CompleteMultipartUploadResult><ETag>\"tag\"</ETag></CompleteMultipartUploadResult>")
            }
            ("DELETE", _, _, true) => {
                state.parts.clear();
                ResponseTemplate::new(204)
            }
            ("DELETE", ..) => {
                state.objects.remove(&key);
                ResponseTemplate::new(204)
            }
            ("HEAD" | "GET", ..) => {
                state.objects.get(&key).map_or_else(|| ResponseTemplate::new(404), object)
            }
            _ => ResponseTemplate::new(400),
        }
    }
}

fn s3_settings(endpoint: &str) -> S3Settings {
    serde_json::from_value(serde_json::json!({
        "endpoint": endpoint, "bucket": "evidence", "access_key": "access", "secret_key": "top-secret",
        "prefix": "town", "allow_http": true, "allow": ["127.0.0.0/8"],
    }))
    .unwrap()
}

async fn remote() -> (TempDir, MockServer, FakeS3, Store) {
    let dir = TempDir::new().unwrap();
    let server = MockServer::start().await;
    let fake = FakeS3::default();
    Mock::given(matchers::any()).respond_with(fake.clone()).mount(&server).await;
    let settings = Settings { folder: dir.path().to_path_buf(), s3: Some(s3_settings(&server.uri())) };
    let store = Store::open(&settings).await.unwrap();
    (dir, server, fake, store)
}

#[tokio::test]
async fn object_storage_keeps_a_small_file() {
    let (dir, _server, fake, store) = remote().await;
    let stored = store.put(chunks(&[b"hello"]), LIMIT).await.unwrap();
    assert!(fake.0.lock().unwrap().objects.contains_key(&format!("/evidence/town/2c/f2/{HELLO}")));
    assert!(store.exists(&stored.sha256).await.unwrap());
    assert_eq!(content(&store, &stored.sha256).await.unwrap(), b"hello");
    store.put(chunks(&[b"hello"]), LIMIT).await.unwrap();
    let puts = fake.0.lock().unwrap().log.iter().filter(|line| line.starts_with("PUT")).count();
    assert_eq!(puts, 1, "what is there is not sent again");
    assert!(matches!(store.put(chunks(&[b"hello"]), 4).await, Err(Error::TooLarge { .. })));
    store.remove(&stored.sha256).await.unwrap();
    assert!(!store.exists(&stored.sha256).await.unwrap());
    assert!(matches!(store.get(&stored.sha256).await, Err(Error::NotFound)));
    assert!(files(dir.path()).is_empty());
}

#[tokio::test]
async fn object_storage_takes_a_large_file_in_parts() {
    let (dir, _server, fake, store) = remote().await;
    let text: Vec<u8> = (0..11_000_000_u32).map(|number| b'a' + u8::try_from(number % 23).unwrap()).collect();
    let stored = store.put(chunks(&text.chunks(100_000).collect::<Vec<_>>()), 20_000_000).await.unwrap();
    assert_eq!(fake.0.lock().unwrap().parts.len(), 3);
    assert!(content(&store, &stored.sha256).await.unwrap() == text);
    assert!(files(dir.path()).is_empty());
}

#[tokio::test]
async fn a_failing_object_storage_leaves_no_trace() {
    let (dir, _server, fake, store) = remote().await;
    fake.0.lock().unwrap().failing = true;
    let error = store.put(chunks(&[b"hello"]), LIMIT).await.unwrap_err();
    assert!(matches!(&error, Error::Bucket(reason) if !reason.contains("top-secret")), "{error}");
    assert!(files(dir.path()).is_empty());
    assert!(fake.0.lock().unwrap().objects.is_empty());
}

#[tokio::test]
async fn object_storage_is_reached_only_through_the_outbound_walls() {
    let dir = TempDir::new().unwrap();
    let open = async |change: fn(&mut S3Settings)| {
        let mut s3 = s3_settings("http://127.0.0.1:9");
        change(&mut s3);
        Store::open(&Settings { folder: dir.path().to_path_buf(), s3: Some(s3) }).await
    };
    assert!(open(|_| {}).await.is_ok());
    assert!(matches!(open(|s3| s3.allow.clear()).await, Err(Error::Settings(_))));
    assert!(matches!(open(|s3| s3.allow_http = false).await, Err(Error::Settings(_))));
    assert!(matches!(open(|s3| s3.prefix = "../up".into()).await, Err(Error::Settings(_))));
    let walled = open(|s3| {
        s3.allow.clear();
        s3.endpoint = "http://localhost:9".into();
    });
    let error = walled.await.unwrap().exists(&HELLO.parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, Error::Bucket(_)), "{error}");
}

#[test]
fn settings_print_no_secret_and_refuse_unknown_keys() {
    let settings = Settings { folder: "files".into(), s3: Some(s3_settings("https://s3.example")) };
    let text = format!("{settings:?}");
    assert!(text.contains("***") && !text.contains("top-secret"));
    assert!(serde_json::from_str::<Settings>(r#"{"folder":"a","s4":{}}"#).is_err());
}
