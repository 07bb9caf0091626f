//! Somebody leaves: they stay on the order and count as present no longer.

use chrono::{DateTime, Utc};
use concord_entities::{
    id::{MobilizationCheckInId, MobilizationId},
    mobilization_check_in, mobilization_coverage,
};
use sea_orm::EntityTrait;

use super::{
    super::{coverage, coverage::Deltas, fact, person},
    look::{self, Desk},
    store, whereabouts,
};
use crate::domain::{Code, Ctx, Error, Event, Result};

/// Checks a person out, who is present until then.
pub async fn check_out(
    ctx: &Ctx,
    of: MobilizationId,
    person: &str,
    at: Option<DateTime<Utc>>,
) -> Result<mobilization_check_in::Model> {
    let tx = ctx.begin().await?;
    let Desk { order, salt, caller } = Desk::open(&tx, of).await?;
    let digest = person::digest(&salt, person::check(person, "person")?);
    let row = store::lock(&tx, of, &[&digest]).await?.into_iter().next();
    let row = row.ok_or_else(|| Error::invalid(Code::NotCheckedIn, "person"))?;
    let place = mobilization_coverage::Entity::find_by_id((of, row.region_id)).one(&tx.db).await?;
    let place = place.ok_or_else(|| Error::internal("somebody is at a place that is not counted"))?;
    // Whoever moves a unit's own people only learns nothing of others.
    if !caller.reaches(&place.path)
        || !caller.moves(row.organization_id)
        || (caller.may(row.organization_id, &place.path) && row.left_at.is_some())
    {
        return Err(Error::invalid(Code::NotCheckedIn, "person"));
    }
    if !caller.may(row.organization_id, &place.path) {
        return Err(Error::Forbidden);
    }
    let at = at.unwrap_or_else(|| ctx.now());
    look::in_time(&order, at, ctx.now())?;
    if at < row.at {
        return Err(Error::invalid(Code::OutOfRange, "at")
            .with("least", row.at.to_rfc3339())
            .with("most", ctx.now().to_rfc3339()));
    }
    let id: MobilizationCheckInId = row.id;
    let mut now = whereabouts(&row);
    now.left_at = Some(at);
    store::update(&tx, &[(id, now)]).await?;
    let mut deltas = Deltas::new();
    coverage::count(&mut deltas, row.region_id, Some(&place.path), -1);
    coverage::move_by(&tx, of, &deltas).await?;
    let told = fact(Event::MobilizationCheckedOut, &order).detail("regionId", row.region_id.to_string());
    tx.record(told).await?;
    tx.commit(id).await?;
    Ok(mobilization_check_in::Model { left_at: Some(at), ..row })
}
