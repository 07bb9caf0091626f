//! Faces of memberships: the seats of organisations in alliances.

use std::{collections::HashMap, slice, sync::Arc};

use async_graphql::{Context, Enum, ID, InputObject, MaybeUndefined, Object, Result, dataloader::Loader};
use concord_entities::{
    alliance,
    id::{AllianceId, MembershipId, OrganizationId, TypedId},
    membership, seat,
};
use sea_orm::{EntityTrait, QueryFilter};
use uuid::Uuid;

use super::{
    alliance::Alliance,
    organization::{Organization, OrganizationKind},
};
use crate::{
    domain::{
        self, Action, Actor, Code, Ctx, Error, Target,
        governance::membership::{self as verbs, Contact, ContactChange, Filter, Invitee, states},
        identity::authority,
        list::transition::{Step, Viewer, offer},
        page::{self, Along, Kind, Order},
        policy, privacy,
    },
    graphql::{
        at_once::AtOnce,
        connection::{args, connection},
        ctx,
        error::{OrApiError, payload},
        id,
        list::transition::{self, Transition},
        loaders::{self, KnownOrganization, Loaders},
        node::Node,
        scalar::DateTime,
    },
};

/// Where a membership stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::membership::State")]
pub enum MembershipState {
    /// The organisation asked for a seat.
    Applied,
    /// The committee offered a seat.
    Invited,
    /// It holds a seat.
    Active,
    /// Its seat is suspended, and so are the roles of its people.
    Suspended,
    /// Its seat ended.
    Ended,
    /// Its application or invitation was declined.
    Declined,
}

/// The seat of an organisation in an alliance (成员单位).
#[derive(Clone)]
pub struct Membership(pub membership::Model);

impl From<membership::Model> for Membership {
    fn from(row: membership::Model) -> Self {
        Self(row)
    }
}

impl Node for Membership {
    const NOUN: &'static str = MembershipId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find(ctx, id.into()).await?.map(Self))
    }
}

/// Key of an alliance's name, which an invited organisation reads before it may see the alliance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AllianceName(pub AllianceId);

impl Loader<AllianceName> for Loaders {
    type Value = String;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[AllianceName]) -> Result<HashMap<AllianceName, String>, Self::Error> {
        let rows = alliance::Entity::find()
            .filter(page::among(&self.0, alliance::Column::Id, keys.iter().map(|key| key.0)))
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(Error::from(error)))?;
        Ok(rows.into_iter().map(|row| (AllianceName(row.id), row.name)).collect())
    }
}

/// Key of the seats in which the viewer speaks for an organisation towards other alliances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Speaking(pub OrganizationId);

impl Loader<Speaking> for Loaders {
    type Value = Vec<seat::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[Speaking]) -> Result<HashMap<Speaking, Self::Value>, Self::Error> {
        let Actor::Account { id, .. } = self.0.actor else {
            return Ok(HashMap::new());
        };
        let units: Vec<OrganizationId> = keys.iter().map(|key| key.0).collect();
        let seats = verbs::speaking_seats(self.0.read(), id, &units).await.map_err(Arc::new)?;
        let mut found: HashMap<Speaking, Self::Value> = HashMap::new();
        for seat in seats {
            if let Some(unit) = seat.organization_id {
                found.entry(Speaking(unit)).or_default().push(seat);
            }
        }
        Ok(found)
    }
}

/// Whether the viewer reads names and phones of these units in an alliance without masks.
pub async fn reads_contacts(
    context: &Context<'_>,
    alliance: AllianceId,
    organizations: &[OrganizationId],
) -> Result<bool> {
    let account = match ctx(context).actor {
        Actor::System => return Ok(true),
        Actor::Account { id, .. } => id,
        Actor::Anonymous | Actor::Key(_) => return Ok(false),
    };
    let seats = transition::seats(context, alliance).await?;
    let target = Target::alliance(alliance).of(organizations);
    Ok(policy::standing(account, &seats, Action::ReadContacts, target).is_some())
}

/// The person whom a member or team names; masked for whoever may not read contacts.
#[derive(Clone, Debug)]
pub struct ContactPerson {
    name: Option<String>,
    title: Option<String>,
    phone: Option<String>,
    masked: bool,
}

