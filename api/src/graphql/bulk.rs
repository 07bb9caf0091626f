//! Faces of bulk work: many items in one mutation, each item's outcome told apart.

use async_graphql::{Context, ID, InputObject, Object, Result};
use uuid::Uuid;

use super::{
    ctx, id,
    list::{
        problem::Problem,
        problem_mutation::{AssignProblemInput, which},
    },
    node::Node,
    rotation::handover_item::{AssignHandoverItemInput, HandoverItem},
    scalar::Date,
};
use crate::domain::{
    self, Ctx, Error, bulk,
    list::problem::{
        extend::{extend, reason},
        moves,
    },
};

/// Problems to assign.
#[derive(InputObject)]
pub struct AssignProblemsInput {
    /// The assignments, 1 to 500; each stands for itself.
    items: Vec<AssignProblemInput>,
}

/// A due date to move.
#[derive(InputObject)]
pub struct ExtendProblemInput {
    /// The problem, open and assigned.
    problem_id: ID,
    /// The version that the caller read; where given, a problem changed since is refused.
    expected_version: Option<i64>,
    /// The new due date, later than the present one.
    due_on: Date,
}

/// Due dates to move, and why.
#[derive(InputObject)]
pub struct ExtendProblemsInput {
    /// The problems with their new dates, 1 to 500; each stands for itself.
    items: Vec<ExtendProblemInput>,
    /// Why, at most 4,000 characters; kept with each.
    reason: String,
}

/// Items of the committee's queue to hand to units.
#[derive(InputObject)]
pub struct HandOverItemsInput {
    /// The items with their units, 1 to 500; each stands for itself.
    items: Vec<AssignHandoverItemInput>,
}

/// Declares the outcome of one item and of the whole.
macro_rules! outcomes {
    ($(#[$doc:meta])* $outcome:ident, $(#[$payload_doc:meta])* $payload:ident, $field:ident: $type:ty) => {
        $(#[$doc])*
        #[derive(async_graphql::SimpleObject)]
        pub struct $outcome {
            /// The identifier as it was given.
            id: async_graphql::ID,
            /// The object; null where it was refused.
            $field: Option<$type>,
            /// Why it was refused; empty where it was done. `NOT_REACHED` where the request's time ran out before: sent again with the
            /// same key, the request does the rest; without one, the items left are sent anew.
            user_errors: Vec<$crate::graphql::error::UserError>,
        }

        impl $outcome {
            async fn of<T: Into<$type>>(
                ctx: &$crate::domain::Ctx,
                index: usize,
                id: async_graphql::ID,
                result: $crate::domain::Result<T>,
            ) -> async_graphql::Result<Self> {
                match $crate::graphql::bulk::replayed(ctx, result).await {
                    Ok(found) => Ok(Self { id, $field: Some(found), user_errors: Vec::new() }),
                    Err(error) => {
                        Ok(Self { id, $field: None, user_errors: vec![$crate::graphql::error::item_error(ctx, &error, index)?] })
                    }
                }
            }
        }

        $(#[$payload_doc])*
        #[derive(async_graphql::SimpleObject)]
        pub struct $payload {
            /// What came of each item, in the order given.
            results: Vec<$outcome>,
            /// What is wrong with the request as a whole; then no item was touched.
            user_errors: Vec<$crate::graphql::error::UserError>,
        }

        impl $payload {
            fn refused(ctx: &$crate::domain::Ctx, error: &$crate::domain::Error) -> async_graphql::Result<Self> {
                Ok(Self { results: Vec::new(), user_errors: vec![$crate::graphql::error::user_error(ctx, error)?] })
            }

            fn done(results: Vec<$outcome>) -> Self {
                Self { results, user_errors: Vec::new() }
            }
        }
    };
}
pub(crate) use outcomes;

outcomes!(
    /// What came of one problem.
    ProblemOutcome,
    /// What came of many problems.
    ProblemsPayload,
    problem: Problem
);

outcomes!(
    /// What came of one item of a handover.
    HandoverItemOutcome,
    /// What came of many items of handovers.
    HandoverItemsPayload,
    item: HandoverItem
);

/// What an item answers with: what was done before under its key is read again.
pub(super) async fn replayed<T, N: Node>(ctx: &Ctx, result: domain::Result<T>) -> domain::Result<N>
where
    T: Into<N>,
{
    match result {
        Ok(value) => Ok(value.into()),
        Err(Error::Replayed(id)) => {
            N::find(ctx, id.unwrap_or_else(Uuid::nil)).await?.ok_or(Error::NotFound("object"))
        }
        Err(error) => Err(error),
    }
}

#[derive(Default)]
pub struct BulkMutation;

#[Object]
impl BulkMutation {
    /// Makes organisations responsible for triaged problems, up to 500 at once. Only the committee may.
    async fn assign_problems(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which problems, and to whom.")] input: AssignProblemsInput,
    ) -> Result<ProblemsPayload> {
        let ctx = ctx(context);
        if let Err(error) = bulk::begin(ctx, input.items.len()).await {
            return ProblemsPayload::refused(ctx, &error);
        }
        let mut results = Vec::with_capacity(input.items.len());
        for (index, item) in input.items.into_iter().enumerate() {
            let result = async {
                let own = bulk::item(ctx, index)?;
                let which = which(&item.problem_id, item.expected_version)?;
                let lead = id::decode(&item.lead_organization_id, "leadOrganizationId")?;
                let joint = id::decode_all(&item.joint_organization_ids, "jointOrganizationIds")?;
                moves::assign_jointly(&own, which, lead, &joint, item.due_on.map(|on| on.0)).await
            }
            .await;
            results.push(ProblemOutcome::of(ctx, index, item.problem_id, result).await?);
        }
        Ok(ProblemsPayload::done(results))
    }

    /// Moves the due dates of assigned problems further out, up to 500 at once, with the reason on record. Only the committee
    /// may.
    async fn extend_problems(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which problems, until when, and why.")] input: ExtendProblemsInput,
    ) -> Result<ProblemsPayload> {
        let ctx = ctx(context);
        let begun = async {
            reason(&input.reason)?;
            bulk::begin(ctx, input.items.len()).await
        };
        if let Err(error) = begun.await {
            return ProblemsPayload::refused(ctx, &error);
        }
        let mut results = Vec::with_capacity(input.items.len());
        for (index, item) in input.items.into_iter().enumerate() {
            let result = async {
                let own = bulk::item(ctx, index)?;
                let which = which(&item.problem_id, item.expected_version)?;
                extend(&own, which, item.due_on.0, &input.reason).await
            }
            .await;
            results.push(ProblemOutcome::of(ctx, index, item.problem_id, result).await?);
        }
        Ok(ProblemsPayload::done(results))
    }

    /// Gives items of the committee's queue, which no team accepted, to units, up to 500 at once. Only the committee may.
    async fn hand_over_items(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which items, and to whom.")] input: HandOverItemsInput,
    ) -> Result<HandoverItemsPayload> {
        let ctx = ctx(context);
        if let Err(error) = bulk::begin(ctx, input.items.len()).await {
            return HandoverItemsPayload::refused(ctx, &error);
        }
        let mut results = Vec::with_capacity(input.items.len());
        for (index, item) in input.items.into_iter().enumerate() {
            let result = async { item.carry_out(&bulk::item(ctx, index)?).await }.await;
            results.push(HandoverItemOutcome::of(ctx, index, item.item_id, result).await?);
        }
        Ok(HandoverItemsPayload::done(results))
    }
}
