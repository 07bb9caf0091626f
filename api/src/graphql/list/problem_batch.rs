//! What problems carry along, read for many of them at once.

use std::{collections::HashMap, sync::Arc};

use async_graphql::dataloader::Loader;
use concord_entities::{
    account,
    id::{AccountId, OrganizationId, ProblemId},
    organization, problem, problem_handler, problem_past_unit, problem_responsible, problem_sign_off,
    problem_tier_move, seat,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, UnionType},
};

use crate::{
    domain::{
        self, Ctx, Error,
        page::{self, Along, Kind, List, Order},
    },
    graphql::loaders::Loaders,
};

/// Key of the organisations responsible for a problem, each with its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ResponsibleFor(pub ProblemId);

impl Loader<ResponsibleFor> for Loaders {
    type Value = Vec<(problem_responsible::Model, organization::Model)>;
    type Error = Arc<Error>;

    async fn load(
        &self,
        keys: &[ResponsibleFor],
    ) -> Result<HashMap<ResponsibleFor, Self::Value>, Self::Error> {
        let rows = problem_responsible::Entity::find()
            .filter(page::among(
                &self.0,
                problem_responsible::Column::ProblemId,
                keys.iter().map(|key| key.0),
            ))
            .order_by_desc(problem_responsible::Column::Duty)
            .order_by_desc(problem_responsible::Column::OrganizationId)
            .find_also_related(organization::Entity)
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(Error::from(error)))?;
        let mut found: HashMap<ResponsibleFor, Self::Value> = HashMap::new();
        for (row, unit) in rows {
            found.entry(ResponsibleFor(row.problem_id)).or_default().extend(unit.map(|unit| (row, unit)));
        }
        Ok(found)
    }
}

/// Key of the sign-offs of a problem, in the order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SignOffsOf(pub ProblemId);

impl Loader<SignOffsOf> for Loaders {
    type Value = Vec<problem_sign_off::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[SignOffsOf]) -> Result<HashMap<SignOffsOf, Self::Value>, Self::Error> {
        use problem_sign_off::{Column, Entity};
        let rows = Entity::find()
            .filter(page::among(&self.0, Column::ProblemId, keys.iter().map(|key| key.0)))
            .order_by_asc(Column::SignedAt)
            .order_by_asc(Column::SignedBy)
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(Error::from(error)))?;
        let mut found: HashMap<SignOffsOf, Self::Value> = HashMap::new();
        for row in rows {
            found.entry(SignOffsOf(row.problem_id)).or_default().push(row);
        }
        Ok(found)
    }
}

/// Key of the moves of a problem between tiers, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TierMovesOf(pub ProblemId);

impl Loader<TierMovesOf> for Loaders {
    type Value = Vec<problem_tier_move::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[TierMovesOf]) -> Result<HashMap<TierMovesOf, Self::Value>, Self::Error> {
        use problem_tier_move::{Column, Entity};
        let rows = Entity::find()
            .filter(page::among(&self.0, Column::ProblemId, keys.iter().map(|key| key.0)))
            .order_by_asc(Column::Version)
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(Error::from(error)))?;
        let mut found: HashMap<TierMovesOf, Self::Value> = HashMap::new();
        for row in rows {
            found.entry(TierMovesOf(row.problem_id)).or_default().push(row);
        }
        Ok(found)
    }
}

/// Who worked on a problem.
#[derive(Clone, Debug, Default)]
pub struct Hands {
    /// Everybody who ever handled it or asked for its closure.
    pub people: Vec<AccountId>,
    /// The units from which it was taken away in its present round.
    pub past_units: Vec<OrganizationId>,
}

/// Key of those who worked on a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HandlersOf(pub ProblemId);

impl Loader<HandlersOf> for Loaders {
    type Value = Hands;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[HandlersOf]) -> Result<HashMap<HandlersOf, Self::Value>, Self::Error> {
        use problem_past_unit::Column as Past;
        let ids = || keys.iter().map(|key| key.0);
        let people = problem_handler::Entity::find()
            .select_only()
            .columns([problem_handler::Column::ProblemId, problem_handler::Column::AccountId])
            .expr_as(Expr::val(true), "is_person")
            .filter(page::among(&self.0, problem_handler::Column::ProblemId, ids()));
        let units = problem_past_unit::Entity::find()
            .inner_join(problem::Entity)
            .select_only()
            .columns([Past::ProblemId, Past::OrganizationId])
            .expr_as(Expr::val(false), "is_person")
            .filter(
                Expr::col((problem_past_unit::Entity, Past::Round))
                    .equals((problem::Entity, problem::Column::Round)),
            )
            .filter(page::among(&self.0, Past::ProblemId, ids()));
        let both = people.into_query().union(UnionType::All, units.into_query()).to_owned();
        let failed = |error| Arc::new(Error::from(error));
        let mut found: HashMap<HandlersOf, Self::Value> = HashMap::new();
        for row in self.0.read().query_all(&both).await.map_err(failed)? {
            let of: ProblemId = row.try_get_by_index(0).map_err(failed)?;
            let hands = found.entry(HandlersOf(of)).or_default();
            if row.try_get_by_index(2).map_err(failed)? {
                hands.people.push(row.try_get_by_index(1).map_err(failed)?);
            } else {
                hands.past_units.push(row.try_get_by_index(1).map_err(failed)?);
            }
        }
        Ok(found)
    }
}

/// Key of all organisations that a person acts for, in whatever alliance, also in a seat that is suspended; or acted for,
/// with the end of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UnitsOf(pub AccountId);

impl Loader<UnitsOf> for Loaders {
    type Value = Vec<(OrganizationId, Option<chrono::DateTime<chrono::Utc>>)>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[UnitsOf]) -> Result<HashMap<UnitsOf, Self::Value>, Self::Error> {
        let rows: Vec<(AccountId, OrganizationId, Option<_>)> = seat::Entity::find()
            .inner_join(account::Entity)
            .select_only()
            .column(seat::Column::AccountId)
            .column(seat::Column::OrganizationId)
            .column(seat::Column::EndedAt)
            .filter(account::Column::State.eq(account::State::Active))
            .filter(page::among(&self.0, seat::Column::AccountId, keys.iter().map(|key| key.0)))
            .filter(seat::Column::OrganizationId.is_not_null())
            .into_tuple()
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(Error::from(error)))?;
        let mut found: HashMap<UnitsOf, Self::Value> = HashMap::new();
        for (account, unit, ended_at) in rows {
            found.entry(UnitsOf(account)).or_default().push((unit, ended_at));
        }
        Ok(found)
    }
}

/// What the units of a problem read along.
pub(super) const UNIT_ALONG: (&str, Along<problem_responsible::Column>) =
    ("", Along { kind: Kind::Organization, by: problem_responsible::Column::OrganizationId });

/// The units responsible for problems, the leading one first.
pub(super) fn responsible_for(_: &Ctx) -> domain::Result<List<problem_responsible::Entity>> {
    use problem_responsible::{Column, Entity};
    let order = Order { column: Column::Duty, descending: true };
    // More than one page of them share no problem.
    let args = page::Args { first: Some(100), ..page::Args::default() };
    Ok(List::new(Column::ProblemId, Column::OrganizationId, (Entity::find(), order), &args))
}
