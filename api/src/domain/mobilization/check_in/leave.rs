//! Somebody leaves: they stay on the order and count as present no longer.

use chrono::{DateTime, Utc};
use concord_entities::{id::MobilizationId, mobilization_check_in};

use super::{
    super::{coverage, coverage::Deltas, fact, person},
    look::{self, Desk},
    seen, store,
};
use crate::domain::{Code, Ctx, Error, Event, Result};

/// Checks a person out, who is present until then: not before they came or were last known to be there, whose clock may have gone ahead of
/// ours.
pub async fn check_out(
    ctx: &Ctx,
    of: MobilizationId,
    person: &str,
    at: Option<DateTime<Utc>>,
) -> Result<mobilization_check_in::Model> {
    let tx = ctx.begin().await?;
    let Desk { order, salt, caller } = Desk::open(&tx, of).await?;
    let digest = person::digest(&salt, person::known(person, "person")?);
    let absent = || Error::invalid(Code::NotCheckedIn, "person");
    let now = ctx.now();
    // Written ahead of being looked at, which saves a statement: what is refused is rolled back.
    let (row, path) = store::leave(&tx, of, &digest, at.unwrap_or(now)).await?.ok_or_else(absent)?;
    // Whoever moves a unit's own people only learns nothing of others.
    if !caller.reaches(&path) || !caller.moves(row.organization_id) {
        return Err(absent());
    }
    if !caller.may(row.organization_id, &path) {
        return Err(Error::Forbidden);
    }
    look::in_time(&order, at.or(row.left_at).unwrap_or(now), now)?;
    let seen = seen(&row);
    if at.is_some_and(|at| at < seen) {
        return Err(Error::invalid(Code::OutOfRange, "at")
            .with("least", seen.to_rfc3339())
            .with("most", look::latest(&order, now).to_rfc3339()));
    }
    let mut deltas = Deltas::new();
    coverage::count(&mut deltas, row.region_id, Some(&path), -1);
    coverage::move_by(&tx, of, &deltas).await?;
    let told = fact(Event::MobilizationCheckedOut, &order).detail("regionId", row.region_id.to_string());
    tx.record(told).await?;
    tx.commit(row.id).await?;
    Ok(row)
}