impl ContactPerson {
    /// A contact as the viewer may see it; nothing where no one is named.
    pub fn new(name: Option<&str>, title: Option<&str>, phone: Option<&str>, clear: bool) -> Option<Self> {
        if name.is_none() && title.is_none() && phone.is_none() {
            return None;
        }
        let show = |value: Option<&str>, mask: fn(&str) -> String| {
            value.map(|value| if clear { value.to_owned() } else { mask(value) })
        };
        Some(Self {
            name: show(name, privacy::mask_name),
            title: title.map(str::to_owned),
            phone: show(phone, privacy::mask_phone),
            masked: !clear,
        })
    }
}

/// The person whom a member or team names; masked for whoever may not read contacts.
#[Object]
impl ContactPerson {
    /// Name, masked where the caller may not read it.
    async fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Post.
    async fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// Phone, masked where the caller may not read it.
    async fn phone(&self) -> Option<&str> {
        self.phone.as_deref()
    }

    /// Whether name and phone are masked for the caller.
    async fn masked(&self) -> bool {
        self.masked
    }
}

/// The seat of an organisation in an alliance (成员单位).
#[Object]
impl Membership {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// The alliance, where the caller may see it; an invited organisation sees its name only.
    async fn alliance(&self, context: &Context<'_>) -> Result<Option<Alliance>> {
        Ok(loaders::one(context, self.0.alliance_id).await?.map(Alliance))
    }

    /// Name of the alliance.
    async fn alliance_name(&self, context: &Context<'_>) -> Result<String> {
        Ok(loaders::one(context, AllianceName(self.0.alliance_id)).await?.unwrap_or_default())
    }

    /// The organisation. Null while the alliance knows no more of it than the credit code by which it was invited: a unit
    /// of another alliance shows itself by accepting.
    async fn organization(&self, context: &Context<'_>) -> Result<Option<AtOnce<Organization>>> {
        let id = self.0.organization_id;
        let row = if self.0.is_unit_known {
            loaders::one(context, id).await?
        } else {
            loaders::one(context, KnownOrganization(id)).await?
        };
        Ok(row.map(AtOnce::of))
    }

    /// The credit code by which it was invited, while the alliance knows nothing else of it.
    async fn invited_credit_code(&self, context: &Context<'_>) -> Result<Option<String>> {
        if self.0.is_unit_known {
            return Ok(None);
        }
        Ok(loaders::one(context, self.0.organization_id).await?.and_then(|row| row.credit_code))
    }

    /// Where it stands.
    async fn state(&self) -> MembershipState {
        self.0.state.into()
    }

    /// The liaison that the member names.
    async fn contact(&self, context: &Context<'_>) -> Result<Option<ContactPerson>> {
        let row = &self.0;
        let clear = reads_contacts(context, row.alliance_id, &[row.organization_id]).await?;
        Ok(ContactPerson::new(
            row.contact_name.as_deref(),
            row.contact_title.as_deref(),
            row.contact_phone.as_deref(),
            clear,
        ))
    }

    /// Why it was suspended, ended or declined.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// What the caller can do with it next, and what blocks the rest.
    async fn available_transitions(&self, context: &Context<'_>) -> Result<Vec<Transition>> {
        let row = &self.0;
        let mut seats = transition::seats(context, row.alliance_id).await?;
        // An invited organisation answers through people who have no seat here.
        seats.extend(loaders::one(context, Speaking(row.organization_id)).await?.unwrap_or_default());
        let ctx = ctx(context);
        let is_invited = row.state == membership::State::Invited;
        let (is_platform, is_direct) = if is_invited && ctx.account_id().is_ok() {
            let is_platform = authority::administers(ctx, ctx.read()).await.or_api_error(ctx)?;
            (is_platform, verbs::may_seat_invited(ctx.read(), row).await.or_api_error(ctx)?)
        } else {
            (false, false)
        };
        let viewer = |step: &Step<membership::State>| {
            let speaks = is_platform && states::answers(step.action);
            Viewer { actor: if speaks { Actor::System } else { ctx.actor }, seats: &seats }
        };
        let own = [row.organization_id];
        let target = Target::alliance(row.alliance_id).of(&own);
        let missing = |step: &Step<membership::State>| {
            let answers_itself = is_invited && step.action == Action::AdmitMember && !is_direct;
            answers_itself.then(|| Error::refused(Code::UnitAnswersItself)).into_iter().collect()
        };
        let offered = states::STEPS
            .iter()
            .flat_map(|step| offer(slice::from_ref(step), row.state, viewer(step), target, missing))
            .collect();
        Ok(transition::faces(context, offered))
    }

