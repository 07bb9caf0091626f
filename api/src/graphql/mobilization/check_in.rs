//! Faces of check-ins: who came, without saying who it is, and what came of a request.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject, dataloader::Loader};
use concord_entities::{
    id::{MobilizationCheckInId, RegionId, TypedId},
    mobilization_check_in, mobilization_transfer,
};
use sea_orm::{QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::Mobilization;
use crate::{
    domain::{
        self, Code, Ctx, Error,
        mobilization::{
            self as verbs,
            check_in::{Came, replayed},
            come::Outcome,
        },
        page,
    },
    graphql::{
        at_once::AtOnce,
        connection::connection,
        error::{UserError, item_error, user_error},
        governance::organization::Organization,
        id,
        loaders::{self, Loaders},
        node::Node,
        scalar::DateTime,
        territory::region::Region,
    },
    messages,
};

/// What came of a check-in.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum MobilizationOutcome {
    /// The person is present and was not on the order before.
    CheckedIn,
    /// It was known already; nobody is counted twice, and nothing changed but for this: where no unit was known, the one that it names is
    /// taken, and the person counts for it. A unit that is known stays. Of a later time than any before it says until when the person was
    /// there.
    Duplicate,
    /// The person was elsewhere, or on another shift, and is here now.
    Transferred,
    /// It tells of an earlier time than what is known: it is kept, and the person stays counted where they are. Earlier than all that is
    /// known, it says where and when the person came first.
    Superseded,
    /// The person had left and is back.
    Returned,
    /// It was refused; the code says why.
    Refused,
}

impl From<Outcome> for MobilizationOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::CheckedIn => Self::CheckedIn,
            Outcome::Duplicate => Self::Duplicate,
            Outcome::Transferred => Self::Transferred,
            Outcome::Superseded => Self::Superseded,
            Outcome::Returned => Self::Returned,
        }
    }
}

/// Somebody who came. There is one for each person of an order, wherever they go; who it is, nobody is told.
#[derive(Clone)]
pub struct MobilizationCheckIn(pub mobilization_check_in::Model);

impl From<mobilization_check_in::Model> for MobilizationCheckIn {
    fn from(row: mobilization_check_in::Model) -> Self {
        Self(row)
    }
}

impl Node for MobilizationCheckIn {
    const NOUN: &'static str = MobilizationCheckInId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find_check_in(ctx, id.into()).await?.map(Self))
    }
}

/// Somebody who came. There is one for each person of an order, wherever they go; who it is, nobody is told.
#[Object]
impl MobilizationCheckIn {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// The order.
    async fn mobilization(&self, context: &Context<'_>) -> Result<Option<Mobilization>> {
        Ok(loaders::one(context, self.0.mobilization_id).await?.map(Mobilization))
    }

    /// Where the person is, or was last.
    async fn region(&self, context: &Context<'_>) -> Result<Option<Region>> {
        Ok(loaders::one(context, self.0.region_id).await?.map(Region))
    }

    /// The unit that the person came with; null for a volunteer.
    async fn organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        match self.0.organization_id {
            Some(unit) => Ok(loaders::one(context, unit).await?.map(Organization)),
            None => Ok(None),
        }
    }

    /// When the person came there.
    async fn at(&self) -> DateTime {
        self.0.at.into()
    }

    /// Where the person came first; null where the caller does not see the order there.
    async fn first_region(&self, context: &Context<'_>) -> Result<Option<Region>> {
        match loaders::one(context, FirstOf(self.0.id)).await? {
            Some(region) => Ok(loaders::one(context, region).await?.map(Region)),
            None => Ok(None),
        }
    }

    /// When that was.
    async fn first_at(&self) -> DateTime {
        self.0.first_at.into()
    }

    /// When the person left; null while present.
    async fn left_at(&self) -> Option<DateTime> {
        self.0.left_at.map(DateTime)
    }

    /// When it was first recorded, which is later than `firstAt` where it was captured offline.
    async fn recorded_at(&self) -> DateTime {
        self.0.recorded_at.into()
    }

    /// From where to where the person went, and what was told late of where they had been, the earliest first; at most 100.
    async fn transfers(&self, context: &Context<'_>) -> Result<Vec<MobilizationTransfer>> {
        let found = loaders::one(context, TransfersOf(self.0.id)).await?.unwrap_or_default();
        Ok(found.into_iter().take(MOST_TRANSFERS).map(MobilizationTransfer).collect())
    }
}

/// Most transfers of a person that are shown.
const MOST_TRANSFERS: usize = 100;

/// Somebody who was in one place and then in another.
pub struct MobilizationTransfer(mobilization_transfer::Model);

/// Somebody who was in one place and then in another.
#[Object]
impl MobilizationTransfer {
    /// Where the person was, or had been, as was told late.
    async fn origin(&self, context: &Context<'_>) -> Result<Option<Region>> {
        Ok(loaders::one(context, self.0.from_region_id).await?.map(Region))
    }

    /// Where the person came to; of what was told late, where they were by then.
    async fn destination(&self, context: &Context<'_>) -> Result<Option<Region>> {
        Ok(loaders::one(context, self.0.to_region_id).await?.map(Region))
    }

    /// When the person came there; of what was told late, when they had been where they were no longer.
    async fn at(&self) -> DateTime {
        self.0.at.into()
    }

    /// Whether it was told late: the person was elsewhere by then and did not move.
    async fn is_superseded(&self) -> bool {
        self.0.is_superseded
    }

    /// When it was recorded.
    async fn recorded_at(&self) -> DateTime {
        self.0.recorded_at.into()
    }
}

/// Key of where the person of a check-in came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FirstOf(pub MobilizationCheckInId);

