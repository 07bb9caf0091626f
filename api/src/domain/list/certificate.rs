//! The certificate of a strike-off (销号证明): who saw what, who judged it, the digests of the evidence, and the proof that it stands
//! in the alliance's chain. Signed with the platform's key; whoever has the published key checks it without the platform.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use concord_entities::{
    account, alliance, evidence,
    id::{AccountId, OrganizationId, ProblemId},
    organization,
    problem::{self, State},
    problem_responsible, problem_round, problem_sign_off, stored_file,
};
use sea_orm::{ActiveEnum, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

mod paper;
mod print;

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

/// An earlier round: it ended in a strike-off too, and was followed by another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Round {
    pub round: i32,
    pub lead: Option<Unit>,
    pub verifier: Option<Actor>,
    pub approver: Option<Actor>,
    pub struck_off_at: Option<DateTime<Utc>>,
    pub reopened_at: DateTime<Utc>,
}

/// What a certificate says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Certificate {
    /// The form of this document.
    pub form: String,
    pub alliance: String,
    /// The zone in which the alliance tells times.
    #[serde(default)]
    pub time_zone: Option<String>,
    pub problem_id: ProblemId,
    pub number: String,
    pub title: String,
    /// How many rounds it took.
    pub round: i32,
    /// The rounds before the last.
    #[serde(default)]
    pub rounds: Vec<Round>,
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

/// A certificate, and the number of the problem that it is about.
pub struct Issued {
    pub number: String,
    pub document: Vec<u8>,
}

/// Issues a certificate on paper, as PDF.
pub async fn issue_printed(ctx: &Ctx, id: ProblemId) -> Result<Issued> {
    let Issued { number, document } = issue(ctx, id).await?;
    Ok(Issued { number, document: print::print(ctx, document).await? })
}

/// Issues the certificate of a problem that is struck off, once a checkpoint vouches for it: within a minute or so.
pub async fn issue(ctx: &Ctx, id: ProblemId) -> Result<Issued> {
    let row = problems::find(ctx, id).await?.ok_or(Error::NotFound("problem"))?;
    let lead = row.lead_organization_id;
    let target = Target::alliance(row.alliance_id).of(lead.as_slice());
    ctx.require(ctx.read(), Action::ReadCertificate, target).await?;
    if row.state != State::StruckOff {
        return Err(Error::refused(Code::StateRefused).with("state", row.state.to_value()));
    }
    let proof = proof::of(ctx, Event::ProblemStruckOff.text(), row.id.into()).await?;
    let proof = proof.ok_or_else(|| Error::refused(Code::NotVouchedFor))?;
    let number = row.number.clone();
    let certificate = certificate(ctx, row, proof).await?;
    let text = serde_json::to_string(&certificate).map_err(Error::internal)?;
    let Signed { kid, signature } =
        ctx.app.identity.keys.sign_for(PURPOSE, text.as_bytes()).map_err(Error::internal)?;
    let certificate = RawValue::from_string(text).map_err(Error::internal)?;
    let document = serde_json::to_vec(&Document { certificate, kid, signature }).map_err(Error::internal)?;
    Ok(Issued { number, document })
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
    // Whoever strikes off signs last, and stands beside the problem.
    let last = row.approver_id.filter(|last| signed.iter().all(|one| one.signed_by != *last));
    let approvers: Vec<AccountId> = signed.iter().map(|one| one.signed_by).chain(last).collect();
    let earlier = problem_round::Entity::find()
        .filter(problem_round::Column::ProblemId.eq(row.id))
        .order_by_asc(problem_round::Column::Round)
        .all(db)
        .await?;
    let in_rounds = earlier.iter().flat_map(|one| [one.verifier_id, one.approver_id]);
    let everybody = approvers.iter().copied().chain(row.verifier_id).chain(in_rounds.flatten());
    let people: HashMap<AccountId, String> = account::Entity::find()
        .filter(account::Column::Id.is_in(everybody))
        .all(db)
        .await?
        .into_iter()
        .map(|person| (person.id, person.display_name))
        .collect();
    let actor = |id: Option<AccountId>| {
        id.and_then(|id| people.get(&id).map(|name| Actor { id, name: name.clone() }))
    };
    let led = earlier.iter().filter_map(|one| one.lead_organization_id);
    let units: HashMap<OrganizationId, Unit> = organization::Entity::find()
        .filter(organization::Column::Id.is_in(led.chain(row.verifier_organization_id)))
        .all(db)
        .await?
        .into_iter()
        .map(|found| (found.id, unit(found)))
        .collect();
    let named = |id: Option<OrganizationId>| id.and_then(|id| units.get(&id).cloned());
    let rounds = earlier.into_iter().map(|one| Round {
        round: one.round,
        lead: named(one.lead_organization_id),
        verifier: actor(one.verifier_id),
        approver: actor(one.approver_id),
        struck_off_at: one.struck_off_at,
        reopened_at: one.reopened_at,
    });
    let (alliance, time_zone) = alliance.map(|one| (one.name, one.time_zone)).unzip();
    Ok(Certificate {
        form: FORM.to_owned(),
        alliance: alliance.unwrap_or_default(),
        time_zone,
        problem_id: row.id,
        number: row.number,
        title: row.title,
        round: row.round,
        rounds: rounds.collect(),
        criterion: row.criterion,
        verdict: row.verdict,
        responsible: responsible.into_iter().filter_map(|(_, found)| found.map(unit)).collect(),
        verifier: actor(row.verifier_id),
        verifying_unit: named(row.verifier_organization_id),
        approvers: approvers.into_iter().filter_map(|id| actor(Some(id))).collect(),
        evidence: pieces.into_iter().filter_map(piece).collect(),
        registered_at: row.recorded_at,
        submitted_at: row.submitted_at,
        verified_at: row.verified_at,
        // The instant of the event, by which whoever checks the certificate knows it.
        struck_off_at: proof.occurred_at(),
        issued_at: ctx.now(),
        proof,
    })
}

/// Checks a certificate, as JSON or as PDF, with nothing but the published keys: its signature, that its event stands in the chain
/// that a checkpoint vouches for, and that it says what that event says; of a PDF also that not a byte of it was changed.
pub fn check(document: &[u8], keys: &PublicKeys) -> std::result::Result<(Certificate, Proven), Fault> {
    let document = if print::is_pdf(document) { print::read(document, keys)? } else { document };
    let Document { certificate, kid, signature } =
        serde_json::from_slice(document).map_err(|_| Fault::Unreadable)?;
    let signed = Signed { kid, signature };
    if !keys.verify_for(PURPOSE, certificate.get().as_bytes(), &signed) {
        return Err(Fault::Forged);
    }
    let said: Certificate = serde_json::from_str(certificate.get()).map_err(|_| Fault::Unreadable)?;
    let proven = said.proof.check(keys)?;
    // Where the event was erased, what it was about and when still stand in its link; the number stands by the signature alone.
    let number = |payload: &serde_json::Value| {
        payload.get("number").and_then(|number| number.as_str()) == Some(said.number.as_str())
    };
    let same = said.form == FORM
        && proven.kind == Event::ProblemStruckOff.text()
        && proven.subject == uuid::Uuid::from(said.problem_id)
        && proven.payload.as_ref().is_none_or(number)
        && Some(proven.occurred_at) == said.struck_off_at;
    if same { Ok((said, proven)) } else { Err(Fault::Payload) }
}
