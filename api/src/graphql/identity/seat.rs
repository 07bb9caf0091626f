//! Faces of the roles that people hold.

use async_graphql::{Context, Enum, ID, InputObject, Object, OneofObject, Result};
use concord_entities::{
    id::{SeatId, TypedId},
    seat,
};
use uuid::Uuid;

use super::account::Account;
use crate::{
    domain::{
        self, Ctx,
        identity::seat::{self as verbs, NewSeat, Person},
    },
    graphql::{
        ctx,
        error::payload,
        governance::{alliance::Alliance, organization::Organization},
        id, loaders,
        node::Node,
        scalar::DateTime,
        territory::region::Region,
    },
};

/// A role that a person holds in an alliance, perhaps for a member organisation or a community.
#[derive(Clone)]
pub struct Seat(pub seat::Model);

impl From<seat::Model> for Seat {
    fn from(row: seat::Model) -> Self {
        Self(row)
    }
}

impl Node for Seat {
    const NOUN: &'static str = SeatId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find(ctx, id.into()).await?.map(Self))
    }
}

/// What a person may do in an alliance.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::seat::Role")]
pub enum Role {
    /// Runs the alliance: members, rotation, lists, people.
    Committee,
    /// Approves the rotation and strikes problems off.
    Approver,
    /// Looks after the people and the affairs of one member organisation.
    MemberManager,
    /// Acts for one member organisation.
    MemberStaff,
    /// Speaks for a community or a station.
    CommunityOfficer,
    /// Raises problems of a grid cell.
    GridOfficer,
    /// Checks submitted problems independently.
    Verifier,
    /// Reads.
    Observer,
}

/// Where a role stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::seat::State")]
pub enum SeatState {
    /// Gives its rights.
    Active,
    /// Gives no rights for now.
    Suspended,
    /// Is over.
    Ended,
}

/// A role that a person holds in an alliance, perhaps for a member organisation or a community.
#[Object]
impl Seat {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// Who holds it.
    async fn account(&self, context: &Context<'_>) -> Result<Option<Account>> {
        Ok(loaders::one(context, self.0.account_id).await?.map(Account))
    }

    /// Where.
    async fn alliance(&self, context: &Context<'_>) -> Result<Option<Alliance>> {
        Ok(loaders::one(context, self.0.alliance_id).await?.map(Alliance))
    }

    /// As what.
    async fn role(&self) -> Role {
        self.0.role.into()
    }

    /// The member organisation that the person acts for.
    async fn organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        match self.0.organization_id {
            Some(id) => Ok(loaders::one(context, id).await?.map(Organization)),
            None => Ok(None),
        }
    }

    /// The community that an officer is responsible for.
    async fn region(&self, context: &Context<'_>) -> Result<Option<Region>> {
        match self.0.region_id {
            Some(id) => Ok(loaders::one(context, id).await?.map(Region)),
            None => Ok(None),
        }
    }

    /// Whether it gives rights.
    async fn state(&self) -> SeatState {
        self.0.state.into()
    }

    /// When it was given.
    async fn granted_at(&self) -> DateTime {
        self.0.granted_at.into()
    }

    /// When it ended.
    async fn ended_at(&self) -> Option<DateTime> {
        self.0.ended_at.map(Into::into)
    }

    /// Grows by one with every change.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

/// A person whom the caller may take in: one whom they see already, or one who acts for the very member that the role is for.
/// Anybody else is not found.
#[derive(OneofObject)]
pub enum PersonInput {
    /// Identifier of the account.
    AccountId(ID),
    /// Exact sign-in name of the account.
    Username(String),
}

/// Who gets which role.
#[derive(InputObject)]
pub struct AssignRoleInput {
    /// Who.
    person: PersonInput,
    /// Where.
    alliance_id: ID,
    /// As what.
    role: Role,
    /// The member organisation that the person acts for; required for member roles and verifiers.
    organization_id: Option<ID>,
    /// The community that an officer is responsible for.
    region_id: Option<ID>,
}

impl AssignRoleInput {
    fn read(self) -> domain::Result<(Person, NewSeat)> {
        let (person, account_id) = match self.person {
            PersonInput::AccountId(account) => {
                let id = id::decode(&account, "person.accountId")?;
                (Person::Id(id), id)
            }
            PersonInput::Username(name) => (Person::Username(name), Uuid::nil().into()),
        };
        let seat = NewSeat {
            account_id,
            alliance_id: id::decode(&self.alliance_id, "allianceId")?,
            role: self.role.into(),
            organization_id: id::decode_optional(self.organization_id.as_ref(), "organizationId")?,
            region_id: id::decode_optional(self.region_id.as_ref(), "regionId")?,
        };
        Ok((person, seat))
    }
}

/// Which role ends.
#[derive(InputObject)]
pub struct EndSeatInput {
    /// The role.
    seat_id: ID,
}

payload!(
    /// What came of giving a role.
    AssignRolePayload {
        /// The role.
        seat: Seat
    }
);

payload!(
    /// What came of ending a role.
    EndSeatPayload {
        /// The role.
        seat: Seat
    }
);

#[derive(Default)]
pub struct SeatMutation;

#[Object]
impl SeatMutation {
    /// Gives a person a role. The committee may give any, a member manager those of their own organisation's people; nobody
    /// gives one to themselves, but for a platform administrator where nobody runs the alliance yet. One person is not both
    /// `COMMITTEE` and `VERIFIER` or `APPROVER` in one alliance: who runs it is never who checks it.
    async fn assign_role(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who gets which role.")] input: AssignRoleInput,
    ) -> Result<AssignRolePayload> {
        let ctx = ctx(context);
        let result = async {
            let (person, seat) = input.read()?;
            verbs::assign(ctx, &person, seat).await
        };
        AssignRolePayload::of(ctx, result.await).await
    }

    /// Ends a role; what was done in it stays, and what it opened is shut at once. Whoever could give it may, and everybody
    /// may lay down their own. The last committee of an alliance is ended by a platform administrator only.
    async fn end_seat(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which role.")] input: EndSeatInput,
    ) -> Result<EndSeatPayload> {
        let ctx = ctx(context);
        let result = async { verbs::end(ctx, id::decode(&input.seat_id, "seatId")?).await };
        EndSeatPayload::of(ctx, result.await).await
    }
}
