//! Who may do what: one pure table of roles and actions, printed to a golden file and tested exhaustively.

use concord_entities::{
    id::{AccountId, AllianceId, OrganizationId, SeatId},
    seat::{self, Role},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::{
    context::{Actor, Ctx},
    error::{Error, Result},
};

/// How far a role's power over an action goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Not at all.
    Never,
    /// On what concerns the organisation that the seat acts for.
    Own,
    /// On everything of the alliance.
    Any,
}

macro_rules! actions {
    ($($name:ident,)+) => {
        /// Everything that needs a right; the name is the mutation's.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action { $($name,)+ }

        impl Action {
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];
        }
    };
}

actions! {
    // People
    InviteAccount, ResetPassword, DisableAccount, AssignRole, ReadAccounts, ManageApiKeys, ReadOpenWork,
    // Alliance, members, teams
    UpdateAlliance, AdmitMember, SuspendMember, EndMembership, UpdateMemberContact, AnswerInvitation,
    DeclineInvitation, UpdateOrganization, ManageServiceTeams, ReadContacts,
    // Rotation
    ManageRotationPlan, ApproveRotationPlan, AssignRotationSlot, BlockRotationSlot, ProposeSwap, AgreeSwap,
    ApproveSwap, RecordCheckIn, RecordDocking, OfferHandover, AcknowledgeHandover, ExcuseRotationSlot,
    AnswerHandoverItems, AssignHandoverItem,
    // Calendar
    ManageCalendar,
    // Priority tasks
    ManageTaskList, CreatePriorityTask, UpdatePriorityTask, AcknowledgePriorityTask, ReportProgress,
    SubmitPriorityTask, CompletePriorityTask, ReturnPriorityTask, CancelPriorityTask,
    DecomposePriorityTask,
    // Problems
    RegisterProblem, UpdateProblem, TriageProblem, AssignProblem, AcceptProblem, DeclineProblem, StartProblem, ReassignProblem, SubmitProblem,
    VerifyProblem, ReturnProblem, StrikeOffProblem, RejectProblem, WithdrawProblem, RecallProblem, AddEvidence,
    ReadReporter, EraseReporter,
    ImportProblems,
    // Deadlines and supervision
    SetDeadlinePolicy, RequestExtension, DecideExtension, IssueSupervisionNotice, AnswerSupervisionNotice,
    ReadCertificate,
    // Joint handling
    AddProblemPart, RemoveProblemPart, ReopenProblemPart, AcceptProblemPart, DeclineProblemPart, StartProblemPart,
    FinishProblemPart,
    // Holding, signing off, tiers
    HoldProblem, ResumeProblem, SignOffProblem, MoveProblemTier,
    // Rounds, follow-up, merging, escalation
    ReopenProblem, RequestFollowUp, RecordFollowUp, ExcludeFollowUp, MergeProblem, EscalateProblem, RecallEscalation,
    ReturnEscalation,
    // Whistles
    ApplyForWhistle, ApproveWhistle, RejectWhistle, WithdrawWhistle, SoundWhistle, CallWhistleUnits, CallOffWhistle,
    EscalateWhistle, ReturnWhistleEscalation, RerouteWhistleCall, ExcuseWhistleCall, ReportInToWhistle, ArriveAtWhistle, ClaimWhistleResolved,
    RefuseWhistleCall, ReturnWhistleClaim, EvaluateWhistleCall, ReleaseWhistleCall,
    // Grids
    EstablishGridNetwork, DrawGridCell, RedrawGridCell, EndGridCell, AssignGridOfficer, EndGridOfficer, EraseGridOfficer,
    // Mobilisation
    DraftMobilization, AmendMobilizationNeeds, CallMobilizationUnits, AddMobilizationShifts, IssueMobilization,
    DiscardMobilization, StandDownMobilization, ReleaseMobilizationUnit, AcknowledgeMobilization, ArriveAtMobilization,
    CheckInToMobilization, PairOrganization, ReportHome,
    // Party branches
    EstablishPartyBranch, ChangePartyBranch, CountPartyMembers, EndPartyBranch, LinkBranchMatter,
    UnlinkBranchMatter, EraseBranchSecretary, AppointBranchInstructor, EndBranchInstructor, EraseBranchInstructor,
}

