//! Faces of filters that a person keeps: their text is held against the schema's own filter before it is kept.

use async_graphql::{Context, Enum, ID, InputObject, InputType, Object, Result, Value};
use concord_entities::{
    id::{SavedFilterId, TypedId},
    saved_filter,
};
use uuid::Uuid;

use super::{problem_filter::ProblemFilter, task_input::PriorityTaskFilter};
use crate::{
    domain::{self, Code, Ctx, Error, list::saved_filter as verbs},
    graphql::{
        ctx,
        error::{OrApiError, payload},
        id,
        node::Node,
        scalar::DateTime,
    },
};

/// Which list a saved filter narrows.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::saved_filter::Noun")]
pub enum SavedFilterNoun {
    /// `problems`, with a `ProblemFilter`.
    Problem,
    /// `priorityTasks`, with a `PriorityTaskFilter`.
    PriorityTask,
}

/// A filter that a person keeps under a name; nobody else sees it.
#[derive(Clone)]
pub struct SavedFilter(pub saved_filter::Model);

impl From<saved_filter::Model> for SavedFilter {
    fn from(row: saved_filter::Model) -> Self {
        Self(row)
    }
}

impl Node for SavedFilter {
    const NOUN: &'static str = SavedFilterId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find(ctx, id.into()).await?.map(Self))
    }
}

/// A filter that a person keeps under a name; nobody else sees it.
#[Object]
impl SavedFilter {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// Which list it narrows.
    async fn noun(&self) -> SavedFilterNoun {
        self.0.noun.into()
    }

    /// What its owner calls it.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The filter as a JSON object: read it and give it as the variable `filter` of the list.
    async fn filter(&self) -> &str {
        &self.0.filter
    }

    /// When it was kept.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When its owner let go of it.
    async fn ended_at(&self) -> Option<DateTime> {
        self.0.ended_at.map(Into::into)
    }
}

#[derive(Default)]
pub struct SavedFilterQuery;

#[Object]
impl SavedFilterQuery {
    /// The filters that the caller keeps, by name.
    async fn saved_filters(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only those of this list.")] noun: Option<SavedFilterNoun>,
    ) -> Result<Vec<SavedFilter>> {
        let ctx = ctx(context);
        let rows = verbs::list(ctx, noun.map(Into::into)).await.or_api_error(ctx)?;
        Ok(rows.into_iter().map(SavedFilter).collect())
    }
}

/// A filter that is to be kept.
#[derive(InputObject)]
pub struct SaveFilterInput {
    /// Which list it narrows.
    noun: SavedFilterNoun,
    /// What to call it, at most 64 characters; one name stands for one filter of a list.
    name: String,
    /// The filter as a JSON object with the fields of the list's filter, such as `{"open": true, "mine": true}`; at most
    /// 8,000 characters.
    filter: String,
}

impl SaveFilterInput {
    /// The filter as it is kept: checked, and without what restricts nothing.
    fn read(&self) -> domain::Result<String> {
        let expected = match self.noun {
            SavedFilterNoun::Problem => "ProblemFilter",
            SavedFilterNoun::PriorityTask => "PriorityTaskFilter",
        };
        let malformed = || Error::invalid(Code::Malformed, "filter").with("expected", expected);
        let given: serde_json::Value = serde_json::from_str(&self.filter).map_err(|_| malformed())?;
        let serde_json::Value::Object(mut kept) = given else { return Err(malformed()) };
        kept.retain(|_, value| !value.is_null());
        let given = Value::from_json(kept.clone().into()).map_err(|_| malformed())?;
        let known = match self.noun {
            SavedFilterNoun::Problem => {
                let filter = ProblemFilter::parse(Some(given));
                let filter = filter.map_err(|_| malformed())?;
                let known = filter.to_value();
                filter.read()?.check()?;
                known
            }
            SavedFilterNoun::PriorityTask => {
                let filter = PriorityTaskFilter::parse(Some(given));
                let filter = filter.map_err(|_| malformed())?;
                let known = filter.to_value();
                filter.read()?.check()?;
                known
            }
        };
        // The library leaves out what it does not know; here it would restrict nothing, unnoticed.
        let Value::Object(known) = known else { return Err(malformed()) };
        if kept.keys().any(|name| !known.contains_key(name.as_str())) {
            return Err(malformed());
        }
        Ok(serde_json::Value::Object(kept).to_string())
    }
}

/// A filter that is let go of.
#[derive(InputObject)]
pub struct DeleteSavedFilterInput {
    /// The filter.
    saved_filter_id: ID,
}

payload!(
    /// What came of keeping a filter.
    SaveFilterPayload {
        /// The filter.
        saved_filter: SavedFilter
    }
);

payload!(
    /// What came of letting go of a filter.
    DeleteSavedFilterPayload {
        /// The filter.
        saved_filter: SavedFilter
    }
);

#[derive(Default)]
pub struct SavedFilterMutation;

#[Object]
impl SavedFilterMutation {
    /// Keeps a filter under a name, for the caller alone; at most 50.
    async fn save_filter(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The filter, and what to call it.")] input: SaveFilterInput,
    ) -> Result<SaveFilterPayload> {
        let ctx = ctx(context);
        let result = async { verbs::save(ctx, input.noun.into(), &input.name, input.read()?).await }.await;
        SaveFilterPayload::of(ctx, result).await
    }

    /// Lets go of one of the caller's own filters.
    async fn delete_saved_filter(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which filter.")] input: DeleteSavedFilterInput,
    ) -> Result<DeleteSavedFilterPayload> {
        let ctx = ctx(context);
        let result =
            async { verbs::delete(ctx, id::decode(&input.saved_filter_id, "savedFilterId")?).await }.await;
        DeleteSavedFilterPayload::of(ctx, result).await
    }
}
