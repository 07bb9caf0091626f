//! Faces of what is done with problems: one mutation for each verb.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};

use super::{
    problem::{Problem, ProblemChannel, ProblemSeverity, ProblemTier},
    problem_decision::ProblemForum,
    task_input::edit,
};
use crate::{
    domain::{
        self,
        list::priority_task::Edit,
        list::problem::{
            self as verbs, NewProblem,
            edit::{self as edits, ProblemChange},
            moves::{self, Triage, Which},
            reporter,
            tiers::Settled,
        },
    },
    graphql::{
        ctx,
        error::{UserError, user_error},
        id,
        scalar::{Date, DateTime},
    },
};

/// A problem to register.
#[derive(InputObject)]
pub struct RegisterProblemInput {
    /// The alliance on whose list it goes.
    alliance_id: ID,
    /// In a few words, at most 200 characters.
    title: String,
    /// What is wrong, at most 4,000 characters.
    description: String,
    /// Kind of matter, at most 128 characters.
    category: String,
    /// Where, in words, at most 300 characters.
    place: Option<String>,
    /// The region it lies in, within the alliance's own.
    region_id: Option<ID>,
    /// How it came in.
    channel: ProblemChannel,
    /// Who reported it, at most 64 characters; shown masked.
    reporter_name: Option<String>,
    /// Phone of the reporter, at most 32 characters; shown masked.
    reporter_phone: Option<String>,
    /// How urgent it is.
    #[graphql(default_with = "ProblemSeverity::Ordinary")]
    severity: ProblemSeverity,
    /// When it was noticed, not in the future; now where absent.
    occurred_at: Option<DateTime>,
    /// Files uploaded by the caller within the last hour that show the matter as found, at most 20.
    #[graphql(default)]
    evidence_file_ids: Vec<ID>,
}

impl RegisterProblemInput {
    fn read(self) -> domain::Result<NewProblem> {
        Ok(NewProblem {
            alliance_id: id::decode(&self.alliance_id, "allianceId")?,
            region_id: id::decode_optional(self.region_id.as_ref(), "regionId")?,
            evidence: id::decode_all(&self.evidence_file_ids, "evidenceFileIds")?,
            title: self.title,
            description: self.description,
            category: self.category,
            place: self.place,
            channel: self.channel.into(),
            reporter_name: self.reporter_name,
            reporter_phone: self.reporter_phone,
            severity: self.severity.into(),
            occurred_at: self.occurred_at.map(|at| at.0),
        })
    }
}

/// What is corrected of a problem; what is absent stays, what is null is taken away.
#[derive(InputObject)]
pub struct UpdateProblemInput {
    /// The problem.
    problem_id: ID,
    /// The version that the caller read.
    expected_version: i64,
    /// In a few words, at most 200 characters.
    title: Option<String>,
    /// What is wrong, at most 4,000 characters.
    description: Option<String>,
    /// Kind of matter, at most 128 characters.
    category: Option<String>,
    /// Where, in words, at most 300 characters.
    place: MaybeUndefined<String>,
    /// The region it lies in, within the alliance's own.
    region_id: MaybeUndefined<ID>,
    /// How urgent it is.
    severity: Option<ProblemSeverity>,
    /// By when it is to be solved, from today on; only once it is assigned.
    due_on: MaybeUndefined<Date>,
}

impl UpdateProblemInput {
    fn read(self) -> domain::Result<ProblemChange> {
        Ok(ProblemChange {
            title: self.title,
            description: self.description,
            category: self.category,
            place: edit(self.place),
            region_id: match self.region_id {
                MaybeUndefined::Undefined => Edit::Keep,
                MaybeUndefined::Null => Edit::Clear,
                MaybeUndefined::Value(region) => Edit::To(id::decode(&region, "regionId")?),
            },
            severity: self.severity.map(Into::into),
            due_on: edit(self.due_on.map_value(|on| on.0)),
        })
    }
}

/// The verdict on a new problem.
#[derive(InputObject)]
pub struct TriageProblemInput {
    /// The problem.
    problem_id: ID,
    /// The version that the caller read; where given, a problem changed since is refused.
    expected_version: Option<i64>,
    /// Who can settle it.
    tier: ProblemTier,
    /// What is to be done (整改措施), at most 4,000 characters.
    measures: String,
    /// What verification checks against (销号标准), at most 4,000 characters.
    criterion: String,
    /// Whether it takes the longer limit of complex matters.
    #[graphql(default = false)]
    is_complex: bool,
    /// Who settled the tier; kept with it.
    #[graphql(default_with = "ProblemForum::Committee")]
    forum: ProblemForum,
    /// Why it belongs to the tier, at most 4,000 characters; required where it was in another one.
    tier_reason: Option<String>,
}