/// All roles, in the order of the golden table.
pub const ROLES: [Role; 8] = [
    Role::Committee,
    Role::Approver,
    Role::MemberManager,
    Role::MemberStaff,
    Role::CommunityOfficer,
    Role::GridOfficer,
    Role::Verifier,
    Role::Observer,
];

/// What `role` may do.
pub const fn grant(role: Role, action: Action) -> Grant {
    use Action as A;
    use Grant::{Any, Never, Own};
    use Role as R;
    match (action, role) {
        // The committee runs the alliance; it neither verifies nor strikes off: others must have seen the evidence.
        (
            A::InviteAccount
            | A::ResetPassword
            | A::DisableAccount
            | A::AssignRole
            | A::ReadAccounts
            | A::ManageApiKeys
            | A::ReadOpenWork
            | A::UpdateAlliance
            | A::AdmitMember
            | A::SuspendMember
            | A::EndMembership
            | A::UpdateMemberContact
            | A::DeclineInvitation
            | A::UpdateOrganization
            | A::ManageServiceTeams
            | A::ReadContacts
            | A::ManageRotationPlan
            | A::AssignRotationSlot
            | A::BlockRotationSlot
            | A::ProposeSwap
            | A::AgreeSwap
            | A::ApproveSwap
            | A::RecordCheckIn
            | A::RecordDocking
            | A::OfferHandover
            | A::AcknowledgeHandover
            | A::AnswerHandoverItems
            | A::AssignHandoverItem
            | A::ExcuseRotationSlot
            | A::ManageCalendar
            | A::ManageTaskList
            | A::CreatePriorityTask
            | A::UpdatePriorityTask
            | A::CompletePriorityTask
            | A::ReturnPriorityTask
            | A::CancelPriorityTask
            | A::DecomposePriorityTask
            | A::RegisterProblem
            | A::UpdateProblem
            | A::TriageProblem
            | A::AssignProblem
            | A::ReturnProblem
            | A::RejectProblem
            | A::WithdrawProblem
            | A::RecallProblem
            | A::ReassignProblem
            | A::AddEvidence
            | A::ReadReporter
            | A::EraseReporter
            | A::ImportProblems
            | A::SetDeadlinePolicy
            | A::DecideExtension
            | A::IssueSupervisionNotice
            | A::ReadCertificate
            | A::AddProblemPart
            | A::RemoveProblemPart
            | A::ReopenProblemPart
            | A::HoldProblem
            | A::ResumeProblem
            | A::MoveProblemTier
            | A::ReopenProblem
            | A::RequestFollowUp
            | A::RecordFollowUp
            | A::MergeProblem
            | A::EscalateProblem
            | A::RecallEscalation
            | A::ReturnEscalation
            | A::ApplyForWhistle
            | A::WithdrawWhistle
            | A::SoundWhistle
            | A::CallWhistleUnits
            | A::CallOffWhistle
            | A::EscalateWhistle
            | A::ReturnWhistleEscalation
            | A::RerouteWhistleCall
            | A::ExcuseWhistleCall
            | A::ReturnWhistleClaim
            | A::EvaluateWhistleCall
            | A::ReleaseWhistleCall
            | A::EstablishGridNetwork
            | A::DrawGridCell
            | A::RedrawGridCell
            | A::EndGridCell
            | A::AssignGridOfficer
            | A::EndGridOfficer
            | A::EraseGridOfficer
            | A::DraftMobilization
            | A::AmendMobilizationNeeds
            | A::CallMobilizationUnits
            | A::AddMobilizationShifts
            | A::IssueMobilization
            | A::DiscardMobilization
            | A::StandDownMobilization
            | A::ReleaseMobilizationUnit
            | A::CheckInToMobilization
            | A::PairOrganization
            | A::ReportHome
            | A::EstablishPartyBranch
            | A::ChangePartyBranch
            | A::CountPartyMembers
            | A::EndPartyBranch
            | A::LinkBranchMatter
            | A::UnlinkBranchMatter
            | A::EraseBranchSecretary
            | A::AppointBranchInstructor
            | A::EndBranchInstructor
            | A::EraseBranchInstructor,
            R::Committee,
        ) => Any,
        (
            A::ApproveRotationPlan
            | A::StrikeOffProblem
            | A::ReturnProblem
            | A::ReadContacts
            | A::ReadReporter
            | A::ReadCertificate
            | A::HoldProblem
            | A::ResumeProblem
            | A::SignOffProblem
            | A::ExcludeFollowUp
            | A::ApproveWhistle
            | A::RejectWhistle,
            R::Approver,
        ) => Any,
        // A member manager looks after the people and the affairs of one unit, staff after its affairs.
        (
            A::InviteAccount
            | A::ResetPassword
            | A::DisableAccount
            | A::AssignRole
            | A::ReadAccounts
            | A::ReadOpenWork
            | A::UpdateMemberContact
            | A::AnswerInvitation
            | A::DeclineInvitation
            | A::UpdateOrganization
            | A::ProposeSwap
            | A::AgreeSwap
            | A::ReassignProblem,
            R::MemberManager,
        ) => Own,
        (
            A::AcknowledgePriorityTask
            | A::ReportProgress
            | A::SubmitPriorityTask
            | A::AcceptProblem
            | A::DeclineProblem
            | A::StartProblem
            | A::SubmitProblem
            | A::AcceptProblemPart
            | A::DeclineProblemPart
            | A::StartProblemPart
            | A::FinishProblemPart
            | A::AddEvidence
            | A::RecordCheckIn
            | A::RecordDocking
            | A::OfferHandover
            | A::AcknowledgeHandover
            | A::AnswerHandoverItems
            | A::UpdateProblem
            | A::WithdrawProblem
            | A::RequestExtension
            | A::AnswerSupervisionNotice
            | A::ReadCertificate
            | A::ReadContacts
            | A::ReportInToWhistle
            | A::ArriveAtWhistle
            | A::ClaimWhistleResolved
            | A::RefuseWhistleCall
            | A::AcknowledgeMobilization
            | A::ArriveAtMobilization
            | A::CheckInToMobilization
            | A::ReportHome,
            R::MemberManager | R::MemberStaff,
        ) => Own,
        // What its members cannot answer comes to the committee's own unit.
        (A::AnswerSupervisionNotice, R::Committee) => Own,
        (A::RegisterProblem, R::MemberManager | R::MemberStaff | R::CommunityOfficer | R::GridOfficer) => Any,
        // Communities and stations dock with the team, raise problems, and may correct and take back what they raised.
        (A::RecordDocking | A::ReadContacts | A::ApplyForWhistle, R::CommunityOfficer) => Any,
        (A::WithdrawWhistle, R::CommunityOfficer) => Own,
        // People are received where they come: the verb keeps an officer to the community of the seat.
        (A::CheckInToMobilization | A::ReportHome, R::CommunityOfficer | R::GridOfficer) => Any,
        (A::AddEvidence | A::UpdateProblem | A::WithdrawProblem, R::CommunityOfficer | R::GridOfficer) => Own,
        (A::VerifyProblem | A::ReturnProblem | A::AddEvidence, R::Verifier) => Any,
        // Whoever is not responsible asks reporters; the verb keeps those out who had a part in the problem.
        (A::RequestFollowUp, R::Verifier | R::Approver) => Any,
        (A::RecordFollowUp, R::Verifier | R::Approver | R::CommunityOfficer) => Any,
        _ => Never,
    }
}

