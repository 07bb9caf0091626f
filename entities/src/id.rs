//! Typed identifiers: a `ProblemId` can never be passed where a `PriorityTaskId` is meant.

use uuid::Uuid;

/// An identifier that knows the noun it names.
pub trait TypedId: Copy + From<Uuid> + Into<Uuid> + Send + Sync + 'static {
    /// The noun's table name, also the first part of the public global id.
    const NOUN: &'static str;
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $noun:literal),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord,
            sea_orm::DeriveValueType, serde::Serialize, serde::Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl TypedId for $name {
            const NOUN: &'static str = $noun;
        }
        impl From<Uuid> for $name {
            fn from(raw: Uuid) -> Self {
                Self(raw)
            }
        }
        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
        impl sea_orm::TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
                Err(sea_orm::DbErr::ConvertFromU64(stringify!($name)))
            }
        }
    )+};
}

ids! {
    /// A person with a login. A person acts in roles and is never a resident on file.
    AccountId = "account",
    /// What an external issuer calls an account: issuer and subject, never an e-mail.
    ExternalIdentityId = "external_identity",
    /// One sign-in: the family of its refresh tokens.
    SessionId = "session",
    /// One single-use refresh token of a session, kept as a hash.
    RefreshTokenId = "refresh_token",
    /// A one-time link that sets a password: invitation or reset.
    AccountLinkId = "account_link",
    /// A role that a person holds in an alliance, perhaps for a member organisation or a community.
    SeatId = "seat",
    /// A read-only key of a dashboard, kept as a hash and shown once.
    ApiKeyId = "api_key",
    /// A node of the territorial tree, from province down to building.
    RegionId = "region",
    /// A unit: government unit, enterprise, property firm, volunteer group and so on.
    OrganizationId = "organization",
    /// Organisations that govern one region together.
    AllianceId = "alliance",
    /// The seat of an organisation in an alliance.
    MembershipId = "membership",
    /// A team formed by member organisations that takes its turn in the rotation.
    ServiceTeamId = "service_team",
    /// Which teams take turns, from when, and how long a turn is.
    RotationPlanId = "rotation_plan",
    /// A turn that a team cannot take.
    RotationBlockId = "rotation_block",
    /// One turn: the team on duty from one day up to another.
    RotationSlotId = "rotation_slot",
    /// Two slots whose teams change places once both agree and the committee approves.
    RotationSwapId = "rotation_swap",
    /// A team reported for duty: who came, when, where.
    CheckInId = "check_in",
    /// A docking meeting (对接会) of the team with the committee, a community or a station's branch.
    DockingId = "docking",
    /// The outgoing team hands its open items to the incoming one, who acknowledges.
    HandoverId = "handover",
    /// A task or problem that is handed on with a turn.
    HandoverItemId = "handover_item",
    /// A private, revocable address of a rotation's iCalendar feed.
    CalendarFeedId = "calendar_feed",
    /// A day that departs from Monday-to-Friday: a holiday or a make-up working day.
    CalendarDayId = "calendar_day",
    /// The priority tasks of an alliance's month.
    TaskListId = "task_list",
    /// One task of a month's list.
    PriorityTaskId = "priority_task",
    /// A step of a task with its own date.
    TaskMilestoneId = "task_milestone",
    /// An entry of a task's progress log, which is only appended to.
    TaskProgressId = "task_progress",
    /// A problem on the closure list, struck off only after evidence has been verified.
    ProblemId = "problem",
    /// A deadline that passed unmet.
    BreachId = "breach",
    /// A numbered demand to a unit that let a deadline pass.
    SupervisionNoticeId = "supervision_notice",
    /// More time for a unit's part of a problem.
    ExtensionId = "extension",
    /// A file that shows a fact about a problem or task, with its SHA-256.
    EvidenceId = "evidence",
    /// Somebody independent asks whoever reported a problem how it went.
    FollowUpId = "follow_up",
    /// A one-time link by which a reporter answers a follow-up.
    FollowUpLinkId = "follow_up_link",
    /// A whistle: a town calls departments for what is beyond its own power.
    WhistleId = "whistle",
    /// One department's answer to a whistle.
    WhistleResponseId = "whistle_response",
    /// A deadline of a call that passed unmet.
    WhistleBreachId = "whistle_breach",
    /// The ranking of an alliance's departments for a month that is over.
    RankingId = "ranking",
    /// A network of grid cells: the Party's, governance, or the police's.
    GridNetworkId = "grid_network",
    /// A cell of a grid network.
    GridCellId = "grid_cell",
    /// A person who holds a grid cell in a role.
    GridOfficerId = "grid_officer",
    /// A unit is responsible for a community, compound or building, from one day up to another.
    PairingId = "pairing",
    /// An in-service member reports to their home community.
    HomeReportId = "home_report",
    /// An order that calls units and people to communities.
    MobilizationId = "mobilization",
    /// How many people a place needs for a kind of work.
    MobilizationNeedId = "mobilization_need",
    /// A unit that an order calls.
    MobilizationUnitId = "mobilization_unit",
    /// A span of time in which a place needs a number of people.
    MobilizationShiftId = "mobilization_shift",
    /// A person who came.
    MobilizationCheckInId = "mobilization_check_in",
    /// A person who was in one place and then in another.
    MobilizationTransferId = "mobilization_transfer",
    /// What a request of check-ins was answered.
    MobilizationBatchId = "mobilization_batch",
    /// A Party organisation: committee, general branch, branch or group.
    PartyBranchId = "party_branch",
    /// Where a branch is at home.
    BranchHostId = "branch_host",
    /// How many members a Party organisation counted on a day.
    BranchMemberCountId = "branch_member_count",
    /// A problem, task or whistle that a branch serves.
    BranchMatterId = "branch_matter",
    /// An instructor who serves a place that has no branch.
    BranchInstructorId = "branch_instructor",
    /// Bytes kept under their SHA-256.
    StoredFileId = "stored_file",
    /// A filter of a list that a person keeps for themselves.
    SavedFilterId = "saved_filter",
    /// One recorded fact: audit log, outbox and source of subscriptions in one.
    EventId = "event",
    /// What a person should look at, drawn from one event.
    InboxEntryId = "inbox_entry",
}