/// Whom a problem is assigned to.
#[derive(InputObject)]
pub struct AssignProblemInput {
    /// The problem.
    pub(in crate::graphql) problem_id: ID,
    /// The version that the caller read; where given, a problem changed since is refused.
    pub(in crate::graphql) expected_version: Option<i64>,
    /// The organisation that leads, an active member of the alliance.
    pub(in crate::graphql) lead_organization_id: ID,
    /// Organisations that share the work, at most 20 active members beside the leading one; each gets a part of its own.
    #[graphql(default)]
    pub(in crate::graphql) joint_organization_ids: Vec<ID>,
    /// By when it is to be solved, from today on.
    pub(in crate::graphql) due_on: Option<Date>,
}

/// A problem to move on, nothing else being needed.
#[derive(InputObject)]
pub struct MoveProblemInput {
    /// The problem.
    problem_id: ID,
    /// The version that the caller read; where given, a problem changed since is refused.
    expected_version: Option<i64>,
}

/// A problem, and the colleague who takes it over.
#[derive(InputObject)]
pub struct ReassignProblemInput {
    /// The problem.
    problem_id: ID,
    /// The version that the caller read; without it the latest counts.
    expected_version: Option<i64>,
    /// Somebody with an active role for the leading organisation in this alliance.
    handler_id: ID,
}

/// A problem to move on, with the reason why.
#[derive(InputObject)]
pub struct MoveProblemWithReasonInput {
    /// The problem.
    pub(super) problem_id: ID,
    /// The version that the caller read; where given, a problem changed since is refused.
    pub(super) expected_version: Option<i64>,
    /// Why, at most 4,000 characters.
    pub(super) reason: String,
}

/// An assignment to decline.
#[derive(InputObject)]
pub struct DeclineProblemInput {
    /// The problem.
    problem_id: ID,
    /// The version that the caller read; where given, a problem changed since is refused.
    expected_version: Option<i64>,
    /// Why, at most 4,000 characters.
    reason: String,
    /// The organisation thought right, an active member of the alliance.
    proposed_organization_id: Option<ID>,
}

/// Work to begin.
#[derive(InputObject)]
pub struct StartProblemInput {
    /// The problem.
    problem_id: ID,
    /// The version that the caller read; where given, a problem changed since is refused.
    expected_version: Option<i64>,
    /// The colleague of the leading organisation who handles it; where absent, whoever accepted it.
    handler_id: Option<ID>,
}

/// A verification.
#[derive(InputObject)]
pub struct VerifyProblemInput {
    /// The problem.
    problem_id: ID,
    /// The version that the caller read; where given, a problem changed since is refused.
    expected_version: Option<i64>,
    /// What was found, at most 4,000 characters.
    verdict: String,
}

/// Whose reporter to see.
#[derive(InputObject)]
pub struct RevealReporterInput {
    /// The problem.
    problem_id: ID,
    /// Why, at most 4,000 characters; kept with the look.
    reason: String,
}

/// Whose reporter to erase, and why.
#[derive(InputObject)]
pub struct EraseReporterInput {
    /// The problem.
    problem_id: ID,
    /// Why, at most 4,000 characters; it is kept, so it names nobody.
    reason: String,
    /// The version that the caller read; without it any.
    expected_version: Option<i64>,
}

pub(in crate::graphql) fn which(problem: &ID, expected_version: Option<i64>) -> domain::Result<Which> {
    Ok(Which { id: id::decode(problem, "problemId")?, expected_version })
}

/// Declares payloads that hold a problem.
macro_rules! payloads {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $crate::graphql::error::payload!(
            $(#[$doc])*
            $name {
                /// The problem.
                problem: Problem
            }
        );
    )+};
}
pub(super) use payloads;

payloads!(
    /// What came of registering a problem.
    RegisterProblemPayload,
    /// What came of correcting a problem.
    UpdateProblemPayload,
    /// What came of triaging a problem.
    TriageProblemPayload,
    /// What came of assigning a problem.
    AssignProblemPayload,
    /// What came of accepting an assignment.
    AcceptProblemPayload,
    /// What came of declining an assignment.
    DeclineProblemPayload,
    /// What came of beginning the work.
    StartProblemPayload,
    /// What came of asking for closure.
    SubmitProblemPayload,
    /// What came of verifying a problem.
    VerifyProblemPayload,
    /// What came of returning a problem.
    ReturnProblemPayload,
    /// What came of striking a problem off.
    StrikeOffProblemPayload,
    /// What came of rejecting a problem.
    RejectProblemPayload,
    /// What came of withdrawing a problem.
    WithdrawProblemPayload,
    /// What came of giving the work to a colleague.
    ReassignProblemPayload,
    /// What came of taking an assignment back.
    RecallProblemPayload,
    /// What came of erasing who reported a problem.
    EraseReporterPayload,
);

