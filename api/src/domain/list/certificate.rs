//! The certificate of a strike-off (销号证明): who saw what, who judged it, the digests of the evidence, and the proof that it stands
//! in the alliance's chain. Signed with the platform's key; whoever has the published key checks it without the platform.

use chrono::{DateTime, Utc};
use concord_entities::{
    account, alliance, evidence,
    id::{AccountId, OrganizationId, ProblemId},
    organization,
    problem::{self, State},
    problem_responsible, problem_sign_off, stored_file,
};
use sea_orm::{ActiveEnum, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::problem as problems;
use crate::domain::{
    Action, Code, Ctx, Error, Event, Result, Target,
    chain::proof::{self, Fault, Proof, Proven},
    identity::signing::{PublicKeys, Signed},
};

/// What keeps a signature under a certificate from being taken for anything else.
const PURPOSE: &str = "strike-off-certificate";

/// A unit that is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Unit {
    pub id: OrganizationId,
    pub name: String,
}

/// A person who acted in a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Actor {
    pub id: AccountId,
    pub name: String,
}

/// A piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Piece {
    pub sha256: String,
    pub media_type: String,
    pub bytes: i64,
    pub stage: String,
    pub round: i32,
    pub added_at: DateTime<Utc>,
}

/// What a certificate says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Certificate {
    /// The form of this document.
    pub form: String,
    pub alliance: String,
    pub problem_id: ProblemId,
    pub number: String,
    pub title: String,
    /// How many rounds it took.
    pub round: i32,
    pub criterion: Option<String>,
    pub verdict: Option<String>,
    pub responsible: Vec<Unit>,
    pub verifier: Option<Actor>,
    pub verifying_unit: Option<Unit>,
    pub approvers: Vec<Actor>,
    pub evidence: Vec<Piece>,
    pub registered_at: DateTime<Utc>,
    pub submitted_at: Option<DateTime<Utc>>,
    pub verified_at: Option<DateTime<Utc>>,
    pub struck_off_at: Option<DateTime<Utc>>,
    pub issued_at: DateTime<Utc>,
    pub proof: Proof,
}

const FORM: &str = "concord strike-off certificate 1";

/// A certificate with the signature over its very bytes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    certificate: Box<RawValue>,
    kid: String,
    signature: String,
}

/// Issues the certificate of a problem that is struck off, once a checkpoint vouches for it: within a minute or so.
pub async fn issue(ctx: &Ctx, id: ProblemId) -> Result<String> {
    let row = problems::find(ctx, id).await?.ok_or(Error::NotFound("problem"))?;
    let lead = row.lead_organization_id;
    let target = Target::alliance(row.alliance_id).of(lead.as_slice());
    ctx.require(ctx.read(), Action::ReadCertificate, target).await?;
    if row.state != State::StruckOff {
        return Err(Error::refused(Code::StateRefused).with("state", row.state.to_value()));
    }
    let proof = proof::of(ctx, Event::ProblemStruckOff.text(), row.id.into()).await?;
    let proof = proof.ok_or_else(|| Error::refused(Code::NotVouchedFor))?;
    let certificate = certificate(ctx, row, proof).await?;
    let text = serde_json::to_string(&certificate).map_err(Error::internal)?;
    let Signed { kid, signature } =
        ctx.app.identity.keys.sign_for(PURPOSE, text.as_bytes()).map_err(Error::internal)?;
    let certificate = RawValue::from_string(text).map_err(Error::internal)?;
    serde_json::to_string(&Document { certificate, kid, signature }).map_err(Error::internal)
}

