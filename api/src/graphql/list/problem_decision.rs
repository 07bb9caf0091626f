//! Faces of what is decided above the handler of a problem: that it is held on account, the sign-offs before its strike-off,
//! and its moves between tiers; each with its mutation.

use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use concord_entities::{
    id::{AccountId, AllianceId, OrganizationId},
    problem::{self, State},
    problem_sign_off,
    problem_tier_move::Forum,
    seat,
};

use super::{
    person::{Person, person},
    problem::{Problem, ProblemTier},
    problem_batch::{SignOffsOf, TierMovesOf},
    problem_mutation::{payloads, which},
};
use crate::{
    domain::{
        Action,
        list::{
            due,
            problem::{
                moves,
                on_account::{self, NewHold},
                tiers::{self, Settled},
            },
            problem_states::Policy,
        },
        policy::{self, Grant},
    },
    graphql::{
        ctx,
        governance::organization::Organization,
        id, loaders,
        scalar::{Date, DateTime},
    },
};

/// How a problem is held on account (挂账).
pub struct ProblemOnAccount {
    alliance: AllianceId,
    reason: Option<String>,
    unit: Option<OrganizationId>,
    review_on: Option<chrono::NaiveDate>,
    held_at: Option<chrono::DateTime<chrono::Utc>>,
    held_by: Option<AccountId>,
}

impl ProblemOnAccount {
    /// How a problem is held, where it is.
    pub fn of(row: &problem::Model) -> Option<Self> {
        (row.state == State::OnAccount).then(|| Self {
            alliance: row.alliance_id,
            reason: row.held_reason.clone(),
            unit: row.held_organization_id,
            review_on: row.review_on,
            held_at: row.held_at,
            held_by: row.held_by,
        })
    }
}

/// How a problem is held on account (挂账): still open and counted, and looked at again on a day that is set.
#[Object]
impl ProblemOnAccount {
    /// Why work cannot go on.
    async fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The organisation that answers for it meanwhile.
    async fn organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        match self.unit {
            Some(unit) => Ok(loaders::one(context, unit).await?.map(Organization)),
            None => Ok(None),
        }
    }

    /// The day on which it is looked at again (复核日期).
    async fn review_on(&self) -> Option<Date> {
        self.review_on.map(Date)
    }

    /// Whether that day has come by the alliance's calendar.
    async fn is_review_due(&self, context: &Context<'_>) -> Result<bool> {
        let Some(review_on) = self.review_on else { return Ok(false) };
        let alliance = loaders::one(context, self.alliance).await?;
        let now = ctx(context).now();
        Ok(alliance.is_some_and(|alliance| review_on <= due::today(&alliance.time_zone, now)))
    }

    /// Since when it is held.
    async fn held_at(&self) -> Option<DateTime> {
        self.held_at.map(DateTime)
    }

    /// Who decided so.
    async fn held_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.alliance, self.held_by, None).await
    }
}

/// An approver's signature under a verified problem.
#[derive(SimpleObject)]
pub struct ProblemSignOff {
    /// The round that was signed off, from 1.
    round: i32,
    /// When.
    signed_at: DateTime,
    /// Who signed.
    person: Option<Person>,
    /// Whether it counts in the present round: a return ends what was signed before it.
    stands: bool,
}

/// The sign-offs of a problem.
pub async fn sign_offs(context: &Context<'_>, row: &problem::Model) -> Result<Vec<ProblemSignOff>> {
    let rows = loaders::one(context, SignOffsOf(row.id)).await?.unwrap_or_default();
    let mut found = Vec::with_capacity(rows.len());
    for signed in rows {
        found.push(ProblemSignOff {
            round: signed.round,
            signed_at: signed.signed_at.into(),
            person: person(context, row.alliance_id, Some(signed.signed_by), None).await?,
            stands: signed.round == row.round && signed.returned_count == row.returned_count,
        });
    }
    Ok(found)
}

/// What of a problem's alliance its viewer's steps depend on.
#[derive(Default)]
pub struct Settles {
    pub policy: Policy,
    /// Who signed it off since it was last returned.
    pub signers: Vec<AccountId>,
    /// Whether there is no alliance above.
    pub is_topmost: bool,
}

/// What the alliance settles for the steps of a problem, as far as the viewer's steps depend on it.
pub async fn settles(context: &Context<'_>, row: &problem::Model, seats: &[seat::Model]) -> Result<Settles> {
    let asks = match row.state {
        State::Assigned => &[Action::DeclineProblem, Action::EscalateProblem][..],
        State::Triaged | State::Accepted | State::InProgress => &[Action::EscalateProblem],
        State::Verified => &[Action::StrikeOffProblem],
        _ => return Ok(Settles::default()),
    };
    let may =
        |seat: &seat::Model| asks.iter().any(|action| policy::grant(seat.role, *action) != Grant::Never);
    if !seats.iter().any(may) {
        return Ok(Settles::default());
    }
    let Some(alliance) = loaders::one(context, row.alliance_id).await? else {
        return Ok(Settles::default());
    };
    let policy = Policy::of(&alliance);
    let signers = if row.state == State::Verified && policy.sign_offs > 1 {
        let signed = loaders::one(context, SignOffsOf(row.id)).await?.unwrap_or_default();
        let stands = |one: &&problem_sign_off::Model| {
            one.round == row.round && one.returned_count == row.returned_count
        };
        signed.iter().filter(stands).map(|one| one.signed_by).collect()
    } else {
        Vec::new()
    };
    Ok(Settles { policy, signers, is_topmost: alliance.parent_id.is_none() })
}

