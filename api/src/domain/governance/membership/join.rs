//! Ways into an alliance: an application, an invitation, or a seat at once. What becomes of them stands in `steps`.

use super::*;

/// Asks for a seat; whoever speaks for the organisation may, and a platform administrator.
pub async fn apply(
    ctx: &Ctx,
    alliance_id: AllianceId,
    organization_id: OrganizationId,
    contact: Contact,
) -> Result<membership::Model> {
    let tx = ctx.begin().await?;
    if ctx.actor != Actor::System {
        ctx.account_id()?;
    }
    if organizations::visible(ctx)
        .filter(organization::Column::Id.eq(organization_id))
        .one(&tx.db)
        .await?
        .is_none()
    {
        return Err(Error::NotFound("organization"));
    }
    require_speaking_for(&tx, organization_id).await?;
    // An applicant stands outside, so the wall cannot apply here: its alliance is known by the identifier it was given.
    if alliance::Entity::find_by_id(alliance_id).one(&tx.db).await?.is_none() {
        return Err(Error::NotFound("alliance"));
    }
    refuse_second(&tx, alliance_id, organization_id, "organizationId").await?;
    let row = insert(&tx, alliance_id, organization_id, State::Applied, true, &contact).await?;
    finish(tx, row, Event::MembershipApplied, None).await
}

/// Whom a committee invites.
#[derive(Clone, Debug)]
pub enum Invitee {
    /// An organisation that the committee sees already.
    Known(OrganizationId),
    /// An organisation as the committee knows it: a new one, or the one on record that carries its credit code.
    Named {
        name: Option<String>,
        short_name: Option<String>,
        kind: Option<Kind>,
        credit_code: Option<String>,
        region_id: Option<RegionId>,
    },
}

/// Offers a seat. A credit code that is on record attaches to the organisation that carries it.
pub async fn invite(
    ctx: &Ctx,
    alliance_id: AllianceId,
    invitee: Invitee,
    contact: Contact,
) -> Result<membership::Model> {
    let tx = ctx.begin().await?;
    find_alliance(&tx, alliance_id).await?;
    ctx.require(&tx.db, Action::AdmitMember, Target::alliance(alliance_id)).await?;
    let (organization_id, is_known) = resolve(&tx, alliance_id, invitee).await?;
    let row = insert(&tx, alliance_id, organization_id, State::Invited, is_known, &contact).await?;
    finish(tx, row, Event::MembershipInvited, None).await
}

/// The organisation that is meant, and whether the committee knows more of it than a credit code.
async fn resolve(tx: &Tx<'_>, alliance_id: AllianceId, invitee: Invitee) -> Result<(OrganizationId, bool)> {
    let seen = |id| organizations::visible(tx.ctx).filter(organization::Column::Id.eq(id)).one(&tx.db);

    let new = match invitee {
        Invitee::Known(id) => {
            seen(id).await?.ok_or(Error::NotFound("organization"))?;
            refuse_second(tx, alliance_id, id, "organizationId").await?;
            return Ok((id, true));
        }
        Invitee::Named { name, short_name, kind, credit_code, region_id } => {
            let name = name.unwrap_or_default();
            let kind = kind.ok_or_else(|| Error::invalid(Code::Required, "kind"))?;
            organizations::NewOrganization { name, short_name, kind, credit_code, region_id }
        }
    };
    // Looked up last: whatever is refused before tells nothing of whose the code is, and what is not leaves an invitation.
    let new = new.checked(&tx.db).await?;
    let known = match &new.credit_code {
        Some(code) => organizations::by_credit_code(&tx.db, code).await?,
        None => None,
    };
    if let Some(known) = &known {
        refuse_second(tx, alliance_id, known.id, "creditCode").await?;
    }
    refuse_namesake(tx, &[alliance_id], &new.name).await?;
    match known {
        Some(known) => Ok((known.id, seen(known.id).await?.is_some())),
        None => Ok((organizations::insert(tx, new).await?.id, true)),
    }
}