    /// When it was applied for or offered.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it first became active.
    async fn admitted_at(&self) -> Option<DateTime> {
        self.0.admitted_at.map(Into::into)
    }

    /// When it ended or was declined.
    async fn ended_at(&self) -> Option<DateTime> {
        self.0.ended_at.map(Into::into)
    }

    /// Grows by one with every change; give it as `expectedVersion`.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

/// What a list of members reads along when it is asked for.
pub const MEMBERS_ALONG: [(&str, Along<membership::Column>); 1] =
    [("organization", Along { kind: Kind::Organization, by: membership::Column::OrganizationId })];

connection!(MembershipConnection, MembershipEdge, Membership, membership::Entity);

/// Which memberships a list shows; every condition holds.
#[derive(InputObject, Default)]
pub struct MembershipFilter {
    /// Only those that stand in one of these states.
    state: Option<Vec<MembershipState>>,
    /// Only units of these kinds.
    kind: Option<Vec<OrganizationKind>>,
    /// Only units whose full or short name contains this text.
    name_contains: Option<String>,
    /// Only those of this organisation.
    organization_id: Option<ID>,
}

impl MembershipFilter {
    /// The filter of one alliance's memberships.
    pub fn read(self, alliance: Option<AllianceId>) -> domain::Result<Filter> {
        Ok(Filter {
            alliance,
            organization: id::decode_optional(self.organization_id.as_ref(), "filter.organizationId")?,
            states: self.state.unwrap_or_default().into_iter().map(Into::into).collect(),
            kinds: self.kind.unwrap_or_default().into_iter().map(Into::into).collect(),
            name_contains: self.name_contains,
        })
    }
}

/// The order of a list of memberships.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum MembershipOrder {
    /// First applied for or offered first.
    Oldest,
    /// Last applied for or offered first.
    Newest,
}

impl MembershipOrder {
    /// The order of the table.
    pub fn of(self) -> Order<membership::Column> {
        Order { column: membership::Column::CreatedAt, descending: self == Self::Newest }
    }
}

#[derive(Default)]
pub struct MembershipQuery;

#[Object]
impl MembershipQuery {
    /// One membership; null where there is none or the caller may not see it.
    async fn membership(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Identifier of the membership.")] id: ID,
    ) -> Result<Option<Membership>> {
        let ctx = ctx(context);
        let id = id::decode(&id, "id").or_api_error(ctx)?;
        Ok(verbs::find(ctx, id).await.or_api_error(ctx)?.map(Membership))
    }

