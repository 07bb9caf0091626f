//! Faces of what is done with whistles and their calls: one mutation for each verb.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{
    Whistle, WhistleKind,
    call::{WhistleResponse, WhistleSolved},
};
use crate::{
    domain::{
        self, bulk,
        whistle::{
            self as verbs, NewCall, NewWhistle, Which,
            answer::{self, Evaluation, ReportIn, WhichCall},
            steps,
        },
    },
    graphql::{bulk::outcomes, ctx, error::payload, id, scalar::DateTime},
};

/// A whistle to apply for.
#[derive(InputObject)]
pub struct ApplyForWhistleInput {
    /// The alliance that is to blow it: the town.
    alliance_id: ID,
    /// What it is blown for.
    kind: WhistleKind,
    /// In a few words, at most 200 characters.
    title: String,
    /// What the departments are wanted for, at most 4,000 characters.
    description: String,
    /// Where, in words, at most 300 characters.
    place: Option<String>,
    /// The region it lies in, within the alliance's own.
    region_id: Option<ID>,
    /// The problem on the same alliance's list that it serves.
    problem_id: Option<ID>,
}

/// Which whistle to move.
#[derive(InputObject)]
pub struct MoveWhistleInput {
    /// The whistle.
    whistle_id: ID,
    /// The version that the caller read; without it the state alone decides.
    expected_version: Option<i64>,
}

/// Which whistle to move, and why.
#[derive(InputObject)]
pub struct MoveWhistleWithReasonInput {
    /// The whistle.
    whistle_id: ID,
    /// The version that the caller read; without it the state alone decides.
    expected_version: Option<i64>,
    /// Why, at most 4,000 characters.
    reason: String,
}

/// A unit to call.
#[derive(InputObject)]
pub struct WhistleCallInput {
    /// The unit: an active member of the alliance that calls, and not its own committee.
    organization_id: ID,
    /// By when it is to report in, within 366 days; where absent, as the alliance that calls sets it (`whistleRules` of its deadlines).
    report_in_by: Option<DateTime>,
    /// By when it is to have resolved the matter, not before it reports in; where absent, as the alliance that calls sets it.
    resolve_by: Option<DateTime>,
}

/// Which whistle to sound, and whom to call.
#[derive(InputObject)]
pub struct SoundWhistleInput {
    /// The whistle.
    whistle_id: ID,
    /// The version that the caller read; without it the state alone decides.
    expected_version: Option<i64>,
    /// The units to call, 1 to 30.
    calls: Vec<WhistleCallInput>,
    /// The member that takes what nobody accepts (兜底单位).
    backstop_organization_id: Option<ID>,
}

/// Whom else to call to a whistle.
#[derive(InputObject)]
pub struct CallWhistleUnitsInput {
    /// The whistle.
    whistle_id: ID,
    /// The version that the caller read; without it the state alone decides.
    expected_version: Option<i64>,
    /// The alliance that calls its own members: the town where absent, or one above to which the whistle was escalated.
    alliance_id: Option<ID>,
    /// The units to call; at most 30 calls of a whistle are open at a time.
    calls: Vec<WhistleCallInput>,
}

/// Where a unit reports in, and with how many people.
#[derive(InputObject)]
pub struct ReportInToWhistleInput {
    /// The call.
    response_id: ID,
    /// The version that the caller read; without it the state alone decides.
    expected_version: Option<i64>,
    /// Where, at most 300 characters.
    place: String,
    /// How many people came, 1 to 10,000.
    head_count: i32,
}

/// Which call to move.
#[derive(InputObject)]
pub struct MoveWhistleCallInput {
    /// The call.
    response_id: ID,
    /// The version that the caller read; without it the state alone decides.
    expected_version: Option<i64>,
}

/// Which call to move, and why.
#[derive(InputObject)]
pub struct MoveWhistleCallWithReasonInput {
    /// The call.
    response_id: ID,
    /// The version that the caller read; without it the state alone decides.
    expected_version: Option<i64>,
    /// Why, at most 4,000 characters.
    reason: String,
}

