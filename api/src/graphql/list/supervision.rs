//! Faces of supervision notices and of more time.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use concord_entities::{
    extension,
    id::{ExtensionId, SupervisionNoticeId, TypedId},
    supervision_notice,
};
use uuid::Uuid;

use super::{
    deadline::SupervisionColour,
    person::{Person, person},
    problem::Problem,
};
use crate::{
    domain::{
        self, Ctx,
        list::{
            deadline_policy::Colour,
            due::today,
            extension as extensions,
            supervision::{self as verbs, Filter},
        },
    },
    graphql::{
        connection::{args, connection},
        ctx,
        error::{OrApiError, payload},
        governance::{alliance::Alliance, organization::Organization},
        id, loaders,
        node::Node,
        scalar::{Date, DateTime},
        whistle::call::WhistleResponse,
    },
};

/// A numbered supervision notice (督办单): a demand to an organisation that let a deadline pass, to be answered by a day.
#[derive(Clone)]
pub struct SupervisionNotice(pub supervision_notice::Model);

impl From<supervision_notice::Model> for SupervisionNotice {
    fn from(row: supervision_notice::Model) -> Self {
        Self(row)
    }
}

impl Node for SupervisionNotice {
    const NOUN: &'static str = SupervisionNoticeId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find(ctx, id.into()).await?.map(Self))
    }
}

/// A numbered supervision notice (督办单): a demand to an organisation that let a deadline pass, to be answered by a day.
#[Object]
impl SupervisionNotice {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// The alliance that issues it; of a call to a whistle, the one as whose member the unit was called.
    async fn alliance(&self, context: &Context<'_>) -> Result<Option<Alliance>> {
        Ok(loaders::one(context, self.0.alliance_id).await?.map(Alliance))
    }

    /// Its number, such as 督〔2026〕0001号; gap-free within alliance and year.
    async fn number(&self) -> &str {
        &self.0.number
    }

    /// The problem that it is about; null where it is about a call to a whistle.
    async fn problem(&self, context: &Context<'_>) -> Result<Option<Problem>> {
        match self.0.problem_id {
            Some(id) => Ok(loaders::one(context, id).await?.map(Problem)),
            None => Ok(None),
        }
    }

    /// The call to a whistle that it is about; null where it is about a problem.
    async fn whistle_response(&self, context: &Context<'_>) -> Result<Option<WhistleResponse>> {
        match self.0.response_id {
            Some(id) => Ok(loaders::one(context, id).await?.map(WhistleResponse)),
            None => Ok(None),
        }
    }

    /// To whom it is addressed.
    async fn organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        Ok(loaders::one(context, self.0.organization_id).await?.map(Organization))
    }

    /// 1 for the first about a deadline; it rises while the matter is not done.
    async fn level(&self) -> i32 {
        self.0.level
    }

    /// What the level is called.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// How the level is shown.
    async fn colour(&self) -> SupervisionColour {
        Colour::parse(&self.0.colour).into()
    }

    /// What is demanded.
    async fn demand(&self) -> &str {
        &self.0.demand
    }

    /// The last day on which it may be answered.
    async fn reply_by(&self) -> Date {
        Date(self.0.reply_by)
    }

    /// Whether it is unanswered although that day has passed by the alliance's calendar.
    async fn is_reply_overdue(&self, context: &Context<'_>) -> Result<bool> {
        if self.0.answered_at.is_some() {
            return Ok(false);
        }
        let alliance = loaders::one(context, self.0.alliance_id).await?;
        let now = ctx(context).now();
        Ok(alliance.is_some_and(|alliance| self.0.reply_by < today(&alliance.time_zone, now)))
    }

    /// When it was put on record that the day had passed without an answer; an answer that comes later leaves it.
    async fn unanswered_at(&self) -> Option<DateTime> {
        self.0.unanswered_at.map(DateTime)
    }

    /// When it was issued.
    async fn issued_at(&self) -> DateTime {
        self.0.issued_at.into()
    }

    /// Who issued it by hand; absent where a deadline did.
    async fn issued_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.0.alliance_id, self.0.issued_by, None).await
    }

    /// Whether a deadline that passed issued it, rather than somebody.
    async fn is_automatic(&self) -> bool {
        self.0.breach_id.is_some() || self.0.whistle_breach_id.is_some()
    }

    /// What the organisation answered.
    async fn answer(&self) -> Option<&str> {
        self.0.answer.as_deref()
    }

    /// When it was answered.
    async fn answered_at(&self) -> Option<DateTime> {
        self.0.answered_at.map(DateTime)
    }

    /// Who answered.
    async fn answered_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.0.alliance_id, self.0.answered_by, Some(self.0.organization_id)).await
    }

    /// Grows by one with every change; give it as `expectedVersion`.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

