//! Faces of a problem's rounds, and of reopening it.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, Object, Result, dataloader::Loader};
use concord_entities::{
    id::{AllianceId, ProblemId},
    organization, problem, problem_round,
};
use sea_orm::{EntityTrait, QueryFilter, QueryOrder};

use super::{
    evidence::{Evidence, evidence_of},
    person::{Person, person},
    problem::Problem,
    problem_batch::ResponsibleFor,
    problem_mutation::{MoveProblemWithReasonInput, which},
};
use crate::{
    domain::{
        Error,
        list::{evidence::Subject, problem::round as verbs},
        page,
    },
    graphql::{
        ctx,
        error::payload,
        governance::organization::Organization,
        loaders::{self, Loaders},
        scalar::{Date, DateTime},
    },
};

/// One round of a problem: from its registration, or its reopening, to its strike-off.
#[derive(Clone)]
pub struct ProblemRound {
    alliance: AllianceId,
    row: problem_round::Model,
    is_present: bool,
}

impl ProblemRound {
    async fn unit(
        context: &Context<'_>,
        unit: Option<concord_entities::id::OrganizationId>,
    ) -> Result<Option<Organization>> {
        match unit {
            Some(unit) => Ok(loaders::one(context, unit).await?.map(Organization)),
            None => Ok(None),
        }
    }
}

/// One round of a problem: from its registration, or its reopening, to its strike-off.
#[Object]
impl ProblemRound {
    /// Its number, from 1.
    async fn number(&self) -> i32 {
        self.row.round
    }

    /// Whether it is the round that the problem is in.
    async fn is_present(&self) -> bool {
        self.is_present
    }

    /// The responsible organisation that leads it, or led it.
    async fn lead_organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        Self::unit(context, self.row.lead_organization_id).await
    }

    /// The responsible organisations beside the leading one.
    async fn joint_organizations(&self, context: &Context<'_>) -> Result<Vec<Organization>> {
        let units: Vec<organization::Model> = if self.is_present {
            let units = loaders::one(context, ResponsibleFor(self.row.problem_id)).await?;
            let lead = self.row.lead_organization_id;
            units
                .unwrap_or_default()
                .into_iter()
                .map(|(_, unit)| unit)
                .filter(|unit| Some(unit.id) != lead)
                .collect()
        } else {
            let ids = verbs::joint_of(&self.row);
            let mut units = loaders::many(context, ids.iter().copied()).await?;
            ids.iter().filter_map(|id| units.remove(id)).collect()
        };
        Ok(units.into_iter().map(Organization).collect())
    }

    /// Who handles it in the leading organisation, or handled it.
    async fn handler(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.alliance, self.row.handler_id, self.row.lead_organization_id).await
    }

    /// What was to be done (整改措施).
    async fn measures(&self) -> Option<&str> {
        self.row.measures.as_deref()
    }

    /// What verification checks against (销号标准).
    async fn criterion(&self) -> Option<&str> {
        self.row.criterion.as_deref()
    }

    /// By when it was to be solved, where somebody set a date.
    async fn due_on(&self) -> Option<Date> {
        self.row.due_on.map(Date)
    }

    /// How often an assignment was declined in it.
    async fn declined_count(&self) -> i32 {
        self.row.declined_count
    }

    /// How often it was returned for rework in it.
    async fn returned_count(&self) -> i32 {
        self.row.returned_count
    }

    /// When it was last assigned.
    async fn assigned_at(&self) -> Option<DateTime> {
        self.row.assigned_at.map(DateTime)
    }

    /// When the organisation accepted it.
    async fn accepted_at(&self) -> Option<DateTime> {
        self.row.accepted_at.map(DateTime)
    }

    /// When closure was last asked for.
    async fn submitted_at(&self) -> Option<DateTime> {
        self.row.submitted_at.map(DateTime)
    }

    /// Who asked for closure.
    async fn submitted_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.alliance, self.row.submitted_by, self.row.lead_organization_id).await
    }

    /// When the evidence passed.
    async fn verified_at(&self) -> Option<DateTime> {
        self.row.verified_at.map(DateTime)
    }

    /// Who passed it.
    async fn verifier(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.alliance, self.row.verifier_id, self.row.verifier_organization_id).await
    }

    /// For which organisation the verifier acted.
    async fn verifier_organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        Self::unit(context, self.row.verifier_organization_id).await
    }

    /// What the verifier found.
    async fn verdict(&self) -> Option<&str> {
        self.row.verdict.as_deref()
    }

    /// When it was struck off.
    async fn struck_off_at(&self) -> Option<DateTime> {
        self.row.struck_off_at.map(DateTime)
    }

    /// Who struck it off.
    async fn approver(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.alliance, self.row.approver_id, None).await
    }

    /// When the next round began; absent in the present one.
    async fn reopened_at(&self) -> Option<DateTime> {
        (!self.is_present).then(|| self.row.reopened_at.into())
    }

    /// Who began the next round; absent where the reporter's answer to a follow-up did.
    async fn reopened_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.alliance, self.row.reopened_by, None).await
    }

    /// Why the next round began.
    async fn reopened_reason(&self) -> Option<&str> {
        self.row.reason.as_deref()
    }

    /// The evidence that belongs to it, in the order in which it was added.
    async fn evidence(&self, context: &Context<'_>) -> Result<Vec<Evidence>> {
        let mut all = evidence_of(context, Subject::Problem(self.row.problem_id)).await?;
        all.retain(|piece| piece.is_of(self.row.round));
        Ok(all)
    }
}

/// Key of the rounds of a problem that ended. Reached only through a problem that the viewer sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EndedRounds(pub ProblemId);

impl Loader<EndedRounds> for Loaders {
    type Value = Vec<problem_round::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[EndedRounds]) -> Result<HashMap<EndedRounds, Self::Value>, Self::Error> {
        let rows = problem_round::Entity::find()
            .filter(page::among(&self.0, problem_round::Column::ProblemId, keys.iter().map(|key| key.0)))
            .order_by_asc(problem_round::Column::Round)
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(Error::from(error)))?;
        let mut found: HashMap<EndedRounds, Self::Value> = HashMap::new();
        for row in rows {
            found.entry(EndedRounds(row.problem_id)).or_default().push(row);
        }
        Ok(found)
    }
}

/// All rounds of a problem; none is read for one that is in its first.
pub async fn rounds(context: &Context<'_>, of: &problem::Model) -> Result<Vec<ProblemRound>> {
    let ended = if of.round > 1 { loaders::one(context, EndedRounds(of.id)).await? } else { None };
    let ended = ended.unwrap_or_default().into_iter().map(|row| (row, false));
    let all = ended.chain([(verbs::of(of), true)]);
    Ok(all.map(|(row, is_present)| ProblemRound { alliance: of.alliance_id, row, is_present }).collect())
}

payload!(
    /// What came of reopening a problem.
    ReopenProblemPayload {
        /// The problem, in its new round.
        problem: Problem
    }
);

#[derive(Default)]
pub struct ProblemRoundMutation;

#[Object]
impl ProblemRoundMutation {
    /// Reopens a struck-off problem (重新立账) as its next round: triaged, open and counted again, with nobody responsible; the
    /// round that ended stays as it was. Only the committee may; a dissatisfied reporter does so by answering a follow-up.
    async fn reopen_problem(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which problem, and why.")] input: MoveProblemWithReasonInput,
    ) -> Result<ReopenProblemPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.problem_id, input.expected_version)?;
            verbs::reopen(ctx, which, &input.reason).await
        }
        .await;
        ReopenProblemPayload::of(ctx, result).await
    }
}