    /// The memberships of the alliances that the caller may see, and those of the organisations that the caller speaks for
    /// as their manager in the alliance where they have been members the longest.
    async fn memberships(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only those in this alliance.")] alliance_id: Option<ID>,
        #[graphql(desc = "Which ones.")] filter: Option<MembershipFilter>,
        #[graphql(desc = "In which order.", default_with = "MembershipOrder::Oldest")]
        order_by: MembershipOrder,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<MembershipConnection> {
        let ctx = ctx(context);
        let alliance = id::decode_optional(alliance_id.as_ref(), "allianceId").or_api_error(ctx)?;
        let filter = filter.unwrap_or_default().read(alliance).or_api_error(ctx)?;
        let page = verbs::list(ctx, &filter, order_by.of(), &args(first, after, last, before)).await;
        Ok(page.or_api_error(ctx)?.into())
    }
}

/// An organisation asks for a seat.
#[derive(InputObject)]
pub struct ApplyForMembershipInput {
    /// The alliance, by the identifier that its committee gave out.
    alliance_id: ID,
    /// The organisation, which the caller speaks for.
    organization_id: ID,
    /// Name of the liaison, at most 64 characters.
    contact_name: Option<String>,
    /// Post of the liaison, at most 64 characters.
    contact_title: Option<String>,
    /// Phone of the liaison, at most 32 characters.
    contact_phone: Option<String>,
}

/// A committee offers a seat: to an organisation by its identifier or credit code, or to a new one.
#[derive(InputObject)]
pub struct InviteOrganizationInput {
    /// The alliance.
    alliance_id: ID,
    /// An organisation that the caller sees; the other particulars are then ignored.
    organization_id: Option<ID>,
    /// Unified social credit code; one on record attaches to the organisation that carries it, whose other particulars stay
    /// hidden until it accepts where the caller does not see it already.
    credit_code: Option<String>,
    /// Full name, at most 200 characters, with a credit code as without; never the designation of a military unit. What is
    /// on record keeps its own.
    name: Option<String>,
    /// Name as used in lists, at most 64 characters.
    short_name: Option<String>,
    /// What kind of unit it is, with a credit code as without.
    kind: Option<OrganizationKind>,
    /// Where it is registered or, for a community, what it governs.
    region_id: Option<ID>,
    /// Name of the liaison, at most 64 characters.
    contact_name: Option<String>,
    /// Post of the liaison, at most 64 characters.
    contact_title: Option<String>,
    /// Phone of the liaison, at most 32 characters.
    contact_phone: Option<String>,
}

/// A membership that changes its state.
#[derive(InputObject)]
pub struct MembershipStepInput {
    /// The membership.
    membership_id: ID,
    /// The version that the caller read; without one the state alone decides.
    expected_version: Option<i64>,
}

/// A membership that changes its state, perhaps for a reason.
#[derive(InputObject)]
pub struct DeclineInvitationInput {
    /// The membership.
    membership_id: ID,
    /// The version that the caller read; without one the state alone decides.
    expected_version: Option<i64>,
    /// Why, at most 1,000 characters.
    reason: Option<String>,
}

/// A membership that changes its state for a reason.
#[derive(InputObject)]
pub struct MembershipReasonInput {
    /// The membership.
    membership_id: ID,
    /// The version that the caller read; without one the state alone decides.
    expected_version: Option<i64>,
    /// Why, at most 1,000 characters.
    reason: String,
}

/// What changes of a member's contact: what is absent stays, null clears.
#[derive(InputObject)]
pub struct UpdateMemberContactInput {
    /// The membership.
    membership_id: ID,
    /// The version that the caller read.
    expected_version: i64,
    /// Name of the liaison, at most 64 characters.
    contact_name: MaybeUndefined<String>,
    /// Post of the liaison, at most 64 characters.
    contact_title: MaybeUndefined<String>,
    /// Phone of the liaison, at most 32 characters.
    contact_phone: MaybeUndefined<String>,
}

/// Absent stays, null clears.
pub(super) fn change(value: MaybeUndefined<String>) -> Option<Option<String>> {
    match value {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    }
}

payload!(
    /// What came of a change to a membership.
    MembershipPayload {
        /// The membership.
        membership: Membership
    }
);

#[derive(Default)]
pub struct MembershipMutation;

#[Object]
impl MembershipMutation {
    /// Asks for a seat in an alliance. The organisation's manager in the alliance where it has been a member the longest may,
    /// and a platform administrator.
    async fn apply_for_membership(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who asks, and where.")] input: ApplyForMembershipInput,
    ) -> Result<MembershipPayload> {
        let ctx = ctx(context);
        let result = async {
            let alliance = id::decode(&input.alliance_id, "allianceId")?;
            let organization = id::decode(&input.organization_id, "organizationId")?;
            let contact =
                Contact { name: input.contact_name, title: input.contact_title, phone: input.contact_phone };
            verbs::apply(ctx, alliance, organization, contact).await
        }
        .await;
        MembershipPayload::of(ctx, result).await
    }