/// Who reported a problem, in full.
#[derive(SimpleObject)]
pub struct RevealReporterPayload {
    /// The problem.
    problem: Option<Problem>,
    /// Name, if one was noted.
    reporter_name: Option<String>,
    /// Phone, if one was noted.
    reporter_phone: Option<String>,
    /// What the caller can mend.
    user_errors: Vec<UserError>,
}

#[derive(Default)]
pub struct ProblemMutation;

#[Object]
impl ProblemMutation {
    /// Registers a problem under the next number of the alliance's year. The committee, member organisations and officers may.
    async fn register_problem(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The problem.")] input: RegisterProblemInput,
    ) -> Result<RegisterProblemPayload> {
        let ctx = ctx(context);
        let result = async { verbs::register(ctx, input.read()?).await }.await;
        RegisterProblemPayload::of(ctx, result).await
    }

    /// Corrects what a problem says. The committee may while it is open, and whoever registered it until it is triaged.
    async fn update_problem(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What changes.")] input: UpdateProblemInput,
    ) -> Result<UpdateProblemPayload> {
        let ctx = ctx(context);
        let result = async {
            let problem = id::decode(&input.problem_id, "problemId")?;
            edits::update(ctx, problem, input.expected_version, input.read()?).await
        }
        .await;
        UpdateProblemPayload::of(ctx, result).await
    }

