//! Faces of joint handling: the part that each responsible organisation has in a problem, and the mutations of parts.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use concord_entities::{
    organization, problem,
    problem_responsible::{self, Duty, PartState},
};

use super::{
    evidence::{Evidence, evidence_of},
    person::{Person, person},
    problem::Problem,
    problem_mutation::payloads,
    transition::{self, Transition},
};
use crate::{
    domain::{
        self,
        list::{
            evidence::Subject,
            problem::{
                moves::Which,
                parts::{self, WhichPart},
            },
            problem_part_states as states,
            problem_states::Policy,
            transition::Viewer,
        },
    },
    graphql::{ctx, governance::organization::Organization, id, loaders, scalar::DateTime},
};

/// Where an organisation's part of a problem stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::problem_responsible::PartState")]
pub enum ProblemPartState {
    /// Assigned, and not answered yet.
    Assigned,
    /// Accepted by the organisation.
    Accepted,
    /// In progress.
    InProgress,
    /// Done. The problem can be submitted when every part is.
    Done,
    /// Declined by a joint organisation; the committee takes the part away or insists.
    Declined,
}

/// How an organisation shares a problem.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::problem_responsible::Duty")]
pub enum ProblemDuty {
    /// It leads (牵头单位): its part goes with the problem.
    Lead,
    /// It shares the work (配合单位).
    Joint,
}

/// The part of one responsible organisation in the handling of a problem (问题联治).
#[derive(Clone)]
pub struct ProblemPart {
    problem: Arc<problem::Model>,
    row: problem_responsible::Model,
    unit: organization::Model,
}

impl ProblemPart {
    pub fn new(
        problem: Arc<problem::Model>,
        row: problem_responsible::Model,
        unit: organization::Model,
    ) -> Self {
        Self { problem, row, unit }
    }

    const fn leads(&self) -> bool {
        matches!(self.row.duty, Duty::Lead)
    }

    fn state(&self) -> PartState {
        if self.leads() { states::of_lead(self.problem.state) } else { self.row.state }
    }

    async fn brought(&self, context: &Context<'_>) -> Result<Vec<Evidence>> {
        let mut all = evidence_of(context, Subject::Problem(self.problem.id)).await?;
        all.retain(|piece| piece.brought_by() == Some(self.row.organization_id));
        Ok(all)
    }
}

/// The part of one responsible organisation in the handling of a problem (问题联治).
#[Object]
impl ProblemPart {
    /// The organisation.
    async fn organization(&self) -> Organization {
        Organization(self.unit.clone())
    }

    /// Whether it leads or shares the work.
    async fn duty(&self) -> ProblemDuty {
        self.row.duty.into()
    }

    /// Where its part stands; that of the leading organisation goes with the problem.
    #[graphql(name = "state")]
    async fn shown_state(&self) -> ProblemPartState {
        self.state().into()
    }

    /// Who handles it in the organisation.
    async fn handler(&self, context: &Context<'_>) -> Result<Option<Person>> {
        let handler = if self.leads() { self.problem.handler_id } else { self.row.handler_id };
        person(context, self.problem.alliance_id, handler, Some(self.row.organization_id)).await
    }

    /// Why a joint organisation's part was last declined or reopened.
    async fn reason(&self) -> Option<&str> {
        self.row.reason.as_deref()
    }

    /// How often a joint organisation declined its part; after two the next assignment binds.
    async fn declined_count(&self) -> i32 {
        self.row.declined_count
    }

    /// When the organisation was last given its part.
    async fn assigned_at(&self) -> DateTime {
        self.row.assigned_at.into()
    }

    /// When the organisation accepted its part.
    async fn accepted_at(&self) -> Option<DateTime> {
        let accepted = if self.leads() { self.problem.accepted_at } else { self.row.accepted_at };
        accepted.map(DateTime)
    }

    /// When the part was done, where it is; for the leading organisation when it asked for closure.
    async fn done_at(&self) -> Option<DateTime> {
        let done = if self.leads() { self.problem.submitted_at } else { self.row.done_at };
        done.filter(|_| self.state() == PartState::Done).map(DateTime)
    }

    /// The evidence that the organisation brought, in the order in which it was added.
    async fn evidence(&self, context: &Context<'_>) -> Result<Vec<Evidence>> {
        self.brought(context).await
    }

    /// What the viewer can do with a joint organisation's part, and what blocks the rest; empty for the leading one, whose
    /// part is moved with the problem.
    async fn available_transitions(&self, context: &Context<'_>) -> Result<Vec<Transition>> {
        if self.leads() {
            return Ok(Vec::new());
        }
        let alliance = self.problem.alliance_id;
        let (seats, brought, alliance) = futures_util::try_join!(
            transition::seats(context, alliance),
            self.brought(context),
            loaders::one(context, alliance),
        )?;
        let ctx = ctx(context);
        let circumstances = states::Circumstances {
            brought: brought.iter().map(|piece| u64::from(piece.closes(self.problem.round))).sum(),
            policy: alliance.as_ref().map(Policy::of).unwrap_or_default(),
            now: ctx.now(),
        };
        let viewer = Viewer { actor: ctx.actor, seats: &seats };
        let found = states::transitions(&self.problem, &self.row, viewer, circumstances);
        Ok(transition::faces(context, found))
    }
}