/// Which call is done, and what was done.
#[derive(InputObject)]
pub struct ClaimWhistleResolvedInput {
    /// The call.
    response_id: ID,
    /// The version that the caller read; without it the state alone decides.
    expected_version: Option<i64>,
    /// What the unit did, at most 4,000 characters.
    claim: String,
}

/// Which call to refuse, and whose the matter is instead.
#[derive(InputObject)]
pub struct RefuseWhistleCallInput {
    /// The call.
    response_id: ID,
    /// The version that the caller read; without it the state alone decides.
    expected_version: Option<i64>,
    /// Why, at most 4,000 characters.
    reason: String,
    /// The unit thought right, which could be called instead: another active member of the alliance that called, or the backstop unit; not a committee's own, nor one in an open call of the whistle.
    proposed_organization_id: ID,
}

/// What the town says of a unit's work.
#[derive(InputObject)]
pub struct EvaluateWhistleCallInput {
    /// The call.
    response_id: ID,
    /// The version that the caller read; without it the state alone decides.
    expected_version: Option<i64>,
    /// Whether the town finds the matter resolved.
    solved: WhistleSolved,
    /// How satisfied the town is, from 1 to 5; from 4 on it counts as satisfied.
    score: i32,
    /// In words, at most 2,000 characters.
    words: String,
}

/// To whom a refused call goes.
#[derive(InputObject)]
pub struct RerouteWhistleCallInput {
    /// The call.
    response_id: ID,
    /// The version that the caller read; without it the state alone decides.
    expected_version: Option<i64>,
    /// The unit to call instead: an active member of the alliance that called the first; the backstop unit where absent.
    organization_id: Option<ID>,
    /// By when it is to report in, within 366 days; as for a first call where absent.
    report_in_by: Option<DateTime>,
    /// By when it is to have resolved the matter; the deadline of the refused call where absent, unless that has passed.
    resolve_by: Option<DateTime>,
}

/// Many calls to report in to.
#[derive(InputObject)]
pub struct ReportInToWhistlesInput {
    /// The reports, 1 to 500; each stands for itself.
    items: Vec<ReportInToWhistleInput>,
}

/// Many calls to evaluate.
#[derive(InputObject)]
pub struct EvaluateWhistleCallsInput {
    /// The evaluations, 1 to 500; each stands for itself.
    items: Vec<EvaluateWhistleCallInput>,
}

payload!(
    /// What came of a change to a whistle.
    WhistlePayload {
        /// The whistle.
        whistle: Whistle
    }
);

payload!(
    /// What came of a change to a call.
    WhistleResponsePayload {
        /// The call; of a re-routing, the new one.
        response: WhistleResponse
    }
);

outcomes!(
    /// What came of one call.
    WhistleResponseOutcome,
    /// What came of many calls.
    WhistleResponsesPayload,
    response: WhistleResponse
);

fn which(id: &ID, expected_version: Option<i64>) -> domain::Result<Which> {
    Ok(Which { id: id::decode(id, "whistleId")?, expected_version })
}

fn which_call(id: &ID, expected_version: Option<i64>) -> domain::Result<WhichCall> {
    Ok(WhichCall { id: id::decode(id, "responseId")?, expected_version })
}

fn calls(given: &[WhistleCallInput]) -> domain::Result<Vec<NewCall>> {
    let read = |(index, call): (usize, &WhistleCallInput)| {
        Ok(NewCall {
            organization_id: id::decode(&call.organization_id, format!("calls.{index}.organizationId"))?,
            report_in_by: call.report_in_by.map(|at| at.0),
            resolve_by: call.resolve_by.map(|at| at.0),
        })
    };
    given.iter().enumerate().map(read).collect()
}

impl ApplyForWhistleInput {
    fn read(self) -> domain::Result<NewWhistle> {
        Ok(NewWhistle {
            alliance_id: id::decode(&self.alliance_id, "allianceId")?,
            region_id: id::decode_optional(self.region_id.as_ref(), "regionId")?,
            problem_id: id::decode_optional(self.problem_id.as_ref(), "problemId")?,
            kind: self.kind.into(),
            title: self.title,
            description: self.description,
            place: self.place,
        })
    }
}

