//! The certificate on paper, in Chinese and English: a PDF that carries the signed document, with a signature over the whole file,
//! so that what is read on it is what was certified. Pure but for the thread it works on and the key.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use super::{Certificate, Document, Unit, paper, paper::Paper};
use crate::domain::{
    Ctx, Error, Result,
    chain::proof::{Fault, hex},
    identity::signing::{PublicKeys, Signed},
};

/// What keeps a signature under a file from being taken for anything else.
const PURPOSE: &str = "strike-off-certificate-pdf";
/// The line that holds the signature over the rest of the file: to PDF, a comment.
const SIGNATURE: &str = "%concord-signature ";
/// What the line stands in front of.
const END: &[u8] = b"startxref\n";
/// How the attached document begins.
const BEGIN: &[u8] = b"{\"certificate\":{\"form\":\"";
/// Name of the attached document.
const ATTACHED: &str = "strike-off-certificate.json";
/// Most hashes of links that are printed; of more, those at both ends.
const LINKS: usize = 200;
/// Sizes of letters.
const TITLE: f32 = 20.0;
const TEXT: f32 = 10.0;
const SMALL: f32 = 8.0;
/// Where texts begin beside their labels.
const LEFT: f32 = 150.0;

/// Setting a page in a font of 30 000 signs takes memory, so only one is set at a time.
static ONE_AT_A_TIME: Semaphore = Semaphore::const_new(1);

/// Prints a signed document.
pub async fn print(ctx: &Ctx, document: Vec<u8>) -> Result<Vec<u8>> {
    let permit = ONE_AT_A_TIME.acquire().await.map_err(Error::internal)?;
    let printed = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        set(document)
    });
    let mut file = printed.await.map_err(Error::internal)??;
    let Signed { kid, signature } =
        ctx.app.identity.keys.sign_for(PURPOSE, &file).map_err(Error::internal)?;
    let end = last(&file, END).ok_or_else(|| Error::internal("a PDF has no end"))?;
    file.splice(end..end, line(&kid, &signature).into_bytes());
    Ok(file)
}

fn line(kid: &str, signature: &str) -> String {
    format!("{SIGNATURE}{kid} {signature}\n")
}

/// Where the last of these stands.
fn last(file: &[u8], what: &[u8]) -> Option<usize> {
    file.windows(what.len()).rposition(|window| window == what)
}

pub fn is_pdf(document: &[u8]) -> bool {
    document.starts_with(b"%PDF-")
}

/// The signed document that a PDF carries, once the signature over the whole of it fits.
pub fn read<'file>(file: &'file [u8], keys: &PublicKeys) -> std::result::Result<&'file [u8], Fault> {
    let at = last(file, SIGNATURE.as_bytes()).ok_or(Fault::Forged)?;
    let (before, rest) = file.split_at(at);
    let length = rest.iter().position(|byte| *byte == b'\n').ok_or(Fault::Forged)? + 1;
    let (signed, after) = rest.split_at(length);
    let said = std::str::from_utf8(signed).map_err(|_| Fault::Forged)?;
    let mut words = said.trim_start_matches(SIGNATURE).trim_end().split(' ');
    let (Some(kid), Some(signature)) = (words.next(), words.next()) else { return Err(Fault::Forged) };
    // Nothing else hides in the one line that no signature covers.
    let is_plain = |word: &str| URL_SAFE_NO_PAD.decode(word).is_ok();
    if !is_plain(kid) || !is_plain(signature) || said != line(kid, signature) {
        return Err(Fault::Forged);
    }
    let (kid, signature) = (kid.to_owned(), signature.to_owned());
    if !keys.verify_for(PURPOSE, &[before, after].concat(), &Signed { kid, signature }) {
        return Err(Fault::Forged);
    }
    let begins = before.windows(BEGIN.len()).position(|window| window == BEGIN).ok_or(Fault::Unreadable)?;
    let mut found =
        serde_json::Deserializer::from_slice(before.split_at(begins).1).into_iter::<&'file RawValue>();
    match found.next() {
        Some(Ok(document)) => Ok(document.get().as_bytes()),
        _ => Err(Fault::Unreadable),
    }
}