impl Loader<FirstOf> for Loaders {
    type Value = RegionId;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[FirstOf]) -> Result<HashMap<FirstOf, Self::Value>, Self::Error> {
        use mobilization_check_in::Column;
        let rows: Vec<(MobilizationCheckInId, RegionId)> = verbs::visible_firsts(&self.0)
            .filter(page::among(&self.0, Column::Id, keys.iter().map(|key| key.0)))
            .select_only()
            .columns([Column::Id, Column::FirstRegionId])
            .into_tuple()
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(Error::from(error)))?;
        Ok(rows.into_iter().map(|(id, region)| (FirstOf(id), region)).collect())
    }
}

/// Key of the transfers of a check-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransfersOf(pub MobilizationCheckInId);

impl Loader<TransfersOf> for Loaders {
    type Value = Vec<mobilization_transfer::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[TransfersOf]) -> Result<HashMap<TransfersOf, Self::Value>, Self::Error> {
        use mobilization_transfer::Column;
        let of: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = verbs::visible_transfers(&self.0, &of)
            .order_by_asc(Column::At)
            .order_by_asc(Column::Id)
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(Error::from(error)))?;
        let mut found: HashMap<TransfersOf, Self::Value> = HashMap::new();
        for row in rows {
            found.entry(TransfersOf(row.check_in_id)).or_default().push(row);
        }
        Ok(found)
    }
}

connection!(
    MobilizationCheckInConnection,
    MobilizationCheckInEdge,
    MobilizationCheckIn,
    mobilization_check_in::Entity
);

/// What came of one check-in.
pub struct MobilizationCheckInPayload {
    outcome: Option<MobilizationOutcome>,
    id: Option<MobilizationCheckInId>,
    user_errors: Vec<UserError>,
}

impl MobilizationCheckInPayload {
    pub async fn of(ctx: &Ctx, came: Came) -> Result<Self> {
        let came = match came {
            Err(Error::Replayed(id)) => match replayed(ctx, id.unwrap_or_default()).await {
                Ok(came) => came.into_iter().next().unwrap_or(Err(Error::NotFound("object"))),
                Err(error) => Err(error),
            },
            came => came,
        };
        Ok(match came {
            Ok((outcome, id)) => {
                Self { outcome: Some(outcome.into()), id: Some(id), user_errors: Vec::new() }
            }
            Err(error) => Self { outcome: None, id: None, user_errors: vec![user_error(ctx, &error)?] },
        })
    }
}

/// What came of one check-in.
#[Object]
impl MobilizationCheckInPayload {
    /// What came of it; null where it was refused.
    async fn outcome(&self) -> Option<MobilizationOutcome> {
        self.outcome
    }

    /// The person's check-in, of a duplicate the first one; null where it was refused.
    async fn check_in(&self, context: &Context<'_>) -> Result<Option<MobilizationCheckIn>> {
        match self.id {
            Some(id) => Ok(loaders::one(context, id).await?.map(MobilizationCheckIn)),
            None => Ok(None),
        }
    }

    /// What the caller can mend; empty when it was taken.
    async fn user_errors(&self) -> &[UserError] {
        &self.user_errors
    }
}

/// What came of one of many check-ins.
#[derive(SimpleObject, Clone)]
pub struct MobilizationCheckInResult {
    /// Its place among those given, from 0.
    index: usize,
    /// What came of it.
    outcome: MobilizationOutcome,
    /// Why it was refused; null where it was not.
    code: Option<Code>,
    /// Path of the input at fault, such as `input.items.3.regionId`, if it is one.
    field: Option<String>,
    /// Why it was refused, in the caller's language.
    message: Option<String>,
    /// The person's check-in; null where it was refused.
    check_in_id: Option<ID>,
}

impl MobilizationCheckInResult {
    fn of(ctx: &Ctx, index: usize, came: &Came) -> Result<Self> {
        let none = Self {
            index,
            outcome: MobilizationOutcome::Refused,
            code: None,
            field: None,
            message: None,
            check_in_id: None,
        };
        match came {
            Ok((outcome, check_in)) => {
                Ok(Self { outcome: (*outcome).into(), check_in_id: Some(id::encode(*check_in)), ..none })
            }
            Err(error) => {
                // What nobody can mend is an error of the whole request.
                item_error(ctx, error, index)?;
                Ok(Self {
                    code: Some(error.code()),
                    field: error.field().map(|field| format!("input.items.{index}.{field}")),
                    message: Some(messages::of(error, ctx.locale)),
                    ..none
                })
            }
        }
    }
}

/// What came of many check-ins.
pub struct MobilizationCheckInsPayload {
    results: Vec<MobilizationCheckInResult>,
    user_errors: Vec<UserError>,
}

impl MobilizationCheckInsPayload {
    pub async fn of(ctx: &Ctx, came: domain::Result<Vec<Came>>) -> Result<Self> {
        let came = match came {
            Err(Error::Replayed(id)) => replayed(ctx, id.unwrap_or_default()).await,
            came => came,
        };
        Ok(match came {
            Ok(came) => {
                let result = |(index, came)| MobilizationCheckInResult::of(ctx, index, came);
                let results = came.iter().enumerate().map(result).collect::<Result<_>>()?;
                Self { results, user_errors: Vec::new() }
            }
            Err(error) => Self { results: Vec::new(), user_errors: vec![user_error(ctx, &error)?] },
        })
    }
}

/// What came of many check-ins.
#[Object]
impl MobilizationCheckInsPayload {
    /// What came of each, in the order given.
    async fn results(&self) -> Vec<AtOnce<&MobilizationCheckInResult>> {
        self.results.iter().map(AtOnce).collect()
    }

    /// What is wrong with the request as a whole; then nobody was checked in.
    async fn user_errors(&self) -> &[UserError] {
        &self.user_errors
    }
}