    /// Offers a seat to an organisation. Only the committee may.
    async fn invite_organization(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whom, and where.")] input: InviteOrganizationInput,
    ) -> Result<MembershipPayload> {
        let ctx = ctx(context);
        let result = async {
            let alliance = id::decode(&input.alliance_id, "allianceId")?;
            let invitee = match &input.organization_id {
                Some(id) => Invitee::Known(id::decode(id, "organizationId")?),
                None => Invitee::Named {
                    name: input.name,
                    short_name: input.short_name,
                    kind: input.kind.map(Into::into),
                    credit_code: input.credit_code,
                    region_id: id::decode_optional(input.region_id.as_ref(), "regionId")?,
                },
            };
            let contact =
                Contact { name: input.contact_name, title: input.contact_title, phone: input.contact_phone };
            verbs::invite(ctx, alliance, invitee, contact).await
        }
        .await;
        MembershipPayload::of(ctx, result).await
    }

    /// Takes up an invitation. Only the organisation itself may: its manager in the alliance where it has been a member the
    /// longest (a seat that another alliance gives has power there alone), or a platform administrator on its behalf.
    async fn accept_invitation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which invitation.")] input: MembershipStepInput,
    ) -> Result<MembershipPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.membership_id, "membershipId")?;
            verbs::accept(ctx, id, input.expected_version).await
        }
        .await;
        MembershipPayload::of(ctx, result).await
    }

    /// Declines an invitation, or takes it back. Whoever may accept it may decline it; the committee takes it back.
    async fn decline_invitation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which invitation, and why.")] input: DeclineInvitationInput,
    ) -> Result<MembershipPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.membership_id, "membershipId")?;
            verbs::decline_invitation(ctx, id, input.expected_version, input.reason.as_deref()).await
        }
        .await;
        MembershipPayload::of(ctx, result).await
    }

    /// Admits an applicant. Only the committee may; it also seats an invited organisation that it knows and that is a member
    /// of no other alliance, as nobody else could speak for it.
    async fn admit_member(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which application or invitation.")] input: MembershipStepInput,
    ) -> Result<MembershipPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.membership_id, "membershipId")?;
            verbs::admit_member(ctx, id, input.expected_version).await
        }
        .await;
        MembershipPayload::of(ctx, result).await
    }

    /// Declines an application. Only the committee may.
    async fn decline_application(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which application, and why.")] input: MembershipReasonInput,
    ) -> Result<MembershipPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.membership_id, "membershipId")?;
            verbs::decline_application(ctx, id, input.expected_version, &input.reason).await
        }
        .await;
        MembershipPayload::of(ctx, result).await
    }

    /// Suspends a member and the roles of its people in this alliance. Only the committee may.
    async fn suspend_member(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which membership, and why.")] input: MembershipReasonInput,
    ) -> Result<MembershipPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.membership_id, "membershipId")?;
            verbs::suspend(ctx, id, input.expected_version, &input.reason).await
        }
        .await;
        MembershipPayload::of(ctx, result).await
    }

    /// Restores a suspended member and the roles of its people. Only the committee may.
    async fn restore_member(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which membership.")] input: MembershipStepInput,
    ) -> Result<MembershipPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.membership_id, "membershipId")?;
            verbs::restore(ctx, id, input.expected_version).await
        }
        .await;
        MembershipPayload::of(ctx, result).await
    }

    /// Ends a membership: the roles of its people and their reports to home communities end, it leaves the standing teams, its history
    /// stays. `LEADS_TEAM` where it leads one, `STANDS_IN_CALLS` while it is called to a whistle, `STANDS_IN_DUTIES` while it is paired,
    /// holds posts in grids, hosts branches, sends or has instructors, or is called to an order. Only the committee may.
    async fn end_membership(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which membership, and why.")] input: MembershipReasonInput,
    ) -> Result<MembershipPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.membership_id, "membershipId")?;
            verbs::end(ctx, id, input.expected_version, &input.reason).await
        }
        .await;
        MembershipPayload::of(ctx, result).await
    }

    /// Changes the contact that a member names. Its own manager may, or the committee.
    async fn update_member_contact(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What changes.")] input: UpdateMemberContactInput,
    ) -> Result<MembershipPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.membership_id, "membershipId")?;
            let contact = ContactChange {
                name: change(input.contact_name),
                title: change(input.contact_title),
                phone: change(input.contact_phone),
            };
            verbs::update_contact(ctx, id, input.expected_version, contact).await
        }
        .await;
        MembershipPayload::of(ctx, result).await
    }
}