/// Who settles that a problem belongs to a tier.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::problem_tier_move::Forum")]
pub enum ProblemForum {
    /// The committee by itself (镇党委研判).
    Committee,
    /// Residents among themselves (居民自议).
    Residents,
    /// The property firm with its owners (物业协商).
    PropertyFirm,
    /// A council (议事会).
    Council,
    /// A joint meeting of the units concerned (联席会议).
    JointMeeting,
}

/// A move of a problem between tiers.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct ProblemTierMove {
    #[graphql(skip)]
    alliance: AllianceId,
    #[graphql(skip)]
    by: Option<AccountId>,
    /// The tier before; null at the first triage.
    from_tier: Option<ProblemTier>,
    /// The tier since.
    to_tier: ProblemTier,
    /// Who settled it.
    forum: ProblemForum,
    /// Why; null at a first triage that gave none, and where it named somebody who was erased.
    reason: Option<String>,
    /// When.
    moved_at: DateTime,
}

#[ComplexObject]
impl ProblemTierMove {
    /// Who wrote it down.
    async fn moved_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.alliance, self.by, None).await
    }
}

/// The moves of a problem between tiers.
pub async fn tier_moves(context: &Context<'_>, row: &problem::Model) -> Result<Vec<ProblemTierMove>> {
    let rows = loaders::one(context, TierMovesOf(row.id)).await?.unwrap_or_default();
    let face = |moved: concord_entities::problem_tier_move::Model| ProblemTierMove {
        alliance: row.alliance_id,
        by: moved.moved_by,
        from_tier: moved.from_tier.map(Into::into),
        to_tier: moved.to_tier.into(),
        forum: moved.forum.into(),
        reason: moved.reason,
        moved_at: moved.moved_at.into(),
    };
    Ok(rows.into_iter().map(face).collect())
}

/// A problem to put on account.
#[derive(InputObject)]
pub struct HoldProblemInput {
    /// The problem.
    problem_id: ID,
    /// The version that the caller read; where given, a problem changed since is refused.
    expected_version: Option<i64>,
    /// Why work cannot go on, at most 4,000 characters.
    reason: String,
    /// The organisation that answers for it meanwhile, an active member; the leading one where absent.
    organization_id: Option<ID>,
    /// The day on which it is looked at again, from tomorrow on.
    review_on: Date,
}

/// A problem that is decided on, nothing else being needed.
#[derive(InputObject)]
pub struct DecideProblemInput {
    /// The problem.
    problem_id: ID,
    /// The version that the caller read; where given, a problem changed since is refused.
    expected_version: Option<i64>,
}

/// A problem to move to another tier.
#[derive(InputObject)]
pub struct MoveProblemTierInput {
    /// The problem.
    problem_id: ID,
    /// The version that the caller read; where given, a problem changed since is refused.
    expected_version: Option<i64>,
    /// Who can settle it now.
    tier: ProblemTier,
    /// Who settled that.
    forum: ProblemForum,
    /// Why, at most 4,000 characters.
    reason: String,
}

payloads!(
    /// What came of putting a problem on account.
    HoldProblemPayload,
    /// What came of taking a problem off account.
    ResumeProblemPayload,
    /// What came of signing a problem off.
    SignOffProblemPayload,
    /// What came of moving a problem to another tier.
    MoveProblemTierPayload,
);

#[derive(Default)]
pub struct ProblemDecisionMutation;

#[Object]
impl ProblemDecisionMutation {
    /// Puts a problem that was accepted or is in progress on account (挂账) until it is looked at again; it stays open and
    /// counted. The committee and approvers may, but nobody who handles it or acts for a responsible organisation.
    async fn hold_problem(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which problem, why, and until when.")] input: HoldProblemInput,
    ) -> Result<HoldProblemPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.problem_id, input.expected_version)?;
            let new = NewHold {
                organization_id: id::decode_optional(input.organization_id.as_ref(), "organizationId")?,
                reason: input.reason,
                review_on: input.review_on.0,
            };
            on_account::hold(ctx, which, new).await
        }
        .await;
        HoldProblemPayload::of(ctx, result).await
    }

    /// Takes a problem off account: work on it goes on. The same may as for `holdProblem`.
    async fn resume_problem(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which problem.")] input: DecideProblemInput,
    ) -> Result<ResumeProblemPayload> {
        let ctx = ctx(context);
        let result =
            async { on_account::resume(ctx, which(&input.problem_id, input.expected_version)?).await }.await;
        ResumeProblemPayload::of(ctx, result).await
    }

    /// Signs a verified problem off, where the alliance's `signOffs` wants more than one approver; the last of them strikes it
    /// off with `strikeOffProblem`. Approvers may who had no part in the problem and have not signed; a return ends what was
    /// signed before it.
    async fn sign_off_problem(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which problem.")] input: DecideProblemInput,
    ) -> Result<SignOffProblemPayload> {
        let ctx = ctx(context);
        let result =
            async { moves::sign_off(ctx, which(&input.problem_id, input.expected_version)?).await }.await;
        SignOffProblemPayload::of(ctx, result).await
    }

    /// Moves a triaged problem to another tier, until it is submitted; its state stays. Only the committee may.
    async fn move_problem_tier(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which problem, where to, and who settled that.")] input: MoveProblemTierInput,
    ) -> Result<MoveProblemTierPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.problem_id, input.expected_version)?;
            let settled = Settled { forum: Forum::from(input.forum), reason: Some(input.reason) };
            tiers::move_tier(ctx, which, input.tier.into(), settled).await
        }
        .await;
        MoveProblemTierPayload::of(ctx, result).await
    }
}