/// Sets a certificate; the same one gives the same bytes.
fn set(document: Vec<u8>) -> Result<Vec<u8>> {
    let Document { certificate, kid, signature } =
        serde_json::from_slice(&document).map_err(Error::internal)?;
    let said: Certificate = serde_json::from_str(certificate.get()).map_err(Error::internal)?;
    let mut paper = Paper::new()?;
    let times = Times(said.time_zone.as_deref().and_then(|zone| zone.parse().ok()).unwrap_or(Tz::UTC));
    head(&mut paper, &said, times);
    evidence(&mut paper, &said, times);
    chain(&mut paper, &said, times);
    paper.gap(TEXT);
    paper.paragraph("签名 Signature", TEXT + 2.0);
    let digest = hex(&Sha256::digest(&document));
    row(&mut paper, "签发 Issued", &times.tell(said.issued_at));
    row(&mut paper, "附件 Attached", ATTACHED);
    small(&mut paper, "附件 SHA-256 of it", &digest);
    small(&mut paper, "密钥 Key", &kid);
    small(&mut paper, "签名 Signature", &signature);
    paper.gap(TEXT);
    paper.paragraph(
        &format!(
            "本证明附有签名的原始数据({ATTACHED})，整个文件另有签名。凭本文件和平台在 /.well-known/jwks.json 公布的公钥，无需联网、无需平台即可核验；字库中没有的字以〓代替，以附件为准。"
        ),
        SMALL,
    );
    paper.paragraph(
        "This file carries the signed document, and is signed as a whole. Whoever has it and the platform's published keys checks both \
         offline: a change anywhere is found. A character that the font lacks is printed as 〓; the attached document has it.",
        SMALL,
    );
    paper.paragraph("concord verify --certificate certificate.pdf --keys jwks.json", SMALL);
    let number = said.number.clone();
    let about = paper::About {
        title: format!("销号证明 Strike-off certificate {number}"),
        creator: "Concord".to_owned(),
        issued_at: said.issued_at,
        attached: (
            ATTACHED.to_owned(),
            "application/json",
            "The signed document that these pages show".to_owned(),
            document,
        ),
    };
    paper.finish(about, |page, of| format!("{number}    第 {page} 页，共 {of} 页    Page {page} of {of}"))
}

fn head(paper: &mut Paper, said: &Certificate, times: Times) {
    paper.centred("销 号 证 明", TITLE);
    paper.centred("Strike-off certificate", TEXT + 2.0);
    paper.centred(&said.alliance, TEXT + 2.0);
    paper.gap(TEXT);
    row(paper, "编号 Number", &said.number);
    row(paper, "事项 Matter", &said.title);
    row(paper, "轮次 Round", &said.round.to_string());
    row(paper, "责任单位 Responsible", &names(&said.responsible));
    row(paper, "销号标准 Criterion", said.criterion.as_deref().unwrap_or("—"));
    let verifier = said.verifier.as_ref().map_or("—", |person| person.name.as_str());
    let unit = said.verifying_unit.as_ref().map(|unit| format!("({})", unit.name)).unwrap_or_default();
    row(paper, "核验人 Verified by", &format!("{verifier}{unit}"));
    row(paper, "核验意见 Verdict", said.verdict.as_deref().unwrap_or("—"));
    let approvers: Vec<&str> = said.approvers.iter().map(|person| person.name.as_str()).collect();
    row(paper, "审批人 Approved by", &approvers.join("、"));
    for (label, at) in [
        ("登记 Registered", Some(said.registered_at)),
        ("申请销号 Submitted", said.submitted_at),
        ("核验 Verified", said.verified_at),
        ("销号 Struck off", said.struck_off_at),
    ] {
        row(paper, label, &times.told(at));
    }
    if said.rounds.is_empty() {
        return;
    }
    paper.gap(TEXT);
    paper.paragraph("以往轮次 Earlier rounds", TEXT + 2.0);
    for round in &said.rounds {
        let lead = round.lead.as_ref().map_or("—", |unit| unit.name.as_str());
        let person =
            |who: &Option<super::Actor>| who.as_ref().map_or("—".to_owned(), |who| who.name.clone());
        row(
            paper,
            &format!("第 {0} 轮 Round {0}", round.round),
            &format!(
                "牵头 lead {lead}；核验 verified {}；审批 approved {}；销号 struck off {}；重开 reopened {}",
                person(&round.verifier),
                person(&round.approver),
                times.told(round.struck_off_at),
                times.tell(round.reopened_at)
            ),
        );
    }
}