/// Seats an organisation in an alliance at once, by the platform's own hand; an application or invitation that is open is
/// taken up.
pub async fn admit(
    ctx: &Ctx,
    alliance_id: AllianceId,
    organization_id: OrganizationId,
    contact: Contact,
) -> Result<membership::Model> {
    let tx = ctx.begin().await?;
    alliances::require_platform_admin(&tx).await?;
    find_alliance(&tx, alliance_id).await?;
    if organizations::visible(ctx)
        .filter(organization::Column::Id.eq(organization_id))
        .one(&tx.db)
        .await?
        .is_none()
    {
        return Err(Error::NotFound("organization"));
    }
    let row = seat_at_once(&tx, alliance_id, organization_id, &contact).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Seats an organisation within a unit of work whose rights were checked.
pub async fn seat_at_once(
    tx: &Tx<'_>,
    alliance_id: AllianceId,
    organization_id: OrganizationId,
    contact: &Contact,
) -> Result<membership::Model> {
    let standing = current()
        .filter(membership::Column::AllianceId.eq(alliance_id))
        .filter(membership::Column::OrganizationId.eq(organization_id))
        .lock_exclusive()
        .one(&tx.db)
        .await?;
    let row = match standing {
        Some(row) if states::ADMIT.from.contains(&row.state) => {
            let version = row.version + 1;
            let mut row = row.into_active_model();
            let contact = contact.checked()?;
            row.state = Set(State::Active);
            row.admitted_at = Set(Some(tx.ctx.now()));
            row.is_unit_known = Set(true);
            if contact != Contact::default() {
                row.contact_name = Set(contact.name);
                row.contact_title = Set(contact.title);
                row.contact_phone = Set(contact.phone);
            }
            row.version = Set(version);
            row.update(&tx.db).await?
        }
        Some(_) => return Err(Error::invalid(Code::AlreadyExists, "organizationId")),
        None => insert(tx, alliance_id, organization_id, State::Active, true, contact).await?,
    };
    tx.record(
        Fact::of(Event::MembershipAdmitted, row.id).alliance(alliance_id).organizations([organization_id]),
    )
    .await?;
    Ok(row)
}

async fn require_speaking_for(tx: &Tx<'_>, organization: OrganizationId) -> Result<()> {
    if let Actor::Account { id, .. } = tx.ctx.actor
        && !speaking_seats(&tx.db, id, &[organization]).await?.is_empty()
    {
        return Ok(());
    }
    alliances::require_platform_admin(tx).await
}

async fn find_alliance(tx: &Tx<'_>, id: AllianceId) -> Result<alliance::Model> {
    alliances::visible(tx.ctx)
        .filter(alliance::Column::Id.eq(id))
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound("alliance"))
}

async fn refuse_second(
    tx: &Tx<'_>,
    alliance_id: AllianceId,
    organization_id: OrganizationId,
    field: &'static str,
) -> Result<()> {
    let standing = current()
        .filter(membership::Column::AllianceId.eq(alliance_id))
        .filter(membership::Column::OrganizationId.eq(organization_id))
        .one(&tx.db)
        .await?;
    if standing.is_some() { Err(Error::invalid(Code::AlreadyExists, field)) } else { Ok(()) }
}

async fn insert(
    tx: &Tx<'_>,
    alliance_id: AllianceId,
    organization_id: OrganizationId,
    state: State,
    is_unit_known: bool,
    contact: &Contact,
) -> Result<membership::Model> {
    let contact = contact.checked()?;
    let now = tx.ctx.now();
    let row = membership::ActiveModel {
        id: Set(tx.ctx.new_id()),
        alliance_id: Set(alliance_id),
        organization_id: Set(organization_id),
        state: Set(state),
        is_unit_known: Set(is_unit_known),
        contact_name: Set(contact.name),
        contact_title: Set(contact.title),
        contact_phone: Set(contact.phone),
        reason: Set(None),
        created_at: Set(now),
        admitted_at: Set((state == State::Active).then_some(now)),
        ended_at: Set(None),
        version: Set(1),
    };
    Ok(row.insert(&tx.db).await?)
}
