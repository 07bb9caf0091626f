//! Files over HTTP: one received as the raw body of a request, one handed out as an attachment. Who may do so is
//! `domain::file`'s; routes and credentials are the door's.

use std::{collections::HashMap, fmt::Write as _};

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{StatusCode, header},
    web,
};
use concord_entities::id::StoredFileId;
use futures_util::TryStreamExt;
use serde_json::json;

use crate::{
    domain::{Code, Ctx, Error, Result, file},
    graphql::id,
    messages,
};

/// The header without which no upload is taken: a page of another origin cannot send it unasked.
pub const UPLOAD_HEADER: &str = "X-Concord-Upload";
/// The query parameter that names the file.
const NAME: &str = "name";
/// What a browser may do with a file that it opens after all: nothing.
pub(super) const SANDBOX: &str = "sandbox; default-src 'none'";
/// Characters that stand for themselves in an extended header value (RFC 5987).
const PLAIN: &[u8] = b"!#$&+-.^_`|~";

/// `POST /files?name=…`: receives the raw body; answers 201 with the file's id.
pub async fn upload(ctx: Ctx, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    match receive(&ctx, &request, payload).await {
        Ok(answer) => answer,
        Err(error) => refuse(&ctx, &error),
    }
}

async fn receive(ctx: &Ctx, request: &HttpRequest, payload: web::Payload) -> Result<HttpResponse> {
    ctx.require_signed_in()?;
    if request.headers().get(UPLOAD_HEADER).is_none_or(|value| value != "1") {
        return Err(Error::refused(Code::UploadHeaderMissing));
    }
    // Told in advance: spares both sides the transfer. What is not told is counted as it comes.
    let told =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let most = ctx.app.config.files.max_bytes;
    if told.is_some_and(|told: u64| told > most) {
        return Err(Error::refused(Code::FileTooLarge).with("most", most));
    }
    let query = web::Query::<Vec<(String, String)>>::from_query(request.query_string())
        .map_err(|_| Error::invalid(Code::Malformed, NAME).with("expected", "?name=photo.jpg"))?;
    let name = query.iter().find(|(key, _)| key == NAME).map(|(_, value)| value.as_str());
    let file = file::receive(ctx, payload.map_err(|error| error.to_string()), name).await?;
    Ok(HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).json(json!({
        "id": id::encode(file.id),
        "sha256": file.sha256,
        "size": file.size,
        "mediaType": file.media_type,
        "name": file.name,
        "expiresAt": file.expires_at,
    })))
}

/// `GET /files/{id}`: hands a file out as an attachment.
pub async fn download(ctx: Ctx, path: web::Path<String>) -> HttpResponse {
    match open(&ctx, &path).await {
        Ok(answer) => answer,
        Err(error) => refuse(&ctx, &error),
    }
}

async fn open(ctx: &Ctx, id: &str) -> Result<HttpResponse> {
    ctx.require_signed_in()?;
    let id: StoredFileId = id::decode(&id.into(), "id").map_err(|_| Error::NotFound("stored_file"))?;
    let opened = file::open(ctx, id).await?;
    let request_id = ctx.request_id.clone();
    let chunks = opened.download.chunks.inspect_err(move |error| {
        // The head is on its way already: cutting the body short is all that is left.
        tracing::error!(request.id = %request_id, error = %error, "a file could not be read to its end");
    });
    Ok(guarded(HttpResponse::Ok())
        .content_type(file::served_as(&opened.media_type))
        .insert_header((header::CONTENT_DISPOSITION, disposition(&opened.name)))
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .no_chunking(opened.download.size)
        .streaming(chunks))
}

/// Headers that keep a browser from running what it gets.
pub(super) fn guarded(mut answer: HttpResponseBuilder) -> HttpResponseBuilder {
    answer
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CONTENT_SECURITY_POLICY, SANDBOX))
        .insert_header(("Cross-Origin-Resource-Policy", "same-origin"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"));
    answer
}

/// An attachment under a name: once in plain letters, once as it is.
pub(super) fn disposition(name: &str) -> String {
    let plain = |character: char| {
        if character.is_ascii_alphanumeric() || "._-".contains(character) { character } else { '_' }
    };
    let ascii: String = name.chars().map(plain).collect();
    let mut extended = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || PLAIN.contains(&byte) {
            extended.push(char::from(byte));
        } else {
            write!(extended, "%{byte:02X}").expect("writing to a string does not fail");
        }
    }
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{extended}")
}

/// A failure in the shape that GraphQL errors have.
pub(super) fn refuse(ctx: &Ctx, error: &Error) -> HttpResponse {
    if error.is_failure() {
        tracing::error!(request.id = %ctx.request_id, error = ?error, "a file request failed");
    }
    let code = error.code();
    let told = [("code", Some(code.text())), ("requestId", Some(&*ctx.request_id)), ("field", error.field())];
    let told = told.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let extensions: HashMap<&str, &str> = told.collect();
    guarded(HttpResponse::build(status(code))).insert_header((header::CACHE_CONTROL, "no-store")).json(
        json!({
            "errors": [{
                "message": messages::of(error, ctx.locale),
                "extensions": extensions,
            }],
        }),
    )
}

fn status(code: Code) -> StatusCode {
    match code {
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::Forbidden | Code::UploadHeaderMissing => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::FileTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::FileTypeRefused => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::PictureUnreadable => StatusCode::UNPROCESSABLE_ENTITY,
        Code::TooManyFiles => StatusCode::TOO_MANY_REQUESTS,
        Code::FontMissing => StatusCode::NOT_IMPLEMENTED,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Code::Unavailable | Code::OutcomeUnknown => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_break_out_of_its_header() {
        assert_eq!(
            disposition("照片 1.jpg"),
            "attachment; filename=\"___1.jpg\"; filename*=UTF-8''%E7%85%A7%E7%89%87%201.jpg"
        );
        assert_eq!(disposition("a\"\r\nb"), "attachment; filename=\"a___b\"; filename*=UTF-8''a%22%0D%0Ab");
    }
}
