//! What happened, recorded in the same transaction as the change: audit log, outbox and source of subscriptions at once.
//! Nothing else notifies anybody. Sealing into positions and chains stands in `domain::chain`.

use concord_entities::{
    event,
    id::{AllianceId, EventId, OrganizationId, TypedId},
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    context::{Actor, Tx},
    error::{Error, Result},
};

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)+) => {
        /// Kinds of events.
        #[derive(async_graphql::Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[graphql(name = "EventKind")]
        pub enum Event { $($(#[$doc])* $name,)+ }

        impl Event {
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The kind as stored.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.text() == text)
            }
        }
    };
}

events! {
    /// An account was made.
    AccountCreated = "account_created",
    /// A person was given a role.
    SeatGranted = "seat_granted",
    /// A region was recorded by hand.
    RegionRecorded = "region_recorded",
    /// A register of regions was imported.
    RegionsImported = "regions_imported",
    /// An alliance was founded.
    AllianceFounded = "alliance_founded",
    /// An alliance's settings changed.
    AllianceUpdated = "alliance_updated",
    /// An organisation was recorded.
    OrganizationRecorded = "organization_recorded",
    /// An organisation applied for a seat.
    MembershipApplied = "membership_applied",
    /// An organisation was invited.
    MembershipInvited = "membership_invited",
    /// An organisation was admitted, or took up its invitation.
    MembershipAdmitted = "membership_admitted",
    /// An application or invitation was declined.
    MembershipDeclined = "membership_declined",
    /// A seat was suspended.
    MembershipSuspended = "membership_suspended",
    /// A suspended seat was restored.
    MembershipRestored = "membership_restored",
    /// A seat ended.
    MembershipEnded = "membership_ended",
    /// A member's contact changed.
    MembershipContactUpdated = "membership_contact_updated",
    /// A service team was formed.
    ServiceTeamFormed = "service_team_formed",
    /// A service team changed.
    ServiceTeamUpdated = "service_team_updated",
    /// A service team was disbanded.
    ServiceTeamDisbanded = "service_team_disbanded",
    // identity
    // territory
    // governance
    /// An organisation's particulars changed.
    OrganizationUpdated = "organization_updated",
    // calendar
    /// A year of the working calendar was replaced.
    CalendarImported = "calendar_imported",
    /// A local day of the working calendar was set or taken away.
    CalendarDaySet = "calendar_day_set",
    // rotation
    // priority task
    // problem
    // file
    // fact
    // import
}

/// An event about to be recorded.
#[derive(Debug)]
pub struct Fact {
    kind: Event,
    subject_kind: &'static str,
    subject_id: Uuid,
    alliance: Option<AllianceId>,
    organizations: Vec<OrganizationId>,
    details: Map<String, Value>,
}

impl Fact {
    /// A fact about `subject`.
    pub fn of<I: TypedId>(kind: Event, subject: I) -> Self {
        Self {
            kind,
            subject_kind: I::NOUN,
            subject_id: subject.into(),
            alliance: None,
            organizations: Vec::new(),
            details: Map::new(),
        }
    }

    /// The alliance whose chain it joins; without one it joins the platform's.
    #[must_use]
    pub fn alliance(mut self, alliance: AllianceId) -> Self {
        self.alliance = Some(alliance);
        self
    }

    /// Organisations that it concerns: they find it among their own changes.
    #[must_use]
    pub fn organizations(mut self, organizations: impl IntoIterator<Item = OrganizationId>) -> Self {
        for organization in organizations {
            if !self.organizations.contains(&organization) {
                self.organizations.push(organization);
            }
        }
        self
    }

    /// A detail under `name`; names are those of the schema.
    #[must_use]
    pub fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// A change of state.
    #[must_use]
    pub fn moved(self, from: impl Into<Value>, to: impl Into<Value>) -> Self {
        self.detail("from", from).detail("to", to)
    }

    /// Why it was done.
    #[must_use]
    pub fn reason(self, reason: Option<&str>) -> Self {
        match reason {
            Some(reason) => self.detail("reason", reason),
            None => self,
        }
    }
}

impl Tx<'_> {
    /// Records `fact` in the same transaction as the change it tells of.
    pub async fn record(&self, fact: Fact) -> Result<EventId> {
        let id: EventId = self.ctx.new_id();
        let payload = Value::Object(fact.details).to_string();
        let salt: [u8; 16] = self.ctx.app.random_bytes();
        let organizations = serde_json::to_string(&fact.organizations).map_err(Error::internal)?;
        let (actor_kind, actor_id) = match self.ctx.actor {
            Actor::Account { id, .. } => (event::ActorKind::Account, Some(id)),
            _ => (event::ActorKind::System, None),
        };
        event::ActiveModel {
            id: Set(id),
            alliance_id: Set(fact.alliance),
            kind: Set(fact.kind.text().to_owned()),
            actor_kind: Set(actor_kind),
            actor_id: Set(actor_id),
            subject_kind: Set(fact.subject_kind.to_owned()),
            subject_id: Set(fact.subject_id),
            organization_ids: Set(organizations),
            occurred_at: Set(self.ctx.now()),
            digest: Set(digest(&salt, &payload)),
            salt: Set(Some(salt.to_vec())),
            payload: Set(Some(payload)),
        }
        .insert(&self.db)
        .await?;
        Ok(id)
    }
}

/// What stands in the chain for a payload: a salted digest, so that an erased payload cannot be guessed from it.
pub fn digest(salt: &[u8], payload: &str) -> Vec<u8> {
    Sha256::new().chain_update(salt).chain_update(payload).finalize().to_vec()
}