/// Whether one person may not hold both roles in one alliance: who runs it is never who checks it, so the evidence is
/// passed, problems are struck off and the rotation is approved by somebody else.
pub const fn excludes(one: Role, other: Role) -> bool {
    use Role::{Approver, Committee, Verifier};
    matches!((one, other), (Committee, Verifier | Approver) | (Verifier | Approver, Committee))
}

/// What is acted on: an alliance, and the organisations that the object concerns.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    pub alliance: AllianceId,
    pub organizations: &'a [OrganizationId],
    /// Who registered or wrote the object, where its author may act on it as on their own.
    pub author: Option<AccountId>,
}

impl<'a> Target<'a> {
    pub const fn alliance(alliance: AllianceId) -> Self {
        Self { alliance, organizations: &[], author: None }
    }

    #[must_use]
    pub const fn of(self, organizations: &'a [OrganizationId]) -> Self {
        Self { organizations, ..self }
    }

    #[must_use]
    pub const fn by(self, author: Option<AccountId>) -> Self {
        Self { author, ..self }
    }
}

/// The seat under which an action was allowed; all empty when the platform itself acts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    pub account_id: Option<AccountId>,
    pub seat_id: Option<SeatId>,
    pub role: Option<Role>,
    pub organization_id: Option<OrganizationId>,
}