async fn certificate(ctx: &Ctx, row: problem::Model, proof: Proof) -> Result<Certificate> {
    let db = ctx.read();
    let alliance = alliance::Entity::find_by_id(row.alliance_id).one(db).await?;
    let responsible = problem_responsible::Entity::find()
        .filter(problem_responsible::Column::ProblemId.eq(row.id))
        .order_by_desc(problem_responsible::Column::Duty)
        .order_by_asc(problem_responsible::Column::OrganizationId)
        .find_also_related(organization::Entity)
        .all(db)
        .await?;
    let pieces = evidence::Entity::find()
        .filter(evidence::Column::ProblemId.eq(row.id))
        .order_by_asc(evidence::Column::Id)
        .find_also_related(stored_file::Entity)
        .all(db)
        .await?;
    let unit = |unit: organization::Model| Unit { id: unit.id, name: unit.name };
    let piece = |(one, file): (evidence::Model, Option<stored_file::Model>)| {
        let file = file?;
        Some(Piece {
            sha256: file.sha256,
            media_type: file.media_type,
            bytes: file.size,
            stage: one.stage.to_value(),
            round: one.round,
            added_at: one.added_at,
        })
    };
    let signed = problem_sign_off::Entity::find()
        .filter(problem_sign_off::Column::ProblemId.eq(row.id))
        .filter(problem_sign_off::Column::Round.eq(row.round))
        .filter(problem_sign_off::Column::ReturnedCount.eq(row.returned_count))
        .order_by_asc(problem_sign_off::Column::SignedAt)
        .all(db)
        .await?;
    let mut approvers = Vec::new();
    // Whoever strikes off signs last, and stands beside the problem.
    let last = row.approver_id.filter(|last| signed.iter().all(|one| one.signed_by != *last));
    for id in signed.iter().map(|one| one.signed_by).chain(last) {
        approvers.extend(actor(ctx, Some(id)).await?);
    }
    let verifying_unit = match row.verifier_organization_id {
        Some(id) => organization::Entity::find_by_id(id).one(db).await?.map(unit),
        None => None,
    };
    Ok(Certificate {
        form: FORM.to_owned(),
        alliance: alliance.map(|alliance| alliance.name).unwrap_or_default(),
        problem_id: row.id,
        number: row.number,
        title: row.title,
        round: row.round,
        criterion: row.criterion,
        verdict: row.verdict,
        responsible: responsible.into_iter().filter_map(|(_, found)| found.map(unit)).collect(),
        verifier: actor(ctx, row.verifier_id).await?,
        verifying_unit,
        approvers,
        evidence: pieces.into_iter().filter_map(piece).collect(),
        registered_at: row.recorded_at,
        submitted_at: row.submitted_at,
        verified_at: row.verified_at,
        struck_off_at: row.struck_off_at,
        issued_at: ctx.now(),
        proof,
    })
}

async fn actor(ctx: &Ctx, id: Option<AccountId>) -> Result<Option<Actor>> {
    let Some(id) = id else { return Ok(None) };
    let found = account::Entity::find_by_id(id).one(ctx.read()).await?;
    Ok(found.map(|person| Actor { id, name: person.display_name }))
}

/// Checks a certificate with nothing but the published keys: its signature, that its event stands in the chain that a checkpoint
/// vouches for, and that it says what that event says.
pub fn check(document: &[u8], keys: &PublicKeys) -> std::result::Result<(Certificate, Proven), Fault> {
    let Document { certificate, kid, signature } =
        serde_json::from_slice(document).map_err(|_| Fault::Unreadable)?;
    let signed = Signed { kid, signature };
    if !keys.verify_for(PURPOSE, certificate.get().as_bytes(), &signed) {
        return Err(Fault::Forged);
    }
    let said: Certificate = serde_json::from_str(certificate.get()).map_err(|_| Fault::Unreadable)?;
    let proven = said.proof.check(keys)?;
    let same = said.form == FORM
        && proven.kind == Event::ProblemStruckOff.text()
        && proven.subject == uuid::Uuid::from(said.problem_id)
        && proven.payload.get("number").and_then(|number| number.as_str()) == Some(said.number.as_str())
        && Some(proven.occurred_at) == said.struck_off_at;
    if same { Ok((said, proven)) } else { Err(Fault::Payload) }
}
