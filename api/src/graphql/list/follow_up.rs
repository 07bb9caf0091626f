//! Faces of follow-ups, and of the one-time link by which a reporter answers without signing in.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject, dataloader::Loader};
use concord_entities::{
    follow_up,
    id::{FollowUpId, ProblemId, TypedId},
};
use sea_orm::{QueryFilter, QueryOrder};
use uuid::Uuid;

use super::{
    person::{Person, person},
    problem::Problem,
    transition,
};
use crate::{
    domain::{
        self, Action, Actor, Ctx, Error, Target,
        list::{
            follow_up::{self as verbs, Answer, Filter, NewFollowUp, WhichFollowUp, exclusion, link},
            problem::moves::Which,
            transition::{Viewer, refusal},
        },
        page,
    },
    graphql::{
        connection::{args, connection},
        ctx,
        error::{OrApiError, UserError, payload, user_error},
        id,
        loaders::{self, Loaders},
        node::Node,
        scalar::{Date, DateTime},
    },
};

/// How a reporter is asked.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::follow_up::Kind")]
pub enum FollowUpKind {
    /// By phone.
    Call,
    /// By a one-time link.
    Link,
    /// By a visit.
    Visit,
}

/// Where a follow-up stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::follow_up::State")]
pub enum FollowUpState {
    /// The reporter is to be asked.
    Due,
    /// The reporter answered.
    Answered,
    /// The reporter was not reached on three days, or was erased before anybody reached them.
    Unreachable,
}

/// Whether a matter is solved, in its reporter's view.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::follow_up::Solved")]
pub enum FollowUpSolved {
    /// It is.
    Yes,
    /// In part.
    Partly,
    /// It is not.
    No,
}

/// A follow-up (回访): somebody who has no part in a problem asks whoever reported it how it went.
#[derive(Clone)]
pub struct FollowUp(pub follow_up::Model);

impl From<follow_up::Model> for FollowUp {
    fn from(row: follow_up::Model) -> Self {
        Self(row)
    }
}

impl Node for FollowUp {
    const NOUN: &'static str = FollowUpId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find(ctx, id.into()).await?.map(Self))
    }
}

impl FollowUp {
    /// What may name the reporter, as far as the viewer may know it.
    async fn told<'a>(&self, context: &Context<'_>, words: Option<&'a str>) -> Result<Option<&'a str>> {
        let actor = ctx(context).actor;
        let asked = match actor {
            Actor::Account { id, .. } => self.0.done_by == Some(id),
            _ => false,
        };
        let seats = transition::seats(context, self.0.alliance_id).await?;
        let viewer = Viewer { actor, seats: &seats };
        let may = refusal(viewer, Action::ReadReporter, Target::alliance(self.0.alliance_id)).is_none();
        Ok(words.filter(|_| asked || may))
    }
}

/// A follow-up (回访): somebody who has no part in a problem asks whoever reported it how it went.
#[Object]
impl FollowUp {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// The problem that is asked about.
    async fn problem(&self, context: &Context<'_>) -> Result<Option<Problem>> {
        Ok(loaders::one(context, self.0.problem_id).await?.map(Problem))
    }

    /// The round of the problem that is asked about.
    async fn round(&self) -> i32 {
        self.0.round
    }

    /// The problem whose reporter is asked: the same, or one that was merged into it.
    async fn reporter_problem(&self, context: &Context<'_>) -> Result<Option<Problem>> {
        Ok(loaders::one(context, self.0.reporter_problem_id).await?.map(Problem))
    }

    /// How the reporter is asked, or was.
    async fn kind(&self) -> FollowUpKind {
        self.0.kind.into()
    }

    /// Where it stands.
    async fn state(&self) -> FollowUpState {
        self.0.state.into()
    }

    /// By when the reporter is to be asked.
    async fn due_on(&self) -> Date {
        Date(self.0.due_on)
    }

    /// How often the reporter was not reached; the third time it is given up.
    async fn tries(&self) -> i32 {
        self.0.tries
    }

    /// Whether the matter is solved, in the reporter's view.
    async fn solved(&self) -> Option<FollowUpSolved> {
        self.0.solved.map(Into::into)
    }

    /// Whether the reporter is satisfied.
    async fn satisfied(&self) -> Option<bool> {
        self.0.is_satisfied
    }

