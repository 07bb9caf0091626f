//! Faces of merging duplicates.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, ID, InputObject, Object, Result, dataloader::Loader};
use concord_entities::{id::ProblemId, problem};
use sea_orm::{QueryFilter, QueryOrder};

use super::{problem::Problem, problem_mutation::which};
use crate::{
    domain::{
        Error,
        list::problem::{self as problems, merge as verbs},
        page,
    },
    graphql::{
        ctx,
        error::payload,
        id,
        loaders::{self, Loaders},
    },
};

/// Key of the problems that were merged into one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MergedInto(pub ProblemId);

impl Loader<MergedInto> for Loaders {
    type Value = Vec<problem::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[MergedInto]) -> Result<HashMap<MergedInto, Self::Value>, Self::Error> {
        let rows = problems::visible(&self.0)
            .filter(page::among(&self.0, problem::Column::MergedIntoId, keys.iter().map(|key| key.0)))
            .order_by_asc(problem::Column::Ordinal)
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(Error::from(error)))?;
        let mut found: HashMap<MergedInto, Self::Value> = HashMap::new();
        for row in rows {
            if let Some(survivor) = row.merged_into_id {
                found.entry(MergedInto(survivor)).or_default().push(row);
            }
        }
        Ok(found)
    }
}

/// The problems that were merged into one, by number.
pub async fn merged_problems(context: &Context<'_>, of: ProblemId) -> Result<Vec<Problem>> {
    let found = loaders::one(context, MergedInto(of)).await?;
    Ok(found.unwrap_or_default().into_iter().map(Problem).collect())
}

/// A duplicate to merge.
#[derive(InputObject)]
pub struct MergeProblemInput {
    /// The problem that ends.
    duplicate_id: ID,
    /// The problem that goes on: open, and on the same list.
    survivor_id: ID,
    /// The version of the duplicate that the caller read; where given, one changed since is refused.
    expected_version: Option<i64>,
    /// Why, at most 4,000 characters.
    reason: String,
}

payload!(
    /// What came of merging a problem.
    MergeProblemPayload {
        /// The problem that ended; `mergedInto` is the one that goes on.
        problem: Problem
    }
);

#[derive(Default)]
pub struct ProblemMergeMutation;

#[Object]
impl ProblemMergeMutation {
    /// Merges a duplicate into the problem that goes on (并案): the duplicate ends as merged, and those who reported it are asked
    /// about the other. What was merged into the duplicate earlier moves along. The other one is open, on the same list, and not
    /// escalated: those above learn of no other reporter (`STATE_REFUSED`). Only the committee may.
    async fn merge_problem(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which duplicate, into which problem, and why.")] input: MergeProblemInput,
    ) -> Result<MergeProblemPayload> {
        let ctx = ctx(context);
        let result = async {
            let mut duplicate = which(&input.duplicate_id, input.expected_version);
            if let Err(error) = duplicate {
                duplicate = Err(error.at("duplicateId"));
            }
            verbs::merge(ctx, duplicate?, id::decode(&input.survivor_id, "survivorId")?, &input.reason).await
        }
        .await;
        MergeProblemPayload::of(ctx, result).await
    }
}