connection!(
    SupervisionNoticeConnection,
    SupervisionNoticeEdge,
    SupervisionNotice,
    supervision_notice::Entity
);

/// Where a request for more time stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::extension::State")]
pub enum ExtensionState {
    /// Asked for.
    Asked,
    /// Granted.
    Granted,
    /// Refused.
    Refused,
    /// The assignment that it was made in ended before it was decided.
    Lapsed,
}

/// More time (延期) for an organisation's part of a problem.
#[derive(Clone)]
pub struct Extension(pub extension::Model);

impl From<extension::Model> for Extension {
    fn from(row: extension::Model) -> Self {
        Self(row)
    }
}

impl Node for Extension {
    const NOUN: &'static str = ExtensionId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(extensions::find(ctx, id.into()).await?.map(Self))
    }
}

/// More time (延期) for an organisation's part of a problem.
#[Object]
impl Extension {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// Of which problem.
    async fn problem(&self, context: &Context<'_>) -> Result<Option<Problem>> {
        Ok(loaders::one(context, self.0.problem_id).await?.map(Problem))
    }

    /// For which organisation.
    async fn organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        Ok(loaders::one(context, self.0.organization_id).await?.map(Organization))
    }

    /// Where it stands.
    async fn state(&self) -> ExtensionState {
        self.0.state.into()
    }

    /// Why it was asked for.
    async fn reason(&self) -> &str {
        &self.0.reason
    }

    /// The last day that was asked for.
    async fn asked_until(&self) -> Date {
        Date(self.0.asked_until)
    }

    /// When it was asked for.
    async fn asked_at(&self) -> DateTime {
        self.0.asked_at.into()
    }

    /// Who asked.
    async fn asked_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.0.alliance_id, self.0.asked_by, Some(self.0.organization_id)).await
    }

    /// The deadline that it replaced.
    async fn due_before(&self) -> Option<DateTime> {
        self.0.due_before.map(DateTime)
    }

    /// The last day that was granted.
    async fn granted_until(&self) -> Option<Date> {
        self.0.granted_until.map(Date)
    }

    /// What the committee said to it.
    async fn decision(&self) -> Option<&str> {
        self.0.decision.as_deref()
    }

    /// When it was decided.
    async fn decided_at(&self) -> Option<DateTime> {
        self.0.decided_at.map(DateTime)
    }

    /// Who decided.
    async fn decided_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.0.alliance_id, self.0.decided_by, None).await
    }

    /// Grows by one with every change; give it as `expectedVersion`.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

/// Which supervision notices to list; what is absent does not restrict.
#[derive(InputObject, Default)]
pub struct SupervisionNoticeFilter {
    /// Issued by this alliance.
    alliance_id: Option<ID>,
    /// Addressed to this organisation.
    organization_id: Option<ID>,
    /// About this problem.
    problem_id: Option<ID>,
    /// About calls to this whistle.
    whistle_id: Option<ID>,
    /// Answered, or not.
    answered: Option<bool>,
}

#[derive(Default)]
pub struct SupervisionQuery;

#[Object]
impl SupervisionQuery {
    /// The supervision notices that the caller may see, the latest first.
    async fn supervision_notices(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which notices.")] filter: Option<SupervisionNoticeFilter>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<SupervisionNoticeConnection> {
        let ctx = ctx(context);
        let page = async {
            let filter = filter.unwrap_or_default();
            let filter = Filter {
                alliance_id: id::decode_optional(filter.alliance_id.as_ref(), "filter.allianceId")?,
                organization_id: id::decode_optional(
                    filter.organization_id.as_ref(),
                    "filter.organizationId",
                )?,
                problem_id: id::decode_optional(filter.problem_id.as_ref(), "filter.problemId")?,
                whistle_id: id::decode_optional(filter.whistle_id.as_ref(), "filter.whistleId")?,
                answered: filter.answered,
            };
            verbs::list(ctx, filter, &args(first, after, last, before)).await
        }
        .await;
        Ok(page.or_api_error(ctx)?.into())
    }
}

/// A supervision notice to issue by hand.
#[derive(InputObject)]
pub struct IssueSupervisionNoticeInput {
    /// What it is about.
    problem_id: ID,
    /// To whom; an organisation responsible for the problem.
    organization_id: ID,
    /// What is demanded, at most 4,000 characters.
    demand: String,
    /// The last day on which it may be answered, from today on; by the alliance's policy where absent.
    reply_by: Option<Date>,
}

