//! GraphiQL's page as `make web` built it and the binary embeds it: content types, validators, caching and the page's
//! security headers. Knows no GraphQL, serves no folder of the machine, and decides nothing about who may look.

use std::{borrow::Cow, collections::HashMap, sync::LazyLock};

use actix_web::{HttpRequest, HttpResponse, guard, http::header, web};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rust_embed::{Embed, EmbeddedFile};

/// The start page's name within the embedded folder.
const INDEX: &str = "index.html";
/// Every file in this folder carries its content's hash in its name.
const HASHED_FOLDER: &str = "assets/";
const CACHE_FOREVER: &str = "public, max-age=31536000, immutable";
const CACHE_REVALIDATE: &str = "no-cache";
/// Only this origin. The editor writes its own styles inline and draws its squiggles from data URLs; no script does either.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; \
     style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const NOT_BUILT: &str = "<!doctype html>
<html lang=\"zh-CN\">
<meta charset=\"utf-8\">
<title>Concord 合治 · GraphiQL</title>
<h1>GraphiQL 尚未构建</h1>
<p>本程序构建时没有 Node.js，因此不含 GraphiQL 页面；其余功能不受影响。安装 Node.js（20.19 及以上或 22.12 及以上）后，
在源码目录运行 <code>make web</code>，再重新构建并启动本程序。GraphQL 接口在 <code>/graphql</code>，模式在
<a href=\"/schema.graphql\"><code>/schema.graphql</code></a>。</p>
<h1 lang=\"en\">GraphiQL is not built</h1>
<p lang=\"en\">This binary was built without Node.js, so it holds no GraphiQL; everything else works. Install Node.js (20.19 or
later, or 22.12 or later), run <code>make web</code> in the source folder, then build and start Concord again. The GraphQL
endpoint is <code>/graphql</code>, the schema is <a href=\"/schema.graphql\"><code>/schema.graphql</code></a>.</p>
</html>
";

#[derive(Embed)]
#[folder = "../web/dist"]
#[allow_missing = true]
struct Page;

/// One embedded file with the headers that never change.
struct Asset {
    body: web::Bytes,
    content_type: String,
    etag: String,
    cache: &'static str,
}

impl Asset {
    fn new(path: &str, file: EmbeddedFile) -> Self {
        let content_type = match file.metadata.mimetype() {
            text if text.starts_with("text/") => format!("{text}; charset=utf-8"),
            other => other.to_owned(),
        };
        let tag = URL_SAFE_NO_PAD.encode(file.metadata.sha256_hash());
        Self {
            // Borrowed from the binary itself where it is embedded, so serving it costs no memory.
            body: match file.data {
                Cow::Borrowed(bytes) => web::Bytes::from_static(bytes),
                Cow::Owned(bytes) => web::Bytes::from(bytes),
            },
            content_type,
            etag: format!("\"{tag}\""),
            cache: if path.starts_with(HASHED_FOLDER) { CACHE_FOREVER } else { CACHE_REVALIDATE },
        }
    }
}

type Assets = HashMap<String, Asset>;

static ASSETS: LazyLock<Assets> = LazyLock::new(|| {
    Page::iter()
        .filter_map(|path| Page::get(&path).map(|file| (path.to_string(), Asset::new(&path, file))))
        .collect()
});

/// Mounts `/graphiql` and the files below it.
pub fn configure(config: &mut web::ServiceConfig) {
    let reads = || web::route().guard(guard::Any(guard::Get()).or(guard::Head()));
    config
        .service(web::resource(["/graphiql", "/graphiql/"]).route(reads().to(index)))
        .service(web::resource("/graphiql/{path:.+}").route(reads().to(file)));
}

async fn index(request: HttpRequest) -> HttpResponse {
    answer(&request, &ASSETS, INDEX)
}

async fn file(request: HttpRequest, path: web::Path<String>) -> HttpResponse {
    answer(&request, &ASSETS, &path)
}