    /// What the reporter said, in their own words; shown to the committee, to approvers and to whoever asked.
    async fn words(&self, context: &Context<'_>) -> Result<Option<&str>> {
        self.told(context, self.0.words.as_deref()).await
    }

    /// What whoever asked adds; shown to the committee, to approvers and to themselves.
    async fn note(&self, context: &Context<'_>) -> Result<Option<&str>> {
        self.told(context, self.0.note.as_deref()).await
    }

    /// Who asked; absent where the reporter answered by a link, or was erased before they were asked.
    async fn recorded_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.0.alliance_id, self.0.done_by, None).await
    }

    /// When the reporter answered, or was given up.
    async fn recorded_at(&self) -> Option<DateTime> {
        self.0.done_at.map(DateTime)
    }

    /// Who wanted the reporter asked; absent where the alliance's policy did.
    async fn requested_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.0.alliance_id, self.0.created_by, None).await
    }

    /// When it was taken out of the rates; absent where it counts.
    async fn excluded_at(&self) -> Option<DateTime> {
        self.0.excluded_at.map(DateTime)
    }

    /// Who took it out of the rates.
    async fn excluded_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.0.alliance_id, self.0.excluded_by, None).await
    }

    /// Why it was taken out of the rates; erased with a reporter whom it names.
    async fn exclusion_reason(&self) -> Option<&str> {
        self.0.exclusion_reason.as_deref()
    }

    /// Since when it is due.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// Grows by one with every change; give it as `expectedVersion`.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

connection!(FollowUpConnection, FollowUpEdge, FollowUp, follow_up::Entity);

/// Key of the follow-ups of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FollowUpsOf(pub ProblemId);

impl Loader<FollowUpsOf> for Loaders {
    type Value = Vec<follow_up::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[FollowUpsOf]) -> Result<HashMap<FollowUpsOf, Self::Value>, Self::Error> {
        let rows = verbs::visible(&self.0)
            .filter(page::among(&self.0, follow_up::Column::ProblemId, keys.iter().map(|key| key.0)))
            .order_by_asc(follow_up::Column::CreatedAt)
            .order_by_asc(follow_up::Column::Id)
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(Error::from(error)))?;
        let mut found: HashMap<FollowUpsOf, Self::Value> = HashMap::new();
        for row in rows {
            found.entry(FollowUpsOf(row.problem_id)).or_default().push(row);
        }
        Ok(found)
    }
}

/// The follow-ups of a problem, the earliest first.
pub async fn follow_ups(context: &Context<'_>, of: ProblemId) -> Result<Vec<FollowUp>> {
    let found = loaders::one(context, FollowUpsOf(of)).await?;
    Ok(found.unwrap_or_default().into_iter().map(FollowUp).collect())
}

/// Which follow-ups to list; what is absent does not restrict.
#[derive(InputObject, Default)]
pub struct FollowUpFilter {
    /// On this alliance's list.
    alliance_id: Option<ID>,
    /// About this problem.
    problem_id: Option<ID>,
    /// In this state.
    state: Option<FollowUpState>,
}

#[derive(Default)]
pub struct FollowUpQuery;

#[Object]
impl FollowUpQuery {
    /// The follow-ups that the caller may see, those due first coming first.
    async fn follow_ups(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which ones.")] filter: Option<FollowUpFilter>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<FollowUpConnection> {
        let ctx = ctx(context);
        let filter = filter.unwrap_or_default();
        let read = async {
            let filter = Filter {
                alliance_id: id::decode_optional(filter.alliance_id.as_ref(), "filter.allianceId")?,
                problem_id: id::decode_optional(filter.problem_id.as_ref(), "filter.problemId")?,
                state: filter.state.map(Into::into),
            };
            verbs::list(ctx, filter, &args(first, after, last, before)).await
        };
        Ok(read.await.or_api_error(ctx)?.into())
    }
}

/// Whom to ask, and how.
#[derive(InputObject)]
pub struct RequestFollowUpInput {
    /// The problem: submitted, verified or struck off.
    problem_id: ID,
    /// The version of the problem that the caller read; where given, a problem changed since is refused.
    expected_version: Option<i64>,
    /// The problem whose reporter is asked, where it is one that was merged into the other.
    reporter_problem_id: Option<ID>,
    /// How the reporter is asked.
    #[graphql(default_with = "FollowUpKind::Call")]
    kind: FollowUpKind,
    /// By when, from today on; within a week where absent.
    due_on: Option<Date>,
}