fn evidence(paper: &mut Paper, said: &Certificate, times: Times) {
    paper.gap(TEXT);
    paper.paragraph(&format!("佐证材料 Evidence ({})", said.evidence.len()), TEXT + 2.0);
    for (at, piece) in said.evidence.iter().enumerate() {
        let stage = match piece.stage.as_str() {
            "registration" => "登记 registration",
            "progress" => "整改 progress",
            "closure" => "销号 closure",
            other => other,
        };
        let text = format!(
            "{stage}，第 {0} 轮 round {0}，{1}，{2} bytes，{3}\nSHA-256 {4}",
            piece.round,
            piece.media_type,
            piece.bytes,
            times.tell(piece.added_at),
            piece.sha256
        );
        paper.row(&(at + 1).to_string(), &text, SMALL, LEFT / 6.0);
    }
}

fn chain(paper: &mut Paper, said: &Certificate, times: Times) {
    let shown = said.proof.shown();
    paper.gap(TEXT);
    paper.paragraph("事件链 Chain of events", TEXT + 2.0);
    small(paper, "链 Chain", &shown.chain.to_string());
    small(paper, "事件 Event", &shown.event.to_string());
    small(paper, "前一环 Link before", &shown.previous);
    let count = shown.hashes.len();
    for (at, hash) in shown.hashes.iter().enumerate() {
        if count > LINKS && at == LINKS / 2 {
            let left_out = count - LINKS;
            small(
                paper,
                "…",
                &format!("其间 {left_out} 环见附件 {left_out} links between are in the attached document"),
            );
        }
        if count > LINKS && (LINKS / 2..count - LINKS / 2).contains(&at) {
            continue;
        }
        let number = shown.number.saturating_add(i64::try_from(at).unwrap_or(i64::MAX));
        small(paper, &format!("第 {number} 环 Link {number}"), hash);
    }
    if let Some(made_at) = shown.checkpoint_made_at {
        row(paper, "检查点 Checkpoint", &times.tell(made_at));
    }
    small(
        paper,
        "检查点签名 Its signature",
        &format!("{} {}", shown.checkpoint_kid, shown.checkpoint_signature),
    );
}

fn row(paper: &mut Paper, label: &str, text: &str) {
    paper.row(label, text, TEXT, LEFT);
}

/// A row of what machines read.
fn small(paper: &mut Paper, label: &str, text: &str) {
    paper.row(label, text, SMALL, LEFT);
}

fn names(units: &[Unit]) -> String {
    units.iter().map(|unit| unit.name.as_str()).collect::<Vec<_>>().join("、")
}

/// The zone that times are told in.
#[derive(Clone, Copy)]
struct Times(Tz);

impl Times {
    fn tell(self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.0).format("%Y-%m-%d %H:%M:%S %:z").to_string()
    }

    fn told(self, at: Option<DateTime<Utc>>) -> String {
        at.map_or_else(|| "—".to_owned(), |at| self.tell(at))
    }
}
