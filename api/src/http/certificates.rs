//! Certificates over HTTP: to print as PDF, or as the signed JSON document. What stands in them is `domain::list::certificate`'s;
//! routes and credentials are the door's.

use actix_web::{HttpResponse, http::header, web};
use concord_entities::id::ProblemId;

use super::files;
use crate::{
    domain::{Ctx, Error, Result, list::certificate},
    graphql::id,
};

/// `GET /certificates/{id of a problem}.{pdf|json}`.
pub async fn download(ctx: Ctx, path: web::Path<String>) -> HttpResponse {
    match open(&ctx, &path).await {
        Ok(answer) => answer,
        Err(error) => files::refuse(&ctx, &error),
    }
}

async fn open(ctx: &Ctx, name: &str) -> Result<HttpResponse> {
    ctx.require_signed_in()?;
    let missing = || Error::NotFound("certificate");
    let (problem, form) = name.rsplit_once('.').ok_or_else(missing)?;
    let problem: ProblemId = id::decode(&problem.into(), "id").map_err(|_| missing())?;
    let (media, issued) = match form {
        "pdf" => ("application/pdf", certificate::issue_printed(ctx, problem).await?),
        "json" => ("application/json", certificate::issue(ctx, problem).await?),
        _ => return Err(missing()),
    };
    let name = format!("销号证明 {}.{form}", issued.number);
    Ok(files::guarded(HttpResponse::Ok())
        .content_type(media)
        .insert_header((header::CONTENT_DISPOSITION, files::disposition(&name)))
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .body(issued.document))
}