impl RequestFollowUpInput {
    fn read(self) -> domain::Result<NewFollowUp> {
        let problem = id::decode(&self.problem_id, "problemId")?;
        Ok(NewFollowUp {
            problem: Which { id: problem, expected_version: self.expected_version },
            reporter_problem_id: id::decode_optional(self.reporter_problem_id.as_ref(), "reporterProblemId")?,
            kind: self.kind.into(),
            due_on: self.due_on.map(|on| on.0),
        })
    }
}

/// A try in vain to reach a reporter.
#[derive(InputObject)]
pub struct RecordFollowUpTryInput {
    /// The follow-up.
    follow_up_id: ID,
    /// The version that the caller read; where given, a follow-up changed since is refused.
    expected_version: Option<i64>,
    /// What whoever asked adds, at most 1,000 characters.
    note: Option<String>,
}

/// What a reporter answered.
#[derive(InputObject)]
pub struct RecordFollowUpInput {
    /// The follow-up.
    follow_up_id: ID,
    /// The version that the caller read; where given, a follow-up changed since is refused.
    expected_version: Option<i64>,
    /// Whether the matter is solved, in the reporter's view.
    solved: FollowUpSolved,
    /// Whether the reporter is satisfied; if not, what is submitted is returned and what was struck off reopened.
    satisfied: bool,
    /// What the reporter said, at most 2,000 characters; erased with the reporter.
    words: Option<String>,
    /// What whoever asked adds, at most 1,000 characters.
    note: Option<String>,
}

/// What to take out of the rates, and why.
#[derive(InputObject)]
pub struct ExcludeFollowUpInput {
    /// The follow-up: answered, or given up as unreachable.
    follow_up_id: ID,
    /// The version that the caller read; where given, a follow-up changed since is refused.
    expected_version: Option<i64>,
    /// Why, at most 4,000 characters; shown to whoever sees the answer, so it names nobody.
    reason: String,
}

/// For which follow-up to make a link.
#[derive(InputObject)]
pub struct IssueFollowUpLinkInput {
    /// The follow-up.
    follow_up_id: ID,
    /// The version that the caller read; where given, a follow-up changed since is refused.
    expected_version: Option<i64>,
}

/// A reporter's answer by a link.
#[derive(InputObject)]
pub struct AnswerFollowUpInput {
    /// The secret of the link.
    token: String,
    /// Whether the matter is solved.
    solved: FollowUpSolved,
    /// Whether you are satisfied; if not, the matter is taken up again.
    satisfied: bool,
    /// What you want to add, at most 2,000 characters.
    words: Option<String>,
}

payload!(
    /// What came of wanting a reporter asked.
    RequestFollowUpPayload {
        /// The follow-up.
        follow_up: FollowUp
    }
);

payload!(
    /// What came of a try in vain.
    RecordFollowUpTryPayload {
        /// The follow-up.
        follow_up: FollowUp
    }
);

payload!(
    /// What came of a reporter's answer.
    RecordFollowUpPayload {
        /// The follow-up.
        follow_up: FollowUp
    }
);

payload!(
    /// What came of taking a follow-up out of the rates.
    ExcludeFollowUpPayload {
        /// The follow-up.
        follow_up: FollowUp
    }
);

/// What came of making a link.
#[derive(SimpleObject)]
pub struct IssueFollowUpLinkPayload {
    /// The follow-up.
    follow_up: Option<FollowUp>,
    /// The secret to send to the reporter, shown this once; it goes to `answerFollowUp`.
    token: Option<String>,
    /// When it lapses, a week from now.
    expires_at: Option<DateTime>,
    /// What the caller can mend; empty when the link was made.
    user_errors: Vec<UserError>,
}

/// What came of answering by a link.
#[derive(SimpleObject)]
pub struct AnswerFollowUpPayload {
    /// Number of the problem that was asked about.
    problem_number: Option<String>,
    /// Its title.
    problem_title: Option<String>,
    /// What the caller can mend; empty when the answer was taken.
    user_errors: Vec<UserError>,
}

fn which(id: &ID, expected_version: Option<i64>) -> domain::Result<WhichFollowUp> {
    Ok(WhichFollowUp { id: id::decode(id, "followUpId")?, expected_version })
}