impl ReportInToWhistleInput {
    async fn carry_out(
        &self,
        ctx: &domain::Ctx,
    ) -> domain::Result<concord_entities::whistle_response::Model> {
        let with = ReportIn { place: self.place.clone(), head_count: self.head_count };
        answer::report_in(ctx, which_call(&self.response_id, self.expected_version)?, &with).await
    }
}

impl EvaluateWhistleCallInput {
    async fn carry_out(
        &self,
        ctx: &domain::Ctx,
    ) -> domain::Result<concord_entities::whistle_response::Model> {
        let given = Evaluation { solved: self.solved.into(), score: self.score, words: self.words.clone() };
        answer::evaluate(ctx, which_call(&self.response_id, self.expected_version)?, &given).await
    }
}

#[derive(Default)]
pub struct WhistleMutation;

#[Object]
impl WhistleMutation {
    /// Applies for a whistle. The committee and the officers of communities may; the town's leader decides.
    async fn apply_for_whistle(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is applied for.")] input: ApplyForWhistleInput,
    ) -> Result<WhistlePayload> {
        let ctx = ctx(context);
        let result = async { verbs::apply(ctx, input.read()?).await }.await;
        WhistlePayload::of(ctx, result).await
    }

    /// Approves an application. Approvers, as the town's leaders, may.
    async fn approve_whistle(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one.")] input: MoveWhistleInput,
    ) -> Result<WhistlePayload> {
        let ctx = ctx(context);
        let result =
            async { steps::approve(ctx, which(&input.whistle_id, input.expected_version)?).await }.await;
        WhistlePayload::of(ctx, result).await
    }

    /// Rejects an application. Approvers, as the town's leaders, may.
    async fn reject_whistle(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one, and why.")] input: MoveWhistleWithReasonInput,
    ) -> Result<WhistlePayload> {
        let ctx = ctx(context);
        let result = async {
            steps::reject(ctx, which(&input.whistle_id, input.expected_version)?, &input.reason).await
        }
        .await;
        WhistlePayload::of(ctx, result).await
    }

    /// Withdraws a whistle before it is sounded. The committee may, and the officer who applied.
    async fn withdraw_whistle(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one, and why.")] input: MoveWhistleWithReasonInput,
    ) -> Result<WhistlePayload> {
        let ctx = ctx(context);
        let result = async {
            steps::withdraw(ctx, which(&input.whistle_id, input.expected_version)?, &input.reason).await
        }
        .await;
        WhistlePayload::of(ctx, result).await
    }

