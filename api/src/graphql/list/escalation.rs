//! Faces of escalation. Through the link each side sees of the other number, state and dates, and nothing else.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, Enum, Object, Result, SimpleObject, dataloader::Loader};
use chrono::{NaiveDate, Utc};
use concord_entities::{escalation, id::ProblemId, problem};
use sea_orm::{ColumnTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, RelationTrait};

use super::{
    problem::{Problem, ProblemState},
    problem_mutation::{MoveProblemWithReasonInput, payloads, which},
};
use crate::{
    domain::{Error, list::problem::escalation as verbs, page},
    graphql::{
        ctx,
        loaders::{self, Loaders},
        scalar::{Date, DateTime},
    },
};

/// What became of an escalation.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::escalation::State")]
pub enum EscalationState {
    /// The alliance above has it.
    Open,
    /// It was struck off above, and came back to be confirmed.
    Resolved,
    /// The alliance above handed it back.
    Returned,
    /// It was taken back before anybody above was responsible.
    Recalled,
}

/// The problem at the other end of an escalation, as far as it is shown there.
#[derive(SimpleObject, Clone, Debug)]
pub struct LinkedProblem {
    /// Its number on the other list.
    number: String,
    /// Where it stands there.
    state: ProblemState,
    /// When it was registered there.
    recorded_at: DateTime,
    /// By when it is to be solved there, where somebody set a date.
    due_on: Option<Date>,
    /// When it stopped being open there.
    closed_at: Option<DateTime>,
}

/// How a problem was handed up to the alliance above (提级办理).
#[derive(SimpleObject, Clone, Debug)]
pub struct Escalation {
    /// What became of it.
    state: EscalationState,
    /// When it was handed up.
    escalated_at: DateTime,
    /// When it came back.
    ended_at: Option<DateTime>,
    /// The problem at the other end.
    linked_problem: LinkedProblem,
}

impl Escalation {
    /// Whether the alliance above has it still.
    pub fn is_open(&self) -> bool {
        self.state == EscalationState::Open
    }

    /// Where the problem at the other end stands.
    pub fn stands(&self) -> problem::State {
        self.linked_problem.state.into()
    }
}

/// Key of the last escalation of a problem. Reached only through a problem that the viewer sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EscalationOf(pub ProblemId);

/// Key of the escalation as which a problem came from below. Reached only through a problem that the viewer sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OriginOf(pub ProblemId);

/// What of the other problem is read at all.
type Row = (
    uuid::Uuid,
    escalation::State,
    chrono::DateTime<Utc>,
    Option<chrono::DateTime<Utc>>,
    String,
    problem::State,
    chrono::DateTime<Utc>,
    Option<NaiveDate>,
    Option<chrono::DateTime<Utc>>,
);

async fn read(
    loaders: &Loaders,
    by: escalation::Column,
    other: escalation::Relation,
    keys: impl Iterator<Item = ProblemId>,
) -> Result<HashMap<ProblemId, Escalation>, Arc<Error>> {
    let rows: Vec<Row> = escalation::Entity::find()
        .join(JoinType::InnerJoin, other.def())
        .select_only()
        .column(by)
        .column(escalation::Column::State)
        .column(escalation::Column::EscalatedAt)
        .column(escalation::Column::EndedAt)
        .column(problem::Column::Number)
        .column_as(problem::Column::State, "linked_state")
        .column(problem::Column::RecordedAt)
        .column(problem::Column::DueOn)
        .column(problem::Column::ClosedAt)
        .filter(page::among(&loaders.0, by, keys))
        .order_by_asc(escalation::Column::EscalatedAt)
        // Of one instant, the one that is not over.
        .order_by_asc(escalation::Column::State.eq(escalation::State::Open))
        .order_by_asc(escalation::Column::ParentProblemId)
        .into_tuple()
        .all(loaders.0.read())
        .await
        .map_err(|error| Arc::new(Error::from(error)))?;
    // The last one stands.
    let found = rows.into_iter().map(
        |(id, state, escalated_at, ended_at, number, linked, recorded_at, due_on, closed_at)| {
            let linked_problem = LinkedProblem {
                number,
                state: linked.into(),
                recorded_at: recorded_at.into(),
                due_on: due_on.map(Date),
                closed_at: closed_at.map(DateTime),
            };
            let found = Escalation {
                state: state.into(),
                escalated_at: escalated_at.into(),
                ended_at: ended_at.map(DateTime),
                linked_problem,
            };
            (ProblemId(id), found)
        },
    );
    Ok(found.collect())
}

impl Loader<EscalationOf> for Loaders {
    type Value = Escalation;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[EscalationOf]) -> Result<HashMap<EscalationOf, Self::Value>, Self::Error> {
        let (by, other) = (escalation::Column::ProblemId, escalation::Relation::ParentProblem);
        let found = read(self, by, other, keys.iter().map(|key| key.0)).await?;
        Ok(found.into_iter().map(|(id, found)| (EscalationOf(id), found)).collect())
    }
}

impl Loader<OriginOf> for Loaders {
    type Value = Escalation;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[OriginOf]) -> Result<HashMap<OriginOf, Self::Value>, Self::Error> {
        let (by, other) = (escalation::Column::ParentProblemId, escalation::Relation::Problem);
        let found = read(self, by, other, keys.iter().map(|key| key.0)).await?;
        Ok(found.into_iter().map(|(id, found)| (OriginOf(id), found)).collect())
    }
}

/// How a problem was last handed up.
pub async fn escalation_of(context: &Context<'_>, of: ProblemId) -> Result<Option<Escalation>> {
    loaders::one(context, EscalationOf(of)).await
}

/// How a problem came from below.
pub async fn origin_of(context: &Context<'_>, of: ProblemId) -> Result<Option<Escalation>> {
    loaders::one(context, OriginOf(of)).await
}

payloads!(
    /// What came of handing a problem up.
    EscalateProblemPayload,
    /// What came of taking an escalated problem back.
    RecallEscalationPayload,
    /// What came of handing a problem back to where it came from.
    ReturnEscalationPayload,
);

#[derive(Default)]
pub struct EscalationMutation;

#[Object]
impl EscalationMutation {
    /// Hands a problem up to the alliance above (提级办理). It stays open here as escalated; above it is registered under a number
    /// of its own, without who reported it. Struck off there, it comes back triaged, to be confirmed here by evidence and by
    /// somebody independent. Only the committee may.
    async fn escalate_problem(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which problem, and why.")] input: MoveProblemWithReasonInput,
    ) -> Result<EscalateProblemPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.problem_id, input.expected_version)?;
            verbs::escalate(ctx, which, &input.reason).await
        }
        .await;
        EscalateProblemPayload::of(ctx, result).await
    }

    /// Takes an escalated problem back, as long as the alliance above has assigned it to nobody; there it ends as withdrawn.
    /// Only the committee may.
    async fn recall_escalation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which problem of the own list, and why.")] input: MoveProblemWithReasonInput,
    ) -> Result<RecallEscalationPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.problem_id, input.expected_version)?;
            verbs::recall(ctx, which, &input.reason).await
        }
        .await;
        RecallEscalationPayload::of(ctx, result).await
    }

    /// Hands a problem that came from below back there, with the reason why; here it ends as rejected. Only the committee of the
    /// alliance above may, until closure is asked for.
    async fn return_escalation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which problem of the own list, and why.")] input: MoveProblemWithReasonInput,
    ) -> Result<ReturnEscalationPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.problem_id, input.expected_version)?;
            verbs::hand_back(ctx, which, &input.reason).await
        }
        .await;
        ReturnEscalationPayload::of(ctx, result).await
    }
}
