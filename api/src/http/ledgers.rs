//! Ledgers over HTTP: as CSV to keep, or as a page to print; read and sent page by page. What stands in them is
//! `domain::ledger`'s; routes and credentials are the door's.

use std::sync::LazyLock;

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use base64::{Engine, engine::general_purpose::STANDARD};
use concord_entities::id::AllianceId;
use futures_util::{Stream, stream};
use sha2::{Digest, Sha256};

use super::files;
use crate::{
    domain::{
        Code, Ctx, Error, Result,
        ledger::{self, Kind, Ledger, Place, Span},
    },
    graphql::id,
};

/// What a browser may do with a printed page: apply its own style, and nothing else.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let style = STANDARD.encode(Sha256::digest(ledger::STYLE));
    format!(
        "sandbox; default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    )
});

/// As what a ledger is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Csv,
    Html,
}

/// `GET /ledgers/{problems|tasks|rotation}.{csv|html}?allianceId=…&year=2026` or `&month=2026-01`.
pub async fn download(ctx: Ctx, request: HttpRequest, path: web::Path<String>) -> HttpResponse {
    match open(&ctx, &request, &path).await {
        Ok(answer) => answer,
        Err(error) => files::refuse(&ctx, &error),
    }
}

async fn open(ctx: &Ctx, request: &HttpRequest, name: &str) -> Result<HttpResponse> {
    ctx.require_signed_in()?;
    let (kind, form) = which(name).ok_or(Error::NotFound("ledger"))?;
    let (alliance, span) = asked(request.query_string(), kind)?;
    let ledger = Ledger::open(ctx, kind, alliance, span).await?;
    // The first rows are read before anything is sent, so that a failure is told as one.
    let first = ledger.rows(ctx, Place::default()).await?;
    let title = ledger.title();
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header(("Cross-Origin-Resource-Policy", "same-origin"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::CACHE_CONTROL, "private, no-store"));
    match form {
        Form::Csv => answer
            .content_type("text/csv; charset=utf-8")
            .insert_header((header::CONTENT_SECURITY_POLICY, files::SANDBOX))
            .insert_header((header::CONTENT_DISPOSITION, files::disposition(&format!("{title}.csv")))),
        Form::Html => answer
            .content_type("text/html; charset=utf-8")
            .insert_header((header::CONTENT_SECURITY_POLICY, POLICY.as_str())),
    };
    Ok(answer.streaming(body(ctx.clone(), ledger, form, first)))
}

fn which(name: &str) -> Option<(Kind, Form)> {
    let (kind, form) = name.split_once('.')?;
    let kind = match kind {
        "problems" => Kind::Problems,
        "tasks" => Kind::Tasks,
        "rotation" => Kind::Rotation,
        _ => return None,
    };
    match form {
        "csv" => Some((kind, Form::Csv)),
        "html" => Some((kind, Form::Html)),
        _ => None,
    }
}

/// The alliance and the span that a query string names.
fn asked(query: &str, kind: Kind) -> Result<(AllianceId, Span)> {
    let malformed = |field: &'static str, expected: &str| {
        Error::invalid(Code::Malformed, field).with("expected", expected)
    };
    let query = web::Query::<Vec<(String, String)>>::from_query(query)
        .map_err(|_| malformed("query", "?allianceId=…&year=2026"))?;
    let value = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    if let Some((unknown, _)) =
        query.iter().find(|(key, _)| !["allianceId", "year", "month"].contains(&key.as_str()))
    {
        return Err(
            Error::invalid(Code::Malformed, unknown.clone()).with("expected", "allianceId, year, month")
        );
    }
    if let Some(twice) = query
        .iter()
        .enumerate()
        .find_map(|(at, (name, _))| query.iter().take(at).any(|(before, _)| before == name).then_some(name))
    {
        return Err(Error::invalid(Code::ParameterRepeated, twice.clone()));
    }
    let alliance = value("allianceId").ok_or_else(|| Error::invalid(Code::Required, "allianceId"))?;
    let alliance = id::decode(&alliance.into(), "allianceId")?;
    let span = match (value("year"), value("month")) {
        (Some(year), None) if kind != Kind::Tasks => {
            Span::Year(year.parse().map_err(|_| malformed("year", "2026"))?)
        }
        (None, Some(month)) => {
            let first = format!("{month}-01").parse().map_err(|_| malformed("month", "2026-01"))?;
            Span::Month(first)
        }
        (None, None) => return Err(Error::invalid(Code::Required, "month")),
        _ => return Err(malformed("month", "month=2026-01")),
    };
    Ok((alliance, span))
}

