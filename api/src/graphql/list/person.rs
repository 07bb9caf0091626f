//! Face of a person who acted on an item of a list: enough to know who it was, the name masked where the viewer has no
//! business with it. Accounts themselves are identity's.

use async_graphql::{Context, ID, Result, SimpleObject};
use concord_entities::{
    id::{AccountId, AllianceId, OrganizationId},
    seat,
};

use super::transition;
use crate::{
    domain::{Action, Actor, Target, policy, privacy},
    graphql::{ctx, id, loaders},
};

/// Somebody who acted in a role.
#[derive(SimpleObject, Clone, Debug)]
pub struct Person {
    /// Identifier of the account.
    id: ID,
    /// Name; masked outside their own organisation, unless the viewer may read contacts.
    name: String,
}

/// The person behind an account, as the viewer may know them; `unit` is the organisation they acted for.
pub async fn person(
    context: &Context<'_>,
    alliance: AllianceId,
    account: Option<AccountId>,
    unit: Option<OrganizationId>,
) -> Result<Option<Person>> {
    let Some(account) = account else {
        return Ok(None);
    };
    // Both at once, so that they join the batches of the fields beside them.
    let (row, seats) =
        futures_util::try_join!(loaders::one(context, account), transition::seats(context, alliance))?;
    let Some(row) = row else {
        return Ok(None);
    };
    let known = knows(ctx(context).actor, &seats, alliance, account, unit);
    let name = if known { row.display_name } else { privacy::mask_name(&row.display_name) };
    Ok(Some(Person { id: id::encode(account), name }))
}

fn knows(
    actor: Actor,
    seats: &[seat::Model],
    alliance: AllianceId,
    account: AccountId,
    unit: Option<OrganizationId>,
) -> bool {
    let viewer = match actor {
        Actor::System => return true,
        Actor::Anonymous | Actor::Key(_) => return false,
        Actor::Account { id, .. } => id,
    };
    let unit: Vec<OrganizationId> = unit.into_iter().collect();
    let target = Target::alliance(alliance).of(&unit);
    viewer == account || policy::standing(viewer, seats, Action::ReadContacts, target).is_some()
}