    /// Sounds an approved whistle: every unit named is called, or none. Only the committee may.
    async fn sound_whistle(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one, and whom to call.")] input: SoundWhistleInput,
    ) -> Result<WhistlePayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.whistle_id, input.expected_version)?;
            let backstop =
                id::decode_optional(input.backstop_organization_id.as_ref(), "backstopOrganizationId")?;
            steps::sound(ctx, which, &calls(&input.calls)?, backstop).await
        }
        .await;
        WhistlePayload::of(ctx, result).await
    }

    /// Calls more units to a whistle that sounds. The committee of the town may, and that of an alliance above to which it was escalated, each for its own members.
    async fn call_whistle_units(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one, and whom to call.")] input: CallWhistleUnitsInput,
    ) -> Result<WhistlePayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.whistle_id, input.expected_version)?;
            let alliance = id::decode_optional(input.alliance_id.as_ref(), "allianceId")?;
            steps::call_units(ctx, which, alliance, &calls(&input.calls)?).await
        }
        .await;
        WhistlePayload::of(ctx, result).await
    }

    /// Escalates a whistle to the alliance above (提级), which calls members of its own. It stays the town's, which alone evaluates and releases. The committee of the town may; then that of the alliance to which it is escalated, which hands it further up. `NO_PARENT_ALLIANCE` where there is none above.
    async fn escalate_whistle(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one, and why.")] input: MoveWhistleWithReasonInput,
    ) -> Result<WhistlePayload> {
        let ctx = ctx(context);
        let result = async {
            steps::escalate(ctx, which(&input.whistle_id, input.expected_version)?, &input.reason).await
        }
        .await;
        WhistlePayload::of(ctx, result).await
    }

    /// Hands an escalated whistle back to those who handed it up, with the reason why; from then on they call again alone. Only the committee of the alliance to which it is escalated may. `NOT_ESCALATED` where it is with none above the town, `UNITS_STILL_CALLED` while a unit that it called still answers or what one refused is not re-routed.
    async fn return_whistle_escalation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one, and why.")] input: MoveWhistleWithReasonInput,
    ) -> Result<WhistlePayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.whistle_id, input.expected_version)?;
            steps::return_escalation(ctx, which, &input.reason).await
        }
        .await;
        WhistlePayload::of(ctx, result).await
    }

    /// Calls a whistle off that sounds. What was evaluated is released; whoever else is called is excused, counts in no rate, and is shown beside them. Only the committee may, and nobody where that would excuse a unit of their own.
    async fn call_off_whistle(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one, and why.")] input: MoveWhistleWithReasonInput,
    ) -> Result<WhistlePayload> {
        let ctx = ctx(context);
        let result = async {
            steps::call_off(ctx, which(&input.whistle_id, input.expected_version)?, &input.reason).await
        }
        .await;
        WhistlePayload::of(ctx, result).await
    }

    /// Reports in to a whistle (报到). The managers and staff of the unit that is called may.
    async fn report_in_to_whistle(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which call, where, and with how many people.")] input: ReportInToWhistleInput,
    ) -> Result<WhistleResponsePayload> {
        let ctx = ctx(context);
        let result = async { input.carry_out(ctx).await }.await;
        WhistleResponsePayload::of(ctx, result).await
    }

    /// Says that the unit is on site. Its managers and staff may, once it has reported in.
    async fn arrive_at_whistle(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which call.")] input: MoveWhistleCallInput,
    ) -> Result<WhistleResponsePayload> {
        let ctx = ctx(context);
        let result =
            async { answer::arrive(ctx, which_call(&input.response_id, input.expected_version)?).await }
                .await;
        WhistleResponsePayload::of(ctx, result).await
    }

    /// Says that the matter is done. The managers and staff of the unit may, once it is on site.
    async fn claim_whistle_resolved(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which call, and what was done.")] input: ClaimWhistleResolvedInput,
    ) -> Result<WhistleResponsePayload> {
        let ctx = ctx(context);
        let result = async {
            answer::claim(ctx, which_call(&input.response_id, input.expected_version)?, &input.claim).await
        }
        .await;
        WhistleResponsePayload::of(ctx, result).await
    }

    /// Refuses a call within the time to report in, with a reason and the unit thought right. Its managers and staff may. An emergency answers `EMERGENCY_BINDS`; the backstop unit, and whoever is called after two refusals of one matter, `CALL_BINDS`. It is counted, and after the second refusal the backstop unit is called at once where the whistle names one.
    async fn refuse_whistle_call(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which call, why, and whose it is.")] input: RefuseWhistleCallInput,
    ) -> Result<WhistleResponsePayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which_call(&input.response_id, input.expected_version)?;
            let proposed = id::decode(&input.proposed_organization_id, "proposedOrganizationId")?;
            answer::refuse(ctx, which, &input.reason, proposed).await
        }
        .await;
        WhistleResponsePayload::of(ctx, result).await
    }

    /// Returns what a unit claims to be done. Only the committee of the town that blew may, and nobody for a unit of their own.
    async fn return_whistle_claim(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which call, and why.")] input: MoveWhistleCallWithReasonInput,
    ) -> Result<WhistleResponsePayload> {
        let ctx = ctx(context);
        let result = async {
            answer::return_claim(ctx, which_call(&input.response_id, input.expected_version)?, &input.reason)
                .await
        }
        .await;
        WhistleResponsePayload::of(ctx, result).await
    }

    /// Evaluates what a unit claims to be done. Only the committee of the town that blew may, and nobody for a unit of their own; an evaluation stays as it was given.
    async fn evaluate_whistle_call(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which call, and what the town says.")] input: EvaluateWhistleCallInput,
    ) -> Result<WhistleResponsePayload> {
        let ctx = ctx(context);
        let result = async { input.carry_out(ctx).await }.await;
        WhistleResponsePayload::of(ctx, result).await
    }

    /// Releases a unit whose work was evaluated. Only the committee of the town that blew may. With the last of its calls the whistle is released.
    async fn release_whistle_call(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which call.")] input: MoveWhistleCallInput,
    ) -> Result<WhistleResponsePayload> {
        let ctx = ctx(context);
        let result =
            async { answer::release(ctx, which_call(&input.response_id, input.expected_version)?).await }
                .await;
        WhistleResponsePayload::of(ctx, result).await
    }

    /// Re-routes a refused call to another unit, or to the backstop unit. The committee of the town may, and that of the alliance above which called the unit; nobody for a unit of their own. Whoever refused is called again only where the call then binds. Answers with the new call.
    async fn reroute_whistle_call(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which call, and to whom.")] input: RerouteWhistleCallInput,
    ) -> Result<WhistleResponsePayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which_call(&input.response_id, input.expected_version)?;
            let to = id::decode_optional(input.organization_id.as_ref(), "organizationId")?;
            let (report_in, resolve) = (input.report_in_by.map(|at| at.0), input.resolve_by.map(|at| at.0));
            answer::reroute(ctx, which, to, report_in, resolve).await
        }
        .await;
        WhistleResponsePayload::of(ctx, result).await
    }

    /// Excuses a unit from its call, with the reason on record: it counts in no rate and is shown beside them. A whistle whose other calls are released ends with it; one to which nobody came goes on sounding, until others are called or it is called off. Only the committee of the town that blew may, and nobody for a unit of their own.
    async fn excuse_whistle_call(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which call, and why.")] input: MoveWhistleCallWithReasonInput,
    ) -> Result<WhistleResponsePayload> {
        let ctx = ctx(context);
        let result = async {
            answer::excuse(ctx, which_call(&input.response_id, input.expected_version)?, &input.reason).await
        }
        .await;
        WhistleResponsePayload::of(ctx, result).await
    }

    /// Reports in to many calls, up to 500 at once, each for itself. Whoever may report in to one may.
    async fn report_in_to_whistles(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The items.")] input: ReportInToWhistlesInput,
    ) -> Result<WhistleResponsesPayload> {
        let ctx = ctx(context);
        if let Err(error) = bulk::begin(ctx, input.items.len()).await {
            return WhistleResponsesPayload::refused(ctx, &error);
        }
        let mut results = Vec::with_capacity(input.items.len());
        for (index, item) in input.items.into_iter().enumerate() {
            let result = async { item.carry_out(&bulk::item(ctx, index)?).await }.await;
            results.push(WhistleResponseOutcome::of(ctx, index, item.response_id, result).await?);
        }
        Ok(WhistleResponsesPayload::done(results))
    }

    /// Evaluates many calls, up to 500 at once, each for itself. Whoever may evaluate one may.
    async fn evaluate_whistle_calls(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The items.")] input: EvaluateWhistleCallsInput,
    ) -> Result<WhistleResponsesPayload> {
        let ctx = ctx(context);
        if let Err(error) = bulk::begin(ctx, input.items.len()).await {
            return WhistleResponsesPayload::refused(ctx, &error);
        }
        let mut results = Vec::with_capacity(input.items.len());
        for (index, item) in input.items.into_iter().enumerate() {
            let result = async { item.carry_out(&bulk::item(ctx, index)?).await }.await;
            results.push(WhistleResponseOutcome::of(ctx, index, item.response_id, result).await?);
        }
        Ok(WhistleResponsesPayload::done(results))
    }
}