/// What is still to be sent of a ledger.
struct Rest {
    ctx: Ctx,
    ledger: Ledger,
    form: Form,
    /// What is ready.
    piece: Vec<u8>,
    /// Where to read on; nothing once all has been read.
    next: Option<Place>,
    is_ended: bool,
}

/// The ledger in pieces: its head with the first rows, and the others as they are read.
fn body(
    ctx: Ctx,
    ledger: Ledger,
    form: Form,
    (rows, next): ledger::Rows,
) -> impl Stream<Item = std::result::Result<web::Bytes, std::io::Error>> {
    let mut piece = match form {
        Form::Csv => {
            let mut head = "\u{feff}".as_bytes().to_vec();
            head.extend(ledger::csv_line(ledger.kind.titles().iter().copied()));
            head
        }
        Form::Html => ledger::html_head(&ledger.title(), ledger.kind.titles()).into_bytes(),
    };
    piece.extend(rendered(form, &rows));
    stream::try_unfold(Rest { ctx, ledger, form, piece, next, is_ended: false }, |mut rest| async move {
        if rest.is_ended {
            return Ok(None);
        }
        let mut piece = std::mem::take(&mut rest.piece);
        if piece.is_empty()
            && let Some(place) = rest.next.take()
        {
            let (rows, next) = rest.ledger.rows(&rest.ctx, place).await.map_err(|error| {
                // The head is on its way already: cutting the body short is all that is left.
                tracing::error!(request.id = %rest.ctx.request_id, error = ?error, "a ledger could not be read to its end");
                std::io::Error::other("the ledger could not be read to its end")
            })?;
            piece = rendered(rest.form, &rows);
            rest.next = next;
        }
        if rest.next.is_none() {
            rest.is_ended = true;
            if rest.form == Form::Html {
                piece.extend(ledger::HTML_END.as_bytes());
            }
        }
        Ok(Some((web::Bytes::from(piece), rest)))
    })
}

fn rendered(form: Form, rows: &[Vec<String>]) -> Vec<u8> {
    rows.iter()
        .flat_map(|row| match form {
            Form::Csv => ledger::csv_line(row.iter().map(String::as_str)),
            Form::Html => ledger::html_row(row).into_bytes(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_ledger_is_asked_by_is_told_apart() {
        assert_eq!(which("problems.csv"), Some((Kind::Problems, Form::Csv)));
        assert_eq!(which("rotation.html"), Some((Kind::Rotation, Form::Html)));
        assert_eq!((which("problems.pdf"), which("people.csv"), which("tasks")), (None, None, None));
        let alliance = id::encode(AllianceId(uuid::Uuid::nil()));
        let of = |query: &str| asked(&format!("allianceId={}&{query}", alliance.as_str()), Kind::Problems);
        assert_eq!(of("year=2026").expect("a year").1, Span::Year(2026));
        let first = chrono::NaiveDate::from_ymd_opt(2026, 2, 1).expect("a day");
        assert_eq!(of("month=2026-02").expect("a month").1, Span::Month(first));
        for (query, code, field) in [
            ("", "REQUIRED", "month"),
            ("year=x", "MALFORMED", "year"),
            ("month=2026-13", "MALFORMED", "month"),
            ("year=2026&month=2026-01", "MALFORMED", "month"),
            ("year=2026&format=x", "MALFORMED", "format"),
            ("year=2026&year=2025", "PARAMETER_REPEATED", "year"),
            ("year=2026&allianceId=x", "PARAMETER_REPEATED", "allianceId"),
        ] {
            let error = of(query).expect_err("it is refused");
            assert_eq!((error.code().text(), error.field()), (code, Some(field)), "{query}");
        }
        assert!(asked("year=2026", Kind::Problems).is_err());
    }
}