/// Whose part of a problem to move on, nothing else being needed.
#[derive(InputObject)]
pub struct MoveProblemPartInput {
    /// The problem.
    problem_id: ID,
    /// The joint organisation whose part it is.
    organization_id: ID,
    /// The version of the problem that the caller read; where given, a problem changed since is refused.
    expected_version: Option<i64>,
}

/// Whose part of a problem to move on, with the reason why.
#[derive(InputObject)]
pub struct MoveProblemPartWithReasonInput {
    /// The problem.
    problem_id: ID,
    /// The joint organisation whose part it is.
    organization_id: ID,
    /// The version of the problem that the caller read; where given, a problem changed since is refused.
    expected_version: Option<i64>,
    /// Why, at most 4,000 characters.
    reason: String,
}

fn part(problem: &ID, unit: &ID, expected_version: Option<i64>) -> domain::Result<WhichPart> {
    Ok(WhichPart {
        problem: Which { id: id::decode(problem, "problemId")?, expected_version },
        organization: id::decode(unit, "organizationId")?,
    })
}

impl MoveProblemPartInput {
    fn read(&self) -> domain::Result<WhichPart> {
        part(&self.problem_id, &self.organization_id, self.expected_version)
    }
}

impl MoveProblemPartWithReasonInput {
    fn read(&self) -> domain::Result<WhichPart> {
        part(&self.problem_id, &self.organization_id, self.expected_version)
    }
}

payloads!(
    /// What came of giving an organisation a part.
    AddProblemPartPayload,
    /// What came of taking a part away.
    RemoveProblemPartPayload,
    /// What came of accepting a part.
    AcceptProblemPartPayload,
    /// What came of declining a part.
    DeclineProblemPartPayload,
    /// What came of beginning a part.
    StartProblemPartPayload,
    /// What came of reporting a part as done.
    FinishProblemPartPayload,
    /// What came of sending a part back.
    ReopenProblemPartPayload,
);

#[derive(Default)]
pub struct ProblemPartMutation;

#[Object]
impl ProblemPartMutation {
    /// Gives an active member of the alliance a part in a problem that has been assigned and not submitted; at most 20 share
    /// one beside the leading organisation. Only the committee may.
    async fn add_problem_part(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which organisation, and in which problem.")] input: MoveProblemPartInput,
    ) -> Result<AddProblemPartPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = input.read()?;
            parts::add(ctx, which.problem, which.organization).await
        }
        .await;
        AddProblemPartPayload::of(ctx, result).await
    }

    /// Takes a joint organisation's part in a problem away. Only the committee may.
    async fn remove_problem_part(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose part, and why.")] input: MoveProblemPartWithReasonInput,
    ) -> Result<RemoveProblemPartPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = input.read()?;
            parts::remove(ctx, which.problem, which.organization, &input.reason).await
        }
        .await;
        RemoveProblemPartPayload::of(ctx, result).await
    }

    /// Takes a part on for one's organisation and becomes its handler.
    async fn accept_problem_part(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose part of which problem.")] input: MoveProblemPartInput,
    ) -> Result<AcceptProblemPartPayload> {
        let ctx = ctx(context);
        let result = async { parts::accept(ctx, input.read()?).await }.await;
        AcceptProblemPartPayload::of(ctx, result).await
    }

    /// Hands a part back to the committee, which takes it away or insists. It counts; after two declines the part binds.
    async fn decline_problem_part(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose part of which problem, and why.")] input: MoveProblemPartWithReasonInput,
    ) -> Result<DeclineProblemPartPayload> {
        let ctx = ctx(context);
        let result = async { parts::decline(ctx, input.read()?, &input.reason).await }.await;
        DeclineProblemPartPayload::of(ctx, result).await
    }

    /// Begins the work on an accepted part and becomes its handler. Only its organisation may.
    async fn start_problem_part(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose part of which problem.")] input: MoveProblemPartInput,
    ) -> Result<StartProblemPartPayload> {
        let ctx = ctx(context);
        let result = async { parts::start(ctx, input.read()?).await }.await;
        StartProblemPartPayload::of(ctx, result).await
    }

    /// Reports a part as done; closure evidence that its own organisation brought in this round must be there.
    async fn finish_problem_part(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose part of which problem.")] input: MoveProblemPartInput,
    ) -> Result<FinishProblemPartPayload> {
        let ctx = ctx(context);
        let result = async { parts::finish(ctx, input.read()?).await }.await;
        FinishProblemPartPayload::of(ctx, result).await
    }

    /// Sends a part back to its organisation: one that is done, which then wants new evidence, or one that was declined, which
    /// is to be answered again. Only the committee may. Returning the whole problem takes every part up again by itself.
    async fn reopen_problem_part(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose part of which problem, and why.")] input: MoveProblemPartWithReasonInput,
    ) -> Result<ReopenProblemPartPayload> {
        let ctx = ctx(context);
        let result = async { parts::reopen(ctx, input.read()?, &input.reason).await }.await;
        ReopenProblemPartPayload::of(ctx, result).await
    }
}