fn answer(request: &HttpRequest, assets: &Assets, path: &str) -> HttpResponse {
    let Some(asset) = assets.get(path) else { return missing(assets) };
    let current = is_current(request, &asset.etag);
    let mut response = if current { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((header::ETAG, asset.etag.as_str()))
        .insert_header((header::CACHE_CONTROL, asset.cache))
        .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    if current {
        response.finish()
    } else {
        response.content_type(asset.content_type.as_str()).body(asset.body.clone())
    }
}

/// The page that says how to get GraphiQL, or a bare refusal when GraphiQL is there and the file is not one of its.
fn missing(assets: &Assets) -> HttpResponse {
    let body = if assets.contains_key(INDEX) { "" } else { NOT_BUILT };
    HttpResponse::NotFound()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .content_type("text/html; charset=utf-8")
        .body(body)
}

/// Whether the client already holds this content; a proxy that compresses may have weakened the tag it repeats.
fn is_current(request: &HttpRequest, etag: &str) -> bool {
    request
        .headers()
        .get_all(header::IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

#[cfg(test)]
mod tests {
    use actix_web::{
        App,
        body::to_bytes,
        http::StatusCode,
        test::{TestRequest, call_service, init_service, read_body},
    };

    use super::*;

    fn built() -> Assets {
        let asset = |body: &'static str, etag: &str, kind: &str, cache| Asset {
            body: web::Bytes::from_static(body.as_bytes()),
            content_type: kind.to_owned(),
            etag: etag.to_owned(),
            cache,
        };
        HashMap::from([
            (INDEX.to_owned(), asset("<p>page", "\"aa\"", "text/html; charset=utf-8", CACHE_REVALIDATE)),
            (
                "assets/a-1.js".to_owned(),
                asset("run()", "\"bb\"", "text/javascript; charset=utf-8", CACHE_FOREVER),
            ),
        ])
    }

    fn ask(assets: &Assets, path: &str, if_none_match: Option<&str>) -> HttpResponse {
        let mut request = TestRequest::get();
        if let Some(tag) = if_none_match {
            request = request.insert_header((header::IF_NONE_MATCH, tag));
        }
        answer(&request.to_http_request(), assets, path)
    }

    fn text<'a>(response: &'a HttpResponse, name: &str) -> &'a str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[test]
    fn a_hashed_file_is_kept_forever_and_the_page_is_asked_for_again() {
        let page = ask(&built(), INDEX, None);
        assert_eq!((page.status(), text(&page, "cache-control")), (StatusCode::OK, "no-cache"));
        assert_eq!(text(&page, "content-type"), "text/html; charset=utf-8");
        assert_eq!(text(&page, "etag"), "\"aa\"");
        assert_eq!(text(&page, "x-content-type-options"), "nosniff");
        let policy = text(&page, "content-security-policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("http"), "{policy}");

        let script = ask(&built(), "assets/a-1.js", None);
        assert_eq!(text(&script, "cache-control"), CACHE_FOREVER);
    }

    #[actix_web::test]
    async fn a_known_tag_saves_the_body() {
        for tag in ["\"aa\"", "W/\"aa\"", "\"x\", \"aa\"", "*"] {
            let response = ask(&built(), INDEX, Some(tag));
            assert_eq!(
                (response.status(), text(&response, "etag")),
                (StatusCode::NOT_MODIFIED, "\"aa\""),
                "{tag}"
            );
            assert!(to_bytes(response.into_body()).await.unwrap().is_empty());
        }
        assert_eq!(ask(&built(), INDEX, Some("\"bb\"")).status(), StatusCode::OK);
    }

    #[actix_web::test]
    async fn without_a_built_page_both_languages_say_how_to_get_it() {
        let response = ask(&Assets::new(), INDEX, None);
        assert_eq!(
            (response.status(), text(&response, "cache-control")),
            (StatusCode::NOT_FOUND, "no-store")
        );
        let body = String::from_utf8(to_bytes(response.into_body()).await.unwrap().to_vec()).unwrap();
        assert!(
            body.contains("make web") && body.contains("尚未构建") && body.contains("not built"),
            "{body}"
        );
    }

    #[test]
    fn a_name_outside_the_page_is_not_found() {
        for path in ["assets/none.js", "../Cargo.toml", "", "assets/"] {
            assert_eq!(ask(&built(), path, None).status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[actix_web::test]
    async fn the_mounted_page_loads_only_what_is_embedded() {
        let app = init_service(App::new().configure(configure)).await;
        let response = call_service(&app, TestRequest::get().uri("/graphiql").to_request()).await;
        let is_built = response.status() == StatusCode::OK;
        let body = String::from_utf8(read_body(response).await.to_vec()).unwrap();
        assert!(is_built || body.contains("make web"), "{body}");
        assert!(!body.contains("http://") && !body.contains("https://"), "{body}");

        let referenced = body.split('"').filter(|part| part.starts_with("/graphiql/"));
        let mut scripts = 0;
        for path in referenced {
            let response = call_service(&app, TestRequest::get().uri(path).to_request()).await;
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            scripts += usize::from(path.contains("/assets/"));
        }
        assert!(!is_built || scripts > 0, "{body}");

        let refused = call_service(&app, TestRequest::post().uri("/graphiql").to_request()).await;
        assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}