    /// Triages a registered problem, or triages it anew before it is assigned. Only the committee may.
    async fn triage_problem(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The verdict.")] input: TriageProblemInput,
    ) -> Result<TriageProblemPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.problem_id, input.expected_version)?;
            let triage = Triage {
                tier: input.tier.into(),
                measures: input.measures,
                criterion: input.criterion,
                is_complex: input.is_complex,
            };
            let settled = Settled { forum: input.forum.into(), reason: input.tier_reason };
            moves::triage_by(ctx, which, triage, settled).await
        }
        .await;
        TriageProblemPayload::of(ctx, result).await
    }

    /// Makes an organisation responsible for a triaged problem, with others that share the work. Only the committee may.
    async fn assign_problem(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whom it is assigned to.")] input: AssignProblemInput,
    ) -> Result<AssignProblemPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.problem_id, input.expected_version)?;
            let lead = id::decode(&input.lead_organization_id, "leadOrganizationId")?;
            let joint = id::decode_all(&input.joint_organization_ids, "jointOrganizationIds")?;
            moves::assign_jointly(ctx, which, lead, &joint, input.due_on.map(|on| on.0)).await
        }
        .await;
        AssignProblemPayload::of(ctx, result).await
    }

    /// Takes an assignment on for one's organisation and becomes its handler.
    async fn accept_problem(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which problem.")] input: MoveProblemInput,
    ) -> Result<AcceptProblemPayload> {
        let ctx = ctx(context);
        let result =
            async { moves::accept(ctx, which(&input.problem_id, input.expected_version)?).await }.await;
        AcceptProblemPayload::of(ctx, result).await
    }

    /// Hands an assignment back for the committee to assign anew. It counts; after two declines the assignment binds, and
    /// where several organisations share the problem the leading one cannot decline. It is possible within the alliance's
    /// `objectionHours` of the assignment.
    async fn decline_problem(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which problem, and why.")] input: DeclineProblemInput,
    ) -> Result<DeclineProblemPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.problem_id, input.expected_version)?;
            let proposed =
                id::decode_optional(input.proposed_organization_id.as_ref(), "proposedOrganizationId")?;
            moves::decline(ctx, which, &input.reason, proposed).await
        }
        .await;
        DeclineProblemPayload::of(ctx, result).await
    }

    /// Begins the work on an accepted problem. Only the leading organisation may.
    async fn start_problem(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which problem, and who handles it.")] input: StartProblemInput,
    ) -> Result<StartProblemPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.problem_id, input.expected_version)?;
            let handler = id::decode_optional(input.handler_id.as_ref(), "handlerId")?;
            moves::start(ctx, which, handler).await
        }
        .await;
        StartProblemPayload::of(ctx, result).await
    }

    /// Asks for closure; at least one piece of closure evidence of the present round must be there, and every joint
    /// organisation's part must be done.
    async fn submit_problem(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which problem.")] input: MoveProblemInput,
    ) -> Result<SubmitProblemPayload> {
        let ctx = ctx(context);
        let result =
            async { moves::submit(ctx, which(&input.problem_id, input.expected_version)?).await }.await;
        SubmitProblemPayload::of(ctx, result).await
    }

    /// Passes a submitted problem's evidence. The verifier neither handled nor submitted it and acts for no responsible
    /// organisation.
    async fn verify_problem(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which problem, and what was found.")] input: VerifyProblemInput,
    ) -> Result<VerifyProblemPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.problem_id, input.expected_version)?;
            moves::verify(ctx, which, &input.verdict).await
        }
        .await;
        VerifyProblemPayload::of(ctx, result).await
    }

    /// Sends a problem back to work; it counts as rework. Verifiers return what is submitted, approvers and the committee
    /// also what is verified.
    async fn return_problem(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which problem, and why.")] input: MoveProblemWithReasonInput,
    ) -> Result<ReturnProblemPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.problem_id, input.expected_version)?;
            moves::send_back(ctx, which, &input.reason).await
        }
        .await;
        ReturnProblemPayload::of(ctx, result).await
    }

    /// Strikes a verified problem off the list. Only an approver may who neither handled, submitted nor verified it, and acts
    /// for no responsible unit.
    async fn strike_off_problem(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which problem.")] input: MoveProblemInput,
    ) -> Result<StrikeOffProblemPayload> {
        let ctx = ctx(context);
        let result =
            async { moves::strike_off(ctx, which(&input.problem_id, input.expected_version)?).await }.await;
        StrikeOffProblemPayload::of(ctx, result).await
    }

    /// Refuses a problem that is no matter for this list (不予受理), before it is assigned. Only the committee may.
    async fn reject_problem(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which problem, and why.")] input: MoveProblemWithReasonInput,
    ) -> Result<RejectProblemPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.problem_id, input.expected_version)?;
            moves::reject(ctx, which, &input.reason).await
        }
        .await;
        RejectProblemPayload::of(ctx, result).await
    }

    /// Gives accepted work to a colleague of the lead organisation, such as that of somebody who leaves; its state stays.
    /// The organisation's manager may, and the committee.
    async fn reassign_problem(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which problem, and to whom.")] input: ReassignProblemInput,
    ) -> Result<ReassignProblemPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.problem_id, input.expected_version)?;
            moves::reassign(ctx, which, id::decode(&input.handler_id, "handlerId")?).await
        }
        .await;
        ReassignProblemPayload::of(ctx, result).await
    }

    /// Takes an assignment back from a unit that does not answer, has left or is the wrong one; the problem can then be
    /// assigned again. Only the committee may.
    async fn recall_problem(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which problem, and why.")] input: MoveProblemWithReasonInput,
    ) -> Result<RecallProblemPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.problem_id, input.expected_version)?;
            moves::recall(ctx, which, &input.reason).await
        }
        .await;
        RecallProblemPayload::of(ctx, result).await
    }

    /// Takes a problem back before it is assigned. Whoever registered it may, and the committee.
    async fn withdraw_problem(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which problem, and why.")] input: MoveProblemWithReasonInput,
    ) -> Result<WithdrawProblemPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.problem_id, input.expected_version)?;
            moves::withdraw(ctx, which, &input.reason).await
        }
        .await;
        WithdrawProblemPayload::of(ctx, result).await
    }

    /// Erases who reported a problem: name and phone, and both wherever they stand literally in its texts, the notes and file
    /// names of its evidence and the details of its events. Texts by which it was struck off go whole. Number, state, counts
    /// and evidence stay. Cannot be undone. Only the committee may.
    async fn erase_reporter(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose reporter, and why.")] input: EraseReporterInput,
    ) -> Result<EraseReporterPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.problem_id, input.expected_version)?;
            reporter::erase(ctx, which, &input.reason).await
        }
        .await;
        EraseReporterPayload::of(ctx, result).await
    }

    /// Shows who reported a problem, and keeps who looked and why. The committee and approvers may; no idempotency key is
    /// taken.
    async fn reveal_reporter(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose reporter, and why.")] input: RevealReporterInput,
    ) -> Result<RevealReporterPayload> {
        let ctx = ctx(context);
        let result =
            async { reporter::reveal(ctx, id::decode(&input.problem_id, "problemId")?, &input.reason).await }
                .await;
        Ok(match result {
            Ok(row) => RevealReporterPayload {
                reporter_name: row.reporter_name.clone(),
                reporter_phone: row.reporter_phone.clone(),
                problem: Some(Problem(row)),
                user_errors: Vec::new(),
            },
            Err(error) => RevealReporterPayload {
                problem: None,
                reporter_name: None,
                reporter_phone: None,
                user_errors: vec![user_error(ctx, &error)?],
            },
        })
    }
}