/// The answer to a supervision notice.
#[derive(InputObject)]
pub struct AnswerSupervisionNoticeInput {
    /// The notice.
    notice_id: ID,
    /// The version that the caller read; without it the state alone decides.
    expected_version: Option<i64>,
    /// What the organisation answers, at most 4,000 characters.
    answer: String,
}

/// A request for more time.
#[derive(InputObject)]
pub struct RequestExtensionInput {
    /// The problem, for which an organisation of the caller's is responsible.
    problem_id: ID,
    /// The last day that is asked for, later than the deadline.
    until: Date,
    /// Why, at most 4,000 characters.
    reason: String,
}

/// More time to grant.
#[derive(InputObject)]
pub struct GrantExtensionInput {
    /// The request.
    extension_id: ID,
    /// The version that the caller read; without it the state alone decides.
    expected_version: Option<i64>,
    /// The last day that is granted; the one asked for where absent.
    until: Option<Date>,
    /// What the committee says to it, at most 4,000 characters.
    decision: Option<String>,
}

/// More time to refuse.
#[derive(InputObject)]
pub struct RefuseExtensionInput {
    /// The request.
    extension_id: ID,
    /// The version that the caller read; without it the state alone decides.
    expected_version: Option<i64>,
    /// Why, at most 4,000 characters.
    reason: String,
}

payload!(
    /// What came of a change to a supervision notice.
    SupervisionNoticePayload {
        /// The notice.
        supervision_notice: SupervisionNotice
    }
);

payload!(
    /// What came of a request for more time.
    ExtensionPayload {
        /// The request.
        extension: Extension
    }
);

#[derive(Default)]
pub struct SupervisionMutation;

#[Object]
impl SupervisionMutation {
    /// Issues a supervision notice of the first level by hand to an organisation that is responsible for an open problem, but not
    /// while that is on account. A second one is refused as `NOTICE_UNANSWERED` until the organisation has answered the one of
    /// that level that it was given since it became responsible. Only the committee may; where a deadline passes, the platform
    /// issues a notice by itself.
    async fn issue_supervision_notice(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "About what, to whom, and what is demanded.")] input: IssueSupervisionNoticeInput,
    ) -> Result<SupervisionNoticePayload> {
        let ctx = ctx(context);
        let result = async {
            let problem = id::decode(&input.problem_id, "problemId")?;
            let unit = id::decode(&input.organization_id, "organizationId")?;
            verbs::issue(ctx, problem, unit, &input.demand, input.reply_by.map(|day| day.0)).await
        }
        .await;
        SupervisionNoticePayload::of(ctx, result).await
    }

    /// Answers a supervision notice, once, also after the day by which it was to be answered: that it was late stays on record as
    /// `unansweredAt`. The managers and staff of the organisation it is addressed to may.
    async fn answer_supervision_notice(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which notice, and the answer.")] input: AnswerSupervisionNoticeInput,
    ) -> Result<SupervisionNoticePayload> {
        let ctx = ctx(context);
        let result = async {
            let notice = id::decode(&input.notice_id, "noticeId")?;
            verbs::answer(ctx, notice, &input.answer, input.expected_version).await
        }
        .await;
        SupervisionNoticePayload::of(ctx, result).await
    }

    /// Asks for more time for a problem that is worked on. The managers and staff of a responsible organisation may, one request
    /// at a time.
    async fn request_extension(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "For which problem, until when, and why.")] input: RequestExtensionInput,
    ) -> Result<ExtensionPayload> {
        let ctx = ctx(context);
        let result = async {
            let problem = id::decode(&input.problem_id, "problemId")?;
            extensions::request(ctx, problem, input.until.0, &input.reason).await
        }
        .await;
        ExtensionPayload::of(ctx, result).await
    }

    /// Grants more time: the granted day becomes the organisation's deadline, and what was late stays late. The committee may,
    /// except for an organisation that the caller acts for.
    async fn grant_extension(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which request, and until when.")] input: GrantExtensionInput,
    ) -> Result<ExtensionPayload> {
        let ctx = ctx(context);
        let result = async {
            let asked = id::decode(&input.extension_id, "extensionId")?;
            let until = input.until.map(|day| day.0);
            extensions::grant(ctx, asked, until, input.decision.as_deref(), input.expected_version).await
        }
        .await;
        ExtensionPayload::of(ctx, result).await
    }

    /// Refuses more time. The committee may, except for an organisation that the caller acts for.
    async fn refuse_extension(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which request, and why.")] input: RefuseExtensionInput,
    ) -> Result<ExtensionPayload> {
        let ctx = ctx(context);
        let result = async {
            let asked = id::decode(&input.extension_id, "extensionId")?;
            extensions::refuse(ctx, asked, &input.reason, input.expected_version).await
        }
        .await;
        ExtensionPayload::of(ctx, result).await
    }
}
