//! What happened, recorded in the same transaction as the change: audit log, outbox and source of subscriptions at once.
//! Nothing else notifies anybody. Sealing into positions and chains stands in `domain::chain`.

use concord_entities::{
    event,
    id::{AllianceId, EventId, OrganizationId, TypedId},
};
use sea_orm::{ActiveValue::Set, EntityTrait};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    context::{Actor, Tx},
    error::{Error, Result},
};

/// Rows of one insert: twelve values each, and SQLite binds at most 32,766.
const ROWS: usize = 2_000;

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
    /// A person was invited.
    AccountInvited = "account_invited",
    /// An invited person set a password and may sign in.
    AccountActivated = "account_activated",
    /// A one-time link for a new password was made.
    PasswordLinkIssued = "password_link_issued",
    /// A password was set by a one-time link.
    PasswordReset = "password_reset",
    /// A person changed their own password.
    PasswordChanged = "password_changed",
    /// A person's access was ended.
    AccountDisabled = "account_disabled",
    /// A person's access was given back.
    AccountEnabled = "account_enabled",
    /// What was known of a person was erased.
    AccountErased = "account_erased",
    /// Sign-in was paused after too many wrong attempts.
    AccountLocked = "account_locked",
    /// A person signed in.
    SignedIn = "signed_in",
    /// A session was renewed.
    SessionRefreshed = "session_refreshed",
    /// A spent refresh token came back; its session was ended.
    RefreshTokenReused = "refresh_token_reused",
    /// A person signed out.
    SignedOut = "signed_out",
    /// A person's role was ended.
    SeatEnded = "seat_ended",
    /// A read-only key was made.
    ApiKeyCreated = "api_key_created",
    /// A read-only key was revoked.
    ApiKeyRevoked = "api_key_revoked",
    /// An account was linked with a subject of an external issuer.
    ExternalIdentityLinked = "external_identity_linked",
    /// A link with a subject of an external issuer was taken away.
    ExternalIdentityUnlinked = "external_identity_unlinked",
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
    /// A rotation plan was drafted.
    RotationPlanCreated = "rotation_plan_created",
    /// A rotation plan's teams, length or name changed.
    RotationPlanUpdated = "rotation_plan_updated",
    /// Turns were blocked for a team.
    RotationMonthBlocked = "rotation_month_blocked",
    /// A team may take blocked turns again.
    RotationMonthUnblocked = "rotation_month_unblocked",
    /// A rotation was generated.
    RotationGenerated = "rotation_generated",
    /// A rotation plan was submitted to the oversight body.
    RotationPlanSubmitted = "rotation_plan_submitted",
    /// The oversight body approved a rotation plan.
    RotationPlanApproved = "rotation_plan_approved",
    /// The oversight body sent a rotation plan back.
    RotationPlanReturned = "rotation_plan_returned",
    /// A rotation was published and its turns announced.
    RotationPlanPublished = "rotation_plan_published",
    /// A rotation plan ended.
    RotationPlanEnded = "rotation_plan_ended",
    /// A turn was given to a team by hand or by a swap.
    RotationSlotAssigned = "rotation_slot_assigned",
    /// A team was excused from its turn.
    RotationSlotExcused = "rotation_slot_excused",
    /// Nobody checked in by the day the alliance sets.
    RotationSlotMissed = "rotation_slot_missed",
    /// A team checked in.
    CheckInRecorded = "check_in_recorded",
    /// A docking meeting was held.
    DockingRecorded = "docking_recorded",
    /// A team handed its turn over to the next.
    HandoverOffered = "handover_offered",
    /// The next team took the turn over.
    HandoverAcknowledged = "handover_acknowledged",
    /// The incoming team accepted or declined what is handed on.
    HandoverItemsAnswered = "handover_items_answered",
    /// What nobody accepted of a handover went to the committee.
    HandoverItemsToCommittee = "handover_items_to_committee",
    /// The committee gave something that nobody accepted to a unit.
    HandoverItemAssigned = "handover_item_assigned",
    /// A swap of two turns was proposed.
    RotationSwapProposed = "rotation_swap_proposed",
    /// A team agreed to a swap.
    RotationSwapAgreed = "rotation_swap_agreed",
    /// A swap was approved; the two turns changed teams.
    RotationSwapApproved = "rotation_swap_approved",
    /// A swap was declined.
    RotationSwapDeclined = "rotation_swap_declined",
    /// A swap was withdrawn.
    RotationSwapWithdrawn = "rotation_swap_withdrawn",
    /// A private address of a rotation's calendar was made.
    CalendarFeedCreated = "calendar_feed_created",
    /// A private address of a rotation's calendar was revoked.
    CalendarFeedRevoked = "calendar_feed_revoked",
    // priority task
    /// A month's task list was drafted.
    TaskListCreated = "task_list_created",
    /// A task list changed.
    TaskListUpdated = "task_list_updated",
    /// A task list was published.
    TaskListPublished = "task_list_published",
    /// A task list was closed, its unfinished tasks carried over.
    TaskListClosed = "task_list_closed",
    /// A priority task was drafted.
    PriorityTaskCreated = "priority_task_created",
    /// A priority task changed.
    PriorityTaskUpdated = "priority_task_updated",
    /// A priority task was published.
    PriorityTaskPublished = "priority_task_published",
    /// The lead unit acknowledged a priority task.
    PriorityTaskAcknowledged = "priority_task_acknowledged",
    /// Progress of a priority task was reported.
    PriorityTaskProgressReported = "priority_task_progress_reported",
    /// The lead unit submitted a priority task as done.
    PriorityTaskSubmitted = "priority_task_submitted",
    /// The committee accepted a priority task as done.
    PriorityTaskCompleted = "priority_task_completed",
    /// The committee returned a priority task for rework.
    PriorityTaskReturned = "priority_task_returned",
    /// The committee gave a priority task up.
    PriorityTaskCancelled = "priority_task_cancelled",
    /// An unfinished priority task was carried over to a later list.
    PriorityTaskCarriedOver = "priority_task_carried_over",
    /// A priority task was decomposed into tasks of alliances below.
    PriorityTaskDecomposed = "priority_task_decomposed",
    /// A priority task was set a milestone.
    PriorityTaskMilestoneAdded = "priority_task_milestone_added",
    /// A milestone of a priority task was reached.
    PriorityTaskMilestoneReached = "priority_task_milestone_reached",
    /// The due date of a priority task is near.
    PriorityTaskDue = "priority_task_due",
    // problem
    /// A problem was registered.
    ProblemRegistered = "problem_registered",
    /// A problem was taken over from another system.
    ProblemImported = "problem_imported",
    /// The system that a problem was taken over from has closed it since.
    ProblemClosedAtSource = "problem_closed_at_source",
    /// A problem was corrected.
    ProblemUpdated = "problem_updated",
    /// A problem was triaged.
    ProblemTriaged = "problem_triaged",
    /// A problem was assigned.
    ProblemAssigned = "problem_assigned",
    /// An assignment was accepted.
    ProblemAccepted = "problem_accepted",
    /// An assignment was declined.
    ProblemDeclined = "problem_declined",
    /// Work on a problem began.
    ProblemStarted = "problem_started",
    /// Closure of a problem was asked for.
    ProblemSubmitted = "problem_submitted",
    /// The evidence of a problem passed.
    ProblemVerified = "problem_verified",
    /// A problem was returned for rework.
    ProblemReturned = "problem_returned",
    /// A problem was struck off.
    ProblemStruckOff = "problem_struck_off",
    /// A problem was rejected.
    ProblemRejected = "problem_rejected",
    /// A colleague took the work over.
    ProblemReassigned = "problem_reassigned",
    /// An assignment was taken back.
    ProblemRecalled = "problem_recalled",
    /// A problem was withdrawn.
    ProblemWithdrawn = "problem_withdrawn",
    /// A struck-off problem was reopened as its next round.
    ProblemReopened = "problem_reopened",
    /// A problem was a duplicate of another, which goes on.
    ProblemMerged = "problem_merged",
    /// A duplicate was merged into this problem.
    ProblemAbsorbed = "problem_absorbed",
    /// The problem that this one was merged into was rejected or withdrawn.
    ProblemSurvivorEnded = "problem_survivor_ended",
    /// A problem was handed up to the alliance above.
    ProblemEscalated = "problem_escalated",
    /// An escalated problem was struck off above and came back to be confirmed.
    ProblemEscalationResolved = "problem_escalation_resolved",
    /// The alliance above handed an escalated problem back.
    ProblemEscalationReturned = "problem_escalation_returned",
    /// An escalated problem was taken back.
    ProblemEscalationRecalled = "problem_escalation_recalled",
    /// Somebody is to ask whoever reported a problem.
    FollowUpDue = "follow_up_due",
    /// The day by which a reporter was to be asked has passed.
    FollowUpOverdue = "follow_up_overdue",
    /// A reporter was not reached.
    FollowUpTried = "follow_up_tried",
    /// A reporter was not reached three times, or was erased before anybody reached them.
    FollowUpUnreachable = "follow_up_unreachable",
    /// A reporter answered how it went.
    FollowUpAnswered = "follow_up_answered",
    /// What came of asking a reporter was taken out of the rates.
    FollowUpExcluded = "follow_up_excluded",
    /// A one-time link for a reporter's answer was made.
    FollowUpLinkIssued = "follow_up_link_issued",
    /// The deadline of a problem is near: a reminder (催办).
    ProblemDue = "problem_due",
    // deadlines and supervision
    /// An alliance set its deadlines anew.
    DeadlinePolicySet = "deadline_policy_set",
    /// A deadline of a problem passed unmet.
    ProblemBreached = "problem_breached",
    /// Deadlines were computed anew because a year of the working calendar became known.
    DeadlinesRecalculated = "deadlines_recalculated",
    /// A supervision notice was issued.
    SupervisionNoticeIssued = "supervision_notice_issued",
    /// A supervision notice was answered.
    SupervisionNoticeAnswered = "supervision_notice_answered",
    /// The day by which a supervision notice was to be answered has passed.
    SupervisionNoticeUnanswered = "supervision_notice_unanswered",
    /// A unit asked for more time.
    ExtensionRequested = "extension_requested",
    /// More time was granted.
    ExtensionGranted = "extension_granted",
    /// More time was refused.
    ExtensionRefused = "extension_refused",
    /// A unit was given a part in a problem.
    ProblemPartAdded = "problem_part_added",
    /// A joint unit's part was taken away.
    ProblemPartRemoved = "problem_part_removed",
    /// A joint unit accepted its part.
    ProblemPartAccepted = "problem_part_accepted",
    /// A joint unit declined its part.
    ProblemPartDeclined = "problem_part_declined",
    /// A joint unit began its part.
    ProblemPartStarted = "problem_part_started",
    /// A joint unit's part is done.
    ProblemPartFinished = "problem_part_finished",
    /// A joint unit's part was sent back to it.
    ProblemPartReopened = "problem_part_reopened",
    /// A problem was put on account.
    ProblemHeld = "problem_held",
    /// Work on a problem that was held goes on.
    ProblemResumed = "problem_resumed",
    /// The day has come on which a problem on account is looked at again: a reminder.
    ProblemReviewDue = "problem_review_due",
    /// An approver signed a problem off, and more have to.
    ProblemSignedOff = "problem_signed_off",
    /// A problem was moved to another tier.
    ProblemTierMoved = "problem_tier_moved",
    /// Somebody saw who reported a problem.
    ReporterRevealed = "reporter_revealed",
    /// Who reported a problem was erased.
    ReporterErased = "reporter_erased",
    /// Evidence was added to a problem or a task.
    EvidenceAdded = "evidence_added",
    /// Somebody kept a filter of a list for themselves.
    SavedFilterCreated = "saved_filter_created",
    /// Somebody let go of a filter.
    SavedFilterDeleted = "saved_filter_deleted",
    // whistle
    /// A whistle was applied for.
    WhistleApplied = "whistle_applied",
    /// A whistle was approved.
    WhistleApproved = "whistle_approved",
    /// An application for a whistle was rejected.
    WhistleRejected = "whistle_rejected",
    /// A whistle was withdrawn before it was sounded.
    WhistleWithdrawn = "whistle_withdrawn",
    /// A whistle was sounded: departments are called.
    WhistleSounded = "whistle_sounded",
    /// More departments were called to a whistle.
    WhistleUnitsCalled = "whistle_units_called",
    /// A department reported in to a whistle.
    WhistleReportedIn = "whistle_reported_in",
    /// A department came on site.
    WhistleArrived = "whistle_arrived",
    /// A department says that it is done.
    WhistleClaimed = "whistle_claimed",
    /// The town returned what a department claimed to be done.
    WhistleClaimReturned = "whistle_claim_returned",
    /// The town evaluated what a department did.
    WhistleEvaluated = "whistle_evaluated",
    /// The town released a department.
    WhistleCallReleased = "whistle_call_released",
    /// A department refused a call.
    WhistleRefused = "whistle_refused",
    /// A refused call was re-routed to another unit.
    WhistleRerouted = "whistle_rerouted",
    /// The town excused a department from its call.
    WhistleExcused = "whistle_excused",
    /// A whistle was escalated to the alliance above.
    WhistleEscalated = "whistle_escalated",
    /// The alliance above handed a whistle back.
    WhistleEscalationReturned = "whistle_escalation_returned",
    /// Every department that came to a whistle was released.
    WhistleReleased = "whistle_released",
    /// A whistle was called off.
    WhistleCalledOff = "whistle_called_off",
    /// The time to resolve what a department was called for comes near.
    WhistleDue = "whistle_due",
    /// A deadline of a call passed unmet.
    WhistleBreached = "whistle_breached",
    // grid
    /// A grid network was established.
    GridNetworkEstablished = "grid_network_established",
    /// A grid cell was drawn.
    GridCellDrawn = "grid_cell_drawn",
    /// A grid cell was given another territory.
    GridCellRedrawn = "grid_cell_redrawn",
    /// A grid cell was ended.
    GridCellEnded = "grid_cell_ended",
    /// Somebody was assigned to a grid cell.
    GridOfficerAssigned = "grid_officer_assigned",
    /// A post in a grid cell was ended.
    GridOfficerEnded = "grid_officer_ended",
    /// What was known of whoever held a post in a grid cell was erased.
    GridOfficerErased = "grid_officer_erased",
    // party branch
    /// A Party organisation was established.
    PartyBranchEstablished = "party_branch_established",
    /// A Party organisation changed or was moved.
    PartyBranchChanged = "party_branch_changed",
    /// The members of a Party organisation were counted.
    PartyMembersCounted = "party_members_counted",
    /// A Party organisation was ended.
    PartyBranchEnded = "party_branch_ended",
    /// A Party organisation serves a problem, task or whistle.
    BranchMatterLinked = "branch_matter_linked",
    /// It was taken back that a Party organisation serves a problem, task or whistle.
    BranchMatterUnlinked = "branch_matter_unlinked",
    /// What was known of a Party organisation's secretary was erased.
    BranchSecretaryErased = "branch_secretary_erased",
    /// An instructor was appointed for a place without a branch.
    BranchInstructorAppointed = "branch_instructor_appointed",
    /// An instructor's service ended.
    BranchInstructorEnded = "branch_instructor_ended",
    /// What was known of an instructor was erased.
    BranchInstructorErased = "branch_instructor_erased",
    /// The departments of an alliance were ranked for a month that is over.
    RankingTaken = "ranking_taken",
    // mobilization
    /// An order was drafted.
    MobilizationDrafted = "mobilization_drafted",
    /// What a draft of an order says changed.
    MobilizationDraftAmended = "mobilization_draft_amended",
    /// A draft of an order was discarded.
    MobilizationDraftDiscarded = "mobilization_draft_discarded",
    /// An order was issued: units are called, and people check in.
    MobilizationIssued = "mobilization_issued",
    /// What places need changed while the order stands.
    MobilizationNeedsAmended = "mobilization_needs_amended",
    /// More units were called to an order.
    MobilizationUnitsCalled = "mobilization_units_called",
    /// Shifts were set up while the order stands.
    MobilizationShiftsAdded = "mobilization_shifts_added",
    /// A called unit acknowledged the order.
    MobilizationAcknowledged = "mobilization_acknowledged",
    /// A called unit arrived.
    MobilizationArrived = "mobilization_arrived",
    /// The committee released a called unit.
    MobilizationUnitReleased = "mobilization_unit_released",
    /// Somebody checked in, came back or went elsewhere, or it became known with which unit they came.
    MobilizationCheckedIn = "mobilization_checked_in",
    /// Many people checked in at once; the details count them.
    MobilizationCheckedInMany = "mobilization_checked_in_many",
    /// Somebody who was present left.
    MobilizationCheckedOut = "mobilization_checked_out",
    /// An order was stood down.
    MobilizationStoodDown = "mobilization_stood_down",
    /// A unit was paired with a place.
    OrganizationPaired = "organization_paired",
    /// It was said when a pairing ends.
    PairingEnded = "pairing_ended",
    /// A member reported to their home community.
    HomeReported = "home_reported",
    /// A member's report to their home community ended.
    HomeReportEnded = "home_report_ended",
    // file
    // fact
    /// Somebody marked entries of their inbox as read.
    InboxRead = "inbox_read",
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
        event::Entity::insert(self.event(id, fact)?).exec_without_returning(&self.db).await?;
        Ok(id)
    }

    /// Records several facts in one statement, in the order in which they are given.
    pub async fn record_all(&self, facts: impl IntoIterator<Item = Fact>) -> Result<()> {
        let event = |fact| self.event(self.ctx.new_id(), fact);
        let rows: Vec<_> = facts.into_iter().map(event).collect::<Result<_>>()?;
        for some in rows.chunks(ROWS) {
            event::Entity::insert_many(some.to_vec()).exec_without_returning(&self.db).await?;
        }
        Ok(())
    }

    fn event(&self, id: EventId, fact: Fact) -> Result<event::ActiveModel> {
        let payload = Value::Object(fact.details).to_string();
        let salt: [u8; 16] = self.ctx.app.random_bytes();
        let (actor_kind, actor_id) = match self.ctx.actor {
            Actor::Account { id, .. } => (event::ActorKind::Account, Some(id)),
            _ => (event::ActorKind::System, None),
        };
        Ok(event::ActiveModel {
            id: Set(id),
            alliance_id: Set(fact.alliance),
            kind: Set(fact.kind.text().to_owned()),
            actor_kind: Set(actor_kind),
            actor_id: Set(actor_id),
            subject_kind: Set(fact.subject_kind.to_owned()),
            subject_id: Set(fact.subject_id),
            organization_ids: Set(serde_json::to_string(&fact.organizations).map_err(Error::internal)?),
            occurred_at: Set(self.ctx.now()),
            digest: Set(digest(&salt, &payload)),
            salt: Set(Some(salt.to_vec())),
            payload: Set(Some(payload)),
        })
    }
}

/// What stands in the chain for a payload: a salted digest, so that an erased payload cannot be guessed from it.
pub fn digest(salt: &[u8], payload: &str) -> Vec<u8> {
    Sha256::new().chain_update(salt).chain_update(payload).finalize().to_vec()
}