#[derive(Default)]
pub struct FollowUpMutation;

#[Object]
impl FollowUpMutation {
    /// Wants a reporter asked (回访). The committee, verifiers and approvers may, once closure is asked for and after strike-off.
    async fn request_follow_up(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whom to ask, and how.")] input: RequestFollowUpInput,
    ) -> Result<RequestFollowUpPayload> {
        let ctx = ctx(context);
        let result = async { verbs::request(ctx, input.read()?).await }.await;
        RequestFollowUpPayload::of(ctx, result).await
    }

    /// Notes that a reporter was not reached; the third time the follow-up ends as unreachable. Tries lie on different days of the
    /// alliance's calendar: another one on the same day is refused as `TRIED_TODAY`, which says from when on one counts.
    /// Verifiers, approvers, officers and the committee may, who acted for no responsible organisation and had no hand in the work.
    async fn record_follow_up_try(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which follow-up.")] input: RecordFollowUpTryInput,
    ) -> Result<RecordFollowUpTryPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.follow_up_id, input.expected_version)?;
            verbs::record_try(ctx, which, input.note.as_deref()).await
        }
        .await;
        RecordFollowUpTryPayload::of(ctx, result).await
    }

    /// Notes what a reporter answered. Whoever may note a try may. A dissatisfied answer returns a problem that is submitted or
    /// verified, and reopens one that was struck off as its next round.
    async fn record_follow_up(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which follow-up, and the answer.")] input: RecordFollowUpInput,
    ) -> Result<RecordFollowUpPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.follow_up_id, input.expected_version)?;
            let answer = Answer {
                solved: input.solved.into(),
                satisfied: input.satisfied,
                words: input.words,
                note: input.note,
            };
            verbs::record_answer(ctx, which, answer).await
        }
        .await;
        RecordFollowUpPayload::of(ctx, result).await
    }

    /// Takes what a reporter answered, or one who was given up, out of the rates, once and with the reason on record: it counts in
    /// no rate and is shown beside them. Nothing else changes: what was returned or reopened stays so. Approvers may, who acted for
    /// no responsible organisation and had no hand in the work.
    async fn exclude_follow_up(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which follow-up, and why.")] input: ExcludeFollowUpInput,
    ) -> Result<ExcludeFollowUpPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.follow_up_id, input.expected_version)?;
            exclusion::exclude(ctx, which, &input.reason).await
        }
        .await;
        ExcludeFollowUpPayload::of(ctx, result).await
    }

    /// Makes a one-time link by which the reporter answers without signing in, within a week; earlier ones stop working.
    /// Whoever may note a try may. Takes no idempotency key.
    async fn issue_follow_up_link(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "For which follow-up.")] input: IssueFollowUpLinkInput,
    ) -> Result<IssueFollowUpLinkPayload> {
        let ctx = ctx(context);
        let result =
            async { link::issue(ctx, which(&input.follow_up_id, input.expected_version)?).await }.await;
        Ok(match result {
            Ok((row, link)) => IssueFollowUpLinkPayload {
                follow_up: Some(FollowUp(row)),
                token: Some(link.secret),
                expires_at: Some(link.expires_at.into()),
                user_errors: Vec::new(),
            },
            Err(error) => IssueFollowUpLinkPayload {
                follow_up: None,
                token: None,
                expires_at: None,
                user_errors: vec![user_error(ctx, &error)?],
            },
        })
    }

    /// Answers a follow-up by its one-time link. Needs no sign-in and takes no idempotency key; a link that is not ours, was
    /// used, was replaced or has lapsed answers `LINK_INVALID`.
    async fn answer_follow_up(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The link and the answer.")] input: AnswerFollowUpInput,
    ) -> Result<AnswerFollowUpPayload> {
        let ctx = ctx(context);
        let answer = Answer {
            solved: input.solved.into(),
            satisfied: input.satisfied,
            words: input.words,
            note: None,
        };
        Ok(match link::answer(ctx, &input.token, answer).await {
            Ok(told) => AnswerFollowUpPayload {
                problem_number: Some(told.number),
                problem_title: Some(told.title),
                user_errors: Vec::new(),
            },
            Err(error) => AnswerFollowUpPayload {
                problem_number: None,
                problem_title: None,
                user_errors: vec![user_error(ctx, &error)?],
            },
        })
    }
}