impl Ctx {
    /// The one authorization check of every verb: the widest grant of the caller's active seats decides.
    pub async fn require(
        &self,
        db: &impl ConnectionTrait,
        action: Action,
        target: Target<'_>,
    ) -> Result<Standing> {
        self.require_by(db, action, target, standing).await
    }

    async fn require_by(
        &self,
        db: &impl ConnectionTrait,
        action: Action,
        target: Target<'_>,
        by: impl Fn(AccountId, &[seat::Model], Action, Target<'_>) -> Option<Standing>,
    ) -> Result<Standing> {
        let account = match self.actor {
            Actor::System => return Ok(Standing::default()),
            Actor::Anonymous => return Err(Error::Unauthenticated),
            Actor::Key(_) => return Err(Error::Forbidden),
            Actor::Account { id, .. } => id,
        };
        let seats = active_seats(db, account, target.alliance).await?;
        by(account, &seats, action, target).ok_or(Error::Forbidden)
    }

    /// The same for what the caller brings in the name of a unit.
    pub async fn require_for_unit(
        &self,
        db: &impl ConnectionTrait,
        action: Action,
        target: Target<'_>,
    ) -> Result<Standing> {
        self.require_by(db, action, target, standing_of_unit).await
    }
}

/// The caller's active seats in one alliance.
pub async fn active_seats(
    db: &impl ConnectionTrait,
    account: AccountId,
    alliance: AllianceId,
) -> Result<Vec<seat::Model>> {
    use concord_entities::account;
    Ok(seat::Entity::find()
        .inner_join(account::Entity)
        .filter(account::Column::State.eq(account::State::Active))
        .filter(seat::Column::AccountId.eq(account))
        .filter(seat::Column::AllianceId.eq(alliance))
        .filter(seat::Column::State.eq(seat::State::Active))
        .all(db)
        .await?)
}

/// The seat that allows `action`, if any: first one with power over the whole alliance, then one over its own.
pub fn standing(
    account: AccountId,
    seats: &[seat::Model],
    action: Action,
    target: Target<'_>,
) -> Option<Standing> {
    let of = |seat: &seat::Model| Standing {
        account_id: Some(account),
        seat_id: Some(seat.id),
        role: Some(seat.role),
        organization_id: seat.organization_id,
    };
    let any = seats.iter().find(|seat| grant(seat.role, action) == Grant::Any);
    let own = || {
        seats.iter().find(|seat| {
            grant(seat.role, action) == Grant::Own
                && (seat.organization_id.is_some_and(|own| target.organizations.contains(&own))
                    || target.author == Some(account))
        })
    };
    any.or_else(own).map(of)
}

/// The same, for what is brought in a unit's name: where the caller acts for a unit that is concerned, they act as that unit's,
/// whatever other seat has wider power.
pub fn standing_of_unit(
    account: AccountId,
    seats: &[seat::Model],
    action: Action,
    target: Target<'_>,
) -> Option<Standing> {
    let is_concerned =
        |seat: &&seat::Model| seat.organization_id.is_some_and(|unit| target.organizations.contains(&unit));
    let own: Vec<seat::Model> = seats.iter().filter(is_concerned).cloned().collect();
    standing(account, &own, action, target).or_else(|| standing(account, seats, action, target))
}
