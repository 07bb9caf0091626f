//! What a task's units and dates must be, checked within the verb that writes them.

use chrono::NaiveDate;
use concord_entities::{
    id::{AllianceId, OrganizationId},
    organization,
};
use sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter};

use super::task_list::sane;
use crate::domain::{
    Code, Error, Result, Tx,
    governance::{membership, organization as organizations},
};

/// Most co-organisers of a task.
const MOST_CO_ORGANIZERS: usize = 50;

/// Co-organisers as given, each once; the lead is none of them.
pub(super) fn co_organizers(
    lead: OrganizationId,
    mut units: Vec<OrganizationId>,
) -> Result<Vec<OrganizationId>> {
    units.sort_unstable();
    units.dedup();
    if units.len() > MOST_CO_ORGANIZERS {
        return Err(Error::invalid(Code::OutOfRange, "coOrganizationIds")
            .with("least", 0)
            .with("most", MOST_CO_ORGANIZERS));
    }
    if units.contains(&lead) {
        return Err(Error::invalid(Code::LeadIsCoOrganizer, "coOrganizationIds"));
    }
    Ok(units)
}

/// Turns away organisations that the caller does not know of, or that are not active members.
pub(super) async fn require_units(
    tx: &Tx<'_>,
    alliance: AllianceId,
    lead: OrganizationId,
    joint: &[OrganizationId],
) -> Result<()> {
    let all: Vec<OrganizationId> = std::iter::once(lead).chain(joint.iter().copied()).collect();
    let known = organizations::visible(tx.ctx)
        .filter(organization::Column::Id.is_in(all.iter().copied()))
        .count(&tx.db)
        .await?;
    if usize::try_from(known) != Ok(all.len()) {
        return Err(Error::NotFound("organization"));
    }
    membership::require_active(&tx.db, alliance, lead, "leadOrganizationId").await?;
    membership::require_all_active(&tx.db, alliance, joint, "coOrganizationIds").await
}

/// A task's last day, which does not lie before its first.
pub(super) fn period(starts_on: Option<NaiveDate>, due_on: NaiveDate) -> Result<NaiveDate> {
    let due_on = sane(due_on, "dueOn")?;
    let starts_on = starts_on.map(|on| sane(on, "startsOn")).transpose()?;
    match starts_on {
        Some(first) if first > due_on => {
            Err(Error::invalid(Code::OutOfRange, "dueOn").with("least", first).with("most", "2100-12-31"))
        }
        _ => Ok(due_on),
    }
}
